"""What is measured: five circuits, their random inputs, and the right answers by plain NumPy in double precision.

`reference`  amplitudes (B, 2^n); layers of RY and the CNOT ring; probabilities (B, 2^n)
`noisy`      as `reference`, with depolarizing noise of both qubits after every CNOT (density.py)
`global`     as `reference`, with depolarizing noise of all qubits after every CNOT
`complex`    RX of a feature on each qubit (B, n); layers of U3 and the ring; <Z> of each qubit (B, n)
`large`      one state from |0..0>; layers of RY and the ring; <Z0> (1, 1)

Gradients are those of the weights and of the amplitudes or features.

Every contestant is checked against `answers` before it is timed. Shares no code with a contestant but `ring`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import density
import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
KINDS = ("reference", "complex", "large", "noisy", "global")
EMBEDDED = ("reference", "noisy", "global")  # amplitudes in, probabilities out
RATES = {"noisy": 0.02, "global": 1e-3}  # of rho -> (1-e) rho + e I/2^k (x) Tr_k rho after every CNOT
TOLERANCE = {"float32": 2e-5, "float64": 1e-11}
LARGE_TOLERANCE = {"float32": 2e-4, "float64": 1e-10}  # sums over millions of amplitudes


class Work(NamedTuple):
    """One circuit at one size. Hashable; crosses to worker processes as a tuple."""

    kind: str
    n: int
    layers: int
    batch: int
    dtype: str = "float32"

    @property
    def n_weights(self) -> int:
        return self.layers * self.n * (3 if self.kind == "complex" else 1)

    @property
    def inputs_name(self) -> str | None:
        """The name of the per-sample input."""
        return {"complex": "features", "large": None}.get(self.kind, "amplitudes")

    @property
    def rate(self) -> float:
        """Of the depolarizing noise after every CNOT."""
        return RATES.get(self.kind, 0.0)

    @property
    def tolerance(self) -> float:
        """Largest error allowed, relative to the largest entry of an answer."""
        return (LARGE_TOLERANCE if self.kind == "large" else TOLERANCE)[self.dtype]

    @property
    def multiply_adds(self) -> dict[str, int]:
        """Real multiply-adds of a gate-by-gate sweep per sample.

        Forward, for each amplitude: 1 for an RY (its factor is collected elsewhere), 4 for an RX, 8 for a U3. A step
        has three sweeps more: the state uncomputed, the cotangent walked back, and the slopes. A density matrix has
        4^n entries, on which an RY acts from both sides; the noise is not counted.
        """
        size = 2 * 4**self.n if self.kind == "noisy" else 2**self.n
        gates = self.layers * self.n
        forward = (gates * 8 + self.n * 4) * size if self.kind == "complex" else gates * size
        return {"forward": forward, "step": 4 * forward}

    @property
    def title(self) -> str:
        batch = "one state" if self.kind == "large" else f"B = {self.batch}"
        return f"{self.kind}, {self.n} qubits, {self.layers} layers, {batch}, {self.dtype}"


class Inputs(NamedTuple):
    """Weights (P,), amplitudes (B, 2^n) or features (B, n) or None, and the cotangent of the outputs (B, K)."""

    weights: Array
    samples: Array | None
    cotangent: Array


class Answers(NamedTuple):
    """Outputs (B, K), each sample's own gradient of the weights (B, P), and of its inputs; double precision."""

    outputs: Array
    by_weights: Array
    by_samples: Array | None


def ring(n: int) -> Array:
    """Where the ring of CNOTs sends each basis state."""
    target = np.arange(2**n)
    for control in range(n if n > 1 else 0):
        flip = 1 << (n - 1 - (control + 1) % n)
        target = np.where((target >> (n - 1 - control)) & 1 == 1, target ^ flip, target)
    return target


def signs(n: int, kind: str) -> Array:
    """The diagonals (2^n, K) of the observables: Z of every qubit, or of qubit 0 alone for `large`."""
    basis = np.arange(2**n)[:, None]
    qubits = np.arange(1 if kind == "large" else n)[None, :]
    return 1.0 - 2.0 * ((basis >> (n - 1 - qubits)) & 1)


