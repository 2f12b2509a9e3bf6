"""Qiskit gives the same states, operators and expectations: the conventions are those of the rest of the world.

Qiskit's qubit 0 is the least significant bit, so qubit q here is its qubit n-1-q, and a state needs no reordering.
"""

from __future__ import annotations

import numpy as np
import pytest

import qcsim
from oracle import dense
from oracle.circuits import ALL_GATES, Case, build, random_case, random_gate
from oracle.dense import EMBEDDING, Array, Instruction

qiskit = pytest.importorskip("qiskit")
quantum_info = pytest.importorskip("qiskit.quantum_info")
library = pytest.importorskip("qiskit.circuit.library")

NAMES = {"cnot": "cx", "toffoli": "ccx", "fredkin": "cswap", "phase": "p", "cphase": "cp", "u3": "u"}


def add(circuit, instruction: Instruction, angles: list[float]) -> None:
    """One instruction in Qiskit's words."""
    name = instruction.gate
    qubits = [circuit.num_qubits - 1 - q for q in instruction.qubits]
    if name == "unitary":
        circuit.unitary(np.array(instruction.matrix), qubits[::-1])
    elif name == "rot":
        phi, theta, omega = angles
        for turn, angle in ((circuit.rz, phi), (circuit.ry, theta), (circuit.rz, omega)):
            turn(angle, qubits[0])
    elif name == "pauli_rot":
        evolution = library.PauliEvolutionGate(quantum_info.Pauli(instruction.word[::-1]), angles[0] / 2)
        circuit.compose(evolution.definition, qubits, inplace=True)
    elif name == "cu3":
        circuit.append(library.UGate(*angles).control(1, annotated=False), qubits)
    elif name == "iswapdg":
        circuit.append(library.iSwapGate().inverse(), qubits)
    elif name == "mcx":
        circuit.mcx(qubits[:-1], qubits[-1])
    elif name == "mcz":
        circuit.append(
            library.ZGate().control(len(qubits) - 1, annotated=False) if len(qubits) > 1 else library.ZGate(), qubits
        )
    else:
        getattr(circuit, NAMES.get(name, name))(*angles, *qubits)


def translated(case: Case, row: int):
    """The circuit that one sample runs, its angles filled in, without the embedding."""
    point = dense.Inputs(*(None if a is None else a[min(row, len(a) - 1)][None] for a in case.point))
    circuit = qiskit.QuantumCircuit(case.n)
    for instruction in case.instructions:
        if instruction != EMBEDDING:
            add(circuit, instruction, [float(dense.radians(angle, point)[0]) for angle in instruction.angles])
    return circuit


def true_states(case: Case) -> Array:
    """(B, 2^n) states from Qiskit."""
    start = dense.initial_state(case.n, case.instructions, case.point)
    rows = range(case.point.size)
    return np.array([quantum_info.Statevector(start[row]).evolve(translated(case, row)).data for row in rows])


def true_expectations(case: Case, states: Array) -> Array:
    """(B, len(observables)) expectations from Qiskit."""
    operators = []
    for observable in case.observables:
        terms = dense.coefficients(observable).items()
        factors = [([f for f in word.split() if f != "I"], coefficient) for word, coefficient in terms]
        listed = [("".join(f[0] for f in w), [case.n - 1 - int(f[1:]) for f in w], c) for w, c in factors]
        operators.append(quantum_info.SparsePauliOp.from_sparse_list(listed, case.n))
    return np.array([[quantum_info.Statevector(s).expectation_value(o).real for o in operators] for s in states])


def gate_case(name: str, seed: int) -> Case:
    """One gate on all basis states of four qubits."""
    rng = np.random.default_rng(seed)
    program = [EMBEDDING, random_gate(rng, 4, [name])]
    count = dense.n_columns(program, "feature")
    features = np.repeat(rng.uniform(-4, 4, (1, count)), 16, 0) if count else None
    weights = rng.uniform(-4, 4, dense.n_columns(program, "weight"))
    return Case(seed, 4, program, weights, np.eye(16), features, None, ("Z0",))


def true_columns(case: Case) -> Array:
    """(16, 16): row k is what becomes of basis state k, from Qiskit."""
    return quantum_info.Operator(translated(case, 0)).data.T


@pytest.mark.parametrize("name", ALL_GATES)
def test_every_gate_of_the_oracle_is_the_gate_that_qiskit_has(name: str) -> None:
    for case in (gate_case(name, seed) for seed in range(4)):
        value = dense.outputs(4, case.instructions, case.weights, **case.inputs, statevector=True)
        np.testing.assert_allclose(value, true_columns(case), atol=1e-13, err_msg=str(case))


@pytest.mark.parametrize("name", ALL_GATES)
def test_every_gate_is_the_gate_that_qiskit_has(name: str) -> None:
    for case in (gate_case(name, seed) for seed in range(4)):
        value = qcsim.statevector(case.circuit(), case.weights, **case.inputs)
        np.testing.assert_allclose(value, true_columns(case), atol=1e-13, err_msg=str(case))


@pytest.mark.parametrize("seed", range(700, 760))
def test_the_oracle_agrees_with_qiskit(seed: int) -> None:
    case = random_case(seed)
    states = true_states(case)
    np.testing.assert_allclose(dense.final_states(case.n, case.instructions, case.point), states, atol=1e-12)
    scale = dense.output_scale(observables=case.observables)
    means = dense.readout(case.n, states, observables=case.observables)
    np.testing.assert_allclose(means, true_expectations(case, states), atol=1e-12 * scale)


@pytest.mark.parametrize("seed", range(700, 760))
def test_states_and_expectations_agree_with_qiskit(seed: int) -> None:
    case = random_case(seed)
    states = true_states(case)
    value = np.atleast_2d(qcsim.statevector(case.circuit(), case.weights, **case.inputs))
    np.testing.assert_allclose(value, states, atol=1e-12, err_msg=str(case))
    means = qcsim.expval(build(case.n, case.instructions), case.weights, case.observables, **case.inputs)
    expected = true_expectations(case, states)
    scale = dense.output_scale(observables=case.observables)
    np.testing.assert_allclose(np.atleast_2d(means), expected, atol=1e-12 * scale, err_msg=str(case))
