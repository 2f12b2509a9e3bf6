"""The command line: mistakes cost a line or two and exit code 2."""

import json
import subprocess
import sys

import pytest

from qcmarl import cli, rundir
from qcmarl.run import Run

TINY = [
    "--steps",
    "320",
    "--n-envs",
    "8",
    "--rollout-steps",
    "20",
    "--epochs",
    "1",
    "--eval-battles",
    "2",
    "--threads",
    "1",
    "--quiet",
]


def failure(capsys, *arguments):
    with pytest.raises(SystemExit) as stop:
        cli.main(arguments)
    said = capsys.readouterr()
    assert stop.value.code == 2
    assert said.out == ""
    assert said.err.count("\n") <= 2
    assert "Traceback" not in said.err
    return said.err


def success(*arguments):
    with pytest.raises(SystemExit) as stop:
        cli.main([str(a) for a in arguments])
    assert stop.value.code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("dance", "unknown command 'dance'; the commands are train, eval, report"),
        ("train --algo ppoo", "unknown algorithm 'ppoo'; the algorithms are mappo, ippo, "),
        ("train --algo entangled-mapo", "(did you mean 'entangled-mappo'?)"),
        ("train --env skirmish:9m", "did you mean"),
        ("train --env chess", "has no family"),
        ("train --stepz 3", "Unrecognized options: --stepz, 3 (did you mean --steps?)"),
        ("eval nowhere --episode 3", "(did you mean --episodes?)"),
        ("train --env 3m", "environment '3m' has no family (did you mean 'skirmish:3m'?); "),
        ("train --steps 1.5e6", "(write 1_500_000)"),
        ("train --steps many", "Error parsing --steps"),
        ("train --ratio team", "invalid choice 'team'"),
        ("train --steps 0", "steps is 0; it must be at least 1"),
        ("train --seed 18446744073709551616", "seed is 18446744073709551616; it must be at most 9223372036854775807"),
        ("eval nowhere --seed 18446744073709551616", "it must be within 0..9223372036854775807"),
        ("train --n-envs 2 --rollout-steps 3 --minibatches 7", "it must be at most n_envs * rollout_steps = 6"),
        (
            "train --n-envs 2 --rollout-steps 6 --recurrent --chunk 3 --minibatches 5",
            "minibatches is 5; it must be at most n_envs * rollout_steps / chunk = 4",
        ),
        ("train --entropy nan", "entropy is nan; it must be finite"),
        ("train --run-dir file/x", "run directory file/x cannot be made: Not a directory"),
        ("train --run-dir file", "run directory file is a file"),
        ("report nowhere --output curves.txt", "must end in one of .png, .pdf, .svg"),
        ("train --threads 0", "threads is 0; it must be at least 1"),
        ("train --n-envs 0", "n_envs is 0"),
        ("train --lr -1", "lr is -1.0; it must be positive"),
        ("train --gamma 1.5", "gamma is 1.5; it must be within 0..1"),
        ("train --recurrent --chunk 7", "chunk is 7; it must divide rollout_steps = 50"),
        ("train --resume", "--resume needs --run-dir"),
        ("train --resume --run-dir nowhere", "nowhere holds no run"),
        ("train --algo qc-mappo --readout outcome --measured-qubits 0", "measured_qubits is 0"),
        ("eval nowhere", "nowhere holds no run"),
        ("eval nowhere --episodes 0", "episodes is 0"),
        ("report", "name at least one run"),
        ("report nowhere", "nowhere holds no run"),
    ],
)
def test_a_mistake_is_named(capsys, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    assert message in failure(capsys, *arguments.split())
    assert not list(tmp_path.rglob("*.json"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{}", "is not a run's configuration: it must have algo, run, algorithm"),
        ("[]", "is not a run's configuration"),
        ("{", "is not valid JSON"),
        ('{"algo": "ppoo", "run": {}, "algorithm": {}}', "is a run of 'ppoo'; the algorithms are mappo, ippo, "),
        (
            '{"algo": "mappo", "run": {"env": "skirmish:3m", "steps": "many"}, "algorithm": {}}',
            "config.json: run: steps is 'many'; it must be int",
        ),
        (
            '{"algo": "mappo", "run": {"env": "skirmish:3m"}, "algorithm": {"ratio": "team"}}',
            "config.json: algorithm: ratio is 'team'; it must be one of 'agent', 'joint'",
        ),
        ('{"algo": "mappo", "run": {"speed": 1}, "algorithm": {}}', "has unknown settings: speed"),
    ],
)
def test_a_damaged_configuration_is_named(capsys, tmp_path, content, message):
    (tmp_path / rundir.CONFIG).write_text(content)
    assert message in failure(capsys, "eval", str(tmp_path))
    assert message in failure(capsys, "train", "--resume", "--run-dir", str(tmp_path))


def test_an_error_of_the_program_is_not_called_a_mistake(tmp_path, monkeypatch):
    def broken(self):
        raise ValueError("shapes do not match")

    monkeypatch.setattr(Run, "_iterate", broken)
    with pytest.raises(ValueError, match="shapes do not match"):
        cli.main(["train", "--run-dir", str(tmp_path / "run"), *TINY])


def test_help_lists_commands_and_algorithms(capsys):
    success("--help")
    said = capsys.readouterr().out
    assert all(word in said for word in ("train", "eval", "report", "qc-mappo", "--steps 500_000"))


def test_each_algorithms_options_are_listed(capsys):
    success("train", "--algo", "qc-mappo", "--help")
    said = capsys.readouterr().out
    assert "--readout" in said
    assert "--run-dir" in said


def test_train_resume_eval_and_report(capsys, tmp_path):
    runs = [tmp_path / "a", tmp_path / "b", tmp_path / "c"]
    for seed, run in enumerate(runs[:2]):
        success("train", "--env", "skirmish:3m", "--seed", seed, "--run-dir", run, *TINY)
    success("train", "--algo", "qc-mappo", "--run-dir", runs[2], "--latent", 8, *TINY, "--steps", "3_20")
    assert rundir.read_config(runs[2])["run"]["steps"] == 320
    success("train", "--run-dir", runs[0], "--resume", "--quiet")
    assert "different: lr (0.0005, now 0.1)" in failure(
        capsys, "train", "--run-dir", str(runs[0]), "--resume", "--lr", "0.1"
    )
    assert "in use" in failure(capsys, "train", "--run-dir", str(runs[0]))
    success("eval", runs[2], "--episodes", 4, "--mean-law")
    assert "eval/win_rate_mean_law" in capsys.readouterr().out
    assert "measures no law" in failure(capsys, "eval", str(runs[0]), "--mean-law")
    success("report", *runs, "--output", tmp_path / "new" / "report.png")
    said = capsys.readouterr().out
    assert "mappo skirmish:3m" in said
    assert "qc-mappo" in said
    assert (tmp_path / "new" / "report.png").read_bytes().startswith(b"\x89PNG")


def test_a_picture_below_a_file_is_refused(capsys, tmp_path):
    success("train", "--run-dir", tmp_path / "run", *TINY)
    (tmp_path / "file").touch()
    said = failure(capsys, "report", str(tmp_path / "run"), "--output", str(tmp_path / "file" / "x.png"))
    assert "x.png cannot be made" in said


def test_metrics_are_one_json_object_a_line(tmp_path):
    success("train", "--run-dir", tmp_path / "run", *TINY)
    lines = (tmp_path / "run" / rundir.METRICS).read_text().splitlines()
    assert [json.loads(line)["env_steps"] for line in lines] == [160, 320]


def test_a_finished_run_says_so_and_can_be_made_longer(capsys, tmp_path):
    run = tmp_path / "run"
    success("train", "--run-dir", run, *TINY)
    capsys.readouterr()
    success("train", "--run-dir", run, "--resume", "--threads", 1)
    said = " ".join(capsys.readouterr().out.split())
    assert f"{run} is complete" in said
    assert "win rate, sampled" in said
    success("train", "--run-dir", run, "--resume", "--steps", 480, "--quiet")
    assert [line["env_steps"] for line in rundir.read_metrics(run)] == [160, 320, 480]
    assert rundir.read_config(run)["run"]["steps"] == 480


def test_another_algorithm_is_no_way_to_go_on(capsys, tmp_path):
    success("train", "--run-dir", tmp_path / "run", *TINY)
    said = failure(capsys, "train", "--run-dir", str(tmp_path / "run"), "--resume", "--algo", "qc-mappo")
    assert said.endswith("run is a run of mappo, not of qc-mappo; leave out --algo, or choose another --run-dir\n")


@pytest.mark.parametrize("arguments", ["train --help", "--help"])
def test_a_reader_who_has_enough_is_no_mistake(arguments):
    command = [sys.executable, "-m", "qcmarl", *arguments.split()]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait() == 128 + 13
