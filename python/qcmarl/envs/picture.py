"""A small picture of a battle from its unit table, NumPy only. Called by the PettingZoo face."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_CELLS = 32
_PIXELS = 8
_RADIUS = 0.45
_GROUND = np.array([24, 26, 30])
_COLOURS = np.array([[70, 150, 255], [255, 90, 70]])
"""Of allies and enemies."""


def draw(units: npt.NDArray[np.void]) -> npt.NDArray[np.uint8]:
    """Draw the living as discs, allies blue, enemies red, the hurt darker; north is up.

    Args:
        units: rows of `UNIT_DTYPE`, in cells of a 32 x 32 map.

    Returns:
        (256, 256, 3) uint8.
    """
    side = _CELLS * _PIXELS
    picture = np.broadcast_to(_GROUND, (side, side, 3)).astype(np.uint8)
    rows, columns = np.mgrid[:side, :side] + 0.5
    x, y = columns / _PIXELS, _CELLS - rows / _PIXELS
    for unit in units[units["alive"]]:
        inside = np.hypot(x - unit["x"], y - unit["y"]) < _RADIUS
        picture[inside] = _COLOURS[unit["team"]] * _brightness(unit, units)
    return picture


def _brightness(unit: np.void, units: npt.NDArray[np.void]) -> float:
    """From 0.4 near death to 1 for the healthiest of its kind."""
    kin = units[units["type"] == unit["type"]]
    return 0.4 + 0.6 * float(unit["hp"]) / float(kin["hp"].max())
