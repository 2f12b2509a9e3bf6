"""Jobs on a real Ray cluster of one node."""

import importlib.util
import shutil
import signal
from pathlib import Path

import pytest
from study_process import SMALL, begun, results, run, start, until

from qcmarl import checkpoint

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed"),
]


def test_a_cluster_makes_the_results_that_this_machine_makes(tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    code, said = run(here)
    assert code == 0, said
    code, said = run(there, "--ray", "local")
    assert code == 0, said
    assert results(there) == results(here)


def test_a_job_that_fails_on_a_cluster_is_told_and_goes_on_when_it_can(tmp_path):
    blocked = tmp_path / "runs" / "skirmish-3m" / "mappo"
    blocked.mkdir(parents=True)
    (blocked / "0").touch()
    code, said = run(tmp_path, "--ray", "local")
    assert code == 1
    assert "skirmish-3m/mappo/0: ended with code 1" in said
    shutil.rmtree(blocked)
    assert run(tmp_path, "--ray", "local")[0] == 0
    assert len(results(tmp_path)) == 2


def test_ctrl_c_reaches_the_jobs_on_a_cluster_and_the_same_command_goes_on(tmp_path):
    words = [word if word != "9600" else "320000" for word in SMALL]
    process = start(tmp_path, "--ray", "local", words=words)
    until(lambda: begun(tmp_path), process)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGINT
    assert said.count(": saved") == 2
    until(lambda: not alive(tmp_path))
    assert all(steps < 320_000 for steps in saved(tmp_path))


def alive(out):
    """Processes that still work in a folder."""
    commands = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    return [c for c in commands if b"studies.worker" in c and str(out).encode() in c]


def saved(out):
    found = [checkpoint.load(path)["learner"]["env_steps"] for path in out.glob("runs/*/*/*/checkpoint.pt")]
    assert found
    return found


def test_an_address_where_nothing_answers_is_a_users_matter(tmp_path):
    code, said = run(tmp_path, "--ray", "127.0.0.1:1")
    assert code == 2
    assert said.startswith("qcmarl: no Ray cluster at '127.0.0.1:1'")
    assert said.count("\n") == 1
