"""Hand-written torch, eager: the programs of the CPU's benchmarks, and one more form of the Kronecker layers."""

from __future__ import annotations

import functools

import numpy as np
import torch
from rivals import torch_hand
from rivals.torch_hand import Permute, Run, layer_gates
from torch import Tensor
from work import Work, ring

from card.entry import Contestant
from card.on_torch import Torch, of_work

LARGEST_UNITARY = 12  # qubits: a GPU multiplies matrices faster than it moves states


def library(rehearsal: bool) -> Torch:
    return Torch(rehearsal)


def turned(n: int) -> tuple[Tensor, Tensor]:
    """Two gathers between the products of a layer: halves of the qubits change places; they change back, and the ring.

    Each with its inverse.
    """
    low = n - n // 2
    places = np.arange(2**n).reshape(-1, 2**low).T.reshape(-1)
    back = np.argsort(places)
    ringed = back[np.argsort(ring(n))]
    gathers = torch.tensor(np.stack([places, ringed]))
    return gathers, torch.argsort(gathers, dim=1)


def kronecker_turned(work: Work) -> Run:
    """Both products of a layer act on the last axis, so that they and their gradients are one matrix product each."""
    gathers, inverses = turned(work.n)

    def run(weights: Tensor, samples: Tensor) -> Tensor:
        state = samples / samples.norm(dim=1, keepdim=True)
        for layer in layer_gates(work, weights):
            for product, gather, inverse in zip(halves(layer), gathers, inverses, strict=True):
                state = (state.reshape(-1, len(product)) @ product.T).reshape(samples.shape)
                state = Permute.apply(state, 1, gather, inverse)
        return state**2

    return run


def halves(layer: Tensor) -> tuple[Tensor, Tensor]:
    """The products of the last half of the qubits and of the first."""
    n = len(layer)
    return torch_hand.kronecker(layer[n // 2 :]), torch_hand.kronecker(layer[: n // 2])


whole_unitary = functools.partial(torch_hand.whole_unitary, largest=LARGEST_UNITARY)
PROGRAMS = {
    "whole unitary": whole_unitary,
    "Kronecker layers": torch_hand.kronecker_layers,
    "Kronecker layers, batch innermost": torch_hand.kronecker_innermost,
    "Kronecker layers, turned": kronecker_turned,
}
CONTESTANTS = {
    **{f"torch, {name}": Contestant(of_work(program)) for name, program in PROGRAMS.items()},
    **{f"torch, {name}, TF32": Contestant(of_work(program), tf32=True) for name, program in PROGRAMS.items()},
    "torch, gate by gate": Contestant(of_work(torch_hand.gate_by_gate)),
}
IN_GRAPHS = ("torch, whole unitary", "torch, Kronecker layers", "torch, Kronecker layers, turned")
