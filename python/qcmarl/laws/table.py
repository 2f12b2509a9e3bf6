"""A law written out in full: the log-probability of every joint action of a small team.

Made by `register` and by `chain`; sampling, entropy, marginals and correlation are exact.
"""

from __future__ import annotations

import torch
from torch import Tensor

from qcmarl.laws.law import Correlation, entropy
from qcmarl.laws.softmax import exponential


class TableLaw:
    """The law of the joint action of n agents with A actions each.

    Args:
        log_probs: (M, A^n), the last agent's action the fastest; `UNAVAILABLE` or below where one cannot be done.
        agents: n.
        actions: A.
    """

    joint = True

    def __init__(self, log_probs: Tensor, agents: int, actions: int) -> None:
        self.log_probs, self.agents, self.actions = log_probs, agents, actions

    def sample(self, generator: torch.Generator) -> Tensor:
        """(M, n) actions drawn from the law."""
        return self._decoded(drawn(exponential(self.log_probs), generator))

    def mode(self, generator: torch.Generator) -> Tensor:
        """(M, n) most probable joint actions; the generator is not used."""
        return self._decoded(self.log_probs.argmax(-1))

    def log_prob(self, actions: Tensor) -> Tensor:
        """(M,) exact log-probability of the joint action."""
        code = actions[:, 0]
        for agent in range(1, self.agents):
            code = code * self.actions + actions[:, agent]
        return self.log_probs.gather(1, code.unsqueeze(1)).squeeze(1)

    def marginals(self) -> Tensor:
        """(n, M, A) law of each agent's action, whatever the others do."""
        table = exponential(self.log_probs).view(-1, *[self.actions] * self.agents)
        axes = range(1, self.agents + 1)
        return torch.stack([torch.einsum(table, [0, *axes], [0, agent]) for agent in axes])

    def entropy_sum(self) -> Tensor:
        """Sum over the samples of the joint entropy, nats."""
        return -(exponential(self.log_probs) * self.log_probs).sum()

    def exact_total_correlation(self) -> Tensor:
        """(M,) sum of the marginals' entropies less the joint one, nats."""
        return entropy(self.marginals()).sum(0) - entropy(exponential(self.log_probs))

    def correlation(self, generator: torch.Generator, draws: int) -> Correlation:
        """The mean of the total correlation, exact: nothing is drawn."""
        return Correlation(self.exact_total_correlation().mean().item(), 0.0)

    def _decoded(self, code: Tensor) -> Tensor:
        actions: Tensor = code.unsqueeze(1) // self.actions ** torch.arange(self.agents - 1, -1, -1, device=code.device)
        return actions % self.actions


def drawn(p: Tensor, generator: torch.Generator) -> Tensor:
    """(M,) an index of each row of laws (M, K), by one number a row: for many K a tenth of a race's time.

    An entry of exactly 0 is never drawn.
    """
    up_to = p.cumsum(-1)
    total = up_to[:, -1:]
    height = torch.rand(len(p), 1, generator=generator, dtype=p.dtype, device=p.device) * total
    # The product may round up to the total, beyond the last entry that is not 0.
    return torch.searchsorted(up_to, height.minimum(total.nextafter(total.new_zeros(()))), right=True).squeeze(1)
