"""The values that learned policies are set beside: the best classical one, and the best quantum one known."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from typing import NamedTuple

from qcmarl import games
from qcmarl.games import queueing, queueing_bounds, values
from qcmarl.studies.entanglement import theory


class Values(NamedTuple):
    """Of one environment."""

    classical: float
    """None without communication is larger, whatever is drawn together beforehand: the largest, but for games whose
    solver ran out of time (`games.values.Classical.bound`)."""
    quantum: float
    exact: bool
    """Whether no quantum strategy has more; else `quantum` is a lower bound."""


EXACT = {
    "chsh": theory.QUANTUM,
    "ghz": 1.0,
    "rendezvous-k3": 7 / 12,
    "rendezvous-c5": (13 + math.sqrt(5)) / 40,
    "rendezvous-c6": 7 / 24,
}
"""Quantum values by game that a see-saw reaches and the hierarchy of Navascues, Pironio and Acin does not exceed, both
to 2e-6 (`games.values`); elsewhere a see-saw's are lower bounds."""
DIMENSION = 2
"""Of each player's part in the see-saw, as in training."""
Bounds = Mapping[str, Values]
"""Of a queue, by what is measured."""
RATES = {
    "return": "episode_return",
    "throughput": "throughput",
    "waiting time": "waiting_time",
    "backlog": "backlog",
    "coordination": "coordination",
}
"""What is measured of a queue, as `games.queueing` names it."""
THRESHOLDS = {"game:chsh": 0.845, "game:ghz": 0.99, "game:rendezvous-k3": 0.578}
"""Winning probabilities that count as the quantum value reached, by environment."""


@functools.cache
def values_of(env: str) -> Values | None:
    """Values of a game; None of other environments, and of games that are too large for it.

    Args:
        env: family:name.
    """
    family, _, name = env.partition(":")
    if family != "game":
        return None
    game = games.make(name)
    try:
        classical = values.classical(game)
        found = max(values.see_saw(game, DIMENSION).value, classical.value)
    except ValueError:
        return None
    return Values(classical.bound, EXACT.get(name, found), name in EXACT)


def threshold(env: str) -> float:
    """The winning probability from which on a seed counts as at the quantum value; NaN where none is set."""
    return THRESHOLDS.get(env, math.nan)


@functools.cache
def queue_bounds(env: str) -> Bounds:
    """What the best policies of a queue earn, those of the largest return.

    The return's classical value bounds every policy of agents who do not communicate (`games.queueing_bounds`).

    Args:
        env: family:name.

    Returns:
        by what is measured, in the order of the reports; empty for what is no queue of known bounds.
    """
    family, _, name = env.partition(":")
    if family != "queue" or name not in queueing.MODELS:
        return {}
    model = queueing.MODELS[name]
    best = [queueing_bounds.best(model, resource) for resource in ("classical", "entangled")]
    rates = [queueing.follow(model, list(one.plan)) for one in best]
    exact = best[1].ceiling - best[1].value < 1e-9
    pairs = {title: [getattr(one, field) for one in rates] for title, field in RATES.items()}
    return {title: Values(classical, quantum, exact) for title, (classical, quantum) in pairs.items()}
