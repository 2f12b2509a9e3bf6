"""The PettingZoo face: PettingZoo's own checks on every map, and the same battles as the batched environment."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("pettingzoo")

from pettingzoo.test import api_test, parallel_api_test, parallel_seed_test
from pettingzoo.utils import parallel_to_aec

from qcmarl.envs import VecSkirmish, make, parallel_env
from qcmarl.envs.single import SingleVec
from qcmarl.envs.skirmish import MAPS

STOP, EAST, ATTACK = 1, 4, 6


def random_actions(env: Any, observations: dict[str, Any], rng: np.random.Generator) -> dict[str, int]:
    return {name: int(rng.choice(np.flatnonzero(observations[name]["action_mask"]))) for name in env.agents}


@pytest.mark.parametrize("masks", ["observation", "info"])
@pytest.mark.parametrize("name", MAPS)
def test_pettingzoos_own_check_passes(name: str, masks: str) -> None:
    parallel_api_test(parallel_env(f"skirmish:{name}", masks=masks), num_cycles=300)


@pytest.mark.parametrize("masks", ["observation", "info"])
@pytest.mark.parametrize("name", MAPS)
def test_pettingzoos_own_seed_check_passes(name: str, masks: str) -> None:
    parallel_seed_test(lambda: parallel_env(f"skirmish:{name}", masks=masks))


@pytest.mark.filterwarnings("ignore:Observation numpy array is all zeros")  # it is what the dead see in SMAC
@pytest.mark.parametrize("name", MAPS[:2])
def test_played_in_turns_pettingzoos_own_check_passes(name: str) -> None:
    api_test(parallel_to_aec(parallel_env(f"skirmish:{name}", masks="info")), num_cycles=200)


@pytest.mark.parametrize("name", MAPS)
def test_a_battle_is_the_one_of_the_batched_environment(name: str) -> None:
    env, vec, rng = parallel_env(f"skirmish:{name}"), VecSkirmish(name, 1, n_threads=1), np.random.default_rng(0)
    observations, infos = env.reset(seed=3)
    step = vec.reset(seed=3)
    numbers = {agent: number for number, agent in enumerate(env.possible_agents)}
    over = False
    while not over:
        assert env.agents == [agent for agent, number in numbers.items() if step.alive[0, number]]
        assert np.array_equal(env.state(), step.state[0])
        for agent in env.agents:
            assert np.array_equal(observations[agent]["observation"], step.obs[0, numbers[agent]])
            assert np.array_equal(observations[agent]["action_mask"], step.avail[0, numbers[agent]])
            assert env.observation_space(agent).contains(observations[agent])
        assert env.state_space.contains(env.state())
        present, actions = list(env.agents), random_actions(env, observations, rng)
        row = np.array([[actions.get(agent, 0) for agent in env.possible_agents]])
        observations, rewards, terminated, truncated, infos = env.step(actions)
        step = vec.step(row)
        assert rewards == dict.fromkeys(present, float(step.reward[0]))
        over = bool(step.terminated[0] or step.truncated[0])
        if step.terminated[0]:
            assert terminated == dict.fromkeys(present, True)
        assert any(truncated.values()) == step.truncated[0]
    assert env.agents == []
    assert np.array_equal(env.state(), step.info["final_state"][0])
    assert all(info["battle_won"] == step.info["battle_won"][0] for info in infos.values())
    assert env.step({}) == ({}, {}, {}, {}, {})


def test_agents_are_named_after_their_units() -> None:
    env = parallel_env("skirmish:5m_vs_6m")
    assert env.possible_agents == [f"marine_{i}" for i in range(5)]
    assert str(env) == "skirmish:5m_vs_6m"


def place(env: Any, **columns: Any) -> None:
    """Put the units of a battle elsewhere, behind the face."""
    inner = env._single._env
    table = inner.units()
    for name, values in columns.items():
        table[name] = values
    table["alive"] = table["hp"] > 0
    inner.set_units(table)
    env._sight = env._single._sight(0.0, False, {})


def test_who_dies_is_terminated_and_leaves() -> None:
    env = parallel_env("skirmish:3m")
    env.reset(seed=0)
    # marine_0 with 1 hp stands within reach of the enemies, its friends far from them.
    place(env, x=(16, 1, 1, 18, 18, 18), y=(16, 9, 10, 15, 16, 17), hp=(1, 45, 45, 45, 45, 45))
    for _ in range(4):
        observations, _, terminated, truncated, _ = env.step(dict.fromkeys(env.agents, STOP))
        if "marine_0" not in env.agents:
            break
    assert env.agents == ["marine_1", "marine_2"]
    assert terminated == {"marine_0": True, "marine_1": False, "marine_2": False}
    assert not any(truncated.values())
    assert not observations["marine_0"]["observation"].any()
    assert observations["marine_0"]["action_mask"].nonzero()[0].tolist() == [0]
    observations, *_ = env.step(dict.fromkeys(env.agents, STOP))
    assert set(observations) == {"marine_1", "marine_2"}
    observations, *_ = env.step(dict.fromkeys(env.possible_agents, STOP))
    assert set(observations) == {"marine_1", "marine_2"}
    with pytest.raises(
        ValueError, match=r"actions are given for \['marine_1'\], must be for the living: \['marine_1', 'm"
    ):
        env.step({"marine_1": STOP})
    env.reset()
    assert env.agents == env.possible_agents


def test_the_step_limit_truncates_the_living() -> None:
    env = parallel_env("skirmish:3m")
    env.reset()
    for _ in range(60):
        assert env.agents == env.possible_agents
        place(env, x=(30, 31, 31, 1, 1, 1), y=(9, 9, 10, 21, 22, 23), hp=45)
        _, _, terminated, truncated, infos = env.step(dict.fromkeys(env.agents, STOP))
    assert truncated == dict.fromkeys(env.possible_agents, True)
    assert not any(terminated.values())
    assert env.agents == []
    assert not infos["marine_0"]["battle_won"]


def test_a_win_is_told_to_everyone() -> None:
    env = parallel_env("skirmish:3m")
    env.reset()
    place(env, x=(13, 13, 13, 9, 9, 9), y=(15, 16, 17, 15, 16, 17), hp=(45, 45, 45, 0, 6, 0))
    _, rewards, terminated, _, infos = env.step(dict.fromkeys(env.agents, ATTACK + 1))
    assert all(terminated.values())
    assert all(info["battle_won"] for info in infos.values())
    # 6 hp, one kill and the win, of which a clean win earns 3 * 45 + 3 * 10 + 200 = 365, scaled to 20.
    assert rewards == dict.fromkeys(env.possible_agents, pytest.approx((6 + 10 + 200) / (365 / 20)))


def test_an_action_that_is_not_available_is_played_as_stop_and_said_so() -> None:
    first, second = parallel_env("skirmish:3m"), parallel_env("skirmish:3m")
    first.reset(seed=0)
    second.reset(seed=0)
    observations, *_, infos = first.step({"marine_0": 0, "marine_1": ATTACK, "marine_2": EAST})
    expected, *_ = second.step({"marine_0": STOP, "marine_1": STOP, "marine_2": EAST})
    assert [info["action_replaced"] for info in infos.values()] == [True, True, False]
    for name, observation in observations.items():
        assert np.array_equal(observation["observation"], expected[name]["observation"])
    assert np.array_equal(first.state(), second.state())


def test_masks_can_stand_in_the_infos() -> None:
    env = parallel_env("skirmish:3m", masks="info")
    observations, infos = env.reset()
    assert observations["marine_0"].shape == env.observation_space("marine_0").shape == (30,)
    assert infos["marine_0"]["action_mask"].tolist() == [0, 1, 1, 1, 1, 1, 0, 0, 0]
    assert infos["marine_0"]["action_mask"].dtype == np.int8


def test_battles_follow_from_the_seed() -> None:
    def course(seed: int) -> list[float]:
        env, rng = parallel_env("skirmish:3m"), np.random.default_rng(0)
        sums = []
        for given in (seed, None):
            observations, _ = env.reset(seed=given)
            while env.agents:
                observations, *_ = env.step(random_actions(env, observations, rng))
            sums.append(float(env.state().sum()))
        return sums

    assert course(1) == course(1)
    assert course(1) != course(2)


def test_a_pickle_is_an_environment_of_the_same_arguments() -> None:
    env = parallel_env("skirmish:3m", masks="info", unavailable="refuse", render_mode="rgb_array")
    env.reset(seed=1)
    other = pickle.loads(pickle.dumps(env))
    assert other.agents == []
    assert other.render_mode == "rgb_array"
    observations, _ = other.reset(seed=1)
    assert np.array_equal(other.state(), env.state())
    assert observations["marine_0"].shape == (30,)
    with pytest.raises(ValueError, match="not available"):
        other.step(dict.fromkeys(other.agents, 0))


def test_without_a_seed_the_first_battle_is_that_of_seed_0() -> None:
    seeded, unseeded = parallel_env("skirmish:3m"), parallel_env("skirmish:3m")
    seeded.reset(seed=0)
    unseeded.reset()
    for _ in range(20):
        for env in (seeded, unseeded):
            env.step(dict.fromkeys(env.agents, EAST))
    assert np.array_equal(seeded.state(), unseeded.state())


def test_a_picture_shows_the_living_where_they_are() -> None:
    env = parallel_env("skirmish:3m", render_mode="rgb_array")
    env.reset()
    place(env, x=(4, 8, 8, 20, 24, 24), y=(20, 20, 10, 12, 12, 20), hp=(45, 45, 0, 45, 9, 45))
    picture = env.render()
    assert picture.shape == (256, 256, 3)
    assert picture.dtype == np.uint8

    def pixel(x: float, y: float) -> list[int]:
        return picture[int((32 - y) * 8), int(x * 8)].tolist()  # 8 pixels a cell, north up

    ground = pixel(1, 1)
    assert pixel(4, 20) == pixel(8, 20) == [70, 150, 255]
    assert pixel(20, 12) == pixel(24, 20) == [255, 90, 70]
    assert pixel(8, 10) == ground  # dead
    assert pixel(24, 12) == [int(0.52 * part) for part in (255, 90, 70)]  # 0.4 + 0.6 * 9 / 45
    area = (picture != ground).any(-1).sum()
    assert area == pytest.approx(5 * np.pi * (0.45 * 8) ** 2, rel=0.1)


def test_the_last_moment_of_a_battle_can_be_drawn() -> None:
    env = parallel_env("skirmish:3m", render_mode="rgb_array")
    env.reset()
    place(env, x=(13, 13, 13, 9, 9, 9), y=(15, 16, 17, 15, 16, 17), hp=(45, 45, 45, 0, 6, 0))
    env.step(dict.fromkeys(env.agents, ATTACK + 1))
    red = (env.render() == [255, 90, 70]).all(-1)
    assert env.agents == []
    assert not red.any()


def test_no_picture_without_a_render_mode() -> None:
    env = parallel_env("skirmish:3m")
    env.reset()
    assert env.render() is None


class TestOverABatchOfOne:
    """Families that have only the batched contract."""

    def face(self, monkeypatch: pytest.MonkeyPatch) -> Any:
        from qcmarl.envs import parallel

        monkeypatch.setattr(parallel, "SingleSkirmish", lambda name, **options: SingleVec(make(f"skirmish:{name}", 1)))
        return parallel_env("skirmish:3m", render_mode="rgb_array")

    def test_pettingzoos_own_checks_pass(self, monkeypatch: pytest.MonkeyPatch) -> None:
        parallel_api_test(self.face(monkeypatch), num_cycles=20)
        parallel_seed_test(lambda: self.face(monkeypatch))

    def test_a_battle_is_the_same(self, monkeypatch: pytest.MonkeyPatch) -> None:
        other, env, rng = parallel_env("skirmish:3m"), self.face(monkeypatch), np.random.default_rng(1)
        observations, _ = env.reset(seed=5)
        other.reset(seed=5)
        rename = dict(zip(env.possible_agents, other.possible_agents, strict=True))
        for _ in range(3):
            while env.agents:
                actions = random_actions(env, observations, rng)
                observations, rewards, terminated, truncated, _ = env.step(actions)
                expected = other.step({rename[name]: action for name, action in actions.items()})
                for name in actions:
                    assert np.array_equal(observations[name]["observation"], expected[0][rename[name]]["observation"])
                    assert rewards[name] == expected[1][rename[name]]
                    assert (terminated[name], truncated[name]) == (expected[2][rename[name]], expected[3][rename[name]])
                assert np.array_equal(env.state(), other.state())
            observations, _ = env.reset()
            other.reset()

    def test_there_is_nothing_to_draw(self, monkeypatch: pytest.MonkeyPatch) -> None:
        env = self.face(monkeypatch)
        env.reset()
        with pytest.raises(ValueError, match="skirmish:3m has no unit table to draw"):
            env.render()


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"identifier": "skirmish:3n"}, ValueError, "unknown environment 'skirmish:3n'"),
        ({"identifier": 3}, TypeError, "map_name must be"),
        ({"masks": "both"}, ValueError, "masks is 'both'; the options are 'observation', 'info'"),
        ({"unavailable": "ignore"}, ValueError, "unavailable is 'ignore'; the options are 'replace', 'refuse'"),
        ({"render_mode": "human"}, ValueError, "render_mode is 'human'; the options are None, 'rgb_array'"),
        ({"colour": "red"}, TypeError, "colour"),
    ],
)
def test_bad_arguments_are_refused(arguments: dict[str, Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        parallel_env(**({"identifier": "skirmish:3m"} | arguments))


def test_bad_actions_are_refused() -> None:
    env = parallel_env("skirmish:3m", unavailable="refuse")
    with pytest.raises(RuntimeError, match=r"no battle has begun: call reset\(\) first"):
        env.step({})
    with pytest.raises(RuntimeError, match=r"no battle has begun: call reset\(\) first"):
        env.state()
    env.reset()
    good = dict.fromkeys(env.agents, STOP)
    with pytest.raises(ValueError, match="marine_1: action 6 is not available; available: 1, 2, 3, 4, 5"):
        env.step(good | {"marine_1": 6})
    with pytest.raises(ValueError, match=r"marine_1: action 9 is outside 0\.\.8"):
        env.step(good | {"marine_1": 9})
    with pytest.raises(TypeError, match=r"marine_1: an action is an integer, not 1\.0"):
        env.step(good | {"marine_1": 1.0})
    with pytest.raises(ValueError, match=r"actions are given for \['marine_0'\], must be for the living"):
        env.step({"marine_0": 1})
    with pytest.raises(ValueError, match=r"actions are given for \['marine_0', .*'zealot_0'\], must be for the living"):
        env.step(good | {"zealot_0": 1})
    env.step(good)


def test_an_absent_pettingzoo_is_named_with_its_remedy() -> None:
    program = (
        "import sys\n"
        "sys.modules['pettingzoo'] = sys.modules['gymnasium'] = None\n"
        "from qcmarl.envs import make, parallel_env\n"
        "make('skirmish:3m', 1)\n"
        "try:\n"
        "    parallel_env('skirmish:3m')\n"
        "except ModuleNotFoundError as error:\n"
        "    print(error)\n"
    )
    run = subprocess.run([sys.executable, "-c", program], check=True, timeout=60, capture_output=True, text=True)
    assert run.stdout == "parallel_env needs PettingZoo: pip install pettingzoo\n"


def test_the_command_line_says_in_one_line_that_pettingzoo_is_absent(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "sys.modules['pettingzoo'] = sys.modules['gymnasium'] = None\n"
        "sys.argv = ['qcmarl', 'train', '--algo', 'mappo', '--env', 'pettingzoo:pong_v3',\n"
        f"            '--run-dir', {str(tmp_path / 'run')!r}]\n"
        "from qcmarl.cli import main\n"
        "main()\n"
    )
    run = subprocess.run([sys.executable, "-c", program], check=False, timeout=60, capture_output=True, text=True)
    assert (run.returncode, run.stderr.count("\n")) == (2, 1)
    assert "pip install pettingzoo" in run.stderr
