"""What a study shows while it runs."""

import json

from rich.console import Console

from qcmarl.studies.board import Board, last_line
from qcmarl.studies.jobs import Job, run_directory


def test_the_last_whole_line_counts(tmp_path):
    assert last_line(tmp_path) == {}
    (tmp_path / "metrics.jsonl").write_text('{"env_steps": 1}\n{"env_steps": 2}\n{"env_st')
    assert last_line(tmp_path) == {"env_steps": 2}
    long = json.dumps({"env_steps": 3, "x": "y" * 5000})
    (tmp_path / "metrics.jsonl").write_text(long + "\n" + json.dumps({"env_steps": 4}) + "\n")
    assert last_line(tmp_path) == {"env_steps": 4}


def shown(tmp_path, *jobs_steps):
    jobs = [Job("train", f"env/arm/{i}", {}, steps, f"env/arm/{i}") for i, (steps, _) in enumerate(jobs_steps)]
    for job, (_, done) in zip(jobs, jobs_steps, strict=True):
        directory = run_directory(tmp_path, job.run)
        directory.mkdir(parents=True)
        (directory / "metrics.jsonl").write_text(json.dumps({"env_steps": done, "train/win_rate": 0.5}) + "\n")
    console = Console(width=100, force_terminal=False)
    with console.capture() as capture:
        console.print(Board(tmp_path, jobs, 0)._table(jobs))
    return capture.get().splitlines()


def test_a_line_for_each_running_run(tmp_path):
    lines = shown(tmp_path, (1000, 250), (2000, 500))
    assert lines[0].startswith("0 of 2 jobs")
    assert [line.split() for line in lines[2:]] == [
        ["env/arm/0", "250", "of", "1,000", "train", "50%"],
        ["env/arm/1", "500", "of", "2,000", "train", "50%"],
    ]
