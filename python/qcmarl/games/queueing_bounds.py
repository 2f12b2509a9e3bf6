"""The most that policies can earn in the queueing task, by what they share: certified by backward induction.

Called by the tests, the studies and docs/queueing.md. NumPy only. Why the induction bounds every policy, with whatever
memory, is proved in docs/queueing.md: the types of a step are independent of all that happened, so given the past a
team that does not talk plays one round of a game, with the value of what follows as part of its payoff.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np

from qcmarl.games import two_by_two
from qcmarl.games.queueing import Floats, Integers, Queue, tables

Resource = Literal["classical", "entangled", "communication"]
"""What the routers share: the past and random numbers; entangled particles besides; or the types of their packets."""


class Played(NamedTuple):
    """The best found for one round at every joint backlog."""

    value: Floats
    """(K,)."""
    strategy: Floats
    """(K, X, A)."""


class Solver(NamedTuple):
    """How one round is solved, (model, payoffs (K, X, A)) to ..."""

    play: Callable[[Queue, Floats], Played]
    """... a strategy and its value."""
    ceiling: Callable[[Queue, Floats], Floats]
    """... (K,) what no strategy exceeds."""


class Best(NamedTuple):
    """The best of an episode."""

    value: float
    """Expected return of `plan`."""
    ceiling: float
    """Certified: no policy with this resource has a larger expected return. Where the optimum is found exactly, as in
    the default task, it is `value`."""
    plan: Floats
    """(T, K, X, A) p(a given x, backlogs) at each step."""


def best(model: Queue, resource: Resource) -> Best:
    """The best policy with a resource, and a bound on all of them.

    Args:
        model: the rules.
        resource: "classical": every memory of the past and every shared randomness. "entangled": any quantum state of
            any dimension besides, fresh in every step or kept. "communication": joint types and backlogs are known to
            all.

    Returns:
        return, bound and plan; the two differ by rounding, except for "entangled" where the lines are the servers' own.

    Raises:
        ValueError: an unknown resource, or "entangled" for other than two routers and two servers.

    >>> round(best(Queue(horizon=1), "classical").value, 4), round(best(Queue(horizon=1), "entangled").value, 4)
    (0.9743, 0.9775)
    """
    solver = _solver(model, resource)
    value = ceiling = np.zeros(len(tables(model).backlogs))
    plan = []
    for _ in range(model.horizon):
        ceiling = solver.ceiling(model, _with_future(model, ceiling))
        value, strategy = solver.play(model, _with_future(model, value))
        plan.append(strategy)
    return Best(float(value[0]), float(ceiling[0]), np.stack(plan[::-1]))


def chsh(model: Queue, visibility: float = 1.0) -> Floats:
    """(K, X, A) the policy that plays CHSH at its quantum optimum in every step, whatever the backlogs.

    p(a, b given x, y) = (1 + v (-1)^(a + b + x y) / sqrt 2) / 4, of a Werner state with visibility v.
    """
    _require_two(model, "CHSH")
    p = two_by_two.even(visibility * two_by_two.PARITY_OF_AND[None] / np.sqrt(2)).reshape(1, 4, 4)
    return np.broadcast_to(p, tables(model).reward.shape).copy()


def uniform(model: Queue) -> Floats:
    """(K, X, A) every router sends its packet anywhere."""
    shape = tables(model).reward.shape
    return np.full(shape, 1 / shape[2])


def _solver(model: Queue, resource: str) -> Solver:
    if resource not in SOLVERS:
        raise ValueError(f"unknown resource '{resource}'; resources: {', '.join(SOLVERS)}")
    if resource == "entangled":
        _require_two(model, "the entangled optimum")
    return SOLVERS[resource]


def _require_two(model: Queue, what: str) -> None:
    if (model.routers, model.servers) != (2, 2):
        raise ValueError(f"{what} is for 2 routers and 2 servers, not {model.routers} and {model.servers}")


def _with_future(model: Queue, value: Floats) -> Floats:
    """(K, X, A) expected reward and value of what follows."""
    rules = tables(model)
    future: Floats = rules.reward + (rules.drain @ value)[rules.after]
    return future


def _classical(model: Queue, payoff: Floats) -> Played:
    """The best of all tuples of functions from type to server: mixtures of them, shared or not, are no better."""
    rules = tables(model)
    chosen = _functions(model)
    worth = np.stack([payoff[:, np.arange(len(rules.law)), choice] @ rules.law for choice in chosen], 1)
    return Played(worth.max(1), np.eye(len(rules.actions))[chosen[worth.argmax(1)]])


def _functions(model: Queue) -> Integers:
    """(F, X) joint action at each joint type, of all S^(2 R) tuples of functions from type to server."""
    shape = (model.servers,) * model.routers
    types = tables(model).types.T
    own = list(itertools.product(range(model.servers), repeat=2))
    teams = itertools.product(own, repeat=model.routers)
    servers = ([np.take(f, x) for f, x in zip(team, types, strict=True)] for team in teams)
    return np.stack([np.ravel_multi_index(tuple(chosen), shape) for chosen in servers])


def _communication(model: Queue, payoff: Floats) -> Played:
    """The best joint action for every joint type."""
    return Played(payoff.max(2) @ tables(model).law, np.eye(payoff.shape[2])[payoff.argmax(2)])


def _entangled(model: Queue, payoff: Floats) -> Played:
    """One round for two routers with two types and two servers each."""
    value, strategy = two_by_two.best(_weights(model, payoff))
    local = _classical(model, payoff)
    better = value > local.value
    return Played(
        np.where(better, value, local.value),
        np.where(better[:, None, None], strategy.reshape(payoff.shape), local.strategy),
    )


def _entangled_ceiling(model: Queue, payoff: Floats) -> Floats:
    """As `_entangled`, from above."""
    return np.maximum(two_by_two.ceiling(_weights(model, payoff)), _classical(model, payoff).value)


SOLVERS = {
    "classical": Solver(_classical, lambda model, payoff: _classical(model, payoff).value),
    "entangled": Solver(_entangled, _entangled_ceiling),
    "communication": Solver(_communication, lambda model, payoff: _communication(model, payoff).value),
}


def _weights(model: Queue, payoff: Floats) -> Floats:
    """(K, x, y, a, b) probability of the types times payoff."""
    return (tables(model).law[:, None] * payoff).reshape(-1, 2, 2, 2, 2)
