"""Expectations of products of Z: against the oracle, against probabilities, and textbook values."""

from __future__ import annotations

import numpy as np
import pytest

import qcsim
from oracle import dense
from oracle.check import PRECISIONS, TOLERANCE, assert_outputs
from oracle.circuits import random_case


@pytest.mark.parametrize("dtype", PRECISIONS, ids=["float64", "float32"])
@pytest.mark.parametrize("seed", range(0, 200, 2))
def test_a_random_circuit_agrees_with_the_oracle(seed: int, dtype: type) -> None:
    case = random_case(seed).cast(dtype)
    assert_outputs(case, {"observables": case.observables})


def test_one_rotation_gives_the_cosine_of_its_angle() -> None:
    angles = np.linspace(-7, 7, 33)
    value = qcsim.expval(qcsim.Circuit(1).ry(0, feature=0), np.zeros(0), observables=["Z0"], features=angles[:, None])
    np.testing.assert_allclose(value, np.cos(angles)[:, None], atol=1e-15)


def test_a_bell_pair_is_correlated_and_each_half_is_random() -> None:
    bell = qcsim.Circuit(2).ry(0, angle=np.pi / 2).cnot(0, 1)
    value = qcsim.expval(bell, np.zeros(0), observables=["Z0", "Z1", "Z0 Z1"])
    np.testing.assert_allclose(value, [0, 0, 1], atol=1e-15)


@pytest.mark.parametrize("n", range(1, 15))
def test_the_parity_of_every_size_follows_the_number_of_flips(n: int) -> None:
    circuit = qcsim.Circuit(n)
    for q in range(0, n, 2):
        circuit.x(q)
    every = " ".join(f"Z{q}" for q in range(n))
    value = qcsim.expval(circuit, np.zeros(0), observables=[every, f"Z{n - 1}", "Z0"])
    np.testing.assert_array_equal(value, [(-1) ** ((n + 1) // 2), -1 if n % 2 else 1, -1])


def test_the_order_of_the_factors_does_not_matter() -> None:
    case = random_case(7, n=4, batch=5)
    pair = qcsim.expval(case.circuit(), case.weights, observables=["Z3 Z1", "Z1 Z3"], **case.inputs)
    np.testing.assert_array_equal(pair[..., 0], pair[..., 1])


@pytest.mark.parametrize("dtype", PRECISIONS, ids=["float64", "float32"])
def test_expectations_are_signed_sums_of_probabilities(dtype: type) -> None:
    circuit = qcsim.hardware_efficient(6, 3)
    rng = np.random.default_rng(4)
    weights, amplitudes = rng.normal(size=18).astype(dtype), rng.normal(size=(33, 64)).astype(dtype)
    observables = ("Z0", "Z5", "Z2 Z3", "Z0 Z1 Z2 Z3 Z4 Z5")
    value = qcsim.expval(circuit, weights, observables=observables, amplitudes=amplitudes)
    probabilities = qcsim.probabilities(circuit, weights, amplitudes=amplitudes).astype(float)
    assert value.shape == (33, 4)
    assert value.dtype == dtype
    expected = probabilities @ dense.observable_matrix(6, observables).T
    np.testing.assert_allclose(value, expected, atol=TOLERANCE[dtype])


def test_an_empty_batch_is_legal() -> None:
    value = qcsim.expval(
        qcsim.hardware_efficient(3, 1), np.zeros(3), observables=["Z0", "Z1"], amplitudes=np.zeros((0, 8))
    )
    assert value.shape == (0, 2)


def test_a_single_sample_has_no_batch_axis() -> None:
    value = qcsim.expval(qcsim.hardware_efficient(3, 1), np.zeros(3), observables=["Z0"], amplitudes=np.ones(8))
    assert value.shape == (1,)
