"""Trainable joint laws of n agents with two actions each, several restarts at once: circuit, MLP, mixture,
autoregressive.

Each model has one size to turn up. `weights` makes R starts, `log_law` gives all 2^n log-probabilities of each, so
that the divergence from a law is exact. Called by `parameters`.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor

import qcsim
from qcmarl.studies.theory.counterexamples import bit_strings
from qcmarl.studies.theory.families import born_circuit

TINY = 1e-12
"""Added to Born's probabilities, which may be 0 where the target is not."""


class Model(ABC):
    """A family of laws (R, 2^n), by size."""

    sizes: tuple[int, ...]
    """Sizes to try, ascending."""
    restarts = 1
    """How many times as many restarts as the others it is given."""

    @abstractmethod
    def parameters(self, agents: int, size: int) -> int:
        """Free numbers."""

    @abstractmethod
    def weights(self, agents: int, size: int, restarts: int, generator: torch.Generator) -> list[Tensor]:
        """Random starts, each tensor (R, ...)."""

    @abstractmethod
    def log_law(self, weights: list[Tensor], agents: int) -> Tensor:
        """(R, 2^n) log-probabilities."""


class CircuitModel(Model):
    """One qubit an agent, layers of RY and the ring of CNOTs, measured: layers * n angles.

    Its minima are many and a step is cheap: more restarts than the others make up for it where that is possible.
    """

    sizes = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)
    restarts = 4

    def parameters(self, agents: int, size: int) -> int:
        """L n."""
        return size * agents

    def weights(self, agents: int, size: int, restarts: int, generator: torch.Generator) -> list[Tensor]:
        """Angles uniform over the circle (R, L n)."""
        return [(torch.rand(restarts, size * agents, generator=generator) * 2 - 1) * math.pi]

    def log_law(self, weights: list[Tensor], agents: int) -> Tensor:
        """Born's law."""
        angles = weights[0]
        p: Tensor = qcsim.probabilities(born_circuit(agents, angles.shape[1] // agents), angles)
        return (p + TINY).log()


class MLPModel(Model):
    """Softmax over all joint actions of an MLP that reads the joint action: h (n + 2) numbers."""

    sizes = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)

    def parameters(self, agents: int, size: int) -> int:
        """h n weights, h offsets, h weights of the score; its own offset would cancel."""
        return size * (agents + 2)

    def weights(self, agents: int, size: int, restarts: int, generator: torch.Generator) -> list[Tensor]:
        """First layer (R, n, h), offsets (R, 1, h), score (R, h, 1)."""
        shapes = ((agents, size), (1, size), (size, 1))
        return [torch.randn(restarts, *shape, generator=generator) for shape in shapes]

    def log_law(self, weights: list[Tensor], agents: int) -> Tensor:
        """Scores of all joint actions, normalised."""
        first, offset, score = weights
        hidden = torch.tanh(torch.matmul(signs(agents), first) + offset)
        return F.log_softmax(torch.bmm(hidden, score).squeeze(-1), -1)


class MixtureModel(Model):
    """Z shared outcomes with weights, each agent's law given it: Z - 1 + Z n numbers. The `outcome` readout's law."""

    sizes = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)

    def parameters(self, agents: int, size: int) -> int:
        """Z - 1 weights, Z n probabilities."""
        return size - 1 + size * agents

    def weights(self, agents: int, size: int, restarts: int, generator: torch.Generator) -> list[Tensor]:
        """Logits of the outcome (R, Z) and of a 1 given it (R, Z, n)."""
        start = torch.randn(restarts, size, agents, generator=generator)
        return [torch.zeros(restarts, size), start]

    def log_law(self, weights: list[Tensor], agents: int) -> Tensor:
        """log sum_z p(z) prod_i pi_i(a_i given z)."""
        shared, ones = weights
        bits = strings(agents)
        given = torch.matmul(F.logsigmoid(ones), bits.T) + torch.matmul(F.logsigmoid(-ones), 1 - bits.T)
        return torch.logsumexp(F.log_softmax(shared, -1).unsqueeze(-1) + given, 1)


class AutoregressiveModel(Model):
    """Each agent reads those before it through h hidden units whose weights all share: (2 n) h + n numbers.

    Larochelle and Murray 2011 (NADE), with tanh.
    """

    sizes = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32)

    def parameters(self, agents: int, size: int) -> int:
        """(n - 1) h weights in, h offsets, n h weights out, n offsets."""
        return 2 * agents * size + agents

    def weights(self, agents: int, size: int, restarts: int, generator: torch.Generator) -> list[Tensor]:
        """In (R, n - 1, h), offsets (R, 1, h), out (R, n, h), offsets (R, n)."""
        shapes = ((agents - 1, size), (1, size), (agents, size))
        start = [torch.randn(restarts, *shape, generator=generator) for shape in shapes]
        return [*start, torch.zeros(restarts, agents)]

    def log_law(self, weights: list[Tensor], agents: int) -> Tensor:
        """sum_i log pi_i(a_i given a_1 .. a_{i-1})."""
        into, offset, out, logit = weights
        hidden = torch.tanh(torch.matmul(earlier(agents), into) + offset)  # (R, 2^n n, h)
        hidden = hidden.view(len(into), -1, agents, into.shape[-1])
        logits = (hidden * out.unsqueeze(1)).sum(-1) + logit.unsqueeze(1)
        return F.logsigmoid(signs(agents) * logits).sum(-1)


MODELS: dict[str, Model] = {
    "circuit": CircuitModel(),
    "MLP": MLPModel(),
    "mixture": MixtureModel(),
    "autoregressive": AutoregressiveModel(),
}


@cache
def strings(agents: int) -> Tensor:
    """(2^n, n) joint actions of 0 and 1."""
    return bit_strings(agents).float()


@cache
def signs(agents: int) -> Tensor:
    """(2^n, n) joint actions of -1 and 1."""
    return 2 * strings(agents) - 1


@cache
def earlier(agents: int) -> Tensor:
    """(2^n n, n - 1) for each joint action and each agent the actions before it, -1 and 1, and 0 in the place of the
    others."""
    before = torch.ones(agents, agents).tril(-1)[:, :-1]
    return (signs(agents)[:, None, :-1] * before).view(-1, agents - 1)
