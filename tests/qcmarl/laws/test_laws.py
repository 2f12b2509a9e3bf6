"""Laws of actions against enumeration."""

import itertools

import pytest
import torch

from qcmarl.diagnostics import total_correlation
from qcmarl.laws import IndependentLaw, Inputs, OutcomeLaw

GENERATOR = torch.Generator().manual_seed(5)
AGENTS, ACTIONS, OUTCOMES = 3, 4, 5


def some_masks(samples):
    avail = torch.rand(samples, AGENTS, ACTIONS, generator=GENERATOR) < 0.6
    avail[..., 1] = True
    return avail


def outcome_law(samples=2, scale=1.5):
    p = torch.softmax(torch.randn(samples, OUTCOMES, generator=GENERATOR), -1)
    g = torch.randn(samples, AGENTS, ACTIONS, generator=GENERATOR)
    w = torch.randn(AGENTS, OUTCOMES, ACTIONS, generator=GENERATOR) * scale
    return p, g, w, some_masks(samples)


def joint_table(p, g, w, avail):
    """(M, A, A, A) law of the joint action, straight from its definition."""
    given = torch.softmax((g.unsqueeze(2) + w).masked_fill(~avail.unsqueeze(2), -torch.inf), -1)  # (M, n, Z, A)
    return torch.einsum("mz,mza,mzb,mzc->mabc", p, *given.unbind(1))


def all_actions():
    return torch.tensor(list(itertools.product(range(ACTIONS), repeat=AGENTS)))


def test_the_outcome_laws_log_prob_is_the_enumerated_one_and_sums_to_one():
    p, g, w, avail = outcome_law()
    table, actions = joint_table(p, g, w, avail), all_actions()
    for m in range(len(p)):
        every = [x[m : m + 1].expand(len(actions), *x.shape[1:]) for x in (p, g, avail)]
        law = OutcomeLaw(every[0], every[1], w, every[2])
        allowed = avail[m].gather(1, actions.t()).all(0)
        found = torch.where(allowed, law.log_prob(actions).exp(), 0.0)
        assert found.sum().item() == pytest.approx(1, abs=1e-5)
        assert torch.allclose(found, table[m].flatten(), atol=1e-6)


def test_the_outcome_laws_marginals_are_those_of_the_enumerated_law():
    p, g, w, avail = outcome_law()
    table = joint_table(p, g, w, avail)
    marginals = OutcomeLaw(p, g, w, avail).marginals()
    for i, others in enumerate([(2, 3), (1, 3), (1, 2)]):
        assert torch.allclose(marginals[i], table.sum(others), atol=1e-6)


def test_the_outcome_laws_samples_follow_it():
    p, g, w, avail = outcome_law(1)
    draws = 40_000
    law = OutcomeLaw(p.expand(draws, -1), g.expand(draws, -1, -1), w, avail.expand(draws, -1, -1))
    code = (law.sample(GENERATOR) * torch.tensor([16, 4, 1])).sum(1)
    observed = torch.bincount(code, minlength=64) / draws
    assert (observed - joint_table(p, g, w, avail).flatten()).abs().max() < 4 * (0.25 / draws) ** 0.5


def test_the_estimate_of_total_correlation_agrees_with_enumeration():
    p, g, w, avail = outcome_law(2, scale=3.0)
    table = joint_table(p, g, w, avail)
    exact = 0.0
    for joint in table:
        product = torch.einsum("a,b,c->abc", joint.sum((1, 2)), joint.sum((0, 2)), joint.sum((0, 1)))
        exact += float(torch.where(joint > 0, joint * (joint / product).log(), 0.0).sum()) / len(table)
    many = [x.repeat(5_000, *[1] * (x.dim() - 1)) for x in (p, g, avail)]
    mean, error = total_correlation(OutcomeLaw(many[0], many[1], w, many[2]), GENERATOR, draws=4)
    assert exact > 0.05
    assert error < 0.01
    assert mean == pytest.approx(exact, abs=4 * error)


def test_total_correlation_vanishes_where_the_outcome_shifts_nothing():
    p, g, _, avail = outcome_law()
    law = OutcomeLaw(p, g, torch.zeros(AGENTS, OUTCOMES, ACTIONS), avail)
    assert law.total_correlation(law.sample(GENERATOR)).abs().max() < 1e-5


def test_the_outcome_laws_entropy_is_the_sum_of_its_marginals_and_bounds_the_joint_entropy():
    p, g, w, avail = outcome_law(1)
    law, joint = OutcomeLaw(p, g, w, avail), joint_table(p, g, w, avail)[0]
    marginals = [joint.sum(others) for others in ((1, 2), (0, 2), (0, 1))]
    expected = sum(-(m[m > 0] * m[m > 0].log()).sum() for m in marginals)
    assert law.entropy_sum().item() == pytest.approx(expected.item(), rel=1e-5)
    assert law.entropy_sum() >= -(joint[joint > 0] * joint[joint > 0].log()).sum()


def living_inputs(avail):
    return Inputs(torch.zeros(0), avail, torch.arange(avail.shape[0] * avail.shape[1]))


def test_an_unavailable_action_has_probability_exactly_zero():
    avail = some_masks(50)
    independent = IndependentLaw(torch.randn(150, ACTIONS, generator=GENERATOR) * 5, living_inputs(avail))
    assert (independent.log_probs.exp()[~avail.flatten(0, 1)] == 0).all()
    p, g, w, _ = outcome_law(50)
    outcome = OutcomeLaw(p, g, w, avail)
    assert (outcome.marginals().transpose(0, 1)[~avail] == 0).all()
    for law in (independent, outcome):
        for actions in (law.sample(GENERATOR), law.mode(GENERATOR)):
            assert avail.gather(2, actions.unsqueeze(-1)).all()


def test_independent_log_prob_and_entropy_are_those_of_a_masked_softmax():
    avail = some_masks(6)
    logits = torch.randn(18, ACTIONS, generator=GENERATOR)
    law = IndependentLaw(logits, living_inputs(avail))
    actions = law.sample(GENERATOR)
    peer = torch.distributions.Categorical(logits=logits.masked_fill(~avail.flatten(0, 1), -torch.inf))
    assert torch.allclose(law.log_prob(actions), peer.log_prob(actions.flatten()), atol=1e-6)
    terms = torch.where(peer.probs > 0, -peer.probs * peer.logits, 0.0)
    assert law.entropy_sum().item() == pytest.approx(terms.sum().item(), rel=1e-5)


def test_the_dead_do_their_only_action_and_have_no_entropy():
    avail = some_masks(4)
    avail[:, 2] = torch.tensor([True, False, False, False])
    living = torch.tensor([m * AGENTS + i for m in range(4) for i in range(2)])
    law = IndependentLaw(torch.randn(8, ACTIONS, generator=GENERATOR), Inputs(torch.zeros(0), avail, living))
    assert (law.sample(GENERATOR)[:, 2] == 0).all()
    assert law.log_prob(law.sample(GENERATOR)).shape == (8,)
    p, g, w, _ = outcome_law(4)
    outcome = OutcomeLaw(p, g, w, avail)
    assert torch.allclose(outcome.marginals()[2, :, 0], torch.ones(4))


def test_log_probs_stay_finite_with_far_apart_logits():
    p, g, w, avail = outcome_law(8)
    law = OutcomeLaw(p, g * 20, w * 5, avail)
    assert law.log_prob(law.sample(GENERATOR)).isfinite().all()
