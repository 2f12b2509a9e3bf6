"""Expectations of Pauli words and their sums: against the oracle, against probabilities, and textbook values."""

from __future__ import annotations

import numpy as np
import pytest

import qcsim
from oracle import dense
from oracle.check import PRECISIONS, TOLERANCE, assert_outputs
from oracle.circuits import random_case, random_word, reference_case


@pytest.mark.parametrize("dtype", PRECISIONS, ids=["float64", "float32"])
@pytest.mark.parametrize("seed", range(300))
def test_a_random_circuit_agrees_with_the_oracle(seed: int, dtype: type) -> None:
    case = random_case(seed).cast(dtype)
    assert_outputs(case, {"observables": case.observables})


def test_one_rotation_gives_the_cosine_of_its_angle() -> None:
    angles = np.linspace(-7, 7, 33)
    value = qcsim.expval(qcsim.Circuit(1).ry(0, feature=0), np.zeros(0), observables=["Z0"], features=angles[:, None])
    np.testing.assert_allclose(value, np.cos(angles)[:, None], atol=1e-15)


def test_a_bell_pair_is_correlated_and_each_half_is_random() -> None:
    bell = qcsim.Circuit(2).h(0).cnot(0, 1)
    words = ["X0 X1", "Y0 Y1", "Z0 Z1", "X0 Y1", "X0", "Y1", "Z0", "I"]
    value = qcsim.expval(bell, np.zeros(0), observables=words)
    np.testing.assert_allclose(value, [1, -1, 1, 0, 0, 0, 0, 1], atol=1e-15)


def test_the_singlet_is_anticorrelated_along_every_axis() -> None:
    singlet = qcsim.Circuit(2).x(0).x(1).h(0).cnot(0, 1)
    words = ["X0 X1", "Y0 Y1", "Z0 Z1", {"X0 X1": 1.0, "Y0 Y1": 1.0, "Z0 Z1": 1.0}]
    np.testing.assert_allclose(qcsim.expval(singlet, np.zeros(0), observables=words), [-1, -1, -1, -3], atol=1e-15)


@pytest.mark.parametrize("n", range(2, 15))
def test_a_ghz_state_has_the_correlations_of_the_textbook(n: int) -> None:
    ghz = qcsim.Circuit(n).h(0)
    for q in range(n - 1):
        ghz.cnot(q, q + 1)
    flips = [f"X{q}" for q in range(n)]
    two_y = " ".join(["Y0", "Y1", *flips[2:]])
    words = [" ".join(flips), two_y, f"Z0 Z{n - 1}", "Z0", " ".join(["Y0", *flips[1:]])]
    np.testing.assert_allclose(qcsim.expval(ghz, np.zeros(0), observables=words), [1, -1, 1, 0, 0], atol=1e-15)


def test_mermins_sum_on_a_ghz_state_is_four() -> None:
    ghz = qcsim.Circuit(3).h(0).cnot(0, 1).cnot(1, 2)
    mermin = {"X0 X1 X2": 1.0, "X0 Y1 Y2": -1.0, "Y0 X1 Y2": -1.0, "Y0 Y1 X2": -1.0}
    np.testing.assert_allclose(qcsim.expval(ghz, np.zeros(0), observables=[mermin]), [4], atol=1e-14)


def test_the_chsh_sum_reaches_tsirelsons_bound() -> None:
    bell = qcsim.Circuit(2).h(0).cnot(0, 1)
    # a0 = Z, a1 = X, b0 = (Z + X)/sqrt 2, b1 = (Z - X)/sqrt 2: <a0 b0 + a0 b1 + a1 b0 - a1 b1>
    chsh = {"Z0 Z1": np.sqrt(2), "X0 X1": np.sqrt(2)}
    np.testing.assert_allclose(qcsim.expval(bell, np.zeros(0), observables=[chsh]), [2 * np.sqrt(2)], atol=1e-14)


def test_one_rotation_turns_one_axis_into_another() -> None:
    t = np.linspace(-7, 7, 33)
    expected = {
        "rx": [np.zeros(33), -np.sin(t), np.cos(t)], "ry": [np.sin(t), np.zeros(33), np.cos(t)],
        "rz": [np.zeros(33), np.zeros(33), np.ones(33)],
    }  # fmt: skip
    for name, axes in expected.items():
        circuit = getattr(qcsim.Circuit(1), name)(0, feature=0)
        value = qcsim.expval(circuit, np.zeros(0), ["X0", "Y0", "Z0"], features=t[:, None])
        np.testing.assert_allclose(value, np.stack(axes, axis=1), atol=1e-15, err_msg=name)
    on_plus = qcsim.Circuit(1).h(0).phase(0, feature=0)
    value = qcsim.expval(on_plus, np.zeros(0), ["X0", "Y0", "Z0"], features=t[:, None])
    np.testing.assert_allclose(value, np.stack([np.cos(t), np.sin(t), np.zeros(33)], axis=1), atol=1e-15)


@pytest.mark.parametrize("dtype", PRECISIONS, ids=["float64", "float32"])
def test_a_weighted_sum_is_the_sum_of_its_words(dtype: type) -> None:
    case = random_case(31, n=4, batch=6).cast(dtype)
    terms = {"X0 Y2": 0.5, "Z3": -1.25, "I": 2.0, "Y1 Z0": 0.0}
    value = qcsim.expval(case.circuit(), case.weights, [terms], **case.inputs)
    words = qcsim.expval(case.circuit(), case.weights, list(terms), **case.inputs)
    np.testing.assert_allclose(value[..., 0], words @ np.array(list(terms.values())), atol=4 * TOLERANCE[dtype])
    value = qcsim.expval(case.circuit(), case.weights, [qcsim.PauliSum(terms)], **case.inputs)
    np.testing.assert_allclose(value[..., 0], words @ np.array(list(terms.values())), atol=4 * TOLERANCE[dtype])


def test_many_observables_are_measured_in_one_call() -> None:
    rng = np.random.default_rng(5)
    words = tuple(random_word(rng, 5) for _ in range(70))
    assert_outputs(reference_case(5, 18, observables=words), {"observables": words})


def test_the_identity_is_one_and_a_number_is_itself() -> None:
    case = random_case(12, n=3, batch=4)
    value = qcsim.expval(case.circuit(), case.weights, ["I", {"I": -2.5}], **case.inputs)
    np.testing.assert_allclose(value, np.broadcast_to([1, -2.5], value.shape), atol=1e-13)


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
    pair = qcsim.expval(case.circuit(), case.weights, observables=["Z3 X1", "X1 Z3"], **case.inputs)
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
    diagonals = [np.diag(dense.observable_matrix(6, observable)).real for observable in observables]
    expected = probabilities @ np.stack(diagonals, axis=1)
    np.testing.assert_allclose(value, expected, atol=TOLERANCE[dtype])


def test_an_empty_batch_is_legal() -> None:
    value = qcsim.expval(
        qcsim.hardware_efficient(3, 1), np.zeros(3), observables=["Z0", "Z1"], amplitudes=np.zeros((0, 8))
    )
    assert value.shape == (0, 2)


def test_a_single_sample_has_no_batch_axis() -> None:
    value = qcsim.expval(qcsim.hardware_efficient(3, 1), np.zeros(3), observables=["Z0"], amplitudes=np.ones(8))
    assert value.shape == (1,)
