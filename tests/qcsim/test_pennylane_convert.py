"""Circuits of QNodes, tapes and torch layers run without PennyLane and give the same numbers; so do compiled QNodes."""

from __future__ import annotations

import numpy as np
import pytest
from pennylane_pairs import agree, qml

import qcsim
from qcsim.pennylane import QcsimMixed, QcsimQubit, compiled, from_pennylane, quantum_layer

torch = pytest.importorskip("torch")

RNG = np.random.default_rng(0)


def qnode_of(function, wires=3, device="default.qubit"):
    return qml.QNode(function, qml.device(device, wires=wires))


@pytest.mark.parametrize("kind", ["numpy", "torch"])
def test_weights_and_features_of_a_qnode_are_the_entries_of_its_arguments(kind: str) -> None:
    def function(x, w, a):
        qml.AngleEmbedding(x, wires=range(3), rotation="Y")
        qml.StronglyEntanglingLayers(w, wires=range(3))
        qml.CRX(2 * a - 0.5, wires=[0, 2])
        qml.RZ(0.7, wires=1)
        qml.IsingXX(x[..., 1] / 2, wires=[0, 1])
        return qml.probs(wires=[2, 0])

    x, w, a = RNG.normal(size=(4, 3)), RNG.normal(size=(2, 3, 3)), np.array(0.3)
    if kind == "torch":
        x, w, a = map(torch.as_tensor, (x, w, a))
    circuit = from_pennylane(qnode_of(function), x, w, a, features=["x"])
    assert (circuit.n_qubits, circuit.n_weights, circuit.n_features) == (3, 19, 3)
    assert circuit == from_pennylane(qnode_of(function), x[0], w, a, features="x")
    weights = np.append(np.asarray(w).ravel(), np.asarray(a))
    found = qcsim.probabilities(circuit, weights, features=np.asarray(x), qubits=[2, 0])
    np.testing.assert_allclose(found, np.asarray(qnode_of(function)(x, w, a)), atol=1e-12)


def test_an_input_state_is_embedded() -> None:
    def function(x, w):
        qml.AmplitudeEmbedding(x, wires=range(3), normalize=True, pad_with=0.0)
        qml.BasicEntanglerLayers(w, wires=range(3), rotation=qml.RY)
        return qml.probs(wires=range(3))

    x, w = RNG.normal(size=(4, 6)), RNG.normal(size=(2, 3))
    circuit = from_pennylane(qnode_of(function), x, w, features="x")
    assert circuit.embeds_amplitudes
    assert circuit == qcsim.Circuit(3).amplitude_embedding() + qcsim.basic_entangler(3, 2, rotation="ry")
    found = qcsim.probabilities(circuit, w.ravel(), amplitudes=x)
    np.testing.assert_allclose(found, qnode_of(function)(x, w), atol=1e-12)


def test_noise_comes_along() -> None:
    def function(w):
        qml.RX(w, wires=0)
        qml.BitFlip(0.1, wires=0)
        return qml.probs(wires=0)

    qnode = qml.QNode(function, qml.device("default.mixed", wires=1))
    assert from_pennylane(qnode, 0.3) == qcsim.Circuit(1).rx(0).bit_flip(0.1, 0)


