"""Hand-written torch programs for the noisy circuit: on density matrices, and those of torch_pauli.py.

The batch is the last axis, the first layer acts on the pure state. Differentiable in the weights and the samples.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from work import Work

from rivals import Maker
from rivals.torch_hand import Run, layer_gates, maker, products
from rivals.torch_pauli import first_layer, pauli_strings, through, whole_channel


def cnot_gather(n: int, control: int) -> Tensor:
    """A CNOT on the next qubit, from both sides of a flattened density matrix; its own inverse."""
    basis = torch.arange(2**n)
    flip = 1 << (n - 1 - (control + 1) % n)
    source = torch.where((basis >> (n - 1 - control)) & 1 == 1, basis ^ flip, basis)
    return (source[:, None] * 2**n + source).flatten()


def mix(sigma: Tensor, n: int, control: int, rate: float) -> Tensor:
    """The noise of a CNOT's qubits in place, divided by 1-e, so that only a quarter of the entries change."""
    if control + 1 < n:
        sizes = (2**control, 4, 2 ** (n - 2 - control))
        blocks = sigma.view(*sizes, *sizes, -1).diagonal(dim1=1, dim2=4)
        blocks += rate / 4 / (1 - rate) * blocks.sum(-1, keepdim=True)
    else:  # the last qubit and the first
        sizes = (2, 2 ** (n - 2), 2)
        blocks = sigma.view(*sizes, *sizes, -1).diagonal(dim1=2, dim2=5).diagonal(dim1=0, dim2=2)
        blocks += rate / 4 / (1 - rate) * blocks.sum((-2, -1), keepdim=True)
    return sigma


class NoisyCnot(torch.autograd.Function):
    """A gather and the noise. They commute and are their own transposes: backward is the same again."""

    @staticmethod
    def forward(ctx: Any, rho: Tensor, source: Tensor, n: int, control: int, rate: float) -> Tensor:
        ctx.facts = source, n, control, rate
        return mix(rho.index_select(0, source), n, control, rate)

    @staticmethod
    def backward(ctx: Any, cotangent: Tensor) -> tuple[Any, ...]:
        source, *facts = ctx.facts
        return mix(cotangent.index_select(0, source), *facts), None, None, None, None


def density_matrix(work: Work) -> Run:
    """Layers as Kronecker products on rows and on columns; a gather and a partial trace for each CNOT."""
    n, size = work.n, 2**work.n
    gathers = [cnot_gather(n, control) for control in range(n)]

    def run(weights: Tensor, samples: Any) -> Tensor:
        first, *layers = layer_gates(work, weights)
        psi = first_layer(first, samples)
        rho = (psi[:, None] * psi).reshape(size * size, -1)
        for index in range(work.layers):
            if index:
                blocks = products(layers[index - 1])
                rho = through([*blocks, *blocks], rho)
            for control, source in enumerate(gathers):
                rho = NoisyCnot.apply(rho, source, n, control, work.rate)
        return (1 - work.rate) ** (n * work.layers) * rho[:: size + 1].T

    return run


def compiled(plain: Callable[[Work], Run]) -> Callable[[Work], Run]:
    """Through torch.compile; the density matrix gains nothing by it."""
    return lambda work: torch.compile(plain(work), dynamic=False)  # type: ignore[no-any-return]


MAKERS: dict[str, Maker] = {
    "torch, density matrix": maker(density_matrix),
    "torch, Pauli basis": maker(pauli_strings),
    "torch, whole channel": maker(whole_channel),
    "torch.compile, Pauli basis": maker(compiled(pauli_strings)),
    "torch.compile, whole channel": maker(compiled(whole_channel)),
}
