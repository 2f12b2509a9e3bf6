"""What `qcmarl eval` shows and writes."""

import json

import numpy as np
import pytest
import scipy.stats
from learners import mappo
from toy import LampGame

from qcmarl import cli, evaluated, rundir
from qcmarl.evaluate import Battles, win_rates

TINY = ["--steps", "160", "--n-envs", "8", "--rollout-steps", "20", "--epochs", "1", "--eval-battles", "2", "--quiet"]


@pytest.mark.parametrize(("won", "battles"), [(0, 8), (1, 8), (8, 8), (500, 512), (512, 512)])
def test_the_interval_is_wilsons(won, battles):
    known = scipy.stats.binomtest(won, battles).proportion_ci(method="wilson")
    assert evaluated.wilson(won / battles, battles) == pytest.approx((known.low, known.high), abs=1e-9)


def called(*arguments):
    with pytest.raises(SystemExit) as stop:
        cli.main([str(a) for a in arguments])
    return stop.value.code


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    directory = tmp_path_factory.mktemp("runs") / "run"
    assert called("train", "--algo", "qc-mappo", "--latent", 8, "--run-dir", directory, *TINY) == 0
    return directory


def test_the_written_episodes_are_those_of_the_rates(run, tmp_path, capsys):
    out = tmp_path / "e.json"
    assert called("eval", run, "--episodes", 12, "--reading", "mean", "--seed", 7, "--out", out) == 0
    said = " ".join(capsys.readouterr().out.split())
    content = json.loads(out.read_text())
    assert content["directory"] == str(run)
    assert content["evaluation"]["seed"] == 7
    assert content["evaluation"]["episodes"] == 12
    assert content["evaluation"]["reading"] == ["mean"]
    assert content["evaluation"]["versions"]["numpy"] == np.__version__
    assert {name: content[name] for name in rundir.DECIDING} == {
        name: rundir.read_config(run)[name] for name in rundir.DECIDING
    }
    own = content["episodes"]["own"]
    for greedy, end in ((True, ""), (False, "_sampled")):
        kind = [episode for episode in own if episode["greedy"] is greedy]
        assert len(kind) == 12
        for name, metric in (("won", "win_rate"), ("return", "return")):
            assert np.mean([e[name] for e in kind]) == pytest.approx(content["metrics"][f"eval/{metric}{end}"])
        returns = [e["return"] for e in kind]
        shown = evaluated.with_error(np.mean(returns), scipy.stats.sem(returns))
        assert f"eval/return{end} │ {shown}" in said
    rates = [e["won"] for e in content["episodes"]["mean_law"] if e["greedy"]]
    assert np.mean(rates) == content["metrics"]["eval/win_rate_mean_law"]
    low, high = evaluated.wilson(content["metrics"]["eval/win_rate"], 12)
    assert f"[{low:.3f}, {high:.3f}]" in said


def test_a_folder_that_is_not_there_is_named_before_anything_is_played(run, tmp_path, capsys):
    for wrong in (tmp_path / "no" / "e.json", tmp_path):
        assert called("eval", run, "--out", wrong) == 2
        assert f"out is {wrong}; it must be a file in a folder that is there" in capsys.readouterr().err


def test_what_a_game_pays_is_no_share_of_battles():
    assert evaluated._cell("eval/win_rate", 5.0, 100, {}, True) == "5.000000"
    paid = Battles(np.array([True, True]), np.array([5.0, -1.0]), np.array([5.0, -1.0]), np.array([1, 1]))
    assert evaluated._cell("eval/win_rate", 2.0, 2, {"own": paid}, False) == "2.0 ± 3.0"  # (5 + 1) / 2


class Unjudged(LampGame):
    tells_wins = False


def test_where_nobody_tells_who_wins_there_is_no_win_rate():
    policy = mappo().policy
    rates = win_rates(policy, Unjudged(6), 6, seed=4)
    assert not any("win_rate" in name for name in rates)
    known = win_rates(policy, LampGame(6), 6, seed=4)
    assert rates == {name: value for name, value in known.items() if "win_rate" not in name}
