"""Measured shared states against Kronecker products, and what one agent's choice can do to another: nothing."""

import itertools

import numpy as np
import pytest
import torch

from qcmarl.coordinator.coordinates import basis, coordinates, reader, shared, unit
from qcmarl.laws.born import BornLaw

GENERATOR = torch.Generator().manual_seed(11)


def complex_normal(*shape):
    return torch.view_as_complex(torch.randn(*shape, 2, generator=GENERATOR))


def random_ket(agents, dimension):
    ket = complex_normal(*[dimension] * agents)
    return ket / ket.abs().square().sum().sqrt()


def random_effects(samples, agents, outcomes, dimension):
    """(M, n, K, D, D) positive matrices that add up to the identity, by the square root of their sum."""
    a = complex_normal(samples, agents, outcomes, dimension, dimension)
    positive = a.mH @ a
    values, vectors = torch.linalg.eigh(positive.sum(2))
    root = vectors @ torch.diag_embed(values.rsqrt()).to(vectors.dtype) @ vectors.mH
    return root.unsqueeze(2) @ positive @ root.unsqueeze(2)


def kronecker(matrices):
    product = np.ones((1, 1))
    for matrix in matrices:
        product = np.kron(product, matrix.numpy())
    return product


def by_kronecker(ket, effects):
    """(M, K^n) probabilities tr(rho E_1 x .. x E_n) from matrices on the whole space."""
    vector = ket.flatten().numpy()
    samples, agents, outcomes = effects.shape[:3]
    return np.array(
        [
            [
                (vector.conj() @ kronecker([effects[m, i, k] for i, k in enumerate(joint)]) @ vector).real
                for joint in itertools.product(range(outcomes), repeat=agents)
            ]
            for m in range(samples)
        ]
    )


def law_of(ket, effects):
    dimension = ket.shape[0]
    read = reader(dimension)
    return BornLaw(shared(ket, basis(dimension).to(ket.dtype)), unit(dimension), coordinates(effects, read))


CASES = pytest.mark.parametrize(
    ("agents", "outcomes", "dimension"), [(1, 3, 2), (2, 2, 2), (2, 3, 3), (3, 2, 2), (2, 4, 4), (4, 2, 2)]
)


@CASES
def test_probabilities_are_those_of_kronecker_products(agents, outcomes, dimension):
    ket, effects = random_ket(agents, dimension), random_effects(3, agents, outcomes, dimension)
    law, expected = law_of(ket, effects), by_kronecker(ket, effects)
    assert np.allclose(law.table().log_probs.exp(), expected, atol=1e-6)
    joint = torch.tensor(list(itertools.product(range(outcomes), repeat=agents)))
    each = [law.log_prob(actions.expand(3, -1)).exp().numpy() for actions in joint]
    assert np.allclose(np.array(each).T, expected, atol=1e-6)


@CASES
def test_marginals_are_sums_of_the_table(agents, outcomes, dimension):
    law = law_of(random_ket(agents, dimension), random_effects(3, agents, outcomes, dimension))
    assert torch.allclose(law.marginals(), law.table().marginals(), atol=1e-6)


def test_draws_have_the_law_frequencies():
    ket, effects = random_ket(3, 2), random_effects(1, 3, 2, 2)
    law = law_of(ket, effects.expand(200_000, -1, -1, -1, -1))
    code = law.sample(GENERATOR) @ torch.tensor([4, 2, 1])
    frequencies = torch.bincount(code, minlength=8).numpy() / 200_000
    expected = by_kronecker(ket, effects)[0]
    assert np.abs(frequencies - expected).max() < 4 * np.sqrt(0.25 / 200_000)


def test_entropy_and_total_correlation_of_perfectly_correlated_bits():
    """A Bell pair read out by both in one basis: one shared bit, ln 2 of entropy and ln 2 of correlation."""
    ket = torch.tensor([[1, 0], [0, 1]], dtype=torch.complex64) / 2**0.5
    read = torch.diag_embed(torch.eye(2)).to(torch.complex64).expand(5, 2, -1, -1, -1)
    law = law_of(ket, read)
    assert float(law.entropy_sum()) == pytest.approx(5 * np.log(2), rel=1e-5)
    assert law.correlation(GENERATOR, 1).mean == pytest.approx(np.log(2), rel=1e-5)


def test_a_large_team_is_estimated_and_agrees_with_the_exact_correlation(monkeypatch):
    law = law_of(random_ket(3, 2), random_effects(4, 3, 3, 2).repeat(500, 1, 1, 1, 1))
    exact = law.correlation(GENERATOR, 1).mean
    monkeypatch.setattr("qcmarl.laws.born.LARGEST_TABLE", 8)
    estimate = law.correlation(GENERATOR, 20)
    assert abs(estimate.mean - exact) < 4 * estimate.error + 1e-4
    marginals = law.marginals()
    assert float(law.entropy_sum()) == pytest.approx(-float((marginals * marginals.log()).sum()), rel=1e-5)


def test_no_agent_moves_the_law_of_another():
    """The others' marginals from the full table, before and after one agent measures differently."""
    ket, effects = random_ket(3, 2), random_effects(20, 3, 2, 2)
    changed = effects.clone()
    changed[:, 1] = random_effects(20, 1, 2, 2)[:, 0]
    before, after = (law_of(ket, e).table().marginals() for e in (effects, changed))
    assert (before - after).abs()[[0, 2]].max() < 1e-6
    assert (before - after).abs()[1].max() > 0.1


def test_the_gradient_of_a_marginal_by_anothers_effects_is_exactly_zero():
    ket, effects = random_ket(2, 2), random_effects(4, 2, 2, 2)
    law = law_of(ket, effects)
    law.effects.requires_grad_()
    for agent in (0, 1):
        (slope,) = torch.autograd.grad(law.marginals()[agent, :, 0].sum(), law.effects)
        assert (slope[:, 1 - agent] == 0).all()
        assert (slope[:, agent] != 0).any()


def test_greedy_agents_still_leave_their_outcomes_to_nature():
    ket = torch.tensor([[1, 0], [0, 1]], dtype=torch.complex64) / 2**0.5
    read = torch.diag_embed(torch.eye(2)).to(torch.complex64).expand(4000, 2, -1, -1, -1)
    law = law_of(ket, read)
    actions = law.mode(GENERATOR)
    assert (actions[:, 0] == actions[:, 1]).all()
    assert abs(float(actions[:, 0].float().mean()) - 0.5) < 4 * 0.5 / 4000**0.5
