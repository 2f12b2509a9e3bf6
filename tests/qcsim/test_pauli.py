"""Sums of Pauli words: their algebra, checked against matrices, and their words."""

from __future__ import annotations

import copy
import pickle
from functools import reduce

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qcsim import PauliSum

MATRICES = {"I": np.eye(2), "X": np.array([[0, 1], [1, 0]]), "Y": np.array([[0, -1j], [1j, 0]]), "Z": np.diag([1, -1])}
N = 3


def dense(observable: PauliSum) -> np.ndarray:
    """The matrix on three qubits, qubit 0 the most significant bit."""
    total = np.zeros((2**N, 2**N), complex)
    for coefficient, word in observable.terms:
        letters = dict(word)
        total += coefficient * reduce(np.kron, [MATRICES[letters.get(qubit, "I")] for qubit in range(N)])
    return total


def text(letters: tuple[str, ...]) -> str:
    return " ".join(f"{letter}{qubit}" for qubit, letter in enumerate(letters))


WORDS = st.tuples(*[st.sampled_from("IXYZ")] * N).map(text)
SUMS = st.dictionaries(WORDS, st.floats(-4, 4).filter(lambda c: c == 0 or abs(c) > 1e-3), max_size=5).map(PauliSum)


@given(SUMS, SUMS, st.floats(-3, 3))
def test_sums_add_and_scale_like_their_matrices(a: PauliSum, b: PauliSum, c: float) -> None:
    for found, expected in [
        (a + b, dense(a) + dense(b)), (a - b, dense(a) - dense(b)), (c * a, c * dense(a)), (-a, -dense(a)),
        (a + c, dense(a) + c * np.eye(8)), (c - a, c * np.eye(8) - dense(a)), (a / 4, dense(a) / 4), (+a, dense(a)),
    ]:  # fmt: skip
        np.testing.assert_allclose(dense(found), expected, atol=1e-12)


@given(SUMS)
def test_a_square_is_the_square_of_the_matrix(a: PauliSum) -> None:
    np.testing.assert_allclose(dense(a * a), dense(a) @ dense(a), atol=1e-11)


@given(WORDS, WORDS)
def test_a_product_of_words_is_theirs_if_they_commute_and_refused_if_not(left: str, right: str) -> None:
    a, b = dense(PauliSum(left)), dense(PauliSum(right))
    if np.allclose(a @ b, b @ a):
        np.testing.assert_allclose(dense(PauliSum(left) * right), a @ b, atol=1e-15)
    else:
        with pytest.raises(ValueError, match="Hermitian"):
            _ = PauliSum(left) * right


def test_products_that_are_written_out() -> None:
    assert PauliSum("X0 X1") * "Y0 Y1" == {"Z0 Z1": -1.0}
    assert PauliSum("X0") * "Z1" == PauliSum("X0 Z1")
    assert PauliSum({"X0": 3, "Z0": 4}) * {"X0": 3, "Z0": 4} == {"I": 25.0}
    assert PauliSum("Y2") * PauliSum("Y2") == PauliSum("I")


def test_rounding_does_not_make_a_square_unmeasurable() -> None:
    rng = np.random.default_rng(0)
    words = {text(tuple(rng.choice(list("IXYZ"), N))): c for c in rng.normal(size=40) * 10.0 ** rng.integers(-6, 6, 40)}
    a = PauliSum(words)
    np.testing.assert_allclose(dense(a * a), dense(a) @ dense(a), rtol=1e-11, atol=1e-3)


def test_words_are_canonical_whatever_their_order() -> None:
    a = PauliSum({"Z1 X0": 1.0, "X0 I2 Z1": 0.5, "I": 2.0, "Y3": 0.0})
    assert a.terms == ((2.0, ()), (1.5, ((0, "X"), (1, "Z"))))
    assert dict(a) == {"I": 2.0, "X0 Z1": 1.5}
    assert a["Z1 X0"] == a["X0 Z1"] == 1.5
    assert ("Y3" in a, "nonsense" in a, 3 in a, len(a)) == (False, False, False, 2)


def test_a_sum_is_a_value() -> None:
    a = PauliSum({"Z0": 0.5, "X1": -1})
    assert a == PauliSum(a) == PauliSum({"X1": -1, "Z0": 0.5}) == {"X1": -1.0, "Z0": 0.5}
    assert hash(a) == hash(PauliSum({"X1": -1, "Z0": 0.5}))
    assert a != PauliSum("Z0")
    assert a != {"Q": 1}
    assert a != "Z0"
    assert copy.deepcopy(a) == pickle.loads(pickle.dumps(a)) == a
    assert eval(repr(a), {"PauliSum": PauliSum}) == a
    assert a - a == PauliSum({}) == {}


def test_operators_leave_their_operands_alone() -> None:
    a, b = PauliSum("Z0"), PauliSum("X0")
    _ = (a + b, a * a, -a, 2 * a, a - b)
    assert (a, b) == (PauliSum("Z0"), PauliSum("X0"))


@pytest.mark.parametrize("number", [2, np.float32(2), np.float64(2), np.array(2.0)])
def test_numbers_of_every_kind_multiply_from_both_sides(number) -> None:
    assert number * PauliSum("Z0") == PauliSum("Z0") * number == {"Z0": 2.0}
    assert number + PauliSum("Z0") == {"Z0": 1.0, "I": 2.0}


@pytest.mark.parametrize(
    ("error", "words", "action"),
    [
        (TypeError, ["1j", "number"], lambda: PauliSum({"Z0": 1j})),
        (TypeError, ["number"], lambda: PauliSum({"Z0": np.complex128(1)})),
        (TypeError, ["complex", "number"], lambda: 1j * PauliSum("Z0")),
        (TypeError, ["True"], lambda: PauliSum({"Z0": True})),
        (ValueError, ["'Z0'", "nan", "finite"], lambda: PauliSum({"Z0": float("nan")})),
        (ValueError, ["inf", "finite"], lambda: PauliSum({"Z0": float("inf")})),
        (ValueError, ["inf", "finite"], lambda: PauliSum({"Z0": 1e308}) + {"Z0": 1e308}),
        (ValueError, ["'Q0'", "X, Y, Z"], lambda: PauliSum("Q0")),
        (ValueError, ["'Z'", "numbered"], lambda: PauliSum("Z")),
        (ValueError, ["'Z-1'"], lambda: PauliSum("Z-1")),
        (ValueError, ["'Z0*Z1'", "'Z0 Z1'"], lambda: PauliSum("Z0*Z1")),
        (ValueError, ["cannot be read"], lambda: PauliSum("Z" + "9" * 5000)),
        (ValueError, ["0", "twice"], lambda: PauliSum("X0 Y0")),
        (TypeError, ["3", "text"], lambda: PauliSum(3)),
        (TypeError, ["3", "text"], lambda: PauliSum({3: 1.0})),
        (TypeError, ["None"], lambda: PauliSum("Z0") + None),
        (ValueError, ["Hermitian", "'Z0'", "1j"], lambda: PauliSum("X0") * PauliSum("Y0")),
        (ValueError, ["divided by 0"], lambda: PauliSum("X0") / 0),
    ],
)
def test_what_is_no_observable_is_refused_in_words(error, words, action) -> None:
    with pytest.raises(error) as caught:
        action()
    message = str(caught.value)
    assert len(message) < 250
    for word in words:
        assert word in message, f"{word!r} is missing in: {message}"
