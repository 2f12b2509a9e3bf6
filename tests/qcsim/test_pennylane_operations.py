"""Every operation of PennyLane gives the state that default.qubit gives, global phase included."""

from __future__ import annotations

import numpy as np
import pytest
from pennylane_pairs import agree, pair, qml

ANGLES = (0.37, -1.21, 2.05)
RNG = np.random.default_rng(7)
TURNED = np.linalg.qr(RNG.normal(size=(8, 8)) + 1j * RNG.normal(size=(8, 8)))[0]
TURNED4 = np.linalg.qr(RNG.normal(size=(16, 16)) + 1j * RNG.normal(size=(16, 16)))[0]
SMALL = np.linalg.qr(RNG.normal(size=(4, 4)) + 1j * RNG.normal(size=(4, 4)))[0]

OPERATIONS = {
    **{
        name: lambda name=name: getattr(qml, name)(wires=1)
        for name in ("PauliX", "PauliY", "PauliZ", "Hadamard", "S", "T", "SX")
    },
    **{
        name: lambda name=name: getattr(qml, name)(wires=[2, 0])
        for name in ("CNOT", "CY", "CZ", "CH", "SWAP", "ISWAP", "SISWAP", "SQISW", "ECR")
    },
    **{name: lambda name=name: getattr(qml, name)(wires=[2, 0, 1]) for name in ("Toffoli", "CSWAP", "CCZ")},
    **{
        name: lambda name=name: getattr(qml, name)(ANGLES[0], wires=1)
        for name in ("RX", "RY", "RZ", "PhaseShift", "U1")
    },
    **{
        name: lambda name=name: getattr(qml, name)(ANGLES[0], wires=[2, 0])
        for name in (
            "CRX",
            "CRY",
            "CRZ",
            "ControlledPhaseShift",
            "IsingXX",
            "IsingYY",
            "IsingZZ",
            "IsingXY",
            "PSWAP",
            "CPhaseShift00",
            "CPhaseShift01",
            "CPhaseShift10",
            "SingleExcitation",
            "SingleExcitationPlus",
            "SingleExcitationMinus",
            "FermionicSWAP",
        )
    },
    "Rot": lambda: qml.Rot(*ANGLES, wires=1),
    "U2": lambda: qml.U2(*ANGLES[:2], wires=1),
    "U3": lambda: qml.U3(*ANGLES, wires=1),
    "CRot": lambda: qml.CRot(*ANGLES, wires=[2, 0]),
    "MultiRZ on one": lambda: qml.MultiRZ(ANGLES[1], wires=[1]),
    "MultiRZ on three": lambda: qml.MultiRZ(ANGLES[1], wires=[1, 3, 0]),
    "GlobalPhase": lambda: qml.GlobalPhase(ANGLES[1]),
    "Identity": lambda: qml.Identity(wires=[0, 1]),
    "Barrier": lambda: qml.Barrier(wires=[0, 1]),
    "PauliRot": lambda: qml.PauliRot(ANGLES[0], "XYZ", wires=[0, 2, 3]),
    "PauliRot with an identity": lambda: qml.PauliRot(ANGLES[0], "YIX", wires=[3, 1, 0]),
    "PauliRot of identities": lambda: qml.PauliRot(ANGLES[0], "II", wires=[3, 1]),
    "DoubleExcitation": lambda: qml.DoubleExcitation(ANGLES[0], wires=[1, 0, 3, 2]),
    "DoubleExcitationPlus": lambda: qml.DoubleExcitationPlus(ANGLES[0], wires=[1, 0, 3, 2]),
    "DoubleExcitationMinus": lambda: qml.DoubleExcitationMinus(ANGLES[0], wires=[1, 0, 3, 2]),
    "OrbitalRotation": lambda: qml.OrbitalRotation(ANGLES[0], wires=[1, 0, 3, 2]),
    "QubitUnitary on two": lambda: qml.QubitUnitary(SMALL, wires=[2, 1]),
    "QubitUnitary on three": lambda: qml.QubitUnitary(TURNED, wires=[2, 0, 3]),
    "QubitUnitary on four": lambda: qml.QubitUnitary(TURNED4, wires=[2, 0, 3, 1]),
    "DiagonalQubitUnitary": lambda: qml.DiagonalQubitUnitary(np.exp(1j * np.arange(8)), wires=[2, 0, 1]),
    "SpecialUnitary": lambda: qml.SpecialUnitary(np.linspace(-1, 1, 15), wires=[3, 1]),
    "BlockEncode": lambda: qml.BlockEncode(np.array([[0.1, 0.2], [0.3, 0.4]]), wires=[2, 0]),
    "MultiControlledX": lambda: qml.MultiControlledX(wires=[3, 0, 1, 2], control_values=[0, 1, 0]),
    "controlled Z": lambda: qml.ctrl(qml.PauliZ(2), control=[0, 3, 1], control_values=[1, 0, 1]),
    "controlled RX": lambda: qml.ctrl(qml.RX(ANGLES[0], 2), control=[0, 3], control_values=[1, 0]),
    "controlled phase": lambda: qml.ctrl(qml.PhaseShift(ANGLES[0], 2), control=[0, 3, 1]),
    "controlled GlobalPhase": lambda: qml.ctrl(qml.GlobalPhase(ANGLES[0]), control=2),
    "controlled SWAP": lambda: qml.ctrl(qml.SWAP([0, 3]), control=[1, 2]),
    "adjoint S": lambda: qml.adjoint(qml.S(1)),
    "adjoint T": lambda: qml.adjoint(qml.T(1)),
    "adjoint SX": lambda: qml.adjoint(qml.SX(1)),
    "adjoint ISWAP": lambda: qml.adjoint(qml.ISWAP([3, 1])),
    "adjoint Rot": lambda: qml.adjoint(qml.Rot(*ANGLES, wires=1)),
    "adjoint CRX": lambda: qml.adjoint(qml.CRX(ANGLES[0], wires=[1, 3])),
    "adjoint PauliRot": lambda: qml.adjoint(qml.PauliRot(ANGLES[0], "YZX", wires=[3, 1, 0])),
    "adjoint U2": lambda: qml.adjoint(qml.U2(*ANGLES[:2], wires=1)),
    "adjoint GlobalPhase": lambda: qml.adjoint(qml.GlobalPhase(ANGLES[0])),
    "power": lambda: qml.pow(qml.RX(ANGLES[0], 1), 2.5),
    "product": lambda: qml.prod(qml.RX(ANGLES[0], 1), qml.CNOT([1, 2]), qml.RY(ANGLES[1], 2)),
    "exponential": lambda: qml.exp(qml.PauliX(0) @ qml.PauliY(2), 0.4j),
    "evolution": lambda: qml.evolve(qml.PauliX(0) @ qml.PauliY(2), 0.4),
    "QFT": lambda: qml.QFT(wires=[3, 1, 0]),
    "Grover": lambda: qml.GroverOperator(wires=[0, 2, 3]),
    "Permute": lambda: qml.Permute([2, 0, 3, 1], wires=range(4)),
    "PCPhase": lambda: qml.PCPhase(ANGLES[0], dim=3, wires=[1, 2]),
    "QubitSum": lambda: qml.QubitSum(wires=[3, 0, 1]),
    "QubitCarry": lambda: qml.QubitCarry(wires=[3, 0, 1, 2]),
    "IntegerComparator": lambda: qml.IntegerComparator(2, wires=[0, 3, 1]),
    "state in the middle": lambda: qml.Snapshot(),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_gives_the_state_of_default_qubit(name: str) -> None:
    def circuit(x: np.ndarray) -> object:
        for wire in range(4):
            qml.RY(x[wire], wires=wire)
            qml.PhaseShift(0.3 + wire, wires=wire)
        OPERATIONS[name]()
        return qml.state()

    here, there = pair(circuit, 4)
    x = np.array([0.3, 0.9, 1.7, 2.2])
    agree(here(x), there(x))


PREPARATIONS = {
    "all wires": lambda x: qml.StatePrep(x, wires=range(3)),
    "some wires": lambda x: qml.StatePrep(x[:4] / np.linalg.norm(x[:4]), wires=[2, 0]),
    "permuted": lambda x: qml.StatePrep(x, wires=[1, 2, 0]),
    "padded": lambda x: qml.AmplitudeEmbedding(x[:5], wires=range(3), pad_with=0.0, normalize=True),
    "padded with a number": lambda x: qml.AmplitudeEmbedding(x[:5], wires=range(3), pad_with=0.3, normalize=True),
    "complex": lambda x: qml.StatePrep(x * np.exp(1j * np.arange(8)), wires=range(3)),
    "with its own norm": lambda x: qml.StatePrep(1.5 * x, wires=range(3)),
    "basis state": lambda x: qml.BasisState(np.array([1, 0, 1]), wires=[2, 1, 0]),
    "basis embedding": lambda x: qml.BasisEmbedding(np.array([1, 1]), wires=[2, 0]),
    "Mottonen": lambda x: qml.MottonenStatePreparation(x, wires=range(3)),
    "angles": lambda x: qml.AngleEmbedding(x[:3], wires=range(3), rotation="Y"),
    "IQP": lambda x: qml.IQPEmbedding(x[:3], wires=range(3), n_repeats=2),
    "cosine window": lambda x: qml.CosineWindow(wires=range(3)),
}


@pytest.mark.parametrize("name", PREPARATIONS)
def test_a_preparation_gives_the_state_of_default_qubit(name: str) -> None:
    def circuit(x: np.ndarray) -> object:
        PREPARATIONS[name](x)
        qml.CRX(0.7, wires=[0, 2])
        qml.RY(0.4, wires=1)
        return qml.state(), qml.expval(qml.PauliZ(2) @ qml.PauliX(0)), qml.probs(wires=[2, 1])

    here, there = pair(circuit)
    x = np.random.default_rng(3).normal(size=8)
    x /= np.linalg.norm(x)
    agree(here(x), there(x))


def test_a_preparation_in_the_middle_is_decomposed() -> None:
    def circuit(x: np.ndarray) -> object:
        qml.Hadamard(2)
        qml.StatePrep(x, wires=[0, 1])
        qml.BasisState(np.array([1]), wires=3)
        return qml.state()

    here, there = pair(circuit, 4)
    x = np.array([0.1, 0.5, -0.7, 0.5])
    x /= np.linalg.norm(x)
    agree(here(x), there(x))


def test_wires_may_have_any_labels_and_order() -> None:
    def circuit(x: float) -> object:
        qml.RY(x, wires="b")
        qml.CNOT(wires=["b", 7])
        qml.RX(0.3, wires="a")
        return qml.probs(wires=["a", "b"]), qml.expval(qml.PauliZ(7)), qml.state()

    agree(*(qnode(0.4) for qnode in pair(circuit, ["a", 7, "b", "idle"])))
    agree(*(qnode(0.4) for qnode in pair(circuit, None)))


@pytest.mark.parametrize("batch", [1, 3])
def test_a_batch_of_angles_and_states_is_run_as_one(batch: int) -> None:
    def circuit(x: np.ndarray, a: np.ndarray, b: float) -> object:
        qml.AmplitudeEmbedding(x, wires=range(3), normalize=True)
        qml.RX(a, wires=0)
        qml.Rot(b, a, 0.3, wires=1)
        qml.CRY(2 * a, wires=[0, 2])
        return qml.probs(wires=[0, 1]), qml.expval(qml.PauliY(2)), qml.var(qml.PauliX(0)), qml.state()

    rng = np.random.default_rng(batch)
    here, there = pair(circuit)
    for x in (rng.normal(size=(batch, 8)), rng.normal(size=8)):
        arguments = (x, rng.normal(size=batch), 0.2)
        agree(here(*arguments), there(*arguments))


def test_a_batch_of_matrices_is_run_one_by_one() -> None:
    def circuit(matrices: np.ndarray, x: float) -> object:
        qml.RY(x, wires=0)
        qml.QubitUnitary(matrices, wires=[0, 1])
        return qml.probs(wires=[0, 1])

    rng = np.random.default_rng(0)
    matrices = np.stack([np.linalg.qr(rng.normal(size=(4, 4)))[0] for _ in range(3)])
    here, there = pair(circuit, 2)
    agree(here(matrices, 0.3), there(matrices, 0.3))


def test_a_matrix_of_new_values_is_a_new_circuit() -> None:
    def circuit(matrix: np.ndarray) -> object:
        qml.QubitUnitary(matrix, wires=0)
        return qml.probs(wires=0)

    here, there = pair(circuit, 1)
    for angle in (0.1, 0.5):
        matrix = qml.matrix(qml.RY(angle, wires=0))
        agree(here(matrix), there(matrix))


def test_mid_circuit_measurements_are_deferred_without_wires_to_spare() -> None:
    def circuit(x: float) -> object:
        qml.RY(x, wires=0)
        first = qml.measure(0, reset=True)
        qml.cond(first, qml.RX)(0.8, wires=1)
        qml.RY(0.3, wires=0)
        second = qml.measure(0)
        qml.cond(first & second, qml.PauliX)(wires=1)
        return qml.expval(qml.PauliZ(1)), qml.expval(first), qml.probs(op=[first, second]), qml.var(second)

    here = qml.QNode(circuit, pair(circuit, 2)[0].device)
    there = qml.QNode(circuit, qml.device("default.qubit"))
    agree(here(0.9), there(0.9))
