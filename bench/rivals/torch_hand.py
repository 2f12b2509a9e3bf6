"""Hand-written torch programs, each in the best form known to us: with hand-written JAX, what qcsim has to beat.

None pays for a CNOT: the ring is one gather, whose backward is the inverse gather. They differ in how a layer of
one-qubit gates is applied. The reference circuit works in real numbers. Differentiable in the weights and the samples.
A program is made for torch's default device of that moment, and runs on tensors there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from work import Inputs, Program, Work, ring, signs

from rivals import Maker, Unsupported, group_sizes

Run = Callable[[Tensor, Any], Tensor]  # (weights (P,), samples (B, D) or (B, n) or None) -> outputs (B, K)


class Permute(torch.autograd.Function):
    """A gather along one axis whose backward is the inverse gather, instead of torch's scatter-add."""

    @staticmethod
    def forward(ctx: Any, state: Tensor, axis: int, source: Tensor, target: Tensor) -> Tensor:
        ctx.axis, ctx.target = axis, target
        return state.index_select(axis, source)

    @staticmethod
    def backward(ctx: Any, cotangent: Tensor) -> tuple[Any, ...]:
        return cotangent.index_select(ctx.axis, ctx.target), None, None, None


def ring_gather(n: int) -> tuple[Tensor, Tensor]:
    """Where each amplitude of the state after the ring comes from, and where each one before it goes."""
    target = torch.tensor(ring(n))
    return torch.argsort(target), target