@functools.lru_cache(maxsize=4)
def inputs(work: Work, seed: int = 0) -> Inputs:
    """Random inputs, the same for every contestant and precision."""
    generator = np.random.default_rng([seed, KINDS.index(work.kind), work.n, work.layers, work.batch])
    # In a large random circuit <Z0> drowns in rounding; small angles keep it of order one.
    largest = 0.6 if work.kind == "large" else np.pi
    weights = generator.uniform(-largest, largest, work.n_weights)
    if work.kind in EMBEDDED:
        samples, outputs = generator.standard_normal((work.batch, 2**work.n)), 2**work.n
    elif work.kind == "complex":
        samples, outputs = generator.uniform(-np.pi, np.pi, (work.batch, work.n)), work.n
    else:
        samples, outputs = None, 1
    cotangent = generator.standard_normal((work.batch, outputs))
    if work.kind == "large":
        cotangent = np.ones((1, 1))
    return Inputs(*(None if a is None else a.astype(work.dtype) for a in (weights, samples, cotangent)))


class Rotation(NamedTuple):
    """A gate of the truth: its matrix (2, 2) or (B, 2, 2), and for each parameter its place and d(matrix)."""

    qubit: int
    matrix: Array
    slopes: tuple[tuple[str, int, Array], ...]


def matrix(rows: list[list[Any]]) -> Array:
    return np.stack([np.stack(np.broadcast_arrays(*row), -1) for row in rows], -2)


def ry(qubit: int, angle: Any, where: tuple[str, int]) -> Rotation:
    c, s = np.cos(angle / 2), np.sin(angle / 2)
    return Rotation(qubit, matrix([[c, -s], [s, c]]), ((*where, matrix([[-s, -c], [c, -s]]) / 2),))


def rx(qubit: int, angle: Any, where: tuple[str, int]) -> Rotation:
    c, s = np.cos(angle / 2) + 0j, -1j * np.sin(angle / 2)
    slope = matrix([[-1j * s, -1j * c], [-1j * c, -1j * s]]) / 2
    return Rotation(qubit, matrix([[c, s], [s, c]]), ((*where, slope),))


def u3(qubit: int, angles: Array, first: int) -> Rotation:
    theta, phi, lam = angles
    c, s, p, q = np.cos(theta / 2), np.sin(theta / 2), np.exp(1j * phi), np.exp(1j * lam)
    by_theta = matrix([[-s, -q * c], [p * c, -p * q * s]]) / 2
    by_phi = 1j * matrix([[0, 0], [p * s, p * q * c]])
    by_lam = 1j * matrix([[0, -q * s], [0, p * q * c]])
    slopes = tuple(("weights", first + i, slope) for i, slope in enumerate((by_theta, by_phi, by_lam)))
    return Rotation(qubit, matrix([[c, -q * s], [p * s, p * q * c]]), slopes)


def apply(gate: Array, qubit: int, state: Array) -> Array:
    """A matrix (2, 2), or one for each sample, on one qubit of the states (B, 2^n)."""
    zero, one = np.moveaxis(state.reshape(len(state), 2**qubit, 2, -1), 2, 0)
    entry = gate[..., None, None]  # (2, 2, 1, 1) or (B, 2, 2, 1, 1)
    a, b, c, d = (entry[..., i, j, :, :] for i in (0, 1) for j in (0, 1))
    return np.stack([a * zero + b * one, c * zero + d * one], 2).reshape(state.shape)


def dagger(gate: Array) -> Array:
    return np.conj(np.swapaxes(gate, -1, -2))


def program(work: Work, given: Inputs) -> list[Rotation | Array]:
    """The gates in order; an array of indices is a ring."""
    weights = given.weights.astype(np.float64)
    gates: list[Rotation | Array] = []
    if work.kind == "complex":
        assert given.samples is not None
        angles = given.samples.astype(np.float64)
        gates += [rx(q, angles[:, q], ("samples", q)) for q in range(work.n)]
    for layer in range(work.layers):
        for q in range(work.n):
            k = layer * work.n + q
            gates.append(
                u3(q, weights[3 * k : 3 * k + 3], 3 * k)
                if work.kind == "complex"
                else ry(q, weights[k], ("weights", k))
            )
        gates.append(ring(work.n))
    return gates


