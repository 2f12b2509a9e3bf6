"""Gradient variances against closed forms of one qubit, and slopes against made-up data."""

import pytest

from qcmarl.studies.theory.gradients import QUANTITIES, STARTS, Variance, slopes, variance


def test_one_angle_has_the_variances_of_a_sine():
    # <Z0> = cos t: E sin^2 = 1/2; the projector is (1 + cos t) / 2: a quarter of it
    assert variance("<Z0>", "uniform", 1, 1, 20_000).variance == pytest.approx(1 / 2, abs=0.01)
    assert variance("projector", "uniform", 1, 1, 20_000).variance == pytest.approx(1 / 8, abs=0.003)


@pytest.mark.parametrize("qubits", [2, 4, 7])
def test_one_layer_already_spreads_z0_over_all_qubits_but_the_first(qubits):
    # the ring turns Z0 into Z1 .. Z_{n-1}, so <Z0> = prod cos t_i: each of n - 1 angles has 2^-(n - 1), the first none
    expected = (qubits - 1) / qubits * 2.0 ** (1 - qubits)
    assert variance("<Z0>", "uniform", qubits, 1, 20_000).variance == pytest.approx(expected, rel=0.1)


def test_small_angles_have_the_small_variance_of_a_sine_near_zero():
    assert variance("<Z0>", "small", 1, 1, 20_000).variance == pytest.approx(0.05**2, rel=0.05)


def test_a_logit_of_one_qubit_moves_by_the_heads_difference():
    # 2 p - 1 = (cos, -cos): 0.49 E sin^2 E (w_0 - w_1)^2 = 0.49 / 2
    assert variance("factored logit", "uniform", 1, 1, 20_000).variance == pytest.approx(0.49 / 2, abs=0.01)


def test_the_score_of_one_qubit_has_the_fisher_information_one():
    assert variance("outcome score", "uniform", 1, 1, 20_000).variance == pytest.approx(1, abs=0.15)


def test_the_projector_falls_twice_as_fast_as_z0_and_the_factored_logit_not_at_all():
    found = [
        variance(quantity, "uniform", qubits, 8, 200)
        for quantity in ("<Z0>", "projector", "factored logit", "outcome score")
        for qubits in (4, 6, 8, 10)
    ]
    bits = {slope.quantity: slope.bits for slope in slopes(found)}
    assert bits["<Z0>"] == pytest.approx(1, abs=0.2)
    assert bits["projector"] == pytest.approx(2, abs=0.3)
    assert bits["factored logit"] == pytest.approx(0, abs=0.1)
    assert bits["outcome score"] == pytest.approx(1, abs=0.25)


def test_a_slope_is_the_bits_that_a_qubit_costs():
    found = [Variance("<Z0>", "uniform", q, 4, 10, 3 * 2.0 ** (-1.5 * q)) for q in (2, 4, 6, 8)]
    (slope,) = slopes(found)
    assert slope.bits == pytest.approx(1.5)
    assert slopes(found[:3]) == []  # two points from 4 qubits on are too few


@pytest.mark.parametrize("quantity", QUANTITIES)
@pytest.mark.parametrize("start", STARTS)
def test_the_same_call_gives_the_same_variance(quantity, start):
    assert variance(quantity, start, 3, 2, 10) == variance(quantity, start, 3, 2, 10)
