"""What a mixer is, and the classical ones, which stand where QC-MAPPO has its circuit.

Called by `quantum`, `policies` and `algos.qc_mappo`. A mixer maps (M, D) latents of all agents, which it normalises to
length 1 as amplitude embedding does, to a reading (M, K): a law over 2^k outcomes, or K plain numbers of unit scale.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from qcmarl.nets import linear, normalised

CENTRED_SCALE = 0.7
"""p 2^q - 1 of a random state has variance 2: 0.7 makes the reading of unit scale. Raw p, about 2^-q, does not
train."""
TURN = 0.15
"""How far the first orthogonal matrix moves a state of length 1: as far as 36 angles of standard deviation 0.05."""


def qubits_for(amplitudes: int) -> int:
    """q = ceil(log2(amplitudes)), at least 1."""
    return max(1, math.ceil(math.log2(amplitudes)))


class Mixer(nn.Module):
    """(M, D) latents of all agents to a reading (M, K)."""

    is_law: bool = True
    """Whether a reading is a law over K outcomes, or K plain numbers of unit scale."""


class NoCircuit(Mixer):
    """The circuit left out: the amplitudes themselves are measured, nothing is trained.

    Args:
        amplitudes: D.
        measured: k; None: all.
    """

    def __init__(self, amplitudes: int, measured: int | None = None) -> None:
        super().__init__()
        self.size = 1 << qubits_for(amplitudes)
        self.outcomes = self.size if measured is None else 1 << measured

    def forward(self, x: Tensor) -> Tensor:
        """(M, D) to (M, 2^k)."""
        p = F.pad(F.normalize(x, dim=-1), (0, self.size - x.shape[-1])).square()
        return p.view(len(p), self.outcomes, -1).sum(-1)


class OrthogonalMixer(Mixer):
    """Any rotation of the amplitudes in place of the circuit's: squares of Q x, where Q = (I + A)^-1 (I - A), A skew.

    2^q (2^q - 1) / 2 numbers are trained, against the circuit's L q. Q is formed once per call while gradients are
    asked for, and otherwise kept from call to call until the numbers change.

    Args:
        amplitudes: D.
        qubits: q, at least log2(D).
        measured: k; None: all.

    Source: Cayley's transform; every rotation without the eigenvalue -1 is one.
    """

    where: Tensor
    """(2, 2^q (2^q - 1) / 2) rows and columns of the trained numbers in A."""

    def __init__(self, amplitudes: int, qubits: int | None = None, measured: int | None = None) -> None:
        super().__init__()
        self.size = 1 << (qubits or qubits_for(amplitudes))
        self.amplitudes = amplitudes
        self.outcomes = self.size if measured is None else 1 << measured
        # To first order Q x = x - 2 A x, and |A x|^2 = s^2 2^q on average.
        self.skew = nn.Parameter(torch.randn(self.size * (self.size - 1) // 2) * (TURN / 2 / math.sqrt(self.size)))
        self.register_buffer("where", torch.tril_indices(self.size, self.size, -1), persistent=False)
        self._kept: tuple[Tensor, Tensor] | None = None

    def matrix(self) -> Tensor:
        """Q, (2^q, 2^q)."""
        lower = self.skew.new_zeros(self.size, self.size).index_put(tuple(self.where), self.skew)
        a = lower - lower.t()
        one = torch.eye(self.size, dtype=a.dtype, device=a.device)
        q: Tensor = torch.linalg.solve(one + a, one - a)
        return q

    def forward(self, x: Tensor) -> Tensor:
        """(M, D) to (M, 2^k)."""
        q = self.matrix() if torch.is_grad_enabled() else self._same()
        p = F.linear(F.normalize(x, dim=-1), q[:, : self.amplitudes]).square()
        return p.view(len(p), self.outcomes, -1).sum(-1)

    def _same(self) -> Tensor:
        """Q, computed anew only where the numbers have changed; a fused optimiser leaves no other trace of that."""
        if self._kept is None or not torch.equal(self._kept[0], self.skew):
            self._kept = (self.skew.detach().clone(), self.matrix())
        return self._kept[1]


class LinearMixer(Mixer):
    """A linear layer on the normalised latents where the circuit was, its input scaled so that entries are of unit
    size.

    Args:
        amplitudes: D.
        outputs: K.
        gain: spread of the first outputs.
        softmax: return a law over K outcomes instead of K plain numbers.
    """

    def __init__(self, amplitudes: int, outputs: int, gain: float, softmax: bool) -> None:
        super().__init__()
        self.scale = math.sqrt(1 << qubits_for(amplitudes))
        self.map = linear(amplitudes, outputs, gain)
        self.is_law = softmax

    def forward(self, x: Tensor) -> Tensor:
        """(M, D) to (M, K)."""
        y: Tensor = self.map(F.normalize(x, dim=-1) * self.scale)
        return torch.softmax(y, -1) if self.is_law else y


class HiddenMixer(Mixer):
    """A hidden layer on the latents of all agents where the circuit was: Linear, ReLU, LayerNorm.

    Args:
        amplitudes: D.
        width: K (>= 3).
    """

    is_law = False

    def __init__(self, amplitudes: int, width: int) -> None:
        super().__init__()
        self.scale = math.sqrt(amplitudes)
        self.map = linear(amplitudes, width, nn.init.calculate_gain("relu"))

    def forward(self, x: Tensor) -> Tensor:
        """(M, D) to (M, K)."""
        return normalised(F.relu(self.map(F.normalize(x, dim=-1) * self.scale)))


class PlainLatents(Mixer):
    """Nothing where the circuit was: the reading is the latents, scaled so that entries are of unit size.

    Args:
        amplitudes: D = K.
    """

    is_law = False

    def __init__(self, amplitudes: int) -> None:
        super().__init__()
        self.scale = math.sqrt(amplitudes)

    def forward(self, x: Tensor) -> Tensor:
        """(M, D) to (M, D)."""
        return F.normalize(x, dim=-1) * self.scale


class CentredHead(nn.Module):
    """A linear layer that reads y = s (p K - 1) instead of p, where s makes y of unit scale.

    y is never formed: W y + b = (s K W) p + (b - s W 1), which spares two passes over (M, K) numbers each way.

    Args:
        readings: K.
        summed: amplitudes behind each reading, 2^(q - k).
        outputs: numbers out.
        gain: of the first W.
    """

    def __init__(self, readings: int, summed: int, outputs: int, gain: float) -> None:
        super().__init__()
        self.map = linear(readings, outputs, gain)
        self.readings = readings
        self.scale = CENTRED_SCALE * math.sqrt(summed)

    def forward(self, p: Tensor) -> Tensor:
        """(M, K) laws to (M, outputs)."""
        weight = self.scale * self.map.weight
        return F.linear(p, weight * self.readings, self.map.bias - weight.sum(1))


def frequencies(p: Tensor, shots: int, generator: torch.Generator) -> Tensor:
    """How often each outcome came in N shots, divided by N; its gradient is that of the law (straight through).

    Args:
        p: (M, K) laws.
        shots: N (>= 1), drawn for each row.
        generator: the source of the draws.

    Returns:
        (M, K).
    """
    with torch.no_grad():
        counts = by_outcome(p, shots, generator) if shots >= 2 * p.shape[1] else by_shot(p, shots, generator)
    return p + (counts / shots - p).detach()


def by_shot(p: Tensor, shots: int, generator: torch.Generator) -> Tensor:
    """(M, K) counts: the outcome of every shot."""
    outcomes = torch.multinomial(p, shots, replacement=True, generator=generator)
    return torch.zeros_like(p).scatter_add_(1, outcomes, p.new_ones(()).expand_as(outcomes))


def by_outcome(p: Tensor, shots: int, generator: torch.Generator) -> Tensor:
    """(M, K) counts: of the shots that are left, how many an outcome gets, one outcome after the other.

    What is left for outcome k is binomial with p_k / (p_k + p_(k+1) + ...): exactly 1 for the last that is possible, so
    that no shot falls on one that is not. 1024 shots of 64 outcomes take a fifth of the time of `by_shot`.
    """
    tail = p.flip(-1).cumsum(-1).flip(-1)
    chance = (p / tail).nan_to_num_(0.0).t().contiguous()
    left = p.new_full((len(p),), float(shots))
    counts = []
    for of_the_rest in chance:
        counts.append(torch.binomial(left, of_the_rest, generator=generator))
        left = left - counts[-1]
    return torch.stack(counts, 1)