def test_the_trainable_parameters_of_a_tape_become_weights() -> None:
    batch = np.array([0.1, 0.2])
    tape = qml.tape.QuantumScript(
        [qml.RX(0.4, 0), qml.RY(batch, 1), qml.CRot(0.1, 0.2, 0.3, [0, 1]), qml.QubitUnitary(np.eye(2), 0)], []
    )
    tape.trainable_params = [0, 1, 3]
    expected = qcsim.Circuit(2).rx(0).ry(1, feature=0).crz(0, 1, angle=0.1).cry(0, 1).crz(0, 1, angle=0.3)
    assert qcsim.from_pennylane(tape) == expected.unitary(np.eye(2), 0)


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda w: (qml.RX(w[0] * w[1], 0), qml.probs())[1], "no multiple of one entry"),
        (lambda w: (qml.RX(w[0] ** 2, 0), qml.probs())[1], "no multiple of one entry"),
        (
            lambda w: (qml.RX(w[0], 0) if w[1] > 0.9 else qml.RY(w[0], 0), qml.probs())[1],
            "structure depends on the values",
        ),
        (lambda w: (qml.StatePrep(w**2, 0, normalize=True), qml.probs())[1], "no argument as it stands"),
    ],
)
def test_what_no_circuit_can_be_is_refused(function, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        from_pennylane(qnode_of(function, 1), np.array([0.4, 0.9]))


def test_a_source_or_an_argument_that_is_unknown_is_named() -> None:
    with pytest.raises(TypeError, match="source is a str; it must be a QNode, a TorchLayer or a tape"):
        from_pennylane("circuit")
    with pytest.raises(ValueError, match=r"features names \['y'\]; the arguments are w"):
        from_pennylane(qnode_of(lambda w: qml.RX(w, 0)), 0.3, features="y")


TEMPLATES = {
    "BasicEntanglerLayers": (2, 3),
    "StronglyEntanglingLayers": (2, 3, 3),
    "RandomLayers": (2, 3),
}


@pytest.mark.parametrize("measured", ["expectations", "probabilities"])
@pytest.mark.parametrize("name", TEMPLATES)
def test_a_torch_layer_becomes_a_layer_of_the_same_weights(name: str, measured: str) -> None:
    def function(inputs, scale, weights):
        qml.AngleEmbedding(inputs, wires=range(3))
        qml.RZ(scale, wires=1)
        getattr(qml, name)(weights, wires=range(3))
        if measured == "probabilities":
            return qml.probs(wires=[2, 1])
        return [qml.expval(qml.PauliZ(0)), qml.expval(qml.PauliX(1) @ qml.PauliZ(2))]

    slow = qml.qnn.TorchLayer(qnode_of(function), {"weights": TEMPLATES[name], "scale": ()})
    fast = quantum_layer(slow, torch.zeros(3))
    x = torch.randn(5, 3)
    torch.testing.assert_close(fast(x), slow(x).to(torch.float32), atol=1e-5, rtol=0)


def test_the_saved_weights_of_a_torch_layer_are_loaded() -> None:
    def function(inputs, weights):
        qml.AmplitudeEmbedding(inputs, wires=range(3), normalize=True)
        qml.StronglyEntanglingLayers(weights, wires=range(3))
        return qml.probs(wires=range(3))

    slow = qml.qnn.TorchLayer(qnode_of(function), {"weights": (2, 3, 3)})
    circuit = qcsim.Circuit(3).amplitude_embedding() + qcsim.strongly_entangling(3, 2)
    fast = qcsim.nn.QuantumLayer(circuit)
    fast.load_state_dict(slow.state_dict())
    x = torch.randn(5, 8)
    torch.testing.assert_close(fast(x), slow(x).to(torch.float32), atol=1e-5, rtol=0)


def embedded(x, w, a):
    qml.AmplitudeEmbedding(x, wires=range(3), normalize=True)
    for layer in w:
        for wire in range(3):
            qml.RY(layer[wire], wires=wire)
            qml.CNOT(wires=[wire, (wire + 1) % 3])
    qml.RX(2 * a, wires=0)
    return [qml.probs(wires=[0, 1]), qml.expval(qml.PauliX(2)), qml.var(qml.PauliZ(1))]


@pytest.mark.parametrize("batch", [None, 1, 5])
def test_a_compiled_qnode_gives_its_results_and_gradients(batch: int | None) -> None:
    slow = qnode_of(embedded)
    fast = compiled(qml.QNode(embedded, QcsimQubit(wires=3)))
    shape = () if batch is None else (batch,)
    found = []
    for qnode in (fast, slow):
        x = torch.tensor(np.random.default_rng(1).normal(size=(*shape, 8)), requires_grad=True)
        w = torch.tensor(np.random.default_rng(2).normal(size=(2, 3)), requires_grad=True)
        a = torch.tensor(np.random.default_rng(3).normal(size=shape), requires_grad=True)
        results = qnode(x, w, a)
        total = sum((k + 1.0) * each.square().sum() for k, each in enumerate(results))
        found.append((list(results), torch.autograd.grad(total, (x, w, a))))
    agree(*found)


def test_a_compiled_qnode_is_followed_once_for_each_shape() -> None:
    calls = []

    def function(x, n_layers=1):
        calls.append(n_layers)
        for _ in range(n_layers):
            qml.RY(x, wires=0)
        return qml.expval(qml.PauliZ(0))

    fast = compiled(qml.QNode(function, QcsimQubit(wires=1)))
    for x in (0.1, 0.2, 0.3):
        np.testing.assert_allclose(fast(np.array(x)), np.cos(x))
    once = len(calls)
    np.testing.assert_allclose(fast(np.array(0.3), n_layers=3), np.cos(0.9))
    np.testing.assert_allclose(fast(np.array([0.3, 0.4])), np.cos([0.3, 0.4]))
    assert len(calls) == 3 * once


def test_a_compiled_qnode_keeps_noise_and_norms() -> None:
    def function(x):
        qml.StatePrep(x, wires=[0])
        qml.BitFlip(0.1, wires=0)
        return qml.probs(wires=0)

    fast = compiled(qml.QNode(function, QcsimMixed(wires=1)))
    np.testing.assert_allclose(fast(np.array([0.0, 2.0])), [0.4, 3.6])


def test_what_cannot_be_compiled_is_refused() -> None:
    with pytest.raises(TypeError, match=r"compiled takes a QNode on qcsim.qubit or qcsim.mixed"):
        compiled(qnode_of(embedded))
    with pytest.raises(ValueError, match="has 10 shots; only analytic results are compiled"):
        compiled(qml.QNode(embedded, QcsimQubit(wires=3), shots=10))
    with pytest.raises(ValueError, match="has transforms of its own"):
        compiled(qml.transforms.cancel_inverses(qml.QNode(embedded, QcsimQubit(wires=3))))(
            np.ones(8), np.ones((1, 3)), np.ones(())
        )
