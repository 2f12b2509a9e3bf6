"""Sums of Pauli words: what is measured. A word such as ``"Z0 X2"`` is kept as ``((0, "Z"), (2, "X"))``, in the order
of its qubits and without I; the identity is ``()``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, TypeAlias

from qcsim.reals import real

Word: TypeAlias = tuple[tuple[int, str], ...]
Term: TypeAlias = tuple[float, Word]

_FACTOR = re.compile(r"([IXYZ])([0-9]{1,20})")
_ROUNDING = 1e-12  # of the sum of sizes of what cancels in the imaginary part of a product
# The product of two different Paulis: the third, times i if they stand in the order of the circle X, Y, Z.
_CIRCLE = {"XY": ("Z", 1j), "YZ": ("X", 1j), "ZX": ("Y", 1j), "YX": ("Z", -1j), "ZY": ("X", -1j), "XZ": ("Y", -1j)}


class PauliSum(Mapping[str, float]):
    """A weighted sum of Pauli words, ``sum_k c_k P_k``: a value, and a mapping from words to real coefficients.

    Sums add, subtract and multiply with each other, with numbers (multiples of the identity), and with what makes a
    sum: text such as ``"X0 Y1"``, or a mapping. Words are products of X, Y, Z and I on different qubits, separated by
    spaces; ``"I"`` is the identity.

    Args:
        terms: a word, a mapping from words to coefficients, or a sum.

    Raises:
        ValueError: for a word that cannot be read, a coefficient that is not finite, or a product that is not
            Hermitian.
        TypeError: for anything else, and for complex coefficients.

    Example:
        >>> import qcsim
        >>> energy = qcsim.PauliSum({"Z0 Z1": 0.5, "X0": -1.0})
        >>> 2 * energy + "X1"
        PauliSum({'X0': -2.0, 'X1': 1.0, 'Z0 Z1': 1.0})
        >>> energy * energy
        PauliSum({'I': 1.25})
    """

    __slots__ = ("_terms",)
    # NumPy scalars on the left of an operator leave the work to this class.
    __array_ufunc__ = None

    def __init__(self, terms: PauliSum | Mapping[str, float] | str) -> None:
        if isinstance(terms, PauliSum):
            self._terms: dict[Word, float] = terms._terms
        elif isinstance(terms, str):
            self._terms = {word_of(terms): 1.0}
        elif isinstance(terms, Mapping):
            collected: dict[Word, float] = {}
            for text, coefficient in terms.items():
                word = word_of(text)
                collected[word] = collected.get(word, 0.0) + real(f"the coefficient of {text!r}", coefficient)
            self._terms = _tidy(collected)
        else:
            raise TypeError(f"an observable is {terms!r} of type {type(terms).__name__}; it must be text such as "
                            "'Z0 Z1', a mapping such as {'Z0 Z1': 0.5, 'X0': -1.0} or a PauliSum")  # fmt: skip

    @property
    def terms(self) -> tuple[Term, ...]:
        """``(coefficient, word)`` of each term, a word being ``((qubit, letter), ...)`` in the order of its qubits."""
        return tuple((coefficient, word) for word, coefficient in self._terms.items())

    def __getitem__(self, text: str) -> float:
        try:
            return self._terms[word_of(text)]
        except (KeyError, ValueError, TypeError):
            raise KeyError(text) from None

    def __iter__(self) -> Iterator[str]:
        return map(text_of, self._terms)

    def __len__(self) -> int:
        return len(self._terms)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mapping):
            return NotImplemented
        try:
            return self._terms == PauliSum(other)._terms
        except (TypeError, ValueError):
            return False

    def __hash__(self) -> int:
        return hash(frozenset(self._terms.items()))

    def __repr__(self) -> str:
        return f"PauliSum({dict(self.items())})"

    def __reduce__(self) -> tuple[Any, ...]:
        return PauliSum, (dict(self.items()),)

    def __add__(self, other: Any) -> PauliSum:
        collected = dict(self._terms)
        for word, coefficient in _as_sum(other)._terms.items():
            collected[word] = real(f"the coefficient of {text_of(word)!r}", collected.get(word, 0.0) + coefficient)
        return _made(collected)

    def __mul__(self, other: Any) -> PauliSum:
        return _product(self, _as_sum(other))

    def __rmul__(self, other: Any) -> PauliSum:
        return _product(_as_sum(other), self)

    def __truediv__(self, divisor: Any) -> PauliSum:
        number = real("a divisor", divisor)
        if number == 0.0:
            raise ValueError("an observable is divided by 0; the divisor must be another number")
        return self * (1.0 / number)

    def __neg__(self) -> PauliSum:
        return _made({word: -coefficient for word, coefficient in self._terms.items()})

    def __pos__(self) -> PauliSum:
        return self

    def __sub__(self, other: Any) -> PauliSum:
        return self + -_as_sum(other)

    def __rsub__(self, other: Any) -> PauliSum:
        return (-self).__add__(other)

    __radd__ = __add__


@lru_cache(maxsize=4096)
def word_of(text: str) -> Word:
    """The word of a text.

    Raises:
        ValueError: if it cannot be read, or names a qubit twice.
        TypeError: if it is no text.
    """
    if not isinstance(text, str):
        raise TypeError(f"an observable is {text!r} of type {type(text).__name__}; it must be text such as 'Z0 Z1'")
    parts = text.split()
    if parts == ["I"]:
        return ()
    factors = [found for part in parts if (found := _FACTOR.fullmatch(part))]
    if not parts or len(factors) < len(parts):
        raise ValueError(f"observable {_short(text)} cannot be read; write a product of X, Y, Z and I on numbered "
                         "qubits such as 'Z0 Z1' or 'X0', or 'I'")  # fmt: skip
    qubits = [int(factor[2]) for factor in factors]
    for qubit in qubits:
        if qubits.count(qubit) > 1:
            raise ValueError(f"observable {_short(text)} names qubit {qubit} twice; its qubits must be different")
    return tuple(sorted((int(factor[2]), factor[1]) for factor in factors if factor[1] != "I"))


def text_of(word: Word) -> str:
    """``"Z0 X2"`` of ``((0, "Z"), (2, "X"))``."""
    return " ".join(f"{letter}{qubit}" for qubit, letter in word) or "I"


def _as_sum(other: Any) -> PauliSum:
    if isinstance(other, (PauliSum, Mapping, str)):
        return PauliSum(other)
    return _made({(): real("a term or factor of an observable", other)})


def _made(terms: dict[Word, float]) -> PauliSum:
    made = PauliSum.__new__(PauliSum)
    made._terms = _tidy(terms)
    return made


def _tidy(terms: dict[Word, float]) -> dict[Word, float]:
    """Without zeros, short words first."""
    return {word: terms[word] for word in sorted(terms, key=lambda word: (len(word), word)) if terms[word] != 0.0}


def _product(left: PauliSum, right: PauliSum) -> PauliSum:
    collected: dict[Word, complex] = {}
    sizes: dict[Word, float] = {}
    for word, coefficient in left._terms.items():
        for other, factor in right._terms.items():
            joined, phase = _joined(word, other)
            collected[joined] = collected.get(joined, 0.0) + phase * coefficient * factor
            sizes[joined] = sizes.get(joined, 0.0) + abs(coefficient * factor)
    for word, total in collected.items():
        if abs(total.imag) > _ROUNDING * sizes[word]:
            raise ValueError(f"the product is not Hermitian: {text_of(word)!r} has the coefficient {total:.6g}; "
                             "only sums that commute have a product that can be measured")  # fmt: skip
    return _made({word: real("a coefficient of the product", total.real) for word, total in collected.items()})


def _joined(left: Word, right: Word) -> tuple[Word, complex]:
    """The product of two words: a word and a phase 1, i, -1 or -i."""
    letters, phase = dict(left), 1 + 0j
    for qubit, letter in right:
        held = letters.pop(qubit, None)
        if held is None:
            letters[qubit] = letter
        elif held != letter:
            letters[qubit], turn = _CIRCLE[held + letter]
            phase *= turn
    return tuple(sorted(letters.items())), phase


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")
