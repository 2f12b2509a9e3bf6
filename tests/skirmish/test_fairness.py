"""Neither side gains by standing first in the arrays."""

from __future__ import annotations

import numpy as np
from placing import GOAL, act, place

from qcmarl.envs import VecSkirmish


def duel(seed: int, enemies: int) -> tuple[float, float]:
    """Share of duels won and drawn by the allies when all fire from the first loop on, as many on each side."""
    env = VecSkirmish("3m", 1500, n_threads=1)
    env.reset(seed=seed)
    rows = [(16 + 0.8 * k) for k in range(enemies)]
    for index in range(env.n_envs):
        place(env, [(13, y) for y in rows], [(GOAL[0], y) for y in rows], index)
    won, drawn, over = np.zeros((3, env.n_envs), dtype=bool)
    while not over.all():
        alive = env.last_step().alive.any(1)
        step = act(env, *range(6, 6 + enemies))
        final = step.info["final_state"]
        ended = (step.terminated | step.truncated) & ~over & alive
        won |= ended & step.info["battle_won"]
        drawn |= ended & (final[:, : 4 * 3 + 3 * 3] == 0).all(1)
        over |= ended
    return float(won.mean()), float(drawn.mean())


def test_a_duel_is_won_as_often_as_it_is_lost() -> None:
    won, drawn = duel(seed=0, enemies=1)
    lost = 1 - won - drawn
    assert 0 < drawn < 0.2
    assert abs(won - lost) < 4 * np.sqrt((won + lost) / 1500)


def test_equal_lines_lose_equally_until_the_first_death() -> None:
    env = VecSkirmish("8m", 600, n_threads=1)
    rows = [12 + 0.8 * k for k in range(8)]
    for index in range(env.n_envs):
        place(env, [(13, y) for y in rows], [(GOAL[0], y) for y in rows], index)
    for _ in range(12):
        act(env, *range(6, 14))
    hp = np.stack([env.units(index)["hp"].reshape(2, 8).sum(1) for index in range(env.n_envs)])
    difference = hp[:, 0] - hp[:, 1]
    assert abs(difference.mean()) < 4 * difference.std() / np.sqrt(env.n_envs)
