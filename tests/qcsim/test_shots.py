"""Finite shots: frequencies follow the law, standard errors tell the spread, gradients are unbiased."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import qcsim
from oracle.chance import UNHEARD_OF, allowed, assert_spread, surprise, z_scores
from oracle.check import PRECISIONS, random_cotangent, true_gradients, true_outputs, verb
from oracle.circuits import rows
from oracle.noisy_circuits import ALL_CHANNELS, NoisyCase, noisy_batch, random_noisy_case

SHOTS = 2000


def measured(case: NoisyCase, measure: dict, shots: int = SHOTS, seed: int = 0, **options):
    """(value, standard error) of finite shots."""
    function, arguments = verb(measure)
    options = {"shots": shots, "seed": seed, "standard_error": True, **options}
    return function(case.circuit(), case.weights, **case.inputs, **arguments, **options)


def repeated(case: NoisyCase, count: int) -> NoisyCase:
    """One sample of a case many times over: independent repetitions in one call."""
    given = {name: None if a is None else np.repeat(a[:1], count, 0) for name, a in case.inputs.items()}
    return replace(case, weights=np.repeat(np.atleast_2d(case.weights)[:1], count, 0), **given)


# The law --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", PRECISIONS, ids=["float64", "float32"])
@pytest.mark.parametrize("seed", range(25))
def test_frequencies_follow_the_probabilities(seed: int, dtype: type) -> None:
    case = noisy_batch(seed, batch=2, n=1 + seed % 4).cast(dtype)
    measure = {"qubits": case.qubits}
    value, _ = measured(case, measure, seed=seed)
    found = np.rint(value.astype(float) * SHOTS).astype(int)
    np.testing.assert_allclose(value, found / SHOTS, atol=1e-6)
    np.testing.assert_array_equal(found.sum(axis=1), SHOTS)
    for counts, law in zip(found, true_outputs(case, measure), strict=True):
        assert surprise(np.repeat(np.arange(len(counts)), counts), law) < UNHEARD_OF, str(case)


@pytest.mark.parametrize("seed", range(25))
def test_samples_of_a_noisy_circuit_follow_its_probabilities(seed: int) -> None:
    case = noisy_batch(50 + seed, batch=2, n=1 + seed % 4)
    samples = qcsim.sample(case.circuit(), case.weights, **case.inputs, qubits=case.qubits, shots=SHOTS, seed=seed)
    for drawn, law in zip(samples, true_outputs(case, {"qubits": case.qubits}), strict=True):
        assert surprise(drawn, law) < UNHEARD_OF, str(case)


@pytest.mark.parametrize("seed", range(10))
def test_samples_of_trajectories_follow_the_probabilities(seed: int) -> None:
    case = noisy_batch(80 + seed, batch=2, n=1 + seed % 3)
    samples = qcsim.sample(case.circuit(), case.weights, **case.inputs, shots=SHOTS, seed=seed, method="trajectories")
    for drawn, law in zip(samples, true_outputs(case, {"qubits": None}), strict=True):
        assert surprise(drawn, law) < UNHEARD_OF, str(case)


@pytest.mark.parametrize("seed", range(30))
def test_expectations_of_shots_agree_with_the_exact_ones_within_their_standard_error(seed: int) -> None:
    case = random_noisy_case(100 + seed, batch=2)
    measure = {"observables": case.observables}
    value, error = measured(case, measure, seed=seed)
    scale = max(1.0, float(np.max(np.abs(true_outputs(case, measure)))))
    scores = z_scores(value, true_outputs(case, measure), error, 5 * scale / SHOTS)
    assert np.max(scores) < allowed(30 * len(scores)), f"{np.max(scores):.1f} standard errors for {case}"


def test_counts_and_samples_of_a_read_error_show_it() -> None:
    circuit = qcsim.Circuit(2).x(0).readout_error(0.1, 0.3)
    law = np.kron([0.3, 0.7], [0.9, 0.1])
    samples = qcsim.sample(circuit, np.zeros(0), shots=4000, seed=1)
    assert surprise(samples, law) < UNHEARD_OF
    counts = qcsim.counts(circuit, np.zeros(0), shots=4000, seed=1)
    assert counts["10"] == np.sum(samples == 2)


# Standard errors ------------------------------------------------------------------------------------------------------


def test_the_standard_error_of_a_frequency_is_that_of_a_coin() -> None:
    circuit = qcsim.Circuit(1).bit_flip(0.3, 0)
    value, error = qcsim.probabilities(circuit, np.zeros(0), shots=500, seed=1, standard_error=True)
    np.testing.assert_allclose(error, np.sqrt(value * (1 - value) / 500), rtol=2e-3)


@pytest.mark.parametrize("seed", range(4))
def test_the_standard_error_of_shots_is_the_spread_over_repetitions(seed: int) -> None:
    case = repeated(noisy_batch(20 + seed, batch=1, n=2), 300)
    for measure in (
        {"qubits": None},
        {"qubits": [1]},
        {"observables": ["Z0", "X1", "Y0 X1", {"Z0 Z1": 0.5, "I": 2.0}, {"X0": 1.0, "Z0": -0.5, "Z1": 0.7}]},
    ):
        value, error = measured(case, measure, 200)
        assert_spread(value, error)
        truth = true_outputs(rows(case, slice(1)), measure)[0]
        mean_error = np.std(value, axis=0, ddof=1) / np.sqrt(300)
        assert np.max(z_scores(value.mean(axis=0), truth, mean_error, 1e-9)) < allowed(100), str(measure)


def test_the_variance_of_shots_has_the_standard_error_that_it_says() -> None:
    circuit = qcsim.Circuit(2).ry(0, angle=0.8).rx(1, angle=1.9).cnot(0, 1).amplitude_damping(0.2, 0)
    weights, words = np.zeros((400, 0)), ["Z0", {"Z0": 1.0, "X1": 0.5}, {"Z0 Z1": 2.0, "Z1": 0.3, "I": 1.0}]
    options = {"shots": 300, "seed": 4, "standard_error": True}
    value, error = qcsim.variance(circuit, weights, words, **options)
    assert_spread(value, error)
    exact = qcsim.variance(circuit, np.zeros(0), words)
    np.testing.assert_allclose(value.mean(axis=0), exact, atol=4.5 * np.max(error) / 20 + 10 / 300)


def test_the_standard_error_shrinks_as_the_square_root_of_the_shots() -> None:
    case = noisy_batch(30, batch=4, n=2, names=["depolarizing"])
    errors = [measured(case, {"observables": ["Z0", "X1"]}, shots)[1] for shots in (1000, 4000, 16000)]
    np.testing.assert_allclose(errors[0] / errors[2], 4, rtol=0.2)


def test_an_exact_call_has_no_standard_error_but_zero() -> None:
    circuit = qcsim.Circuit(1).ry(0).depolarizing(0.1)
    found = qcsim.expval(circuit, np.array([0.4]), ["Z0"], standard_error=True)
    assert isinstance(found, qcsim.Estimate)
    np.testing.assert_array_equal(found.standard_error, [0])
    np.testing.assert_allclose(found.value, [0.9 * np.cos(0.4)], atol=1e-15)


def test_a_certain_outcome_has_no_error_and_the_identity_no_spread() -> None:
    circuit = qcsim.Circuit(2).x(0)
    value, error = qcsim.expval(circuit, np.zeros(0), ["Z0", "I", {"I": 3.0}], shots=50, seed=0, standard_error=True)
    np.testing.assert_allclose(value, [-1, 1, 3], atol=1e-14)
    np.testing.assert_allclose(error, 0, atol=1e-12)


# Seeds ----------------------------------------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_shots_whatever_the_number_of_threads() -> None:
    case = noisy_batch(40, batch=50, n=3, length=12)
    for measure in case.measures:
        first = measured(case, measure, 100, seed=1, num_threads=1)
        for threads in (1, 2, 3):
            again = measured(case, measure, 100, seed=1, num_threads=threads)
            for a, b in zip(first, again, strict=True):
                np.testing.assert_array_equal(a, b)
        assert np.any(measured(case, measure, 100, seed=2)[0] != first[0])


def test_torch_in_gives_the_same_shots_in_torch() -> None:
    torch = pytest.importorskip("torch")
    case = noisy_batch(41, batch=5, n=2)
    given = {name: None if a is None else torch.tensor(a) for name, a in case.inputs.items()}
    value = qcsim.probabilities(case.circuit(), torch.tensor(case.weights), **given, shots=60, seed=7)
    np.testing.assert_array_equal(value.numpy(), measured(case, {"qubits": None}, 60, seed=7)[0])


# Gradients ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_parameter_shift_gradients_of_shots_are_unbiased(seed: int) -> None:
    case = random_noisy_case(200 + seed, n=2, batch=2, embed=False, length=5, count=2)
    for measure in case.measures:
        cotangent = random_cotangent(case, measure)
        truth = true_gradients(case, cotangent, measure)
        slopes = []
        for repetition in range(60):
            _, pullback = qcsim.vjp(case.circuit(), case.weights, **case.inputs, **measure, shots=50, seed=repetition,
                                    gradient="parameter-shift")  # fmt: skip
            found = pullback(cotangent)
            slopes.append(np.concatenate([np.ravel(g) for g in (found.weights, found.features) if g is not None]))
        expected = np.concatenate([np.ravel(g) for g in (truth.weights, truth.features) if g is not None])
        error = np.std(slopes, axis=0, ddof=1) / np.sqrt(60)
        scores = z_scores(np.mean(slopes, axis=0), expected, error, 1e-9)
        assert np.max(scores, initial=0) < allowed(500), f"{np.max(scores):.1f} standard errors for {case}"


def test_a_parameter_shift_gradient_has_the_spread_of_its_two_circuits() -> None:
    circuit, shots, weights = qcsim.Circuit(1).ry(0).depolarizing(0.1), 100, np.full((400, 1), 0.5)
    _, pullback = qcsim.vjp(circuit, weights, observables=["Z0"], shots=shots, seed=3, gradient="parameter-shift")
    slopes = pullback(np.ones((400, 1))).weights
    ends = 0.9 * np.cos(0.5 + np.array([1, -1]) * np.pi / 2)
    spread = np.sqrt(np.sum(1 - ends**2) / shots) / 2
    assert abs(np.mean(slopes) - -0.9 * np.sin(0.5)) < 4.5 * spread / np.sqrt(400)
    assert np.std(slopes, ddof=1) == pytest.approx(spread, rel=5 / np.sqrt(800))


def test_torch_trains_on_shots_by_the_parameter_shift_rule() -> None:
    torch = pytest.importorskip("torch")
    circuit = qcsim.Circuit(1).ry(0).amplitude_damping(0.1, 0)
    weights = torch.full((200, 1), 0.5, dtype=torch.float64, requires_grad=True)
    qcsim.expval(circuit, weights, ["Z0"], shots=200, seed=1, gradient="parameter-shift").sum().backward()
    slopes = weights.grad.numpy().ravel()
    assert abs(slopes.mean() - -0.9 * np.sin(0.5)) < 4.5 * slopes.std(ddof=1) / np.sqrt(200)


# Refusals -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shots", [0, -5])
def test_a_number_of_shots_below_one_is_refused(shots: int) -> None:
    with pytest.raises(ValueError, match="shots") as refusal:
        qcsim.expval(qcsim.Circuit(1).h(0), np.zeros(0), ["Z0"], shots=shots)
    assert str(shots) in str(refusal.value)


def test_the_adjoint_method_has_no_gradient_of_shots() -> None:
    with pytest.raises(ValueError, match="parameter-shift"):
        qcsim.vjp(qcsim.Circuit(1).ry(0), np.array([0.1]), observables=["Z0"], shots=100, gradient="adjoint")


def test_every_channel_may_be_measured_by_shots() -> None:
    for name in ALL_CHANNELS:
        case = random_noisy_case(300, n=2, batch=1, names=[name])
        value, error = measured(case, {"observables": ["Z0", "X0 X1"]}, 400)
        assert np.all(np.abs(value) <= 1 + 1e-12)
        assert np.max(z_scores(value, true_outputs(case, {"observables": ["Z0", "X0 X1"]}), error, 0.02)) < allowed(40)
