"""Hand-written JAX programs, compiled: layers as Kronecker products, the ring as a gather with an inverse gather back.

The complex circuit also exists on separate real and imaginary parts, since XLA's complex matrix product on a CPU is no
match for its real one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from itertools import pairwise
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from work import Inputs, Program, Work, ring, signs

from rivals import Maker, Unsupported, group_sizes

Run = Callable[[Array, Any], Array]  # (weights (P,), samples (B, D) or (B, n) or None) -> outputs (B, K)


def permutation(n: int, axis: int) -> Callable[[Array], Array]:
    """The ring along one axis of two; its backward is the inverse gather instead of a scatter."""
    target = ring(n).astype(np.int32)
    source = np.argsort(target).astype(np.int32)

    def gather(state: Array, index: Any) -> Array:
        at = state.at[:, index] if axis == 1 else state.at[index]
        return at.get(mode="promise_in_bounds", unique_indices=True)

    @jax.custom_vjp
    def permute(state: Array) -> Array:
        return gather(state, source)

    permute.defvjp(lambda state: (gather(state, source), None), lambda _, cotangent: (gather(cotangent, target),))
    return permute


def kronecker(factors: list[Array]) -> Array:
    return reduce(jnp.kron, factors)


def products(layer: Array) -> list[Array]:
    """A layer (n, 2, 2) as one Kronecker product for each group of qubits, the most significant group first."""
    bounds = np.cumsum([0, *group_sizes(len(layer))])
    return [kronecker(list(layer[a:b])) for a, b in pairwise(bounds)]


def matrix(a: Array, b: Array, c: Array, d: Array) -> Array:
    return jnp.stack([jnp.stack([a, b], -1), jnp.stack([c, d], -1)], -2)


def layer_gates(work: Work, weights: Array) -> Array:
    """The one-qubit gates of all layers (L, n, 2, 2): RY, or U3."""
    if work.kind != "complex":
        c, s = jnp.cos(weights / 2), jnp.sin(weights / 2)
        return matrix(c, -s, s, c).reshape(work.layers, work.n, 2, 2)
    theta, phi, lam = weights.reshape(-1, 3).T
    c, s = jnp.cos(theta / 2), jnp.sin(theta / 2)
    p, q = jnp.exp(1j * phi), jnp.exp(1j * lam)
    return matrix(c + 0j, -q * s, p * s, p * q * c).reshape(work.layers, work.n, 2, 2)


def start(work: Work, weights: Array, samples: Any) -> tuple[Array, Array]:
    """The states (B, 2^n) to begin with, and the layers still to come.

    From |0..0> the first layer, RX included, leaves a product state: it is built as one, and sent through the ring.
    """
    layers = layer_gates(work, weights)
    if work.kind == "reference":
        return samples / jnp.linalg.norm(samples, axis=1, keepdims=True), layers
    if samples is None:
        qubits = layers[:1, :, :, 0]
    else:
        angles = jnp.stack([jnp.cos(samples / 2) + 0j, -1j * jnp.sin(samples / 2)], -1)
        qubits = (layers[0] @ angles[..., None])[..., 0]
    state = qubits[:, 0]
    for qubit in range(1, work.n):
        state = (state[:, :, None] * qubits[:, None, qubit]).reshape(len(state), -1)
    return permutation(work.n, 1)(state), layers[1:]


def read(work: Work, state: Array, diagonals: Any) -> Array:
    """Outputs of states (B, 2^n). Sums of halves are more accurate than a product with a long diagonal."""
    probabilities = state.real**2 + state.imag**2 if jnp.iscomplexobj(state) else state**2
    if work.kind == "large":
        zero, one = probabilities.reshape(2, -1).sum(1)
        return (zero - one).reshape(1, 1)
    return probabilities if diagonals is None else probabilities @ diagonals


def diagonals_of(work: Work) -> Any:
    return signs(work.n, work.kind).astype(work.dtype) if work.kind == "complex" else None


def kronecker_layers(work: Work) -> Run:
    """A layer is one matrix product for each group of qubits; the batch is the first axis."""
    permute, diagonals = permutation(work.n, 1), diagonals_of(work)

    def run(weights: Array, samples: Any) -> Array:
        state, layers = start(work, weights, samples)
        batch = len(state)
        for layer in layers:
            *high, low = products(layer)
            state = state.reshape(-1, len(low)) @ low.T
            after = len(low)
            for product in reversed(high):
                state = product @ state.reshape(-1, len(product), after)
                after *= len(product)
            state = permute(state.reshape(batch, -1))
        return read(work, state, diagonals)

    return run


def innermost(layer: Array, state: Array) -> Array:
    shape, before = state.shape, 1
    for product in products(layer):
        state = product @ state.reshape(before, len(product), -1)
        before *= len(product)
    return state.reshape(shape)


def kronecker_innermost(work: Work) -> Run:
    """As `kronecker_layers` with the batch as the last axis."""
    if work.batch == 1:
        raise Unsupported("one sample: the same as batch first")
    permute, diagonals = permutation(work.n, 0), diagonals_of(work)

    def run(weights: Array, samples: Any) -> Array:
        state, layers = start(work, weights, samples)
        state = state.T
        for layer in layers:
            state = permute(innermost(layer, state))
        return read(work, state.T, diagonals)

    return run


def whole_unitary(work: Work, largest: int = 10) -> Run:
    """The circuit acts on the identity once a step; the batch costs one matrix product."""
    if work.n > largest or work.batch == 1:
        raise Unsupported("the whole unitary costs more than the batch")
    permute, diagonals = permutation(work.n, 0), diagonals_of(work)

    def run(weights: Array, samples: Any) -> Array:
        state, layers = start(work, weights, samples)
        unitary = jnp.eye(2**work.n, dtype=layers.dtype)
        for layer in layers:
            unitary = permute(innermost(layer, unitary))
        return read(work, state @ unitary.T, diagonals)

    return run


def real_parts(work: Work) -> Run:
    """The complex circuit as real matrix products twice the size: row index (real or imaginary, state)."""
    if work.kind != "complex":
        raise Unsupported("the circuit is real already")
    permute, diagonals = permutation(work.n, 1), diagonals_of(work)

    def wide(product: Array) -> Array:
        return jnp.block([[product.real, -product.imag], [product.imag, product.real]])

    def run(weights: Array, samples: Any) -> Array:
        state, layers = start(work, weights, samples)
        parts, batch = jnp.stack([state.real, state.imag]), len(state)  # (2, B, 2^n)
        for layer in layers:
            high, low = products(layer)
            rows = parts.reshape(2, -1, len(low))
            lows = jnp.concatenate([rows[0], rows[1]], 1) @ wide(low).T  # (B 2^high, 2 * 2^low)
            halves = lows.reshape(batch, len(high), 2, len(low)).transpose(0, 2, 1, 3)
            state = wide(high) @ halves.reshape(batch, 2 * len(high), len(low))
            moved = permute(state.reshape(2 * batch, -1))
            parts = moved.reshape(batch, 2, -1).transpose(1, 0, 2)
        return (parts[0] ** 2 + parts[1] ** 2) @ diagonals

    return run


def real_unitary(work: Work) -> Run:
    """The whole unitary's columns in complex numbers, then two real products with the batch."""
    if work.kind != "complex" or work.n > 10:
        raise Unsupported("the circuit is real already, or too large")
    permute, diagonals = permutation(work.n, 0), diagonals_of(work)

    def run(weights: Array, samples: Any) -> Array:
        state, layers = start(work, weights, samples)
        unitary = jnp.eye(2**work.n, dtype=layers.dtype)
        for layer in layers:
            unitary = permute(innermost(layer, unitary))
        wide = jnp.block([[unitary.real, -unitary.imag], [unitary.imag, unitary.real]])
        parts = jnp.concatenate([state.real, state.imag], 1) @ wide.T
        return (parts[:, : 2**work.n] ** 2 + parts[:, 2**work.n :] ** 2) @ diagonals

    return run


