"""Where a curve crosses a level, seed by seed, and what all seeds say of the place."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from qcmarl.studies import statistics
from qcmarl.studies.statistics import Interval

MARGIN = 0.002
"""A winning probability counts as above a level from so much more on: what a policy that has stopped short of a
classical optimum cannot be."""

Array = npt.NDArray[np.float64]


class Crossing(NamedTuple):
    """Where the seeds cross a level."""

    found: Interval
    """Mean of the places and Student's interval; NaN without any."""
    seeds: int
    """How many cross."""
    of: int
    """How many there are."""


def crossing(x: Array, y: Array, level: float) -> float:
    """Where a curve comes down to a level: by linear interpolation to the first of its points at or below it.

    Args:
        x: (K,) places, from the better end to the worse; ascending or descending.
        y: (K,) values there.
        level: that is crossed.

    Returns:
        NaN where the first value is not above the level by `MARGIN`, or none is at or below it.

    >>> crossing(np.array([1.0, 0.75, 0.5]), np.array([1.0, 0.875, 0.625]), 0.75)
    0.625
    """
    below = np.flatnonzero(y <= level)
    if y[0] <= level + MARGIN or not len(below):
        return math.nan
    i = int(below[0])
    share = (y[i - 1] - level) / (y[i - 1] - y[i])
    return float(x[i - 1] + share * (x[i] - x[i - 1]))


def departure(x: Array, y: Array, level: float) -> float:
    """Where a curve that lies on a level leaves it: the least-squares line through its points above the level, brought
    down to it.

    Args:
        x: (K,) places in any order.
        y: (K,) values there.
        level: that is left.

    Returns:
        NaN with fewer than two points above the level by `MARGIN`, or a line that never meets it.
    """
    above = y > level + MARGIN
    if np.count_nonzero(above) < 2:
        return math.nan
    slope, start = np.polyfit(x[above], y[above], 1)
    return float((level - start) / slope) if slope else math.nan


def over_seeds(places: Sequence[float]) -> Crossing:
    """What the seeds say together.

    Args:
        places: one a seed; NaN where it does not cross.
    """
    there = [place for place in places if not math.isnan(place)]
    nowhere = Interval(math.nan, math.nan, math.nan)
    return Crossing(statistics.mean_interval(there) if there else nowhere, len(there), len(places))
