"""Gates taken apart for a file format are the same operators, global phase included; Qiskit is not needed for it."""

from __future__ import annotations

import cmath

import numpy as np
import pytest
from random_inputs import first_sample, sample_state

import qcsim
from oracle.circuits import random_amplitudes, random_case, random_unitary
from qcsim._core import gate_names
from qcsim.instruction import Instruction
from qcsim.interop.controlled import controlled, euler, mcphase, mcx, square_root
from qcsim.interop.elementary import REWRITINGS, in_gates
from qcsim.interop.preparation import prepare
from qcsim.interop.qasm import _QELIB1, _STDGATES

FORMATS = {"qelib1": {*_QELIB1, "gphase"}, "stdgates": {*_STDGATES, "gphase"}}


def applied(n: int, gates: list[Instruction], states: np.ndarray | None = None) -> np.ndarray:
    """(B, 2^n) what gates make of states, or (2^n,) of |0...0>."""
    circuit = qcsim.Circuit(n)
    if states is not None:
        circuit.amplitude_embedding()
    phase = sum(gate.angles[0].shift for gate in gates if gate.gate == "gphase")
    for gate in gates:
        if gate.gate != "gphase":
            circuit._add(gate)
    return qcsim.statevector(circuit, amplitudes=states) * cmath.exp(1j * phase)


def matrix(n: int, gates: list[Instruction]) -> np.ndarray:
    return applied(n, gates, np.eye(2**n)).T


@pytest.mark.parametrize("known", FORMATS.values(), ids=FORMATS)
@pytest.mark.parametrize("seed", range(40))
def test_a_random_circuit_is_the_same_in_the_gates_of_a_format(seed: int, known: set[str]) -> None:
    case = random_case(seed, embed=False)
    given = first_sample(case)
    bound = case.circuit()
    bound = bound.assign(**{name: given[name] for name in ("weights", "features") if given[name] is not None})
    gates = list(in_gates(bound.instructions, known))
    assert {gate.gate for gate in gates} <= known
    np.testing.assert_allclose(applied(case.n, gates), sample_state(case), atol=1e-12)


def test_gates_stay_symbolic_where_they_are_taken_apart() -> None:
    circuit = qcsim.Circuit(3).u3(0).rot(1).crx(0, 1).cry(1, 2).rxx(0, 2).ryy(0, 1).rzz(1, 2, feature=0)
    for known in FORMATS.values():
        again = qcsim.Circuit(3)
        for gate in in_gates(circuit.instructions, known):
            again._add(gate)
        weights, features = np.linspace(-2, 3, circuit.n_weights), np.array([0.7])
        expected = qcsim.statevector(circuit, weights, features=features)
        np.testing.assert_allclose(qcsim.statevector(again, weights, features=features), expected, atol=1e-12)


@pytest.mark.parametrize("controls", range(1, 8))
def test_an_x_with_many_controls_needs_gates_with_two_at_most(controls: int) -> None:
    gates = mcx(range(controls), controls)
    assert max(len(gate.qubits) for gate in gates) <= 3
    expected = np.eye(2 ** (controls + 1))
    expected[-2:] = expected[[-1, -2]]
    np.testing.assert_allclose(matrix(controls + 1, gates), expected, atol=1e-13)


@pytest.mark.parametrize("qubits", range(1, 8))
def test_a_phase_on_many_qubits_is_one_entry_of_the_diagonal(qubits: int) -> None:
    expected = np.ones(2**qubits, complex)
    expected[-1] = cmath.exp(0.7j)
    np.testing.assert_allclose(matrix(qubits, mcphase(0.7, range(qubits))), np.diag(expected), atol=1e-13)


def test_the_gates_of_many_controls_grow_with_their_square() -> None:
    assert all(len(mcx(range(controls), controls)) < 8 * controls**2 for controls in range(1, 28))


