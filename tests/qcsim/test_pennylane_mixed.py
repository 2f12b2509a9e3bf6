"""qcsim.mixed gives what default.mixed gives: channels, measurements of mixed states, gradients, shots."""

from __future__ import annotations

import numpy as np
import pytest
from pennylane_pairs import agree, flat, pair, qml

pytestmark = pytest.mark.filterwarnings("ignore:Casting complex values")

CHANNELS = {
    "BitFlip": lambda: qml.BitFlip(0.2, wires=1),
    "PhaseFlip": lambda: qml.PhaseFlip(0.2, wires=1),
    "DepolarizingChannel": lambda: qml.DepolarizingChannel(0.3, wires=1),
    "AmplitudeDamping": lambda: qml.AmplitudeDamping(0.3, wires=1),
    "GeneralizedAmplitudeDamping": lambda: qml.GeneralizedAmplitudeDamping(0.3, 0.8, wires=1),
    "PhaseDamping": lambda: qml.PhaseDamping(0.3, wires=1),
    "ResetError": lambda: qml.ResetError(0.2, 0.3, wires=1),
    "PauliError": lambda: qml.PauliError("XY", 0.3, wires=[2, 0]),
    "PauliError of one": lambda: qml.PauliError("Y", 0.3, wires=[2]),
    "short thermal relaxation": lambda: qml.ThermalRelaxationError(0.2, 50.0, 40.0, 10.0, wires=1),
    "long thermal relaxation": lambda: qml.ThermalRelaxationError(0.2, 50.0, 80.0, 10.0, wires=1),
    "QubitChannel": lambda: qml.QubitChannel(
        [np.sqrt(0.7) * np.eye(2), np.sqrt(0.3) * qml.matrix(qml.PauliX(0))], wires=2
    ),
    "none": lambda: None,
}


def prepare(x) -> None:
    for wire in range(3):
        qml.RY(x[..., wire], wires=wire)
        qml.RX(0.3 + wire, wires=wire)
    qml.CNOT(wires=[0, 1])


@pytest.mark.parametrize("batched", [False, True])
@pytest.mark.parametrize("name", CHANNELS)
def test_a_channel_gives_the_density_matrix_of_default_mixed(name: str, batched: bool) -> None:
    def circuit(x):
        prepare(x)
        CHANNELS[name]()
        qml.CRZ(0.9, wires=[1, 2])
        qml.PhaseDamping(0.1, wires=0)
        return (qml.state(), qml.probs(wires=[2, 0]), qml.expval(qml.PauliX(0) @ qml.PauliY(2)), qml.var(qml.PauliZ(1)),
                qml.density_matrix([2, 0]))  # fmt: skip

    here, there = pair(circuit, theirs="default.mixed")
    x = np.random.default_rng(1).normal(size=(4, 3) if batched else 3)
    agree(here(x), there(x))


@pytest.mark.parametrize("measurement", ["purity", "entropy", "mutual information", "matrix", "basis"])
def test_a_measurement_of_a_mixed_state(measurement: str) -> None:
    def circuit(x):
        prepare(x)
        qml.AmplitudeDamping(0.3, wires=1)
        return {
            "purity": lambda: qml.purity([0, 1]),
            "entropy": lambda: qml.vn_entropy([1]),
            "mutual information": lambda: qml.mutual_info([0], [1]),
            "matrix": lambda: qml.expval(qml.Hermitian(np.array([[1.0, 0.5j], [-0.5j, 0.2]]), wires=1)),
            "basis": lambda: qml.probs(op=qml.PauliX(1) @ qml.PauliY(0)),
        }[measurement]()

    here, there = pair(circuit, theirs="default.mixed")
    x = np.array([0.3, -0.8, 1.9])
    agree(here(x), there(x))


def test_gradients_pass_through_noise() -> None:
    torch = pytest.importorskip("torch")

    def circuit(x, w):
        qml.AmplitudeEmbedding(x, wires=range(3), normalize=True)
        qml.RX(w[0], wires=0)
        qml.DepolarizingChannel(0.1, wires=0)
        qml.CRY(w[1], wires=[0, 1])
        qml.AmplitudeDamping(0.2, wires=1)
        return qml.probs(wires=[0, 1]), qml.expval(qml.PauliX(2))

    here, there = pair(circuit, theirs="default.mixed")
    found = []
    for qnode in (here, there):
        x = torch.tensor(np.random.default_rng(3).normal(size=(2, 8)), requires_grad=True)
        w = torch.tensor([0.4, 1.3], dtype=torch.float64, requires_grad=True)
        probs, mean = qnode(x, w)
        found.append(torch.autograd.grad(probs.square().sum() + mean.sum(), (x, w)))
    agree(*found)


def test_autograd_gradients_pass_through_noise_and_misread_bits() -> None:
    from qcsim.pennylane import QcsimMixed

    def circuit(misread):
        def of(w):
            qml.RX(w[0], wires=0)
            qml.CRY(w[1], wires=[0, 1])
            qml.AmplitudeDamping(0.2, wires=1)
            for wire in range(2) if misread else ():
                qml.BitFlip(0.1, wires=wire)
            return qml.probs(wires=[0, 1])

        return of

    here = qml.QNode(circuit(False), QcsimMixed(wires=2, readout_prob=0.1))
    there = qml.QNode(circuit(True), qml.device("default.mixed", wires=2))
    w = qml.numpy.array([0.4, 1.3], requires_grad=True)
    agree(here(w), there(w))
    agree(qml.jacobian(here)(w), qml.jacobian(there)(w))


def test_a_rate_that_wants_a_gradient_is_left_to_pennylane() -> None:
    def circuit(w, p):
        qml.RX(w, wires=0)
        qml.BitFlip(p, wires=0)
        return qml.expval(qml.PauliZ(0))

    here, there = pair(circuit, 1, theirs="default.mixed")
    arguments = qml.numpy.array(0.4), qml.numpy.array(0.1)
    agree(qml.grad(here)(*arguments), qml.grad(there)(*arguments), tolerance=1e-6)


def test_shots_of_a_mixed_state() -> None:
    def circuit(x):
        prepare(x)
        qml.AmplitudeDamping(0.3, wires=1)
        return qml.probs(wires=[1, 2]), qml.expval(qml.PauliX(0))

    here, _ = pair(circuit, theirs="default.mixed", shots=20_000)
    _, there = pair(circuit, theirs="default.mixed")
    x = np.array([0.3, -0.8, 1.9])
    np.testing.assert_allclose(flat(here(x)), flat(there(x)), atol=0.04)


def test_trajectories_can_be_asked_for() -> None:
    from qcsim.pennylane import QcsimMixed

    @qml.qnode(QcsimMixed(wires=1, method="trajectories"))
    def circuit():
        qml.Hadamard(0)
        qml.AmplitudeDamping(0.3, wires=0)
        return qml.probs(wires=0)

    np.testing.assert_allclose(circuit(), [0.65, 0.35], atol=0.06)
    with pytest.raises(ValueError, match="method is 'exact'; the options are auto, statevector"):
        QcsimMixed(method="exact")


def test_noise_needs_the_mixed_device() -> None:
    here, _ = pair(lambda: (qml.BitFlip(0.1, wires=0), qml.probs(wires=0))[1], 1)
    with pytest.raises(qml.exceptions.DeviceError, match=r"BitFlip.* not supported with qcsim.qubit"):
        here()
