"""Angle expressions: affine in one weight or feature, and nothing else."""

from __future__ import annotations

import math
import pickle
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import qcsim
from qcsim import feature, weight
from qcsim._core import Source

NUMBERS = st.floats(-100, 100)


def value(angle: qcsim.Angle, x: float) -> float:
    """What an angle is where its weight or feature is ``x``."""
    return angle.scale * x + angle.shift


@given(NUMBERS, NUMBERS, NUMBERS.filter(lambda d: abs(d) > 1e-3), NUMBERS)
def test_an_expression_is_the_number_that_its_arithmetic_says(a: float, b: float, d: float, x: float) -> None:
    w = weight(3)
    for angle, number in [
        (a * w + b, a * x + b), (b - w * a, b - x * a), (w / d - b, x / d - b), (-(w + a) * b, -(x + a) * b),
        (+w + w, x + x), (a * w - b * w, a * x - b * x), (b + w, b + x),
    ]:  # fmt: skip
        assert (angle.source.name, angle.index) == ("WEIGHT", 3)
        assert value(angle, x) == pytest.approx(number, rel=1e-12, abs=1e-9)


@pytest.mark.parametrize("number", [2, 2.0, np.float64(2), np.float32(2), np.int64(2), np.array(2.0), Fraction(2)])
def test_numbers_of_every_kind_multiply_and_add_from_both_sides(number) -> None:
    assert number * weight(0) == weight(0) * number == 2.0 * weight(0)
    assert number + feature(0) == feature(0) + number
    assert number - feature(0) == -(feature(0) - number)
    assert qcsim.Circuit(1).rx(0, angle=number) == qcsim.Circuit(1).rx(0, angle=2.0)
    assert isinstance((number * weight(0)).scale, float)


def test_angles_are_values() -> None:
    assert len({weight(0), weight(0) * 1, weight(1), feature(0), weight(0) + 1}) == 4
    assert pickle.loads(pickle.dumps(2 * weight(0) + 0.3)) == 2 * weight(0) + 0.3
    with pytest.raises(AttributeError):
        weight(0).scale = 2.0  # type: ignore[misc]


@pytest.mark.parametrize(
    ("angle", "words"),
    [
        (weight(0), "weight(0)"),
        (-feature(12), "-feature(12)"),
        (2 * weight(1) - 0.5, "2 * weight(1) - 0.5"),
        (weight(1) / 4 + 1, "0.25 * weight(1) + 1"),
    ],
)
def test_an_angle_reads_as_it_is_written(angle: qcsim.Angle, words: str) -> None:
    assert repr(angle) == words
    assert eval(words, {"weight": weight, "feature": feature}) == angle


def test_a_scale_of_zero_keeps_the_weight() -> None:
    assert qcsim.Circuit(1).rx(0, angle=0 * weight(2)).n_weights == 3


def test_the_next_weight_takes_scale_and_shift_too() -> None:
    assert qcsim.Circuit(1).rx(0, scale=2, shift=0.5) == qcsim.Circuit(1).rx(0, angle=2 * weight(0) + 0.5)


def test_a_tensor_that_wants_a_gradient_is_no_constant() -> None:
    torch = pytest.importorskip("torch")
    assert qcsim.Circuit(1).rx(0, angle=torch.tensor(0.5)) == qcsim.Circuit(1).rx(0, angle=0.5)
    assert torch.tensor(2.0) * weight(0) == 2 * weight(0)
    wanting = torch.tensor(0.5, requires_grad=True)
    for action in (lambda: qcsim.Circuit(1).rx(0, angle=wanting), lambda: weight(0) * wanting):
        with pytest.raises(ValueError, match=r"gradient.*weight"):
            action()
    with pytest.raises(ValueError, match="gradient"):
        qcsim.Circuit(1).unitary(torch.eye(2, requires_grad=True), 0)


@pytest.mark.parametrize("power", [200, 400])
def test_an_overflow_is_refused_and_not_carried_on(power: int) -> None:
    with pytest.raises(ValueError, match="finite"):
        _ = (weight(0) * 10.0**200) * 10**power
    assert math.isfinite((weight(0) * 1e200).scale)


WRONG = [
    (TypeError, "source is 1 of type int; angles are made by qcsim.weight", (1, 2, 3, 4)),
    (TypeError, "source is 'weight' of type str", ("weight", 0, 1.0, 0.0)),
    (ValueError, "weight -1 is outside 0..", (Source.WEIGHT, -1, 1.0, 0.0)),
    (TypeError, "feature is 0.5 of type float", (Source.FEATURE, 0.5, 1.0, 0.0)),
    (TypeError, "the scale of an angle is 'a'", (Source.WEIGHT, 0, "a", 0.0)),
    (ValueError, "the shift of an angle is nan", (Source.WEIGHT, 0, 1.0, math.nan)),
]


@pytest.mark.parametrize(("error", "words", "parts"), WRONG, ids=[words[:20] for _, words, _ in WRONG])
def test_an_angle_made_by_hand_is_checked(error: type[Exception], words: str, parts: tuple[object, ...]) -> None:
    with pytest.raises(error, match=words):
        qcsim.Angle(*parts)  # type: ignore[arg-type]


def test_an_angle_made_by_hand_is_the_one_that_the_functions_make() -> None:
    assert qcsim.Angle(Source.WEIGHT, 3, 1, 0) == qcsim.weight(3)
    made = qcsim.Angle(Source.CONSTANT, 7, 2.0, 0.5)  # a constant is its shift
    assert made == qcsim.Angle(Source.CONSTANT, 0, 1.0, 0.5)
    assert repr(made) == "0.5"
