"""`qcmarl actors`: what it writes, what it scores, and what it says of mistakes."""

import json
import shutil

import numpy as np
import pytest
from teams import team
from toy import LampGame

from qcmarl import checkpoint, rundir
from qcmarl.cli import main
from qcmarl.coordinator.actors import Actor, carried_by
from qcmarl.coordinator.play import play
from qcmarl.coordinator.source import OutcomeSource
from qcmarl.envs.game import VecGame
from qcmarl.envs.queue import VecQueue
from qcmarl.evaluation import evaluate_run
from qcmarl.games import make


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of CHSH, hardly trained."""
    folder = tmp_path_factory.mktemp("runs")
    sizes = "--n-envs 16 --rollout-steps 4 --hidden 8 --critic-hidden 8 --eval-battles 2 --threads 1 --quiet"
    for name, options in {"entangled": "--algo entangled-mappo", "mappo": "--algo mappo"}.items():
        with pytest.raises(SystemExit) as ended:
            main(f"train --env game:chsh --steps 64 {sizes} {options} --run-dir {folder / name}".split())
        assert ended.value.code == 0
    return folder / "entangled"


def failure(capsys, *arguments):
    with pytest.raises(SystemExit) as ended:
        main(["actors", *map(str, arguments)])
    assert ended.value.code == 2
    return capsys.readouterr().err


def test_the_files_of_a_run_are_written_with_its_exact_rates(run, capsys, tmp_path):
    with pytest.raises(SystemExit) as ended:
        main(["actors", str(run), "--out", str(tmp_path / "team"), "--episodes", "0"])
    assert ended.value.code == 0
    assert f"wrote 2 actors and what they share to {tmp_path / 'team'}" in capsys.readouterr().out
    assert {path.name for path in (tmp_path / "team").iterdir()} == {
        "actor-0.pt",
        "actor-1.pt",
        "source.pt",
        "team.json",
    }
    rates = evaluate_run(run, battles=1, mean_law=False, seed=0, threads=1)
    team = json.loads((tmp_path / "team" / "team.json").read_text())
    assert len(team.pop("table")) == 64
    assert team == {
        "env": "game:chsh",
        "agents": 2,
        "greedy": rates["eval/win_rate"],
        "sampled": rates["eval/win_rate_sampled"],
        "obs_size": 2,
        "actions": 2,
        "map": None,
    }


def test_the_agents_of_the_best_evaluation_are_written_where_asked(run, capsys, tmp_path):
    content = checkpoint.load(run / rundir.BEST)
    for name, value in content["learner"]["policy"].items():
        if value.is_floating_point():
            content["learner"]["policy"][name] = value + 0.25
    other = tmp_path / "run"
    shutil.copytree(run, other)
    checkpoint.save(other / rundir.BEST, content)
    for which in ("last", "best"):
        with pytest.raises(SystemExit) as ended:
            main(["actors", str(other), "--out", str(tmp_path / which), "--episodes", "0", "--checkpoint", which])
        assert ended.value.code == 0
        rates = evaluate_run(other, battles=1, mean_law=False, seed=0, threads=1, which=which)
        team = json.loads((tmp_path / which / "team.json").read_text())
        assert (team["greedy"], team["sampled"]) == (rates["eval/win_rate"], rates["eval/win_rate_sampled"])
    assert "--checkpoint chooses among" in failure(capsys, tmp_path / "last", "--checkpoint", "best")


def test_mistakes_are_named(run, capsys, tmp_path):
    assert "nowhere holds no run" in failure(capsys, "nowhere")
    assert "is no run of entangled-mappo; the agents of others share no outcomes" in failure(
        capsys, run.parent / "mappo"
    )
    assert "episodes is -1; it must not be negative" in failure(capsys, run, "--episodes", "-1")
    assert "seed is -1; it must be within" in failure(capsys, run, "--seed", "-1")
    assert "holds no team: there is no team.json in it" in failure(capsys, tmp_path)
    (tmp_path / "team.json").write_text("{")
    assert "team.json is damaged: it must be JSON with env, agents, greedy, sampled" in failure(capsys, tmp_path)
    sound = {"env": "game:chsh", "agents": 2, "greedy": 0.75, "sampled": None}
    for changed, words in (
        ({"agents": "2"}, "team.json is damaged"),
        ({"greedy": "high"}, "team.json is damaged"),
        ({"env": 3}, "team.json is damaged"),
        ({"env": "game:chhs"}, "did you mean 'chsh'?"),
        ({"agents": 0}, "holds a team of 0; game:chsh is for 2 agents"),
        ({"obs_size": "2"}, "team.json is damaged"),
        ({"table": 2}, "team.json is damaged"),
        (
            {"env": "game:rendezvous-k3", "obs_size": 2, "actions": 2},
            "holds a team that sees 2 numbers and chooses from 2 actions; game:rendezvous-k3 shows 3 and has 3",
        ),
        ({"env": "game:nowhere.json"}, "holds a team of game:nowhere.json: nowhere.json does not exist"),
    ):
        (tmp_path / "team.json").write_text(json.dumps({**sound, **changed}))
        assert words in failure(capsys, tmp_path)
    assert "holds no run; --out is where the actors of a run are written" in failure(
        capsys, tmp_path, "--out", tmp_path / "x"
    )
    (tmp_path / "file").touch()
    assert "cannot be made" in failure(capsys, run, "--out", tmp_path / "file" / "x")
    assert f"folder {tmp_path / 'file'} cannot be made: File exists" in failure(
        capsys, run, "--out", tmp_path / "x", "--log", tmp_path / "file"
    )


def test_a_game_whose_file_has_changed_is_refused_and_older_teams_are_not(capsys, tmp_path):
    game, other = make("chsh"), make("chsh").payoff.copy()
    other[0, 0] = 1 - other[0, 0]

    def write(payoff):
        (tmp_path / "mine.json").write_text(json.dumps({"payoff": payoff.tolist()}))

    write(game.payoff)
    sizes = "--n-envs 16 --rollout-steps 4 --hidden 8 --critic-hidden 8 --eval-battles 2 --threads 1 --quiet"
    mine = f"game:{tmp_path / 'mine.json'}"
    run = tmp_path / "run"
    with pytest.raises(SystemExit):
        main(f"train --algo entangled-mappo --env {mine} --steps 64 {sizes} --run-dir {run}".split())
    with pytest.raises(SystemExit) as ended:
        main(["actors", str(run), "--episodes", "0"])
    assert ended.value.code == 0
    write(other)
    changed = f"is of {mine} as it was before; its table has changed since"
    assert f"the team in {run / 'actors'} {changed}" in failure(capsys, run / "actors", "--episodes", "0")
    assert f"{run} {changed}" in failure(capsys, run, "--episodes", "0")
    write(game.payoff)
    older = json.loads((run / "actors" / "team.json").read_text())
    (tmp_path / "run" / "actors" / "team.json").write_text(
        json.dumps({name: older[name] for name in ("env", "agents", "greedy", "sampled")})
    )
    with pytest.raises(SystemExit) as ended:
        main(["actors", str(run / "actors"), "--episodes", "0"])
    assert ended.value.code == 0


class Here:
    """A team in this process."""

    def __init__(self, kind, env):
        policy, agents = team(kind, env.obs_size, env.n_actions)
        self.actors = [Actor(carried) for carried in carried_by(policy, agents, env.obs_size)]
        self.device = OutcomeSource(policy.resource().detach(), policy.resource.dimension)

    def act(self, obs, avail, start):
        found = []
        for i, actor in enumerate(self.actors):
            effects = actor.setting(obs[:, i], avail[:, i], start)
            found.append(actor.act(self.device.outcome(i, effects)).numpy())
        return np.stack(found, 1)


def test_every_environment_plays_its_share_and_the_error_is_that_of_the_mean():
    """10 battles in 4 environments: 3, 3, 2 and 2; the returns are counted here, environment by environment."""
    env = LampGame(4)
    score = play(Here("ghz", env), env, episodes=10, seed=1)
    again, left, returns = LampGame(4), [3, 3, 2, 2], []
    found, step, start = Here("ghz", again), again.reset(1), np.ones(4, bool)
    while any(left):
        step = again.step(found.act(step.obs, step.avail, start))
        start = step.terminated
        for i in np.flatnonzero(start):
            if left[i]:
                left[i] -= 1
                returns.append(float(step.info["episode_return"][i]))
    assert len(returns) == 10
    assert score.episode_return.value == pytest.approx(np.mean(returns))
    assert score.episode_return.error == pytest.approx(np.std(returns, ddof=1) / 10**0.5)
    assert (score.episodes, score.whole, score.flawless) == (10, True, None)


def test_of_a_queue_the_rate_won_is_the_share_of_the_packets_and_flawless_episodes_are_counted_apart():
    env, again = VecQueue("2x2", 6, horizon=9, capacity=4), VecQueue("2x2", 6, horizon=9, capacity=4)
    score = play(Here("bell", env), env, episodes=6, seed=1)
    found, step, taken = Here("bell", again), again.reset(1), np.zeros(6)
    for t in range(9):
        step = again.step(found.act(step.obs, step.avail, np.full(6, t == 0)))
        taken += step.info["accepted"]
    assert 0 < (taken == 18).mean() < 1, "some turned packets away, some did not"
    assert score.won.value == pytest.approx(taken.mean() / 18, abs=1e-6)
    assert score.flawless.value == pytest.approx((taken == 18).mean())


def test_an_interruption_keeps_the_score_so_far():
    """Three turns of four rounds are played, then somebody interrupts."""
    env, told = VecGame("chsh", 4), []
    team = Here("bell", env)
    answer = team.act

    def act(*seen):
        if len(told) == 3:
            raise KeyboardInterrupt
        return answer(*seen)

    team.act = act
    score = play(team, env, episodes=100, seed=0, progress=told.append)
    assert told == [4, 8, 12]
    assert (score.episodes, score.whole) == (12, False)
    team.act = lambda *seen: exec("raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        play(team, env, episodes=100, seed=0)


def test_of_one_episode_no_error_is_printed():
    assert str(play(Here("bell", VecGame("chsh", 1)), VecGame("chsh", 1), 1, 0).won) in {"0.0000", "1.0000"}


@pytest.mark.slow
def test_the_command_prints_the_rate_beside_the_exact_one(run, capsys, tmp_path):
    with pytest.raises(SystemExit) as ended:
        main(
            ["actors", str(run), "--out", str(tmp_path / "team"), "--episodes", "4000", "--log", str(tmp_path / "log")]
        )
    assert ended.value.code == 0
    words = capsys.readouterr().out.split()
    won, error, exact = (
        float(words[words.index(name) + k].rstrip(",")) for name, k in (("won", 1), ("won", 3), ("exact", 1))
    )
    assert abs(won - exact) < 4 * error
    assert 0 < error < 0.01
    assert {path.name for path in (tmp_path / "log").iterdir()} == {"actor-0.jsonl", "actor-1.jsonl", "source.jsonl"}
    (tmp_path / "team" / "source.pt").write_bytes(b"")
    assert "source.pt is not a checkpoint of this version" in failure(capsys, tmp_path / "team")
