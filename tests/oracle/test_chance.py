"""The judges of chance tell good estimates from bad ones."""

from __future__ import annotations

import numpy as np
import pytest

from oracle.chance import allowed, assert_law_of_errors, assert_spread, surprise, z_scores


def test_fair_samples_do_not_surprise_and_loaded_ones_do() -> None:
    rng, law = np.random.default_rng(0), np.array([0.1, 0.2, 0.3, 0.4])
    samples = rng.choice(4, 4000, p=law)
    assert surprise(samples, law) < 4
    assert surprise(samples, np.roll(law, 1)) > 10


def test_the_largest_allowed_deviation_grows_slowly_with_their_number() -> None:
    assert allowed(1, 0.05) == pytest.approx(1.96, abs=1e-3)
    assert allowed(1000, 1e-3) == pytest.approx(5.03, abs=0.3)


def test_normal_errors_pass_and_errors_of_the_wrong_size_do_not() -> None:
    errors = np.random.default_rng(1).normal(size=200)
    assert_law_of_errors(z_scores(errors, 0, 1))
    for wrong in (1.6, 0.5):
        with pytest.raises(AssertionError, match="deviations"):
            assert_law_of_errors(z_scores(wrong * errors, 0, 1))
    with pytest.raises(AssertionError, match="largest"):
        assert_law_of_errors(z_scores(np.append(errors, 8.0), 0, 1))


def test_a_spread_that_the_standard_error_hides_is_found() -> None:
    values = np.random.default_rng(2).normal(size=(400, 3))
    assert_spread(values, np.ones((400, 3)))
    with pytest.raises(AssertionError, match="spread"):
        assert_spread(1.3 * values, np.ones((400, 3)))
