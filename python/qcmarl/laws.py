"""The laws of actions: what a policy says about one batch of samples, and how to draw from it, score and summarise it.

Made by `policies`, used by `rollout`, `evaluate`, `ppo` and `diagnostics`. Actions go in and out as (M, n) integers. An
unavailable action has probability exactly 0 in every law; a dead agent takes its first available action with
probability 1.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from qcmarl.nets import exponential_race
from qcmarl.softmax import UNAVAILABLE, exponential, masked_softmax

TINY = 1e-30


class Inputs(NamedTuple):
    """What a policy reads for M samples of n agents.

    Feed-forward policies get the rows of living agents only. Recurrent ones get sequences, whose dead agents are
    computed and dropped at the end; `M = L * chunks` then, with the step of the chunk as the slow axis.
    """

    x: Tensor
    """(R, F) normalised features of the living agents; (L, chunks * n, F) for a recurrent policy."""
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


class IndependentLaw:
    """Every living agent draws for itself: a masked softmax per row.

    Args:
        logits: (R, A).
        inputs: the batch that the logits belong to.
    """

    joint = False

    def __init__(self, logits: Tensor, inputs: Inputs) -> None:
        self._inputs = inputs
        avail = inputs.avail.flatten(0, 1).index_select(0, inputs.rows)
        self.log_probs, self._probs = masked_softmax(logits, avail)

    def sample(self, generator: torch.Generator) -> Tensor:
        """(M, n) actions drawn from the law."""
        return self._everyone(exponential_race(self.log_probs, generator))

    def mode(self, generator: torch.Generator) -> Tensor:
        """(M, n) most probable actions; the generator is not used."""
        return self._everyone(self.log_probs.argmax(-1))

    def log_prob(self, actions: Tensor) -> Tensor:
        """(R,) log-probability of each living agent's action."""
        chosen = actions.flatten().index_select(0, self._inputs.rows)
        return self.log_probs.gather(1, chosen.unsqueeze(1)).squeeze(1)

    def entropy_sum(self) -> Tensor:
        """Sum of the rows' entropies, nats."""
        return -(self._probs * self.log_probs).sum()

    def _everyone(self, chosen: Tensor) -> Tensor:
        actions = first_available(self._inputs.avail)
        actions.view(-1)[self._inputs.rows] = chosen
        return actions


class OutcomeLaw:
    """One outcome z of a measurement is shared, and the agents draw independently given it.

    pi(a) = sum_z p(z) prod_i softmax_a(g_i(a_i) + W_i[z, a_i]), restricted to the available actions. The normaliser of
    every (sample, agent, outcome) comes from one matrix product, exp(g) times exp(W): nothing of size M n Z A is built.
    Exact in float32 while the logits of an agent's actions lie within 60 nats of each other.

    Args:
        p: (M, Z) law of the outcome.
        g: (M, n, A) logits that do not depend on the outcome.
        coupling: W, (n, Z, A).
        avail: (M, n, A) bool.
    """

    joint = True

    def __init__(self, p: Tensor, g: Tensor, coupling: Tensor, avail: Tensor) -> None:
        self.p = p
        self._coupling = coupling
        self._avail = avail.transpose(0, 1)
        masked = g.transpose(0, 1).masked_fill(~self._avail, UNAVAILABLE)
        self._g = masked - masked.amax(-1, keepdim=True).detach()
        self._w = coupling - coupling.amax(-1, keepdim=True).detach()
        self._exp_g = exponential(self._g)
        self._exp_w = self._w.exp()
        self._norm = torch.bmm(self._exp_g, self._exp_w.transpose(1, 2)) + TINY

    def sample(self, generator: torch.Generator) -> Tensor:
        """(M, n) actions: one outcome per sample, then each agent's draw given it."""
        return exponential_race(self._given(self._draw_outcome(generator)), generator).t().contiguous()

    def mode(self, generator: torch.Generator) -> Tensor:
        """(M, n) most probable actions given one drawn outcome per sample."""
        return self._given(self._draw_outcome(generator)).argmax(-1).t().contiguous()

    def log_prob(self, actions: Tensor) -> Tensor:
        """(M,) exact log-probability of the joint action."""
        chosen = self._one_hot(actions)
        g = (self._g * chosen).sum(-1, keepdim=True)
        w = torch.bmm(chosen, self._w.transpose(1, 2))
        given_outcome = (g + w - self._norm.log()).sum(0)
        return torch.logsumexp((self.p + TINY).log() + given_outcome, -1)

    def marginals(self) -> Tensor:
        """(n, M, A) law of each agent's action with the outcome summed out."""
        return self._exp_g * torch.bmm(self.p / self._norm, self._exp_w)

    def entropy_sum(self) -> Tensor:
        """Sum of the entropies of the agents' marginals, nats: an upper bound of the joint entropy, which has no
        closed form."""
        marginals = self.marginals()
        return -(marginals * (marginals + TINY).log()).sum()

    def total_correlation(self, actions: Tensor) -> Tensor:
        """(M,) log pi(a) - sum_i log pi_i(a_i): its mean over actions drawn from the law is the conditional total
        correlation."""
        marginals = (self.marginals() * self._one_hot(actions)).sum(-1)
        return self.log_prob(actions) - (marginals + TINY).log().sum(0)

    def correlation(self, generator: torch.Generator, draws: int) -> Correlation:
        """Monte Carlo with exact log-probabilities: free of the plug-in estimator's bias, and it may come out slightly
        negative where the truth is 0. M * draws must be at least 2."""
        return mean_and_error(torch.stack([self.total_correlation(self.sample(generator)) for _ in range(draws)]))

    def _one_hot(self, actions: Tensor) -> Tensor:
        return F.one_hot(actions.t(), self._g.shape[-1]).to(self._g.dtype)

    def _draw_outcome(self, generator: torch.Generator) -> Tensor:
        return exponential_race((self.p + TINY).log(), generator)

    def _given(self, outcome: Tensor) -> Tensor:
        return self._g + self._coupling[:, outcome].masked_fill(~self._avail, 0.0)


def entropy(p: Tensor) -> Tensor:
    """Entropy in nats of laws (..., K) along the last axis."""
    return -(p * (p + TINY).log()).sum(-1)


def mean_and_error(terms: Tensor) -> Correlation:
    """Mean of the terms and its standard error."""
    return Correlation(terms.mean().item(), terms.std().item() / terms.numel() ** 0.5)


def first_available(avail: Tensor) -> Tensor:
    """(M, n) index of the first available action: what a dead agent, whose only action is the first, does."""
    return avail.int().argmax(-1)
