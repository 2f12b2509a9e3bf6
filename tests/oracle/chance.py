"""What chance allows: how surprising samples and estimates are. Seeds are fixed, so a test passes always or never."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import numpy as np

from oracle.dense import Array

UNHEARD_OF = 5.5  # standard deviations: once in 5e7 draws


def surprise(samples: Array, probabilities: Array) -> float:
    """How many standard deviations the chi-squared statistic lies above its mean (Wilson and Hilferty, 1931).

    Outcomes expected fewer than five times count as one, together with the next rarest if these are still too few.
    """
    probabilities = probabilities / probabilities.sum()
    found, expected = np.bincount(samples, minlength=len(probabilities)), len(samples) * probabilities
    assert np.all(found[expected < 1e-8] == 0), "an outcome that cannot happen was found"
    order = np.argsort(expected)
    found, expected = found[order], expected[order]
    pooled = max(np.sum(expected < 5), np.searchsorted(np.cumsum(expected), 5) + 1)
    found, expected = (np.append(counts[:pooled].sum(), counts[pooled:]) for counts in (found, expected))
    freedom = len(expected) - 1
    if freedom == 0:
        return 0.0
    statistic = np.sum((found - expected) ** 2 / expected)
    return float((np.cbrt(statistic / freedom) - 1 + 2 / (9 * freedom)) / np.sqrt(2 / (9 * freedom)))


def allowed(count: int, risk: float = 1e-4) -> float:
    """The size that the largest of so many standard normal numbers exceeds with the given probability at most."""
    return NormalDist().inv_cdf(1 - risk / (2 * max(count, 1)))


def z_scores(value: Any, truth: Any, standard_error: Any, floor: float = 1e-12) -> Array:
    """Deviations in standard errors, all axes flattened; `floor` is an error that rounding or a rare event makes."""
    deviation = np.abs(np.asarray(value) - np.asarray(truth))
    return np.ravel(deviation / np.hypot(np.abs(standard_error), floor))


def assert_law_of_errors(scores: Array) -> None:
    """Independent deviations follow a standard normal law: none too large, their squares as many as they should be."""
    count = len(scores)
    assert np.max(scores) < allowed(count), f"the largest of {count} deviations is {np.max(scores):.1f} standard errors"
    excess = (np.sum(scores**2) - count) / np.sqrt(2 * count)
    assert abs(excess) < 4.5, f"the squares of {count} deviations have mean {np.mean(scores**2):.2f}"


def assert_spread(values: Array, standard_errors: Array) -> None:
    """Standard errors (R, K) tell the spread of R independent estimates (R, K): their ratio is 1 within chance."""
    expected = np.sqrt(np.mean(np.asarray(standard_errors) ** 2, axis=0))
    found = np.std(np.asarray(values), axis=0, ddof=1)
    moving = expected > 1e-9
    np.testing.assert_array_less(found[~moving], 1e-6)
    ratio = found[moving] / expected[moving]
    slack = 5 / np.sqrt(2 * (len(values) - 1))
    assert np.all(np.abs(ratio - 1) < slack), f"spread over standard error: {ratio}, which may be off by {slack:.2f}"
