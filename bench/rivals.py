"""Hand-written torch programs for the reference circuit, each in the best form known to us: what qcsim has to beat.

The circuit is real, so all work in real numbers; none pays for a CNOT (the ring is one gather). Every entry of `RIVALS`
builds a function `(weights (L*n,), amplitudes (B, 2^n)) -> probabilities (B, 2^n)`, differentiable in both.
Called by reference.py and test_bench_adjoint.py, which assert the answers before they time anything.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

Program = Callable[[Tensor, Tensor], Tensor]


class Permute(torch.autograd.Function):
    """A gather along one axis whose backward is the inverse gather, instead of torch's scatter-add."""

    @staticmethod
    def forward(ctx: Any, state: Tensor, axis: int, source: Tensor, target: Tensor) -> Tensor:
        ctx.axis, ctx.target = axis, target
        return state.index_select(axis, source)

    @staticmethod
    def backward(ctx: Any, cotangent: Tensor) -> tuple[Any, ...]:
        return cotangent.index_select(ctx.axis, ctx.target), None, None, None


def ring(n: int) -> tuple[Tensor, Tensor]:
    """Where each amplitude of the state after the ring comes from, and where each one before it goes."""
    target = torch.arange(2**n)
    for control in range(n if n > 1 else 0):
        flip = 1 << (n - 1 - (control + 1) % n)
        target = torch.where((target >> (n - 1 - control)) & 1 == 1, target ^ flip, target)
    return torch.argsort(target), target


def rotations(angles: Tensor) -> Tensor:
    """RY matrices (..., 2, 2) for angles (...)."""
    c, s = torch.cos(angles / 2), torch.sin(angles / 2)
    return torch.stack([torch.stack([c, -s], -1), torch.stack([s, c], -1)], -2)


def kronecker(factors: Tensor) -> Tensor:
    """The Kronecker product of (k, 2, 2) matrices, the first one most significant."""
    product = factors[0]
    for factor in factors[1:]:
        size = 2 * len(product)
        product = (product[:, None, :, None] * factor[None, :, None, :]).reshape(size, size)
    return product


def normalised(amplitudes: Tensor) -> Tensor:
    return amplitudes / amplitudes.norm(dim=1, keepdim=True)


def kronecker_layers(n: int, layers: int) -> Program:
    """A layer of RY is two matrix products, one for each half of the qubits; the batch is the first axis."""
    source, target = ring(n)
    high = n // 2

    def program(weights: Tensor, amplitudes: Tensor) -> Tensor:
        gates = rotations(weights).reshape(layers, n, 2, 2)
        state = normalised(amplitudes)
        batch = len(state)
        for layer in gates:
            state = state.reshape(-1, 2 ** (n - high)) @ kronecker(layer[high:]).T
            if high:
                state = kronecker(layer[:high]) @ state.reshape(batch, 2**high, -1)
            state = Permute.apply(state.reshape(batch, -1), 1, source, target)
        return state**2

    return program


def layer_innermost(layer: Tensor, state: Tensor, n: int) -> Tensor:
    """One layer of RY as two matrix products on a state (2^n, B) without moving it."""
    high = n // 2
    batch = state.shape[1]
    state = kronecker(layer[high:]) @ state.reshape(2**high, -1, batch)
    if high:
        state = kronecker(layer[:high]) @ state.reshape(2**high, -1)
    return state.reshape(2**n, batch)


def kronecker_innermost(n: int, layers: int) -> Program:
    """As `kronecker_layers` with the batch as the last axis: the gather moves whole rows."""
    source, target = ring(n)

    def program(weights: Tensor, amplitudes: Tensor) -> Tensor:
        state = normalised(amplitudes).T.contiguous()
        for layer in rotations(weights).reshape(layers, n, 2, 2):
            state = Permute.apply(layer_innermost(layer, state, n), 0, source, target)
        return (state**2).T

    return program


def whole_unitary(n: int, layers: int) -> Program:
    """The circuit acts on the identity once a step; the batch costs one matrix product."""
    source, target = ring(n)

    def program(weights: Tensor, amplitudes: Tensor) -> Tensor:
        unitary = torch.eye(2**n, dtype=weights.dtype)
        for layer in rotations(weights).reshape(layers, n, 2, 2):
            unitary = Permute.apply(layer_innermost(layer, unitary, n), 0, source, target)
        return (normalised(amplitudes) @ unitary.T) ** 2

    return program


def gate_by_gate(n: int, layers: int) -> Program:
    """One RY at a time on a state with the batch as the last axis."""
    source, target = ring(n)

    def program(weights: Tensor, amplitudes: Tensor) -> Tensor:
        c, s = torch.cos(weights / 2), torch.sin(weights / 2)
        state = normalised(amplitudes).T.contiguous()
        for layer in range(layers):
            for qubit in range(n):
                k = layer * n + qubit
                zero, one = state.reshape(2**qubit, 2, -1).unbind(1)
                state = torch.stack([c[k] * zero - s[k] * one, s[k] * zero + c[k] * one], 1)
            state = Permute.apply(state.reshape(2**n, -1), 0, source, target)
        return (state**2).T

    return program


def compiled_kronecker(n: int, layers: int) -> Program:
    """`kronecker_layers` through torch.compile; needs a C++ compiler and tens of seconds for every shape."""
    compiled: Program = torch.compile(kronecker_layers(n, layers))
    return compiled


RIVALS: dict[str, Callable[[int, int], Program]] = {
    "Kronecker layers": kronecker_layers,
    "Kronecker layers, batch innermost": kronecker_innermost,
    "whole unitary": whole_unitary,
    "gate by gate": gate_by_gate,
}
COMPILED: dict[str, Callable[[int, int], Program]] = {"Kronecker layers, compiled": compiled_kronecker}
