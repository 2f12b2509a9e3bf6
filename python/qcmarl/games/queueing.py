"""Routers that cannot talk, servers, and lines of work: the model of `queue:2x2`, and what a policy earns in it.

Called by `queueing_bounds`, `queueing_exact` and `envs.queue`. NumPy only. Nothing is sampled: `evaluate` carries the
law of the backlogs from step to step. Axis letters: R routers, S servers, L lines, X = 2^R joint types, A = S^R joint
actions (the last router's fastest), K joint backlogs, T steps.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

TOLERANCE = 1e-5
"""How far probabilities may be from adding up to 1: those of a policy come in single precision."""
LARGEST_TABLE = 1 << 24
"""Numbers of a table of joint backlogs, types and actions, 128 MiB."""


@dataclass(frozen=True)
class Queue:
    """Rules of the queueing task; docs/queueing.md tells them at length.

    In every step each router gets a packet, heavy with probability `heavy`, and sends it to a server. A server that is
    sent m > 0 packets, h of them heavy, opens one session for them: 1 + swaps max(h - 1, 0) units of work, which join
    the line it feeds. A line that holds `capacity` units or more when the step begins turns all of it away. Then every
    server works off a unit of its line with probability `service`.

    Raises:
        TypeError, ValueError: a parameter that is of another kind or out of range, or tables that grow too large.
    """

    routers: int = 2
    """R (>= 1)."""
    servers: int = 2
    """S (>= 1)."""
    lines: Literal["shared", "own"] = "shared"
    """One line, which all servers feed and work off, or one of its own for each server."""
    capacity: int = 8
    """Units of work in a line from which on it is full (>= 1)."""
    service: float = 0.65
    """Probability that a server works off a unit in a step, 0 < service <= 1."""
    heavy: float = 0.5
    """Probability that a packet is heavy, 0..1."""
    swaps: int = 2
    """Units that each heavy packet of a session beyond the first one costs (>= 0)."""
    holding: float = 0.5
    """What a step costs in which the lines are full at its end, in packets' shares; in proportion below (>= 0)."""
    horizon: int = 50
    """T, steps of an episode (>= 1)."""

    def __post_init__(self) -> None:
        for name, least in (("routers", 1), ("servers", 1), ("capacity", 1), ("swaps", 0), ("horizon", 1)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int):
                raise TypeError(f"{name} must be an integer, not {value!r}")
            if value < least:
                raise ValueError(f"{name} is {value}; it must be at least {least}")
        if self.lines not in ("shared", "own"):
            raise ValueError(f"lines is {self.lines!r}; it must be 'shared' or 'own'")
        if not 0 < self.service <= 1:
            raise ValueError(f"service is {self.service}; it must be above 0 and at most 1")
        if not 0 <= self.heavy <= 1:
            raise ValueError(f"heavy is {self.heavy}; it must be in 0..1")
        if not 0 <= self.holding < math.inf:
            raise ValueError(f"holding is {self.holding}; it must be at least 0")
        size = self.levels**self.n_lines * 2**self.routers * self.servers**self.routers
        if size > LARGEST_TABLE:
            raise ValueError(f"the tables would have {size:,} numbers; at most {LARGEST_TABLE:,} can be handled")

    @property
    def n_lines(self) -> int:
        """L."""
        return 1 if self.lines == "shared" else self.servers

    @property
    def levels(self) -> int:
        """Backlogs that a line can have, 0..levels - 1: one that is not full may take up the worst of a step."""
        return self.capacity + self.most_work

    @property
    def most_work(self) -> int:
        """Units that may join one line in a step: all packets heavy, in one session or in as many as can be."""
        split = 1 if self.lines == "own" else min(self.routers, self.servers)
        return max(opened + self.swaps * (self.routers - opened) for opened in (1, split))


MODELS = {"2x2": Queue(), "2x2-own": Queue(lines="own", capacity=5, holding=1.0)}
"""Tasks by the names that `envs.make` takes after `queue:`; docs/queueing.md says how their numbers were chosen."""


