"""Families of laws, trainable models of them, and how many parameters these take."""

from itertools import pairwise
from math import log

import numpy as np
import pytest
import torch

from qcmarl.studies.correlation import exact_bits, mixture_joint
from qcmarl.studies.theory.counterexamples import bit_strings
from qcmarl.studies.theory.families import FAMILIES, RANDOM
from qcmarl.studies.theory.models import MODELS
from qcmarl.studies.theory.parameters import SMOKE, Effort, Fit, Target, divergences, fits, needed, targets

QUICK = Effort(steps=150, restarts=4, draws=2, agents=(3,))


def law_of(family, agents, seed=0):
    return FAMILIES[family](agents, np.random.default_rng(seed))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("agents", [3, 6])
def test_a_family_gives_laws_and_only_the_random_ones_differ_by_draw(family, agents):
    law = law_of(family, agents)
    assert law.shape == (2**agents,)
    assert law.min() >= 0
    assert law.sum() == pytest.approx(1)
    assert np.allclose(law, law_of(family, agents, seed=1)) == (family not in RANDOM)


def test_the_fixed_families_have_their_closed_forms():
    n = 6
    assert exact_bits(law_of("copied coin", n)) == pytest.approx((n - 1) * log(2))
    assert exact_bits(law_of("even parity", n)) == pytest.approx(log(2))
    h = -(1 / n) * log(1 / n) - (1 - 1 / n) * log(1 - 1 / n)
    assert exact_bits(law_of("one of them", n)) == pytest.approx(n * h - log(n))


def test_an_iqp_law_is_two_hadamard_transforms_around_phases():
    agents, generator = 3, np.random.default_rng(0)
    angles = generator.uniform(-np.pi, np.pi, 6)  # z0 z0z1 z0z2 z1 z1z2 z2
    spin = 1 - 2 * bit_strings(agents).numpy()
    words = [spin[:, 0], spin[:, 0] * spin[:, 1], spin[:, 0] * spin[:, 2], spin[:, 1], spin[:, 1] * spin[:, 2]]
    phase = np.exp(-0.5j * sum(a * w for a, w in zip(angles, [*words, spin[:, 2]], strict=True)))
    hadamard = np.array([[1, 1], [1, -1]]) / np.sqrt(2)
    all_of_them = np.kron(np.kron(hadamard, hadamard), hadamard)
    expected = np.abs(all_of_them @ (phase / np.sqrt(8))) ** 2
    np.testing.assert_allclose(law_of("random IQP", agents), expected, atol=1e-12)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("size", [1, 3])
def test_a_model_gives_laws_for_every_restart(name, size):
    model, generator = MODELS[name], torch.Generator().manual_seed(0)
    log_law = model.log_law(model.weights(4, size, 5, generator), 4)
    assert log_law.shape == (5, 16)
    assert torch.allclose(log_law.exp().sum(1), torch.ones(5), atol=1e-5)


@pytest.mark.parametrize(("name", "redundant"), [("circuit", 0), ("MLP", 0), ("mixture", 1), ("autoregressive", 0)])
def test_parameters_are_the_numbers_that_are_trained_less_those_that_cancel(name, redundant):
    model = MODELS[name]
    for agents, size in ((4, 1), (6, 3)):
        weights = model.weights(agents, size, 2, torch.Generator())
        assert model.parameters(agents, size) == sum(w[0].numel() for w in weights) - redundant


def test_the_mixture_model_is_a_mixture():
    model = MODELS["mixture"]
    weights = model.weights(3, 2, 1, torch.Generator().manual_seed(0))
    one = torch.sigmoid(weights[1][0]).numpy()
    expected = mixture_joint([0.5, 0.5], np.stack([1 - one, one], 2).transpose(1, 0, 2))
    np.testing.assert_allclose(model.log_law(weights, 3)[0].exp().numpy(), expected.ravel(), rtol=1e-5)


def test_an_autoregressive_agent_reads_none_that_come_after_it():
    model = MODELS["autoregressive"]
    weights = model.weights(4, 3, 1, torch.Generator().manual_seed(0))
    first_two = [model.log_law(weights, 4)[0].exp().view(4, 4).sum(1)]
    weights[0][:, 2] += 1.0  # what the third agent's action does
    weights[2][:, 2:] += 1.0  # what the third and the fourth do
    first_two.append(model.log_law(weights, 4)[0].exp().view(4, 4).sum(1))
    assert torch.allclose(*first_two)


def test_the_best_independent_agents_are_as_far_away_as_the_total_correlation():
    for family in ("generic", "even parity"):
        law = law_of(family, 4)
        found = divergences(MODELS["mixture"], 1, law, QUICK, torch.Generator().manual_seed(0))
        assert float(found.min()) == pytest.approx(exact_bits(law), abs=2e-3)


@pytest.mark.parametrize(("name", "size"), [("circuit", 1), ("MLP", 3), ("mixture", 2), ("autoregressive", 2)])
def test_every_model_of_few_parameters_learns_to_copy_a_coin(name, size):
    found = divergences(MODELS[name], size, law_of("copied coin", 4), QUICK, torch.Generator().manual_seed(0))
    assert float(found.min()) < 0.03


def test_sizes_grow_until_the_strictest_goal_or_a_table_is_reached():
    target = Target("copied coin", 3, 0, 2 * log(2), 7)
    found = fits(target, law_of("copied coin", 3), QUICK)
    for name in MODELS:
        own = [f for f in found if f.model == name]
        assert all(a.parameters < b.parameters for a, b in pairwise(own))
        assert all(f.best >= 0.01 for f in own[:-1])
        assert all(f.parameters <= 7 + 3 for f in own)


def fit(draw, parameters, best, model="circuit"):
    return Fit("generic", 4, draw, model, 1, parameters, best, best)


def test_what_is_needed_is_the_median_over_the_draws_of_the_least_that_arrives():
    found = [fit(0, 4, 0.2), fit(0, 8, 0.04), fit(0, 12, 0.001), fit(1, 4, 0.03), fit(2, 4, 0.5), fit(2, 8, 0.06)]
    assert [n.parameters for n in needed(found, 0.05)] == [8]  # 8, 4, never
    assert [n.parameters for n in needed(found, 0.01)] == [None]  # 12, never, never


def test_the_smoke_effort_covers_every_family_once():
    assert [t.family for t, _ in targets(SMOKE)] == list(FAMILIES)
    assert len(list(targets(QUICK))) == 3 + 2 * len(RANDOM)
