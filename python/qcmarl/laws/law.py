"""The laws of actions: what a policy says about one batch of samples, and how to draw from it, score and summarise it.

Actions go in and out as (M, n) integers. An unavailable action has probability exactly 0 in every law; a dead agent
takes its first available action with probability 1.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import torch
from torch import Tensor

TINY = 1e-30


class Inputs(NamedTuple):
    """What a policy reads for M samples of n agents.

    Feed-forward policies get the rows of living agents only. Recurrent ones get sequences, whose dead agents are
    computed and dropped at the end; `M = L * chunks` then, with the step of the chunk as the slow axis.
    """

    x: Tensor
    """(R, F) features of the living agents, as `Player` makes them; (L, chunks * n, F) for a recurrent policy."""
    avail: Tensor
    """(M, n, A) bool."""
    rows: Tensor
    """(R,) `sample * n + agent` of each living agent."""
    start: Tensor | None = None
    """(L, chunks * n) bool: the first step of an episode, where memory is empty (recurrent)."""
    hidden: Tensor | None = None
    """(chunks * n, H) memory before the first step (recurrent)."""
    generator: torch.Generator | None = None
    """The source of what the policy itself draws, before any action: `Policy.draws`. Without one it draws nothing."""

    @property
    def samples(self) -> int:
        """M."""
        return self.avail.shape[0]

    @property
    def agents(self) -> int:
        """n."""
        return self.avail.shape[1]


class Law(Protocol):
    """The law of the joint action at each of M samples."""

    joint: bool
    """True where `log_prob` is that of the joint action (M,), False where it is each living agent's (R,)."""

    def sample(self, generator: torch.Generator) -> Tensor:
        """(M, n) actions drawn from the law."""

    def mode(self, generator: torch.Generator) -> Tensor:
        """(M, n) greedy actions."""

    def log_prob(self, actions: Tensor) -> Tensor:
        """(M,) or (R,) log-probability of actions (M, n)."""

    def entropy_sum(self) -> Tensor:
        """Sum over the batch of the living agents' entropies in nats, a scalar."""


class Correlation(NamedTuple):
    """Conditional total correlation of a joint law, sum_i H(pi_i) - H(pi), averaged over its samples, in nats."""

    mean: float
    error: float
    """Standard error of `mean` from the draws; 0 where nothing was drawn."""


class JointLaw(Law, Protocol):
    """A law that need not factorise over the agents."""

    def correlation(self, generator: torch.Generator, draws: int) -> Correlation:
        """Exact where the law can be enumerated, else estimated from `draws` joint actions per sample (>= 1)."""


def entropy(p: Tensor) -> Tensor:
    """Entropy in nats of laws (..., K) along the last axis."""
    return -(p * (p + TINY).log()).sum(-1)


def mean_and_error(terms: Tensor) -> Correlation:
    """Mean of the terms and its standard error."""
    return Correlation(terms.mean().item(), terms.std().item() / terms.numel() ** 0.5)


def first_available(avail: Tensor) -> Tensor:
    """(M, n) index of the first available action: what a dead agent, whose only action is the first, does."""
    return avail.int().argmax(-1)
