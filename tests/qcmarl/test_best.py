"""The policy of the best evaluation: which one is kept, and that it can be played."""

import json
import math
import shutil

import pytest
import torch
from test_cli import failure, success

from qcmarl import checkpoint, evaluation, rundir
from qcmarl.best import Best, weights
from qcmarl.run import Run

TINY = ("--n-envs", 8, "--rollout-steps", 20, "--epochs", 2, "--hidden", 16, "--quiet")


def policy(value):
    layer = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.constant_(layer.weight, value)
    return layer


def kept(directory):
    return weights(directory, "best")["policy"]["weight"].item()


def offered(directory, evaluations, deployed="sampled"):
    """Offers policies 0, 1, ... with their evaluations (win rate or None, return); returns which is kept."""
    best = Best(directory, deployed, None)
    for k, (won, earned) in enumerate(evaluations):
        told = {} if won is None else {"eval/win_rate": 1.0 - won, "eval/win_rate_sampled": won}
        best.offer({**told, "eval/return": 20.0 - earned, "eval/return_sampled": earned}, policy(k), 100 * k)
    return kept(directory)


@pytest.mark.parametrize(
    ("evaluations", "chosen"),
    [
        ([(0.2, 5.0), (0.9, 3.0), (0.5, 9.0)], 1),  # what is won comes first
        ([(0.9, 3.0), (0.9, 4.0), (0.9, 2.0)], 1),  # then what is earned
        ([(0.9, 3.0), (0.9, 3.0), (0.1, 3.0)], 1),  # then which is later
        ([(0.0, -2.0), (0.0, -1.0), (0.0, -3.0)], 1),
        ([(None, 1.0), (None, 7.0), (None, 2.0)], 1),  # nobody tells who wins
        ([(0.5, math.nan), (0.5, -9.0), (0.4, 1.0)], 1),
        ([(0.2, 1.0), (0.9, 1.0), (math.nan, 1.0), (0.1, 1.0)], 1),
        ([(math.nan, math.nan), (0.0, -5.0)], 1),
    ],
)
def test_the_best_evaluation_is_kept(tmp_path, evaluations, chosen):
    assert offered(tmp_path, evaluations) == chosen
    assert weights(tmp_path, "best")["env_steps"] == 100 * chosen


def test_what_counts_is_the_play_that_the_algorithm_is_deployed_with(tmp_path):
    assert offered(tmp_path, [(0.2, 5.0), (0.9, 3.0), (0.5, 9.0)], deployed="greedy") == 0  # won greedily: 0.8


def test_what_the_directory_holds_is_the_one_to_beat(tmp_path):
    offered(tmp_path, [(0.6, 1.0)])
    assert offered(tmp_path, [(0.5, 9.0)]) == 0
    before = (tmp_path / rundir.BEST).read_bytes()
    best = Best(tmp_path, "sampled", None)
    assert best.rate() == 0.6
    best.offer({"eval/win_rate_sampled": 0.59}, policy(7), 700)
    assert (tmp_path / rundir.BEST).read_bytes() == before
    best.offer({"eval/win_rate_sampled": 0.6, "eval/return_sampled": 1.0}, policy(7), 0)  # the same evaluation again
    assert (tmp_path / rundir.BEST).read_bytes() == before


def falling(monkeypatch):
    """Runs whose second evaluation wins everything and whose others win nothing; returns the evaluated weights."""
    seen = []

    def evaluated(run, mean_law):
        seen.append({name: value.clone() for name, value in run.learner.policy.state_dict().items()})
        rate = float(len(seen) == 2)
        return {f"eval/{name}{kind}": rate for name in ("win_rate", "return") for kind in ("", "_sampled")}

    monkeypatch.setattr(Run, "_evaluate", evaluated)
    return seen


