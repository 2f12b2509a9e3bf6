"""The values that learned policies are set beside: the best classical one, and the best quantum one known."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from qcmarl.studies.entanglement import theory


class Values(NamedTuple):
    """Of one environment."""

    classical: float
    """The largest without communication, whatever is drawn together beforehand."""
    quantum: float
    exact: bool
    """Whether no quantum strategy has more; else `quantum` is a lower bound."""


GAMES = {
    "chsh": Values(theory.CLASSICAL, theory.QUANTUM, True),
    "ghz": Values(3 / 4, 1.0, True),
    "rendezvous-k3": Values(5 / 9, 7 / 12, False),
    "rendezvous-c5": Values(9 / 25, 0.38090, False),
    "rendezvous-c6": Values(5 / 18, 7 / 24, False),
}
Bounds = Mapping[str, Values]
"""Of a queue, by what is measured."""
THRESHOLDS = {"game:chsh": 0.845, "game:ghz": 0.99, "game:rendezvous-k3": 0.578}
"""Winning probabilities that count as the quantum value reached, by environment."""


def values_of(env: str) -> Values | None:
    """Values of a game; None of other environments.

    Args:
        env: family:name.
    """
    family, _, name = env.partition(":")
    return GAMES.get(name) if family == "game" else None


def threshold(env: str) -> float:
    """The winning probability from which on a seed counts as at the quantum value; NaN where none is set."""
    return THRESHOLDS.get(env, math.nan)


def queue_bounds(env: str) -> Bounds:
    """Return, throughput, waiting time and backlog of the best policies of a queue.

    Args:
        env: family:name.
    """
    return {}
