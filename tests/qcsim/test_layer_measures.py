"""What a `QuantumLayer` measures and how it is made: every measurement by closed forms, and the words of refusals."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

import qcsim

torch = pytest.importorskip("torch")
nn = pytest.importorskip("qcsim.nn")

CIRCUIT = qcsim.Circuit(2).ry(0, feature=0).ry(1, feature=1)
ANGLES = torch.tensor([[0.3, 1.1], [-0.7, 2.0]], dtype=torch.float64)
A, B = ANGLES.T
SUM = {"Z0": 0.5, "X1": -2.0}
MEAN = 0.5 * A.cos() - 2 * B.sin()  # of SUM: <Z> = cos, <X> = sin of the angle of RY


def layer_of(measure: Any, **options: Any) -> Any:
    return nn.QuantumLayer(CIRCUIT, measure, dtype=torch.float64, **options)


@pytest.mark.parametrize("one", [SUM, qcsim.PauliSum(SUM), {"Z0", "Z1"}, 3], ids=["dict", "sum", "set", "number"])
def test_what_is_no_list_is_refused_with_the_words_of_the_verbs(one: Any) -> None:
    for call in (lambda: layer_of(one), lambda: qcsim.expval(CIRCUIT, None, one, features=ANGLES)):
        with pytest.raises(TypeError, match="it must be a list of text and sums such as"):
            call()


def test_a_sum_in_a_list_keeps_its_coefficients() -> None:
    torch.testing.assert_close(layer_of([SUM])(ANGLES), MEAN[:, None])


def test_a_generator_is_read_once_and_shown_as_a_list() -> None:
    layer = layer_of(word for word in ["Z0", "X1"])
    assert layer.measure == ["Z0", "X1"]
    assert "measure=['Z0', 'X1']" in repr(layer)
    expected = torch.stack([A.cos(), B.sin()], 1)
    for twin in (layer, copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        torch.testing.assert_close(twin(ANGLES), expected)


@pytest.mark.parametrize(
    ("measure", "expected"),
    [
        (qcsim.Probabilities([1]), torch.stack([(B / 2).cos() ** 2, (B / 2).sin() ** 2], 1)),
        (qcsim.Expval([SUM]), MEAN[:, None]),
        (qcsim.Variance(["Z0", "X1"]), torch.stack([A.sin() ** 2, B.cos() ** 2], 1)),
        (
            qcsim.DensityMatrix([0]),
            torch.stack([1 + A.cos(), A.sin(), A.sin(), 1 - A.cos()], 1).reshape(2, 2, 2).to(torch.complex128) / 2,
        ),
    ],
    ids=["probabilities", "expval", "variance", "density_matrix"],
)
def test_a_measurement_is_taken_alone_or_beside_others(measure: Any, expected: Any) -> None:
    torch.testing.assert_close(layer_of(measure)(ANGLES), expected)
    results = layer_of([qcsim.Statevector(), measure])(ANGLES)
    assert type(results) is tuple
    torch.testing.assert_close(results[1], expected)
    torch.testing.assert_close(layer_of([measure])(ANGLES[0])[0], expected[0])
    assert repr(measure) in repr(layer_of(measure))


def test_samples_are_drawn_anew_unless_they_have_a_seed() -> None:
    flat = torch.zeros(1, 2, dtype=torch.float64) + torch.pi / 2
    drawn = layer_of(qcsim.Samples(shots=64))
    assert not torch.equal(drawn(flat), drawn(flat))
    seeded = layer_of((qcsim.Samples(shots=64, seed=5), qcsim.Expval(["Z0"])))
    first, mean = seeded(flat)
    assert torch.equal(first, seeded(flat)[0])
    assert mean.abs().item() < 1e-12


@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")
@pytest.mark.filterwarnings("ignore:.*torch.jit.script.*:DeprecationWarning")
def test_samples_run_outside_of_a_compiled_graph() -> None:
    layer = layer_of([qcsim.Expval([SUM]), qcsim.Samples(shots=3, seed=5)])
    torch._dynamo.reset()
    for found, expected in zip(torch.compile(layer, backend="eager")(ANGLES), layer(ANGLES), strict=True):
        torch.testing.assert_close(found, expected)


def test_one_backward_is_one_pass_for_all_measurements() -> None:
    circuit = qcsim.Circuit(1).ry(0)
    layer = nn.QuantumLayer(circuit, [qcsim.Expval(["Z0"]), qcsim.Variance(["Z0"])], dtype=torch.float64)
    with qcsim.Stopwatch() as watch:
        mean, spread = layer()
        (mean + spread).sum().backward()
    assert watch.calls == 2
    angle = layer.weights.detach()
    torch.testing.assert_close(layer.weights.grad, -angle.sin() + 2 * angle.sin() * angle.cos())


def test_layers_of_one_seed_draw_alike_and_seeds_from_torch_do_not() -> None:
    def pair(*seeds: int) -> tuple[Any, Any]:
        one, two = (layer_of("probabilities", shots=1000, seed=seed)(ANGLES) for seed in seeds)
        return one, two

    assert torch.equal(*pair(7, 7))
    torch.manual_seed(0)
    seeds = torch.randint(2**31, (2,)).tolist()
    assert not torch.equal(*pair(*seeds))
    torch.manual_seed(0)
    assert torch.randint(2**31, (2,)).tolist() == seeds


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"qubits": [3]}, ValueError, r"measured qubit 3 is outside 0\.\.1"),
        ({"qubits": [0, 0]}, ValueError, "qubit 0 is measured twice"),
        ({"qubits": []}, ValueError, "no qubit is measured"),
        ({"qubits": 1}, TypeError, r"list of qubits such as \[0, 1\]"),
        ({"measure": qcsim.Probabilities([2])}, ValueError, r"measured qubit 2 is outside 0\.\.1"),
        ({"measure": qcsim.Expval(["Z0"]), "qubits": [0]}, ValueError, "those of 'probabilities' alone"),
        ({"measure": ["Z0"], "qubits": [0]}, ValueError, "those of 'probabilities' alone"),
        ({"measure": [qcsim.Expval(["Z0"]), "Z1"]}, TypeError, r"must be in one, such as qcsim\.Expval"),
        ({"measure": []}, ValueError, "no observable was given"),
        ({"dtype": torch.float16}, ValueError, r"dtype is torch\.float16; the options are torch\.float32 and"),
        ({"dtype": torch.complex64}, ValueError, r"dtype is torch\.complex64"),
    ],
    ids=[
        "outside",
        "twice",
        "none",
        "number",
        "measurement",
        "both",
        "both-words",
        "mixed",
        "empty",
        "half",
        "complex",
    ],
)
def test_the_constructor_refuses_what_no_call_could_take(options: Any, error: type, words: str) -> None:
    with pytest.raises(error, match=words):
        nn.QuantumLayer(CIRCUIT, **options)


def test_weights_are_made_on_the_device_and_in_the_dtype_that_are_named() -> None:
    made = nn.QuantumLayer(qcsim.hardware_efficient(2, 1), device="meta", dtype=torch.float64)
    assert (made.weights.device.type, made.weights.dtype) == ("meta", torch.float64)
    there = made.to_empty(device="cpu")
    torch.nn.init.zeros_(there.weights)
    assert there(torch.ones(4, dtype=torch.float64)).shape == (4,)
    assert nn.QuantumLayer(qcsim.hardware_efficient(2, 1), device=torch.device("cpu")).weights.device.type == "cpu"
