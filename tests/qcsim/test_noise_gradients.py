"""Gradients through noise with respect to every input, against the oracle, differences and torch's own check."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import qcsim
from oracle import noisy
from oracle.check import PRECISIONS, assert_gradients, gradients, random_cotangent, tolerance
from oracle.circuits import rows
from oracle.noisy_circuits import ALL_CHANNELS, NoisyCase, noisy_batch, random_noisy_case

EXACT = ["statevector", "density_matrix"]


@pytest.mark.parametrize("dtype", PRECISIONS, ids=["float64", "float32"])
@pytest.mark.parametrize("seed", range(100))
def test_every_gradient_of_a_random_noisy_circuit_agrees_with_the_oracle(seed: int, dtype: type) -> None:
    case = random_noisy_case(seed).cast(dtype)
    for measure in case.all_measures:
        assert_gradients(case, measure, slack=4, method="density_matrix")


@pytest.mark.parametrize("name", ALL_CHANNELS)
def test_gradients_through_every_channel_alone_agree_with_the_oracle(name: str) -> None:
    for seed in range(6):
        case = random_noisy_case(3000 + seed, names=[name], embed=seed % 2 == 0)
        for measure in case.measures:
            assert_gradients(case, measure, slack=4, method="density_matrix")


@pytest.mark.parametrize("n", [7, 8])
def test_gradients_of_seven_and_eight_qubits_agree_with_the_oracle(n: int) -> None:
    case = random_noisy_case(20 + n, n=n, batch=1, embed=True, count=3, length=10)
    for measure in case.measures:
        assert_gradients(case, measure, slack=4, method="density_matrix")


@pytest.mark.parametrize("seed", range(40))
def test_the_parameter_shift_rule_holds_through_noise(seed: int) -> None:
    case = random_noisy_case(4000 + seed)
    for measure in case.measures:
        assert_gradients(case, measure, slack=10, method="density_matrix", gradient="parameter-shift")


@pytest.mark.parametrize("seed", range(8))
def test_gradients_by_numpy_agree_with_differences_of_the_library_itself(seed: int) -> None:
    case = random_noisy_case(600 + seed, n=1 + seed % 3)
    for measure in case.measures:
        cotangent = random_cotangent(case, measure)
        slopes = gradients(case, cotangent, measure)
        for name in ("weights", "features", "amplitudes"):
            given, slope = getattr(case, name), getattr(slopes, name)
            if given is None or given.size == 0:
                continue
            along = np.random.default_rng(seed).normal(size=given.shape)
            scale = np.linalg.norm(given, axis=-1, keepdims=True) if name == "amplitudes" else np.ones(1)
            ends = [loss(replace(case, **{name: given + h * scale * along}), cotangent, measure) for h in (1e-5, -1e-5)]
            change = float(np.sum(np.conj(slope) * scale * along).real)
            assert change == pytest.approx((ends[0] - ends[1]) / 2e-5, rel=1e-5, abs=1e-6), f"{name} of {case}"


def loss(case: NoisyCase, cotangent: np.ndarray, measure: dict) -> float:
    """The number whose gradient a cotangent pulls back."""
    from oracle.check import forward

    return float(np.sum(cotangent * forward(case, measure)))


def test_torch_and_numpy_have_the_same_gradients() -> None:
    from oracle.check import torch_gradients

    for seed in range(10):
        case = random_noisy_case(650 + seed)
        for measure in case.measures:
            cotangent = random_cotangent(case, measure)
            for a, b in zip(
                gradients(case, cotangent, measure), torch_gradients(case, cotangent, measure), strict=True
            ):
                np.testing.assert_allclose(0 if a is None else a, 0 if b is None else b, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("seed", range(6))
def test_the_gradient_of_shared_weights_is_the_sum_over_the_batch(seed: int) -> None:
    case = noisy_batch(seed, batch=7, n=3)
    case = replace(case, weights=np.atleast_2d(case.weights)[0])
    for measure in case.measures:
        cotangent = random_cotangent(case, measure)
        whole = gradients(case, cotangent, measure).weights
        parts = [gradients(rows(case, slice(k, k + 1)), cotangent[k : k + 1], measure).weights for k in range(7)]
        np.testing.assert_allclose(whole, np.sum(parts, axis=0), atol=1e-12 * noisy_scale(case, cotangent, measure))


def noisy_scale(case: NoisyCase, cotangent: np.ndarray, measure: dict) -> float:
    return 10 + noisy.slope_scale(case.n, case.instructions, cotangent, case.weights, **case.inputs, **measure)


@pytest.mark.parametrize("dtype", PRECISIONS, ids=["float64", "float32"])
def test_the_number_of_threads_changes_no_gradient_beyond_rounding(dtype: type) -> None:
    case = noisy_batch(5, batch=40, n=3, length=12).cast(dtype)
    for measure in case.measures:
        cotangent = random_cotangent(case, measure)
        first = gradients(case, cotangent, measure, num_threads=1)
        again = gradients(case, cotangent, measure, num_threads=3)
        for a, b in zip(first, again, strict=True):
            if a is not None:
                np.testing.assert_allclose(b, a, rtol=0, atol=tolerance(case) * max(1, float(np.max(np.abs(a)))))


# Torch's own check ----------------------------------------------------------------------------------------------------


def tensors(case: NoisyCase):
    """The inputs that a case has, as leaves."""
    torch = pytest.importorskip("torch")
    given = {"weights": case.weights, **case.inputs}
    return {name: torch.tensor(a, requires_grad=True) for name, a in given.items() if a is not None and a.size}


def checked(case: NoisyCase, check, verb, **options) -> bool:
    """`gradcheck` or `gradgradcheck` of a verb in all its inputs."""
    leaves, circuit = tensors(case), case.circuit()
    fixed = {} if "weights" in leaves else {"weights": None}

    def function(*given):
        return verb(circuit, **dict(zip(leaves, given, strict=True)), **fixed, **options)

    return check(function, tuple(leaves.values()), atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("seed", [3, 8, 12, 17])
def test_torch_finds_no_fault_in_the_first_derivatives(seed: int) -> None:
    gradcheck = pytest.importorskip("torch").autograd.gradcheck
    case = unit_norm(random_noisy_case(seed, n=2, batch=2, embed=True, length=6))
    for method in ("auto", "density_matrix"):
        assert checked(case, gradcheck, qcsim.probabilities, qubits=case.qubits, method=method)
        assert checked(case, gradcheck, qcsim.expval, observables=case.observables, method=method)
    assert checked(case, gradcheck, qcsim.variance, observables=["Z0", {"X0": 0.5, "Z1": 1.0}])
    assert checked(case, gradcheck, qcsim.density_matrix, qubits=[1])


def unit_norm(case: NoisyCase) -> NoisyCase:
    """With amplitudes of a size that fits the steps of torch's differences."""
    amplitudes = case.amplitudes / np.linalg.norm(case.amplitudes, axis=-1, keepdims=True)
    return replace(case, amplitudes=amplitudes)


