"""Several readouts of one run are, bit for bit, the readouts of single calls; their gradients add up."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import qcsim
from oracle import dense
from oracle.check import PRECISIONS, TOLERANCE, forward, random_cotangent, slope, true_gradients
from oracle.circuits import Case, random_batch, random_case, rows


def measurements(case: Case) -> list:
    """One of each kind."""
    return [
        qcsim.Probabilities(case.qubits),
        qcsim.Expval(case.observables),
        qcsim.Variance(case.observables),
        qcsim.Statevector(),
    ]


@pytest.mark.parametrize("dtype", PRECISIONS, ids=["float64", "float32"])
@pytest.mark.parametrize("seed", range(60))
def test_every_result_is_that_of_its_own_call_up_to_rounding(seed: int, dtype: type) -> None:
    # Not to the last bit: a call that reads probabilities alone leaves out a last turn of phases.
    case = random_case(seed).cast(dtype)
    results = qcsim.measure(case.circuit(), case.weights, measurements=measurements(case), **case.inputs)
    assert isinstance(results, tuple)
    for result, measure in zip(results, case.all_measures, strict=True):
        own = forward(case, measure)
        rounding = 16 * np.finfo(dtype).eps * max(1.0, np.max(np.abs(own)))
        np.testing.assert_allclose(result, own, rtol=0, atol=rounding, err_msg=f"{measure} of {case}")


def test_samples_are_those_of_their_own_call() -> None:
    case = random_batch(1, batch=3, n=4)
    samples, more = qcsim.measure(
        case.circuit(), case.weights, **case.inputs,
        measurements=[qcsim.Samples(50, seed=3, qubits=[2, 1]), qcsim.Samples(shots=20, seed=4)],
    )  # fmt: skip
    circuit = case.circuit()
    np.testing.assert_array_equal(
        samples, qcsim.sample(circuit, case.weights, shots=50, seed=3, qubits=[2, 1], **case.inputs)
    )
    np.testing.assert_array_equal(more, qcsim.sample(circuit, case.weights, shots=20, seed=4, **case.inputs))


def test_the_order_of_the_measurements_is_the_order_of_the_results() -> None:
    case = random_batch(2, batch=5, n=3)
    wanted = measurements(case)
    results = qcsim.measure(case.circuit(), case.weights, measurements=wanted, **case.inputs)
    backwards = qcsim.measure(case.circuit(), case.weights, measurements=wanted[::-1], **case.inputs)
    twice = qcsim.measure(case.circuit(), case.weights, measurements=[wanted[1], wanted[1]], **case.inputs)
    for a, b in zip(results, reversed(backwards), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(twice[0], twice[1])


def test_a_single_sample_has_no_batch_axis_in_any_result() -> None:
    case = random_batch(3, batch=4, n=3)
    whole = qcsim.measure(case.circuit(), case.weights, measurements=measurements(case), **case.inputs)
    single = rows(case, 2)
    results = qcsim.measure(case.circuit(), single.weights, measurements=measurements(case), **single.inputs)
    for result, full in zip(results, whole, strict=True):
        assert result.shape == full.shape[1:]
        np.testing.assert_array_equal(result, full[2])


@pytest.mark.parametrize("seed", range(1000, 1030))
def test_the_gradient_of_several_results_is_the_sum_of_their_gradients(seed: int) -> None:
    torch = pytest.importorskip("torch")
    for dtype in PRECISIONS:
        case = random_case(seed).cast(dtype)
        given = {name: None if a is None else torch.tensor(a, requires_grad=True)
                 for name, a in {"weights": case.weights, **case.inputs}.items()}  # fmt: skip
        results = qcsim.measure(case.circuit(), measurements=measurements(case), **given)
        cotangents = [random_cotangent(case, measure) for measure in case.all_measures]
        torch.autograd.backward(results, [torch.tensor(c) for c in cotangents])
        pairs = list(zip(case.all_measures, cotangents, strict=True))
        truths = [true_gradients(case, c, m) for m, c in pairs]
        scales = [dense.slope_scale(case.n, case.instructions, c, case.weights, **case.inputs, **m) for m, c in pairs]
        for name, leaf in given.items():
            if leaf is not None:
                norms = np.linalg.norm(case.amplitudes, axis=-1, keepdims=True) if name == "amplitudes" else 1
                expected = sum(getattr(truth, name) for truth in truths) * norms
                error = dense.relative_error(slope(leaf) * norms, expected, sum(scales))
                assert error <= TOLERANCE[dtype], f"{name} gradient off by {error:.1e} for {case}"


def test_results_that_nobody_uses_leave_the_gradient_of_the_others() -> None:
    torch = pytest.importorskip("torch")
    circuit = qcsim.Circuit(2).rx(0).cnot(0, 1).ry(1)
    weights = torch.tensor([0.3, -0.7], dtype=torch.float64, requires_grad=True)
    wanted = [qcsim.Statevector(), qcsim.Expval(["Z0"]), qcsim.Samples(5, 0), qcsim.Probabilities([1])]
    results = qcsim.measure(circuit, weights, measurements=wanted)
    results[1].sum().backward()
    np.testing.assert_allclose(weights.grad.numpy(), [-np.sin(0.3), 0], atol=1e-15)
    assert not results[2].requires_grad


@pytest.mark.parametrize("one", [qcsim.Probabilities(), "Z0", {"Z0": 1.0}, None], ids=["alone", "word", "sum", "none"])
def test_what_is_no_list_of_measurements_is_refused(one: Any) -> None:
    with pytest.raises(TypeError, match=r"it must be a list of measurements such as \[qcsim.Probabilities\(\)"):
        qcsim.measure(qcsim.Circuit(1), None, one)


def test_qubits_from_a_generator_are_read_once() -> None:
    circuit = qcsim.Circuit(2).x(1)
    np.testing.assert_array_equal(qcsim.density_matrix(circuit, qubits=iter([1])), np.diag([0.0, 1.0]))
    np.testing.assert_array_equal(qcsim.probabilities(circuit, qubits=iter([1])), [0.0, 1.0])
    assert qcsim.counts(circuit, shots=3, qubits=iter([1])) == {"1": 3}


def test_density_matrices_of_an_empty_batch_are_none() -> None:
    circuit = qcsim.Circuit(2).ry(0, feature=0)
    assert qcsim.density_matrix(circuit, features=np.zeros((0, 1)), qubits=[1]).shape == (0, 2, 2)
