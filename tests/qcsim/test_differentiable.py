"""The circuit in torch operations, against matrices written out here and against the engine."""

from __future__ import annotations

import cmath
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import qcsim
from oracle.circuits import random_case

torch = pytest.importorskip("torch")
from qcsim import _core, differentiable  # noqa: E402
from qcsim.observables import parse_observables  # noqa: E402

I2 = np.eye(2)
X = np.array([[0, 1], [1, 0]])
Y = np.array([[0, -1j], [1j, 0]])
Z = np.diag([1, -1])
H = np.array([[1, 1], [1, -1]]) / math.sqrt(2)
SX = np.array([[1 + 1j, 1 - 1j], [1 - 1j, 1 + 1j]]) / 2
SWAP = np.eye(4)[[0, 2, 1, 3]]
ISWAP = np.array([[1, 0, 0, 0], [0, 0, 1j, 0], [0, 1j, 0, 0], [0, 0, 0, 1]])
PAULI = {"I": I2, "X": X, "Y": Y, "Z": Z}


def exponential(generator: np.ndarray, angle: float) -> np.ndarray:
    """exp(-i angle G / 2), by the eigenvalues of G."""
    values, vectors = np.linalg.eigh(generator)
    return vectors @ np.diag(np.exp(-0.5j * angle * values)) @ vectors.conj().T


def controlled(matrix: np.ndarray, controls: int = 1) -> np.ndarray:
    whole = np.eye(len(matrix) * 2**controls, dtype=complex)
    whole[-len(matrix) :, -len(matrix) :] = matrix
    return whole


def u3(theta: float, phi: float, lam: float) -> np.ndarray:
    c, s = math.cos(theta / 2), math.sin(theta / 2)
    return np.array(
        [[c, -cmath.exp(1j * lam) * s], [cmath.exp(1j * phi) * s, cmath.exp(1j * (phi + lam)) * c]], dtype=complex
    )


def rot(phi: float, theta: float, omega: float) -> np.ndarray:
    return exponential(Z, omega) @ exponential(Y, theta) @ exponential(Z, phi)


A, B, C = 0.7, -1.9, 2.4  # the angles of this test
RANDOM = np.linalg.qr(np.random.default_rng(5).normal(size=(8, 8)) + 1j * np.random.default_rng(6).normal(size=(8, 8)))[
    0
]
# gate: (qubits, angles, matrix); the first qubit is the most significant bit of the matrix.
GATES: dict[str, tuple[tuple[int, ...], tuple[float, ...], np.ndarray]] = {
    "x": ((1,), (), X), "y": ((2,), (), Y), "z": ((0,), (), Z), "h": ((3,), (), H),
    "s": ((1,), (), np.diag([1, 1j])), "sdg": ((1,), (), np.diag([1, -1j])),
    "t": ((2,), (), np.diag([1, cmath.exp(0.25j * math.pi)])),
    "tdg": ((0,), (), np.diag([1, cmath.exp(-0.25j * math.pi)])),
    "sx": ((1,), (), SX), "sxdg": ((1,), (), SX.conj().T),
    "rx": ((2,), (A,), exponential(X, A)), "ry": ((0,), (A,), exponential(Y, A)), "rz": ((3,), (A,), exponential(Z, A)),
    "phase": ((1,), (A,), np.diag([1, cmath.exp(1j * A)])),
    "u3": ((2,), (A, B, C), u3(A, B, C)), "rot": ((1,), (A, B, C), rot(A, B, C)),
    "cnot": ((2, 0), (), controlled(X)), "cy": ((0, 3), (), controlled(Y)), "cz": ((1, 2), (), controlled(Z)),
    "ch": ((3, 1), (), controlled(H)), "swap": ((3, 1), (), SWAP), "iswap": ((0, 2), (), ISWAP),
    "iswapdg": ((2, 1), (), ISWAP.conj().T), "crx": ((1, 0), (A,), controlled(exponential(X, A))),
    "cry": ((0, 2), (A,), controlled(exponential(Y, A))), "crz": ((3, 2), (A,), controlled(exponential(Z, A))),
    "cphase": ((0, 1), (A,), np.diag([1, 1, 1, cmath.exp(1j * A)])),
    "cu3": ((2, 1), (A, B, C), controlled(u3(A, B, C))),
    "rxx": ((2, 0), (A,), exponential(np.kron(X, X), A)), "ryy": ((1, 3), (A,), exponential(np.kron(Y, Y), A)),
    "rzz": ((0, 1), (A,), exponential(np.kron(Z, Z), A)), "toffoli": ((3, 0, 1), (), controlled(X, 2)),
    "fredkin": ((1, 3, 0), (), controlled(SWAP)), "mcx": ((3, 1, 0, 2), (), controlled(X, 3)),
    "mcz": ((0, 2, 3), (), controlled(Z, 2)), "unitary": ((2, 0, 3), (), RANDOM),
    "pauli_rot": ((3, 0, 1), (A,), exponential(np.kron(np.kron(X, Y), Z), A)),
}  # fmt: skip


