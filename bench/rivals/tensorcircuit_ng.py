"""TensorCircuit-NG on its JAX backend: jit over vmap, the form its authors recommend and the fastest we found."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp
import tensorcircuit as tc
from work import Inputs, Program, Work, signs

from rivals import Maker, Unsupported
from rivals.jax_hand import compiled_program

backend = tc.set_backend("jax")


def one_sample(work: Work, weights: Any, sample: Any, diagonals: Any) -> Any:
    """Outputs of a single sample."""
    c = tc.Circuit(work.n, inputs=sample / jnp.linalg.norm(sample)) if work.kind == "reference" else tc.Circuit(work.n)
    if work.kind == "complex":
        for qubit in range(work.n):
            c.rx(qubit, theta=sample[qubit])
    angles = weights.reshape(work.layers, work.n, -1)
    for layer in range(work.layers):
        for qubit in range(work.n):
            if work.kind == "complex":
                theta, phi, lam = angles[layer, qubit]
                c.u(qubit, theta=theta, phi=phi, lbd=lam)
            else:
                c.ry(qubit, theta=angles[layer, qubit, 0])
        for qubit in range(work.n if work.n > 1 else 0):
            c.cnot(qubit, (qubit + 1) % work.n)
    probabilities = jnp.abs(c.state()) ** 2
    return probabilities if diagonals is None else probabilities @ diagonals


def make(work: Work, inputs: Inputs) -> Program:
    largest = 20 if work.kind == "large" else 10
    if work.n > largest:
        raise Unsupported(f"compiling it takes minutes above {largest} qubits")
    tc.set_dtype("complex128" if work.dtype == "float64" else "complex64")
    diagonals = None if work.kind == "reference" else signs(work.n, work.kind).astype(work.dtype)

    def run(weights: Any, samples: Any) -> Any:
        if work.batch == 1:
            return one_sample(work, weights, None if samples is None else samples[0], diagonals)[None]
        return backend.vmap(lambda w, x: one_sample(work, w, x, diagonals), vectorized_argnums=1)(weights, samples)

    return compiled_program(run, work, inputs)


MAKERS: dict[str, Maker] = {"TensorCircuit-NG": make}
