"""Small classical networks of the largest total correlation, and the limit of shared outcomes."""

from math import log

import numpy as np
import pytest
import torch

from qcmarl.laws import OutcomeLaw
from qcmarl.quantum import Circuit
from qcmarl.studies.correlation import exact, exact_mixture, mixture_joint
from qcmarl.studies.theory.counterexamples import (
    ChainNet,
    CopyNet,
    bit_strings,
    chain,
    independent,
    mixture_limit,
    shared_bit,
    shared_symbol,
)


@pytest.mark.parametrize("agents", [2, 8, 64, 300])
def test_a_feed_forward_net_of_2n_parameters_that_reads_a_bit_has_the_largest_correlation(agents):
    found = shared_bit(agents)
    assert found.parameters == 2 * agents
    assert found.total_correlation == pytest.approx((agents - 1) * log(2), abs=1e-8)
    assert found.largest == pytest.approx((agents - 1) * log(2))


def test_its_law_written_down_is_the_copied_coin():
    with torch.no_grad():
        one = CopyNet(4)(torch.tensor([0.0, 1.0], dtype=torch.float64)).numpy()
    joint = mixture_joint([0.5, 0.5], np.stack([1 - one, one], 2).transpose(1, 0, 2))
    expected = np.zeros(16)
    expected[[0, 15]] = 0.5
    np.testing.assert_allclose(joint.ravel(), expected, atol=1e-12)


@pytest.mark.parametrize("agents", [2, 5, 12])
def test_an_autoregressive_net_of_2n_parameters_has_it_too(agents):
    found = chain(agents)
    assert found.parameters == 2 * agents
    assert found.total_correlation == pytest.approx((agents - 1) * log(2), abs=1e-8)


def test_an_autoregressive_law_sums_to_one_whatever_its_weights():
    net = ChainNet(5)
    torch.manual_seed(0)
    for parameter in net.parameters():
        torch.nn.init.normal_(parameter)
    assert net(bit_strings(5)).exp().sum().item() == pytest.approx(1)


@pytest.mark.parametrize(("agents", "actions"), [(2, 2), (3, 9), (5, 15)])
def test_a_shared_symbol_reaches_the_most_that_any_law_of_these_actions_has(agents, actions):
    found = shared_symbol(agents, actions)
    assert found.total_correlation == pytest.approx((agents - 1) * log(actions), abs=1e-8)
    assert found.parameters == actions**2


@pytest.mark.parametrize("hidden", [1, 64, 1024])
def test_actors_that_draw_alone_have_none_however_large(hidden):
    assert independent(6, hidden).total_correlation == pytest.approx(0, abs=1e-12)
    assert independent(6, hidden).parameters == 6 * hidden * 3


def test_the_first_agent_is_the_most_significant_bit():
    assert bit_strings(3)[4].tolist() == [1, 0, 0]


def test_no_mixture_of_z_outcomes_exceeds_n_minus_1_times_ln_z():
    generator = np.random.default_rng(0)
    for outcomes, agents, actions in ((2, 3, 5), (4, 4, 3), (3, 2, 9)):
        limit = mixture_limit(outcomes, agents, actions)
        for sharpness in (0.02, 0.3, 3.0):
            p = generator.dirichlet(np.ones(outcomes))
            given = generator.dirichlet(np.full(actions, sharpness), (agents, outcomes))
            assert exact_mixture(p, given) <= limit + 1e-9
    copies = np.broadcast_to(np.eye(5)[:2], (3, 2, 5))
    assert exact_mixture([0.5, 0.5], copies) == pytest.approx(mixture_limit(2, 3, 5))


def test_a_softmax_over_outcomes_makes_every_law_that_a_circuit_makes_for_the_outcome_readout():
    torch.manual_seed(0)
    x, g, coupling = torch.randn(5, 16), torch.randn(5, 3, 4), torch.randn(3, 16, 4)
    avail, p = torch.ones(5, 3, 4, dtype=torch.bool), Circuit(16, 4)(x).detach()
    logits = p.log()
    actions = torch.randint(4, (5, 3))
    by_circuit, by_softmax = (OutcomeLaw(law, g, coupling, avail) for law in (p, torch.softmax(logits, -1)))
    assert torch.allclose(by_circuit.log_prob(actions), by_softmax.log_prob(actions), atol=1e-5)


def test_a_product_law_needs_as_large_a_table_as_any():
    generator = np.random.default_rng(1)
    law = mixture_joint([1.0], generator.dirichlet(np.ones(4), (3, 1)))
    assert law.size == 4**3
    assert exact(law) == pytest.approx(0, abs=1e-12)