def embedded(n: int, qubits: Sequence[int], matrix: np.ndarray) -> np.ndarray:
    """The matrix on all n qubits, entry by entry."""
    whole = np.zeros((2**n, 2**n), dtype=complex)
    bit = lambda index, qubit: (index >> (n - 1 - qubit)) & 1  # noqa: E731
    part = lambda index: int("".join(str(bit(index, qubit)) for qubit in qubits), 2)  # noqa: E731
    rest = [qubit for qubit in range(n) if qubit not in qubits]
    for row in range(2**n):
        for column in range(2**n):
            if all(bit(row, qubit) == bit(column, qubit) for qubit in rest):
                whole[row, column] = matrix[part(row), part(column)]
    return whole


def append(circuit: qcsim.Circuit, gate: str, first_weight: int = 0, scale: float = 1.0, shift: float = 0.0) -> None:
    """The gate of the table, its angles from weights."""
    qubits, angles, matrix = GATES[gate]
    sources = [(_core.Source.WEIGHT, first_weight + k, scale, shift) for k in range(len(angles))]
    entries = [complex(entry) for entry in matrix.ravel()] if gate == "unitary" else []
    word = "XYZ" if gate == "pauli_rot" else ""
    circuit._core.append(gate, list(qubits), sources, entries, [], word)


def run(circuit: qcsim.Circuit, reading: tuple[str, Any], weights: Any, amplitudes: Any = None, batch: int = 3) -> Any:
    return differentiable.outputs(circuit, [reading], weights, amplitudes, None, batch)[0]


def random_states(seed: int, n: int = 4, batch: int = 3) -> np.ndarray:
    rng = np.random.default_rng(seed)
    states = rng.normal(size=(batch, 2**n)) + 1j * rng.normal(size=(batch, 2**n))
    return states / np.linalg.norm(states, axis=1, keepdims=True)


def test_the_table_holds_every_gate() -> None:
    assert set(GATES) == set(_core.gate_names())


