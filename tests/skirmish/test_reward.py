"""Rewards to the last decimal, and the four ways a battle ends."""

from __future__ import annotations

import numpy as np
import pytest
from placing import ATTACK, GOAL, MARINE_MAPS, STOP, act, place

from qcmarl.envs import VecSkirmish
from qcmarl.envs.scripted import POLICIES

SCALE = 365 / 20  # 3m


@pytest.fixture
def env() -> VecSkirmish:
    return VecSkirmish("3m", 1, n_threads=1)


def test_damage_is_rewarded_by_the_hp_it_takes(env: VecSkirmish) -> None:
    place(env, [(13, 16)], [GOAL])
    assert act(env, ATTACK).reward[0] == np.float32(6 / SCALE)


def test_nothing_is_paid_beyond_the_hp_that_was_left(env: VecSkirmish) -> None:
    place(env, [(13, 16)], [(9, 16, 2), (25, 16)])
    assert act(env, ATTACK).reward[0] == np.float32((2 + 10) / SCALE)


def test_the_last_kill_also_earns_the_win(env: VecSkirmish) -> None:
    place(env, [(13, 16)], [(9, 16, 6)])
    step = act(env, ATTACK)
    assert step.reward[0] == np.float32((6 + 10 + 200) / SCALE)
    assert step.terminated[0]
    assert not step.truncated[0]
    assert step.info["battle_won"][0]


def test_losing_costs_nothing_but_ends_the_battle(env: VecSkirmish) -> None:
    place(env, [(13, 16, 6)], [GOAL])
    step = act(env, STOP)
    assert step.reward[0] == 0
    assert step.terminated[0]
    assert not step.info["battle_won"][0]


def test_own_losses_do_not_count(env: VecSkirmish) -> None:
    place(env, [(13, 16, 6), (13.5, 17)], [GOAL])
    step = act(env, STOP, ATTACK)
    assert not step.alive[0, 0]
    assert step.reward[0] == np.float32(6 / SCALE)


def test_if_both_sides_die_together_nobody_won(env: VecSkirmish) -> None:
    place(env, [(13, 16, 6)], [(9, 16, 6)])
    step = act(env, ATTACK)
    assert step.reward[0] == np.float32((6 + 10) / SCALE)
    assert (step.terminated[0], step.truncated[0], step.info["battle_won"][0]) == (True, False, False)


def test_the_time_limit_truncates(env: VecSkirmish) -> None:
    for number in range(1, 61):
        place(env, [(31, 9)], [GOAL])
        step = act(env, STOP)
        assert (step.truncated[0], step.terminated[0]) == (number == 60, False)
    assert not step.info["battle_won"][0]
    assert step.info["episode_length"][0] == 60


def test_a_battle_decided_in_its_last_step_is_not_cut_off(env: VecSkirmish) -> None:
    for _ in range(59):
        place(env, [(31, 9)], [GOAL])
        act(env, STOP)
    place(env, [(13, 16)], [(9, 16, 6)])
    step = act(env, ATTACK)
    assert (step.terminated[0], step.truncated[0], step.info["battle_won"][0]) == (True, False, True)


def test_a_win_returns_twenty() -> None:
    env = VecSkirmish("3m", 32, n_threads=1)
    step = env.reset(seed=0)
    won = np.zeros(32, dtype=bool)
    for _ in range(60):
        step = env.step(POLICIES["focus-fire"](env, step, np.random.default_rng(0)))
        assert step.info["episode_return"][step.info["battle_won"]] == pytest.approx(20.0)
        won |= step.info["battle_won"]
    assert won.mean() > 0.5


@pytest.mark.parametrize("name", MARINE_MAPS)
def test_an_enemy_is_worth_its_hp_and_ten(name: str) -> None:
    env = VecSkirmish(name, 1, n_threads=1)
    place(env, [(13, 16)], [(9, 16, 6), (25, 16)])
    reward = 20 * 16 / (55 * env.n_enemies + 200)
    assert act(env, ATTACK).reward[0] == np.float32(reward)
