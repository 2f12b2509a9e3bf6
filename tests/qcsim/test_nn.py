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


def test_initial_weights_are_what_init_says() -> None:
    circuit = qcsim.hardware_efficient(4, 50)
    torch.manual_seed(0)
    uniform = nn.QuantumLayer(circuit).weights
    assert -torch.pi <= uniform.min() < -3
    assert 3 < uniform.max() < torch.pi
    assert not nn.QuantumLayer(circuit, init="zeros").weights.any()
    assert nn.QuantumLayer(circuit, init="normal").weights.std().item() == pytest.approx(0.1, rel=0.2)
    ones = nn.QuantumLayer(circuit, init=torch.nn.init.ones_).weights
    assert (ones == 1).all()
    assert ones.requires_grad


def test_unknown_options_are_named_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="init is 'xavier'; the options are 'uniform', 'zeros', 'normal'"):
        nn.QuantumLayer(qcsim.Circuit(1).ry(0), init="xavier")
    with pytest.raises(ValueError, match="measure is 'Z0'; the options are 'probabilities', 'statevector'"):
        nn.QuantumLayer(qcsim.Circuit(1).ry(0), measure="Z0")


def test_a_whole_layer_is_saved_and_loaded(layer) -> None:
    x = torch.randn(3, 16)
    expected = layer(x)
    file = io.BytesIO()
    torch.save(layer, file)
    file.seek(0)
    torch.testing.assert_close(torch.load(file, weights_only=False)(x), expected, rtol=0, atol=0)


class Rows(torch.utils.data.Dataset):
    """Rows that went through a layer, as a data set would prepare them."""

    def __init__(self, layer) -> None:
        self.layer = layer
        self.rows = torch.linspace(-1, 1, 8 * 16).reshape(8, 16)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> torch.Tensor:
        return self.layer(self.rows[index]).detach()


@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.filterwarnings("ignore:os.fork.*:RuntimeWarning")  # of JAX, where an earlier test has loaded it
def test_workers_of_a_data_loader_use_the_layer(layer, method: str) -> None:
    data = Rows(layer)
    expected = layer(data.rows).detach()
    loader = torch.utils.data.DataLoader(data, batch_size=4, num_workers=2, multiprocessing_context=method, timeout=60)
    torch.testing.assert_close(torch.cat(list(loader)), expected)


def test_a_layer_is_used_twice_in_one_graph(layer) -> None:
    x = torch.randn(3, 16)
    layer(layer(x))[:, 0].sum().backward()
    found = layer.weights.grad.clone()
    twins = [copy.deepcopy(layer) for _ in range(2)]
    for twin in twins:
        twin.zero_grad()
    twins[1](twins[0](x))[:, 0].sum().backward()
    torch.testing.assert_close(found, twins[0].weights.grad + twins[1].weights.grad)


def test_parameters_and_outputs_go_through_torch_utilities(layer) -> None:
    vector = torch.nn.utils.parameters_to_vector(layer.parameters())
    assert vector.shape == (8,)
    torch.nn.utils.clip_grad_norm_(layer.parameters(), 1.0)
    assert "16 gates" in repr(layer)
    layer.requires_grad_(False)
    assert not layer(torch.randn(2, 16)).requires_grad


def test_weights_in_the_shape_of_a_template_are_read_row_by_row() -> None:
    layer = qcsim.nn.QuantumLayer(qcsim.strongly_entangling(2, 3))
    given = torch.arange(18.0).reshape(3, 2, 3)
    layer.load_state_dict({"weights": given})
    torch.testing.assert_close(layer.weights.detach(), torch.arange(18.0))
    model = torch.nn.Sequential(layer)
    model.load_state_dict({"0.weights": given + 1})
    torch.testing.assert_close(layer.weights.detach(), torch.arange(18.0) + 1)
    with pytest.raises(RuntimeError, match="size mismatch for weights"):
        layer.load_state_dict({"weights": given[:2]})
