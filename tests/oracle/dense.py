"""The slow truth: circuits as explicit 2^n x 2^n matrices made of Kronecker products, float64, NumPy only.

Every other implementation is judged against this one, so it shares no code with any of them. Gradients are exact:
the derivative matrix of each rotation between a stored state and a cotangent walked back through transposes.
A circuit is a list of tuples (`Instruction`); qubit 0 is the most significant bit; the batch is the first axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
# ("amplitude_embedding",) first or absent; ("x", q); ("cnot", control, target); ("swap", a, b);
# ("ry", q, source, value) with source "weight" or "feature" (value: a column) or "angle" (value: radians).
Instruction = tuple[str | int | float, ...]

IDENTITY = np.eye(2)
X = np.array([[0.0, 1.0], [1.0, 0.0]])
Z = np.array([[1.0, 0.0], [0.0, -1.0]])
# d/dt RY(t) = J/2 RY(t), so RY(t) = cos(t/2) I + sin(t/2) J.
J = np.array([[0.0, -1.0], [1.0, 0.0]])
ZERO = np.diag([1.0, 0.0])
ONE = np.diag([0.0, 1.0])


class Gradients(NamedTuple):
    """Derivatives of sum(cotangent * outputs), in the shapes of the inputs; None where the input is absent."""

    weights: Array
    amplitudes: Array | None
    features: Array | None


@lru_cache(maxsize=48)
def operator(n: int, *factors: tuple[int, str]) -> Array:
    """The Kronecker product over all n qubits of the named 2x2 matrices, identity where none is named."""
    names = {"X": X, "Z": Z, "J": J, "0": ZERO, "1": ONE}
    at = dict(factors)
    matrix = np.ones((1, 1))
    for qubit in range(n):
        matrix = np.kron(matrix, names[at[qubit]] if qubit in at else IDENTITY)
    return matrix


@lru_cache(maxsize=16)
def fixed_gate(n: int, name: str, *qubits: int) -> Array:
    """The matrix of a gate without parameters."""
    if name == "x":
        return operator(n, (qubits[0], "X"))
    a, b = qubits
    if name == "cnot":
        return operator(n, (a, "0")) + operator(n, (a, "1"), (b, "X"))
    if name == "swap":  # (II + XX + YY + ZZ) / 2, and Y (x) Y = -J (x) J
        total = operator(n) + operator(n, (a, "X"), (b, "X")) - operator(n, (a, "J"), (b, "J"))
        return (total + operator(n, (a, "Z"), (b, "Z"))) / 2
    raise AssertionError(name)


def normalised(n: int, amplitudes: Array) -> tuple[Array, Array]:
    """Zero-padded states of norm one (B, 2^n), and the norms (B, 1) they were divided by."""
    largest = np.max(np.abs(amplitudes), axis=1, keepdims=True)  # so that squares neither overflow nor vanish
    norm = largest * np.sqrt(np.sum((amplitudes / largest) ** 2, axis=1, keepdims=True))
    state = np.zeros((len(amplitudes), 2**n))
    state[:, : amplitudes.shape[1]] = amplitudes / norm
    return state, norm


class Inputs(NamedTuple):
    """The arguments of one call with a batch axis everywhere: weights (B, P), amplitudes (B, D), features (B, F)."""

    weights: Array
    amplitudes: Array | None
    features: Array | None

    @property
    def size(self) -> int:
        return len(self.weights)


def batched(weights: Array, amplitudes: Array | None, features: Array | None) -> Inputs:
    """Gives every input a batch axis, in float64; shared weights are repeated."""
    weights = np.asarray(weights, np.float64)
    amplitudes = None if amplitudes is None else np.atleast_2d(np.asarray(amplitudes, np.float64))
    features = None if features is None else np.atleast_2d(np.asarray(features, np.float64))
    if weights.ndim == 1:
        sizes = [len(a) for a in (amplitudes, features) if a is not None]
        weights = np.repeat(weights[None, :], max(sizes, default=1), axis=0)
    return Inputs(weights, amplitudes, features)


def is_single(weights: Array, amplitudes: Array | None, features: Array | None) -> bool:
    """Whether no input has a batch axis, so that the output has none either."""
    return all(np.ndim(a) < 2 for a in (weights, amplitudes, features) if a is not None)


def half_angles(instruction: Instruction, inputs: Inputs) -> Array:
    """Half the angle of a rotation for every sample, (B, 1)."""
    _, _, source, value = instruction
    if source == "angle":
        return np.full((inputs.size, 1), float(value) / 2)
    table = inputs.weights if source == "weight" else inputs.features
    assert table is not None
    return table[:, int(value), None] / 2


def apply(n: int, instruction: Instruction, inputs: Inputs, state: Array, transpose: bool = False) -> Array:
    """One gate (or its transpose, which is its inverse) on every row of `state` (B, 2^n)."""
    if instruction[0] == "ry":
        half = half_angles(instruction, inputs) * (-1 if transpose else 1)
        generator = operator(n, (int(instruction[1]), "J"))
        return np.cos(half) * state + np.sin(half) * (state @ generator.T)
    gate = fixed_gate(n, str(instruction[0]), *(int(q) for q in instruction[1:]))
    return state @ (gate if transpose else gate.T)


def initial_state(n: int, instructions: Sequence[Instruction], inputs: Inputs) -> Array:
    """The embedded amplitudes, or |0...0> for every sample."""
    if instructions and instructions[0] == ("amplitude_embedding",):
        assert inputs.amplitudes is not None
        return normalised(n, inputs.amplitudes)[0]
    state = np.zeros((inputs.size, 2**n))
    state[:, 0] = 1
    return state


def states(n: int, instructions: Sequence[Instruction], inputs: Inputs) -> list[Array]:
    """The state before every gate and after the last one."""
    history = [initial_state(n, instructions, inputs)]
    for gate in gates_of(instructions):
        history.append(apply(n, gate, inputs, history[-1]))
    return history


def gates_of(instructions: Sequence[Instruction]) -> list[Instruction]:
    """The instructions without the embedding."""
    return [i for i in instructions if i[0] != "amplitude_embedding"]


@lru_cache(maxsize=64)
def marginal_matrix(n: int, qubits: tuple[int, ...]) -> Array:
    """(2^k, 2^n): row j holds one where the bits of the listed qubits, first most significant, spell j."""
    matrix = np.zeros((2 ** len(qubits), 2**n))
    for index in range(2**n):
        bits = format(index, f"0{n}b")
        matrix[int("".join(bits[q] for q in qubits), 2), index] = 1
    return matrix


@lru_cache(maxsize=64)
def observable_matrix(n: int, observables: tuple[str, ...]) -> Array:
    """(len, 2^n): the diagonal of every product of Z, written as "Z0 Z1"."""
    products = [[(int(word[1:]), "Z") for word in text.split()] for text in observables]
    return np.stack([np.diag(operator(n, *product)) for product in products])


def readout(n: int, qubits: Sequence[int] | None, observables: Sequence[str] | None) -> Array:
    """The matrix that turns basis probabilities (2^n) into outputs."""
    if observables is not None:
        return observable_matrix(n, tuple(observables))
    return marginal_matrix(n, tuple(range(n)) if qubits is None else tuple(qubits))


def outputs(
    n: int,
    instructions: Sequence[Instruction],
    weights: Array,
    amplitudes: Array | None = None,
    features: Array | None = None,
    qubits: Sequence[int] | None = None,
    observables: Sequence[str] | None = None,
) -> Array:
    """Probabilities (B, 2^k), or expectations (B, len(observables)); no batch axis if no input has one."""
    inputs = batched(weights, amplitudes, features)
    final = states(n, instructions, inputs)[-1]
    result = final**2 @ readout(n, qubits, observables).T
    return result[0] if is_single(weights, amplitudes, features) else result


def gradients(
    n: int,
    instructions: Sequence[Instruction],
    cotangent: Array,
    weights: Array,
    amplitudes: Array | None = None,
    features: Array | None = None,
    qubits: Sequence[int] | None = None,
    observables: Sequence[str] | None = None,
) -> Gradients:
    """The derivative of sum(cotangent * outputs) with respect to every input, exact."""
    inputs = batched(weights, amplitudes, features)
    history = states(n, instructions, inputs)
    by_weight = np.zeros_like(inputs.weights)
    by_feature = None if inputs.features is None else np.zeros_like(inputs.features)
    back = 2 * history[-1] * (np.atleast_2d(cotangent) @ readout(n, qubits, observables))
    for gate, after in zip(reversed(gates_of(instructions)), reversed(history[1:]), strict=True):
        if gate[0] == "ry" and gate[2] != "angle":
            slope = np.sum(back * (after @ operator(n, (int(gate[1]), "J")).T), axis=1) / 2
            table = by_weight if gate[2] == "weight" else by_feature
            assert table is not None
            table[:, int(gate[3])] += slope
        back = apply(n, gate, inputs, back, transpose=True)
    return Gradients(
        by_weight.sum(axis=0) if np.ndim(weights) == 1 else by_weight,
        None if inputs.amplitudes is None else through_norm(n, inputs.amplitudes, back).reshape(np.shape(amplitudes)),
        None if by_feature is None else by_feature.reshape(np.shape(features)),
    )


def slope_scale(
    n: int,
    instructions: Sequence[Instruction],
    cotangent: Array,
    weights: Array,
    amplitudes: Array | None = None,
    features: Array | None = None,
    qubits: Sequence[int] | None = None,
    observables: Sequence[str] | None = None,
) -> float:
    """The largest norm of a sample's state cotangent: no slope exceeds half of it, and rounding is relative to it."""
    inputs = batched(weights, amplitudes, features)
    final = states(n, instructions, inputs)[-1]
    back = 2 * final * (np.atleast_2d(cotangent) @ readout(n, qubits, observables))
    return float(np.max(np.linalg.norm(back, axis=1), initial=0.0))


