"""The observables of a call, checked and in the form of the engine. Called by simulate and nn before anything runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TypeAlias

from qcsim.pauli import PauliSum, Term, text_of

Observable: TypeAlias = str | Mapping[str, float]


def parse_observables(observables: Sequence[Observable], n_qubits: int) -> tuple[tuple[Term, ...], ...]:
    """The terms of each observable.

    Args:
        observables: words such as ``"X0 Z2"``, or weighted sums of them (mappings, :class:`qcsim.PauliSum`).
        n_qubits: of the circuit.

    Returns:
        For each observable its ``(coefficient, word)``; a word is ``((qubit, letter), ...)`` in the order of its qubits
        without I, the identity ``()``. A sum that is zero is zero times the identity.

    Raises:
        TypeError: if ``observables`` is not a list of text and sums.
        ValueError: if there is none, one cannot be read, or names a qubit that the circuit does not have.
    """
    if not isinstance(observables, Sequence) or isinstance(observables, str):
        raise TypeError(f"observables is {observables!r}; it must be a list of text and sums such as "
                        "['Z0', 'X0 Z1', {'Z0': 0.5, 'X1': -1.0}]")  # fmt: skip
    if not observables:
        raise ValueError("no observable was given; the list must name one or more, such as ['Z0']")
    return _parsed(as_key(observables), n_qubits)


def as_key(observables: Sequence[Observable]) -> tuple[str | PauliSum, ...]:
    """What repeated calls are looked up by: text and sums. A mapping can change, and cannot be a key."""
    return tuple(each if isinstance(each, (str, PauliSum)) else PauliSum(each) for each in observables)


@lru_cache(maxsize=256)
def _parsed(observables: tuple[str | PauliSum, ...], n_qubits: int) -> tuple[tuple[Term, ...], ...]:
    return tuple(_terms(PauliSum(each), n_qubits) for each in observables)


def _terms(observable: PauliSum, n_qubits: int) -> tuple[Term, ...]:
    for _, word in observable.terms:
        for qubit, _ in word:
            if qubit >= n_qubits:
                raise ValueError(f"observable {text_of(word)!r}: qubit {qubit} is outside 0..{n_qubits - 1} "
                                 f"for a {n_qubits}-qubit circuit")  # fmt: skip
    return observable.terms or ((0.0, ()),)