def compiled_program(run: Run, work: Work, inputs: Inputs) -> Program:
    """A contestant from a traceable function: outputs alone, and outputs with both gradients, each one XLA program."""
    jax.config.update("jax_enable_x64", work.dtype == "float64")
    weights, cotangent = jnp.asarray(inputs.weights), jnp.asarray(inputs.cotangent)
    samples = None if inputs.samples is None else jnp.asarray(inputs.samples)
    asked = (weights,) if samples is None else (weights, samples)

    def with_gradients(*args: Any) -> tuple[Any, Any]:
        outputs, pull = jax.vjp(lambda *given: run(given[0], given[1] if len(given) > 1 else None), *args)
        return outputs, pull(cotangent)

    only, both = jax.jit(lambda *args: run(args[0], args[1] if len(args) > 1 else None)), jax.jit(with_gradients)

    def step() -> tuple[Any, Any, Any]:
        outputs, slopes = jax.block_until_ready(both(*asked))
        return outputs, slopes[0], slopes[1] if len(slopes) > 1 else None

    return Program(lambda: jax.block_until_ready(only(*asked)), step, work.batch)


def maker(make: Callable[[Work], Run]) -> Maker:
    return lambda work, inputs: compiled_program(make(work), work, inputs)


MAKERS: dict[str, Maker] = {
    "JAX, Kronecker layers": maker(kronecker_layers),
    "JAX, Kronecker layers, batch innermost": maker(kronecker_innermost),
    "JAX, whole unitary": maker(whole_unitary),
    "JAX, Kronecker layers on real parts": maker(real_parts),
    "JAX, whole unitary on real parts": maker(real_unitary),
}
