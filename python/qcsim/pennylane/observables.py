"""PennyLane's observables as sums of Pauli words on wires: `((coefficient, ((wire, letter), ...)), ...)`.

What has no such form (large matrices) gives None; its measurement is then computed from the state.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import pennylane as qml
from pennylane import ops

from qcsim.pauli import PauliSum

WireWord: TypeAlias = tuple[tuple[Any, str], ...]
WireSum: TypeAlias = tuple[tuple[float, WireWord], ...]

_LETTERS = {ops.PauliX: "X", ops.PauliY: "Y", ops.PauliZ: "Z"}
_LARGEST_MATRIX = 5  # wires; 4^k words
_LARGEST_SPECTRUM = 8  # wires of classical values; 2^k words
_KEPT = 256

# By identity: an observable that a user keeps is read once. The value holds the observable, so that no other can take
# its place in memory.
_read: OrderedDict[int, tuple[Any, WireSum | None]] = OrderedDict()


def wire_sum(obs: Any) -> WireSum | None:
    """An observable whose numbers are settled as a sum of words."""
    letter = _LETTERS.get(type(obs))
    if letter is not None:
        return ((1.0, ((obs.wires.labels[0], letter),)),)
    known = _read.get(id(obs))
    if known is not None and known[0] is obs:
        return known[1]
    found = _found(obs)
    _read[id(obs)] = obs, found
    while len(_read) > _KEPT:
        _read.popitem(last=False)
    return found


def is_live(obs: Any) -> bool:
    """Whether its coefficients ask for a gradient, or have no values yet."""
    return bool(obs.data) and any(qml.math.requires_grad(value) or qml.math.is_abstract(value) for value in obs.data)


def words(obs: Any) -> tuple[WireWord, ...] | None:
    """The words of an observable whose coefficients are live."""
    return None if obs.pauli_rep is None else tuple(tuple(word.items()) for word in obs.pauli_rep)


def coefficients(obs: Any) -> list[Any]:
    """The live coefficients of these words."""
    return list(obs.pauli_rep.values())


def spectrum_sum(values: Any, wires: tuple[Any, ...]) -> WireSum | None:
    """The words of Z of a diagonal observable with these 2^k values, by the Walsh-Hadamard transform."""
    if len(wires) > _LARGEST_SPECTRUM:
        return None
    table = np.asarray(qml.math.unwrap([values])[0], np.float64).reshape((2,) * len(wires))
    for axis in range(len(wires)):
        low, high = np.take(table, 0, axis), np.take(table, 1, axis)
        table = np.stack([(low + high) / 2.0, (low - high) / 2.0], axis)
    return tuple(
        (float(table[place]), tuple((wire, "Z") for wire, bit in zip(wires, place, strict=True) if bit))
        for place in np.ndindex(table.shape)
        if table[place] != 0.0
    )


def on_qubits(terms: WireSum, qubit_of: Mapping[Any, int]) -> PauliSum:
    """The sum on the qubits of a circuit."""
    named: dict[str, float] = {}
    for coefficient, word in terms:
        text = " ".join(f"{letter}{qubit_of[wire]}" for wire, letter in word if letter != "I") or "I"
        named[text] = named.get(text, 0.0) + coefficient
    return PauliSum(named)


def _found(obs: Any) -> WireSum | None:
    sentence = obs.pauli_rep
    if sentence is None:
        if len(obs.wires) > _LARGEST_MATRIX or not (obs.has_matrix or obs.has_sparse_matrix):
            return None
        matrix = obs.matrix() if obs.has_matrix else obs.sparse_matrix().toarray()
        sentence = qml.pauli_decompose(np.asarray(matrix, np.complex128), wire_order=obs.wires, pauli=True)
    return tuple((_real(value), tuple(word.items())) for word, value in sentence.items()) or ((0.0, ()),)


def _real(value: Any) -> float:
    number = complex(qml.math.unwrap([value])[0])
    if abs(number.imag) > 1e-9 * max(1.0, abs(number.real)):
        raise qml.exceptions.DeviceError(f"an observable has the coefficient {number:.6g}; expectations that can be "
                                         "measured have real ones")  # fmt: skip
    return number.real
