"""A small picture of a battle from its unit table, NumPy only. Called by the PettingZoo face."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_PIXELS = 8
_RADIUS = 0.45
_GROUND = np.array([24, 26, 30])
_COLOURS = np.array([[70, 150, 255], [255, 90, 70]])
"""Of allies and enemies."""


def draw(units: npt.NDArray[np.void], size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """Draw the living as discs, allies blue, enemies red, the hurt darker; north is up.

    Args:
        units: rows of `UNIT_DTYPE`, in cells.
        size: of the map, in cells (east, north).

    Returns:
        (8 north, 8 east, 3) uint8.
    """
    east, north = size
    picture = np.broadcast_to(_GROUND, (north * _PIXELS, east * _PIXELS, 3)).astype(np.uint8)
    rows, columns = np.mgrid[: north * _PIXELS, : east * _PIXELS] + 0.5
    x, y = columns / _PIXELS, north - rows / _PIXELS
    for unit in units[units["alive"]]:
        inside = np.hypot(x - unit["x"], y - unit["y"]) < _RADIUS
        picture[inside] = _COLOURS[unit["team"]] * _brightness(unit, units)
    return picture


def _brightness(unit: np.void, units: npt.NDArray[np.void]) -> float:
    """From 0.4 near death to 1 for the healthiest of its kind."""
    kin = units[(units["type"] == unit["type"])]
    return 0.4 + 0.6 * float(unit["hp"]) / float(kin["hp"].max())
