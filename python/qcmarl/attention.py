"""Attention among the agents of a team: the living take their places in a grid of teams, ask and are answered.

Called by the algorithms whose agents read each other (`attention_mappo`, `g2anet`, `tarmac`). Linear layers run on the
rows of living agents alone, only the pairs are computed in the grid; whoever is dead neither asks nor answers, exactly.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from qcmarl.laws import Inputs
from qcmarl.laws.softmax import UNAVAILABLE


class Teams:
    """Who of M teams of n agents is alive, and the way from the rows of the living into the grid and back.

    Args:
        inputs: of a feed-forward policy.
    """

    def __init__(self, inputs: Inputs) -> None:
        self.samples, self.agents, self._rows = inputs.samples, inputs.agents, inputs.rows
        self._full = len(inputs.rows) == self.samples * self.agents
        alive = torch.zeros(self.samples * self.agents, dtype=torch.bool, device=inputs.rows.device)
        self.alive = alive.index_fill_(0, inputs.rows, True).view(self.samples, self.agents)
        """(M, n) bool."""

    def seated(self, living: Tensor) -> Tensor:
        """(R, d) of the living to (M, n, d), 0 where an agent is dead."""
        if not self._full:
            grid = living.new_zeros(self.samples * self.agents, living.shape[-1])
            living = grid.index_add_(0, self._rows, living)
        return living.view(self.samples, self.agents, -1)

    def rows(self, grid: Tensor) -> Tensor:
        """(M, n, d) to (R, d) of the living."""
        flat = grid.flatten(0, 1)
        return flat if self._full else flat.index_select(0, self._rows)

    def answering(self, to_oneself: bool = True) -> Tensor:
        """What is added to the scores of those who may answer: (M, 1, n) of 0 and `UNAVAILABLE`.

        Args:
            to_oneself: whether an agent answers itself; if not, the shape is (M, n, n).
        """
        silent = ~self.alive.unsqueeze(1)
        if not to_oneself:
            silent = silent | torch.eye(self.agents, dtype=torch.bool, device=silent.device)
        return torch.zeros(silent.shape, device=silent.device).masked_fill_(silent, UNAVAILABLE)


def attention_weights(queries: Tensor, keys: Tensor, answering: Tensor) -> tuple[Tensor, Tensor]:
    """softmax(q_i . k_j / sqrt(c)) over j as a numerator and its sum over j.

    Where nobody may answer all n have equal weight. Written out because torch's softmax takes 140 ns a row however
    short the row is, nine times as long as this for 8 agents; in powers of 2 because exp takes four times as long as
    exp2, and ten times where it underflows.

    Args:
        queries: (G, n, c).
        keys: (G, n, c).
        answering: (G, 1 or n, n) as from `Teams.answering`.

    Returns:
        numerators (G, n, n) in 0..1, sums (G, n, 1) >= 1.
    """
    scale = math.log2(math.e) / math.sqrt(queries.shape[-1])
    scores = torch.baddbmm(answering, queries, keys.transpose(1, 2), alpha=scale)
    weights = (scores - scores.amax(-1, keepdim=True).detach()).exp2()
    return weights, weights.sum(-1, keepdim=True)


def attend(queries: Tensor, keys: Tensor, values: Tensor, answering: Tensor) -> Tensor:
    """sum_j softmax_j(q_i . k_j / sqrt(c)) v_j, arguments as of `attention_weights`, values (G, n, d); (G, n, d).

    Source: Vaswani et al. 2017, arXiv:1706.03762, eq. 1.
    """
    weights, total = attention_weights(queries, keys, answering)
    return torch.bmm(weights, values) / total
