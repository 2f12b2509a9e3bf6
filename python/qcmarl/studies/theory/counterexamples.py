"""Counter-examples to theorem 1 as worded: small classical networks of the largest total correlation there is.

The theorem sets a *generic* policy of the class {TC >= tau} for feed-forward networks against *specific* ones for
circuits. Specific policies of any correlation are as cheap for networks that read a shared random number, and for
autoregressive ones; generic ones cost a circuit as much as anything else (`parameters`). What is stuck at TC = 0 is
an actor whose agents draw independently, however many parameters it has.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from qcmarl.studies.correlation import exact, exchangeable_bits, mixture_joint

SHARPNESS = 30.0
"""Logits are +-30: a copy fails with probability e^-30 = 1e-13."""


@dataclass(frozen=True)
class CounterExample:
    """A network and the correlation of its law."""

    network: str
    agents: int
    actions: int
    parameters: int
    total_correlation: float
    """Exact, nats."""
    largest: float
    """(n - 1) ln A, the most that any law of these agents and actions has."""


class CopyNet(nn.Module):
    """A feed-forward network that reads one shared random bit: logits w_i (2 z - 1) + b_i, 2 n parameters.

    Args:
        agents: n.
    """

    def __init__(self, agents: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((agents,), SHARPNESS, dtype=torch.float64))
        self.bias = nn.Parameter(torch.zeros(agents, dtype=torch.float64))

    def forward(self, bit: Tensor) -> Tensor:
        """Bits (Z,) of 0 and 1 to the probability of a 1 (Z, n)."""
        return torch.sigmoid((2 * bit[:, None] - 1) * self.weight + self.bias)


class ChainNet(nn.Module):
    """An autoregressive network: each agent reads the one before it, logits w_i (2 a_{i-1} - 1) + b_i, 2 n parameters.

    The first agent reads nothing: its weight is idle.

    Args:
        agents: n.
    """

    def __init__(self, agents: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((agents,), SHARPNESS, dtype=torch.float64))
        self.bias = nn.Parameter(torch.zeros(agents, dtype=torch.float64))

    def forward(self, actions: Tensor) -> Tensor:
        """Log-probability (S,) of actions (S, n) of 0 and 1."""
        before = torch.nn.functional.pad(2 * actions[:, :-1] - 1, (1, 0))
        logits = before * self.weight + self.bias
        return -nn.functional.softplus((1 - 2 * actions) * logits).sum(1)


def shared_bit(agents: int) -> CounterExample:
    """All agents copy a shared fair coin: TC = (n - 1) ln 2 with 2 n parameters, for any number of agents."""
    net = CopyNet(agents)
    with torch.no_grad():
        one = net(torch.tensor([0.0, 1.0], dtype=torch.float64)).numpy()
    found = exchangeable_bits([0.5, 0.5], one[:, 0], agents)
    return CounterExample("feed-forward, reads a shared bit", agents, 2, _size(net), found, _largest(agents, 2))


def chain(agents: int) -> CounterExample:
    """The first agent tosses a coin, each next copies the one before it; the joint law is written down, n <= 20."""
    net = ChainNet(agents)
    with torch.no_grad():
        law = net(bit_strings(agents)).exp().numpy()
    found = exact(law.reshape((2,) * agents))
    return CounterExample("autoregressive", agents, 2, _size(net), found, _largest(agents, 2))


def shared_symbol(agents: int, actions: int) -> CounterExample:
    """All agents play a shared uniform symbol, by one matrix of logits that they share: the largest TC there is."""
    logits = SHARPNESS * np.eye(actions)
    law = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    joint = mixture_joint(np.full(actions, 1 / actions), np.broadcast_to(law, (agents, actions, actions)))
    name = "mixture, one shared symbol"
    return CounterExample(name, agents, actions, logits.size, exact(joint), _largest(agents, actions))


def independent(agents: int, hidden: int, seed: int = 0) -> CounterExample:
    """Agents that draw alone, each from an MLP of its own with random weights: 0, whatever the size."""
    generator = np.random.default_rng(seed)
    first = generator.standard_normal((agents, hidden))
    second = generator.standard_normal((agents, hidden, 2))
    logits = np.einsum("nh,nha->na", np.tanh(first), second)
    law = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    found = exact(mixture_joint([1.0], law[:, None, :]))
    return CounterExample("independent actors", agents, 2, first.size + second.size, found, _largest(agents, 2))


def all_of_them(smoke: bool) -> list[CounterExample]:
    """The table of the page."""
    many = (8,) if smoke else (8, 64, 256)
    return [
        independent(8, 4),
        independent(8, 256),
        *(shared_bit(agents) for agents in many),
        chain(8),
        chain(12),
        shared_symbol(3, 9),
        *(() if smoke else (shared_symbol(5, 15),)),
    ]


def mixture_limit(outcomes: int, agents: int, actions: int) -> float:
    """The most total correlation of agents that share one of Z outcomes: (n - 1) ln min(Z, A), nats.

    TC = sum_i I(a_i; z) - I(a; z), and I(a; z) is at least the largest of n terms that are each at most ln min(Z, A).
    It binds every `outcome` readout, whatever makes the law of z: a circuit, or a softmax.
    """
    return (agents - 1) * math.log(min(outcomes, actions))


def bit_strings(agents: int) -> Tensor:
    """(2^n, n) all joint actions of 0 and 1, the first agent the most significant bit, double precision."""
    codes: npt.NDArray[np.int64] = np.arange(1 << agents)[:, None]
    return torch.from_numpy((codes >> np.arange(agents)[::-1] & 1).astype(np.float64))


def _size(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def _largest(agents: int, actions: int) -> float:
    return (agents - 1) * math.log(actions)
