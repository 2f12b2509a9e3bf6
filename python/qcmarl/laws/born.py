"""The law of agents that measure parts of a shared state, each as its own observation tells it.

Made by `coordinator`. States and measurements are real coordinates: a shared state is a tensor T with an axis of V
numbers for each agent, an action is an effect e of V numbers, and the probability of a joint action is T contracted
with an effect for each agent. Quantum parts of dimension D have V = D^2 coordinates, classical ones one for each value
of the shared random variable. The effects of one agent add up to the unit, so that no choice of one agent moves the
law of another: the marginals do not read the others' effects at all.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from qcmarl.laws.law import TINY, Correlation, mean_and_error
from qcmarl.laws.table import TableLaw
from qcmarl.nets import exponential_race

LEAST = 1e-12
"""A probability that rounds to less, or below 0, is taken as this in a logarithm, without a gradient."""
LARGEST_TABLE = 1024
"""Joint actions up to which entropy and total correlation are exact."""


class BornLaw:
    """pi(a) = sum over v_1 .. v_n of T[v_1, .., v_n] e_1[a_1, v_1] .. e_n[a_n, v_n].

    Args:
        state: T, (V, .., V), an axis for each of the n agents.
        unit: (V,), the sum of an agent's effects.
        effects: (M, n, A, V) of the actions; 0 for unavailable ones.
        decisive_effects: makes (M, n, A, V), those of agents who, having measured, take the likeliest action; called by
            `decisive` alone. None: `effects`.

    Source: Born's rule, party by party: the cost is a sum over the agents, of D^(2n) multiplications a sample at most.
    """

    joint = True

    def __init__(
        self, state: Tensor, unit: Tensor, effects: Tensor, decisive_effects: Callable[[], Tensor] | None = None
    ) -> None:
        self.state, self.unit, self.effects = state, unit, effects
        self._decisive_effects = decisive_effects
        self._samples, self._agents, self._actions, _ = effects.shape
        self._table: TableLaw | None = None

    def decisive(self) -> BornLaw:
        """The law of the same team where each agent, having measured, takes its likeliest action; what the measurement
        gives stays random."""
        return self if self._decisive_effects is None else BornLaw(self.state, self.unit, self._decisive_effects())

    def sample(self, generator: torch.Generator) -> Tensor:
        """(M, n) actions: agent by agent, each given those before it."""
        chosen, reached = [], self.state.unsqueeze(0)
        for agent in range(self._agents):
            effects = self.effects[:, agent]
            p = torch.einsum("mav,mv->ma", effects, self._alone(reached))
            # Where those before did what is all but impossible, rounding may leave nothing of every p.
            weights = (p.clamp_min(0.0) + TINY).log().masked_fill(~effects.any(-1), -torch.inf)
            action = exponential_race(weights, generator)
            chosen.append(action)
            reached = contracted(reached, picked(effects, action))
        return torch.stack(chosen, 1)

    def mode(self, generator: torch.Generator) -> Tensor:
        """(M, n) actions of `decisive`, drawn: outcomes are random by nature."""
        return self.decisive().sample(generator)

    def log_prob(self, actions: Tensor) -> Tensor:
        """(M,) log-probability of the joint action."""
        reached = self.state.unsqueeze(0)
        for agent in range(self._agents):
            reached = contracted(reached, picked(self.effects[:, agent], actions[:, agent]))
        return reached.clamp_min(LEAST).log()

    def marginals(self) -> Tensor:
        """(n, M, A) law of each agent's action: its effects on its own part of the state, and nothing else."""
        return torch.stack([self.effects[:, i] @ self.part(i) for i in range(self._agents)])

    def part(self, agent: int) -> Tensor:
        """(V,) what is left of the state where only this agent is asked."""
        left = self.state.movedim(agent, 0)
        for _ in range(self._agents - 1):
            left = left @ self.unit
        return left

    def table(self) -> TableLaw:
        """The law written out in full; A^n joint actions."""
        if self._table is None:
            written = self.state.unsqueeze(0)
            for agent in range(self._agents):
                written = _extended(written, self.effects[:, agent])
            self._table = TableLaw(written.clamp_min(LEAST).log().flatten(1), self._agents, self._actions)
        return self._table

    def entropy_sum(self) -> Tensor:
        """Sum over the samples of the joint entropy, nats; where there are more than `LARGEST_TABLE` joint actions, of
        the marginals' entropies, an upper bound."""
        if self._actions**self._agents <= LARGEST_TABLE:
            return self.table().entropy_sum()
        marginals = self.marginals().clamp_min(LEAST)
        return -(marginals * marginals.log()).sum()

    def correlation(self, generator: torch.Generator, draws: int) -> Correlation:
        """Exact up to `LARGEST_TABLE` joint actions, else estimated from `draws` joint actions a sample."""
        if self._actions**self._agents <= LARGEST_TABLE:
            return self.table().correlation(generator, draws)
        alone = self.marginals().clamp_min(LEAST).log()
        terms = []
        for _ in range(draws):
            actions = self.sample(generator)
            terms.append(self.log_prob(actions) - alone.gather(2, actions.t().unsqueeze(2)).squeeze(2).sum(0))
        return mean_and_error(torch.stack(terms))

    def _alone(self, reached: Tensor) -> Tensor:
        """(M or 1, V) what the next agent measures where those after it are not asked."""
        while reached.dim() > 2:
            reached = reached @ self.unit
        return reached.expand(self._samples, -1)


def picked(effects: Tensor, action: Tensor) -> Tensor:
    """(M, V) effect of the action (M,) among effects (M, A, V)."""
    return effects.gather(1, action.view(-1, 1, 1).expand(-1, 1, effects.shape[-1])).squeeze(1)


def contracted(reached: Tensor, effect: Tensor) -> Tensor:
    """(M, V, .., V) after the next agent's effect (M, V): one axis less than `reached` (M or 1, V, V, .., V)."""
    rest = reached.shape[2:]
    if reached.shape[0] == 1:
        return (effect @ reached.flatten(2).squeeze(0) if rest else (effect @ reached[0])).view(-1, *rest)
    return torch.einsum("mv,mvr->mr", effect, reached.flatten(2) if rest else reached.unsqueeze(2)).view(-1, *rest)


def _extended(written: Tensor, effects: Tensor) -> Tensor:
    """(M, V, .., V, K A) after all actions of the next agent: the axis measured goes, its actions come last.

    Args:
        written: (M or 1, V, V, .., V, K), K joint actions of those before; (1, V, .., V) at first.
        effects: (M, A, V).
    """
    if written.shape[0] == 1:
        written = written.unsqueeze(-1).expand(len(effects), *written.shape[1:], 1)
    rest = written.shape[2:]
    out = effects @ written.flatten(2)
    return out.view(*out.shape[:2], *rest).movedim(1, -1).flatten(-2)