def matrix(a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> Tensor:
    return torch.stack([torch.stack([a, b], -1), torch.stack([c, d], -1)], -2)


def layer_gates(work: Work, weights: Tensor) -> Tensor:
    """The one-qubit gates of all layers (L, n, 2, 2): RY, or U3."""
    if work.kind != "complex":
        c, s = torch.cos(weights / 2), torch.sin(weights / 2)
        return matrix(c, -s, s, c).reshape(work.layers, work.n, 2, 2)
    theta, phi, lam = weights.reshape(-1, 3).unbind(1)
    c, s = torch.cos(theta / 2), torch.sin(theta / 2)
    p, q = torch.polar(torch.ones_like(phi), phi), torch.polar(torch.ones_like(lam), lam)
    return matrix(c + 0j, -q * s, p * s, p * q * c).reshape(work.layers, work.n, 2, 2)


def kronecker(factors: Tensor) -> Tensor:
    """The Kronecker product of (k, 2, 2) or (k, 2, 3) matrices, the first one most significant."""
    product = factors[0]
    for factor in factors[1:]:
        rows, columns = len(product) * factor.shape[0], product.shape[1] * factor.shape[1]
        product = (product[:, None, :, None] * factor[None, :, None, :]).reshape(rows, columns)
    return product


def products(layer: Tensor) -> list[Tensor]:
    """A layer (n, 2, 2) as one Kronecker product for each group of qubits, the most significant group first."""
    return [kronecker(group) for group in layer.split(group_sizes(len(layer)))]


def start(work: Work, layers: Tensor, samples: Tensor | None, source: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """The states (B, 2^n) to begin with, and the layers still to come.

    From |0..0> the first layer, RX included, leaves a product state: it is built as one, and sent through the ring.
    """
    if work.kind == "reference":
        assert samples is not None
        return samples / samples.norm(dim=1, keepdim=True), layers
    if samples is None:
        qubits = layers[:1, :, :, 0]
    else:
        angles = torch.stack([torch.cos(samples / 2) + 0j, -1j * torch.sin(samples / 2)], -1)  # (B, n, 2)
        qubits = (layers[0] @ angles[..., None])[..., 0]
    state = qubits[:, 0]
    for qubit in range(1, work.n):
        state = (state[:, :, None] * qubits[:, None, qubit]).flatten(1)
    return Permute.apply(state, 1, source, target), layers[1:]


def read(work: Work, state: Tensor, diagonals: Tensor | None) -> Tensor:
    """Outputs of states (B, 2^n). Sums of halves are more accurate than a product with a long diagonal."""
    probabilities = (torch.view_as_real(state) ** 2).sum(-1) if state.is_complex() else state**2
    if work.kind == "large":
        zero, one = probabilities.reshape(2, -1).sum(1)
        return (zero - one).reshape(1, 1)
    return probabilities if diagonals is None else probabilities @ diagonals


def diagonals_of(work: Work) -> Tensor | None:
    return torch.tensor(signs(work.n, work.kind).astype(work.dtype)) if work.kind == "complex" else None


def kronecker_layers(work: Work) -> Run:
    """A layer is one matrix product for each group of qubits; the batch is the first axis."""
    source, target = ring_gather(work.n)
    diagonals = diagonals_of(work)

    def run(weights: Tensor, samples: Any) -> Tensor:
        state, layers = start(work, layer_gates(work, weights), samples, source, target)
        batch = len(state)
        for layer in layers:
            *high, low = products(layer)
            state = state.reshape(-1, len(low)) @ low.T
            after = len(low)
            for product in reversed(high):
                state = product @ state.reshape(-1, len(product), after)
                after *= len(product)
            state = Permute.apply(state.reshape(batch, -1), 1, source, target)
        return read(work, state, diagonals)

    return run


def layer_innermost(layer: Tensor, state: Tensor) -> Tensor:
    """One layer on states (2^n, B) without moving them."""
    shape, before = state.shape, 1
    for product in products(layer):
        state = product @ state.reshape(before, len(product), -1)
        before *= len(product)
    return state.reshape(shape)


def kronecker_innermost(work: Work) -> Run:
    """As `kronecker_layers` with the batch as the last axis: the gather moves whole rows."""
    if work.batch == 1:
        raise Unsupported("one sample: the same as batch first")
    source, target = ring_gather(work.n)
    diagonals = diagonals_of(work)

    def run(weights: Tensor, samples: Any) -> Tensor:
        state, layers = start(work, layer_gates(work, weights), samples, source, target)
        state = state.T.contiguous()
        for layer in layers:
            state = Permute.apply(layer_innermost(layer, state), 0, source, target)
        return read(work, state.T, diagonals)

    return run


def whole_unitary(work: Work, largest: int = 10) -> Run:
    """The circuit acts on the identity once a step; the batch costs one matrix product."""
    if work.n > largest or work.batch == 1:
        raise Unsupported("the whole unitary costs more than the batch")
    source, target = ring_gather(work.n)
    diagonals = diagonals_of(work)

    def run(weights: Tensor, samples: Any) -> Tensor:
        state, layers = start(work, layer_gates(work, weights), samples, source, target)
        unitary = torch.eye(2**work.n, dtype=layers.dtype, device=layers.device)
        for layer in layers:
            unitary = Permute.apply(layer_innermost(layer, unitary), 0, source, target)
        return read(work, state @ unitary.T, diagonals)

    return run


def gate_by_gate(work: Work) -> Run:
    """One gate at a time on states with the batch as the last axis."""
    source, target = ring_gather(work.n)
    diagonals = diagonals_of(work)

    def run(weights: Tensor, samples: Any) -> Tensor:
        state, layers = start(work, layer_gates(work, weights), samples, source, target)
        state = state.T.contiguous()
        for layer in layers:
            for qubit, gate in enumerate(layer):
                zero, one = state.reshape(2**qubit, 2, -1).unbind(1)
                state = torch.stack([gate[0, 0] * zero + gate[0, 1] * one, gate[1, 0] * zero + gate[1, 1] * one], 1)
            state = Permute.apply(state.reshape(2**work.n, -1), 0, source, target)
        return read(work, state.T, diagonals)

    return run


def compiled(plain: Callable[[Work], Run]) -> Callable[[Work], Run]:
    """Through torch.compile, whose generated code wants real numbers; tens of seconds for every shape."""

    def make(work: Work) -> Run:
        if work.kind != "reference":
            raise Unsupported("torch.compile: complex numbers are not generated, and one large state gains nothing")
        return torch.compile(plain(work), dynamic=False)  # type: ignore[no-any-return]

    return make


def maker(make: Callable[[Work], Run]) -> Maker:
    """A contestant from a differentiable function."""

    def build(work: Work, inputs: Inputs) -> Program:
        run = make(work)
        weights = torch.from_numpy(inputs.weights).requires_grad_()
        samples = None if inputs.samples is None else torch.from_numpy(inputs.samples).requires_grad_()
        cotangent = torch.from_numpy(inputs.cotangent)
        asked = [weights] if samples is None else [weights, samples]

        def forward() -> Tensor:
            with torch.no_grad():
                return run(weights, samples)

        def step() -> tuple[Tensor, Tensor, Tensor | None]:
            outputs = run(weights, samples)
            by_weights, *by_samples = torch.autograd.grad(outputs, asked, cotangent.to(outputs.dtype))
            return outputs, by_weights, by_samples[0] if by_samples else None

        return Program(forward, step, work.batch, lambda tensor: tensor.detach().numpy())

    return build


MAKERS: dict[str, Maker] = {
    "torch, Kronecker layers": maker(kronecker_layers),
    "torch, Kronecker layers, batch innermost": maker(kronecker_innermost),
    "torch, whole unitary": maker(whole_unitary),
    "torch, gate by gate": maker(gate_by_gate),
    "torch.compile, Kronecker layers": maker(compiled(kronecker_layers)),
    "torch.compile, whole unitary": maker(compiled(whole_unitary)),
}
