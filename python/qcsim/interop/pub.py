"""What the primitives have in common: a PUB's circuit on as few qubits as it uses, its parameter values as features."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from qcsim.circuit import Circuit
from qcsim.interop.expressions import Columns
from qcsim.interop.reader import Read, read

_BLOCK = 1 << 22  # numbers of a result at once


class Prepared(NamedTuple):
    """A PUB's circuit, ready to run.

    Attributes:
        circuit: on the qubits that count; parameters are features.
        features: (R, F) float64, a row for each set of parameter values.
        place: the qubit of the circuit that a qubit of the PUB is.
    """

    circuit: Circuit
    features: NDArray[np.float64]
    place: dict[int, int]

    def blocks(self, width: int) -> Iterator[tuple[slice, NDArray[np.float64] | None]]:
        """Rows with their features, cut so that results of ``width`` numbers a row stay small; None: no features."""
        size = max(1, _BLOCK // width)
        for first in range(0, len(self.features), size):
            rows = slice(first, min(first + size, len(self.features)))
            yield rows, self.features[rows] if self.circuit.n_features else None


class Reading(NamedTuple):
    """A PUB's circuit, read, and what computes its features."""

    read: Read
    columns: Columns


def reading_of(circuit: Any) -> Reading:
    """What a PUB's circuit holds."""
    columns = Columns(list(circuit.parameters))
    return Reading(read(circuit, columns, with_phase=False), columns)


def prepared(reading: Reading, pub: Any, needed: Iterable[int]) -> Prepared:
    """The circuit on the qubits that have a gate or are ``needed``; the others stay in |0> and are left out."""
    used = {qubit for gate in reading.read.gates for qubit in gate.qubits}
    place = {qubit: number for number, qubit in enumerate(sorted(used.union(needed) or {0}))}
    circuit = Circuit(len(place))
    for gate in reading.read.gates:
        circuit._add(gate._replace(qubits=tuple(place[qubit] for qubit in gate.qubits)))
    values = np.asarray(pub.parameter_values.as_array(pub.circuit.parameters), np.float64)
    rows = values.reshape(int(np.prod(pub.parameter_values.shape, dtype=np.int64)), len(pub.circuit.parameters))
    features = reading.columns.values(rows)[:, : circuit.n_features]
    return Prepared(circuit, np.ascontiguousarray(features), place)
