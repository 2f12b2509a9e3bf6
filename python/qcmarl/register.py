"""The law of the register readout: every agent's action is read from qubits of its own, all at once.

Made by `policies.RegisterPolicy`. All joint actions are enumerated, so that probabilities, entropy and correlation are
exact: for teams of two to four agents.
"""

from __future__ import annotations

import math

from torch import Tensor

from qcmarl.softmax import UNAVAILABLE
from qcmarl.table import TableLaw

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


class RegisterLaw(TableLaw):
    """pi(a) = w(a) / sum of w over the available joint actions, w(a) = p(a) + 1e-6 / 2^(n b), exactly 0 elsewhere.

    On a device: measure the register, throw away what cannot be done, and repeat.

    Args:
        p: (M, 2^(n b)) law of the register; the first agent's b bits are the most significant.
        avail: (M, n, A) bool, at least one action available to each agent.
    """

    def __init__(self, p: Tensor, avail: Tensor) -> None:
        samples, agents, actions = avail.shape
        table = p.view(samples, *[1 << qubits_per_agent(actions)] * agents)
        for agent in range(agents):
            table = table.narrow(agent + 1, 0, actions)
        mask = avail[:, 0]
        for agent in range(1, agents):
            mask = (mask.unsqueeze(2) & avail[:, agent].unsqueeze(1)).flatten(1)
        weights = (table.flatten(1) + FLOOR / p.shape[1]).masked_fill(~mask, 1.0)
        logs = weights.log().masked_fill(~mask, UNAVAILABLE)
        super().__init__(logs - logs.logsumexp(-1, keepdim=True), agents, actions)
