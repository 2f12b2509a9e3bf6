"""The law of the register readout: every agent's action is read from qubits of its own, all at once.

Made by `policies.RegisterPolicy`. All joint actions are enumerated, so that probabilities, entropy and correlation are
exact: for teams of two to four agents.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from qcmarl.laws import UNAVAILABLE, entropy

MOST_QUBITS = 16
"""Of a register: 65536 numbers a sample."""
FLOOR = 1e-6
"""Spread evenly over the outcomes before the available ones are picked: where the circuit puts nothing on what can be
done, the law is even over that, and log-probabilities are bounded."""


def qubits_per_agent(actions: int) -> int:
    """b = ceil(log2(A)), at least 1."""
    return max(1, math.ceil(math.log2(actions)))


def register_qubits(agents: int, actions: int) -> int:
    """n b qubits of a register; raises ValueError where they are more than `MOST_QUBITS`."""
    each = qubits_per_agent(actions)
    if agents * each > MOST_QUBITS:
        raise ValueError(
            f"readout 'register' needs {agents * each} qubits: {agents} agents times ceil(log2({actions})) = {each}; "
            f"at most {MOST_QUBITS} can be enumerated; take readout 'factored' or 'outcome'"
        )
    return agents * each


class RegisterLaw:
    """pi(a) = w(a) / sum of w over the available joint actions, w(a) = p(a) + 1e-6 / 2^(n b), exactly 0 elsewhere.

    On a device: measure the register, throw away what cannot be done, and repeat. The floor ends that after a million
    tries on average, with an even draw.

    Args:
        p: (M, 2^(n b)) law of the register; the first agent's b bits are the most significant.
        avail: (M, n, A) bool, at least one action available to each agent.
    """

    joint = True

    def __init__(self, p: Tensor, avail: Tensor) -> None:
        samples, self.agents, self.actions = avail.shape
        size = 1 << qubits_per_agent(self.actions)
        table = p.view(samples, *[size] * self.agents)
        for agent in range(self.agents):
            table = table.narrow(agent + 1, 0, self.actions)
        mask = avail[:, 0]
        for agent in range(1, self.agents):
            mask = (mask.unsqueeze(2) & avail[:, agent].unsqueeze(1)).flatten(1)
        weights = (table.flatten(1) + FLOOR / p.shape[1]).masked_fill(~mask, 1.0)
        logs = weights.log().masked_fill(~mask, UNAVAILABLE)
        self.log_probs = logs - logs.logsumexp(-1, keepdim=True)
        """(M, A^n) of every joint action, the last agent's the fastest."""

    def sample(self, generator: torch.Generator) -> Tensor:
        """(M, n) actions drawn from the law."""
        return self._decoded(drawn(self.log_probs.exp(), generator))

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
        table = self.log_probs.exp().view(-1, *[self.actions] * self.agents)
        axes = range(1, self.agents + 1)
        return torch.stack([torch.einsum(table, [0, *axes], [0, agent]) for agent in axes])

    def entropy_sum(self) -> Tensor:
        """Sum over the samples of the joint entropy, nats."""
        return -(self.log_probs.exp() * self.log_probs).sum()

    def exact_total_correlation(self) -> Tensor:
        """(M,) sum of the marginals' entropies less the joint one, nats."""
        return entropy(self.marginals()).sum(0) - entropy(self.log_probs.exp())

    def _decoded(self, code: Tensor) -> Tensor:
        actions: Tensor = code.unsqueeze(1) // self.actions ** torch.arange(self.agents - 1, -1, -1)
        return actions % self.actions


def drawn(p: Tensor, generator: torch.Generator) -> Tensor:
    """(M,) an index of each row of laws (M, K), by one number a row: for many K a tenth of a race's time.

    An entry of exactly 0 is never drawn.
    """
    up_to = p.cumsum(-1)
    total = up_to[:, -1:]
    height = torch.rand(len(p), 1, generator=generator, dtype=p.dtype) * total
    # The product may round up to the total, beyond the last entry that is not 0.
    return torch.searchsorted(up_to, height.minimum(total.nextafter(total.new_zeros(()))), right=True).squeeze(1)
