"""Noise with torch: derivatives of any order where results are computed, layers, and what drawn results refuse."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from test_noise_face import DAMPED, GIVEN, NOISY, OBSERVABLES, slopes, weights_of

import qcsim

torch = pytest.importorskip("torch")
nn = pytest.importorskip("qcsim.nn")

GLOBAL = qcsim.Circuit(2).amplitude_embedding().ry(0).rx(1, feature=0).depolarizing(0.2).cnot(0, 1).ry(1)
GLOBAL.depolarizing(0.1).readout_error(0.1, 0.02, [1])
CIRCUITS = pytest.mark.parametrize("circuit", [GLOBAL, DAMPED], ids=["closed form", "density matrix"])
VERBS = {
    "probabilities": lambda c, w, x, f: qcsim.probabilities(c, w, x, f, qubits=[1]),
    "expval": lambda c, w, x, f: qcsim.expval(c, w, OBSERVABLES, x, f),
    "variance": lambda c, w, x, f: qcsim.variance(c, w, OBSERVABLES, x, f),
    "density_matrix": lambda c, w, x, f: torch.view_as_real(qcsim.density_matrix(c, w, x, f, qubits=[1])),
}


def tensors(circuit: qcsim.Circuit) -> tuple[torch.Tensor, ...]:
    arrays = (weights_of(circuit), GIVEN["amplitudes"], GIVEN["features"])
    return tuple(torch.tensor(array, requires_grad=True) for array in arrays)


@CIRCUITS
@pytest.mark.parametrize("verb", VERBS)
def test_computed_results_pass_the_gradient_checks_of_torch(circuit: qcsim.Circuit, verb: str) -> None:
    function = lambda *given: VERBS[verb](circuit, *(each[:1] if each.ndim == 2 else each for each in given))  # noqa: E731
    assert torch.autograd.gradcheck(function, tensors(circuit))
    assert torch.autograd.gradgradcheck(function, tensors(circuit))


@CIRCUITS
@pytest.mark.parametrize("verb", VERBS)
def test_forward_mode_and_mapped_calls_are_those_of_the_engine(circuit: qcsim.Circuit, verb: str) -> None:
    w, x, f = (tensor.detach() for tensor in tensors(circuit))
    function = lambda w, x, f: VERBS[verb](circuit, w, x, f)  # noqa: E731
    forwards, backwards = torch.func.jacfwd(function)(w, x, f), torch.func.jacrev(function)(w, x, f)
    torch.testing.assert_close(forwards, backwards)
    mapped = torch.func.vmap(function, in_dims=(None, 0, 0))(w, x, f)
    torch.testing.assert_close(mapped, function(w, x, f))


@CIRCUITS
def test_layers_of_computed_noise_compile_into_one_graph(circuit: qcsim.Circuit) -> None:
    for measured in ({"qubits": [1, 0]}, {"measure": OBSERVABLES}):
        layer = nn.QuantumLayer(circuit, dtype=torch.float64, **measured)
        compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
        _, x, f = (tensor.detach() for tensor in tensors(circuit))
        expected = layer(amplitudes=x, features=f)
        found = compiled(amplitudes=x, features=f)
        torch.testing.assert_close(found, expected)
        (slope,) = torch.autograd.grad(found.square().sum(), layer.weights)
        torch.testing.assert_close(slope, *torch.autograd.grad(expected.square().sum(), layer.weights))


@pytest.mark.parametrize(
    ("circuit", "way"),
    [(NOISY, {"method": "trajectories", "trajectories": 20}), (DAMPED, {"shots": 20}),
     (DAMPED, {"method": "trajectories", "trajectories": 20})],
    ids=["pathwise", "shots", "damped"],
)  # fmt: skip
def test_torch_and_numpy_draw_the_same_numbers(circuit: qcsim.Circuit, way: dict) -> None:
    w, x, f = tensors(circuit)
    x = x.detach()
    cotangent = np.random.default_rng(3).normal(size=(3, 4))
    found = qcsim.probabilities(circuit, w, x, f, **way, seed=6)
    np.testing.assert_array_equal(
        found.detach().numpy(), qcsim.probabilities(circuit, weights_of(circuit), **GIVEN, **way, seed=6)
    )
    (found * torch.tensor(cotangent)).sum().backward()
    expected = slopes(circuit, cotangent, **way, seed=6)
    np.testing.assert_array_equal(w.grad, expected.weights)
    np.testing.assert_array_equal(f.grad, expected.features)


def test_drawn_density_matrices_have_gradients() -> None:
    options = {"method": "trajectories", "trajectories": 30, "seed": 2}
    w, x, f = tensors(NOISY)
    direction = torch.randn(3, 2, 2, dtype=torch.complex128, generator=torch.Generator().manual_seed(0))
    value = lambda w: (qcsim.density_matrix(NOISY, w, x, f, qubits=[1], **options) * direction).real.sum()  # noqa: E731
    (slope,) = torch.autograd.grad(value(w), w)
    for k in range(len(w)):
        step = torch.zeros_like(w)
        step[k] = 1e-5
        assert abs((value(w + step) - value(w - step)).item() / 2e-5 - slope[k].item()) < 1e-6


def test_amplitudes_that_have_no_gradient_are_refused_before_anything_is_drawn() -> None:
    w, x, f = tensors(DAMPED)
    with pytest.raises(ValueError, match=r"shots give no gradient of amplitudes.*detach the amplitudes"):
        qcsim.probabilities(DAMPED, w, x, f, shots=10)
    with pytest.raises(ValueError, match=r"branches depend on the state.*use method 'density_matrix'"):
        qcsim.probabilities(DAMPED, w, x, f, method="trajectories", trajectories=10)
    with torch.no_grad():
        assert qcsim.probabilities(DAMPED, w, x, f, shots=10).shape == (3, 4)


def test_drawn_results_have_no_transforms() -> None:
    w, x, f = tensors(DAMPED)
    for transform, rows in ((torch.func.vmap, x), (torch.func.jacrev, x[0]), (torch.func.jacfwd, x[0])):
        with pytest.raises(ValueError, match=r"which torch.func's transforms and forward mode do not know"):
            transform(lambda row: qcsim.probabilities(DAMPED, w, row, f[0], shots=5))(rows.detach())


DRAWN = pytest.mark.parametrize(
    ("circuit", "way"),
    [(DAMPED, {"shots": 5}), (DAMPED, {"method": "trajectories", "trajectories": 5}),
     (NOISY, {"method": "trajectories", "trajectories": 5})],
    ids=["shots", "damped", "pathwise"],
)  # fmt: skip


@DRAWN
def test_a_gradient_of_drawn_results_is_never_taken_for_a_constant(circuit: qcsim.Circuit, way: dict) -> None:
    w, x, f = tensors(circuit)
    function = lambda w: qcsim.probabilities(circuit, w, x.detach(), f.detach(), **way)[:, 0].sum()  # noqa: E731
    for penalty in (torch.sum, lambda slope: slope.square().sum()):
        value = function(w)
        (slope,) = torch.autograd.grad(value, w, create_graph=True)
        with pytest.raises(RuntimeError, match="have a first derivative only, not a second"):
            (value + penalty(slope)).backward()
    with pytest.raises(RuntimeError, match="have a first derivative only, not a second"):
        torch.autograd.functional.hessian(function, w.detach())


@DRAWN
def test_cotangents_of_drawn_results_come_one_at_a_time(circuit: qcsim.Circuit, way: dict) -> None:
    w, x, f = tensors(circuit)
    found = qcsim.probabilities(circuit, w, x.detach()[0], f.detach()[0], **way, seed=1)
    pull = lambda cotangent: torch.autograd.grad(found, w, cotangent, retain_graph=True)[0]  # noqa: E731
    for mapped in (lambda: torch.autograd.grad(found, w, torch.eye(4).double(), is_grads_batched=True),
                   lambda: torch.func.vmap(pull)(torch.eye(4).double())):  # fmt: skip
        with pytest.raises(ValueError, match="one cotangent at a time; call backward for each"):
            mapped()
    flipped = torch.ones(4, dtype=torch.complex128).mul(1j).conj().imag  # a view with a flipped sign
    torch.testing.assert_close(pull(flipped), -pull(torch.ones(4).double()))


def drawn_layer(**options) -> nn.QuantumLayer:
    torch.manual_seed(0)
    return nn.QuantumLayer(DAMPED, ["Z0", "X1"], dtype=torch.float64, shots=1000, **options)


def test_a_seeded_layer_draws_anew_at_each_call_and_can_be_repeated() -> None:
    _, x, f = (tensor.detach() for tensor in tensors(DAMPED))
    layer, twin = drawn_layer(seed=4), drawn_layer(seed=4)
    first, second = (layer(amplitudes=x, features=f) for _ in range(2))
    assert (first != second).any()
    torch.testing.assert_close(twin(amplitudes=x, features=f), first, rtol=0, atol=0)
    for other in (copy.deepcopy(twin), pickle.loads(pickle.dumps(twin))):
        torch.testing.assert_close(other(amplitudes=x, features=f), second, rtol=0, atol=0)
    layer.calls = 0
    torch.testing.assert_close(layer(amplitudes=x, features=f), first, rtol=0, atol=0)


def test_a_layer_without_a_seed_never_repeats() -> None:
    _, x, f = (tensor.detach() for tensor in tensors(DAMPED))
    layer = drawn_layer()
    assert (layer(amplitudes=x, features=f) != layer(amplitudes=x, features=f)).any()


def test_a_layer_that_draws_runs_outside_of_a_compiled_graph() -> None:
    _, x, f = (tensor.detach() for tensor in tensors(DAMPED))
    layer = drawn_layer(seed=4)
    expected = [layer(amplitudes=x, features=f) for _ in range(2)]
    layer.calls = 0
    compiled = torch.compile(layer, backend="aot_eager")
    for value in expected:
        torch.testing.assert_close(compiled(amplitudes=x, features=f), value, rtol=0, atol=0)


def test_a_layer_shows_how_it_is_run() -> None:
    assert "method='density_matrix', shots=1000" in repr(drawn_layer())
    shown = repr(nn.QuantumLayer(DAMPED, ["Z0"], method="trajectories", trajectories=7))
    assert "method='trajectories', trajectories=7" in shown


def test_a_layer_learns_from_shots() -> None:
    torch.manual_seed(1)
    circuit = qcsim.Circuit(1).ry(0, feature=0).ry(0).bit_flip(0.05, 0)
    layer = nn.QuantumLayer(circuit, ["Z0"], shots=200, seed=0)
    x = torch.rand(16, 1)
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.1)
    losses = []
    for _ in range(40):
        loss = (layer(x) + 0.9 * torch.cos(x)).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.02 < losses[0]
