"""Readout errors: what a circuit's noise is in short, and what misread bits make of probabilities and Pauli words.

Called by circuit, measurements, simulate and the files that draw. A table of a qubit is ``(p01, p10)``, the
probabilities to read 1 for 0 and 0 for 1; arrays are NumPy's or torch's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from qcsim.array_kinds import library
from qcsim.pauli import Term, Word, text_of

if TYPE_CHECKING:
    from qcsim import _core

Tables: TypeAlias = tuple[tuple[int, float, float], ...]  # (qubit, p01, p10), in the order of the qubits
_MOST_WORDS = 2**16


class NoiseSummary(NamedTuple):
    """The noise of a circuit in short.

    Attributes:
        kind: ``"none"``, ``"global"`` (depolarizing of all qubits alone) or ``"local"``; readout errors do not count.
        retained: the product of 1 - e over depolarizing of all qubits, where nothing else is there.
        tables: the readout errors, several on one qubit composed.
    """

    kind: str
    retained: float
    tables: Tables


def summary_of(circuit: _core.Circuit) -> NoiseSummary:
    """The noise of an engine circuit."""
    kind, retained = circuit.noise, 1.0
    tables: dict[int, tuple[float, float]] = {}
    for gate, qubits, _, _, rates, _ in circuit.instructions:
        if gate == "readout_error":
            tables[qubits[0]] = _composed(tables.get(qubits[0], (0.0, 0.0)), (rates[0], rates[1]))
        elif gate == "depolarizing" and kind == "global":
            retained *= 1.0 - rates[0]
    return NoiseSummary(kind, retained, tuple((qubit, *tables[qubit]) for qubit in sorted(tables)))


def misread(columns: Any, qubits: Sequence[int], tables: Tables, *, transposed: bool = False) -> Any:
    """The law of the bits read, (..., 2^k), of the law of the bits; ``transposed`` pulls a cotangent back."""
    stack = library(columns).stack
    shape = columns.shape
    for qubit, p01, p10 in tables:
        if qubit not in qubits:
            continue
        place = qubits.index(qubit)
        split = columns.reshape(-1, 2**place, 2, 2 ** (len(qubits) - 1 - place))
        low, high = split[:, :, 0], split[:, :, 1]
        up, down = (p10, p01) if transposed else (p01, p10)
        columns = stack(((1.0 - p01) * low + down * high, up * low + (1.0 - p10) * high), 2)
    return columns.reshape(shape)


def misread_outcomes(outcomes: Any, qubits: Sequence[int], tables: Tables, uniform: Callable[[int], Any]) -> Any:
    """Outcomes (B, shots) with bits flipped at random, in place: a number a shot and bit, where a law takes a pass.

    ``uniform`` gives numbers (B, shots) drawn evenly from 0..1, another set for each place in the tables.
    """
    for number, (qubit, p01, p10) in enumerate(tables):
        if qubit not in qubits:
            continue
        bit = 1 << (len(qubits) - 1 - qubits.index(qubit))
        rate = p01 if p01 == p10 else np.where(outcomes & bit, p10, p01)
        outcomes ^= np.where(uniform(number) < rate, bit, 0)
    return outcomes


def as_read(reading: tuple[str, Any], columns: Any, tables: Tables, *, transposed: bool = False) -> Any:
    """The columns of a reading with the misread bits in them: observables have them in their terms."""
    kind, qubits = reading
    return misread(columns, qubits, tables, transposed=transposed) if tables and kind == "probabilities" else columns


@lru_cache(maxsize=256)
def misread_terms(observables: tuple[tuple[Term, ...], ...], tables: Tables) -> tuple[tuple[Term, ...], ...]:
    """Observables whose exact expectations are those of misread ones: P_q becomes (1-p01-p10) P_q + (p10-p01) 1.

    Raises:
        ValueError: if a word has so many letters that are misread unevenly that its expansion is out of hand.
    """
    affine = {qubit: (1.0 - p01 - p10, p10 - p01) for qubit, p01, p10 in tables}
    if not affine:
        return observables
    return tuple(_expanded_sum(terms, affine) for terms in observables)


def _expanded_sum(terms: tuple[Term, ...], affine: dict[int, tuple[float, float]]) -> tuple[Term, ...]:
    collected: dict[Word, float] = {}
    for coefficient, word in terms:
        for factor, part in _expanded(word, affine):
            collected[part] = collected.get(part, 0.0) + coefficient * factor
    return tuple((c, word) for word, c in collected.items() if c != 0.0) or ((0.0, ()),)


def _expanded(word: Word, affine: dict[int, tuple[float, float]]) -> list[tuple[float, Word]]:
    parts: list[tuple[float, Word]] = [(1.0, ())]
    for qubit, letter in word:
        kept, lost = affine.get(qubit, (1.0, 0.0))
        longer = [(factor * kept, (*part, (qubit, letter))) for factor, part in parts if kept != 0.0]
        parts = longer + [(factor * lost, part) for factor, part in parts if lost != 0.0]
        if len(parts) > _MOST_WORDS:
            raise ValueError(f"observable {text_of(word)!r} has more than 16 letters that are misread with p01 != p10, "
                             "which makes more than 65536 words; give these qubits p01 = p10")  # fmt: skip
    return parts


def _composed(first: tuple[float, float], second: tuple[float, float]) -> tuple[float, float]:
    """One misreading, then another."""
    (a01, a10), (b01, b10) = first, second
    return b01 * (1.0 - a01) + (1.0 - b10) * a01, (1.0 - b01) * a10 + b10 * (1.0 - a10)
