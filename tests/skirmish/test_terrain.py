"""Walls, cliffs, flight and the ways around."""

from __future__ import annotations

import numpy as np
import pytest
from placing import EAST, NORTH, SOUTH, STOP, WEST, act, fight, put

from qcmarl.envs import Oddities, VecSkirmish
from qcmarl.envs.skirmish import UNIT_TYPES
from qcmarl.envs.skirmish_maps import FIELD

WALL = tuple(("." * 16 + "##" + "." * 14) if y < 28 else "." * 32 for y in reversed(range(32)))
CLIFF = tuple(row.replace("#", "^") for row in WALL)


@pytest.mark.parametrize(
    ("kind", "way"),
    [
        ("marine", 1.125),
        ("marauder", 1.125),
        ("stalker", 2.9531 / 2),
        ("zealot", 1.125),
        ("colossus", 1.125),
        ("zergling", 2.9531 / 2),
        ("baneling", 1.25),
        ("hydralisk", 1.125),
        ("medivac", 1.375),
        ("spine_crawler", 0),
    ],
)
def test_a_step_walks_half_a_seconds_way(kind: str, way: float) -> None:
    env = fight({kind: 1, "marine" if kind != "marine" else "zealot": 1}, {"marine": 1})
    row = int(np.argmax(env.units()["type"][:2] == UNIT_TYPES.index(kind)))
    put(env, (row, 10, 10), (1 - row, 16, 10), (2, 28, 28))
    act(env, *([NORTH] * 2))
    assert env.units()["y"][row] == pytest.approx(10 + way, abs=1e-5)


def test_a_wall_stops_a_walk_at_the_bodys_edge() -> None:
    env = fight({"marine": 1}, {"marine": 1}, terrain=WALL)
    put(env, (0, 14.9, 10), (1, 28, 28))
    act(env, EAST)
    assert env.units()["x"][0] == pytest.approx(16 - 0.375, abs=1e-5)
    assert not env.last_step().avail[0, 0, EAST]


def test_enemies_find_the_way_around_a_wall() -> None:
    env = fight({"marine": 1}, {"zergling": 3}, terrain=WALL, march="point", goal=(8, 4))
    put(env, (0, 2, 30), (1, 26, 4), (2, 26, 6), (3, 26, 8))
    for _ in range(45):
        act(env, STOP)
    table = env.units()[1:]
    assert (np.hypot(table["x"] - 8, table["y"] - 4) < 1.5).all()


def test_zerglings_go_through_the_passage_of_corridor() -> None:
    env = VecSkirmish("corridor", 1, n_threads=1)
    put(env, (0, 28.5, 18.5), *[(6 + k, 27 + k % 2, 27.5 + k // 2) for k in range(4)])
    passed = False
    for _ in range(40):
        act(env, STOP)
        table = env.units()[6:10]
        passed |= bool(((np.abs(table["x"] - 13) < 2) & (np.abs(table["y"] - 13) < 2)).any())
    assert passed
    assert (np.hypot(table["x"] - 4.47, table["y"] - 4.33) < 2).all()


def test_zerglings_run_up_the_ramps_to_the_colossi() -> None:
    env = VecSkirmish("2c_vs_64zg", 1, n_threads=1)
    for _ in range(22):  # some 30 cells of way
        act(env, STOP, STOP)
    lings = env.units()[2:]
    lings = lings[lings["alive"]]
    near = np.hypot(lings["x"] - 16, lings["y"] - 16) < 4
    assert near.sum() > 5
    assert env.units()["shield"][:2].sum() < 300


@pytest.mark.parametrize(("kind", "terrain"), [("colossus", CLIFF), ("medivac", WALL)])
def test_who_crosses_cliffs_or_flies_is_not_stopped(kind: str, terrain: tuple[str, ...]) -> None:
    allies = {kind: 1, "stalker": 1}
    env = fight(allies, {"marine": 1}, terrain=terrain)
    free = VecSkirmish(env.map, 1, n_threads=1, oddities=Oddities(ground_masks=False))
    for each in (env, free):
        put(each, (0, 15.5, 10), (1, 4, 4), (2, 28, 28))
    assert not env.last_step().avail[0, 0, EAST]  # SMAC asks the ground whoever it is
    for _ in range(3):
        assert free.last_step().avail[0, 0, EAST]
        act(free, EAST, STOP)
    assert free.units()["x"][0] > 18


def test_a_cliff_stops_everybody_else() -> None:
    env = fight({"stalker": 1}, {"marine": 1}, terrain=CLIFF)
    put(env, (0, 14.9, 10), (1, 28, 28))
    act(env, EAST)
    assert env.units()["x"][0] == pytest.approx(16 - 0.625, abs=1e-5)


def test_colossi_do_not_cross_what_is_blocked() -> None:
    env = fight({"colossus": 1}, {"marine": 1}, terrain=WALL)
    put(env, (0, 14.9, 10), (1, 28, 28))
    act(env, EAST)
    assert env.units()["x"][0] == pytest.approx(16 - 0.75, abs=1e-5)


def test_bodies_collide_within_their_layer_alone() -> None:
    env = fight({"colossus": 2, "marine": 2, "medivac": 2}, {"marine": 1}, terrain=FIELD)
    put(env, *[(row, 16, 16 + 0.2 * (row % 2)) for row in range(6)], (6, 28, 28))
    for action in (NORTH, SOUTH, NORTH):
        act(env, *[action] * 6)
    table = env.units()[:6]
    for first, width in ((0, 2 * 0.75), (2, 2 * 0.375), (4, 2 * 0.75)):
        pair = table[first : first + 2]
        gap = np.hypot(*(float(pair[axis][0] - pair[axis][1]) for axis in ("x", "y")))
        assert gap == pytest.approx(width, abs=2e-3)
    assert np.abs(table["x"] - 16).max() < 0.01  # nobody was pushed aside by another layer


def test_a_wall_is_no_place_to_put_a_unit() -> None:
    env = fight({"marine": 1}, {"marine": 1}, terrain=WALL)
    with pytest.raises(ValueError, match=r"unit 0: place \(17.*\) is in a wall"):
        put(env, (0, 17, 10), (1, 28, 28))


def test_walls_of_octagons_bound_masks() -> None:
    env = VecSkirmish("2m_vs_1z", 1, n_threads=1)
    step = put(env, (0, 10.5, 6.5), (1, 6.5, 12.5), (2, 16, 25.5))
    assert step.avail[0, 0, NORTH : WEST + 1].tolist() == [True, False, True, False]
    assert step.avail[0, 1, NORTH : WEST + 1].tolist() == [True, True, True, False]
