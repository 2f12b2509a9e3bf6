"""Blasts of banelings and the colossus's line of fire."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from placing import ATTACK, STOP, act, fight, put

from qcmarl.envs import VecSkirmish, unit


def test_a_blast_hurts_foes_whose_body_is_within_2_2_cells() -> None:
    env = fight({"baneling": 1, "marine": 1}, {"zealot": 4})
    put(env, (0, 16, 16), (1, 4, 4), (2, 16.9, 16), (3, 16, 16 + 2.69), (4, 16, 16 - 2.71), (5, 28, 28))
    act(env, ATTACK + 0, STOP)
    table = env.units()
    assert table["hp"][0] == 0
    assert table["shield"][2:].tolist() == [50 - 35, 50 - 35, 50, 50]
    assert table["hp"][1] == 45  # its own side is unharmed


def test_a_suicide_is_a_kill_for_the_other_side() -> None:
    env = fight({"zealot": 2}, {"baneling": 2}, march="hunt")
    put(env, (0, 16, 16), (1, 4, 4), (2, 17, 16), (3, 28, 28))
    reward = act(env, STOP, STOP).reward[0]
    assert env.units()["hp"][2] == 0
    assert env.units()["shield"][0] == 50 - 35
    assert reward == pytest.approx((30 + 10) / ((2 * 40 + 200) / 20))


def test_a_baneling_that_is_killed_goes_off_too() -> None:
    env = fight({"marine": 2}, {"baneling": 1, "marine": 1})
    put(env, (0, 16, 16), (1, 18, 18), (2, 18, 16, {"hp": 5, "cooldown": 9}), (3, 28, 28))
    act(env, ATTACK + 0, STOP)
    assert env.units()["hp"].tolist() == [45 - 35, 45 - 35, 0, 45]  # 2.575 away, both


def test_blasts_set_off_banelings_of_the_other_side_in_the_same_loop() -> None:
    env = fight({"baneling": 1, "marine": 1}, {"baneling": 1, "marine": 2})
    put(env, (0, 16, 16, {"hp": 5}), (1, 4, 4), (2, 18, 16, {"hp": 5}), (3, 15, 16), (4, 28, 28))
    # The enemy marine shoots the baneling, whose blast kills the enemy baneling and hurts the marine.
    act(env, STOP, STOP)
    assert env.units()["hp"].tolist() == [0, 45, 0, 45 - 35, 45]


def test_who_shoots_a_baneling_in_the_loop_it_goes_off_has_shot_on_either_side() -> None:
    env = fight({"baneling": 1, "marine": 1}, {"baneling": 1, "marine": 1})
    # Both banelings go off in loop 2, in which the shots of both marines fall; the marines do not reach each other.
    wait = {"cooldown": 2}
    put(env, (0, 16, 16, wait), (1, 12, 16), (2, 16.9, 16, wait), (3, 20.9, 16))
    act(env, ATTACK + 0, ATTACK + 0)
    table = env.units()
    assert table["hp"].tolist() == [0, 45, 0, 45]
    assert (table["cooldown"][[1, 3]] > 5).all()


def test_blasts_do_not_reach_the_air() -> None:
    env = fight({"baneling": 1, "marine": 1}, {"medivac": 1, "marine": 1})
    put(env, (0, 16, 16), (1, 4, 4), (2, 16.5, 16.5), (3, 16.8, 16))
    act(env, ATTACK + 1, STOP)  # at the marine
    assert env.units()["hp"][2:].tolist() == [150, 45 - 35 + 7 * 9 / 16]  # healed from the second loop on


@pytest.fixture
def line() -> VecSkirmish:
    still = replace(unit("zergling"), name="still", speed=0, damage=0)
    return fight({"colossus": 1}, {"still": 6}, units=(still,))


def test_a_colossus_sweeps_a_line_of_1_25_cells_to_each_side_of_its_target(line: VecSkirmish) -> None:
    edge = 1.25 + 0.375
    near = [(20, 16), (20, 16 + edge - 0.01), (20, 16 - edge + 0.01), (20.3, 15)]
    places = [*near, (20, 16 + edge + 0.01), (20.4, 16.4)]
    put(line, (0, 15, 16), *[(1 + k, x, y) for k, (x, y) in enumerate(places)])
    table = line.units()
    act(line, ATTACK + 0)
    hit = line.units()["hp"][1:] == 0  # 2 x 20 kill 35 hp
    assert table["hp"][1:].tolist() == [35] * 6
    assert hit.tolist() == [True, True, True, True, False, False]


def test_the_line_turns_with_the_line_of_fire(line: VecSkirmish) -> None:
    put(line, (0, 16, 10), (1, 16, 15), (2, 17.5, 15), (3, 16, 16.5), (4, 28, 28))
    act(line, ATTACK + 0)
    assert line.units()["hp"][1:5].tolist() == pytest.approx([0, 0, 35, 35])


def test_a_colossus_shoots_from_the_loop_0_375_seconds_after_its_shot_began(line: VecSkirmish) -> None:
    put(line, (0, 15, 16, {"cooldown": 2}), (1, 20, 16), (2, 28, 28))
    act(line, ATTACK + 0)
    assert line.units()["hp"][1] == 0  # begun in loop 2, done in loop 8
    put(line, (0, 15, 16, {"cooldown": 3}), (1, 20, 16), (2, 28, 28))
    act(line, ATTACK + 0)
    assert line.units()["hp"][1] == 35
    assert np.array_equal(line.units()["target"][:1], [1])
