"""Gradient variance over qubits and depth: <Z0>, the projector on |0...0>, and what QC-MAPPO's readouts take.

Random circuits of the reference ansatz; the variance is over angles and inputs, in the mean over the angles. A plateau
is barren where it falls exponentially with the qubits; these are ceil(log2(n d)), so that exponentially in the qubits
is like 1 / (n d) in the agents.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

import qcsim
from qcmarl.mixers import CENTRED_SCALE
from qcmarl.nets import exponential_race
from qcmarl.quantum import ANGLE_SCALE
from qcmarl.studies.theory.families import born_circuit

MEASURED = 4
"""Qubits that the outcome readout measures."""


@dataclass(frozen=True)
class Variance:
    """Of one derivative of one quantity."""

    quantity: str
    start: str
    """uniform: angles over the whole circle; small: as QC-MAPPO starts, standard deviation 0.05."""
    qubits: int
    layers: int
    samples: int
    variance: float
    """Per square radian, mean over the angles."""


@dataclass(frozen=True)
class Slope:
    """log2 of the variance falls by `bits` with each qubit, fitted over `qubits_from`.. at one depth."""

    quantity: str
    start: str
    layers: int
    qubits_from: int
    bits: float


def z0(angles: Tensor, qubits: int, layers: int, generator: torch.Generator) -> Tensor:
    """(B,) <Z0> at |0...0>: an observable of one qubit."""
    found: Tensor = qcsim.expval(born_circuit(qubits, layers), angles, observables=["Z0"])
    return found[:, 0]


def projector(angles: Tensor, qubits: int, layers: int, generator: torch.Generator) -> Tensor:
    """(B,) probability of |0...0> at |0...0>: a global observable."""
    found: Tensor = qcsim.probabilities(born_circuit(qubits, layers), angles)
    return found[:, 0]


def factored_logit(angles: Tensor, qubits: int, layers: int, generator: torch.Generator) -> Tensor:
    """(B,) a logit of the factored readout, w . 0.7 (p 2^q - 1) with |w| = 1, at a random real input."""
    p = _read(angles, qubits, layers, generator)
    head = torch.randn(p.shape, generator=generator, dtype=p.dtype)
    head /= head.norm(dim=1, keepdim=True)
    return (head * CENTRED_SCALE * (p * (1 << qubits) - 1)).sum(1)


def outcome_score(angles: Tensor, qubits: int, layers: int, generator: torch.Generator) -> Tensor:
    """(B,) log-probability of a drawn outcome of 4 qubits at a random real input; its variance is the Fisher
    information of an angle."""
    p = _read(angles, qubits, layers, generator, list(range(min(MEASURED, qubits))))
    log_p: Tensor = (p + 1e-300).log()
    drawn = exponential_race(log_p.detach(), generator).unsqueeze(1)
    score: Tensor = log_p.gather(1, drawn).squeeze(1)
    return score


def _read(
    angles: Tensor, qubits: int, layers: int, generator: torch.Generator, which: list[int] | None = None
) -> Tensor:
    circuit = qcsim.hardware_efficient(qubits, layers)
    amplitudes = torch.randn(len(angles), 1 << qubits, generator=generator, dtype=angles.dtype)
    p: Tensor = qcsim.probabilities(circuit, angles, amplitudes, qubits=which)
    return p


QUANTITIES: dict[str, Callable[[Tensor, int, int, torch.Generator], Tensor]] = {
    "<Z0>": z0,
    "projector": projector,
    "factored logit": factored_logit,
    "outcome score": outcome_score,
}
STARTS: dict[str, Callable[[Tensor, torch.Generator], Tensor]] = {
    "uniform": lambda angles, generator: angles.uniform_(-np.pi, np.pi, generator=generator),
    "small": lambda angles, generator: angles.normal_(0, ANGLE_SCALE, generator=generator),
}


def variance(quantity: str, start: str, qubits: int, layers: int, samples: int) -> Variance:
    """Of the derivative by an angle, double precision.

    Args:
        quantity: of `QUANTITIES`.
        start: of `STARTS`.
        qubits: q >= 2.
        layers: L >= 1.
        samples: circuits drawn (>= 2).
    """
    generator = torch.Generator().manual_seed(100 * qubits + layers)
    angles = STARTS[start](torch.empty(samples, qubits * layers, dtype=torch.float64), generator).requires_grad_()
    QUANTITIES[quantity](angles, qubits, layers, generator).sum().backward()  # type: ignore[no-untyped-call]
    assert angles.grad is not None
    return Variance(quantity, start, qubits, layers, samples, float(angles.grad.var(0).mean()))


def slopes(found: Sequence[Variance], qubits_from: int = 4) -> list[Slope]:
    """How fast the variance falls with the qubits, at each depth that has three points."""
    cases: dict[tuple[str, str, int], list[Variance]] = {}
    for each in found:
        if each.qubits >= qubits_from:
            cases.setdefault((each.quantity, each.start, each.layers), []).append(each)
    return [
        Slope(*case, qubits_from, -_slope([(v.qubits, math.log2(v.variance)) for v in own]))
        for case, own in cases.items()
        if len(own) >= 3
    ]


def _slope(points: Sequence[tuple[int, float]]) -> float:
    x, y = np.array(points).T
    return float(np.polyfit(x, y, 1)[0])
