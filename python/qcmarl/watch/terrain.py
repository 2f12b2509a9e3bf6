"""The ground of a map, asked of the environment itself. Called by `play`.

An environment whose map has a `terrain` has written it down. Of any other the masks of the four walks tell: a unit put
on a cell's centre may walk north exactly where the cell to the north is walkable, so a search from the units' first
places finds every cell that can be reached.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from qcmarl.envs import VecSkirmish

_WALKS = ((0, 1), (0, -1), (1, 0), (-1, 0))
_FIRST_WALK = 2
_LARGEST = 1024
"""Cells a side beyond which no map reaches."""


def rows(env: VecSkirmish) -> list[str]:
    """The cells, a string per row, y = 0 first: "." open, "#" blocked, "^" a cliff that only some cross.

    Args:
        env: left with units moved about; reset it before playing on.
    """
    northernmost_first = getattr(getattr(env, "map", None), "terrain", None)
    return searched(env) if northernmost_first is None else list(reversed(northernmost_first))


def searched(env: VecSkirmish) -> list[str]:
    """The cells that can be reached on foot, a string per row, y = 0 first: "." is walkable, "#" is not.

    Args:
        env: left with units moved about; reset it before playing on.
    """
    table = env.units(0)
    found = {(int(unit["x"]), int(unit["y"])) for unit in table if unit["alive"]}
    left = list(found)
    while left:
        cell = left.pop()
        fresh = _neighbours(env, table, cell) - found
        found |= fresh
        left += fresh
    width, height = (max(32, 1 + max(cell[axis] for cell in found)) for axis in (0, 1))
    return ["".join("." if (x, y) in found else "#" for x in range(width)) for y in range(height)]


def _neighbours(env: VecSkirmish, table: npt.NDArray[np.void], cell: tuple[int, int]) -> set[tuple[int, int]]:
    """The walkable neighbours of a walkable cell; none where a body as wide as agent 0's does not fit."""
    moved = table.copy()
    moved["x"][0], moved["y"][0] = cell[0] + 0.5, cell[1] + 0.5
    try:
        avail = env.set_units(0, moved).avail[0, 0]
    except ValueError:
        return set()
    to = ((cell[0] + dx, cell[1] + dy) for i, (dx, dy) in enumerate(_WALKS) if avail[_FIRST_WALK + i])
    return {(x, y) for x, y in to if 0 <= x < _LARGEST and 0 <= y < _LARGEST}
