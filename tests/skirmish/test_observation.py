"""What agents and critic see, by hand and against the oracle."""

from __future__ import annotations

import numpy as np
import pytest
from layout_oracle import Oracle
from placing import ATTACK, EAST, act, place

from qcmarl.envs import VecSkirmish
from qcmarl.envs.scripted import random
from qcmarl.envs.skirmish import MAPS, UNIT_TYPES


@pytest.fixture
def env() -> VecSkirmish:
    return VecSkirmish("3m", 1, n_threads=1)


def test_an_observation_by_hand(env: VecSkirmish) -> None:
    step = place(env, [(10, 16), (13, 20, 9)], [(14, 13, 30), (10, 24, 45), (18, 22, 15)])
    enemies = [1, 5 / 9, 4 / 9, -3 / 9, 30 / 45] + [0, 8 / 9, 0, 8 / 9, 1] + [0] * 5  # the third is 10 cells away
    allies = [1, 5 / 9, 3 / 9, 4 / 9, 9 / 45] + [0] * 5  # the third is dead
    assert step.obs[0, 0] == pytest.approx(np.array([1, 1, 1, 1, *enemies, *allies, 1]))
    assert (step.obs[0, 2] == 0).all()


def test_a_state_by_hand(env: VecSkirmish) -> None:
    place(env, [(10, 16), (13, 20, 9)], [(14, 13, 30)])
    step = env.step(np.array([[EAST, 1, 0]]))
    ally_x, cooldowns = env.units()["x"][0], env.units()["cooldown"]
    assert step.state[0, :4] == pytest.approx([1 - 6 / 45, cooldowns[0] / 15, (ally_x - 16) / 32, 0])
    assert step.state[0, 4:8] == pytest.approx([9 / 45, 0, -3 / 32, 4 / 32])
    assert step.state[0, 8:12].tolist() == [0, 0, 0, 0]
    assert step.state[0, 12:15] == pytest.approx([30 / 45, -2 / 32, -3 / 32], abs=0.05)
    assert (step.state[0, 15:21] == 0).all()
    last = step.state[0, 21:].reshape(3, 9)
    assert last.argmax(1).tolist() == [EAST, 1, 0]
    assert last.sum() == 3


@pytest.mark.parametrize(("distance", "seen"), [(8.9, 1), (9.0, 0), (9.1, 0)])
def test_sight_ends_before_nine_cells(env: VecSkirmish, distance: float, seen: int) -> None:
    step = place(env, [(10, 16), (10 + distance, 16)], [(10, 16 - distance + 1.5), (10 - distance, 16)])
    rows = step.obs[0, 0, 4:29].reshape(5, 5)
    assert rows[1, 4] == seen
    assert rows[3, 0] == seen
    assert rows[0, 4] == 1


def test_the_last_actions_are_zero_in_a_fresh_battle(env: VecSkirmish) -> None:
    act(env, EAST)
    assert (env.reset(seed=1).state[0, 21:] == 0).all()


def test_a_dying_agent_is_zero_everywhere_but_in_its_last_action(env: VecSkirmish) -> None:
    place(env, [(12, 16, 6), (25, 9)], [(9, 16), (9.5, 17)])
    step = act(env, ATTACK)
    assert not step.alive[0, 0]
    assert (step.obs[0, 0] == 0).all()
    assert (step.state[0, :4] == 0).all()
    assert step.state[0, 21 : 21 + 9].argmax() == ATTACK
    step = act(env)
    assert step.state[0, 21 : 21 + 9].tolist() == [1, 0, 0, 0, 0, 0, 0, 0, 0]


@pytest.mark.parametrize("name", MAPS)
def test_every_array_agrees_with_the_oracle_throughout_random_battles(name: str) -> None:
    env = VecSkirmish(name, 2, n_threads=1)
    rng = np.random.default_rng(7)
    step = env.reset(seed=7)
    n = env.n_agents
    oracle = Oracle(name, n, UNIT_TYPES, env.map.terrain, env.units())
    for number in range(60):
        actions = random(env, step, rng)
        step = env.step(actions)
        for index in range(env.n_envs) if number % 3 == 0 else ():
            table = env.units(index)
            over = step.terminated[index] or step.truncated[index]
            last = [None if over else int(action) for action in actions[index]]
            masks = oracle.masks(table)
            assert (step.avail[index] == masks).all()
            assert (step.alive[index] == table["alive"][:n]).all()
            assert step.state[index] == pytest.approx(oracle.state(table, last), rel=1e-6, abs=1e-7)
            expected = np.stack([oracle.observation(table, masks[agent], agent) for agent in range(n)])
            assert step.obs[index] == pytest.approx(expected, rel=1e-6, abs=1e-7)
