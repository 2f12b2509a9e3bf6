"""What is said of a handful of seeds: means with intervals, the interquartile mean with a bootstrap, tests.

Called by the reports. Every function takes final values, one a seed; nothing is drawn at random but the bootstrap,
which has a seed of its own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

LEVEL = 0.95
"""Of every interval."""
RESAMPLES = 2000
BOOTSTRAP_SEED = 0

Values = Sequence[float] | npt.NDArray[np.float64]


class Interval(NamedTuple):
    """An estimate and its 95 % interval; NaN bounds where there are too few values for one."""

    estimate: float
    low: float
    high: float


def _scipy() -> Any:
    import scipy.stats  # half a second: only a report pays for the import

    return scipy.stats


def mean_interval(values: Values, least: float = -math.inf, most: float = math.inf) -> Interval:
    """The mean and Student's interval: mean ± t(0.975; S - 1) s / sqrt(S), cut off where the quantity ends.

    Args:
        values: (S,) one a seed, at least one.
        least: what the quantity can be.
        most: likewise.
    """
    x = np.asarray(values, float)
    mean = float(x.mean())
    if len(x) < 2:
        return Interval(mean, math.nan, math.nan)
    half = float(_scipy().t.ppf((1 + LEVEL) / 2, len(x) - 1) * x.std(ddof=1) / math.sqrt(len(x)))
    return Interval(mean, max(mean - half, least), min(mean + half, most))


def rate_interval(values: Values) -> Interval:
    """The mean of win rates and Student's interval, which ends at 0 and 1, but for payoffs that lie beyond them.

    Args:
        values: (S,) one a seed, at least one.
    """
    shares = all(0 <= value <= 1 for value in values)
    return mean_interval(values, 0.0, 1.0) if shares else mean_interval(values)


def interquartile_mean(values: npt.NDArray[np.float64], axis: int = -1) -> npt.NDArray[np.float64]:
    """The mean of what is left when a quarter of the values, rounded down, is cut off at either end.

    Args:
        values: along `axis` one a seed.
        axis: which.
    """
    trimmed: npt.NDArray[np.float64] = _scipy().trim_mean(values, 0.25, axis)
    return trimmed


def iqm_interval(groups: Sequence[Values], resamples: int = RESAMPLES) -> Interval:
    """The interquartile mean of all values and its stratified bootstrap interval (percentiles; arXiv:2108.13264).

    Args:
        groups: values by stratum, such as one task each; drawn anew within each stratum.
        resamples: of the bootstrap.
    """
    strata = [np.asarray(group, float) for group in groups]
    estimate = float(interquartile_mean(np.concatenate(strata)))
    if max(len(s) for s in strata) < 2:
        return Interval(estimate, math.nan, math.nan)
    generator = np.random.default_rng(BOOTSTRAP_SEED)
    drawn = [s[generator.integers(len(s), size=(resamples, len(s)))] for s in strata]
    means = interquartile_mean(np.concatenate(drawn, axis=1))
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(estimate, float(low), float(high))


def _difference(ours: Values, theirs: Values) -> tuple[float, float, float]:
    """The difference of two means, its standard error and Welch's degrees of freedom; NaN for fewer than two values."""
    a, b = np.asarray(ours, float), np.asarray(theirs, float)
    difference = float(a.mean() - b.mean())
    if min(len(a), len(b)) < 2:
        return difference, math.nan, math.nan
    va, vb = float(a.var(ddof=1)) / len(a), float(b.var(ddof=1)) / len(b)
    if va + vb == 0:
        return difference, 0.0, math.inf
    freedom = (va + vb) ** 2 / (va**2 / (len(a) - 1) + vb**2 / (len(b) - 1))
    return difference, math.sqrt(va + vb), freedom


def difference_interval(ours: Values, theirs: Values) -> Interval:
    """The difference of two means and its 95 % interval, by Welch's degrees of freedom.

    Args:
        ours: (S,) values.
        theirs: (R,) values, subtracted.
    """
    difference, error, freedom = _difference(ours, theirs)
    half = float(_scipy().t.ppf((1 + LEVEL) / 2, freedom)) * error
    return Interval(difference, difference - half, difference + half)


def welch(ours: Values, theirs: Values) -> float:
    """Two-sided p-value of Welch's t-test.

    Args:
        ours: (S,) values.
        theirs: (R,) values.

    Returns:
        NaN for fewer than two values. Where neither group varies, 1 if their means are equal; if not, NaN: the limit of
        the test would be 0, but win rates of few seeds agree by chance, and no spread can be told from them.
    """
    difference, error, freedom = _difference(ours, theirs)
    if error == 0:
        return 1.0 if difference == 0 else math.nan
    return 2 * float(_scipy().t.sf(abs(difference) / error, freedom))


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction: the i-th smallest of m is multiplied by m - i, kept ascending and at most 1.

    Args:
        p_values: NaN where there was no test; stays NaN and does not count.
    """
    p = np.asarray(p_values, float)
    tested = np.flatnonzero(~np.isnan(p))
    order = tested[np.argsort(p[tested], kind="stable")]
    corrected = np.full(len(p), math.nan)
    scaled = p[order] * (len(order) - np.arange(len(order)))
    corrected[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return [float(v) for v in corrected]


def probability_of_improvement(ours: Values, theirs: Values) -> float:
    """The share of pairs in which ours is larger; equal ones count half (arXiv:2108.13264).

    Args:
        ours: (S,) values.
        theirs: (R,) values.
    """
    a, b = np.asarray(ours, float)[:, None], np.asarray(theirs, float)[None, :]
    return float(((a > b) + 0.5 * (a == b)).mean())


class Comparison(NamedTuple):
    """A group against the reference."""

    p: float
    """Of Welch's test, corrected by Holm over all groups that were compared."""
    improvement: float
    """Probability that a seed of the group does better than one of the reference."""


def compare(pairs: Sequence[tuple[Values, Values]]) -> list[Comparison]:
    """Several groups, each against its reference.

    Args:
        pairs: values of each group, and of what it is compared with.
    """
    corrected = holm([welch(ours, theirs) for ours, theirs in pairs])
    better = [probability_of_improvement(ours, theirs) for ours, theirs in pairs]
    return [Comparison(p, q) for p, q in zip(corrected, better, strict=True)]
