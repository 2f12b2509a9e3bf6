"""The structure of a tape: what two tapes share that one circuit serves, and that circuit.

It holds no numbers that may change from call to call, only where in the tape they stand: numbers become weights,
batches of numbers features, the state of the first preparation amplitudes.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pennylane as qml
from pennylane import measurements as mps
from pennylane import ops

from qcsim.angles import Angle, constant, feature, weight
from qcsim.circuit import Circuit
from qcsim.pennylane import channels, gates
from qcsim.pennylane.observables import is_live, wire_sum, words

Place: TypeAlias = tuple[int, int]  # operation of the tape, parameter of the operation


class Layout(NamedTuple):
    """Where the inputs of a circuit stand in the tape."""

    weights: tuple[Place, ...]
    features: tuple[Place, ...]
    amplitudes: bool  # whether the first operation is a state that comes at run time
    scaled: bool  # whether that state counts with the norm that it has


class Base(NamedTuple):
    """The circuit of a tape before anything is measured, and the wire of each of its qubits."""

    circuit: Circuit
    wires: tuple[Any, ...]
    qubit_of: dict[Any, int]
    layout: Layout


def signature(tape: Any) -> Hashable:
    """What two tapes share that one circuit and its measurements serve; found once for a tape.

    Raises:
        UnsupportedOperation: for an operation that must be decomposed first.
    """
    found: Hashable = getattr(tape, "_qcsim_signature", None)
    if found is None:
        found = tape._qcsim_signature = (
            tuple([_operation_signature(op) for op in tape.operations]),
            tuple([_measurement_signature(mp) for mp in tape.measurements]),
        )
    return found


def supported(op: Any, mixed: bool) -> bool:
    """Whether an operation behind the first preparation needs no decomposition."""
    return gates.supported(op) or (mixed and channels.supported(op))


def base_of(tape: Any, device_wires: Any, readout_error: float | None = None) -> Base:
    """The circuit of a tape whose operations are supported."""
    wires = _ordered(tape, device_wires)
    qubit_of = {wire: qubit for qubit, wire in enumerate(wires)}
    circuit = Circuit(max(1, len(wires)))
    weights: dict[Place, Angle] = {}
    features: dict[Place, Angle] = {}
    embeds = scaled = False
    keeps_phase = any(isinstance(mp, mps.StateMP) for mp in tape.measurements)
    for number, op in enumerate(tape.operations):
        qubits = [qubit_of[wire] for wire in op.wires.labels]
        if isinstance(op, qml.operation.StatePrepBase):
            embeds, scaled = _prepare(circuit, op, qubits)
        elif channels.is_channel(op):
            channels.emit(circuit, op, qubits)
        elif type(op) is not ops.GlobalPhase or keeps_phase:
            gates.emit(circuit, op, qubits, _angles(number, op, weights, features))
    if readout_error is not None:
        circuit.readout_error(readout_error)
    return Base(circuit, wires, qubit_of, Layout(tuple(weights), tuple(features), embeds, scaled))


def rotated(base: Base, rotations: Sequence[Any]) -> Circuit:
    """The circuit with constant gates behind it."""
    circuit = base.circuit.copy()
    for op in rotations:
        gates.emit(circuit, op, [base.qubit_of[wire] for wire in op.wires.labels], _constants(op))
    return circuit


def rotations_key(rotations: Sequence[Any]) -> Hashable:
    """What tells constant gates from others."""
    return tuple((gates.signature(op), _numbers(op) if gates.n_angles(op) else ()) for op in rotations)


def _operation_signature(op: Any) -> Hashable:
    if type(op) in gates.PLAIN:
        return gates.signature(op)
    if isinstance(op, qml.operation.StatePrepBase):
        if isinstance(op, ops.BasisState):
            return type(op), op.wires.labels, _bits(op)
        return type(op), op.wires.labels, qml.math.ndim(op.data[0]) if op.data else 0, _normalised(op)
    return channels.signature(op) if channels.is_channel(op) else gates.signature(op)


def _measurement_signature(mp: Any) -> Hashable:
    obs = mp.obs
    if obs is None:
        values = None if mp.mv is None and mp._eigvals is None else np.asarray(mp.eigvals()).tobytes()
        return type(mp), mp.wires.labels, values
    if is_live(obs):
        return type(mp), words(obs)
    terms = wire_sum(obs)
    if terms is None:
        return type(mp), _Same(obs)
    # Of equal observables that are no words, each has its own eigenbasis.
    return type(mp), terms, obs.wires.labels if obs.pauli_rep is not None else obs.hash


class _Same:
    """An object as part of a key, equal to itself alone; kept alive, so that no other can take its place."""

    def __init__(self, held: Any) -> None:
        self.held = held

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.held is self.held

    def __hash__(self) -> int:
        return id(self.held)


def _ordered(tape: Any, device_wires: Any) -> tuple[Any, ...]:
    """The wires of a tape as qubits. Those of a first preparation come last: the engine pads amplitudes at the tail,
    which leaves the qubits in front at 0."""
    present = tape.wires.labels
    if device_wires is not None:
        used = set(present)
        known = device_wires.labels
        present = (*(wire for wire in known if wire in used), *(wire for wire in present if wire not in set(known)))
    first = tape.operations[0] if tape.operations else None
    if not isinstance(first, qml.operation.StatePrepBase) or isinstance(first, ops.BasisState):
        return tuple(present)
    prepared = first.wires.labels
    return (*(wire for wire in present if wire not in prepared), *prepared)


def _prepare(circuit: Circuit, op: Any, qubits: Sequence[int]) -> tuple[bool, bool]:
    """Whether the state comes at run time, and with a norm of its own."""
    if isinstance(op, ops.BasisState):
        for qubit, bit in zip(qubits, _bits(op), strict=True):
            if bit:
                circuit.x(qubit)
        return False, False
    circuit.amplitude_embedding()
    return True, not _normalised(op)


def _bits(op: Any) -> tuple[int, ...]:
    return tuple(np.asarray(qml.math.unwrap([op.data[0]])[0]).astype(int).tolist())


def _normalised(op: Any) -> bool:
    return bool(op.hyperparameters.get("normalize", False))


def _numbers(op: Any) -> tuple[float, ...]:
    return tuple(map(float, qml.math.unwrap(op.data)))


def _angles(number: int, op: Any, weights: dict[Place, Angle], features: dict[Place, Angle]) -> gates.Angles:
    def angle(k: int) -> Angle:
        place = number, k
        batched = getattr(op.data[k], "ndim", 0) > 0
        if batched:
            return features.setdefault(place, feature(len(features)))
        return weights.setdefault(place, weight(len(weights)))

    return angle


def _constants(op: Any) -> gates.Angles:
    return lambda k: constant(_numbers(op)[k])
