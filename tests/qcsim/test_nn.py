"""`qcsim.nn.QuantumLayer` as torch users meet it: calling, training, saving, copying, pickling."""

from __future__ import annotations

import copy
import io
import pickle

import pytest

import qcsim

torch = pytest.importorskip("torch")
nn = pytest.importorskip("qcsim.nn")


@pytest.fixture
def layer():
    torch.manual_seed(0)
    return nn.QuantumLayer(qcsim.hardware_efficient(4, 2))


def test_the_layer_has_one_parameter_named_weights(layer) -> None:
    assert [(name, tuple(p.shape)) for name, p in layer.named_parameters()] == [("weights", (8,))]
    assert layer.weights.requires_grad
    assert isinstance(layer, torch.nn.Module)


def test_the_first_argument_is_the_amplitudes_of_a_circuit_that_embeds_them(layer) -> None:
    x = torch.randn(5, 12)
    expected = qcsim.probabilities(layer.circuit, layer.weights, amplitudes=x)
    torch.testing.assert_close(layer(x), expected, rtol=0, atol=0)
    torch.testing.assert_close(layer(amplitudes=x), expected, rtol=0, atol=0)


def test_the_first_argument_is_the_features_of_a_circuit_that_embeds_nothing() -> None:
    circuit = qcsim.Circuit(2).ry(0, feature=0).ry(1, feature=1).cnot(0, 1).ry(1)
    layer = nn.QuantumLayer(circuit, measure=["Z0", "Z0 Z1"])
    x = torch.randn(5, 2)
    expected = qcsim.expval(circuit, layer.weights, ["Z0", "Z0 Z1"], features=x)
    assert layer(x).shape == (5, 2)
    torch.testing.assert_close(layer(x), expected, rtol=0, atol=0)
    torch.testing.assert_close(layer(features=x), expected, rtol=0, atol=0)


def test_both_kinds_of_input_go_by_name() -> None:
    circuit = qcsim.Circuit(2).amplitude_embedding().ry(0, feature=0).cnot(0, 1).ry(1)
    layer = nn.QuantumLayer(circuit, qubits=[1])
    x, angles = torch.randn(5, 4), torch.randn(5, 1)
    expected = qcsim.probabilities(circuit, layer.weights, amplitudes=x, features=angles, qubits=[1])
    assert layer(amplitudes=x, features=angles).shape == (5, 2)
    torch.testing.assert_close(layer(amplitudes=x, features=angles), expected, rtol=0, atol=0)


@pytest.mark.parametrize("gradient", ["adjoint", "parameter-shift"])
def test_the_layer_learns_by_either_gradient(gradient: str) -> None:
    torch.manual_seed(0)
    layer = nn.QuantumLayer(qcsim.hardware_efficient(3, 2), measure=["Z0"], gradient=gradient)
    x = torch.randn(32, 8)
    target = torch.sign(x[:, :1])
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.1)
    losses = []
    for _ in range(30):
        loss = (layer(x) - target).pow(2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.9 * losses[0]


def test_a_saved_state_restores_the_outputs(layer) -> None:
    x = torch.randn(3, 16)
    file = io.BytesIO()
    torch.save(layer.state_dict(), file)
    file.seek(0)
    other = nn.QuantumLayer(qcsim.hardware_efficient(4, 2))
    assert not torch.equal(other.weights, layer.weights)
    other.load_state_dict(torch.load(file))
    torch.testing.assert_close(other(x), layer(x), rtol=0, atol=0)


@pytest.mark.parametrize("twin", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))], ids=["deepcopy", "pickle"])
def test_a_copy_made_after_a_run_is_independent(layer, twin) -> None:
    x = torch.randn(3, 16)
    layer(x).sum().backward()
    other = twin(layer)
    torch.testing.assert_close(other(x), layer(x), rtol=0, atol=0)
    with torch.no_grad():
        other.weights.add_(1.0)
    assert not torch.equal(other(x), layer(x))


def test_the_layer_moves_to_another_precision(layer) -> None:
    assert layer(torch.randn(2, 16)).dtype == torch.float32
    assert layer.double()(torch.randn(2, 16, dtype=torch.float64)).dtype == torch.float64


def test_initial_weights_follow_the_seed_of_torch() -> None:
    weights = []
    for _ in range(2):
        torch.manual_seed(7)
        weights.append(nn.QuantumLayer(qcsim.hardware_efficient(3, 1)).weights)
    assert torch.equal(*weights)
    assert len(torch.unique(weights[0])) == 3


def test_the_layer_sits_in_a_sequence_and_accepts_one_sample() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(3, 8), nn.QuantumLayer(qcsim.hardware_efficient(3, 1)))
    assert model(torch.randn(4, 3)).shape == (4, 8)
    assert model(torch.randn(3)).shape == (8,)
    model(torch.randn(4, 3))[:, 0].sum().backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in model.parameters())


def test_a_layer_without_weights_still_works() -> None:
    layer = nn.QuantumLayer(qcsim.Circuit(2).amplitude_embedding().cnot(0, 1))
    assert layer.weights.shape == (0,)
    assert layer(torch.ones(3, 4)).shape == (3, 4)
