"""The law of the register readout: every agent's action is read from qubits of its own, all at once.

Made by `policies.RegisterPolicy`. All joint actions are enumerated, so that probabilities, entropy and correlation are
exact: for teams of two to four agents.
"""

from __future__ import annotations

import math
from functools import cache

import torch
from torch import Tensor

from qcmarl.device import HOST
from qcmarl.laws.softmax import UNAVAILABLE
from qcmarl.laws.table import TableLaw

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
        _, agents, actions = avail.shape
        mask = avail[:, 0]
        for agent in range(1, agents):
            mask = (mask.unsqueeze(2) & avail[:, agent].unsqueeze(1)).flatten(1)
        weights = p.index_select(1, outcomes(agents, actions, p.device)) + FLOOR / p.shape[1]
        super().__init__(torch.where(mask, weights.log(), UNAVAILABLE).log_softmax(-1), agents, actions)


@cache
@torch.inference_mode(mode=False)  # play asks first, and what it made there could not be used in an update
def outcomes(agents: int, actions: int, device: torch.device = HOST) -> Tensor:
    """(A^n,) the outcome of the register that is each joint action, the last agent's the fastest."""
    code = torch.zeros(1, dtype=torch.int64, device=device)
    for _ in range(agents):
        code = ((code << qubits_per_agent(actions)).unsqueeze(1) + torch.arange(actions, device=device)).flatten()
    return code