def answers(work: Work, given: Inputs, gradients: bool = True) -> Answers:
    """The right answers by walking the gates forward and, for the gradients, back."""
    if work.kind == "noisy":
        assert given.samples is not None
        amplitudes, cotangent = (a.astype(np.float64) for a in (given.samples, given.cotangent))
        angles = given.weights.astype(np.float64).reshape(work.layers, work.n)
        return Answers(*density.answers(amplitudes, angles, work.rate, cotangent if gradients else None))
    state = np.zeros((work.batch, 2**work.n), np.complex128 if work.kind == "complex" else np.float64)
    state[:, 0] = 1
    norm = np.ones((work.batch, 1))
    if work.kind in EMBEDDED:
        amplitudes = np.asarray(given.samples, np.float64)
        norm = np.linalg.norm(amplitudes, axis=1, keepdims=True)
        state = amplitudes / norm
    gates = program(work, given)
    for gate in gates:
        state = state[:, np.argsort(gate)] if isinstance(gate, np.ndarray) else apply(gate.matrix, gate.qubit, state)
    left = (1 - work.rate) ** (work.layers * work.n if work.n > 1 else 0)  # of the state; the rest is I/2^n
    probabilities = left * np.abs(state) ** 2 + (1 - left) / 2**work.n
    diagonals = None if work.kind in EMBEDDED else signs(work.n, work.kind)
    outputs = probabilities if diagonals is None else probabilities @ diagonals
    if not gradients:
        return Answers(outputs, np.zeros((work.batch, 0)), None)
    cotangent = given.cotangent.astype(np.float64)
    costate = left * (cotangent if diagonals is None else cotangent @ diagonals.T) * state
    slopes = {"weights": np.zeros((work.batch, work.n_weights)), "samples": np.zeros((work.batch, work.n))}
    for gate in reversed(gates):
        if isinstance(gate, np.ndarray):
            state, costate = state[:, gate], costate[:, gate]
            continue
        state = apply(dagger(gate.matrix), gate.qubit, state)
        for name, index, derivative in gate.slopes:
            moved = apply(derivative, gate.qubit, state)
            slopes[name][:, index] = 2 * np.sum(np.conj(costate) * moved, axis=1).real
        costate = apply(dagger(gate.matrix), gate.qubit, costate)
    by_samples: Array | None = slopes["samples"] if work.kind == "complex" else None
    if work.kind in EMBEDDED:
        by_samples = 2 * (costate - state * np.sum(state * costate, axis=1, keepdims=True)) / norm
    return Answers(outputs, slopes["weights"], by_samples)


class Program(NamedTuple):
    """A contestant ready to run: calls that return when the work is done.

    `forward()` gives the outputs; `step()` the outputs and the gradients of sum(cotangent * outputs) by the weights
    and by the samples (None for what the library does not give). A library without a batch may take the first
    `samples` of the batch only: its time is that of those samples.
    """

    forward: Callable[[], Any]
    step: Callable[[], tuple[Any, Any, Any]] | None
    samples: int
    to_numpy: Callable[[Any], Array] = np.asarray
    note: str = ""


def assert_answers(name: str, program: Program, work: Work, right: Answers) -> None:
    """A contestant's outputs and gradients are right on all the samples it takes.

    Raises:
        AssertionError: naming the contestant, what is off and by how much.
    """
    rows = program.samples

    def compare(what: str, value: Any, expected: Array) -> None:
        got = np.asarray(program.to_numpy(value)).reshape(expected.shape)
        error = float(np.max(np.abs(got - expected)) / np.max(np.abs(expected)))
        assert error < work.tolerance, f"{name}: {what} off by {error:.1e} ({work.title})"

    compare("outputs", program.forward(), right.outputs[:rows])
    if program.step is not None:
        outputs, by_weights, by_samples = program.step()
        if outputs is not None:
            compare("outputs of a step", outputs, right.outputs[:rows])
        compare("weight gradient", by_weights, right.by_weights[:rows].sum(axis=0))
        if by_samples is not None and right.by_samples is not None:
            compare("input gradient", by_samples, right.by_samples[:rows])
