"""The slow truth: circuits as explicit 2^n x 2^n matrices made of Kronecker products, complex128, NumPy only.

Every other implementation is judged against this one, so it shares no code with any of them. Gradients are exact:
the derivative matrix of each gate between a stored state and a cotangent walked back through conjugate transposes.
A circuit is a list of `Instruction`; qubit 0 is the most significant bit; the batch B is the first axis.
A complex gradient is dL/dRe + i dL/dIm, as torch has it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache, reduce
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Observable = str | Mapping[str, float]  # "Z0 Y2", or words with their coefficients; "I" is the identity


# What a circuit is ----------------------------------------------------------------------------------------------------


class Angle(NamedTuple):
    """Radians: scale * (a weight or a feature) + shift, or a constant."""

    source: str  # "weight", "feature" or "constant"
    value: float  # the column of a weight or feature; the radians of a constant
    scale: float = 1.0
    shift: float = 0.0


class Instruction(NamedTuple):
    """One gate; the first named qubit is the most significant bit of its matrix."""

    gate: str
    qubits: tuple[int, ...] = ()
    angles: tuple[Angle, ...] = ()
    matrix: tuple[tuple[complex, ...], ...] = ()  # of "unitary" only
    word: str = ""  # of "pauli_rot" only, a letter for each qubit


EMBEDDING = Instruction("amplitude_embedding")  # first in a circuit, or absent


def weight(index: int, scale: float = 1.0, shift: float = 0.0) -> Angle:
    return Angle("weight", index, scale, shift)


def feature(index: int, scale: float = 1.0, shift: float = 0.0) -> Angle:
    return Angle("feature", index, scale, shift)


def constant(radians: float) -> Angle:
    return Angle("constant", radians)


def gate(name: str, *arguments: int | Angle) -> Instruction:
    """`gate("crx", 0, 2, weight(1))`: qubits, then angles."""
    qubits = tuple(int(a) for a in arguments if not isinstance(a, Angle))
    return Instruction(name, qubits, tuple(a for a in arguments if isinstance(a, Angle)))


def unitary(matrix: Any, *qubits: int) -> Instruction:
    rows = tuple(tuple(complex(entry) for entry in row) for row in np.asarray(matrix))
    return Instruction("unitary", qubits, (), rows)


def pauli_rot(word: str, qubits: Sequence[int], angle: Angle) -> Instruction:
    return Instruction("pauli_rot", tuple(qubits), (angle,), word=word)


# The gate table -------------------------------------------------------------------------------------------------------

IDENTITY = np.eye(2)
X = np.array([[0, 1], [1, 0]])
Y = np.array([[0, -1j], [1j, 0]])
Z = np.array([[1, 0], [0, -1]])
HADAMARD = np.array([[1, 1], [1, -1]]) / np.sqrt(2)
S = np.diag([1, 1j])
T = np.diag([1, np.exp(0.25j * np.pi)])
SX = np.array([[1 + 1j, 1 - 1j], [1 - 1j, 1 + 1j]]) / 2
ZERO, ONE = np.diag([1, 0]), np.diag([0, 1])
SWAP = np.array([[1, 0, 0, 0], [0, 0, 1, 0], [0, 1, 0, 0], [0, 0, 0, 1]])
ISWAP = np.array([[1, 0, 0, 0], [0, 0, 1j, 0], [0, 1j, 0, 0], [0, 0, 0, 1]])
PAULIS = {"I": IDENTITY, "X": X, "Y": Y, "Z": Z}


def kron(*factors: Array) -> Array:
    """The Kronecker product; also of stacks (B, d, d)."""
    return reduce(_kron, factors, np.ones((1, 1)))


def _kron(a: Array, b: Array) -> Array:
    product = a[..., :, None, :, None] * b[..., None, :, None, :]
    rows = a.shape[-1] * b.shape[-1]
    return product.reshape(*product.shape[:-4], rows, rows)


def controlled(matrix: Array, controls: int = 1) -> Array:
    """1 + |1..1><1..1| (x) (U - 1): acts where every control is 1."""
    projector = kron(*[ONE] * controls)
    return np.eye(len(projector) * matrix.shape[-1]) + kron(projector, matrix - np.eye(matrix.shape[-1]))


FIXED = {
    "x": X, "y": Y, "z": Z, "h": HADAMARD, "s": S, "sdg": S.conj(), "t": T, "tdg": T.conj(), "sx": SX,
    "sxdg": SX.conj().T, "cnot": controlled(X), "cy": controlled(Y), "cz": controlled(Z), "ch": controlled(HADAMARD),
    "swap": SWAP, "iswap": ISWAP, "iswapdg": ISWAP.conj(), "toffoli": controlled(X, 2), "fredkin": controlled(SWAP),
}  # fmt: skip
GENERATORS = {"rx": X, "ry": Y, "rz": Z, "rxx": kron(X, X), "ryy": kron(Y, Y), "rzz": kron(Z, Z)}
CONTROLLED = {"crx": "rx", "cry": "ry", "crz": "rz", "cphase": "phase", "cu3": "u3"}
PARAMETERS = {**dict.fromkeys([*GENERATORS, "phase", "crx", "cry", "crz", "cphase"], 1), "u3": 3, "rot": 3, "cu3": 3}
WIDTHS = {  # qubits of a gate; 0: as many as are named
    **{name: len(matrix).bit_length() - 1 for name, matrix in {**FIXED, **GENERATORS}.items()},
    **dict.fromkeys(["phase", "u3", "rot"], 1), **dict.fromkeys(CONTROLLED, 2), "mcx": 0, "mcz": 0, "unitary": 0,
    "pauli_rot": 0,
}  # fmt: skip


def stack(rows: list[list[Any]]) -> Array:
    """A matrix of numbers and arrays (B,) as (B, d, d)."""
    entries = np.broadcast_arrays(*(entry for row in rows for entry in row))
    return np.stack(entries, axis=-1).reshape(*entries[0].shape, len(rows), len(rows))


def rotation(generator: Array, t: Array) -> Array:
    """exp(-i t P / 2) for a P whose square is one."""
    t = t[:, None, None]
    return np.cos(t / 2) * np.eye(len(generator)) - 1j * np.sin(t / 2) * generator


def generator_of(instruction: Instruction) -> Array:
    """The Pauli word on the qubits of a rotation."""
    return kron(*(PAULIS[letter] for letter in instruction.word))


def phase(t: Array) -> Array:
    return stack([[1, 0], [0, np.exp(1j * t)]])


def u3(theta: Array, phi: Array, lam: Array) -> Array:
    c, s = np.cos(theta / 2), np.sin(theta / 2)
    return stack([[c, -np.exp(1j * lam) * s], [np.exp(1j * phi) * s, np.exp(1j * (phi + lam)) * c]])


def matrix_of(instruction: Instruction, angles: Sequence[Array]) -> Array:
    """The textbook matrix of a gate for each row of its angles, (B, 2^k, 2^k)."""
    name = instruction.gate
    if name in FIXED:
        return FIXED[name][None]
    if name in ("mcx", "mcz"):
        return controlled({"mcx": X, "mcz": Z}[name], len(instruction.qubits) - 1)[None]
    if name == "unitary":
        return np.array(instruction.matrix)[None]
    if name == "pauli_rot":
        return rotation(generator_of(instruction), angles[0])
    if name in CONTROLLED:
        return controlled(matrix_of(Instruction(CONTROLLED[name]), angles))
    if name in GENERATORS:
        return rotation(GENERATORS[name], angles[0])
    if name == "rot":
        phi, theta, omega = angles
        return rotation(Z, omega) @ rotation(Y, theta) @ rotation(Z, phi)
    return {"phase": phase, "u3": u3}[name](*angles)


def slope_of(instruction: Instruction, angles: Sequence[Array], k: int) -> Array:
    """The derivative of `matrix_of` with respect to angle k, (B, 2^k, 2^k)."""
    name = instruction.gate
    if name in CONTROLLED:
        return kron(ONE, slope_of(Instruction(CONTROLLED[name]), angles, k))
    full = matrix_of(instruction, angles)
    if name == "pauli_rot":
        return -0.5j * generator_of(instruction) @ full
    if name in GENERATORS:
        return -0.5j * GENERATORS[name] @ full
    if name == "phase":
        return 1j * ONE @ full
    if name == "u3":
        theta, phi, lam = angles
        c, s = np.cos(theta / 2) / 2, np.sin(theta / 2) / 2
        by_theta = stack([[-s, -np.exp(1j * lam) * c], [np.exp(1j * phi) * c, -np.exp(1j * (phi + lam)) * s]])
        return [by_theta, 1j * ONE @ full, full @ (1j * ONE)][k]
    if name == "rot":
        phi, theta, omega = angles
        middle = rotation(Z, omega) @ (-0.5j * Y) @ rotation(Y, theta) @ rotation(Z, phi)
        return [full @ (-0.5j * Z), middle, -0.5j * Z @ full][k]
    raise AssertionError(name)


# Matrices on all qubits -----------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def unit(n: int, qubits: tuple[int, ...], row: int, column: int) -> tuple[Array, Array]:
    """Where |row><column| on the named qubits (x) identity on the others holds its ones."""
    k, factors = len(qubits), [np.eye(2, dtype=bool)] * n
    for place, qubit in enumerate(qubits):
        factor = np.zeros((2, 2), bool)
        factor[row >> (k - 1 - place) & 1, column >> (k - 1 - place) & 1] = True
        factors[qubit] = factor
    rows, columns = np.nonzero(kron(*factors))
    return rows, columns


def embedded(n: int, qubits: tuple[int, ...], small: Array) -> Array:
    """(B, 2^n, 2^n) from (B, 2^k, 2^k) on the named qubits."""
    full = np.zeros((len(small), 2**n, 2**n), np.complex128)
    for row, column in zip(*np.nonzero(np.any(small != 0, axis=0)), strict=True):
        rows, columns = unit(n, qubits, int(row), int(column))
        full[:, rows, columns] = small[:, row, column, None]
    return full


@lru_cache(maxsize=48)
def word_matrix(n: int, word: str) -> Array:
    """The Kronecker product of the Paulis in "X0 Z2", the identity where none is named."""
    factors = {int(factor[1:]): PAULIS[factor[0]] for factor in word.split() if factor != "I"}
    return kron(*(factors.get(qubit, IDENTITY) for qubit in range(n)))


def coefficients(observable: Observable) -> dict[str, float]:
    """The words of an observable with their coefficients."""
    return {observable: 1.0} if isinstance(observable, str) else dict(observable)


def observable_matrix(n: int, observable: Observable) -> Array:
    """The Hermitian (2^n, 2^n) matrix of a weighted sum of words."""
    total = np.zeros((2**n, 2**n), np.complex128)
    for word, coefficient in coefficients(observable).items():
        total += coefficient * word_matrix(n, word)
    return total


@lru_cache(maxsize=64)
def marginal_matrix(n: int, qubits: tuple[int, ...]) -> Array:
    """(2^k, 2^n): row j holds one where the bits of the listed qubits, first most significant, spell j."""
    matrix = np.zeros((2 ** len(qubits), 2**n))
    for index in range(2**n):
        bits = format(index, f"0{n}b")
        matrix[int("".join(bits[q] for q in qubits), 2), index] = 1
    return matrix


# Inputs ---------------------------------------------------------------------------------------------------------------


class Inputs(NamedTuple):
    """The arguments of one call: weights (B, P), amplitudes (B, D), features (B, F); one row serves the whole batch."""

    weights: Array
    amplitudes: Array | None
    features: Array | None

    @property
    def size(self) -> int:
        """The batch: the number of rows of whatever has not just one."""
        return next((len(a) for a in self if a is not None and len(a) != 1), 1)


class Gradients(NamedTuple):
    """Derivatives of the loss in the shapes of the inputs; None where the input is absent."""

    weights: Array
    amplitudes: Array | None
    features: Array | None


def batched(weights: Array, amplitudes: Array | None, features: Array | None) -> Inputs:
    """Gives every input a batch axis, in double precision."""
    return Inputs(*(None if a is None else wide(np.atleast_2d(a)) for a in (weights, amplitudes, features)))


def wide(array: Array) -> Array:
    """The same numbers in double precision."""
    return np.asarray(array, np.complex128 if np.iscomplexobj(array) else np.float64)


def is_single(weights: Array, amplitudes: Array | None, features: Array | None) -> bool:
    """Whether no input has a batch axis, so that the output has none either."""
    return all(np.ndim(a) < 2 for a in (weights, amplitudes, features) if a is not None)


def radians(angle: Angle, inputs: Inputs) -> Array:
    """An angle for every sample, (B,), or (1,) where all have the same."""
    if angle.source == "constant":
        return np.array([float(angle.value)])
    table = inputs.weights if angle.source == "weight" else inputs.features
    assert table is not None
    return angle.scale * table[:, int(angle.value)] + angle.shift


def normalised(n: int, amplitudes: Array) -> tuple[Array, Array]:
    """Zero-padded states of norm one (B, 2^n), and the norms (B, 1) they were divided by."""
    largest = np.max(np.abs(amplitudes), axis=1, keepdims=True)  # so that squares neither overflow nor vanish
    norm = largest * np.sqrt(np.sum(np.abs(amplitudes / largest) ** 2, axis=1, keepdims=True))
    state = np.zeros((len(amplitudes), 2**n), np.complex128)
    state[:, : amplitudes.shape[1]] = amplitudes / norm
    return state, norm


# A run and its readouts -----------------------------------------------------------------------------------------------


class Step(NamedTuple):
    """One gate of a run: its angles, its matrix on all qubits (B or 1, 2^n, 2^n), and the state after it."""

    instruction: Instruction
    angles: list[Array]
    matrix: Array
    state: Array


def times(matrix: Array, state: Array) -> Array:
    """Every matrix (B or 1, D, D) on its row of states (B, D); by einsum, since BLAS wakes threads for nothing here."""
    if len(matrix) == 1:
        return np.einsum("ij,bj->bi", matrix[0], state)
    return np.einsum("bij,bj->bi", matrix, state)


def inner(a: Array, b: Array) -> Array:
    """The real part of <a|b> for every row, (B,)."""
    return np.sum(a.conj() * b, axis=1).real


def initial_state(n: int, instructions: Sequence[Instruction], inputs: Inputs) -> Array:
    """The embedded amplitudes, or |0...0>, for every sample."""
    state = np.zeros((1, 2**n), np.complex128)
    state[:, 0] = 1
    if EMBEDDING in instructions[:1]:
        assert inputs.amplitudes is not None
        state, _ = normalised(n, inputs.amplitudes)
    return np.broadcast_to(state, (inputs.size, 2**n))


def run(n: int, instructions: Sequence[Instruction], inputs: Inputs) -> list[Step]:
    """Every gate with the state after it; the first entry is the input state."""
    steps = [Step(EMBEDDING, [], np.eye(2**n)[None], initial_state(n, instructions, inputs))]
    for instruction in instructions:
        if instruction != EMBEDDING:
            angles = [radians(angle, inputs) for angle in instruction.angles]
            matrix = embedded(n, instruction.qubits, matrix_of(instruction, angles))
            steps.append(Step(instruction, angles, matrix, times(matrix, steps[-1].state)))
    return steps


def final_states(n: int, instructions: Sequence[Instruction], inputs: Inputs) -> Array:
    """(B, 2^n) states after the circuit."""
    return run(n, instructions, inputs)[-1].state


def readout(
    n: int,
    state: Array,
    qubits: Sequence[int] | None = None,
    observables: Sequence[Observable] | None = None,
    variance: Sequence[Observable] | None = None,
    statevector: bool = False,
) -> Array:
    """The states (B, 2^n), expectations or variances (B, len), or the probabilities of the named qubits (B, 2^k)."""
    if statevector:
        return state
    if observables is not None:
        images = [times(observable_matrix(n, o)[None], state) for o in observables]
        return np.stack([inner(state, image) for image in images], axis=1)
    if variance is not None:
        matrices = [observable_matrix(n, o)[None] for o in variance]
        images = [(times(m, state), times(m, times(m, state))) for m in matrices]
        return np.stack([inner(state, twice) - inner(state, once) ** 2 for once, twice in images], axis=1)
    return np.abs(state) ** 2 @ marginal_matrix(n, tuple(range(n)) if qubits is None else tuple(qubits)).T


def readout_pullback(
    n: int,
    state: Array,
    cotangent: Array,
    qubits: Sequence[int] | None = None,
    observables: Sequence[Observable] | None = None,
    variance: Sequence[Observable] | None = None,
    statevector: bool = False,
) -> Array:
    """dL/dRe(state) + i dL/dIm(state) for L = Re sum(conj(cotangent) * outputs), (B, 2^n)."""
    if statevector:
        return cotangent.astype(np.complex128)
    back = np.zeros_like(state)
    for k, observable in enumerate(observables or ()):
        back += 2 * cotangent[:, k, None] * times(observable_matrix(n, observable)[None], state)
    for k, observable in enumerate(variance or ()):
        matrix = observable_matrix(n, observable)[None]
        once = times(matrix, state)
        back += 2 * cotangent[:, k, None] * (times(matrix, once) - 2 * inner(state, once)[:, None] * once)
    if observables is None and variance is None:
        back += 2 * state * (cotangent @ marginal_matrix(n, tuple(range(n)) if qubits is None else tuple(qubits)))
    return back


def outputs(
    n: int,
    instructions: Sequence[Instruction],
    weights: Array,
    amplitudes: Array | None = None,
    features: Array | None = None,
    **measure: Any,
) -> Array:
    """What `readout` makes of the final states, by its options; no batch axis if no input has one."""
    result = readout(n, final_states(n, instructions, batched(weights, amplitudes, features)), **measure)
    return result[0] if is_single(weights, amplitudes, features) else result


def gradients(
    n: int,
    instructions: Sequence[Instruction],
    cotangent: Array,
    weights: Array,
    amplitudes: Array | None = None,
    features: Array | None = None,
    **measure: Any,
) -> Gradients:
    """The derivative of Re sum(conj(cotangent) * outputs) with respect to every input, exact."""
    inputs = batched(weights, amplitudes, features)
    steps = run(n, instructions, inputs)
    by_weight = np.zeros((inputs.size, inputs.weights.shape[1]))
    by_feature = np.zeros((inputs.size, 0 if inputs.features is None else inputs.features.shape[1]))
    back = readout_pullback(n, steps[-1].state, np.atleast_2d(cotangent), **measure)
    for before, step in zip(reversed(steps[:-1]), reversed(steps[1:]), strict=True):
        for k, angle in enumerate(step.instruction.angles):
            if angle.source != "constant":
                slope = embedded(n, step.instruction.qubits, slope_of(step.instruction, step.angles, k))
                change = inner(back, times(slope, before.state))
                (by_weight if angle.source == "weight" else by_feature)[:, int(angle.value)] += angle.scale * change
        back = times(step.matrix.conj().swapaxes(1, 2), back)
    by_amplitude = None if inputs.amplitudes is None else through_norm(n, inputs.amplitudes, back)
    return Gradients(
        folded(by_weight, weights),
        None if by_amplitude is None else folded(by_amplitude, amplitudes),
        None if features is None else folded(by_feature, features),
    )


def through_norm(n: int, amplitudes: Array, back: Array) -> Array:
    """The cotangent of the raw amplitudes: d(x/|x|) projects off the state and divides by the norm."""
    state, norm = normalised(n, amplitudes)
    projected = (back - state * inner(state, back)[:, None])[:, : amplitudes.shape[1]] / norm
    return projected if np.iscomplexobj(amplitudes) else projected.real


def folded(gradient: Array, given: Any) -> Array:
    """A gradient per sample in the shape of its input: summed where one row served the batch."""
    return gradient.sum(axis=0) if np.ndim(given) == 1 else gradient


# Judging --------------------------------------------------------------------------------------------------------------


def output_scale(**measure: Any) -> float:
    """The largest size that an output can have: rounding is relative to it."""
    observables = measure.get("observables") or measure.get("variance") or ()
    largest = max((sum(abs(c) for c in coefficients(o).values()) for o in observables), default=1.0)
    return largest**2 if "variance" in measure else largest


def slope_scale(
    n: int,
    instructions: Sequence[Instruction],
    cotangent: Array,
    weights: Array,
    amplitudes: Array | None = None,
    features: Array | None = None,
    **measure: Any,
) -> float:
    """What a slope can be at most, the largest norm of a sample's state cotangent times the largest scale of an angle.

    A gradient may vanish by symmetry; its rounding is relative to this all the same.
    """
    state = final_states(n, instructions, batched(weights, amplitudes, features))
    back = readout_pullback(n, state, np.atleast_2d(cotangent), **measure)
    steepest = max((abs(a.scale) for i in instructions for a in i.angles if a.source != "constant"), default=1.0)
    return float(np.max(np.linalg.norm(back, axis=1), initial=0.0)) * max(1.0, steepest)


def n_columns(instructions: Sequence[Instruction], source: str) -> int:
    """One more than the highest "weight" or "feature" in use."""
    return 1 + max((int(a.value) for i in instructions for a in i.angles if a.source == source), default=-1)


def hardware_efficient(n: int, layers: int) -> list[Instruction]:
    """Embedding, then layers of one RY per qubit and the ring CNOT(i, i+1 mod n) (none for one qubit)."""
    program = [EMBEDDING]
    for layer in range(layers):
        program += [gate("ry", q, weight(layer * n + q)) for q in range(n)]
        program += [gate("cnot", q, (q + 1) % n) for q in range(n) if n > 1]
    return program


def relative_error(value: Any, truth: Any, scale: float = 0.0) -> float:
    """The largest difference, measured against the largest entry of the truth, or against `scale` if that is larger."""
    value, truth = wide(np.asarray(value)), wide(np.asarray(truth))
    assert value.shape == truth.shape, f"shape {value.shape}, expected {truth.shape}"
    if truth.size == 0:
        return 0.0
    difference = float(np.max(np.abs(value - truth)))
    scale = max(scale, float(np.max(np.abs(truth))))
    return difference / scale if scale > 0 else difference
