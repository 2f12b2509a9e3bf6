"""Samples follow the probabilities, are the same for the same seed, and do not depend on threads or on the batch."""

from __future__ import annotations

import numpy as np
import pytest

import qcsim
from oracle.chance import surprise
from oracle.check import PRECISIONS
from oracle.circuits import Case, random_batch, rows

SHOTS = 4000


def drawn(case: Case, **options) -> np.ndarray:
    """Samples of a case."""
    return qcsim.sample(case.circuit(), case.weights, **case.inputs, **{"shots": SHOTS, "seed": 7, **options})


def law(case: Case, **options) -> np.ndarray:
    """Its probabilities."""
    return qcsim.probabilities(case.circuit(), case.weights, **case.inputs, **options).astype(float)


@pytest.mark.parametrize("dtype", PRECISIONS, ids=["float64", "float32"])
@pytest.mark.parametrize("seed", range(40))
def test_samples_follow_the_probabilities(seed: int, dtype: type) -> None:
    case = random_batch(seed, batch=3, n=1 + seed % 6).cast(dtype)
    for samples, probabilities in zip(drawn(case, seed=seed), law(case), strict=True):
        assert surprise(samples, probabilities) < 5.5, str(case)  # once in 5e7 draws


def test_samples_of_a_marginal_follow_its_probabilities_in_the_order_of_the_qubits() -> None:
    case = random_batch(3, batch=4, n=5)
    for qubits in ([3], [4, 0], (2, 1, 4), range(5)):
        for samples, probabilities in zip(drawn(case, qubits=qubits), law(case, qubits=qubits), strict=True):
            assert surprise(samples, probabilities) < 5.5, str(qubits)


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
    assert surprise(samples.ravel(), np.full(64, 1 / 64)) < 5.5


def test_a_wrong_law_is_found_out() -> None:
    case = random_batch(10, batch=1, n=3, length=20)
    samples, probabilities = drawn(case)[0], law(case)[0]
    assert surprise(samples, probabilities) < 5.5
    assert surprise(samples, 0.9 * probabilities + 0.1 * np.roll(probabilities, 1)) > 5.5


def test_counts_are_the_samples_counted_as_text_of_bits() -> None:
    case = random_batch(7, batch=4, n=4)
    options = {"shots": 500, "seed": 3, "qubits": [2, 0]}
    samples, counted = drawn(case, **options), qcsim.counts(case.circuit(), case.weights, **case.inputs, **options)
    assert len(counted) == 4
    for row, counts in zip(samples, counted, strict=True):
        outcomes, numbers = np.unique(row, return_counts=True)
        assert counts == {f"{o:02b}": k for o, k in zip(outcomes.tolist(), numbers.tolist(), strict=True)}
        assert sum(counts.values()) == 500
    assert qcsim.counts(qcsim.Circuit(3).x(0), np.zeros(0), shots=9, seed=0) == {"100": 9}


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
