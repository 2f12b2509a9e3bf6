"""Finite shots: frequencies follow the law, standard errors tell the spread, gradients are unbiased."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from functools import reduce

import numpy as np
import pytest

import qcsim
from oracle.chance import UNHEARD_OF, allowed, assert_spread, surprise, z_scores
from oracle.check import PRECISIONS, random_cotangent, true_gradients, true_outputs, verb
from oracle.circuits import rows
from oracle.noisy_circuits import ALL_CHANNELS, NoisyCase, noisy_batch, random_noisy_case
from qcsim import estimate
from qcsim.settings import Setting

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


# Few shots ------------------------------------------------------------------------------------------------------------
# Fewer shots than outcomes are drawn one by one, not as binomials of all outcomes.


@pytest.mark.parametrize("way", ["auto", "trajectories"])
@pytest.mark.parametrize("dtype", PRECISIONS, ids=["float64", "float32"])
@pytest.mark.parametrize("seed", range(6))
def test_few_shots_of_many_samples_follow_the_probabilities(seed: int, dtype: type, way: str) -> None:
    case = repeated(noisy_batch(400 + seed, batch=1, n=3 + seed % 2), 500).cast(dtype)
    width = len(case.qubits or range(case.n))
    shots = 2**width - 1 if width > 1 else 1
    value, _ = measured(case, {"qubits": case.qubits}, shots, seed=seed, method=way)
    found = np.rint(value.astype(float) * shots).astype(int)
    np.testing.assert_allclose(value, found / shots, atol=1e-6)
    np.testing.assert_array_equal(found.sum(axis=1), shots)
    law = true_outputs(rows(case, slice(1)), {"qubits": case.qubits})[0]
    assert surprise(np.repeat(np.arange(len(law)), found.sum(axis=0)), law) < UNHEARD_OF, str(case)
    counts = found.var(axis=0, ddof=1)  # of a binomial: shots p (1 - p)
    moving = shots * law * (1 - law) > 0.05
    np.testing.assert_allclose(counts[moving], (shots * law * (1 - law))[moving], rtol=0.8)


@pytest.mark.parametrize("way", ["auto", "trajectories"])
@pytest.mark.parametrize("seed", range(4))
def test_few_shots_have_the_means_and_the_spread_that_they_say(seed: int, way: str) -> None:
    case = repeated(noisy_batch(440 + seed, batch=1, n=3), 400)
    words = ["Z0 Z1 Z2", "X0 Y2", {"Z0 Z1": 0.5, "Z1 Z2": -0.7, "X0": 0.4, "X0 X1 X2": 1.1, "I": 2.0}]
    value, error = measured(case, {"observables": words}, 7, seed=seed, method=way)
    truth = true_outputs(rows(case, slice(1)), {"observables": words})[0]
    mean_error = np.std(value, axis=0, ddof=1) / np.sqrt(len(value))
    assert np.max(z_scores(value.mean(axis=0), truth, mean_error, 1e-9)) < allowed(100)
    # The square of a standard error from the very draws is too small by 1/7 on average.
    assert_spread(value, error * np.sqrt(7 / 6))


def test_few_shots_are_misread_bit_by_bit() -> None:
    circuit = qcsim.Circuit(4).x(0).x(2).readout_error(0.1, 0.3, [0, 1]).readout_error(0.2, 0.2, [3]).x(3).x(3)
    law = reduce(np.kron, ([0.3, 0.7], [0.9, 0.1], [0.0, 1.0], [0.8, 0.2]))
    for way in ("auto", "trajectories"):
        value = qcsim.probabilities(circuit, np.zeros((4000, 0)), shots=3, seed=2, method=way)
        found = np.rint(3 * value.sum(axis=0)).astype(int)
        assert surprise(np.repeat(np.arange(16), found), law) < UNHEARD_OF
        turned = qcsim.probabilities(circuit, np.zeros((4000, 0)), qubits=[3, 1], shots=3, seed=2, method=way)
        found = np.rint(3 * turned.sum(axis=0)).astype(int)
        assert surprise(np.repeat(np.arange(4), found), np.kron([0.8, 0.2], [0.9, 0.1])) < UNHEARD_OF


def test_an_outcome_is_worth_the_signs_of_its_words() -> None:
    setting = Setting(qcsim.Circuit(5), (0, 2, 4), np.array([0]), ())
    z, one = np.array([1.0, -1.0]), np.ones(2)
    terms = ((0.5, ((2, "Z"),)), (-2.0, ((0, "X"), (4, "Y"))), (3.0, ((0, "Z"), (2, "Z"), (4, "Z"))))
    worth = 0.5 * _product(one, z, one) - 2.0 * _product(z, one, z) + 3.0 * _product(z, z, z)
    np.testing.assert_array_equal(setting.worth(terms, np.arange(8)), worth)


def _product(*factors: np.ndarray) -> np.ndarray:
    return reduce(np.kron, factors)


def test_the_variance_of_few_shots_has_the_standard_error_that_it_says() -> None:
    circuit = qcsim.Circuit(3).ry(0, angle=0.8).rx(1, angle=1.9).cnot(0, 1).ry(2, angle=1.1).amplitude_damping(0.2, 0)
    observables = [{"Z0 Z1 Z2": 1.0, "Z1": 0.5, "Z2": -0.3, "I": 1.0}]  # its square: a column of the same draws
    short = qcsim.variance(circuit, np.zeros((2000, 0)), observables, shots=7, seed=3)
    exact = qcsim.variance(circuit, np.zeros(0), observables)
    mean_error = np.std(short, ddof=1) / np.sqrt(2000)
    assert np.max(z_scores(short.mean(axis=0), exact * 6 / 7, mean_error)) < allowed(1)
    _, single = qcsim.variance(circuit, np.zeros((3, 0)), observables, shots=7, seed=3, standard_error=True)
    assert single.shape == (3, 1)
    assert np.all(single > 0)


# Blocks of the batch --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["auto", "trajectories"])
def test_samples_of_different_blocks_are_drawn_independently(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    circuit = qcsim.Circuit(5).amplitude_embedding().bit_flip(0.1, 0)
    inputs = {"amplitudes": np.ones((40, 32)), "shots": 20, "seed": 0, "method": way}
    monkeypatch.setattr(estimate, "BLOCK", 32 * 8)  # of eight samples
    found = qcsim.probabilities(circuit, np.zeros(0), **inputs)
    assert len(np.unique(found, axis=0)) == 40
    counts = np.rint(20 * found.sum(axis=0)).astype(int)
    assert surprise(np.repeat(np.arange(32), counts), np.full(32, 1 / 32)) < UNHEARD_OF
    with_threads = [qcsim.probabilities(circuit, np.zeros(0), **inputs, num_threads=k) for k in (1, 2, 3)]
    for again in with_threads:
        np.testing.assert_array_equal(again, found)


@pytest.mark.parametrize("shots", [5, 50])
def test_each_block_has_its_own_inputs(shots: int, monkeypatch: pytest.MonkeyPatch) -> None:
    circuit = qcsim.Circuit(3).ry(0).ry(1, feature=0).cnot(0, 2).phase_flip(0.2, 0)
    weights = np.repeat([[0.0], [np.pi]], 5, axis=0)
    features = np.tile([[0.0], [np.pi]], (5, 1))
    monkeypatch.setattr(estimate, "BLOCK", 8 * 3)  # of three samples
    for way in ("auto", "trajectories"):
        options = {"features": features, "shots": shots, "seed": 1, "method": way}
        value, error = qcsim.expval(circuit, weights, ["Z0", "Z1", "Z2"], **options, standard_error=True)
        signs = np.hstack([np.cos(weights), np.cos(features), np.cos(weights)])
        np.testing.assert_allclose(value, signs, atol=1e-12)
        np.testing.assert_allclose(error, 0, atol=1e-12)
        samples = qcsim.sample(circuit, weights, features=features, shots=4, seed=1, method=way)
        np.testing.assert_array_equal(samples, np.broadcast_to((1 - signs) / 2 @ [[4], [2], [1]], (10, 4)))


@pytest.mark.parametrize("shots", [6, 40])
def test_where_a_part_of_the_trajectories_ends_changes_no_shot(shots: int, monkeypatch: pytest.MonkeyPatch) -> None:
    case = noisy_batch(42, batch=5, n=3, length=12, names=["amplitude_damping", "readout_error"])
    calls = [{"qubits": None}, {"observables": ["Z0 Z1", "X2", {"Z0": 0.3, "Z2": 0.4}]}]
    whole = [measured(case, measure, shots, method="trajectories") for measure in calls]
    monkeypatch.setattr(estimate, "PART_BYTES", 1000)
    for measure, expected in zip(calls, whole, strict=True):
        for again, before in zip(measured(case, measure, shots, method="trajectories"), expected, strict=True):
            np.testing.assert_array_equal(again, before)


@pytest.mark.parametrize("way", ["auto", "trajectories"])
def test_no_samples_have_no_shots(way: str) -> None:
    circuit = qcsim.Circuit(2).ry(0).bit_flip(0.1, 0)
    options = {"shots": 3, "seed": 0, "method": way, "standard_error": True}
    for measurement in (qcsim.Probabilities(), qcsim.Expval(["Z0"]), qcsim.Variance(["Z0"])):
        value, error = qcsim.measure(circuit, np.zeros((0, 1)), [measurement], **options)[0]
        assert value.shape == error.shape
        assert len(value) == 0


def test_the_memory_of_shots_does_not_grow_with_the_batch() -> None:
    circuit = qcsim.Circuit(9)
    for qubit in range(9):
        circuit.ry(qubit)
    weights = np.random.default_rng(0).uniform(0, 3, (30_000, 9))
    tracemalloc.start()
    qcsim.expval(circuit, weights, [f"Z{qubit}" for qubit in range(9)], shots=20, seed=0)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 48 << 20  # the laws alone would take 117 MiB


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


@pytest.mark.parametrize("shots", [3, 50])
@pytest.mark.parametrize("seed", range(4))
def test_parameter_shift_gradients_of_shots_are_unbiased(seed: int, shots: int) -> None:
    case = random_noisy_case(200 + seed, n=2, batch=2, embed=False, length=5, count=2)
    for measure in case.measures:
        cotangent = random_cotangent(case, measure)
        truth = true_gradients(case, cotangent, measure)
        slopes = []
        for repetition in range(60):
            options = {"shots": shots, "seed": repetition, "gradient": "parameter-shift"}
            _, pullback = qcsim.vjp(case.circuit(), case.weights, **case.inputs, **measure, **options)
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
