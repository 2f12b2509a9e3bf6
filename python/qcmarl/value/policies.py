"""Actors of the value-based algorithms: each agent values its own actions, and is greedy or epsilon-greedy in them.

Built by `algos.qmix` and `algos.vdn`, used by `rollout.Player`, `evaluate` and, for the values, by `learner`. Weights
are shared by the agents.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from qcmarl.buffer import Sizes
from qcmarl.laws import IndependentLaw, Inputs, Law
from qcmarl.laws.softmax import UNAVAILABLE
from qcmarl.nets import Trunk, unrolled
from qcmarl.policies import Policy


class EpsilonGreedyLaw(IndependentLaw):
    """Every living agent takes its best available action, or with probability epsilon any of the available ones.

    Args:
        values: (R, A) of the living agents' actions.
        inputs: the batch that the values belong to.
        epsilon: a scalar within 0..1.
    """

    def __init__(self, values: Tensor, inputs: Inputs, epsilon: Tensor) -> None:
        avail = inputs.avail.flatten(0, 1).index_select(0, inputs.rows)
        self._best = values.masked_fill(~avail, -torch.inf).argmax(-1)
        share = epsilon / avail.sum(-1, keepdim=True)
        p = (avail * share).scatter_add(1, self._best.unsqueeze(1), (1 - epsilon).expand(len(avail), 1))
        super().__init__(p.log().clamp_min(UNAVAILABLE), inputs)

    def mode(self, generator: torch.Generator) -> Tensor:
        """(M, n) best actions, whatever epsilon; the generator is not used."""
        return self._everyone(self._best)


class ValuePolicy(Policy):
    """What both actors share: epsilon, which a checkpoint keeps, and the law."""

    def __init__(self) -> None:
        super().__init__()
        self.epsilon: Tensor
        self.register_buffer("epsilon", torch.ones(()))

    def values(self, x: Tensor, rows: Tensor, widths: list[int]) -> Tensor:
        """Values of the actions along whole episodes, from their beginning.

        Args:
            x: features, of the living agents (R, F) for a feed-forward actor, of all of them (N * n, F) for a recurrent
                one.
            rows: (R,) `sample * n + agent` of each living agent.
            widths: at each time, the number of episodes that last that long, not increasing; they add up to N. Samples
                are in the order of time, the longest episode first.

        Returns:
            (R, A).
        """
        raise NotImplementedError


class FeedForwardValues(ValuePolicy):
    """From the agent's features of this step: a trunk of two layers, then a value per action.

    Args:
        features: F.
        actions: A.
        hidden: width of both layers.
    """

    def __init__(self, features: int, actions: int, hidden: int) -> None:
        super().__init__()
        self.trunk = Trunk(features, (hidden, hidden))
        self.head = nn.Linear(hidden, actions)

    def forward(self, inputs: Inputs) -> tuple[Law, Tensor | None]:
        """An epsilon-greedy law."""
        return EpsilonGreedyLaw(self.head(self.trunk(inputs.x)), inputs, self.epsilon), None

    def values(self, x: Tensor, rows: Tensor, widths: list[int]) -> Tensor:
        """(R, A); the past is not looked at."""
        values: Tensor = self.head(self.trunk(x))
        return values


class RecurrentValues(ValuePolicy):
    """From the agent's history: Linear, ReLU, a GRU, then a value per action (Rashid et al. 2018, appendix).

    Args:
        features: F.
        actions: A.
        hidden: width of the layer and of the memory.
    """

    def __init__(self, features: int, actions: int, hidden: int) -> None:
        super().__init__()
        self.memory = hidden
        self.first = nn.Linear(features, hidden)
        self.gru = nn.GRUCell(hidden, hidden)
        self.head = nn.Linear(hidden, actions)

    def forward(self, inputs: Inputs) -> tuple[Law, Tensor | None]:
        """An epsilon-greedy law; memory is emptied where `inputs.start` says that an episode begins."""
        assert inputs.start is not None
        assert inputs.hidden is not None
        outputs, hidden = unrolled(self.gru, F.relu(self.first(inputs.x)), inputs.start, inputs.hidden)
        living = outputs.index_select(0, inputs.rows)
        return EpsilonGreedyLaw(self.head(living), inputs, self.epsilon), hidden

    def values(self, x: Tensor, rows: Tensor, widths: list[int]) -> Tensor:
        """(R, A); every memory starts empty."""
        agents, outputs = len(x) // sum(widths), []
        gates = F.linear(F.relu(self.first(x)), self.gru.weight_ih, self.gru.bias_ih)
        hidden = x.new_zeros(widths[0] * agents, self.memory)
        for incoming in gates.split_with_sizes([width * agents for width in widths]):
            hidden = self._remember(incoming, hidden[: len(incoming)])
            outputs.append(hidden)
        values: Tensor = self.head(torch.cat(outputs).index_select(0, rows))
        return values

    def _remember(self, incoming: Tensor, hidden: Tensor) -> Tensor:
        """The GRU's step with its input (K, 3 H) already multiplied, for all steps at once: torch's own, on sequences
        of different lengths, spends most of its backward pass on zeros."""
        recurrent = F.linear(hidden, self.gru.weight_hh, self.gru.bias_hh)
        both = 2 * self.memory
        reset, update = torch.sigmoid(incoming[:, :both] + recurrent[:, :both]).chunk(2, 1)
        proposed = torch.tanh(torch.addcmul(incoming[:, both:], reset, recurrent[:, both:]))
        return torch.lerp(proposed, hidden, update)


def build_values(sizes: Sizes, hidden: int, recurrent: bool) -> ValuePolicy:
    """An actor, freshly initialised from torch's global generator."""
    kind = RecurrentValues if recurrent else FeedForwardValues
    return kind(sizes.features, sizes.actions, hidden)