class Tables(NamedTuple):
    """The rules written out."""

    types: Integers
    """(X, R) 1 where the router's packet is heavy."""
    actions: Integers
    """(A, R) server that each router chooses."""
    law: Floats
    """(X,) probability of the joint types."""
    work: Integers
    """(X, A, S) units of the session that each server opens."""
    backlogs: Integers
    """(K, L) units in each line."""
    accepted: Floats
    """(K, A) packets taken up."""
    after: Integers
    """(K, X, A) index of the joint backlog when the sessions have joined, before service."""
    drain: Floats
    """(K, K) probability of each joint backlog after service."""
    reward: Floats
    """(K, X, A) expected reward."""
    patience: Floats
    """(K, X, A) steps that the packets taken up will wait, summed over them, expected."""
    coordinated: Bools
    """(X, A) whether no other joint action would make less work of these packets."""


@cache
def tables(model: Queue) -> Tables:
    """Write the rules out; the arrays cannot be written to."""
    types = _tuples(2, model.routers)
    actions = _tuples(model.servers, model.routers)
    law = np.where(types == 1, model.heavy, 1 - model.heavy).prod(1)
    sent = actions[:, :, None] == np.arange(model.servers)
    work = sessions(model, sent.sum(1), np.einsum("xr,ars->xas", types, sent))
    feeds = _feeds(model)
    backlogs = _tuples(model.levels, model.n_lines)
    admitted = backlogs < model.capacity
    accepted = admitted @ (sent.sum(1) @ feeds).T.astype(float)
    joined = backlogs[:, None, None] + admitted[:, None, None] * (work @ feeds)
    after = np.ravel_multi_index(tuple(np.moveaxis(joined, -1, 0)), (model.levels,) * model.n_lines)
    drain = _drain(model)
    cost = model.holding * (drain @ backlogs.sum(1)) / (model.capacity * model.n_lines)
    reward = accepted[:, None] / model.routers - cost[after]
    total = work.sum(-1)
    found = Tables(
        types,
        actions,
        law,
        work,
        backlogs,
        accepted,
        after,
        drain,
        reward,
        _patience(model, sent.sum(1), work, backlogs),
        total == total.min(1, keepdims=True),
    )
    for array in found:
        array.setflags(write=False)
    return found


def sessions(model: Queue, packets: npt.NDArray[Any], heavy: npt.NDArray[Any]) -> Integers:
    """Units of work of sessions with so many packets, so many of them heavy; arrays of any shapes that go together."""
    units: Integers = np.where(packets > 0, 1 + model.swaps * np.maximum(heavy - 1, 0), 0).astype(np.int64)
    return units


def line_of(model: Queue) -> Integers:
    """(S,) the line that each server feeds and works off."""
    servers: Integers = np.arange(model.servers)
    return servers if model.n_lines > 1 else 0 * servers


def worked_off(model: Queue) -> Floats:
    """(W + 1,) probability that a line's servers work off 0, 1, ... units in a step, if it holds as many."""
    hands, p = model.servers // model.n_lines, model.service
    return np.array([math.comb(hands, k) * p**k * (1 - p) ** (hands - k) for k in range(hands + 1)])


def waits(model: Queue) -> Floats:
    """(levels,) expected steps at whose end the unit at place 0, 1, ... of a line is still there, place 0 being none.

    w(b) = sum over k < b of P(k) (1 + w(b - k)), with P from `worked_off`.
    """
    law = worked_off(model)
    w = np.zeros(model.levels)
    for b in range(1, model.levels):
        ahead = range(1, min(b, len(law)))
        stays = law[0] + sum(law[k] * (1 + w[b - k]) for k in ahead)
        w[b] = stays / (1 - law[0])
    return w


class Rates(NamedTuple):
    """What a policy earns in an episode, in expectation."""

    episode_return: float
    """Sum of the rewards."""
    throughput: float
    """Share of the packets that are taken up."""
    backlog: float
    """Mean units of work in all lines at the end of a step."""
    waiting_time: float
    """Mean steps at whose end a packet that was taken up still waits for its session to be done, first come, first
    served; those that the episode's end cuts short count in full."""
    coordination: float
    """Share of the steps in which no other joint action would have made less work: the winning probability of the
    one-step game."""


