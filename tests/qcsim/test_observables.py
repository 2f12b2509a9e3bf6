"""Observables as they reach the engine: canonical words with coefficients, checked against the circuit."""

from __future__ import annotations

import pytest

import qcsim
from qcsim.observables import parse_observables


def test_text_and_sums_become_terms() -> None:
    total = qcsim.PauliSum("X1") / 4 - 2
    found = parse_observables(["Z0", "Y2 X0", "I", "I1 Z2", {"Z0 Z1": 0.5, "X0": -1}, total], 3)
    assert found == (
        ((1.0, ((0, "Z"),)),),
        ((1.0, ((0, "X"), (2, "Y"))),),
        ((1.0, ()),),
        ((1.0, ((2, "Z"),)),),
        ((-1.0, ((0, "X"),)), (0.5, ((0, "Z"), (1, "Z")))),
        ((-2.0, ()), (0.25, ((1, "X"),))),
    )


def test_a_sum_that_is_zero_is_zero_times_the_identity() -> None:
    assert parse_observables([{}, {"Z0": 0.0}, qcsim.PauliSum("X0") - "X0"], 1) == (((0.0, ()),),) * 3


def test_a_mapping_may_change_between_calls() -> None:
    weights = {"Z0": 1.0}
    first = parse_observables([weights], 1)
    weights["Z0"] = 2.0
    assert (first, parse_observables([weights], 1)) == ((((1.0, ((0, "Z"),)),),), (((2.0, ((0, "Z"),)),),))


def test_what_was_read_for_a_large_circuit_is_refused_for_a_small_one() -> None:
    assert len(parse_observables(["Z4"], 5)) == 1
    with pytest.raises(ValueError, match=r"qubit 4 is outside 0\.\.3 for a 4-qubit circuit"):
        parse_observables(["Z4"], 4)


@pytest.mark.parametrize(
    ("error", "words", "observables"),
    [
        (ValueError, ["'X3'", "0..2"], ["Z0", "X3"]),
        (ValueError, ["0..2"], [{"Z0": 1.0, "Z0 Y7": 2.0}]),
        (ValueError, ["no observable"], []),
        (ValueError, ["no observable"], ()),
        (TypeError, ["'Z0'", "list"], "Z0"),
        (TypeError, ["list"], {"Z0": 1.0}),
        (TypeError, ["list"], qcsim.PauliSum("Z0")),
        (TypeError, ["list"], {"Z0"}),
        (TypeError, ["None", "list"], None),
        (TypeError, ["3", "text"], [3]),
        (TypeError, ["None", "text"], [None]),
        (TypeError, ["1j"], [{"Z0": 1j}]),
    ],
)
def test_what_is_no_list_of_observables_is_refused_in_words(error, words, observables) -> None:
    with pytest.raises(error) as caught:
        parse_observables(observables, 3)
    for word in words:
        assert word in str(caught.value), f"{word!r} is missing in: {caught.value}"
