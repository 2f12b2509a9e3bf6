"""The words of every error: the value, the rule and the options, and never a dump of the layer below."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest

import qcsim

WEIGHTS, AMPLITUDES = np.ones(3), np.ones((4, 8))
BELL = qcsim.Circuit(2).ry(0).cnot(0, 1)
FEATURES = qcsim.Circuit(1).ry(0, feature=0)


def reference() -> qcsim.Circuit:
    return qcsim.hardware_efficient(3, 1)


def run(weights=WEIGHTS, amplitudes=AMPLITUDES, **options):
    return qcsim.probabilities(reference(), weights, amplitudes=amplitudes, **options)


def expectation(*observables):
    return qcsim.expval(reference(), WEIGHTS, observables=observables, amplitudes=AMPLITUDES)


def with_entry(array: np.ndarray, index: tuple[int, ...], value: float) -> np.ndarray:
    changed = array.copy()
    changed[index] = value
    return changed


def assert_says(error: type[Exception], words: list[str], action: Callable[[], object]) -> None:
    """The exact kind of exception, with every word in its message, in a few lines."""
    with pytest.raises(error) as caught:
        action()
    message = str(caught.value)
    assert caught.type is error
    assert "incompatible" not in message, f"a dump of the binding: {message}"
    assert len(message) < 250, message
    for word in words:
        assert word in message, f"{word!r} is missing in: {message}"


BUILDING = [
    (ValueError, ["0", "1..28"], lambda: qcsim.Circuit(0)),
    (ValueError, ["-1", "1..28"], lambda: qcsim.Circuit(-1)),
    (ValueError, ["29", "1..28"], lambda: qcsim.Circuit(29)),
    (ValueError, ["1..28"], lambda: qcsim.Circuit(10**30)),
    (TypeError, ["2.0", "integer"], lambda: qcsim.Circuit(2.0)),
    (TypeError, ["'3'", "integer"], lambda: qcsim.Circuit("3")),
    (TypeError, ["True", "integer"], lambda: qcsim.Circuit(True)),
    (ValueError, ["3", "0..2", "3-qubit"], lambda: qcsim.Circuit(3).ry(3)),
    (ValueError, ["-1", "0..2"], lambda: qcsim.Circuit(3).ry(-1)),
    (ValueError, ["0..2"], lambda: qcsim.Circuit(3).ry(2**40)),
    (TypeError, ["0.5", "integer"], lambda: qcsim.Circuit(3).ry(0.5)),
    (ValueError, ["9", "0..2"], lambda: qcsim.Circuit(3).x(9)),
    (ValueError, ["5", "0..2"], lambda: qcsim.Circuit(3).cnot(0, 5)),
    (ValueError, ["5", "0..2"], lambda: qcsim.Circuit(3).cnot(5, 0)),
    (ValueError, ["cnot", "1", "different"], lambda: qcsim.Circuit(3).cnot(1, 1)),
    (ValueError, ["swap", "1", "different"], lambda: qcsim.Circuit(3).swap(1, 1)),
    (ValueError, ["weight", "feature"], lambda: qcsim.Circuit(3).ry(0, weight=0, feature=0)),
    (ValueError, ["weight", "angle"], lambda: qcsim.Circuit(3).ry(0, weight=0, angle=0.1)),
    (ValueError, ["-1"], lambda: qcsim.Circuit(3).ry(0, weight=-1)),
    (ValueError, ["-2"], lambda: qcsim.Circuit(3).ry(0, feature=-2)),
    (ValueError, ["weight", str(2**62)], lambda: qcsim.Circuit(3).ry(0, weight=2**62)),
    (ValueError, ["weight", str(2**31 - 1)], lambda: qcsim.Circuit(3).ry(0, weight=2**31 - 1)),
    (ValueError, ["feature", str(2**31 - 1)], lambda: qcsim.Circuit(3).ry(0, feature=2**31 - 1)),
    (TypeError, ["1.5", "integer"], lambda: qcsim.Circuit(3).ry(0, weight=1.5)),
    (ValueError, ["nan", "finite"], lambda: qcsim.Circuit(3).ry(0, angle=math.nan)),
    (ValueError, ["inf", "finite"], lambda: qcsim.Circuit(3).ry(0, angle=math.inf)),
    (TypeError, ["'a'", "radians"], lambda: qcsim.Circuit(3).ry(0, angle="a")),
    (TypeError, ["True", "radians"], lambda: qcsim.Circuit(3).ry(0, angle=True)),
    (ValueError, ["float64", "finite"], lambda: qcsim.Circuit(3).ry(0, angle=10**400)),
    (ValueError, ["ry", "scale 2", "angle"], lambda: qcsim.Circuit(3).ry(0, angle=0.1, scale=2)),
    (ValueError, ["ry", "shift 1", "angle"], lambda: qcsim.Circuit(3).ry(0, angle=qcsim.weight(0), shift=1)),
    (TypeError, ["scale", "ry", "'a'", "number"], lambda: qcsim.Circuit(3).ry(0, scale="a")),
    (ValueError, ["scale", "crx", "nan", "finite"], lambda: qcsim.Circuit(3).crx(0, 1, scale=math.nan)),
    (ValueError, ["shift", "rzz", "inf", "finite"], lambda: qcsim.Circuit(3).rzz(0, 1, feature=0, shift=math.inf)),
    (TypeError, ["weight", "Angle", "integer"], lambda: qcsim.Circuit(3).ry(0, weight=qcsim.weight(0))),
    (TypeError, ["array", "number"], lambda: qcsim.Circuit(3).ry(0, angle=np.ones(1))),
    (TypeError, ["1j", "radians"], lambda: qcsim.Circuit(3).ry(0, angle=1j)),
    (ValueError, ["weight(0)", "weight(1)", "numbers only"], lambda: qcsim.weight(0) * qcsim.weight(1)),
    (ValueError, ["weight(0)", "feature(0)", "two inputs"], lambda: qcsim.weight(0) + qcsim.feature(0)),
    (ValueError, ["weight(0)", "weight(1)", "two inputs"], lambda: 1 - qcsim.weight(0) - qcsim.weight(1)),
    (ValueError, ["weight(0)", "other than 0"], lambda: qcsim.weight(0) / 0),
    (ValueError, ["weight(0)", "weight(1)", "numbers"], lambda: qcsim.weight(0) / qcsim.weight(1)),
    (TypeError, ["None", "number"], lambda: qcsim.weight(0) + None),
    (TypeError, ["'a'", "number"], lambda: "a" * qcsim.weight(0)),
    (TypeError, ["1j", "number"], lambda: 1j * qcsim.weight(0)),
    (ValueError, ["nan", "finite"], lambda: qcsim.weight(0) * math.nan),
    (ValueError, ["inf", "finite"], lambda: qcsim.weight(0) + math.inf),
    (ValueError, ["weight -1", "0..16777215"], lambda: qcsim.weight(-1)),
    (ValueError, ["feature 16777216", "0..16777215"], lambda: qcsim.feature(2**24)),
    (TypeError, ["weight", "0.5", "integer"], lambda: qcsim.weight(0.5)),
    (ValueError, ["u3", "three", "2"], lambda: qcsim.Circuit(3).u3(0, angles=(0.1, 0.2))),
    (ValueError, ["cu3", "three", "4"], lambda: qcsim.Circuit(3).cu3(0, 1, angles=np.ones(4))),
    (TypeError, ["rot", "0.1", "three"], lambda: qcsim.Circuit(3).rot(0, angles=0.1)),
    (TypeError, ["rot", "'a'", "number"], lambda: qcsim.Circuit(3).rot(0, angles=["a", 0, 0])),
    (ValueError, ["toffoli", "0", "twice"], lambda: qcsim.Circuit(3).toffoli(0, 1, 0)),
    (ValueError, ["fredkin", "5", "0..2"], lambda: qcsim.Circuit(3).fredkin(0, 1, 5)),
    (ValueError, ["mcx", "2"], lambda: qcsim.Circuit(3).mcx([], 1)),
    (ValueError, ["mcz", "1"], lambda: qcsim.Circuit(3).mcz([])),
    (ValueError, ["mcx", "1", "twice"], lambda: qcsim.Circuit(3).mcx([0, 1], 1)),
    (TypeError, ["controls", "0", "list"], lambda: qcsim.Circuit(3).mcx(0, 1)),
    (TypeError, ["qubits", "'01'", "list"], lambda: qcsim.Circuit(3).mcz("01")),
    (ValueError, ["(2, 2)", "2 qubit", "(4, 4)"], lambda: qcsim.Circuit(3).unitary(np.eye(2), 0, 1)),
    (ValueError, ["(4,)", "(2, 2)"], lambda: qcsim.Circuit(3).unitary(np.ones(4), 0)),
    (ValueError, ["unitary", "1..3", "0"], lambda: qcsim.Circuit(3).unitary(np.eye(2))),
    (ValueError, ["unitary", "1..3", "4"], lambda: qcsim.Circuit(5).unitary(np.eye(16), 0, 1, 2, 3)),
    (ValueError, ["not unitary"], lambda: qcsim.Circuit(3).unitary(2 * np.eye(2), 0)),
    (ValueError, ["not finite"], lambda: qcsim.Circuit(3).unitary(np.full((2, 2), math.nan), 0)),
    (TypeError, ["str", "array"], lambda: qcsim.Circuit(3).unitary("swap", 0, 1)),
    (TypeError, ["list", "array"], lambda: qcsim.Circuit(3).unitary([[1, 0], [0]], 0)),
    (ValueError, ["unitary", "1", "twice"], lambda: qcsim.Circuit(3).unitary(np.eye(4), 1, 1)),
    (ValueError, ["2 qubits", "3", "then"], lambda: qcsim.Circuit(3) + qcsim.Circuit(2)),
    (ValueError, ["1 places", "2 qubits"], lambda: qcsim.Circuit(3).then(qcsim.Circuit(2), qubits=[0])),
    (ValueError, ["[1, 1]", "different"], lambda: qcsim.Circuit(3).then(qcsim.Circuit(2), qubits=[1, 1])),
    (ValueError, ["7", "0..2"], lambda: qcsim.Circuit(3).then(qcsim.Circuit(1), qubits=[7])),
    (TypeError, ["qubits", "1", "list"], lambda: qcsim.Circuit(3).then(qcsim.Circuit(1), qubits=1)),
    (ValueError, ["embeds amplitudes", "first"], lambda: qcsim.Circuit(3).x(0) + reference()),
    (ValueError, ["embeds amplitudes", "first"], lambda: reference() + reference()),
    (TypeError, ["1", "circuit"], lambda: reference().then(1)),
    (ValueError, ["embeds amplitudes", "inverse"], lambda: reference().inverse()),
    (ValueError, ["2 weights", "3", "mapping"], lambda: reference().assign(weights=[0.1, 0.2])),
    (ValueError, ["weight 3", "3 weights"], lambda: reference().assign(weights={3: 0.1})),
    (ValueError, ["feature 0", "0 features"], lambda: reference().assign(features={0: 0.1})),
    (TypeError, ["weights", "float", "mapping"], lambda: reference().assign(weights=0.1)),
    (TypeError, ["weights", "set"], lambda: reference().assign(weights={0.1, 0.2, 0.3})),
    (TypeError, ["weight", "'a'", "integer"], lambda: reference().assign(weights={"a": 0.1})),
    (TypeError, ["weight 1", "None", "number"], lambda: reference().assign(weights=[0.1, None, 0.2])),
    (ValueError, ["weight 0", "nan"], lambda: reference().assign(weights={0: math.nan})),
    (ValueError, ["amplitude_embedding", "before"], lambda: qcsim.Circuit(3).ry(0).amplitude_embedding()),
    (ValueError, ["once"], lambda: qcsim.Circuit(3).amplitude_embedding().amplitude_embedding()),
    (ValueError, ["-1", "0 or more"], lambda: qcsim.hardware_efficient(3, -1)),
    (TypeError, ["1.5", "integer"], lambda: qcsim.hardware_efficient(3, 1.5)),
    (ValueError, ["29", "1..28"], lambda: qcsim.hardware_efficient(29, 1)),
]

ARGUMENTS = [
    (TypeError, ["'c'", "Circuit"], lambda: qcsim.probabilities("c", WEIGHTS)),
    (ValueError, ["weights", "3"], lambda: run(weights=None)),
    (ValueError, ["amplitudes", "8"], lambda: run(amplitudes=None)),
    (ValueError, ["features"], lambda: qcsim.probabilities(FEATURES, np.zeros(0))),
    (ValueError, ["amplitudes", "amplitude_embedding"], lambda: qcsim.probabilities(BELL, np.ones(1), np.ones(4))),
    (ValueError, ["features"], lambda: run(features=np.ones((4, 1)))),
    (ValueError, ["weights", "(4,)", "(3,)", "(B, 3)"], lambda: run(weights=np.ones(4))),
    (ValueError, ["weights", "()"], lambda: run(weights=np.array(1.0))),
    (ValueError, ["weights", "(1, 1, 3)"], lambda: run(weights=np.ones((1, 1, 3)))),
    (ValueError, ["amplitudes", "(4, 9)", "8"], lambda: run(amplitudes=np.ones((4, 9)))),
    (ValueError, ["amplitudes", "(4, 0)"], lambda: run(amplitudes=np.ones((4, 0)))),
    (ValueError, ["features", "(4, 2)"], lambda: qcsim.probabilities(FEATURES, np.zeros(0), features=np.ones((4, 2)))),
    (ValueError, ["batch", "weights 3", "amplitudes 4"], lambda: run(weights=np.ones((3, 3)))),
    (ValueError, ["weights", "float16", "float32", "float64"], lambda: run(weights=np.ones(3, np.float16))),
    (ValueError, ["weights", "object"], lambda: run(weights=np.array([1, 2.0, None]))),
    (ValueError, ["weights", "complex128"], lambda: run(WEIGHTS + 0j)),
    (ValueError, ["differ", "complex64"], lambda: run(amplitudes=AMPLITUDES.astype(np.complex64))),
    (ValueError, ["float16"], lambda: run(np.ones(3, np.float16), np.ones((4, 8), np.float16))),
    (ValueError, ["weights float32", "amplitudes float64"], lambda: run(weights=WEIGHTS.astype(np.float32))),
    (TypeError, ["weights", "str"], lambda: run(weights="abc")),
    (TypeError, ["weights", "dict"], lambda: run(weights={})),
    (ValueError, ["sample 2", "zero"], lambda: run(amplitudes=with_entry(AMPLITUDES, (2,), 0))),
    (ValueError, ["sample 0", "zero"], lambda: run(amplitudes=np.zeros(8))),
    (ValueError, ["amplitude 5", "sample 2", "nan"], lambda: run(amplitudes=with_entry(AMPLITUDES, (2, 5), math.nan))),
    (ValueError, ["amplitude 5", "sample 2", "inf"], lambda: run(amplitudes=with_entry(AMPLITUDES, (2, 5), -math.inf))),
    (ValueError, ["weight 1", "nan"], lambda: run(weights=with_entry(WEIGHTS, (1,), math.nan))),
    (ValueError, ["weight 1", "sample 3"], lambda: run(weights=with_entry(np.ones((4, 3)), (3, 1), math.inf))),
    (ValueError, ["weight 0", "nan"], lambda: qcsim.probabilities(qcsim.Circuit(1).ry(0, weight=1), [math.nan, 0.3])),
    (
        ValueError,
        ["feature 0", "sample 1", "nan"],
        lambda: qcsim.probabilities(FEATURES, np.zeros(0), features=np.array([[1.0], [math.nan]])),
    ),
]

OPTIONS = [
    (ValueError, ["0", "twice"], lambda: run(qubits=[0, 0])),
    (ValueError, ["3", "0..2"], lambda: run(qubits=[3])),
    (ValueError, ["-1", "0..2"], lambda: run(qubits=[-1])),
    (ValueError, ["no qubit"], lambda: run(qubits=[])),
    (TypeError, ["qubits", "1"], lambda: run(qubits=1)),
    (TypeError, ["0.5"], lambda: run(qubits=[0.5])),
    (TypeError, ["qubit"], lambda: run(qubits="01")),
    (ValueError, ["backprop", "adjoint", "parameter-shift"], lambda: run(gradient="backprop")),
    (ValueError, ["None", "adjoint", "parameter-shift"], lambda: run(gradient=None)),
    (ValueError, ["num_threads", "0", "1 or more"], lambda: run(num_threads=0)),
    (ValueError, ["num_threads", "-1"], lambda: run(num_threads=-1)),
    (ValueError, ["num_threads"], lambda: run(num_threads=2**40)),
    (TypeError, ["num_threads", "1.5", "integer"], lambda: run(num_threads=1.5)),
    (ValueError, ["3", "0..2"], lambda: expectation("Z3")),
    (ValueError, ["0..2"], lambda: expectation("Z99999999999999999999")),
    (ValueError, ["twice"], lambda: expectation("Z0 Z0")),
    (ValueError, ["''", "Z0"], lambda: expectation("")),
    (ValueError, ["'z0'", "Z0"], lambda: expectation("z0")),
    (ValueError, ["'Z0Z1'", "Z0 Z1"], lambda: expectation("Z0Z1")),
    (ValueError, ["no observable"], lambda: expectation()),
    (TypeError, ["0", "text"], lambda: expectation(0)),
    (TypeError, ["'Z0'", "list"], lambda: qcsim.expval(reference(), WEIGHTS, "Z0", AMPLITUDES)),
    (TypeError, ["observables", "None"], lambda: qcsim.expval(reference(), WEIGHTS, None, AMPLITUDES)),
    (
        ValueError,
        ["qubits", "observables"],
        lambda: qcsim.vjp(reference(), WEIGHTS, AMPLITUDES, qubits=[0], observables=["Z0"]),
    ),
    (ValueError, ["(3,)", "(4, 8)"], lambda: qcsim.vjp(reference(), WEIGHTS, AMPLITUDES)[1](np.ones(3))),
    (ValueError, ["(1, 8)", "(4, 8)"], lambda: qcsim.vjp(reference(), WEIGHTS, AMPLITUDES)[1](np.ones((1, 8)))),
]


@pytest.mark.parametrize(("error", "words", "action"), BUILDING)
def test_a_circuit_is_checked_as_it_grows(error, words, action) -> None:
    assert_says(error, words, action)


@pytest.mark.parametrize(("error", "words", "action"), ARGUMENTS)
def test_the_arrays_of_a_call_are_checked(error, words, action) -> None:
    assert_says(error, words, action)


@pytest.mark.parametrize(("error", "words", "action"), OPTIONS)
def test_the_options_of_a_call_are_checked(error, words, action) -> None:
    assert_says(error, words, action)


def test_a_refused_gate_leaves_the_circuit_as_it_was() -> None:
    circuit = qcsim.Circuit(2).ry(0)
    before = str(circuit)
    for action in (
        lambda: circuit.ry(5), lambda: circuit.cnot(0, 0), lambda: circuit.ry(0, angle=math.nan),
        lambda: circuit.rot(9), lambda: circuit.unitary(np.ones((2, 2)), 0),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"ry|cnot|rot|unitary"):
            action()
    assert (str(circuit), len(circuit), circuit.n_weights) == (before, 1, 1)


def test_torch_tensors_of_the_wrong_kind_are_refused_in_words() -> None:
    torch = pytest.importorskip("torch")
    weights, amplitudes = torch.ones(3), torch.ones(4, 8)
    for error, words, given in [
        (TypeError, ["torch", "NumPy"], (weights, AMPLITUDES.astype(np.float32))),
        (ValueError, ["float32", "float64"], (weights, amplitudes.double())),
        (ValueError, ["bfloat16", "float32"], (weights.bfloat16(), amplitudes.bfloat16())),
        (ValueError, ["meta", "cpu"], (weights.to("meta"), amplitudes.to("meta"))),
        (ValueError, ["sample 1", "nan"], (weights, amplitudes.index_fill(0, torch.tensor([1]), math.nan))),
        (ValueError, ["sample 1", "zero"], (weights, amplitudes.index_fill(0, torch.tensor([1]), 0.0))),
    ]:
        assert_says(error, words, lambda given=given: qcsim.probabilities(reference(), given[0], amplitudes=given[1]))
    assert_says(TypeError, ["NumPy", "backward"], lambda: qcsim.vjp(reference(), weights, amplitudes))


def test_a_layer_names_what_it_was_not_given() -> None:
    torch = pytest.importorskip("torch")
    layer_of = pytest.importorskip("qcsim.nn").QuantumLayer
    both = qcsim.Circuit(1).amplitude_embedding().ry(0, feature=0)
    for error, words, action in [
        (ValueError, ["expval", "probabilities", "observables"], lambda: layer_of(reference(), measure="expval")),
        (ValueError, ["backprop", "adjoint"], lambda: layer_of(reference(), gradient="backprop")),
        (TypeError, ["3", "Circuit"], lambda: layer_of(3)),
        (ValueError, ["amplitudes", "missing"], lambda: layer_of(reference())()),
        (ValueError, ["features", "missing"], lambda: layer_of(both)(torch.ones(4, 2))),
        (ValueError, ["x", "by name"], lambda: layer_of(reference())(torch.ones(8), amplitudes=torch.ones(8))),
    ]:
        assert_says(error, words, action)


def test_arrays_whose_memory_does_not_say_all_are_refused_or_resolved() -> None:
    torch = pytest.importorskip("torch")
    amplitudes = torch.ones(4, 8)
    sparse = torch.sparse_coo_tensor(torch.tensor([[0]]), torch.ones(1), (3,), check_invariants=True)
    assert_says(ValueError, ["weights", "dense"], lambda: qcsim.probabilities(reference(), sparse, amplitudes))
    masked = np.ma.masked_array(WEIGHTS, [True, False, False])
    assert_says(TypeError, ["weights", "masked", "filled"], lambda: run(weights=masked))
    zeros = qcsim.probabilities(reference(), torch._efficientzerotensor(3), amplitudes)
    torch.testing.assert_close(zeros, qcsim.probabilities(reference(), torch.zeros(3), amplitudes), rtol=0, atol=0)


def test_a_tracer_of_jax_is_told_the_way() -> None:
    tracer = type("LinearizeTracer", (), {"__module__": "jax._src.interpreters.ad", "__dlpack__": None})()
    assert_says(TypeError, ["weights", "LinearizeTracer", "jax.grad", "qcsim.qubit"], lambda: run(weights=tracer))


def test_a_set_of_observables_has_no_order_and_is_refused() -> None:
    assert_says(TypeError, ["observables", "list"], lambda: qcsim.expval(reference(), WEIGHTS, {"Z0"}, AMPLITUDES))


def test_an_angle_beyond_the_range_of_float64_is_an_error() -> None:
    circuit = qcsim.Circuit(1).ry(0, weight=0, scale=1e300)
    with pytest.raises(ValueError, match="must be finite"):
        qcsim.probabilities(circuit, np.array([1e300]))


def test_misaligned_and_foreign_byte_orders_are_brought_in_order() -> None:
    circuit, weights = qcsim.Circuit(2).ry(0).ry(1).cnot(0, 1), np.array([0.3, 1.1])
    expected = qcsim.probabilities(circuit, weights)
    shifted = np.frombuffer(b"." + weights.tobytes(), np.float64, 2, offset=1)
    np.testing.assert_array_equal(qcsim.probabilities(circuit, shifted), expected)
    np.testing.assert_array_equal(qcsim.probabilities(circuit, weights.astype(">f8")), expected)


def test_a_result_is_written_only_to_plain_memory_of_its_form() -> None:
    torch = pytest.importorskip("torch")
    circuit, weights = qcsim.Circuit(1).ry(0), torch.zeros(1)
    for out in (torch.empty(2, device="meta"), torch._neg_view(torch.ones(2)), torch.empty(3), torch.empty(2, 2)[:, 0]):
        with pytest.raises(ValueError, match="out "):
            qcsim.probabilities(circuit, weights, out=out)
    fixed = np.empty(2)
    fixed.flags.writeable = False
    for out in (fixed, np.empty((2, 2))[:, 0]):
        with pytest.raises(ValueError, match="out is read-only or not side by side in memory"):
            qcsim.probabilities(circuit, np.zeros(1), out=out)


def test_the_pullback_of_a_large_state_keeps_its_own_amplitudes() -> None:
    circuit = qcsim.Circuit(14).amplitude_embedding().ry(0)
    amplitudes = np.random.default_rng(0).normal(size=2**14)
    _, pullback = qcsim.vjp(circuit, np.array([0.4]), amplitudes, observables=["Z0"])
    first = pullback(np.ones(1)).weights
    amplitudes[:] = 1.0
    np.testing.assert_allclose(pullback(np.ones(1)).weights, first, rtol=1e-12)


@pytest.mark.skipif(sys.platform != "linux", reason="limits of memory are those of Linux")
def test_too_little_memory_is_told_in_sizes() -> None:
    script = """
import resource, qcsim
qcsim.expval(qcsim.Circuit(2).ry(0), [0.1])  # threads and tables there are
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 2**30, used + 2**30))
try:
    qcsim.expval(qcsim.Circuit(28).ry(0).rx(1), [0.1, 0.2], ["Z0"])
except MemoryError as error:
    print(error)
"""
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert found.stdout.startswith("the simulator needs 4.0 GiB of memory more"), found.stderr