def evaluate(model: Queue, strategy: Any) -> Rates:
    """Expected rates of a policy that depends on the backlogs and, maybe, on the last joint action.

    Args:
        model: the rules.
        strategy: p(a given x, backlogs), (K, X, A), or (1 + A, K, X, A) with the last joint action first: 0 at the
            start of an episode, then 1 + its index.

    Returns:
        the rates of an episode that begins with empty lines.

    Raises:
        ValueError: another shape, or laws that are no laws (within 1e-5).
    """
    p = np.asarray(strategy, np.float64)
    shape = tables(model).reward.shape
    if p.shape not in (shape, (1 + shape[2], *shape)):
        raise ValueError(f"the strategy has shape {p.shape}; it must be {shape} or {(1 + shape[2], *shape)}")
    if not np.isfinite(p).all() or p.min() < -TOLERANCE or np.abs(p.sum(-1) - 1).max() > TOLERANCE:
        raise ValueError("the strategy is no law of actions: at each of them they are >= 0 and add up to 1")
    return _rates(model, itertools.repeat(p.reshape(-1, *shape), model.horizon))


def follow(model: Queue, plan: Sequence[Any]) -> Rates:
    """Expected rates of a plan for each step, T strategies (K, X, A) such as those of `queueing_bounds.best`."""
    if len(plan) != model.horizon:
        raise ValueError(f"the plan has {len(plan)} steps; an episode has {model.horizon}")
    return _rates(model, (np.asarray(strategy, np.float64)[None] for strategy in plan))


def _rates(model: Queue, strategies: Iterable[Floats]) -> Rates:
    """Rates of strategies (H, K, X, A), H being 1 + A or 1."""
    rules = tables(model)
    actions = len(rules.actions)
    units = rules.backlogs.sum(1).astype(float)
    gained = np.zeros(5)
    for step, strategy in enumerate(strategies):
        if step == 0:
            where = np.zeros(strategy.shape[:2])
            where[0, 0] = 1.0
        joint = np.einsum("hk,x,hkxa->kxa", where, rules.law, strategy)
        moved = np.zeros((actions, len(units)))
        np.add.at(moved, (np.arange(actions), rules.after), joint)
        moved = moved @ rules.drain
        where = moved.sum(0, keepdims=True)
        gained += [
            (joint * rules.reward).sum(),
            (joint.sum(1) * rules.accepted).sum(),
            where[0] @ units,
            (joint * rules.patience).sum(),
            (joint.sum(0) * rules.coordinated).sum(),
        ]
        if len(strategy) > 1:
            where = np.concatenate([np.zeros_like(where), moved])
    total, accepted, waiting, patience, coordinated = (float(sum_) for sum_ in gained)
    steps = model.horizon
    return Rates(
        total, accepted / (steps * model.routers), waiting / steps, patience / accepted, coordinated / steps
    )  # the first step takes up all


def _tuples(values: int, length: int) -> Integers:
    """(values^length, length) all tuples of numbers below `values`, the last one the fastest."""
    found: Integers = np.stack([axis.ravel() for axis in np.indices((values,) * length)], 1).astype(np.int64)
    return found


def _feeds(model: Queue) -> Integers:
    """(S, L) 1 where the server feeds the line."""
    return np.eye(model.n_lines, dtype=np.int64)[line_of(model)]


def _drain(model: Queue) -> Floats:
    """(K, K) service of all lines, which are independent."""
    one = np.zeros((model.levels, model.levels))
    for b in range(model.levels):
        for k, p in enumerate(worked_off(model)):
            one[b, max(b - k, 0)] += p
    every: Floats = np.ones((1, 1))
    for _ in range(model.n_lines):
        every = np.kron(every, one).astype(np.float64)
    return every


def _patience(model: Queue, packets: npt.NDArray[Any], work: Integers, backlogs: Integers) -> Floats:
    """(K, X, A) expected waits of the packets taken up, summed; sessions join a line in the order of their servers."""
    w = waits(model)
    total = np.zeros((len(backlogs), *work.shape[:2]))
    place = np.broadcast_to(backlogs[:, None, None], (*total.shape, model.n_lines)).copy()
    for server, line in enumerate(line_of(model)):
        admitted = backlogs[:, None, None, line] < model.capacity
        place[..., line] += admitted * work[..., server]
        total += admitted * packets[:, server] * w[place[..., line]]
    return total
