"""When shots fall, what they cost, and how long killing takes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.stats
from placing import ATTACK, GOAL, PERIOD, SPEED, STOP, WEST, act, column, place

from qcmarl.envs import VecSkirmish, builtin_map, unit


@pytest.fixture
def env() -> VecSkirmish:
    return VecSkirmish("3m", 1, n_threads=1)


def test_a_shot_takes_six_hp(env: VecSkirmish) -> None:
    place(env, [(13, 16)], [GOAL])
    act(env, ATTACK)
    assert env.units()["hp"][[0, 3]].tolist() == [39, 39]


def test_the_random_delay_of_a_shot_is_uniform_from_minus_one_to_two_loops() -> None:
    env = VecSkirmish("3m", 600, n_threads=1)
    for index in range(env.n_envs):
        place(env, [(13, 16)], [GOAL], index)
    act(env, ATTACK)
    # The shot starts in loop 1 and the cooldown counts from there: seven loops of it are over at the step's end.
    delays = column(env, "cooldown")[:, [0, 3]] - (PERIOD - 7)
    assert delays.min() >= -1 - 1e-5
    assert delays.max() < 2 + 1e-5
    assert scipy.stats.kstest(delays.ravel(), scipy.stats.uniform(-1, 3).cdf).pvalue > 0.01
    assert abs(scipy.stats.pearsonr(*delays.T).statistic) < 0.1


def test_killing_a_marine_takes_eight_shots_at_the_mean_period() -> None:
    env = VecSkirmish("3m", 400, n_threads=1)
    for index in range(env.n_envs):
        place(env, [(9, 20), (13, 16)], [GOAL], index)  # the enemy shoots the first, who is nearer
    steps = np.zeros(env.n_envs, dtype=int)
    for number in range(1, 30):
        act(env, STOP, ATTACK)
        steps += (steps == 0) * number * env.last_step().terminated
        if steps.all():
            break
    rng = np.random.default_rng(0)
    shots = PERIOD + rng.uniform(-1, 2, (100_000, 7))
    expected = np.ceil((2 + shots.sum(1)) / 8)  # eighth hit, a loop after the eighth shot's start
    error = expected.std() / np.sqrt(env.n_envs)
    assert abs(steps.mean() - expected.mean()) < 4 * error + 0.05


def test_who_fires_in_the_loop_its_target_dies_in_keeps_the_shot(env: VecSkirmish) -> None:
    place(env, [(13, 15.5), (13, 16.5)], [(9, 16, 6), (25, 16)])
    act(env, ATTACK, ATTACK)
    cooldown = env.units()["cooldown"][:2]
    assert cooldown[0] > 5
    assert cooldown[1] == 0


def test_two_who_shoot_each_other_in_the_same_loop_both_die(env: VecSkirmish) -> None:
    place(env, [(13, 16, 6)], [(9, 16, 6)])
    step = act(env, ATTACK)
    assert step.terminated[0]
    assert not step.info["battle_won"][0]
    assert step.info["final_state"][0, :21].sum() == 0


def test_a_shot_started_in_the_last_loop_falls_in_the_next_step(env: VecSkirmish) -> None:
    place(env, [(13, 16, 45, 7.5)], [GOAL])  # ready half a loop before the step's end
    act(env, ATTACK)
    assert env.units()["hp"][3] == 45
    act(env, ATTACK)
    assert env.units()["hp"][3] == 39


def test_a_shot_interrupted_before_its_damage_is_lost_without_a_cooldown(env: VecSkirmish) -> None:
    place(env, [(13, 16, 45, 7.5)], [GOAL])
    act(env, ATTACK)
    act(env, WEST)
    assert env.units()["hp"][3] == 45
    assert env.units()["cooldown"][0] == 0


def test_who_walks_away_at_the_shooters_own_speed_is_followed_and_not_hit(env: VecSkirmish) -> None:
    # The enemy aims at 5.7; its weapon is ready in the fifth loop, when the ally has walked out of the reach of 5.75.
    place(env, [(9 - 5.7, 16)], [(9, 16, 45, 4.5)])
    act(env, WEST)
    assert env.units()["hp"][0] == 45
    assert env.units()["x"][0] == pytest.approx(3.3 - 8 * SPEED, abs=1e-5)
    assert env.units()["x"][3] == pytest.approx(9 - 7 * SPEED, abs=1e-5)  # all but the loop in which it could aim


def test_with_a_hold_an_engaged_unit_keeps_shooting_that_far_beyond_its_range() -> None:
    holding = replace(unit("marine"), hold=1.0)
    env = VecSkirmish(replace(builtin_map("3m"), name="holding", units=(holding,)), n_envs=1, n_threads=1)
    env.reset(0)
    place(env, [(9 - 5.7, 16)], [(9, 16, 45, 4.5)])
    act(env, WEST)
    assert env.units()["hp"][0] == 39
    assert env.units()["x"][3] == pytest.approx(9, abs=1e-5)


def test_nobody_starts_to_shoot_beyond_the_range(env: VecSkirmish) -> None:
    place(env, [(9 - 5.8, 16)], [GOAL])
    act(env, STOP)
    assert env.units()["hp"][0] == 45
