"""SMAC's observation, state and masks, computed from a unit table by the book: loops over units, double precision.

Slow and independent of the library; written from the published layout. Called by the tests of this folder.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

HP, COOLDOWN_SCALE, SIGHT, ATTACK_RANGE = 45.0, 15.0, 9.0, 6.0


def walkable(x: float, y: float) -> bool:
    return 0 <= int(x) < 32 and 8 <= int(y) < 24


def masks(table: npt.NDArray[Any], n: int) -> npt.NDArray[np.bool_]:
    """(n, A)."""
    rows = []
    for ally in table[:n]:
        x, y = float(ally["x"]), float(ally["y"])
        row = [False, True, walkable(x, y + 1), walkable(x, y - 1), walkable(x + 1, y), walkable(x - 1, y)]
        for enemy in table[n:]:
            distance = math.hypot(float(enemy["x"]) - x, float(enemy["y"]) - y)
            row.append(bool(enemy["alive"]) and distance <= ATTACK_RANGE)
        rows.append(row if ally["alive"] else [True] + [False] * (len(row) - 1))
    return np.array(rows)


def observation(table: npt.NDArray[Any], n: int, agent: int) -> npt.NDArray[np.float64]:
    """(O,)."""
    own = table[agent]
    mask = masks(table, n)[agent]
    row = [float(flag) for flag in mask[2:6]]
    others = [(n + e, float(mask[6 + e])) for e in range(len(table) - n)]
    others += [(ally, 1.0) for ally in range(n) if ally != agent]
    for index, flag in others:
        dx = float(table[index]["x"]) - float(own["x"])
        dy = float(table[index]["y"]) - float(own["y"])
        distance = math.hypot(dx, dy)
        seen = bool(table[index]["alive"]) and distance < SIGHT
        row += [flag, distance / SIGHT, dx / SIGHT, dy / SIGHT, float(table[index]["hp"]) / HP] if seen else [0.0] * 5
    row.append(float(own["hp"]) / HP)
    return np.array(row) * bool(own["alive"])


def state(table: npt.NDArray[Any], n: int, last_actions: list[int | None]) -> npt.NDArray[np.float64]:
    """(S,); None for an agent that has not acted."""
    row: list[float] = []
    for index, unit in enumerate(table):
        place = [(float(unit["x"]) - 16) / 32, (float(unit["y"]) - 16) / 32]
        cooldown = [float(unit["cooldown"]) / COOLDOWN_SCALE] if index < n else []
        row += [value * bool(unit["alive"]) for value in [float(unit["hp"]) / HP, *cooldown, *place]]
    for action in last_actions:
        row += [float(action == a) for a in range(6 + len(table) - n)]
    return np.array(row)