def test_a_run_that_falls_keeps_the_policy_from_before(tmp_path, monkeypatch, capsys):
    seen = falling(monkeypatch)
    run = tmp_path / "run"
    options = ("--algo", "mappo", "--env", "skirmish:3m", "--run-dir", run, "--eval-every", 160, *TINY[:-1])
    success("train", *options, "--steps", 640)
    assert "best evaluation 100% (after 320 steps)" in " ".join(capsys.readouterr().out.replace("│", " ").split())
    for which, where in (("best", 1), ("last", 3)):
        trained = evaluation.load(run, 1, False, 1, which=which)
        assert trained.env_steps == 160 * (where + 1)
        found = trained.policy.state_dict()
        assert all(torch.equal(found[name], seen[where][name]) for name in seen[where])
    assert any(not torch.equal(seen[1][name], seen[3][name]) for name in seen[1])


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run whose best.pt holds weights of its own."""
    run = tmp_path_factory.mktemp("best") / "run"
    success("train", "--algo", "qc-mappo", "--latent", 4, "--run-dir", run, "--steps", 320, *TINY)
    content = checkpoint.load(run / rundir.BEST)
    content["learner"]["env_steps"] = 123
    checkpoint.save(run / rundir.BEST, content)
    return run


def test_commands_play_the_best_where_asked(trained, tmp_path, capsys):
    out = tmp_path / "found.json"
    success("eval", trained, "--episodes", 2, "--checkpoint", "best", "--out", out)
    assert "best checkpoint" in " ".join(capsys.readouterr().out.split())
    found = json.loads(out.read_text())
    assert (found["evaluation"]["checkpoint"], found["metrics"]["env_steps"]) == ("best", 123)
    success("eval", trained, "--episodes", 2)
    assert "320" in capsys.readouterr().out
    replayed = tmp_path / "replay"
    success("replay", trained, "--episodes", 1, "--checkpoint", "best", "--no-gif", "--out", replayed)
    assert "after 123 steps" in capsys.readouterr().out
    success("export-circuit", trained, "--checkpoint", "best", "--out", tmp_path / "best.qasm")
    capsys.readouterr()
    recording = str(replayed / "replay.json")
    assert "leave out --checkpoint" in failure(capsys, "replay", recording, "--checkpoint", "best")


def test_a_run_without_one_says_so(trained, tmp_path, capsys):
    older = tmp_path / "older"
    older.mkdir()
    for name in (rundir.CONFIG, rundir.METRICS, rundir.CHECKPOINT):
        (older / name).write_bytes((trained / name).read_bytes())
    assert "has no best.pt" in failure(capsys, "eval", str(older), "--checkpoint", "best")


@pytest.mark.parametrize("damage", ["cut", "empty", "another"])
def test_a_damaged_one_is_said_and_replaced(trained, tmp_path, capsys, damage):
    run = tmp_path / "run"
    shutil.copytree(trained, run)
    whole = (run / rundir.BEST).read_bytes()
    other = (run / rundir.CHECKPOINT).read_bytes()
    (run / rundir.BEST).write_bytes({"cut": whole[:-1], "empty": b"", "another": other}[damage])
    assert "best.pt" in failure(capsys, "eval", str(run), "--checkpoint", "best")
    success("train", "--run-dir", run, "--resume", "--steps", 640)
    assert "the next evaluation replaces it" in " ".join(capsys.readouterr().out.split())
    assert weights(run, "best")["env_steps"] >= 320


def test_an_evaluation_that_a_kill_kept_from_being_offered_is_offered_on_resume(trained, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(trained, run)
    (run / rundir.BEST).unlink()
    success("train", "--run-dir", run, "--resume", "--quiet")
    kept = weights(run, "best")
    assert kept["env_steps"] == 320
    last = weights(run, "last")["policy"]
    assert all(torch.equal(kept["policy"][name], last[name]) for name in last)


def test_what_a_start_cut_short_left_does_not_count(tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    offered(run, [(1.0, 99.0)])
    success("train", "--run-dir", run, "--steps", 160, *TINY)
    assert weights(run, "best")["env_steps"] == 160
