"""Proposition 1: closed form, density matrices, bounds, and what noise does to QC-MAPPO's laws."""

import numpy as np
import pytest
import torch

import qcsim
from qcmarl.mixers import CentredHead
from qcmarl.quantum import Circuit
from qcmarl.studies.theory.fidelity import (
    cnots,
    fidelity,
    kept,
    proposition,
    return_loss,
    simulated_fidelity,
)


@pytest.mark.parametrize(("qubits", "layers"), [(1, 3), (2, 1), (2, 3), (3, 4), (5, 2), (6, 4)])
@pytest.mark.parametrize("rate", [0.0, 1e-3, 0.05, 0.3, 1.0])
def test_density_matrices_have_the_closed_forms_fidelity(qubits, layers, rate):
    expected = fidelity(rate, cnots(qubits, layers), qubits)
    np.testing.assert_allclose(simulated_fidelity(rate, layers, qubits), expected, atol=1e-12)


def test_the_bounds_hold_at_every_rate_size_and_depth_and_strictly_where_there_is_noise():
    for qubits in (2, 3, 5, 9):
        for gates in (1, 2, 8, 36, 400):
            for rate in np.logspace(-6, 0, 25):
                exact = fidelity(rate, gates, qubits)
                sharp = 1 - rate * gates * (1 - 2.0**-qubits)
                assert exact >= sharp - 1e-15
                assert sharp > 1 - rate * gates


def test_the_papers_bound_is_met_without_noise_only_and_the_sharper_one_at_one_gate_too():
    assert fidelity(0.0, 36, 9) == fidelity(0.3, 0, 9) == 1
    assert fidelity(0.3, 1, 4) == pytest.approx(1 - 0.3 * (1 - 1 / 16), abs=1e-15)
    assert fidelity(0.3, 2, 4) > 1 - 2 * 0.3 * (1 - 1 / 16) + 0.08  # s = 0.49 where 1 - 2 e = 0.4


def test_the_shares_that_survive_are_those_of_the_papers_rates():
    assert [round(kept(e, 32), 4) for e in (1e-4, 1e-3, 1e-2)] == [0.9968, 0.9685, 0.725]
    assert [round(kept(e, 36), 4) for e in (1e-4, 1e-3, 1e-2)] == [0.9964, 0.9646, 0.6964]


def test_a_row_of_the_table_is_one_circuit_under_one_rate():
    row = proposition(3, 4, 0.01)
    assert (row.gates, row.bound) == (12, 1 - 0.12)
    assert row.simulated == pytest.approx(row.exact, abs=1e-12)
    assert row.bound < row.sharp < row.exact


def test_no_outcome_law_moves_further_than_the_return_bound_assumes():
    generator = np.random.default_rng(0)
    for rate in (1e-3, 0.05):
        plain = qcsim.hardware_efficient(4, 4)
        noisy = plain.with_noise(after="cnot", channel=qcsim.GlobalDepolarizing(rate))
        weights, x = generator.uniform(-3, 3, plain.n_weights), generator.standard_normal((50, 16))
        moved = 0.5 * np.abs(qcsim.probabilities(plain, weights, x) - qcsim.probabilities(noisy, weights, x)).sum(1)
        assert (moved <= return_loss("any", 1, 4, 4, rate).changed).all()


def test_a_law_on_one_outcome_moves_exactly_that_far():
    changed = return_loss("any", 1, 2, 1, 0.1).changed
    s = 0.9**2
    assert changed == pytest.approx((1 - s) - (1 - s) / 4)  # what leaves the outcome: to itself falls a quarter


def test_an_episode_is_touched_unless_every_decision_is_spared():
    row = return_loss("3m", 60, 8, 4, 1e-3)
    assert row.touched == pytest.approx(1 - (1 - row.changed) ** 60)
    assert row.summed == pytest.approx(row.changed * 61 / 2)


def test_global_noise_divides_the_factored_logits_by_a_number_and_nothing_else():
    torch.manual_seed(0)
    x = torch.randn(40, 16, dtype=torch.float64)
    plain, noisy = Circuit(16, 4).double(), Circuit(16, 4, noise="global-depolarizing:0.02").double()
    noisy.load_state_dict(plain.state_dict())
    head = CentredHead(16, 1, 6, 0.5).double()
    torch.nn.init.normal_(head.map.bias)
    bias = head.map.bias
    assert torch.allclose(head(noisy(x)) - bias, kept(0.02, 16) * (head(plain(x)) - bias))
