"""Total correlation: closed forms, arithmetic written out, and the words of errors."""

from math import log

import numpy as np
import pytest

from qcmarl.studies import correlation
from qcmarl.studies.correlation import (
    exact,
    exact_bits,
    exact_mixture,
    exchangeable_bits,
    from_log_probs,
    miller_madow,
    mixture_joint,
    permutation_null,
    plug_in,
)


def shared_coin(agents):
    law = np.zeros((2,) * agents)
    law[(0,) * agents] = law[(1,) * agents] = 0.5
    return law


def product_of(*marginals):
    law = np.ones(())
    for marginal in marginals:
        law = np.multiply.outer(law, marginal)
    return law


# A law that is known --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("agents", [2, 3, 5, 12])
def test_a_shared_fair_coin_has_n_minus_1_times_ln_2(agents):
    assert exact(shared_coin(agents)) == pytest.approx((agents - 1) * log(2))
    assert exact_bits(shared_coin(agents).ravel()) == pytest.approx((agents - 1) * log(2))


def test_independent_agents_have_none_whatever_their_laws():
    assert exact(product_of([0.1, 0.2, 0.7], [0.5, 0.5], [1.0, 0.0])) == pytest.approx(0, abs=1e-12)


def test_agents_of_unequal_actions_who_share_what_the_smaller_can_say():
    law = np.array([[0.5, 0, 0], [0, 0.25, 0.25]])  # the second knows which half, the first says it
    assert exact(law) == pytest.approx(log(2))


def test_two_agents_have_their_mutual_information():
    law = np.array([[0.3, 0.2], [0.1, 0.4]])
    terms = [law[i, j] * log(law[i, j] / (law[i].sum() * law[:, j].sum())) for i in range(2) for j in range(2)]
    assert exact(law) == pytest.approx(sum(terms))


def test_even_parity_has_ln_2_and_no_pair_of_three_agents_any():
    law = np.array([1, 0, 0, 1, 0, 1, 1, 0]).reshape(2, 2, 2) / 4
    assert exact(law) == pytest.approx(log(2))
    assert exact(law.sum(2)) == pytest.approx(0, abs=1e-12)


def test_a_mixture_is_the_sum_of_its_products():
    generator = np.random.default_rng(0)
    p, given = generator.dirichlet(np.ones(4)), generator.dirichlet(np.ones(3), (2, 4))
    expected = sum(p[z] * product_of(given[0, z], given[1, z]) for z in range(4))
    np.testing.assert_allclose(mixture_joint(p, given), expected)
    assert exact_mixture(p, given) == pytest.approx(exact(expected))


def test_a_mixture_of_one_component_or_of_equal_ones_has_none():
    law = np.random.default_rng(1).dirichlet(np.ones(5), (3, 1))
    assert exact_mixture([1.0], law) == pytest.approx(0, abs=1e-12)
    assert exact_mixture([0.3, 0.7], law.repeat(2, 1)) == pytest.approx(0, abs=1e-12)


def test_a_shared_symbol_that_all_play_reaches_the_most_there_is():
    actions, agents = 5, 4
    given = np.broadcast_to(np.eye(actions), (agents, actions, actions))
    assert exact_mixture(np.full(actions, 1 / actions), given) == pytest.approx((agents - 1) * log(actions))


def test_counting_ones_gives_what_the_whole_table_gives():
    p, one = np.array([0.2, 0.5, 0.3]), np.array([0.0, 0.3, 0.9])
    given = np.broadcast_to(np.stack([1 - one, one], 1), (6, 3, 2))
    assert exchangeable_bits(p, one, 6) == pytest.approx(exact_mixture(p, given))


def test_counting_ones_carries_to_hundreds_of_agents():
    assert exchangeable_bits([0.5, 0.5], [0.0, 1.0], 900) == pytest.approx(899 * log(2))
    assert exchangeable_bits([1.0], [0.3], 900) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("law", [[[0.5, 0.5], [0.5, 0.5]], [[1.5, -0.5]], [[np.nan, 1.0]]])
def test_what_is_no_law_is_refused(law):
    with pytest.raises(ValueError, match="a law sums to 1, entries >= 0"):
        exact(law)


def test_shapes_that_do_not_fit_are_refused_with_the_rule():
    with pytest.raises(
        ValueError, match=r"p has shape \(2,\) and given \(3, 4, 5\); they must be \(Z,\) and \(n, Z, A\)"
    ):
        mixture_joint([0.5, 0.5], np.ones((3, 4, 5)))
    with pytest.raises(ValueError, match=r"15\^8 joint actions are too many to write down"):
        mixture_joint([1.0], np.full((8, 1, 15), 1 / 15))
    with pytest.raises(ValueError, match=r"p has shape \(3,\); it must be \(2\^q,\)"):
        exact_bits([0.2, 0.3, 0.5])


# Log-probabilities ----------------------------------------------------------------------------------------------------


