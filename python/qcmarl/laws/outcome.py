"""The law of agents that share one measured outcome."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from qcmarl.laws.law import TINY, Correlation, mean_and_error
from qcmarl.laws.softmax import UNAVAILABLE, exponential
from qcmarl.nets import exponential_race


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
