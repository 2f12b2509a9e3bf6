"""A second truth, to check the first and to reach sizes where a 2^n x 2^n matrix does not fit: states of n axes.

Gates act by slicing axes, never by a matrix product. Angles and amplitudes may be complex: nothing is conjugated, so
`directional_derivative` is a complex step, exact to rounding without any derivative formula.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oracle.dense import Instruction

Tensor = NDArray[Any]
STEP = 1e-100


def rotate(state: Tensor, axis: int, angle: Tensor) -> Tensor:
    """RY on one axis of (B, 2, ..., 2), with an angle per sample."""
    zero, one = np.take(state, 0, axis), np.take(state, 1, axis)
    shape = (-1,) + (1,) * (zero.ndim - 1)
    c, s = np.cos(angle / 2).reshape(shape), np.sin(angle / 2).reshape(shape)
    return np.stack([c * zero - s * one, s * zero + c * one], axis)


def controlled_flip(state: Tensor, control: int, target: int) -> Tensor:
    """CNOT: where the control's axis is 1, the target's axis is reversed."""
    flipped = np.flip(state, target)
    shape = [1] * state.ndim
    shape[control] = 2
    return np.where(np.array([False, True]).reshape(shape), flipped, state)


def run(
    n: int, instructions: Sequence[Instruction], weights: Tensor, amplitudes: Tensor | None, features: Tensor | None
) -> Tensor:
    """Final states (B, 2, ..., 2); every input has a batch axis, weights (B, P) too."""
    batch = len(weights)
    state = np.zeros((batch, 2**n), weights.dtype)
    state[:, 0] = 1
    if amplitudes is not None:
        state = np.zeros((batch, 2**n), amplitudes.dtype)
        state[:, : amplitudes.shape[1]] = amplitudes / np.sqrt(np.sum(amplitudes**2, axis=1, keepdims=True))
    state = state.reshape((batch,) + (2,) * n)
    for name, *arguments in instructions:
        if name == "ry":
            qubit, source, value = arguments
            angle = {"weight": weights, "feature": features}.get(str(source))
            column = np.full(batch, value) if angle is None else angle[:, int(value)]
            state = rotate(state, 1 + int(qubit), column)
        elif name == "x":
            state = np.flip(state, 1 + int(arguments[0]))
        elif name == "cnot":
            state = controlled_flip(state, 1 + int(arguments[0]), 1 + int(arguments[1]))
        elif name == "swap":
            state = np.swapaxes(state, 1 + int(arguments[0]), 1 + int(arguments[1]))
    return state


def outputs(
    n: int,
    instructions: Sequence[Instruction],
    weights: Tensor,
    amplitudes: Tensor | None = None,
    features: Tensor | None = None,
    qubits: Sequence[int] | None = None,
    observables: Sequence[str] | None = None,
) -> Tensor:
    """Probabilities (B, 2^k) or expectations (B, len(observables)); weights (B, P), a batch axis everywhere."""
    probability = run(n, instructions, weights, amplitudes, features) ** 2
    if observables is not None:
        return np.stack([expectation(probability, text) for text in observables], axis=1)
    kept = list(range(n)) if qubits is None else list(qubits)
    summed = tuple(1 + q for q in range(n) if q not in kept)
    marginal = probability.sum(axis=summed)  # the kept axes, in ascending order
    order = [0] + [1 + sorted(kept).index(q) for q in kept]
    return np.transpose(marginal, order).reshape(len(weights), -1)


def expectation(probability: Tensor, text: str) -> Tensor:
    """The mean of a product of Z, (B,): the probability with the named axes weighted by +1 and -1."""
    for word in text.split():
        axis = 1 + int(word[1:])
        probability = np.take(probability, [0], axis) - np.take(probability, [1], axis)
    return probability.reshape(len(probability), -1).sum(axis=1)


def directional_derivative(
    n: int,
    instructions: Sequence[Instruction],
    point: tuple[Tensor, Tensor | None, Tensor | None],
    direction: tuple[Tensor | None, Tensor | None, Tensor | None],
    **measure: Any,
) -> Tensor:
    """d outputs along (weights, amplitudes, features), by one complex step: no subtraction, so no cancellation."""
    moved = [
        None if p is None else p + (0 if d is None else 1j * STEP * d) for p, d in zip(point, direction, strict=True)
    ]
    weights, amplitudes, features = moved
    assert weights is not None
    return outputs(n, instructions, weights + 0j, amplitudes, features, **measure).imag / STEP
