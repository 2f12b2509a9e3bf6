"""What is measured at once where shots are drawn: a basis, and what outcomes are worth. Called by shots and tally."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from operator import xor
from typing import Any, NamedTuple

import numpy as np

from qcsim.circuit import Circuit
from qcsim.estimate import Array
from qcsim.measurements import Expval, Measurement, Probabilities, Samples, Terms, Variance, moments
from qcsim.observables import as_key, parse_observables
from qcsim.pauli import Word
from qcsim.simulate import Plan


class Setting(NamedTuple):
    """What is measured at once.

    Attributes:
        circuit: the circuit with the change of basis behind it.
        qubits: those that are read.
        columns: of the result, to which the outcomes contribute.
        sums: what an outcome is worth in each of these columns, words of the qubits' signs; None: frequencies.
    """

    circuit: Circuit
    qubits: tuple[int, ...]
    columns: Any
    sums: tuple[Terms, ...] | None

    @property
    def size(self) -> int:
        """The number of outcomes."""
        return int(2 ** len(self.qubits))

    def worth(self, terms: Terms, outcomes: Array) -> Array:
        """A sum of products of +1 (bit 0) and -1 (bit 1) over the qubits of words, of each outcome."""
        total = np.zeros(outcomes.shape)
        for coefficient, word in terms:
            total += coefficient * (1.0 - 2.0 * self._odd(word, outcomes))
        return total

    def _odd(self, word: Word, outcomes: Array) -> Array:
        last = len(self.qubits) - 1
        found: Array = reduce(xor, (outcomes >> (last - self.qubits.index(qubit)) for qubit, _ in word)) & 1
        return found


class Settings(NamedTuple):
    """How a plan is measured.

    Attributes:
        settings: for each measurement but samples.
        constants: what the columns are before anything is drawn, (K,).
        squares: of a column that holds a mean, the column of the mean of squares, for variances.
    """

    settings: list[Setting]
    constants: Array
    squares: dict[int, int]


def settings_of(plan: Plan) -> Settings:
    """How the measurements of a plan are drawn."""
    settings: list[Setting] = []
    constants: list[float] = []
    squares: dict[int, int] = {}
    for measurement, reading in zip(plan.measurements, plan.readings, strict=True):
        first = len(constants)
        if isinstance(measurement, Probabilities):
            qubits: Any = reading[1]
            settings.append(Setting(plan.circuit, qubits, slice(first, first + 2 ** len(qubits)), None))
            constants += [0.0] * 2 ** len(qubits)
        elif not isinstance(measurement, Samples):
            observables = _observables(measurement, plan.circuit.n_qubits)
            settings += _of_words(plan.circuit, observables, first)
            constants += [sum(c for c, word in terms if not word) for terms in observables]
            if isinstance(measurement, Variance):
                n = len(measurement.observables)
                squares |= {column: column + n for column in range(first, first + n)}
    return Settings(settings, np.array(constants, np.float64), squares)


def _observables(measurement: Measurement, n_qubits: int) -> tuple[Terms, ...]:
    """As they stand: misread bits are in what is drawn."""
    if isinstance(measurement, Variance):
        return moments(as_key(measurement.observables), n_qubits)
    assert isinstance(measurement, Expval)
    return parse_observables(measurement.observables, n_qubits)


def grouped(words: Iterable[Word]) -> list[tuple[dict[int, str], list[Word]]]:
    """Words that agree qubit by qubit, each put into the first group where it fits: bases and words."""
    groups: list[tuple[dict[int, str], list[Word]]] = []
    for word in words:
        for basis, members in groups:
            if all(basis.get(qubit, letter) == letter for qubit, letter in word):
                basis.update(word)
                members.append(word)
                break
        else:
            groups.append((dict(word), [word]))
    return groups


def _of_words(circuit: Circuit, observables: tuple[Terms, ...], first: int) -> list[Setting]:
    settings = []
    words = dict.fromkeys(word for terms in observables for _, word in terms if word)
    for basis, members in grouped(words):
        qubits = tuple(sorted(basis))
        inside = set(members)
        held = [tuple(term for term in terms if term[1] in inside) for terms in observables]
        columns = np.array([first + k for k, terms in enumerate(held) if terms])
        settings.append(Setting(_turned(circuit, basis), qubits, columns, tuple(filter(None, held))))
    return settings


def _turned(circuit: Circuit, basis: dict[int, str]) -> Circuit:
    """The circuit with X and Y turned onto Z behind it."""
    if all(letter == "Z" for letter in basis.values()):
        return circuit
    turned = circuit.copy()
    for qubit, letter in basis.items():
        if letter == "Y":
            turned.sdg(qubit)
        if letter != "Z":
            turned.h(qubit)
    return turned
