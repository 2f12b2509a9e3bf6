"""The reference work: random inputs, one step forward and backward, and the assertion that comes before any timing.

Shared by reference.py and test_bench_adjoint.py. A contestant is a function (weights, amplitudes) -> probabilities.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import rivals
import torch
from torch import Tensor

import qcsim

LAYERS = 4
BATCH = {8: 1024, 9: 1024, 10: 1024, 12: 256}
TOLERANCE = 2e-5


class Workload(NamedTuple):
    """One size of the reference circuit: weights (P,), amplitudes and cotangent (B, 2^n), float32."""

    n: int
    layers: int
    weights: Tensor
    amplitudes: Tensor
    cotangent: Tensor

    @property
    def multiply_adds(self) -> dict[str, int]:
        """What a rotation-by-rotation sweep needs per sample: one per amplitude forward; backward also uncomputes the
        state, walks the cotangent back and takes the slopes.
        """
        sweep = self.layers * self.n * 2**self.n
        return {"forward": sweep, "step": 4 * sweep}


def workload(n: int, batch: int | None = None, layers: int = LAYERS, seed: int = 0) -> Workload:
    """Random inputs, the same for every contestant."""
    batch = BATCH[n] if batch is None else batch
    generator = torch.Generator().manual_seed(seed)
    weights = (torch.rand(layers * n, generator=generator) * 2 - 1) * torch.pi
    amplitudes, cotangent = torch.randn(2, batch, 2**n, generator=generator)
    return Workload(n, layers, weights.requires_grad_(), amplitudes.requires_grad_(), cotangent)


def qcsim_program(n: int, layers: int) -> rivals.Program:
    """qcsim in the place of a rival, with torch's number of threads."""
    circuit = qcsim.hardware_efficient(n, layers)
    return lambda weights, amplitudes: qcsim.probabilities(circuit, weights, amplitudes=amplitudes)


def contestants(n: int, layers: int = LAYERS, compiled: bool = False) -> dict[str, rivals.Program]:
    """qcsim and its rivals by name."""
    makers: dict[str, Callable[[int, int], rivals.Program]] = {"qcsim": qcsim_program, **rivals.RIVALS}
    if compiled:
        makers |= rivals.COMPILED
    return {name: make(n, layers) for name, make in makers.items()}


def step(program: rivals.Program, work: Workload) -> tuple[Tensor, Tensor, Tensor]:
    """Outputs and both gradients of sum(cotangent * outputs): what one step of training costs."""
    outputs = program(work.weights, work.amplitudes)
    by_weights, by_amplitudes = torch.autograd.grad(outputs, (work.weights, work.amplitudes), work.cotangent)
    return outputs, by_weights, by_amplitudes


def forward(program: rivals.Program, work: Workload) -> Tensor:
    """Outputs only, as when acting."""
    with torch.no_grad():
        return program(work.weights, work.amplitudes)


def assert_answers(programs: dict[str, rivals.Program], work: Workload, samples: int = 8) -> None:
    """Every contestant, on the whole batch, agrees on its first rows with a float64 run of the plainest rival."""
    wide = work._replace(
        **{
            name: getattr(work, name)[: samples if name != "weights" else None].detach().double().requires_grad_()
            for name in ("weights", "amplitudes", "cotangent")
        }
    )
    masked = work._replace(cotangent=torch.zeros_like(work.cotangent))
    masked.cotangent[:samples] = work.cotangent[:samples]
    truth = [array.detach() for array in step(rivals.gate_by_gate(work.n, work.layers), wide)]
    for name, program in programs.items():
        outputs, by_weights, by_amplitudes = step(program, masked)
        rows = (outputs.detach()[:samples], by_weights, by_amplitudes[:samples])
        for what, value, expected in zip(("outputs", "weight gradient", "input gradient"), rows, truth, strict=True):
            error = float((value - expected).abs().max() / expected.abs().max())
            assert error < TOLERANCE, f"{name}: {what} off by {error:.1e}"
