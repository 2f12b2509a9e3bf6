"""The law of agents that draw by themselves."""

from __future__ import annotations

import torch
from torch import Tensor

from qcmarl.laws.law import Inputs, first_available
from qcmarl.laws.softmax import masked_softmax
from qcmarl.nets import exponential_race


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
