"""Masks, orders, and what a step of them does."""

from __future__ import annotations

import numpy as np
import pytest
from placing import ATTACK, EAST, GOAL, NORTH, SOUTH, SPEED, STOP, WEST, act, place

from qcmarl.envs import VecSkirmish


@pytest.fixture
def env() -> VecSkirmish:
    return VecSkirmish("3m", 1, n_threads=1)


def test_an_enemy_can_be_attacked_up_to_six_cells_away(env: VecSkirmish) -> None:
    step = place(env, [(10, 16)], [(15.9, 16), (10, 22.1), (10, 10)])
    assert step.avail[0, 0, ATTACK:].tolist() == [True, False, True]


def test_a_dead_enemy_cannot_be_attacked(env: VecSkirmish) -> None:
    step = place(env, [(10, 16)], [(12, 16, 0), (12, 17)])
    assert step.avail[0, 0, ATTACK:].tolist() == [False, True, False]


def test_the_dead_may_do_nothing_and_the_living_must_do_something(env: VecSkirmish) -> None:
    step = place(env, [(10, 16)], [(15, 16)])
    assert step.avail[0, :, 0].tolist() == [False, True, True]
    assert step.avail[0, 1:, 1:].sum() == 0
    assert step.avail[0, 0, STOP]


@pytest.mark.parametrize(
    ("x", "y", "moves"),
    [
        (16, 16, "NSEW"),
        (16, 8.9, "NEW"),
        (16, 9.0, "NSEW"),
        (16, 22.9, "NSEW"),
        (16, 23.0, "SEW"),
        (30.9, 16, "NSEW"),
        (31.0, 16, "NSW"),
        (0.5, 16, "NSEW"),  # SMAC truncates -0.5 to cell 0
        (31.6, 8.4, "NW"),
    ],
)
def test_a_move_is_available_if_the_next_cell_is_walkable(env: VecSkirmish, x: float, y: float, moves: str) -> None:
    step = place(env, [(x, y)], [(5, 20)])
    assert step.avail[0, 0, NORTH:ATTACK].tolist() == [letter in moves for letter in "NSEW"]
    assert step.obs[0, 0, :4].tolist() == [float(letter in moves) for letter in "NSEW"]


@pytest.mark.parametrize(("action", "dx", "dy"), [(NORTH, 0, 1), (SOUTH, 0, -1), (EAST, 1, 0), (WEST, -1, 0)])
def test_a_step_walks_1_125_cells(env: VecSkirmish, action: int, dx: float, dy: float) -> None:
    place(env, [(24, 16)], [GOAL])
    act(env, action)
    row = env.units()[0]
    assert (row["x"], row["y"]) == pytest.approx((24 + 1.125 * dx, 16 + 1.125 * dy), abs=1e-5)


def test_walls_stop_a_walk_at_the_bodys_edge(env: VecSkirmish) -> None:
    place(env, [(24, 22.9), (31.5, 16)], [GOAL])
    act(env, NORTH, STOP)
    assert env.units()["y"][0] == pytest.approx(24 - 0.375)
    place(env, [(1, 22.9)], [(25, 9)])
    for _ in range(3):
        act(env, WEST)
    assert env.units()["x"][0] == pytest.approx(0.375)


def test_stop_stands_still_and_does_not_shoot(env: VecSkirmish) -> None:
    place(env, [(13, 16)], [GOAL])
    act(env, STOP)
    ally, enemy = env.units()[[0, 3]]
    assert (ally["x"], ally["y"], enemy["hp"]) == (13, 16, 45)


def test_an_attack_ordered_from_beyond_reach_walks_in_first(env: VecSkirmish) -> None:
    place(env, [(GOAL[0] + 5.95, 16)], [GOAL])
    act(env, ATTACK)
    ally, enemy = env.units()[[0, 3]]
    assert ally["x"] == pytest.approx(GOAL[0] + 5.95 - 2 * SPEED, abs=1e-5)  # 5.67 is the first place within 5.75
    assert enemy["hp"] == 39


def test_an_attack_within_reach_does_not_walk(env: VecSkirmish) -> None:
    place(env, [(GOAL[0] + 5.74, 16)], [GOAL])
    act(env, ATTACK)
    assert env.units()["x"][0] == pytest.approx(GOAL[0] + 5.74)


def test_an_ally_idles_when_its_target_dies_in_mid_step(env: VecSkirmish) -> None:
    place(env, [(12, 16)], [(9, 16, 6), (9.2, 17)])
    act(env, ATTACK)
    assert env.units()["hp"][3:5].tolist() == [0, 45]
    before = env.units()["cooldown"][0]
    act(env, STOP)
    assert before > 0
    assert env.units()["hp"][4] == 45


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (0, "battle 1, agent 0: action 0 is not available; the available ones are 1, 2, 3, 4, 5, 6"),
        (7, "battle 1, agent 0: action 7 is not available"),
        (9, "battle 1, agent 0: action 9 is not available"),
        (-1, "battle 1, agent 0: action -1 is not available"),
        (2**62, f"battle 1, agent 0: action {2**62} is not available"),
    ],
)
def test_an_unavailable_action_is_refused_and_nothing_moves(action: int, message: str) -> None:
    env = VecSkirmish("3m", 2, n_threads=1)
    place(env, [(13, 16)], [GOAL], index=1)
    before = env.state_dict()
    with pytest.raises(ValueError, match=message):
        env.step(np.array([[4, 4, 4], [action, 0, 0]]))
    after = env.state_dict()
    assert (before["battles"] == after["battles"]).all()
    assert all((before["arrays"][key] == after["arrays"][key]).all() for key in before["arrays"])


def test_the_dead_may_not_be_given_orders(env: VecSkirmish) -> None:
    place(env, [(13, 16)], [GOAL])
    with pytest.raises(ValueError, match=r"battle 0, agent 2: action 1 is not available; the available ones are 0$"):
        env.step(np.array([[1, 0, 1]]))


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.int64, np.uint64])
def test_actions_may_have_any_integer_dtype(env: VecSkirmish, dtype: type) -> None:
    assert env.step(np.full((1, 3), 4, dtype=dtype)).reward.tolist() == [0]


def test_actions_of_a_wrong_shape_or_kind_are_refused(env: VecSkirmish) -> None:
    with pytest.raises(ValueError, match=r"actions have the shape \(3,\), must be \(1, 3\)"):
        env.step(np.array([4, 4, 4]))
    with pytest.raises(TypeError, match="actions must be integers, not float64"):
        env.step(np.array([[4.0, 4.0, 4.0]]))
