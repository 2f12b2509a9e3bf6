"""Hand-placed battles and an independent reading of a unit table, for the tests of this folder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from qcmarl.envs import Group, SkirmishMap, Step, VecSkirmish
from qcmarl.envs.skirmish_maps import FIELD

STOP, NORTH, SOUTH, EAST, WEST, ATTACK = 1, 2, 3, 4, 5, 6
SPEED = 2.25 / 16  # cells per game loop
REACH = 5 + 2 * 0.375  # of a marine's weapon, between centres
PERIOD = 0.8608 * 16  # game loops
GOAL = (9.0, 16.0)  # where enemies go; one placed here rests

MARINE_MAPS = ("3m", "8m", "5m_vs_6m", "8m_vs_9m")
Units = Sequence[tuple[float, ...]]


def place(env: VecSkirmish, allies: Units, enemies: Units, index: int = 0) -> Step:
    """Put units (x, y[, hp[, cooldown]]) into a battle; the units not mentioned are dead."""
    table = env.units(index)
    for column in ("hp", "cooldown"):
        table[column] = 0
    for first, units in ((0, allies), (env.n_agents, enemies)):
        for row, unit in enumerate(units, start=first):
            x, y, hp, cooldown = (*unit, *(45.0, 0.0)[len(unit) - 2 :])
            table[row] = (row >= env.n_agents, 0, x, y, hp, 0, cooldown, hp > 0, 0, -1)
    table["alive"] = table["hp"] > 0
    return env.set_units(index, table)


def put(env: VecSkirmish, *units: tuple[int, float, float] | tuple[int, float, float, dict[str, float]]) -> Step:
    """Put the rows named (row, x, y[, columns]) of battle 0 there, unhurt; the rows not mentioned are dead."""
    table, fresh = env.units(), VecSkirmish(env.map, 1, n_threads=1).units()
    for column in ("hp", "shield", "cooldown"):
        table[column] = 0
    for row, x, y, *more in units:
        table[row], table["x"][row], table["y"][row] = fresh[row], x, y
        for name, value in (more[0] if more else {}).items():
            table[name][row] = value
    table["alive"] = table["hp"] > 0
    return env.set_units(0, table)


def fight(allies: dict[str, int], enemies: dict[str, int], **fields: Any) -> VecSkirmish:
    """One battle of these kinds on an open field, whose enemies rest unless `march` says otherwise."""
    sides = (
        [Group(kind, count, at) for kind, count in side.items()] for side, at in ((allies, (4, 4)), (enemies, (28, 28)))
    )
    table = SkirmishMap("test", *map(tuple, sides), **{"limit": 400, "march": "stay", "terrain": FIELD, **fields})
    return VecSkirmish(table, 1, n_threads=1)


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