@pytest.mark.parametrize("gate", GATES)
def test_every_gate_is_its_matrix(gate: str) -> None:
    qubits, angles, matrix = GATES[gate]
    circuit = qcsim.Circuit(4).amplitude_embedding()
    append(circuit, gate)
    states = random_states(1)
    expected = states @ embedded(4, qubits, matrix).T
    found = run(circuit, ("statevector", None), torch.tensor(angles, dtype=torch.float64), torch.tensor(states))
    np.testing.assert_allclose(found.numpy(), expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("gate", [gate for gate, (_, angles, _) in GATES.items() if angles])
def test_every_angle_may_differ_from_sample_to_sample(gate: str) -> None:
    circuit = qcsim.Circuit(4).amplitude_embedding()
    append(circuit, gate, scale=1.5, shift=-0.2)
    states = torch.tensor(random_states(2))
    weights = torch.randn(3, circuit.n_weights, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    together = run(circuit, ("statevector", None), weights, states)
    for k in range(3):
        alone = run(circuit, ("statevector", None), weights[k], states[k : k + 1], batch=1)
        torch.testing.assert_close(together[k : k + 1], alone, rtol=0, atol=1e-15)


def test_constants_features_and_affine_angles_are_read() -> None:
    circuit, source = qcsim.Circuit(1), _core.Source
    for angle in [(source.CONSTANT, 0, 1.0, 0.4), (source.FEATURE, 1, 2.0, 0.1), (source.WEIGHT, 0, -0.5, 0.3)]:
        circuit._core.append("ry", [0], [angle])
    weights, features = torch.tensor([0.7], dtype=torch.float64), torch.tensor([[9.0, -0.6]], dtype=torch.float64)
    (found,) = differentiable.outputs(circuit, [("expval", (((1.0, ((0, "Z"),)),),))], weights, None, features, 1)
    total = 0.4 + (2 * -0.6 + 0.1) + (-0.5 * 0.7 + 0.3)
    assert found.item() == pytest.approx(math.cos(total), abs=1e-15)


def whole_circuit(real: bool) -> tuple[qcsim.Circuit, np.ndarray, Any]:
    """Every gate (or every real one) in a row, its matrix and its weights."""
    circuit = qcsim.Circuit(4).amplitude_embedding()
    matrix, weights = np.eye(16, dtype=complex), []
    for gate, (qubits, angles, own) in GATES.items():
        if real and (np.iscomplexobj(own) and np.abs(own.imag).max() > 1e-12):
            continue
        append(circuit, gate, len(weights))
        weights += angles
        matrix = embedded(4, qubits, own) @ matrix
    return circuit, matrix, torch.tensor(weights, dtype=torch.float64)


def test_a_real_circuit_on_real_amplitudes_stays_real() -> None:
    circuit, matrix, weights = whole_circuit(real=True)
    assert len(circuit) == 14
    amplitudes = torch.tensor(random_states(3).real)
    state = differentiable.state(circuit, weights, amplitudes, None, 3)
    assert state.dtype == torch.float64
    unit = amplitudes.numpy() / np.linalg.norm(amplitudes.numpy(), axis=1, keepdims=True)
    np.testing.assert_allclose(state.numpy(), (unit @ matrix.T).real, rtol=0, atol=1e-14)
    assert run(circuit, ("statevector", None), weights, amplitudes).dtype == torch.complex128


def test_probabilities_list_the_first_named_qubit_first() -> None:
    circuit, matrix, weights = whole_circuit(real=False)
    states = random_states(4)
    law = (np.abs(states @ matrix.T) ** 2).reshape(3, 2, 2, 2, 2)
    for qubits, axes in [((2, 0), (0, 3, 1, 2, 4)), (None, (0, 1, 2, 3, 4)), ((3, 1, 0, 2), (0, 4, 2, 1, 3))]:
        k = 4 if qubits is None else len(qubits)
        expected = law.transpose(axes).reshape(3, 2**k, -1).sum(2)
        found = run(circuit, ("probabilities", qubits), weights, torch.tensor(states))
        np.testing.assert_allclose(found.numpy(), expected, rtol=0, atol=1e-14)


@pytest.mark.parametrize("real", [False, True])
def test_expectations_and_variances_are_those_of_the_matrix(real: bool) -> None:
    circuit, matrix, weights = whole_circuit(real)
    observables = (
        ((1.0, ((0, "Z"), (2, "Z"))),),
        ((0.5, ((0, "X"), (3, "Y"))), (-1.5, ((1, "Z"),)), (0.25, ())),
        ((2.0, ((1, "Y"), (2, "Y"))),),
        ((1.0, ()),),
    )
    states = random_states(5)
    amplitudes = states.real if real else states
    unit = amplitudes / np.linalg.norm(amplitudes, axis=1, keepdims=True)
    final = unit @ matrix.T
    for k, observable in enumerate(observables):
        dense = np.zeros((16, 16), dtype=complex)
        for coefficient, word in observable:
            letters = dict(word)
            factor = np.eye(1)
            for qubit in range(4):
                factor = np.kron(factor, PAULI[letters.get(qubit, "I")])
            dense += coefficient * factor
        mean = np.einsum("bi,ij,bj->b", final.conj(), dense, final).real
        square = np.einsum("bi,ij,bj->b", final.conj(), dense @ dense, final).real
        found = run(circuit, ("expval", observables), weights, torch.tensor(amplitudes))
        np.testing.assert_allclose(found[:, k].numpy(), mean, rtol=0, atol=1e-13)
        spread = run(circuit, ("variance", observables), weights, torch.tensor(amplitudes))
        np.testing.assert_allclose(spread[:, k].numpy(), square - mean**2, rtol=0, atol=1e-13)


@pytest.mark.parametrize("seed", range(40))
def test_it_agrees_with_the_engine(seed: int) -> None:
    case = random_case(seed, n=1 + seed % 6)
    circuit = case.circuit()
    given = [None if a is None else torch.tensor(a) for a in (case.weights, case.amplitudes, case.features)]
    batch = next((len(a) for a in given if a is not None and a.ndim == 2), 1)
    for measure in case.measures:
        if "qubits" in measure:
            reading = ("probabilities", measure["qubits"])
            expected = qcsim.probabilities(circuit, case.weights, **case.inputs, **measure)
        else:
            reading = ("expval", parse_observables(measure["observables"], case.n))
            expected = qcsim.expval(circuit, case.weights, **case.inputs, **measure)
        (found,) = differentiable.outputs(circuit, [reading], *given, batch)
        np.testing.assert_allclose(found.numpy(), np.atleast_2d(expected), rtol=0, atol=1e-12)


@pytest.mark.parametrize("size", [1e-200, 1e200])
def test_amplitudes_of_any_size_are_normalised(size: float) -> None:
    circuit = qcsim.Circuit(2).amplitude_embedding()
    amplitudes = size * torch.tensor([[3.0, 0.0, 4.0]], dtype=torch.float64)
    found = run(circuit, ("probabilities", None), torch.empty(0, dtype=torch.float64), amplitudes, batch=1)
    torch.testing.assert_close(found, torch.tensor([[0.36, 0, 0.64, 0]], dtype=torch.float64))


def test_derivatives_of_every_gate_pass_gradcheck_twice() -> None:
    circuit, _, weights = whole_circuit(real=False)
    amplitudes = torch.tensor(random_states(6, batch=2)).requires_grad_()
    observables = (((1.0, ((0, "X"), (1, "Y"))), (0.5, ((2, "Z"),))),)
    for reading in [("expval", observables), ("variance", observables), ("statevector", None)]:
        function = lambda w, a, reading=reading: run(circuit, reading, w, a, batch=2)  # noqa: E731
        inputs = (weights.clone().requires_grad_(), amplitudes)
        assert torch.autograd.gradcheck(function, inputs, fast_mode=True)
        assert torch.autograd.gradgradcheck(function, inputs, fast_mode=True)


def test_autocast_leaves_the_precision_alone() -> None:
    circuit, _, weights = whole_circuit(real=True)
    weights, amplitudes = weights.float(), torch.tensor(random_states(7).real).float()
    expected = run(circuit, ("probabilities", None), weights, amplitudes)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = run(circuit, ("probabilities", None), weights, amplitudes)
    torch.testing.assert_close(found, expected, rtol=0, atol=0)


def test_an_empty_batch_stays_empty() -> None:
    circuit, _, weights = whole_circuit(real=False)
    amplitudes = torch.zeros(0, 16, dtype=torch.complex128)
    assert run(circuit, ("probabilities", (1, 0)), weights, amplitudes, batch=0).shape == (0, 4)