def through_norm(n: int, amplitudes: Array, back: Array) -> Array:
    """The cotangent of the raw amplitudes: d(x/|x|) projects off the state and divides by the norm."""
    state, norm = normalised(n, amplitudes)
    projected = back - state * np.sum(back * state, axis=1, keepdims=True)
    return projected[:, : amplitudes.shape[1]] / norm


def n_weights(instructions: Sequence[Instruction]) -> int:
    """One more than the highest weight in use."""
    return 1 + max((int(i[3]) for i in instructions if i[0] == "ry" and i[2] == "weight"), default=-1)


def n_features(instructions: Sequence[Instruction]) -> int:
    """One more than the highest feature in use."""
    return 1 + max((int(i[3]) for i in instructions if i[0] == "ry" and i[2] == "feature"), default=-1)


def hardware_efficient(n: int, layers: int) -> list[Instruction]:
    """Embedding, then layers of one RY per qubit and the ring CNOT(i, i+1 mod n) (none for one qubit)."""
    program: list[Instruction] = [("amplitude_embedding",)]
    for layer in range(layers):
        program += [("ry", q, "weight", layer * n + q) for q in range(n)]
        program += [("cnot", q, (q + 1) % n) for q in range(n) if n > 1]
    return program


def relative_error(value: Array, truth: Array, scale: float = 0.0) -> float:
    """The largest difference, measured against the largest entry of the truth, or against `scale` if that is larger."""
    value, truth = np.asarray(value, np.float64), np.asarray(truth, np.float64)
    assert value.shape == truth.shape, f"shape {value.shape}, expected {truth.shape}"
    if truth.size == 0:
        return 0.0
    difference = float(np.max(np.abs(value - truth)))
    scale = max(scale, float(np.max(np.abs(truth))))
    return difference / scale if scale > 0 else difference