def test_monte_carlo_is_the_mean_of_the_log_ratios_with_its_standard_error():
    found = from_log_probs([-1.0, -2.0, -1.5], [[-1.0, -0.5], [-1.0, -1.5], [-1.0, -1.0]])
    assert found.mean == pytest.approx((0.5 + 0.5 + 0.5) / 3)
    assert found.standard_error == pytest.approx(0)
    found = from_log_probs([-1.0, -2.0], [[-3.0], [-3.0]])  # terms 2 and 1: deviation sqrt(1/2), error 1/2
    assert (found.mean, found.standard_error) == (pytest.approx(1.5), pytest.approx(0.5))


def test_monte_carlo_of_a_mixture_lands_on_the_exact_value():
    generator = np.random.default_rng(2)
    law = mixture_joint(generator.dirichlet(np.ones(3)), generator.dirichlet(np.ones(4), (3, 3)))
    drawn = np.stack(np.unravel_index(generator.choice(64, 20_000, p=law.ravel()), law.shape), 1)
    marginals = [law.sum(tuple({0, 1, 2} - {axis})) for axis in range(3)]
    parts = np.log([marginals[axis][drawn[:, axis]] for axis in range(3)]).T
    found = from_log_probs(np.log(law[tuple(drawn.T)]), parts)
    assert abs(found.mean - exact(law)) < 4 * found.standard_error
    assert found.standard_error < 0.01


def test_one_draw_has_no_standard_error():
    with pytest.raises(ValueError, match=r"joint has shape \(1,\) and marginals \(1, 2\); \(K,\) and \(K, n\), K >= 2"):
        from_log_probs([-1.0], [[-1.0, -1.0]])


# Counts ---------------------------------------------------------------------------------------------------------------

SIX = np.array([[0, 0], [0, 0], [0, 1], [1, 1], [1, 1], [2, 1]])
H_FIRST = -(3 * (1 / 2) * log(1 / 2) / 3 + (1 / 3) * log(1 / 3) + (1 / 6) * log(1 / 6))
H_SECOND = -((1 / 3) * log(1 / 3) + (2 / 3) * log(2 / 3))
H_JOINT = -(2 * (1 / 3) * log(1 / 3) + 2 * (1 / 6) * log(1 / 6))


def test_the_papers_estimator_is_arithmetic_on_frequencies():
    assert plug_in(SIX) == pytest.approx(H_FIRST + H_SECOND - H_JOINT)


def test_miller_and_madow_add_seen_less_one_over_2n_to_each_entropy():
    added = ((3 - 1) + (2 - 1) - (4 - 1)) / (2 * 6)  # 3 and 2 actions, 4 joint actions seen
    assert miller_madow(SIX) == pytest.approx(H_FIRST + H_SECOND - H_JOINT + added)


def test_the_papers_estimator_gives_ln_n_where_n_agents_pairs_are_all_different():
    rows = np.stack([np.arange(7), np.arange(7)[::-1]], 1)
    assert plug_in(rows) == pytest.approx(log(7))


def test_rows_too_wide_for_one_integer_are_counted_all_the_same():
    wide = np.random.default_rng(3).integers(36, size=(50, 27))
    wide = wide.repeat(2, 0)
    assert correlation.count(wide).joint_seen == 50
    assert correlation.count(wide).joint_entropy == pytest.approx(log(50))


@pytest.mark.parametrize(
    ("agents", "actions", "samples", "reported"),
    [(3, 9, 1000, 0.41), (8, 15, 1000, 14.7), (6, 30, 1000, 13.4), (8, 15, 100_000, 10.2)],
    ids=["3m", "8m_vs_9m", "corridor", "8m_vs_9m, 100 000 samples"],
)
def test_the_papers_estimator_reports_nats_of_correlation_for_agents_that_draw_alone(
    agents, actions, samples, reported
):
    rows = np.random.default_rng(4).integers(actions, size=(samples, agents))
    assert plug_in(rows) == pytest.approx(reported, abs=0.06)
    null = permutation_null(rows, 5, np.random.default_rng(5))
    assert null.mean == pytest.approx(plug_in(rows), abs=0.05)
    assert null.p_value > 0.05


def test_a_permutation_keeps_what_each_agent_did():
    generator = np.random.default_rng(6)
    rows = np.repeat(generator.integers(4, size=(200, 1)), 3, 1)
    null = permutation_null(rows, 50, generator)
    assert null.p_value == pytest.approx(1 / 51)  # none of 50 reaches it, the observed one counts
    assert null.mean < 0.2 < plug_in(rows)


def test_constant_agents_reach_their_null_at_every_permutation():
    null = permutation_null(np.ones((10, 3), int), 9, np.random.default_rng(7))
    assert (null.mean, null.standard_deviation, null.p_value) == (0, 0, 1)


def test_the_null_is_the_same_for_the_same_seed():
    rows = np.random.default_rng(8).integers(3, size=(100, 2))
    assert permutation_null(rows, 5, np.random.default_rng(9)) == permutation_null(rows, 5, np.random.default_rng(9))


@pytest.mark.parametrize("rows", [np.zeros((0, 3), int), np.zeros(4, int), np.zeros((2, 2)), -np.ones((2, 2), int)])
def test_what_are_no_actions_is_refused(rows):
    with pytest.raises(ValueError, match=r"\(N, n\) integers >= 0 are needed"):
        plug_in(rows)
