"""Mixers: from the values of the agents' own actions to the value of the joint action.

Called by `learner`; needed in training only, for an agent acts on its own values. Both are monotone in every agent's
value, so that the best joint action is the agents' best actions. A dead agent's value is 0.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class SumMixer(nn.Module):
    """Q = sum_i Q_i; Sunehag et al. 2018, arXiv:1706.05296, eq. 3."""

    def forward(self, values: Tensor, state: Tensor) -> Tensor:
        """(N, n) values and (N, S) states, which it does not read, to (N,)."""
        return values.sum(-1)


class MonotonicMixer(nn.Module):
    """Q = |w2(s)| elu(|W1(s)| (Q_1 .. Q_n) + b1(s)) + V(s), all weights given by networks of the state.

    Rashid et al. 2018, arXiv:1803.11485, section 4 and appendix: w1 and w2 from two layers, b1 from one, V from two.

    Args:
        state: S.
        agents: n.
        width: hidden units between the agents' values and Q.
        hidden: width of the hidden layers behind W1 and w2; V's is `width`.
    """

    def __init__(self, state: int, agents: int, width: int, hidden: int) -> None:
        super().__init__()
        self.agents, self.width = agents, width
        self._widths = (hidden, hidden, width, width)
        self.first = nn.Linear(state, sum(self._widths))
        """The first layers of W1, w2, V and b1 side by side: one product for four."""
        self.inner_weight = nn.Linear(hidden, agents * width)
        self.outer_weight = nn.Linear(hidden, width)
        self.offset = nn.Linear(width, 1)

    def forward(self, values: Tensor, state: Tensor) -> Tensor:
        """(N, n) values and (N, S) states to (N,)."""
        for_inner, for_outer, for_offset, inner_bias = self.first(state).split(self._widths, -1)
        inner = self.inner_weight(F.relu(for_inner)).abs().view(-1, self.agents, self.width)
        hidden = F.elu(torch.bmm(values.unsqueeze(1), inner).squeeze(1) + inner_bias)
        outer = self.outer_weight(F.relu(for_outer)).abs()
        mixed: Tensor = (hidden * outer).sum(-1) + self.offset(F.relu(for_offset)).squeeze(-1)
        return mixed
