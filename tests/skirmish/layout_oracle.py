"""SMAC's observation, state and masks, computed from a unit table by the book: loops over units, double precision.

Slow and independent of the library; written from the published layout. Called by the tests of this folder.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

SIGHT, ATTACK_RANGE, MOVES = 9.0, 6.0, ((0, 1), (0, -1), (1, 0), (-1, 0))
FULL = {  # hp, shield, normaliser of the cooldown
    "marine": (45, 0, 15),
    "marauder": (125, 0, 25),
    "medivac": (150, 0, 200),
    "stalker": (80, 80, 35),
    "zealot": (100, 50, 22),
    "colossus": (200, 150, 24),
    "zergling": (35, 0, 11),
    "baneling": (30, 0, 1),
    "hydralisk": (80, 0, 10),
    "spine_crawler": (300, 0, 15),
}
ONE_HOT = {  # of allies; the enemies' where it differs
    "MMM": (("marauder", "marine", "medivac"),) * 2,
    "MMM2": (("marauder", "marine", "medivac"),) * 2,
    "2s3z": (("stalker", "zealot"), ("zealot", "stalker")),
    "3s5z": (("stalker", "zealot"), ("zealot", "stalker")),
    "3s5z_vs_3s6z": (("stalker", "zealot"), ("zealot", "stalker")),
    "1c3s5z": (("colossus", "stalker", "zealot"),) * 2,
    "bane_vs_bane": (("baneling", "zergling"),) * 2,
}
Table = npt.NDArray[Any]


class Oracle:
    """One map's layout; `kinds` names the `type` column, `terrain` has 32 rows, north first."""

    def __init__(self, name: str, n: int, kinds: tuple[str, ...], terrain: tuple[str, ...], table: Table) -> None:
        self.n, self.kinds, self.terrain = n, kinds, terrain
        self.one_hot = ONE_HOT.get(name, ((), ()))
        self.shields = [any(FULL[self.kind(unit)][1] for unit in side) for side in (table[:n], table[n:])]

    def kind(self, unit: Any) -> str:
        return self.kinds[unit["type"]]

    def walkable(self, x: float, y: float) -> bool:
        x, y = int(x), int(y)
        return 0 <= x < 32 and 0 <= y < 32 and self.terrain[31 - y][x] == "."

    def masks(self, table: Table) -> npt.NDArray[np.bool_]:
        """(n, A)."""
        rows = []
        n_enemies = len(table) - self.n
        for ally in table[: self.n]:
            x, y = float(ally["x"]), float(ally["y"])
            row = [False, True] + [self.walkable(x + dx, y + dy) for dx, dy in MOVES]
            heals = self.kind(ally) == "medivac"
            targets = table[: self.n] if heals else table[self.n :]
            for target in [*targets, *[None] * n_enemies][:n_enemies]:
                if target is None or not target["alive"] or (heals and self.kind(target) == "medivac"):
                    row.append(False)
                else:
                    row.append(math.hypot(float(target["x"]) - x, float(target["y"]) - y) <= ATTACK_RANGE)
            rows.append(row if ally["alive"] else [True] + [False] * (len(row) - 1))
        return np.array(rows)

    def more(self, unit: Any, team: int) -> list[float]:
        """Shield and one-hot type, where the map has them."""
        shield = [float(unit["shield"]) / (FULL[self.kind(unit)][1] or 1)] if self.shields[team] else []
        return shield + [float(kind == self.kind(unit)) for kind in self.one_hot[team]]

    def observation(self, table: Table, mask: npt.NDArray[np.bool_], agent: int) -> npt.NDArray[np.float64]:
        """(O,)."""
        own, n = table[agent], self.n
        row = [float(flag) for flag in mask[2:6]]
        others = [(n + e, float(mask[6 + e])) for e in range(len(table) - n)]
        others += [(ally, 1.0) for ally in range(n) if ally != agent]
        for index, flag in others:
            other = table[index]
            dx, dy = float(other["x"]) - float(own["x"]), float(other["y"]) - float(own["y"])
            distance = math.hypot(dx, dy)
            features = [flag, distance / SIGHT, dx / SIGHT, dy / SIGHT, float(other["hp"]) / FULL[self.kind(other)][0]]
            features += self.more(other, int(index >= n))
            row += features if other["alive"] and distance < SIGHT else [0.0] * len(features)
        row += [float(own["hp"]) / FULL[self.kind(own)][0], *self.more(own, 0)]
        return np.array(row) * bool(own["alive"])

    def state(self, table: Table, last_actions: list[int | None]) -> npt.NDArray[np.float64]:
        """(S,); None for an agent that has not acted."""
        row: list[float] = []
        for index, unit in enumerate(table):
            hp, _, scale = FULL[self.kind(unit)]
            place = [(float(unit["x"]) - 16) / 32, (float(unit["y"]) - 16) / 32]
            ready = "energy" if self.kind(unit) == "medivac" else "cooldown"
            second = [float(unit[ready]) / scale] if index < self.n else []
            features = [float(unit["hp"]) / hp, *second, *place, *self.more(unit, int(index >= self.n))]
            row += [value * bool(unit["alive"]) for value in features]
        for action in last_actions:
            row += [float(action == a) for a in range(6 + len(table) - self.n)]
        return np.array(row)
