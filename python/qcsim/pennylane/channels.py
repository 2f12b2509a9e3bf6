"""PennyLane's noise channels as those of a circuit. Their rates are constants: part of the structure of a tape."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np
import pennylane as qml
from pennylane import ops

from qcsim.channels import (
    AmplitudeDamping,
    BitFlip,
    Channel,
    Depolarizing,
    Kraus,
    PhaseDamping,
    PhaseFlip,
)
from qcsim.circuit import Circuit

_LARGEST_KRAUS = 2  # qubits

# PennyLane's depolarizing probability is that of one of three Paulis: 4/3 of it leaves nothing of the state.
_KNOWN: dict[type, Callable[..., Channel]] = {
    ops.BitFlip: BitFlip,
    ops.PhaseFlip: PhaseFlip,
    ops.DepolarizingChannel: lambda p: Depolarizing(4.0 * p / 3.0, 1),
    ops.AmplitudeDamping: AmplitudeDamping,
    ops.GeneralizedAmplitudeDamping: AmplitudeDamping,
    ops.PhaseDamping: PhaseDamping,
}

NAMES = frozenset(ops.channel.__all__)


def is_channel(op: Any) -> bool:
    """Whether an operation is noise."""
    return isinstance(op, qml.operation.Channel)


def supported(op: Any) -> bool:
    """Whether the engine takes a channel: on one or two qubits, its rates known."""
    return is_channel(op) and len(op.wires) <= _LARGEST_KRAUS and not any(map(qml.math.is_abstract, op.data))


def signature(op: Any) -> Hashable:
    """What a channel adds to the structure of a tape, its rates included."""
    rates = tuple(np.asarray(value).tobytes() for value in qml.math.unwrap(op.data))
    extra = tuple(sorted((name, str(value)) for name, value in op.hyperparameters.items()))
    return type(op), op.wires.labels, rates, extra


def emit(circuit: Circuit, op: Any, qubits: Sequence[int]) -> None:
    """Add a channel that is supported to a circuit."""
    known = _KNOWN.get(type(op))
    if known is not None:
        circuit.channel(known(*map(float, qml.math.unwrap(op.data))), qubits)
    else:
        circuit.channel(Kraus(np.array([np.asarray(matrix) for matrix in op.kraus_matrices()])), qubits)
