"""Bodies that do not overlap, and walks that depend on nothing but geometry."""

from __future__ import annotations

import numpy as np
import pytest
from placing import ATTACK, EAST, GOAL, NORTH, SOUTH, STOP, WEST, act, place

from qcmarl.envs import VecSkirmish


@pytest.fixture
def env() -> VecSkirmish:
    return VecSkirmish("3m", 1, n_threads=1)


def test_two_who_walk_into_each_other_share_the_push(env: VecSkirmish) -> None:
    place(env, [(24, 16), (25.5, 16)], [GOAL])
    for _ in range(2):
        act(env, EAST, WEST)
    x = env.units()["x"][:2]
    assert x.mean() == pytest.approx(24.75, abs=1e-4)
    assert x[1] - x[0] == pytest.approx(0.75, abs=0.15)


def test_bodies_on_one_spot_come_apart(env: VecSkirmish) -> None:
    place(env, [(24, 16), (24, 16)], [GOAL])
    for _ in range(3):
        act(env, NORTH, NORTH)
    a, b = env.units()[:2]
    assert np.hypot(a["x"] - b["x"], a["y"] - b["y"]) == pytest.approx(0.75, abs=1e-3)


def test_a_battle_seen_in_a_mirror_is_the_mirrored_battle(env: VecSkirmish) -> None:
    def play(sign: int) -> np.ndarray:
        env.reset(seed=5)
        place(env, [(13, 16 + 2 * sign), (12, 16 - sign), (14, 16 + 3 * sign)], [(9, 16), (20, 16 + 2 * sign)])
        north, south = (NORTH, SOUTH) if sign > 0 else (SOUTH, NORTH)
        for actions in ((ATTACK, north, south), (ATTACK, STOP, north), (WEST, ATTACK, EAST)):
            act(env, *actions)
        return env.units()[:5]

    one, other = play(1), play(-1)
    assert other["x"] == pytest.approx(one["x"], abs=1e-4)
    assert other["y"] - 16 == pytest.approx(16 - one["y"], abs=1e-4)
    assert (other["hp"] == one["hp"]).all()


def test_bodies_hardly_overlap_in_the_thick_of_a_battle() -> None:
    env = VecSkirmish("8m_vs_9m", 8, n_threads=1)
    closest = []
    for _ in range(30):
        act(env, *[EAST if env.last_step().avail[:, :, EAST].all() else STOP] * 8)
        for index in range(env.n_envs):
            table = env.units(index)
            table = table[table["alive"]]
            gaps = np.hypot(table["x"][:, None] - table["x"], table["y"][:, None] - table["y"])
            closest.append(gaps[~np.eye(len(table), dtype=bool)].min(initial=np.inf))
    assert min(closest) > 0.55
    assert np.median(closest) > 0.7
