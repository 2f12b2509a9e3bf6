"""Hand-placed battles and an independent reading of a unit table, for the tests of this folder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from qcmarl.envs import Step, VecSkirmish

STOP, NORTH, SOUTH, EAST, WEST, ATTACK = 1, 2, 3, 4, 5, 6
SPEED = 2.25 / 16  # cells per game loop
REACH = 5 + 2 * 0.375  # of a marine's weapon, between centres
PERIOD = 0.8608 * 16  # game loops
GOAL = (9.0, 16.0)  # where enemies go; one placed here rests

Units = Sequence[tuple[float, ...]]


def place(env: VecSkirmish, allies: Units, enemies: Units, index: int = 0) -> Step:
    """Put units (x, y[, hp[, cooldown]]) into a battle; the units not mentioned are dead."""
    table = env.units(index)
    for column in ("hp", "cooldown"):
        table[column] = 0
    for first, units in ((0, allies), (env.n_agents, enemies)):
        for row, unit in enumerate(units, start=first):
            x, y, hp, cooldown = (*unit, *(45.0, 0.0)[len(unit) - 2 :])
            table[row] = (row >= env.n_agents, 0, x, y, hp, 0, cooldown, hp > 0)
    table["alive"] = table["hp"] > 0
    return env.set_units(index, table)


def act(env: VecSkirmish, *actions: int) -> Step:
    """Step with the given actions for the first agents; the others, and those who cannot, stop or, dead, do nothing."""
    step = env.last_step()
    chosen = np.where(step.alive, STOP, 0)
    for agent, action in enumerate(actions):
        chosen[:, agent] = np.where(step.avail[:, agent, action], action, chosen[:, agent])
    return env.step(chosen)


def column(env: VecSkirmish, name: str) -> npt.NDArray[Any]:
    """One column of the unit tables of all battles, (B, units)."""
    return np.stack([env.units(index)[name] for index in range(env.n_envs)])
