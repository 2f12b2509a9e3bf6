"""Whom enemies shoot, and where they go when there is nobody to shoot."""

from __future__ import annotations

from dataclasses import replace

import pytest
from placing import ATTACK, EAST, GOAL, STOP, WEST, act, fight, place, put

from qcmarl.envs import VecSkirmish, unit


@pytest.fixture
def env() -> VecSkirmish:
    return VecSkirmish("3m", 1, n_threads=1)


def test_enemies_walk_straight_to_the_allies_spawn(env: VecSkirmish) -> None:
    place(env, [(0.5, 9)], [(25, 16), (9, 23)])
    act(env, STOP)
    table = env.units()
    assert table["x"][3:5].tolist() == pytest.approx([25 - 1.125, 9], abs=1e-5)
    assert table["y"][3:5].tolist() == pytest.approx([16, 23 - 1.125], abs=1e-5)


def test_an_enemy_takes_the_nearest_ally(env: VecSkirmish) -> None:
    place(env, [(4.5, 16), (12, 16), (9, 21)], [GOAL])
    act(env)
    assert env.units()["hp"][:3].tolist() == [45, 39, 45]


def test_an_enemy_keeps_its_target_although_another_comes_nearer(env: VecSkirmish) -> None:
    place(env, [(13, 16), (4.5, 16)], [GOAL])
    for _ in range(4):
        act(env, STOP, EAST)
    hp = env.units()["hp"]
    assert env.units()["x"][1] == pytest.approx(9, abs=0.8)
    assert hp[0] < 39
    assert hp[1] == 45


def test_an_enemy_whose_target_dies_takes_the_nearest_left(env: VecSkirmish) -> None:
    place(env, [(12, 16, 6), (4.5, 16), (9, 12)], [GOAL])
    for _ in range(3):
        act(env)
    hp = env.units()["hp"][:3]
    assert hp[0] == 0
    assert hp[1] == 45
    assert hp[2] < 45


def test_an_enemy_follows_a_target_within_a_cell_of_its_reach_and_drops_one_that_is_further() -> None:
    runner = replace(unit("marine"), name="runner", speed=0.6)
    for kind, hp in (("marine", [45, 45]), ("runner", [45, 39])):
        env = fight({kind: 2}, {"marine": 1}, units=(runner,))
        put(env, (0, 9 - 5.7, 16), (1, 9, 16 - 5.72), (2, 9, 16, {"cooldown": 10}))
        for _ in range(2):
            act(env, WEST, STOP)
        assert env.units()["hp"][:2].tolist() == hp


def test_an_enemy_rests_at_the_point(env: VecSkirmish) -> None:
    place(env, [(30, 9)], [(12, 16)])
    for _ in range(10):
        act(env)
    table = env.units()
    assert table["x"][3] == pytest.approx(9, abs=0.3)
    act(env)
    assert env.units()["x"][3] == table["x"][3]


def test_a_crowd_around_the_point_comes_to_rest() -> None:
    env = VecSkirmish("8m_vs_9m", 1, n_threads=1)
    place(env, [(30, 9)], [(12 + 0.8 * k, 16 + 0.8 * j) for k in range(3) for j in (-1, 0, 1)])
    for _ in range(60):
        act(env)
    table = env.units()
    act(env)
    assert (env.units()[8:] == table[8:]).all()
    assert abs(table["x"][8:] - 9).max() < 2.5


def wake_the_first_of_two(env: VecSkirmish, *actions: int) -> list[float]:
    """Two enemies rest side by side; an ally walks into the reach of one and acts. Gives the other's x."""
    place(env, [(8.9 - 6.8, 16), (31, 9)], [(8.9, 16), (9.65, 16)])
    act(env, EAST)
    way = []
    for action in actions:
        act(env, action)
        way.append(float(env.units()["x"][4]))
    return way


def test_who_rests_near_a_unit_that_is_shot_goes_after_the_shooter(env: VecSkirmish) -> None:
    assert wake_the_first_of_two(env, STOP) == pytest.approx([9.65], abs=1e-5)
    assert wake_the_first_of_two(env, ATTACK)[0] < 9.3


def test_a_roused_enemy_follows_beyond_its_reach_and_comes_back_to_its_post(env: VecSkirmish) -> None:
    way = wake_the_first_of_two(env, ATTACK, *[WEST] * 29)
    assert env.units()["hp"][0] == 0
    assert min(way) < 7
    assert way[-1] == way[-2] == pytest.approx(9, abs=0.75)
