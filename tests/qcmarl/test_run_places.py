"""Runs on a map of one's own: what they were trained on is kept, whatever becomes of the file."""

import json
import sys

import pytest

from qcmarl import checkpoint, cli, evaluation, rundir
from qcmarl.envs import VecSkirmish
from qcmarl.envs.place import Place
from qcmarl.envs.skirmish_maps import load_map

pytestmark = pytest.mark.skipif(sys.version_info < (3, 11), reason="TOML needs Python 3.11")
MAP = """
limit = 20
allies = [{ kind = "marine", count = 2, at = [9, 16] }]
enemies = [{ kind = "tough", count = 1, at = [13, 16] }]

[[units]]
like = "zealot"
name = "tough"
hp = 120
"""
TINY = ["--n-envs", "4", "--rollout-steps", "20", "--epochs", "1", "--eval-battles", "2", "--threads", "1", "--quiet"]


def called(*arguments):
    with pytest.raises(SystemExit) as stop:
        cli.main([str(a) for a in arguments])
    return stop.value.code


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "maps").mkdir()
    (tmp_path / "maps" / "m.toml").write_text(MAP)
    assert called("train", "--env", "skirmish:maps/m.toml", "--steps", 160, *TINY) == 0
    return tmp_path / "runs" / "skirmish-m-mappo-0"


def unfinished(run):
    """A run that has 160 steps left to go."""
    config = json.loads((run / rundir.CONFIG).read_text())
    config["run"]["steps"] = 320
    (run / rundir.CONFIG).write_text(json.dumps(config))


def test_an_edited_map_does_not_change_a_run(run, tmp_path):
    trained_on = load_map(tmp_path / "maps" / "m.toml")
    (tmp_path / "maps" / "m.toml").write_text(MAP.replace("hp = 120", "hp = 5"))
    trained = evaluation.load(run, 1, mean_law=False, threads=1)
    assert isinstance(trained.env, VecSkirmish)
    assert trained.env.map == trained_on
    assert trained.env.unit_kinds[trained.env.units(0)["type"][-1]].hp == 120
    assert rundir.kept_place(run) == Place("skirmish:maps/m.toml", trained_on)


def test_a_run_needs_its_map_file_no_more(run, tmp_path, monkeypatch):
    (tmp_path / "maps" / "m.toml").unlink()
    monkeypatch.chdir(tmp_path / "maps")
    unfinished(run)
    assert called("train", "--run-dir", run, "--resume", "--quiet") == 0
    assert checkpoint.load(run / rundir.CHECKPOINT)["learner"]["env_steps"] == 320
    assert called("eval", run, "--episodes", 2) == 0
    assert called("replay", run, "--episodes", 1, "--no-gif") == 0
    assert json.loads((run / "replay" / "replay.json").read_text())["env"] == "skirmish:m"
    assert called("report", run) == 0


def test_an_older_run_reads_the_file_and_keeps_it_from_then_on(run, tmp_path, capsys):
    config = json.loads((run / rundir.CONFIG).read_text())
    del config["map"], config["sessions"]
    (run / rundir.CONFIG).write_text(json.dumps(config))
    unfinished(run)
    (tmp_path / "maps" / "m.toml").rename(tmp_path / "maps" / "away")
    assert called("eval", run) == 2
    said = capsys.readouterr().err
    assert "keeps no copy of it" in said
    assert "run the command where that path leads to it" in said
    assert said.count("\n") == 1
    (tmp_path / "maps" / "away").rename(tmp_path / "maps" / "m.toml")
    assert called("train", "--run-dir", run, "--resume", "--quiet") == 0
    (tmp_path / "maps" / "m.toml").unlink()
    assert called("eval", run, "--episodes", 2) == 0


def test_a_run_plays_on_its_own_map_only(run, tmp_path, capsys):
    (tmp_path / "maps" / "m.toml").write_text(MAP.replace("hp = 120", "hp = 5"))
    assert called("play", "--policy", run, "--env", "skirmish:maps/m.toml", "--no-gif") == 2
    assert "was trained in skirmish:maps/m.toml; it cannot play skirmish:m" in capsys.readouterr().err
    (tmp_path / "maps" / "m.toml").write_text(MAP)
    assert called("play", "--policy", run, "--env", "skirmish:maps/m.toml", "--episodes", 1, "--no-gif") == 0


def test_a_team_carries_the_map_that_it_was_trained_on(run, tmp_path, capsys):
    options = ["--algo", "entangled-mappo", "--env", "skirmish:maps/m.toml", "--steps", 160, "--run-dir", "team"]
    assert called("train", *options, *TINY) == 0
    (tmp_path / "maps" / "m.toml").unlink()
    assert called("actors", "team", "--episodes", 2) == 0
    assert "2 episodes of skirmish:maps/m.toml" in capsys.readouterr().out


def test_a_saved_battle_goes_on_under_its_own_rules_only(tmp_path):
    (tmp_path / "m.toml").write_text(MAP)
    first = VecSkirmish(tmp_path / "m.toml", 2, n_threads=1)
    first.reset(1)
    state = first.state_dict()
    VecSkirmish(tmp_path / "m.toml", 2, n_threads=1).load_state_dict(state)
    VecSkirmish(tmp_path / "m.toml", 2, n_threads=1).load_state_dict({k: v for k, v in state.items() if k != "map"})
    (tmp_path / "m.toml").write_text(MAP.replace("hp = 120", "hp = 5"))
    with pytest.raises(ValueError, match="has another map under the name 'm'"):
        VecSkirmish(tmp_path / "m.toml", 2, n_threads=1).load_state_dict(state)


def test_a_damaged_map_is_named(run, capsys):
    config = json.loads((run / rundir.CONFIG).read_text())
    config["map"]["allies"] = 3
    (run / rundir.CONFIG).write_text(json.dumps(config))
    assert called("eval", run) == 2
    assert "config.json: map: allies must be tables" in capsys.readouterr().err
