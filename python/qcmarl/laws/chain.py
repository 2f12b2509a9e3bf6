"""The law of agents that choose one after another, each knowing what those before it chose.

Made by `algos.autoregressive`. Scoring joint actions is one pass for all agents, drawing them one pass per agent.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from qcmarl.laws.law import Correlation, entropy, mean_and_error
from qcmarl.laws.softmax import masked_softmax
from qcmarl.laws.table import TableLaw
from qcmarl.nets import exponential_race, normalised

MOST_ROWS = 1 << 18
"""Rows (samples times actions of all agents but the last) of the last pass in which a law is written out in full."""
PREFIXES = 64
"""S, joint actions drawn at a sample to estimate its total correlation."""

Choice = Callable[[Tensor], Tensor]
"""From log-probabilities (M, A) to actions (M,)."""


class ChainLaw:
    """pi(a) = prod_i pi_i(a_i given o, a_1 .. a_{i-1}), every factor a masked softmax of

    head(LayerNorm(ReLU(seen_i + sum of told_j[a_j] over j < i))).

    Args:
        seen: (M, n, H) what each agent makes of the observations.
        told: (n, A, H) what each agent's action tells the later ones.
        head: H numbers to A logits.
        avail: (M, n, A) bool.
    """

    joint = True

    def __init__(self, seen: Tensor, told: Tensor, head: nn.Linear, avail: Tensor) -> None:
        self._seen, self._told, self._head, self._avail = seen, told, head, avail
        self._agents, self._actions = avail.shape[1:]
        self._entropies: Tensor | None = None

    def sample(self, generator: torch.Generator) -> Tensor:
        """(M, n) actions, drawn agent by agent."""
        return self._in_turn(lambda log_probs: exponential_race(log_probs, generator))

    def mode(self, generator: torch.Generator) -> Tensor:
        """(M, n) each agent's most probable action given those before; the generator is not used."""
        return self._in_turn(lambda log_probs: log_probs.argmax(-1))

    def log_prob(self, actions: Tensor) -> Tensor:
        """(M,) log-probability of the joint action; `entropy_sum` is about the actions scored last."""
        log_probs, p = self.conditionals(actions)
        self._entropies = -(p * log_probs).sum((1, 2))
        return log_probs.gather(2, actions.unsqueeze(-1)).squeeze(-1).sum(1)

    def conditionals(self, actions: Tensor) -> tuple[Tensor, Tensor]:
        """(M, n, A) log-probabilities and probabilities of each agent's actions given what those before it chose."""
        return self._given(self._seen + self._heard(actions), self._avail)

    def entropy_sum(self) -> Tensor:
        """Sum over the samples of sum_i H_i along the joint actions scored last, H_i = H(pi_i given a_1 .. a_{i-1}),
        nats.

        Where those actions were drawn from this law, the value is by the chain rule an unbiased estimate of the joint
        entropy. The gradient is not one of its gradient: the actions are held fixed, so that
        sum_i grad log pi_i * sum_{j>i} H_j is missing, and an earlier agent gets no credit for the entropy of later
        ones that its choice leads to.
        """
        assert self._entropies is not None, "log_prob says along which actions"
        return self._entropies.sum()

    def table(self) -> TableLaw:
        """The law written out in full."""
        samples = len(self._seen)
        log_probs = self._seen.new_zeros(samples, 1)
        heard = self._seen.new_zeros(samples, 1, self._seen.shape[-1])
        for agent in range(self._agents):
            own, _ = self._given(self._seen[:, agent : agent + 1] + heard, self._avail[:, agent : agent + 1])
            log_probs = (log_probs.unsqueeze(2) + own).flatten(1)
            if agent + 1 < self._agents:
                heard = (heard.unsqueeze(2) + self._told[agent]).flatten(1, 2)
        return TableLaw(log_probs, self._agents, self._actions)

    def correlation(self, generator: torch.Generator, draws: int) -> Correlation:
        """Exact where the law can be written out, else estimated, with `PREFIXES` joint actions at each sample."""
        if len(self._seen) * self._actions ** (self._agents - 1) <= MOST_ROWS:
            return self.table().correlation(generator, draws)
        return mean_and_error(self.estimated_total_correlation(generator))

    def estimated_total_correlation(self, generator: torch.Generator) -> Tensor:
        """(M,) sum over the agents of the information that the choices before an agent's have about its own.

        Of each agent the entropy of its mean law over S draws of what it may hear, less the mean of their entropies,
        times S / (S - 1): for small differences between those laws that undoes the bias of the mean, which was
        estimated from the same draws.
        """
        mean, conditional = self._seen.new_zeros(()), self._seen.new_zeros(())
        for _ in range(PREFIXES):
            _, p = self.conditionals(self.sample(generator))
            mean, conditional = mean + p / PREFIXES, conditional + entropy(p) / PREFIXES
        return (entropy(mean) - conditional).sum(1) * (PREFIXES / (PREFIXES - 1))

    def _heard(self, actions: Tensor) -> Tensor:
        """(M, n, H) what every agent hears from those before it."""
        chosen = F.one_hot(actions.t(), self._actions).to(self._told.dtype)
        told = torch.bmm(chosen, self._told)
        return (told.cumsum(0) - told).transpose(0, 1)

    def _given(self, hidden: Tensor, avail: Tensor) -> tuple[Tensor, Tensor]:
        """(..., A) log-probabilities and probabilities of hidden sums (..., H)."""
        return masked_softmax(self._head(normalised(F.relu(hidden))), avail)

    def _in_turn(self, choose: Choice) -> Tensor:
        chosen, heard = [], torch.zeros_like(self._seen[:, 0])
        for agent in range(self._agents):
            action = choose(self._given(self._seen[:, agent] + heard, self._avail[:, agent])[0])
            chosen.append(action)
            heard = heard + self._told[agent][action]
        return torch.stack(chosen, 1)