SPECIAL = [np.eye(2), -np.eye(2), 1j * np.eye(2), np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]]),
           np.diag([1, -1]), np.diag([1j, -1j]), np.array([[0, 1j], [1, 0]])]  # fmt: skip


@pytest.mark.parametrize("number", range(len(SPECIAL) + 10))
def test_a_matrix_on_one_qubit_is_a_phase_and_three_angles_and_has_a_root(number: int) -> None:
    rng = np.random.default_rng(number)
    given = SPECIAL[number].astype(complex) if number < len(SPECIAL) else random_unitary(rng, 1, real=number % 2 == 0)
    phase, angles = euler(given)
    np.testing.assert_allclose(matrix(1, controlled(given, [], 0)), given, atol=1e-14)
    u3 = qcsim.Circuit(1).u3(0, angles=angles)
    np.testing.assert_allclose(cmath.exp(1j * phase) * matrix(1, list(u3.instructions)), given, atol=1e-14)
    root = square_root(given)
    np.testing.assert_allclose(root @ root, given, atol=1e-14)
    np.testing.assert_allclose(root @ root.conj().T, np.eye(2), atol=1e-14)
    for controls in (1, 2):
        expected = np.eye(2 ** (controls + 1), dtype=complex)
        expected[-2:, -2:] = given
        np.testing.assert_allclose(
            matrix(controls + 1, controlled(given, range(controls), controls)), expected, atol=1e-14
        )


@pytest.mark.parametrize("qubits", [(0,), (2,), (1, 0), (0, 2), (2, 0, 1)])
@pytest.mark.parametrize("kind", ["complex", "real", "permutation", "diagonal", "identity"])
def test_a_dense_matrix_is_taken_apart_exactly(qubits: tuple[int, ...], kind: str) -> None:
    rng, side = np.random.default_rng(3), 2 ** len(qubits)
    given = {
        "complex": random_unitary(rng, len(qubits), real=False),
        "real": random_unitary(rng, len(qubits), real=True),
        "permutation": np.eye(side)[rng.permutation(side)],
        "diagonal": np.diag(np.exp(1j * rng.uniform(-3, 3, side))),
        "identity": np.eye(side),
    }[kind]
    circuit = qcsim.Circuit(3).unitary(given, *qubits)
    gates = list(in_gates(circuit.instructions, FORMATS["qelib1"]))
    np.testing.assert_allclose(matrix(3, gates), matrix(3, list(circuit.instructions)), atol=1e-13)
    if kind == "identity":
        assert not [gate for gate in gates if gate.gate not in ("gphase", "u3")]


@pytest.mark.parametrize("n", range(1, 9))
@pytest.mark.parametrize("kind", ["real", "complex", "sparse", "basis", "uniform"])
def test_a_prepared_state_is_the_one_that_was_asked_for(n: int, kind: str) -> None:
    rng = np.random.default_rng(n)
    state = {
        "real": random_amplitudes(rng, (2**n,), real=True),
        "complex": random_amplitudes(rng, (2**n,), real=False),
        "sparse": random_amplitudes(rng, (2**n,), real=False) * (np.arange(2**n) % 3 == 1),
        "basis": -1.0 * (np.arange(2**n) == 2**n - 1),
        "uniform": np.ones(2**n),
    }[kind]
    state = state / np.linalg.norm(state)
    gates = prepare(state)
    np.testing.assert_allclose(applied(n, gates), state, atol=1e-13)
    rotations = sum(gate.gate in ("ry", "rz") for gate in gates)
    cnots = sum(gate.gate == "cnot" for gate in gates)
    assert rotations <= (2 if np.iscomplexobj(state) else 1) * (2**n - 1)
    assert cnots <= (2 if np.iscomplexobj(state) else 1) * (2**n - 2)
    if kind == "uniform":
        assert (rotations, cnots) == (n, 0)


def test_every_gate_has_a_way_into_either_format() -> None:
    for known in FORMATS.values():
        assert {*gate_names()} - known <= {*REWRITINGS}
