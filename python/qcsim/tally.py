"""What the shots of a setting gave, and what that says: sample means, and how far shots are spread. Called by shots."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from qcsim.estimate import Array
from qcsim.measurements import Measurement, Probabilities, Terms, Variance
from qcsim.settings import Setting


class Tally(NamedTuple):
    """Outcomes of shots.

    Attributes:
        outcomes: each shot's, (B, shots), or every possible one, (2^k,).
        counts: how often each came, (B, 2^k); None: the outcomes are those of shots.
        shots: their number.
    """

    outcomes: Array
    counts: Array | None
    shots: int

    def means(self, setting: Setting) -> Array:
        """Sample means of a setting's columns, (B, number)."""
        if setting.sums is None:
            counts = counted(self.outcomes, setting.size) if self.counts is None else self.counts
            return counts / self.shots
        return np.stack([self.mean(self.worth(setting, terms)) for terms in setting.sums], 1)

    def worth(self, setting: Setting, terms: Terms) -> Array:
        """What the outcomes are worth, in their shape."""
        if self.counts is None and setting.size <= self.outcomes.size:  # looked up
            return setting.worth(terms, np.arange(setting.size)).take(self.outcomes)
        return setting.worth(terms, self.outcomes)

    def mean(self, worth: Array) -> Array:
        """The mean over shots of what the outcomes are worth, (B,)."""
        table = worth if self.counts is None else self.counts * worth
        mean: Array = table.sum(1) / self.shots
        return mean


class Spreads:
    """Variances of what a shot is worth in each column but frequencies, summed over settings."""

    def __init__(self, batch: int, squares: dict[int, int]) -> None:
        self._batch = batch
        self._squares = squares
        self._covariances: dict[tuple[int, int], Array] = {}

    def add(self, setting: Setting, tally: Tally, rows: slice) -> None:
        """What a setting's shots say of some rows of the batch."""
        if setting.sums is None:
            return
        held = dict(zip(setting.columns.tolist(), setting.sums, strict=True))
        crossed = [(mean, square) for mean, square in self._squares.items() if mean in held and square in held]
        for first, second in [*((column, column) for column in held), *crossed]:
            a = tally.worth(setting, held[first])
            b = a if first == second else tally.worth(setting, held[second])
            covariance = self._covariances.setdefault((first, second), np.zeros(self._batch))
            covariance[rows] += tally.mean(a * b) - tally.mean(a) * tally.mean(b)

    def variance(self, measurement: Measurement, columns: slice, found: Array) -> Array:
        """Of the result of one shot, (B, number); ``found`` are the columns as estimated."""
        if isinstance(measurement, Probabilities):
            frequencies = found[:, columns]
            return frequencies * (1.0 - frequencies)
        if not isinstance(measurement, Variance):
            return self._stacked((k, k) for k in range(columns.start, columns.stop))
        means = range(columns.start, columns.start + len(measurement.observables))
        squares = [self._squares[k] for k in means]
        slope = -2.0 * found[:, means.start : means.stop]  # of <O^2> - <O>^2, to first order
        crossed = self._stacked(zip(means, squares, strict=True))
        of_means, of_squares = (self._stacked((k, k) for k in each) for each in (means, squares))
        spread: Array = of_squares + 2.0 * slope * crossed + slope**2 * of_means
        return spread

    def _stacked(self, pairs: Iterable[tuple[int, int]]) -> Array:
        nothing = np.zeros(self._batch)
        return np.stack([self._covariances.get(pair, nothing) for pair in pairs], 1)


def counted(outcomes: Array, size: int) -> Array:
    """How often each outcome came, (B, size), of outcomes (B, shots)."""
    batch = len(outcomes)
    places = outcomes + size * np.arange(batch)[:, None]
    return np.bincount(places.ravel(), minlength=batch * size).reshape(batch, size)
