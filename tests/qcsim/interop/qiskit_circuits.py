"""Circuits of Qiskit for the tests, and what Qiskit says of them."""

from __future__ import annotations

from functools import cache

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import Gate, library
from qiskit.circuit.library.standard_gates import get_standard_gate_name_mapping
from qiskit.quantum_info import Operator, SparsePauliOp, random_clifford, random_unitary

import qcsim
from qcsim.interop.qiskit import reverse_bits

NO_GATES = ("delay", "measure", "reset")


def columns(circuit: qcsim.Circuit) -> np.ndarray:
    """(2^n, 2^n): the matrix of a circuit, basis states numbered as Qiskit does."""
    n = circuit.n_qubits
    embedded = qcsim.Circuit(n).amplitude_embedding().then(circuit)
    rows = qcsim.statevector(embedded, amplitudes=np.eye(2**n))
    return reverse_bits(reverse_bits(rows).T)


def matrix(circuit: QuantumCircuit) -> np.ndarray:
    """The same from Qiskit."""
    return Operator(circuit).data


@cache
def standard_gates() -> dict[str, QuantumCircuit]:
    """Every gate of the standard library with random angles, on shuffled qubits of a register of five."""
    rng = np.random.default_rng(5)
    found = {}
    for name, gate in get_standard_gate_name_mapping().items():
        if name in NO_GATES:
            continue
        circuit = QuantumCircuit(max(gate.num_qubits, 3))
        angles = rng.uniform(-4, 4, len(gate.params)).tolist()
        qubits = [int(q) for q in rng.permutation(circuit.num_qubits)[: gate.num_qubits]]
        circuit.append(type(gate)(*angles) if angles else gate, qubits)
        found[name] = circuit
    return found


@cache
def other_operations() -> dict[str, QuantumCircuit]:
    """What is built from the library: open controls, matrices, operators, operations that only the transpiler knows."""
    rng = np.random.default_rng(6)
    operations = {
        "x_open": library.XGate().control(2, ctrl_state="01"),
        "x_many": library.XGate().control(4),
        "z_many": library.ZGate().control(3, annotated=False),
        "ry_many": library.RYGate(0.7).control(3, annotated=False),
        "annotated": library.SGate().control(2, annotated=True),
        "inverse": library.CU3Gate(0.1, 0.2, 0.3).inverse(),
        "power": library.RXXGate(0.4).power(2.5),
        "mcphase": library.MCPhaseGate(0.3, 3),
        "vchain": library.MCXGate(4),
        "u1": library.UnitaryGate(random_unitary(2, seed=1)),
        "u2": library.UnitaryGate(random_unitary(4, seed=2)),
        "u3": library.UnitaryGate(random_unitary(8, seed=3)),
        "u4": library.UnitaryGate(random_unitary(16, seed=4)),
        "controlled_unitary": library.UnitaryGate(random_unitary(4, seed=5)).control(1, annotated=False),
        "permutation": library.PermutationGate([2, 0, 3, 1]),
        "linear": library.LinearFunction([[1, 1, 0], [0, 1, 0], [1, 0, 1]]),
        "clifford": random_clifford(3, seed=6),
        "pauli": library.PauliGate("XYZI"),
        "evolution": library.PauliEvolutionGate(SparsePauliOp(["XXZ", "IZY"], [0.3, -0.7]), 0.9),
        "qft": library.QFTGate(4),
        "diagonal": library.DiagonalGate(np.exp(1j * rng.uniform(-3, 3, 8)).tolist()),
        "multiplexed": library.UCRYGate(rng.uniform(-3, 3, 4).tolist()),
        "rv": library.RVGate(0.3, -0.4, 1.1),
        "ms": library.MSGate(3, 0.4),
        "xor": library.BitwiseXorGate(4, 5),
        "preparation": library.StatePreparation("01+r"),
    }
    found = {}
    for name, operation in operations.items():
        circuit = QuantumCircuit(operation.num_qubits + 1)
        circuit.append(operation, [int(q) for q in rng.permutation(circuit.num_qubits)[: operation.num_qubits]])
        found[name] = circuit
    return found


@cache
def library_circuits() -> dict[str, QuantumCircuit]:
    """Circuits of the library with parameters."""
    return {
        "real_amplitudes": library.real_amplitudes(4, reps=2),
        "efficient_su2": library.efficient_su2(4, entanglement="circular", reps=1),
        "excitation": library.excitation_preserving(3, reps=1),
        "n_local": library.n_local(3, ["rx", "u"], "crz", reps=2),
        "z_map": library.z_feature_map(3, reps=2),
        "qaoa": library.qaoa_ansatz(SparsePauliOp(["ZZI", "IZZ", "ZIZ"], [1.0, -0.5, 2.0]), reps=2),
        "iqp": library.iqp(np.array([[1, 2, 0], [2, 3, 1], [0, 1, 2]])),
        "volume": library.quantum_volume(4, 3, seed=7),
        "grover": library.grover_operator(_oracle()),
        "adder": _wrapped(library.HalfAdderGate(2)),
        "nested": _wrapped(library.real_amplitudes(3, reps=1).to_gate(), 3),
    }


def _wrapped(gate: Gate, qubits: int = 0) -> QuantumCircuit:
    circuit = QuantumCircuit(qubits or gate.num_qubits)
    circuit.h(range(circuit.num_qubits))
    circuit.append(gate, range(circuit.num_qubits))
    return circuit


def _oracle() -> QuantumCircuit:
    oracle = QuantumCircuit(3)
    oracle.ccz(0, 1, 2)
    return oracle
