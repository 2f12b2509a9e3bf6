"""Where curves cross the classical value, by arithmetic."""

import math

import numpy as np
import pytest

from qcmarl.studies.entanglement import theory
from qcmarl.studies.entanglement.crossing import crossing, departure, over_seeds
from qcmarl.studies.entanglement.noise import KINDS
from qcmarl.studies.entanglement.parts import PLAYED

VISIBILITIES = np.array([1.0, 0.9, 0.8, 0.7, 0.6])


def test_the_crossing_of_the_best_policy_under_werner_noise_is_at_one_over_root_two():
    assert crossing(VISIBILITIES, 1 / 2 + VISIBILITIES * math.sqrt(2) / 4, 3 / 4) == pytest.approx(1 / math.sqrt(2))


def test_a_crossing_is_interpolated_between_its_neighbours():
    # From 0.80 at 0.1 to 0.74 at 0.2: five sixths of the way.
    assert crossing(np.array([0.0, 0.1, 0.2]), np.array([0.85, 0.8, 0.74]), 0.75) == pytest.approx(0.1 + 0.1 * 5 / 6)


def test_what_never_comes_down_or_was_never_above_does_not_cross():
    assert math.isnan(crossing(VISIBILITIES, np.full(5, 0.85), 0.75))
    assert math.isnan(crossing(VISIBILITIES, np.full(5, 0.75), 0.75))
    assert math.isnan(crossing(VISIBILITIES, np.array([0.7501, 0.75, 0.74, 0.73, 0.72]), 0.75))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.channel)
def test_the_best_policy_crosses_and_leaves_the_classical_value_at_the_critical_rate(kind):
    rates = [rate for name in PLAYED if (rate := kind.rate_of(name)) is not None]
    visibility = {rate: rate if kind.channel == "visibility" else (1 - rate) ** 2 for rate in rates}
    played = {rate: 1 / 2 + v * math.sqrt(2) / 4 for rate, v in visibility.items()}
    assert kind.place(played, crossing) == pytest.approx(kind.critical)
    trained = {float(rate): kind.law(float(rate)) for rate in kind.trained}
    assert kind.place(trained, departure) == pytest.approx(kind.critical)


def test_a_policy_that_never_wins_more_than_classical_ones_has_no_place():
    assert all(math.isnan(kind.place({kind.clean: 0.75, 0.5: 0.75}, crossing)) for kind in KINDS)


def test_a_curve_leaves_the_classical_value_where_its_rising_part_points_to():
    values = np.array([theory.under_visibility(v) for v in VISIBILITIES])
    assert departure(VISIBILITIES, values, 3 / 4) == pytest.approx(1 / math.sqrt(2))
    # A seed that stayed classical at 0.8 does not move the line.
    assert departure(VISIBILITIES, np.where(VISIBILITIES == 0.8, 0.75, values), 3 / 4) == pytest.approx(
        1 / math.sqrt(2)
    )
    assert math.isnan(departure(VISIBILITIES, np.array([0.85, 0.75, 0.75, 0.75, 0.75]), 3 / 4))


def test_seeds_that_do_not_cross_are_counted_and_left_out():
    found = over_seeds([0.70, math.nan, 0.72])
    assert (found.seeds, found.of) == (2, 3)
    # Student's interval of two values: 0.01 times t(0.975; 1) = 12.706.
    assert found.found == pytest.approx((0.71, 0.71 - 0.12706, 0.71 + 0.12706), abs=1e-5)
    assert math.isnan(over_seeds([math.nan]).found.estimate)
