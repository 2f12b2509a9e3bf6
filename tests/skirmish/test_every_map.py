"""What holds for batches holds on every map: seeds, threads, splits and snapshots decide no bit."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from placing import EAST, STOP, WEST, act, fight, put

from qcmarl.envs import Step, VecSkirmish
from qcmarl.envs.scripted import random
from qcmarl.envs.skirmish import MAPS

MARCHES = [name for name in MAPS if name != "2s_vs_1sc"]


def flat(step: Step) -> list[npt.NDArray[Any]]:
    return [array.copy() for array in (*step[:-1], *step.info.values())]


def course(env: VecSkirmish, steps: int) -> list[npt.NDArray[Any]]:
    """Every array of every step under random actions."""
    rng = np.random.default_rng(0)
    return [array for _ in range(steps) for array in flat(env.step(random(env, env.last_step(), rng)))]


def same(one: list[npt.NDArray[Any]], other: list[npt.NDArray[Any]]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("name", MAPS)
def test_seed_and_actions_alone_decide_a_batch(name: str) -> None:
    one, many = VecSkirmish(name, 9, n_threads=1), VecSkirmish(name, 9, n_threads=3)
    one.reset(seed=8)
    many.reset(seed=8)
    assert same(course(one, 40), course(many, 40))


@pytest.mark.parametrize("name", MAPS)
def test_a_restored_batch_goes_on_bit_for_bit_in_mid_battle(name: str) -> None:
    env, fresh = VecSkirmish(name, 3, n_threads=1), VecSkirmish(name, 3, n_threads=1)
    env.reset(seed=2)
    course(env, 17)
    saved = pickle.loads(pickle.dumps(env.state_dict()))
    expected = course(env, 30)
    fresh.load_state_dict(saved)
    assert same(course(fresh, 30), expected)


@pytest.mark.parametrize("name", MAPS)
def test_a_table_read_and_given_back_shows_the_same(name: str) -> None:
    env = VecSkirmish(name, 1, n_threads=1)
    course(env, 9)
    shown, table = flat(env.last_step())[:4], env.units()
    env.set_units(0, table)
    assert same(flat(env.last_step())[:4], shown)
    again = env.units()
    assert (again["target"] == -1).all()  # orders are forgotten
    for column in ("x", "y", "hp", "shield", "cooldown", "energy", "alive"):
        assert np.array_equal(again[column], table[column])


@pytest.mark.parametrize("name", MARCHES)
def test_enemies_come_for_allies_who_wait(name: str) -> None:
    env = VecSkirmish(name, 1, n_threads=1)
    for _ in range(45):
        step = act(env, *[STOP] * env.n_agents)
        hurt = [unit["hp"] + unit["shield"] < kind.hp + kind.shield for unit, kind in own_kinds(env)]
        if any(hurt) or step.terminated[0]:
            return
    raise AssertionError("nobody was hurt in 45 steps")


def own_kinds(env: VecSkirmish) -> list[tuple[Any, Any]]:
    return [(unit, env.unit_kinds[unit["type"]]) for unit in env.units()[: env.n_agents]]


def test_the_spine_crawler_waits() -> None:
    env = VecSkirmish("2s_vs_1sc", 1, n_threads=1)
    for _ in range(30):
        act(env, STOP, STOP)
    assert env.units()["shield"].tolist()[:2] == [80, 80]
    put(env, (0, 13.92, 20.04 - 8.6), (2, 13.92, 20.04))  # its reach is 7 + 0.875 + 0.625 = 8.5 cells
    act(env, STOP)
    assert env.units()["shield"][0] == 80
    put(env, (0, 13.92, 20.04 - 8.4), (2, 13.92, 20.04))
    act(env, STOP)
    assert env.units()["shield"][0] == 80 - 30


def test_a_stalker_outruns_a_zealot_and_a_marine_does_not() -> None:
    gaps = {}
    for kind in ("stalker", "marine"):
        env = fight({kind: 1}, {"zealot": 1}, march="hunt")
        put(env, (0, 20, 16), (1, 23, 16))
        for _ in range(8):
            act(env, WEST)
        x = env.units()["x"]
        gaps[kind] = float(x[1] - x[0])
    assert gaps["stalker"] == pytest.approx(3 + 8 * (2.9531 - 2.25) / 2, abs=1e-3)
    assert gaps["marine"] == pytest.approx(3, abs=1e-3)


def test_a_zealot_does_not_strike_beyond_its_reach() -> None:
    env = fight({"stalker": 1}, {"zealot": 1})
    reach = 0.1 + 0.5 + 0.625
    for distance, hits in ((reach + 0.3, 0), (reach - 0.01, 1)):
        put(env, (0, 16, 16), (1, 16 - distance, 16, {"cooldown": 1}))
        act(env, EAST)  # it gets away at once: faster than the zealot follows
        shield = float(env.units()["shield"][0])
        assert (shield < 80) == bool(hits)
