"""`QuantumLayer` on inputs with any number of batch axes: each sample as if it were alone."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

import qcsim

torch = pytest.importorskip("torch")
nn = pytest.importorskip("qcsim.nn")

CIRCUIT = qcsim.Circuit(2).amplitude_embedding().ry(0).cnot(0, 1).rx(1, feature=0).ry(1).ry(0, feature=1)
SHAPES = {"probabilities": (4,), "statevector": (4,), "expval": (2,), "variance": (1,), "density_matrix": (2, 2)}
MEASURES = {
    "probabilities": "probabilities",
    "statevector": "statevector",
    "expval": ["Z0", {"X0 Y1": 0.5}],
    "variance": qcsim.Variance(["Z0"]),
    "density_matrix": qcsim.DensityMatrix([1]),
}


def layer_of(measure: Any, circuit: qcsim.Circuit = CIRCUIT, **options: Any) -> Any:
    torch.manual_seed(0)
    return nn.QuantumLayer(circuit, measure, dtype=torch.float64, **options)


def inputs(*axes: int) -> dict[str, Any]:
    torch.manual_seed(1)
    return {name: torch.randn(*axes, n, dtype=torch.float64) for name, n in (("amplitudes", 3), ("features", 2))}


@pytest.mark.parametrize("name", MEASURES)
def test_each_sample_is_as_if_alone(name: str) -> None:
    layer, given = layer_of(MEASURES[name]), inputs(2, 3, 2)
    found = layer(**given)
    assert found.shape == (2, 3, 2, *SHAPES[name])
    for place in product(range(2), range(3), range(2)):
        alone = layer(**{key: array[place] for key, array in given.items()})
        torch.testing.assert_close(found[place], alone, rtol=0, atol=1e-14)


@pytest.mark.parametrize("shared", ["amplitudes", "features"])
def test_one_sample_of_one_input_serves_all_axes_of_the_other(shared: str) -> None:
    layer, given = layer_of("probabilities"), inputs(2, 3)
    one = {**given, shared: given[shared][0, 0]}
    repeated = {**given, shared: given[shared][0, 0].expand(2, 3, -1)}
    torch.testing.assert_close(layer(**one), layer(**repeated), rtol=0, atol=0)


def test_a_single_argument_may_have_more_axes_too() -> None:
    angles = torch.randn(2, 3, 1, dtype=torch.float64)
    layer = nn.QuantumLayer(qcsim.Circuit(1).ry(0, feature=0), ["Z0", "X0"])
    found = nn.QuantumLayer(qcsim.Circuit(1).ry(0, feature=0), ["Z0", "X0"], dtype=torch.float64)(angles)
    torch.testing.assert_close(found, torch.cat([angles.cos(), angles.sin()], -1))
    assert layer(angles.float()).shape == (2, 3, 2)


def test_weights_of_each_sample_have_the_same_axes() -> None:
    layer, given = layer_of(["Z0"]), inputs(2, 3)
    weights = torch.randn(2, 3, 2, dtype=torch.float64)
    call = torch.func.functional_call
    found = call(layer, {"weights": weights}, (), given)
    assert found.shape == (2, 3, 1)
    for place in product(range(2), range(3)):
        alone = call(layer, {"weights": weights[place]}, (), {key: array[place] for key, array in given.items()})
        torch.testing.assert_close(found[place], alone, rtol=0, atol=1e-14)
    for place in product(range(2), range(3)):  # the inputs of one sample for all weights
        one = call(layer, {"weights": weights}, (), {key: array[place] for key, array in given.items()})
        torch.testing.assert_close(one[place], found[place], rtol=0, atol=1e-14)


def test_gradients_have_the_shapes_of_the_inputs() -> None:
    layer, given = layer_of(["Z0", "X1"]), inputs(2, 3)
    for tensor in given.values():
        tensor.requires_grad_()
    flat = {key: tensor.detach().flatten(0, 1).requires_grad_() for key, tensor in given.items()}
    found = torch.autograd.grad(layer(**given).square().sum(), [layer.weights, *given.values()])
    expected = torch.autograd.grad(layer(**flat).square().sum(), [layer.weights, *flat.values()])
    for slope, other in zip(found, expected, strict=True):
        torch.testing.assert_close(slope.reshape(other.shape), other, rtol=0, atol=0)


@pytest.mark.parametrize("axes", [(0, 3), (3, 0), (1, 1, 1)], ids=str)
def test_empty_axes_and_axes_of_one_stay(axes: tuple[int, ...]) -> None:
    assert layer_of("probabilities")(**inputs(*axes)).shape == (*axes, 4)
    assert layer_of(qcsim.DensityMatrix())(**inputs(*axes)).shape == (*axes, 4, 4)


def test_draws_are_those_of_the_samples_in_a_row() -> None:
    given = inputs(2, 3)
    found = layer_of("probabilities", shots=50, seed=3)(**given)
    flat = layer_of("probabilities", shots=50, seed=3)(**{key: array.flatten(0, 1) for key, array in given.items()})
    torch.testing.assert_close(found, flat.unflatten(0, (2, 3)), rtol=0, atol=0)


def test_axes_that_differ_are_named() -> None:
    given = {**inputs(2, 3), "features": torch.zeros(6, 2, dtype=torch.float64)}
    with pytest.raises(ValueError, match=r"amplitudes \(2, 3\), features \(6,\); give the same ones, or none"):
        layer_of("probabilities")(**given)


@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")
@pytest.mark.filterwarnings("ignore:.*torch.jit.script.*:DeprecationWarning")
def test_a_compiled_layer_has_the_same_axes_and_numbers() -> None:
    circuit = CIRCUIT.copy().depolarizing(0.1, [0]).readout_error(0.1, 0.05, [1])
    measure = [qcsim.Variance(["Z0"]), qcsim.Probabilities([1]), qcsim.DensityMatrix([1])]
    layer = layer_of(measure, circuit)
    torch._dynamo.reset()
    compiled = torch.compile(layer, backend="aot_eager", fullgraph=True)
    for axes in [(2, 3), (4,)]:
        for found, expected in zip(compiled(**inputs(*axes)), layer(**inputs(*axes)), strict=True):
            torch.testing.assert_close(found, expected, rtol=0, atol=1e-14)