@pytest.mark.parametrize("channel", ["amplitude_damping", "global", "depolarizing"])
def test_torch_finds_no_fault_in_the_second_derivatives(channel: str) -> None:
    gradgradcheck = pytest.importorskip("torch").autograd.gradgradcheck
    circuit = qcsim.Circuit(2).ry(0).rx(1, feature=0)
    noise = {
        "amplitude_damping": qcsim.AmplitudeDamping(0.2),
        "global": qcsim.GlobalDepolarizing(0.1),
        "depolarizing": qcsim.Depolarizing(0.1),
    }[channel]
    circuit = circuit.cnot(0, 1).ry(0).with_noise(after=["cnot", "ry"], channel=noise)
    torch = pytest.importorskip("torch")
    weights = torch.tensor([0.3, -1.1], dtype=torch.float64, requires_grad=True)
    features = torch.tensor([[0.7], [0.2]], dtype=torch.float64, requires_grad=True)
    for method in ("auto", "density_matrix"):
        assert gradgradcheck(
            lambda w, f, method=method: qcsim.expval(circuit, w, ["Z0", "X0 X1"], features=f, method=method),
            (weights, features),
        )
        assert gradgradcheck(
            lambda w, f, method=method: qcsim.probabilities(circuit, w, features=f, method=method), (weights, features)
        )


@pytest.mark.parametrize("method", EXACT)
def test_a_layer_learns_through_global_noise_by_either_method(method: str) -> None:
    torch = pytest.importorskip("torch")
    circuit = qcsim.Circuit(2).ry(0).ry(1).cnot(0, 1).depolarizing(0.1)
    weights = torch.tensor([0.4, -0.6], dtype=torch.float64, requires_grad=True)
    qcsim.expval(circuit, weights, ["Z0 Z1"], method=method).sum().backward()
    expected = [0.0, -0.9 * np.sin(-0.6)]  # the CNOT turns Z1 into Z0 Z1: <Z0 Z1> = 0.9 cos(w1)
    np.testing.assert_allclose(weights.grad.numpy(), expected, atol=1e-14)
