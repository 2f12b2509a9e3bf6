"""PettingZoo environments behind the batched contract: skirmish there and back, a small game of our own, and theirs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("pettingzoo")

from gymnasium.spaces import Box, Discrete
from pettingzoo import ParallelEnv

from qcmarl import cli, rundir
from qcmarl.envs import Step, VecEnv, VecSkirmish, make, parallel_env, pettingzoo_vec
from qcmarl.envs.pettingzoo_vec import VecPettingZoo, _averaged
from qcmarl.envs.skirmish import MAPS


def choose(step: Step, rng: np.random.Generator) -> np.ndarray:
    return np.where(step.avail, rng.random(step.avail.shape), -1).argmax(-1)


@pytest.mark.parametrize("masks", ["observation", "info"])
@pytest.mark.parametrize("name", MAPS[:2])
def test_skirmish_there_and_back_is_skirmish(name: str, masks: str) -> None:
    env = VecPettingZoo(lambda: parallel_env(f"skirmish:{name}", masks=masks), 1, episode_limit=1000)
    inner = VecSkirmish(name, 1, n_threads=1)
    step, rng = env.reset(seed=7), np.random.default_rng(0)
    expected = inner.reset(seed=int(np.random.SeedSequence([7, 0]).generate_state(1)[0] >> 1))
    assert (env.n_agents, env.n_actions, env.obs_size, env.state_size) == (
        *(inner.n_agents, inner.n_actions),
        *(inner.obs_size, inner.state_size),
    )
    ends = 0
    while ends < 3:
        for key in ("obs", "state", "avail", "alive"):
            assert np.array_equal(getattr(step, key), getattr(expected, key)), key
        actions = choose(step, rng)
        step, expected = env.step(actions), inner.step(actions)
        for key in ("reward", "terminated", "truncated"):
            assert np.array_equal(getattr(step, key), getattr(expected, key)), key
        ends += int(step.terminated[0] or step.truncated[0])
        assert np.array_equal(step.info["final_state"], expected.info["final_state"])
        for key in ("battle_won", "episode_length"):
            assert np.array_equal(step.info[key], expected.info[key]), key
        assert step.info["episode_return"] == pytest.approx(expected.info["episode_return"])


class Counting(ParallelEnv[str, Any, Any]):  # type: ignore[misc]
    """Two agents with unequal spaces count steps; b, whose actions are 5, 6, 7, leaves after two, a after three."""

    metadata = {"name": "counting_v0"}  # noqa: RUF012

    def __init__(self, truncates: bool = False, image: bool = False) -> None:
        self.possible_agents = ["a", "b"]
        self.truncates, self.image = truncates, image
        self.max_cycles = 9
        self.played: list[dict[str, int]] = []

    def observation_space(self, agent: str) -> Box:
        return Box(-1, 9, (2, 2) if agent == "a" else (3,), np.float64)

    def action_space(self, agent: str) -> Discrete:
        return Discrete(4) if agent == "a" else Discrete(3, start=5)

    def reset(self, seed: int | None = None, options: Any = None) -> Any:
        self.seed, self.time, self.agents = seed, 0, ["a", "b"]
        return self._looks(), {agent: {"action_mask": np.array([1, 0, 1])} for agent in ["b"]}

    def step(self, actions: dict[str, int]) -> Any:
        assert set(actions) == set(self.agents)
        self.played.append(actions)
        self.time += 1
        present = list(self.agents)
        looks = self._looks()
        left = [agent for agent in present if self.time == {"a": 3, "b": 2}[agent]]
        self.agents = [agent for agent in present if agent not in left]
        ends = {agent: agent in left for agent in present}
        never = dict.fromkeys(present, False)
        rewards = {agent: {"a": 1.0, "b": 4.0}[agent] for agent in present}
        infos = {agent: {} for agent in present}
        return (looks, rewards, never, ends, infos) if self.truncates else (looks, rewards, ends, never, infos)

    def _looks(self) -> dict[str, np.ndarray]:
        if self.image:
            return {agent: np.full((5, 8, 3), 51 * self.time, np.uint8) for agent in self.agents}
        looks = {"a": np.full((2, 2), self.time), "b": np.full(3, -self.time)}
        return {agent: looks[agent] for agent in self.agents}


def test_unequal_agents_are_padded_and_masked() -> None:
    env = VecPettingZoo(Counting, 2)
    assert isinstance(env, VecEnv)
    assert (env.name, env.n_agents, env.n_actions, env.obs_size) == ("pettingzoo:Counting", 2, 4, 4)
    assert (env.state_size, env.episode_limit) == (8, 9)
    step = env.reset(seed=0)
    assert step.avail[0].tolist() == [[True] * 4, [True, False, True, False]]
    with pytest.raises(ValueError, match="battle 1, agent 1: action 1 is not available; available: 0, 2"):
        env.step(np.array([[0, 0], [0, 1]]))
    step = env.step(np.array([[3, 2], [1, 0]]))
    assert [inner.played for inner in env._envs] == [[{"a": 3, "b": 7}], [{"a": 1, "b": 5}]]
    assert step.obs[0].tolist() == [[1, 1, 1, 1], [-1, -1, -1, 0]]
    assert step.state[0].tolist() == [1, 1, 1, 1, -1, -1, -1, 0]
    assert step.reward.tolist() == [2.5, 2.5]
    assert env.reset(seed=0).info["episode_length"].tolist() == [0, 0]
    seeds = [inner.seed for inner in env._envs]
    assert len(set(seeds)) == 2
    env.reset(seed=1)
    assert not set(seeds) & {inner.seed for inner in env._envs}


@pytest.mark.parametrize("truncates", [False, True])
def test_who_leaves_is_dead_until_nobody_is_left(truncates: bool) -> None:
    env = VecPettingZoo(Counting, 1, truncates=truncates)
    env.reset()
    env.step(np.array([[0, 0]]))
    step = env.step(np.array([[0, 0]]))
    assert step.alive.tolist() == [[True, False]]
    assert step.avail[0, 1].nonzero()[0].tolist() == [0]
    assert not step.obs[0, 1].any()
    assert not (step.terminated | step.truncated).any()
    step = env.step(np.array([[1, 0]]))
    assert (step.terminated[0], step.truncated[0]) == (not truncates, truncates)
    assert step.reward[0] == 1
    assert step.info["episode_return"].tolist() == [2.5 + 2.5 + 1]
    assert step.info["final_obs"][0].tolist() == [[3, 3, 3, 3], [0, 0, 0, 0]]
    assert step.alive.all()
    assert not step.obs.any()


def test_a_limit_of_ones_own_truncates() -> None:
    env = VecPettingZoo(Counting, 1, episode_limit=2)
    env.reset()
    assert not env.step(np.array([[0, 0]])).truncated[0]
    step = env.step(np.array([[0, 0]]))
    assert step.truncated[0]
    assert not step.terminated[0]
    assert step.info["final_obs"][0, 0].tolist() == [2, 2, 2, 2]
    assert step.info["episode_length"].tolist() == [2]


def test_a_run_goes_on_after_a_checkpoint_with_its_episodes_cut_off() -> None:
    env = VecPettingZoo(Counting, 2)
    env.reset(seed=3)
    env.step(np.array([[0, 0], [0, 0]]))
    other = VecPettingZoo(Counting, 2)
    other.load_state_dict(env.state_dict())
    assert np.array_equal(other.last_step().obs, env.last_step().obs)
    step = other.step(np.array([[0, 0], [0, 0]]))
    assert step.truncated.all()
    assert step.reward.tolist() == [0, 0]
    assert step.info["final_obs"][0, 0].tolist() == [1, 1, 1, 1]
    assert not step.obs.any()
    assert other.step(np.array([[0, 0], [0, 0]])).obs[0, 0].tolist() == [1, 1, 1, 1]


def test_images_are_averaged() -> None:
    env = VecPettingZoo(Counting, 1, shrink=4, image=True)
    assert env.obs_size == 2 * 2
    env.reset()
    step = env.step(np.array([[0, 0]]))
    assert step.obs[0, 0] == pytest.approx(np.full(4, 0.2))
    picture = np.zeros((4, 5, 3), np.uint8)
    picture[1, 3] = 60, 120, 255
    # One pixel of four in the second square; the third repeats its only column.
    assert _averaged(picture, 2) == pytest.approx(np.array([[0, 145 / 255 / 4, 0], [0, 0, 0]]))


class Continuous(Counting):
    def action_space(self, agent: str) -> Any:
        return Box(-1, 1, (2,))


class Endless(Counting):
    def __init__(self) -> None:
        super().__init__()
        del self.max_cycles


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"source": Continuous}, ValueError, r"Continuous: the actions of a are Box.*, must be Discrete"),
        ({"source": Endless}, ValueError, "Endless does not say after how many steps it ends: give episode_limit"),
        ({"n_envs": 0}, ValueError, "n_envs is 0, must be at least 1"),
        ({"shrink": 0}, ValueError, "shrink is 0, must be at least 1"),
        ({"episode_limit": 2.5}, TypeError, r"episode_limit must be an integer, not 2\.5"),
        ({"source": "cooperative_pong_v66"}, ValueError, r"unknown .*did you mean 'cooperative_pong_v6'\?"),
    ],
)
def test_bad_arguments_are_refused(arguments: dict[str, Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        VecPettingZoo(**({"source": Counting, "n_envs": 1} | arguments))


def test_stepping_before_reset_is_refused() -> None:
    with pytest.raises(RuntimeError, match=r"no episode has begun: call reset\(\) first"):
        VecPettingZoo(Counting, 1).step(np.array([[0, 0]]))


@pytest.mark.filterwarnings("ignore")  # other people's
@pytest.mark.parametrize(
    ("name", "needs", "sizes"),
    [
        ("cooperative_pong_v6", "pymunk", (2, 3, 35 * 60, 900)),
        ("knights_archers_zombies_v11", "pymunk", (4, 6, 27 * 5, 900)),
        ("simple_spread_v3", "mpe2", (3, 5, 18, 25)),
    ],
)
def test_environments_of_others_are_found_by_name(
    name: str, needs: str, sizes: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip(needs)
    monkeypatch.setenv("SDL_VIDEODRIVER", "dummy")
    env = make(f"pettingzoo:{name}", n_envs=2)
    assert (env.n_agents, env.n_actions, env.obs_size, env.episode_limit) == sizes
    step, rng = env.reset(seed=0), np.random.default_rng(0)
    for _ in range(30):
        step = env.step(choose(step, rng))
        assert np.isfinite(step.obs).all()
        assert np.isfinite(step.reward).all()
    env.close()


def test_a_package_that_is_missing_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pettingzoo.butterfly.cooperative_pong_v6", None)
    with pytest.raises(
        ModuleNotFoundError, match=r"cooperative_pong_v6 needs .*: pip install 'pettingzoo\[butterfly\]'"
    ):
        make("pettingzoo:cooperative_pong_v6", n_envs=1)


def test_a_run_where_nothing_is_won_logs_returns_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pettingzoo_vec, "_maker", lambda name: Counting)
    run_dir, options = tmp_path / "run", "--steps 40 --n-envs 2 --rollout-steps 10 --epochs 1 --eval-battles 2"
    for command in (
        f"train --env pettingzoo:counting_v0 --run-dir {run_dir} --threads 1 {options}",
        f"report {run_dir} --output {tmp_path / 'x.png'}",
        f"eval {run_dir} --episodes 2",
    ):
        with pytest.raises(SystemExit) as stop:
            cli.main(command.split())
        assert stop.value.code == 0
    lines = rundir.read_metrics(run_dir)
    assert not any("win_rate" in name for line in lines for name in line)
    assert lines[-1]["eval/return"] == lines[-1]["train/return"] == 2.5 + 2.5 + 1.0


def test_wins_are_told_from_the_first_info_that_tells_them() -> None:
    env = VecPettingZoo(lambda: parallel_env("skirmish:3m"), 1, episode_limit=60)
    step = env.reset(seed=0)
    assert not env.tells_wins
    env.step(step.avail.argmax(-1))
    assert env.tells_wins
