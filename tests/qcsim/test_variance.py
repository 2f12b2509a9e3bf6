"""Variances <O^2> - <O>^2 of Pauli words and weighted sums: the oracle, eigenstates, textbook values, gradients."""

from __future__ import annotations

import numpy as np
import pytest

import qcsim
from oracle.check import PRECISIONS, TOLERANCE, assert_gradients, assert_outputs, forward
from oracle.circuits import random_case, random_word


@pytest.mark.parametrize("dtype", PRECISIONS, ids=["float64", "float32"])
@pytest.mark.parametrize("seed", range(0, 300, 2))
def test_a_random_circuit_agrees_with_the_oracle(seed: int, dtype: type) -> None:
    case = random_case(seed).cast(dtype)
    assert_outputs(case, {"variance": case.observables})


@pytest.mark.parametrize("dtype", PRECISIONS, ids=["float64", "float32"])
@pytest.mark.parametrize("seed", range(900, 940))
def test_all_gradients_of_a_random_circuit_agree_with_the_oracle(seed: int, dtype: type) -> None:
    case = random_case(seed).cast(dtype)
    assert_gradients(case, {"variance": case.observables})


def test_the_variance_of_an_eigenstate_is_zero() -> None:
    states = {
        "Z0": qcsim.Circuit(2).x(0), "X0": qcsim.Circuit(2).h(0), "Y0": qcsim.Circuit(2).h(0).s(0),
        "Y1 Y0": qcsim.Circuit(2).h(0).cnot(0, 1), "I": qcsim.Circuit(2).rx(0, angle=0.3),
    }  # fmt: skip
    for word, circuit in states.items():
        np.testing.assert_allclose(qcsim.variance(circuit, np.zeros(0), [word]), [0], atol=1e-15, err_msg=word)
    bell = qcsim.Circuit(2).h(0).cnot(0, 1)
    total = {"X0 X1": 0.3, "Y0 Y1": -2.0, "Z0 Z1": 1.5, "I": 7.0}
    np.testing.assert_allclose(qcsim.variance(bell, np.zeros(0), [total]), [0], atol=1e-13)


def test_the_variance_of_a_word_is_one_less_the_squared_mean() -> None:
    rng = np.random.default_rng(0)
    for seed in range(30):
        case = random_case(seed)
        words = [random_word(rng, case.n) for _ in range(4)]
        value, mean = forward(case, {"variance": words}), forward(case, {"observables": words})
        np.testing.assert_allclose(value, 1 - mean**2, atol=1e-13, err_msg=str(case))


def test_one_rotation_gives_the_squared_sine_of_its_angle() -> None:
    angles = np.linspace(-7, 7, 33)[:, None]
    value = qcsim.variance(qcsim.Circuit(1).ry(0, feature=0), np.zeros(0), ["Z0"], features=angles)
    np.testing.assert_allclose(value, np.sin(angles) ** 2, atol=1e-15)


def test_a_variance_counts_the_covariances_of_its_words() -> None:
    bell = qcsim.Circuit(2).h(0).cnot(0, 1)  # both ends are random; together they never, or always, differ
    sums = [{"Z0": 1.0, "Z1": 1.0}, {"Z0": 1.0, "Z1": -1.0}, {"Z0": 1.0}, {"X0": 3.0, "Z0": 4.0}]
    np.testing.assert_allclose(qcsim.variance(bell, np.zeros(0), sums), [4, 0, 1, 25], atol=1e-13)


def test_words_that_do_not_commute_have_the_variance_of_their_sum() -> None:
    plus = qcsim.Circuit(1).h(0)  # (X + Z)^2 = 2, and <X + Z> = 1
    np.testing.assert_allclose(qcsim.variance(plus, np.zeros(0), [{"X0": 1.0, "Z0": 1.0}]), [1], atol=1e-14)


@pytest.mark.parametrize("dtype", PRECISIONS, ids=["float64", "float32"])
def test_a_constant_adds_nothing_and_a_factor_counts_twice(dtype: type) -> None:
    case = random_case(15, n=4, batch=5, real=False).cast(dtype)
    plain, moved = {"X0 Z2": 0.5, "Y3": -1.0}, {"X0 Z2": 1.0, "Y3": -2.0, "I": 3.0}
    value = forward(case, {"variance": [plain, moved]})
    np.testing.assert_allclose(value[..., 1], 4 * value[..., 0], atol=40 * TOLERANCE[dtype])


def test_a_variance_is_never_negative_beyond_rounding() -> None:
    for seed in range(50):
        case = random_case(seed)
        assert np.min(forward(case, {"variance": case.observables})) > -1e-12, str(case)


def test_shapes_and_an_empty_batch() -> None:
    circuit = qcsim.hardware_efficient(3, 1)
    value = qcsim.variance(circuit, np.zeros(3), ["Z0", "X1"], amplitudes=np.zeros((0, 8)))
    assert value.shape == (0, 2)
    assert qcsim.variance(circuit, np.zeros(3), ["Z0"], amplitudes=np.ones(8)).shape == (1,)


def test_a_multiple_of_the_identity_does_not_drown_the_variance() -> None:
    circuit, angle = qcsim.Circuit(1).ry(0), np.array([1.0], np.float32)
    plain = qcsim.variance(circuit, angle, ["Z0"])
    np.testing.assert_array_equal(qcsim.variance(circuit, angle, [{"I": 1e4, "Z0": 1.0}]), plain)
    np.testing.assert_array_equal(qcsim.variance(circuit, angle, [{"I": 3.0}]), [0.0])
