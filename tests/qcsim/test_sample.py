"""Samples follow the probabilities, are the same for the same seed, and do not depend on threads or on the batch."""

from __future__ import annotations

import numpy as np
import pytest

import qcsim
from oracle.check import PRECISIONS
from oracle.circuits import Case, random_batch, rows

SHOTS = 4000


def drawn(case: Case, **options) -> np.ndarray:
    """Samples of a case."""
    return qcsim.sample(case.circuit(), case.weights, **case.inputs, **{"shots": SHOTS, "seed": 7, **options})


def law(case: Case, **options) -> np.ndarray:
    """Its probabilities."""
    return qcsim.probabilities(case.circuit(), case.weights, **case.inputs, **options).astype(float)


def chi_squared(samples: np.ndarray, probabilities: np.ndarray) -> tuple[float, int]:
    """The statistic and its degrees of freedom, outcomes expected fewer than five times counted as one."""
    found, expected = np.bincount(samples, minlength=len(probabilities)), len(samples) * probabilities
    rare = expected < 5
    found, expected = (np.append(counts[~rare], counts[rare].sum()) for counts in (found, expected))
    present = expected > 1e-6
    assert np.all(found[~present] == 0)
    return float(np.sum((found - expected)[present] ** 2 / expected[present])), int(present.sum()) - 1


@pytest.mark.parametrize("dtype", PRECISIONS, ids=["float64", "float32"])
@pytest.mark.parametrize("seed", range(40))
def test_samples_follow_the_probabilities(seed: int, dtype: type) -> None:
    case = random_batch(seed, batch=3, n=1 + seed % 6).cast(dtype)
    for samples, probabilities in zip(drawn(case, seed=seed), law(case), strict=True):
        statistic, freedom = chi_squared(samples, probabilities / probabilities.sum())
        # mean k and variance 2k: seven deviations out of 240 draws; the seeds are fixed, so no run is unlucky
        assert statistic <= freedom + 7 * np.sqrt(2 * max(freedom, 1)), f"{statistic} for {freedom} of {case}"


def test_samples_of_a_marginal_follow_its_probabilities_in_the_order_of_the_qubits() -> None:
    case = random_batch(3, batch=4, n=5)
    for qubits in ([3], [4, 0], (2, 1, 4), range(5)):
        for samples, probabilities in zip(drawn(case, qubits=qubits), law(case, qubits=qubits), strict=True):
            statistic, freedom = chi_squared(samples, probabilities)
            assert statistic <= freedom + 7 * np.sqrt(2 * max(freedom, 1)), str(qubits)


def test_a_certain_outcome_is_always_found_and_an_impossible_one_never() -> None:
    samples = qcsim.sample(qcsim.Circuit(3).x(0).x(2), np.zeros(0), shots=100, seed=0)
    np.testing.assert_array_equal(samples, 0b101)
    ghz = qcsim.Circuit(3).h(0).cnot(0, 1).cnot(1, 2)
    samples = qcsim.sample(ghz, np.zeros(0), shots=1000, seed=0)
    assert set(samples.tolist()) == {0, 7}
    assert 400 < np.sum(samples == 7) < 600


def test_the_outcomes_are_integers_of_the_shape_batch_by_shots() -> None:
    case = random_batch(4, batch=3, n=4)
    samples = drawn(case, shots=11)
    assert (samples.shape, samples.dtype) == ((3, 11), np.int64)
    assert samples.min() >= 0
    assert samples.max() < 16
    single = rows(case, 1)
    assert drawn(single, shots=11).shape == (11,)
    assert drawn(rows(case, slice(0, 0)), shots=11).shape == (0, 11)


def test_the_same_seed_gives_the_same_samples_and_another_seed_others() -> None:
    case = random_batch(5, batch=6, n=6, length=30)
    first = drawn(case, seed=1)
    np.testing.assert_array_equal(drawn(case, seed=1), first)
    assert np.mean(drawn(case, seed=2) != first) > 0.3


@pytest.mark.parametrize("dtype", PRECISIONS, ids=["float64", "float32"])
def test_the_number_of_threads_changes_no_sample(dtype: type) -> None:
    case = random_batch(6, batch=150, n=5, length=30).cast(dtype)
    first = drawn(case, shots=50, num_threads=1)
    for threads in (2, 3, 8, None):
        np.testing.assert_array_equal(drawn(case, shots=50, num_threads=threads), first)


def test_equal_rows_of_a_batch_draw_different_samples() -> None:
    circuit = qcsim.Circuit(6).amplitude_embedding()
    samples = qcsim.sample(circuit, np.zeros(0), amplitudes=np.ones((5, 64)), shots=200, seed=0)
    for a in range(5):
        for b in range(a):
            assert np.mean(samples[a] == samples[b]) < 0.2
    together = np.bincount(samples.ravel(), minlength=64)
    assert np.sum((together - 1000 / 64) ** 2 / (1000 / 64)) < 63 + 7 * np.sqrt(126)


def test_counts_are_the_samples_counted() -> None:
    case = random_batch(7, batch=4, n=4)
    options = {"shots": 500, "seed": 3, "qubits": [2, 0]}
    samples, counted = drawn(case, **options), qcsim.counts(case.circuit(), case.weights, **case.inputs, **options)
    assert len(counted) == 4
    for row, counts in zip(samples, counted, strict=True):
        outcomes, numbers = np.unique(row, return_counts=True)
        assert counts == dict(zip(outcomes.tolist(), numbers.tolist(), strict=True))
        assert sum(counts.values()) == 500


def test_torch_in_gives_the_same_samples_in_torch() -> None:
    torch = pytest.importorskip("torch")
    case = random_batch(8, batch=5, n=4)
    given = {name: None if a is None else torch.tensor(a) for name, a in case.inputs.items()}
    samples = qcsim.sample(case.circuit(), torch.tensor(case.weights), **given, shots=50, seed=7)
    assert samples.dtype == torch.int64
    np.testing.assert_array_equal(samples.numpy(), drawn(case, shots=50))


def test_the_mean_of_samples_approaches_the_expectation() -> None:
    case = random_batch(9, batch=3, n=3, real=False)
    mean = np.mean(1 - 2 * (drawn(case, shots=20_000, qubits=[1]) & 1), axis=1)
    expected = qcsim.expval(case.circuit(), case.weights, ["Z1"], **case.inputs)[:, 0]
    np.testing.assert_allclose(mean, expected, atol=7 / np.sqrt(20_000))
