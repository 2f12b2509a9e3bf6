"""The slow truth of noise: density matrices by explicit Kraus sums of matrices on all qubits, complex128, NumPy only.

A noisy circuit is a list of `dense.Instruction` and `Channel` in any order. Gradients are exact in the Heisenberg
picture: the Hermitian cotangent of the final density matrix walks back through the adjoint of every map. `outputs`
and `gradients` have the signatures of those in dense.py, and one more readout, `density` (qubits of the reduced
density matrix); `readout_error` acts on outcomes and observables, wherever it stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from oracle import dense
from oracle.dense import EMBEDDING, ONE, PAULIS, ZERO, Angle, Array, Gradients, Inputs, Instruction, Observable, kron

# Channels -------------------------------------------------------------------------------------------------------------


class Channel(NamedTuple):
    """One channel; no qubits: all of them."""

    gate: str
    qubits: tuple[int, ...] = ()
    rates: tuple[float, ...] = ()
    matrices: tuple[tuple[tuple[complex, ...], ...], ...] = ()  # of "kraus" only

    @property
    def angles(self) -> tuple[Angle, ...]:
        """None, so that a channel may stand where a gate does."""
        return ()

    @property
    def is_global(self) -> bool:
        return not self.qubits

    @property
    def is_readout(self) -> bool:
        return self.gate == "readout_error"


Item = Instruction | Channel


def channel(name: str, qubits: Sequence[int], *rates: float) -> Channel:
    """`channel("amplitude_damping", [2], 0.1, 0.0)`."""
    return Channel(name, tuple(int(q) for q in qubits), tuple(float(r) for r in rates))


def kraus_channel(matrices: Any, *qubits: int) -> Channel:
    """A channel of given Kraus matrices (m, 2^k, 2^k)."""
    rows = tuple(tuple(tuple(complex(entry) for entry in row) for row in matrix) for matrix in np.asarray(matrices))
    return Channel("kraus", qubits, (), rows)


def pauli_mixture(weights: dict[str, float]) -> list[Array]:
    """Words of Paulis with their probabilities as Kraus matrices."""
    return [np.sqrt(w) * kron(*(PAULIS[letter] for letter in word)) for word, w in weights.items()]


def depolarizing_kraus(k: int, rate: float) -> list[Array]:
    """All 4^k words alike, besides what stays."""
    weights = {"".join(word): rate / 4**k for word in product("IXYZ", repeat=k)}
    weights["I" * k] = max(0.0, 1 - rate * (1 - 1 / 4**k))
    return pauli_mixture(weights)


def amplitude_damping_kraus(gamma: float, excited: float) -> list[Array]:
    """Decay towards 0 and towards 1, in the proportion of the equilibrium."""
    fall, rise = np.sqrt(1 - excited), np.sqrt(excited)
    down, up = np.array([[0, 1], [0, 0]]), np.array([[0, 0], [1, 0]])
    return [
        fall * np.diag([1, np.sqrt(1 - gamma)]),
        fall * np.sqrt(gamma) * down,
        rise * np.diag([np.sqrt(1 - gamma), 1]),
        rise * np.sqrt(gamma) * up,
    ]


def choi_kraus(images: dict[tuple[int, int], Array]) -> list[Array]:
    """Kraus matrices from what becomes of each |i><j|: the eigenvectors of the Choi matrix."""
    units = {(i, j): np.outer(np.eye(2)[i], np.eye(2)[j]) for i, j in images}
    values, vectors = np.linalg.eigh(sum(np.kron(units[at], image) for at, image in images.items()))
    assert values[0] > -1e-12, "not completely positive"
    return [np.sqrt(max(v, 0.0)) * vectors[:, m].reshape(2, 2).T for m, v in enumerate(values)]


def thermal_kraus(t1: float, t2: float, time: float, excited: float) -> list[Array]:
    """Populations approach equilibrium at rate 1/t1, coherences vanish at rate 1/t2."""
    kept, coherence = np.exp(-time / t1), np.exp(-time / t2)
    from_zero, from_one = (1 - kept) * excited, kept + (1 - kept) * excited
    return choi_kraus(
        {
            (0, 0): np.diag([1 - from_zero, from_zero]),
            (1, 1): np.diag([1 - from_one, from_one]),
            (0, 1): coherence * np.array([[0, 1], [0, 0]]),
            (1, 0): coherence * np.array([[0, 0], [1, 0]]),
        }
    )


def kraus(item: Channel) -> list[Array]:
    """The Kraus matrices (2^k, 2^k) of a channel on its own qubits."""
    name, rates = item.gate, item.rates
    if name == "kraus":
        return [np.array(matrix) for matrix in item.matrices]
    if name == "depolarizing":
        return depolarizing_kraus(len(item.qubits), *rates)
    if name in ("bit_flip", "phase_flip", "bit_phase_flip"):
        letter = {"bit_flip": "X", "phase_flip": "Z", "bit_phase_flip": "Y"}[name]
        return pauli_mixture({"I": 1 - rates[0], letter: rates[0]})
    if name == "pauli":
        return pauli_mixture({"I": max(0.0, 1 - sum(rates)), **dict(zip("XYZ", rates, strict=True))})
    if name == "phase_damping":
        return [ZERO + np.sqrt(1 - rates[0]) * ONE, np.sqrt(rates[0]) * ONE]
    return {"amplitude_damping": amplitude_damping_kraus, "thermal_relaxation": thermal_kraus}[name](*rates)


# Maps of a density matrix ---------------------------------------------------------------------------------------------


def adjoint(matrix: Array) -> Array:
    return matrix.conj().swapaxes(-1, -2)


def matrix_product(matrix: Array, other: Array) -> Array:
    """matrix @ other, (B or 1, D, D) each, by the places i, i ^ offset that are not all zero.

    A matrix on all qubits has few of them; BLAS wakes threads, which on a busy machine takes far longer.
    """
    index = np.arange(matrix.shape[-1])
    rows, columns = np.nonzero(np.any(matrix != 0, axis=0))
    total = np.zeros(np.broadcast_shapes(matrix.shape, other.shape), np.complex128)
    for offset in np.unique(rows ^ columns):
        total += matrix[:, index, index ^ offset, None] * other[:, index ^ offset]
    return total


def between(left: Array, matrix: Array, right: Array) -> Array:
    """left @ matrix @ right^H."""
    return matrix_product(left, adjoint(matrix_product(right, adjoint(matrix))))


def towards_identity(matrix: Array, rate: float) -> Array:
    """(1-e) A + e tr(A) / D on all qubits, which is its own adjoint."""
    size = matrix.shape[-1]
    trace = np.trace(matrix, axis1=-2, axis2=-1)[..., None, None]
    return (1 - rate) * matrix + rate * trace / size * np.eye(size)


def operators(n: int, item: Item, angles: Sequence[Array]) -> list[Array]:
    """The matrices (B or 1, 2^n, 2^n) K of the map sum K rho K^H; none for a global channel."""
    if isinstance(item, Channel):
        return [] if item.is_global else [dense.embedded(n, item.qubits, k[None]) for k in kraus(item)]
    return [dense.embedded(n, item.qubits, dense.matrix_of(item, angles))]


class Step(NamedTuple):
    """One map of a run: its angles, its operators on all qubits, and the density matrices (B, 2^n, 2^n) after it."""

    item: Item
    angles: list[Array]
    operators: list[Array]
    rho: Array


def forwards(item: Item, matrices: list[Array], rho: Array) -> Array:
    """The map of an item."""
    if not matrices:
        return towards_identity(rho, *item.rates)
    return sum(between(matrix, rho, matrix) for matrix in matrices)


def backwards(item: Item, matrices: list[Array], cotangent: Array) -> Array:
    """Its adjoint: sum K^H G K."""
    if not matrices:
        return towards_identity(cotangent, *item.rates)
    return sum(between(adjoint(matrix), cotangent, adjoint(matrix)) for matrix in matrices)


def run(n: int, instructions: Sequence[Item], inputs: Inputs) -> list[Step]:
    """Every map with the density matrices after it; the first entry is the input."""
    psi = dense.initial_state(n, instructions, inputs)
    steps = [Step(EMBEDDING, [], [np.eye(2**n)[None]], psi[:, :, None] * psi[:, None, :].conj())]
    for item in instructions:
        if item != EMBEDDING and not (isinstance(item, Channel) and item.is_readout):
            angles = [dense.radians(angle, inputs) for angle in item.angles]
            matrices = operators(n, item, angles)
            steps.append(Step(item, angles, matrices, forwards(item, matrices, steps[-1].rho)))
    return steps


def density_matrices(n: int, instructions: Sequence[Item], inputs: Inputs) -> Array:
    """(B, 2^n, 2^n) after the circuit."""
    return run(n, instructions, inputs)[-1].rho


def twirled(n: int, rho: Array, rate: float) -> Array:
    """Global depolarizing as the mixture of all 4^n words of Paulis: what `towards_identity` must equal."""
    return sum(k @ rho @ adjoint(k) for k in depolarizing_kraus(n, rate))


# Readout --------------------------------------------------------------------------------------------------------------


def confusions(n: int, instructions: Sequence[Item]) -> list[Array]:
    """For each qubit the matrix whose column j holds the probabilities of what is read when it is j."""
    found = [np.eye(2) for _ in range(n)]
    for item in instructions:
        if isinstance(item, Channel) and item.is_readout:
            p01, p10 = item.rates
            found[item.qubits[0]] = np.array([[1 - p01, p10], [p01, 1 - p10]]) @ found[item.qubits[0]]
    return found


def read(n: int, instructions: Sequence[Item], observable: Array) -> Array:
    """The observable that the expectation of read words is: P_q becomes (1-p01-p10) P_q + (p10-p01) on each qubit."""
    found = observable[None]
    for qubit, confusion in enumerate(confusions(n, instructions)):
        if np.array_equal(confusion, np.eye(2)):
            continue
        kept, bias = confusion[0, 0] - confusion[0, 1], confusion[0, 0] + confusion[0, 1] - 1
        paulis = [dense.embedded(n, (qubit,), PAULIS[letter][None]) for letter in "IXYZ"]
        letters = sum(matrix_product(p, found) for p in paulis[1:])
        found = kept * found + averaged((1 - kept) * found + bias * letters, paulis)
    return found[0]


def averaged(matrix: Array, paulis: Sequence[Array]) -> Array:
    """The part of a matrix that is the identity on the qubit of the Paulis: their twirl."""
    return sum(between(p, matrix, p) for p in paulis) / 4


def outcome_matrix(n: int, instructions: Sequence[Item], qubits: Sequence[int] | None) -> Array:
    """(2^k, 2^n): the probability of reading an outcome of the named qubits for each basis state."""
    kept = tuple(range(n)) if qubits is None else tuple(qubits)
    table = confusions(n, instructions)
    return kron(*(table[q] for q in kept)) @ dense.marginal_matrix(n, kept)


def reduced(n: int, rho: Array, qubits: Sequence[int] | None) -> Array:
    """(B, 2^k, 2^k) of the named qubits, the first the most significant."""
    kept = list(range(n)) if qubits is None else list(qubits)
    traced = [q for q in range(n) if q not in kept]
    order = [0, *(1 + q for q in kept + traced), *(1 + n + q for q in kept + traced)]
    k, rest = 2 ** len(kept), 2 ** len(traced)
    blocks = rho.reshape(-1, *[2] * (2 * n)).transpose(order).reshape(-1, k, rest, k, rest)
    return np.trace(blocks, axis1=2, axis2=4)


def expectations(observables: Sequence[Array], rho: Array) -> Array:
    """(B, len) traces with the density matrices."""
    return np.stack([np.einsum("ij,bji->b", o, rho).real for o in observables], axis=1)


def read_observables(
    n: int, instructions: Sequence[Item], observables: Sequence[Observable], power: int
) -> list[Array]:
    """The matrices of the observables to a power, as they are read."""
    matrices = [dense.observable_matrix(n, o)[None] for o in observables]
    return [read(n, instructions, (m if power == 1 else matrix_product(m, m))[0]) for m in matrices]


def readout(n: int, instructions: Sequence[Item], rho: Array, **measure: Any) -> Array:
    """Probabilities (B, 2^k), expectations or variances (B, len), or reduced density matrices (B, 2^k, 2^k)."""
    if "density" in measure:
        return reduced(n, rho, measure["density"])
    if "observables" in measure:
        return expectations(read_observables(n, instructions, measure["observables"], 1), rho)
    if "variance" in measure:
        once, twice = (read_observables(n, instructions, measure["variance"], power) for power in (1, 2))
        return expectations(twice, rho) - expectations(once, rho) ** 2
    diagonal = np.einsum("bii->bi", rho).real
    return diagonal @ outcome_matrix(n, instructions, measure.get("qubits")).T


def weighted(weights: Array, matrices: Sequence[Array]) -> Array:
    """Sums (B, D, D) of matrices with weights (B, K)."""
    return sum(weights[:, k, None, None] * matrix for k, matrix in enumerate(matrices))


def readout_pullback(n: int, instructions: Sequence[Item], rho: Array, cotangent: Array, **measure: Any) -> Array:
    """The Hermitian G (B, 2^n, 2^n) with dL = tr(G drho) for L = Re sum(conj(cotangent) * outputs)."""
    if "density" in measure:
        kept = tuple(range(n)) if measure["density"] is None else tuple(measure["density"])
        return dense.embedded(n, kept, (cotangent + adjoint(cotangent)) / 2)
    if "observables" in measure:
        return weighted(cotangent, read_observables(n, instructions, measure["observables"], 1))
    if "variance" in measure:
        once, twice = (read_observables(n, instructions, measure["variance"], power) for power in (1, 2))
        return weighted(cotangent, twice) - weighted(2 * cotangent * expectations(once, rho), once)
    diagonal = cotangent @ outcome_matrix(n, instructions, measure.get("qubits"))
    return diagonal[:, :, None] * np.eye(2**n)


def outputs(
    n: int,
    instructions: Sequence[Item],
    weights: Array,
    amplitudes: Array | None = None,
    features: Array | None = None,
    **measure: Any,
) -> Array:
    """What `readout` makes of the final density matrices; no batch axis if no input has one."""
    rho = density_matrices(n, instructions, dense.batched(weights, amplitudes, features))
    result = readout(n, instructions, rho, **measure)
    return result[0] if dense.is_single(weights, amplitudes, features) else result


# Gradients ------------------------------------------------------------------------------------------------------------


def pulled_back(
    n: int, instructions: Sequence[Item], rho: Array, cotangent: Array, inputs: Inputs, **measure: Any
) -> Array:
    """`readout_pullback` of a cotangent with or without a batch axis."""
    tail = 2 if "density" in measure else 1
    stacked = np.reshape(dense.wide(cotangent), (inputs.size, *np.shape(cotangent)[-tail:]))
    return readout_pullback(n, instructions, rho, stacked, **measure)


def gradients(
    n: int,
    instructions: Sequence[Item],
    cotangent: Array,
    weights: Array,
    amplitudes: Array | None = None,
    features: Array | None = None,
    **measure: Any,
) -> Gradients:
    """The derivative of Re sum(conj(cotangent) * outputs) with respect to every input, exact."""
    inputs = dense.batched(weights, amplitudes, features)
    steps = run(n, instructions, inputs)
    by_weight = np.zeros((inputs.size, inputs.weights.shape[1]))
    by_feature = np.zeros((inputs.size, 0 if inputs.features is None else inputs.features.shape[1]))
    back = pulled_back(n, instructions, steps[-1].rho, cotangent, inputs, **measure)
    for before, step in zip(reversed(steps[:-1]), reversed(steps[1:]), strict=True):
        for k, angle in enumerate(step.item.angles):
            if angle.source != "constant":
                slope = dense.embedded(n, step.item.qubits, dense.slope_of(step.item, step.angles, k))
                change = 2 * np.einsum("bij,bji->b", back, between(slope, before.rho, step.operators[0])).real
                (by_weight if angle.source == "weight" else by_feature)[:, int(angle.value)] += angle.scale * change
        back = backwards(step.item, step.operators, back)
    by_amplitude = None if inputs.amplitudes is None else by_amplitudes(n, inputs, back)
    return Gradients(
        dense.folded(by_weight, weights),
        None if by_amplitude is None else dense.folded(by_amplitude, amplitudes),
        None if features is None else dense.folded(by_feature, features),
    )


def by_amplitudes(n: int, inputs: Inputs, back: Array) -> Array:
    """From the cotangent of |psi><psi|, which has 2 G psi as the cotangent of psi."""
    assert inputs.amplitudes is not None
    amplitudes = np.broadcast_to(inputs.amplitudes, (inputs.size, inputs.amplitudes.shape[1]))
    psi, _ = dense.normalised(n, amplitudes)
    return dense.through_norm(n, amplitudes, 2 * np.einsum("bij,bj->bi", back, psi))


def slope_scale(
    n: int,
    instructions: Sequence[Item],
    cotangent: Array,
    weights: Array,
    amplitudes: Array | None = None,
    features: Array | None = None,
    **measure: Any,
) -> float:
    """What a slope can be at most: twice the largest row of the cotangent times the steepest angle."""
    inputs = dense.batched(weights, amplitudes, features)
    rho = density_matrices(n, instructions, inputs)
    back = pulled_back(n, instructions, rho, cotangent, inputs, **measure)
    steepest = max((abs(a.scale) for i in instructions for a in i.angles if a.source != "constant"), default=1.0)
    return 2 * float(np.max(np.sum(np.abs(back), axis=2), initial=0.0)) * max(1.0, steepest)
