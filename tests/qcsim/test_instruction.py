"""The inverse of a gate undoes it: matrices written out here, multiplied, give the identity."""

from __future__ import annotations

import cmath
import math

import numpy as np
import pytest
from every import every_gate

import qcsim
from oracle import dense

X, Y, Z = np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]]), np.diag([1, -1])
SX = np.array([[1 + 1j, 1 - 1j], [1 - 1j, 1 + 1j]]) / 2
ISWAP = np.eye(4)[[0, 2, 1, 3]] * np.array([1, 1j, 1j, 1])


def about(axis: np.ndarray, t: float) -> np.ndarray:
    """exp(-i t axis/2) for an axis that squares to one."""
    return math.cos(t / 2) * np.eye(len(axis)) - 1j * math.sin(t / 2) * axis


def u3(t: float, p: float, l: float) -> np.ndarray:  # noqa: E741
    c, s = math.cos(t / 2), math.sin(t / 2)
    return np.array([[c, -cmath.exp(1j * l) * s], [cmath.exp(1j * p) * s, cmath.exp(1j * (p + l)) * c]])


MATRICES = {
    "s": lambda: np.diag([1, 1j]), "sdg": lambda: np.diag([1, -1j]), "sx": lambda: SX, "sxdg": lambda: SX.conj().T,
    "t": lambda: np.diag([1, (1 + 1j) / math.sqrt(2)]), "tdg": lambda: np.diag([1, (1 - 1j) / math.sqrt(2)]),
    "x": lambda: X, "y": lambda: Y, "z": lambda: Z, "h": lambda: (X + Z) / math.sqrt(2),
    "iswap": lambda: ISWAP, "iswapdg": lambda: ISWAP.conj().T, "swap": lambda: np.eye(4)[[0, 2, 1, 3]],
    "rx": lambda t: about(X, t), "ry": lambda t: about(Y, t), "rz": lambda t: about(Z, t),
    "phase": lambda t: np.diag([1, cmath.exp(1j * t)]), "u3": u3,
    "rot": lambda p, t, w: about(Z, w) @ about(Y, t) @ about(Z, p),
    "rxx": lambda t: about(np.kron(X, X), t), "ryy": lambda t: about(np.kron(Y, Y), t),
    "rzz": lambda t: about(np.kron(Z, Z), t),
}  # fmt: skip
CONTROLLED = {"cnot": "x", "cy": "y", "cz": "z", "ch": "h", "crx": "rx", "cry": "ry", "crz": "rz", "cphase": "phase"}
CONTROLLED |= {"cu3": "u3", "toffoli": "x", "mcx": "x", "mcz": "z", "fredkin": "swap"}


def matrix(gate: qcsim.Instruction) -> np.ndarray:
    """Of a gate without its controls: where they are 1 it acts so, elsewhere it does nothing."""
    if gate.matrix:
        return np.reshape(gate.matrix, (2 ** len(gate.qubits),) * 2)
    # Weight k is 0.3 + k and feature k is -0.7 + k: any numbers will do.
    base = {"WEIGHT": 0.3, "FEATURE": -0.7, "CONSTANT": 0.0}
    angles = [angle.scale * (base[angle.source.name] + angle.index) + angle.shift for angle in gate.angles]
    if gate.gate == "pauli_rot":
        return dense.rotation(dense.kron(*(dense.PAULIS[letter] for letter in gate.word)), np.array(angles))[0]
    return MATRICES[CONTROLLED.get(gate.gate, gate.gate)](*angles)


@pytest.mark.parametrize("gate", every_gate().instructions, ids=lambda gate: gate.gate)
def test_a_gate_and_its_inverse_are_the_identity(gate: qcsim.Instruction) -> None:
    inverse = gate.inverse()
    assert inverse.qubits == gate.qubits
    product = matrix(inverse) @ matrix(gate)
    np.testing.assert_allclose(product, np.eye(len(product)), atol=1e-14)
    assert inverse.inverse() == gate


def test_the_inverse_of_a_circuit_runs_backwards() -> None:
    gates = every_gate().instructions
    assert every_gate().inverse().instructions == tuple(gate.inverse() for gate in reversed(gates))


def test_a_circuit_and_its_inverse_leave_a_state_as_it_was() -> None:
    circuit = qcsim.Circuit(3).ry(0).cnot(0, 2).ry(1, feature=0, scale=0.5).swap(1, 2).x(1).ry(2)
    both = qcsim.Circuit(3).x(1) + circuit + circuit.inverse()
    found = qcsim.probabilities(both, np.array([0.4, -1.3]), features=np.array([0.8]))
    np.testing.assert_allclose(found, np.eye(8)[2], atol=1e-14)
