"""`qcmarl replay` and `qcmarl play`: what they write, and what they say to mistakes."""

import importlib.util
import json

import pytest
from test_cli import TINY, failure, success

from qcmarl import rundir
from qcmarl.watch import recording

FILES = ["replay.gif", "replay.html", "replay.json"]


def written(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A run of each kind of actor, hardly trained."""
    root = tmp_path_factory.mktemp("runs")
    kinds = {
        "mappo": [],
        "gru": ["--recurrent"],
        "factored": ["--algo", "qc-mappo", "--latent", 8],
        "outcome": ["--algo", "qc-mappo", "--latent", 8, "--readout", "outcome"],
    }
    for name, options in kinds.items():
        success("train", "--env", "skirmish:3m", "--run-dir", root / name, *options, *TINY)
    return root


@pytest.mark.parametrize("name", ["mappo", "gru", "factored", "outcome"])
def test_a_run_is_replayed_with_the_probabilities_of_its_actions(runs, capsys, tmp_path, name):
    success("replay", runs / name, "--episodes", 2, "--out", tmp_path, "--sampled", "--seed", 3)
    said = capsys.readouterr().out
    assert "battle 2 of 2:" in said
    assert "replay.html" in said
    assert written(tmp_path) == FILES
    made = recording.read(tmp_path / "replay.json")
    assert made["env"] == "skirmish:3m"
    assert "sampled, after 320 steps" in made["policy"]
    assert [len(made["episodes"]), made["seed"]] == [2, 3]
    for episode in made["episodes"]:
        for frame in episode["frames"][:-1]:
            alive = [row[7] for row in frame["units"][:3]]
            for lives, action, law in zip(alive, frame["actions"], frame["probabilities"], strict=True):
                assert sum(law) == pytest.approx(1, abs=1e-3)
                assert law[action] > 0
                assert law[0] == (not lives)


def test_greedy_agents_take_the_most_probable_action_which_is_the_default(runs, tmp_path):
    for folder, flags in (("default", []), ("greedy", ["--greedy"])):
        success("replay", runs / "mappo", "--episodes", 1, "--out", tmp_path / folder, "--no-gif", *flags)
        made = recording.read(tmp_path / folder / "replay.json")
        for frame in made["episodes"][0]["frames"][:-1]:
            for action, law in zip(frame["actions"], frame["probabilities"], strict=True):
                assert law[action] == max(law)
    assert written(tmp_path / "default") == FILES[1:]
    texts = [(tmp_path / folder / "replay.json").read_text() for folder in ("default", "greedy")]
    assert texts[0] == texts[1]


def test_a_replay_lies_in_the_runs_directory_and_leaves_the_run_as_it_was(runs):
    run = runs / "factored"
    before = {path.name: path.read_bytes() for path in run.iterdir() if path.is_file()}
    success("replay", run, "--episodes", 1, "--no-gif")
    assert written(run / "replay") == FILES[1:]
    assert {path.name: path.read_bytes() for path in run.iterdir() if path.is_file()} == before


def test_a_recording_is_drawn_again_without_playing(tmp_path):
    success("play", "--episodes", 1, "--out", tmp_path / "a", "--no-gif")
    page = (tmp_path / "a" / "replay.html").read_text()
    (tmp_path / "a" / "replay.html").unlink()
    success("replay", tmp_path / "a" / "replay.json")
    assert written(tmp_path / "a") == FILES
    assert (tmp_path / "a" / "replay.html").read_text() == page


def test_a_run_can_be_named_as_the_policy(runs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    success("play", "--policy", runs / "mappo", "--episodes", 1, "--seed", 4, "--no-gif")
    assert written(tmp_path / "replays" / "skirmish-3m-mappo-4") == FILES[1:]


def test_scripts_play_without_probabilities(tmp_path):
    success("play", "--env", "skirmish:8m_vs_9m", "--policy", "nearest", "--episodes", 2, "--out", tmp_path, "--no-gif")
    made = json.loads((tmp_path / "replay.json").read_text())
    assert made["policy"] == "nearest"
    assert all(frame["probabilities"] is None for episode in made["episodes"] for frame in episode["frames"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("replay", "Missing from qcmarl replay"),
        ("replay nowhere", "nowhere holds no run: there is no config.json in it"),
        ("replay nowhere.json", "there is no recording at nowhere.json"),
        ("replay empty.json", "empty.json is not valid JSON"),
        ("replay empty.json --seed 3 --sampled", "its battles are played already; leave out --sampled, --seed"),
        ("replay RUN --greedy --sampled", "--greedy and --sampled exclude each other"),
        ("replay RUN --episodes 0", "episodes is 0; it must be at least 1"),
        ("replay RUN --seed -1", "seed is -1; it must be within 0..9223372036854775807"),
        ("replay RUN --out empty.json/x", "the folder empty.json/x cannot be made: Not a directory"),
        ("replay RUN --episode 3", "(did you mean --episodes?)"),
        ("play --policy focus-fir", "(did you mean 'focus-fire'?); or name the directory of a run"),
        ("play --policy nowhere", "the policies are random, nearest, focus-fire, hold"),
        ("play --policy . ", ". holds no run"),
        ("play --policy nearest --sampled", "--sampled is for the policy of a run; 'nearest' is a script"),
        ("play --env skirmish:9m", "did you mean"),
        ("play --env chess", "has no family"),
        ("play --policy RUN --env skirmish:8m", "was trained in skirmish:3m; it cannot play skirmish:8m"),
        ("play --episodes -2", "episodes is -2; it must be at least 1"),
    ],
)
def test_a_mistake_is_named_and_nothing_is_played(runs, capsys, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty.json").touch()
    assert message in failure(capsys, *arguments.replace("RUN", str(runs / "mappo")).split())
    assert written(tmp_path) == ["empty.json"]


def test_a_missing_checkpoint_is_named(runs, capsys, tmp_path):
    (tmp_path / rundir.CONFIG).write_text((runs / "mappo" / rundir.CONFIG).read_text())
    assert f"no checkpoint at {tmp_path}" in failure(capsys, "replay", str(tmp_path))


def test_without_pillow_nothing_is_played_and_the_remedy_is_named(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert "or leave it out with --no-gif" in failure(capsys, "play", "--out", str(tmp_path / "new"))
    assert not (tmp_path / "new").exists()
    success("play", "--out", tmp_path / "new", "--no-gif", "--episodes", 1)
    assert written(tmp_path / "new") == FILES[1:]


def test_help_names_both_commands_and_their_options(capsys):
    success("--help")
    said = capsys.readouterr().out
    assert all(word in said for word in ("replay", "play", "qcmarl play --env skirmish:8m_vs_9m --policy focus-fire"))
    success("replay", "--help")
    said = capsys.readouterr().out
    assert all(word in said for word in ("--greedy", "--sampled", "--no-gif", "replay.html"))
    assert "--no-sampled" not in said
