"""Intervals and tests against closed forms and arithmetic written out."""

import math

import numpy as np
import pytest
import scipy.stats

from qcmarl.studies import statistics as st


def test_the_interval_of_two_values_is_students():
    # mean 0.5, s = sqrt(0.02), s / sqrt(2) = 0.1, t(0.975; 1) = tan(0.475 pi) = 12.706
    mean, low, high = st.mean_interval([0.4, 0.6])
    assert mean == pytest.approx(0.5)
    half = 0.1 * math.tan(0.475 * math.pi)
    assert (low, high) == pytest.approx((0.5 - half, 0.5 + half))


def test_an_interval_ends_where_the_quantity_does() -> None:
    mean, low, high = st.rate_interval([0.6, 1.0])
    assert (mean, low, high) == (0.8, 0.0, 1.0)  # half a width of 12.706 * 0.2
    assert np.isnan(st.rate_interval([0.3])[1])
    assert st.rate_interval([2.0, 2.4]) == st.mean_interval([2.0, 2.4])  # payoffs


def test_one_seed_has_a_mean_and_no_interval():
    mean, low, high = st.mean_interval([0.3])
    assert mean == 0.3
    assert math.isnan(low)
    assert math.isnan(high)
    assert math.isnan(st.iqm_interval([[0.3]]).low)


def test_the_interval_covers_the_mean_95_times_of_100():
    draws = np.random.default_rng(0).normal(1.0, 2.0, (2000, 5))
    covered = [low <= 1.0 <= high for _, low, high in map(st.mean_interval, draws)]
    assert np.mean(covered) == pytest.approx(0.95, abs=3 * math.sqrt(0.95 * 0.05 / 2000))


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1, 2, 3, 100], 2.5),  # one of four is cut at either end
        ([1, 2, 3, 4, 100], 3.0),  # a quarter of five is one
        ([1, 2, 6], 3.0),  # a quarter of three is none
        ([0, 0, 1, 2, 3, 4, 9, 9], 2.5),
    ],
)
def test_the_interquartile_mean_leaves_out_a_quarter_at_either_end(values, expected):
    assert st.interquartile_mean(np.array(values, float)) == pytest.approx(expected)
    assert st.iqm_interval([values]).estimate == pytest.approx(expected)


def test_the_bootstrap_is_stratified():
    # Within each stratum nothing varies, so neither does what is drawn, though the strata are far apart.
    assert st.iqm_interval([[0.0] * 4, [1.0] * 4]) == (0.5, 0.5, 0.5)


def test_the_bootstrap_of_many_values_is_near_the_normal_interval_and_repeats():
    values = np.random.default_rng(1).uniform(size=400)
    iqm, low, high = st.iqm_interval([values])
    # The trimmed mean's standard error: winsorised deviation / ((1 - 2 * 0.25) sqrt(S)).
    winsorised = np.asarray(scipy.stats.mstats.winsorize(values, (0.25, 0.25)))
    half = 1.96 * winsorised.std(ddof=1) / (0.5 * math.sqrt(400))
    assert (high - low) / 2 == pytest.approx(half, rel=0.1)
    assert low < iqm < high
    assert st.iqm_interval([values]) == (iqm, low, high)


def test_welch_is_the_textbooks():
    a, b = np.array([1.0, 2.0, 3.0]), np.array([2.0, 4.0, 6.0, 8.0])
    va, vb = a.var(ddof=1) / 3, b.var(ddof=1) / 4
    t = (a.mean() - b.mean()) / math.sqrt(va + vb)
    freedom = (va + vb) ** 2 / (va**2 / 2 + vb**2 / 3)
    assert st.welch(a, b) == pytest.approx(2 * scipy.stats.t.sf(abs(t), freedom))
    assert st.welch(a, b) == pytest.approx(scipy.stats.ttest_ind(a, b, equal_var=False).pvalue)


def test_welch_against_a_group_that_does_not_vary_is_the_test_of_one_mean():
    p = scipy.stats.ttest_1samp([0.1, 0.4, 0.3], 0.25).pvalue
    assert st.welch([0.1, 0.4, 0.3], [0.25, 0.25]) == pytest.approx(p)


def test_welch_of_groups_that_do_not_vary():
    assert st.welch([1.0, 1.0], [1.0, 1.0]) == 1.0
    assert math.isnan(st.welch([1.0, 1.0], [0.5, 0.5]))
    assert math.isnan(st.welch([1.0], [0.5, 0.4]))


def test_the_interval_of_a_difference_ends_where_welchs_test_has_p_of_one_in_twenty():
    a, b = np.array([0.1, 0.5, 0.3]), np.array([0.9, 0.8, 0.6, 0.7])
    difference, low, high = st.difference_interval(a, b)
    assert difference == pytest.approx(a.mean() - b.mean())
    assert st.welch(a - low, b) == pytest.approx(0.05)
    assert st.welch(a - high, b) == pytest.approx(0.05)
    assert st.difference_interval([1.0, 1.0], [0.5, 0.5]) == (0.5, 0.5, 0.5)
    assert math.isnan(st.difference_interval([1.0], [0.5, 0.4]).low)


def test_holm_steps_down():
    # ascending .01 .02 .04, times 3 2 1: .03 .04 .04; the third may not be smaller than the second
    assert st.holm([0.04, 0.01, 0.02]) == pytest.approx([0.04, 0.03, 0.04])
    assert st.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert st.holm([0.9, 0.8]) == [1.0, 1.0]


def test_holm_does_not_count_what_was_not_tested():
    corrected = st.holm([0.01, math.nan, 0.02])
    assert corrected[0] == pytest.approx(0.02)
    assert math.isnan(corrected[1])
    assert st.holm([]) == []


def test_the_probability_of_improvement_counts_pairs_and_halves_ties():
    assert st.probability_of_improvement([1, 2], [1, 3]) == pytest.approx((0.5 + 0 + 1 + 0) / 4)
    u = scipy.stats.mannwhitneyu([5, 1, 4], [2, 2, 0, 9]).statistic
    assert st.probability_of_improvement([5, 1, 4], [2, 2, 0, 9]) == pytest.approx(u / 12)


def test_all_groups_are_corrected_together():
    groups = [[0.1, 0.2, 0.3], [0.8, 0.9, 0.7]]
    reference = [0.75, 0.85, 0.95]
    found = st.compare([(group, reference) for group in groups])
    raw = [st.welch(g, reference) for g in groups]
    assert [c.p for c in found] == pytest.approx(st.holm(raw))
    assert found[0].improvement == 0.0
