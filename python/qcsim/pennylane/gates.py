"""PennyLane's operations as gates of a circuit: what the engine has itself, and how a tape's numbers become its angles.

Called by recipe, which knows the whole tape, and by preprocess, which asks what must be decomposed.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any, TypeAlias

import numpy as np
import pennylane as qml
from pennylane import ops

from qcsim.angles import Angle
from qcsim.circuit import Circuit

Qubits: TypeAlias = Sequence[int]
Angles: TypeAlias = Callable[[int], Angle]  # the angle of parameter k of the operation
Emitter: TypeAlias = Callable[[Circuit, Any, Qubits, Angles], Any]

LARGEST_MATRIX = 3  # qubits


class UnsupportedOperation(Exception):
    """An operation that must be decomposed first."""


def _fixed(name: str) -> Emitter:
    return lambda circuit, op, qubits, angles: getattr(circuit, name)(*qubits)


def _turn(name: str) -> Emitter:
    return lambda circuit, op, qubits, angles: getattr(circuit, name)(*qubits, angle=angles(0))


def _turn3(name: str) -> Emitter:
    return lambda circuit, op, qubits, angles: getattr(circuit, name)(*qubits, angles=(angles(0), angles(1), angles(2)))


def _u2(circuit: Circuit, op: Any, qubits: Qubits, angles: Angles) -> None:
    circuit.u3(*qubits, angles=(np.pi / 2, angles(0), angles(1)))


def _crot(circuit: Circuit, op: Any, qubits: Qubits, angles: Angles) -> None:
    circuit.crz(*qubits, angle=angles(0)).cry(*qubits, angle=angles(1)).crz(*qubits, angle=angles(2))


def _ising_xy(circuit: Circuit, op: Any, qubits: Qubits, angles: Angles) -> None:
    half = -0.5 * angles(0)
    circuit.rxx(*qubits, angle=half).ryy(*qubits, angle=half)


def _global_phase(circuit: Circuit, op: Any, qubits: Qubits, angles: Angles) -> None:
    """e^{-i phi} on any one qubit."""
    circuit.rz(0, angle=2 * angles(0)).phase(0, angle=-2 * angles(0))


def _multi_rz(circuit: Circuit, op: Any, qubits: Qubits, angles: Angles) -> None:
    circuit.pauli_rot("Z" * len(qubits), qubits, angle=angles(0))


def _pauli_rot(circuit: Circuit, op: Any, qubits: Qubits, angles: Angles) -> None:
    """The word may have letters I; a rotation by the identity is a phase e^{-i t/2}."""
    turned = [(letter, qubit) for letter, qubit in zip(_word(op), qubits, strict=True) if letter != "I"]
    if turned:
        circuit.pauli_rot("".join(letter for letter, _ in turned), [qubit for _, qubit in turned], angle=angles(0))
    else:
        _global_phase(circuit, op, qubits, lambda k: 0.5 * angles(k))


def _word(op: Any) -> str:
    return str(op.hyperparameters["pauli_word"])


# What has a meaning of its own; a class decides by itself, without its hyperparameters.
PLAIN: dict[type, tuple[int, Emitter]] = {
    **{
        kind: (0, _fixed(name))
        for kind, name in {
            ops.PauliX: "x",
            ops.PauliY: "y",
            ops.PauliZ: "z",
            ops.Hadamard: "h",
            ops.S: "s",
            ops.T: "t",
            ops.SX: "sx",
            ops.CNOT: "cnot",
            ops.CY: "cy",
            ops.CZ: "cz",
            ops.CH: "ch",
            ops.SWAP: "swap",
            ops.ISWAP: "iswap",
            ops.Toffoli: "toffoli",
            ops.CSWAP: "fredkin",
        }.items()
    },
    **{
        kind: (1, _turn(name))
        for kind, name in {
            ops.RX: "rx",
            ops.RY: "ry",
            ops.RZ: "rz",
            ops.PhaseShift: "phase",
            ops.U1: "phase",
            ops.CRX: "crx",
            ops.CRY: "cry",
            ops.CRZ: "crz",
            ops.ControlledPhaseShift: "cphase",
            ops.IsingXX: "rxx",
            ops.IsingYY: "ryy",
            ops.IsingZZ: "rzz",
        }.items()
    },
    ops.Rot: (3, _turn3("rot")),
    ops.U3: (3, _turn3("u3")),
    ops.U2: (2, _u2),
    ops.CRot: (3, _crot),
    ops.IsingXY: (1, _ising_xy),
    ops.MultiRZ: (1, _multi_rz),
    ops.GlobalPhase: (1, _global_phase),
    ops.CCZ: (0, lambda circuit, op, qubits, angles: circuit.mcz(qubits)),
    ops.Identity: (0, lambda circuit, op, qubits, angles: None),
    ops.Barrier: (0, lambda circuit, op, qubits, angles: None),
}

_CONTROLLED = frozenset(kind for kind in PLAIN if issubclass(kind, ops.Controlled))

NAMES = frozenset(
    {kind.__name__ for kind in PLAIN}
    | {f"Adjoint({name})" for name in ("S", "T", "SX", "ISWAP", "RX", "RY", "RZ", "PhaseShift")}
    | {"MultiControlledX", "QubitUnitary", "PauliRot"}
)

# What may stand under controls: with any number of them, or with one.
_ANY_CONTROLS = (ops.PauliX, ops.PauliZ)


def supported(op: Any) -> bool:
    """Whether the engine takes an operation as it is; the others are decomposed."""
    kind = type(op)
    if kind in PLAIN:
        return True
    if isinstance(op, ops.Adjoint):
        return supported(op.base)
    if kind in (ops.MultiControlledX, ops.PauliRot) or _is_controlled_pauli(op):
        return True
    return constant_matrix(op)


def constant_matrix(op: Any) -> bool:
    """Whether an operation goes in as its matrix: small, without a gradient and a batch."""
    if len(op.wires) > LARGEST_MATRIX or not op.has_matrix or _unsettled(op):
        return False
    if type(op) is ops.QubitUnitary:
        return bool(qml.math.ndim(op.data[0]) == 2)
    if op.has_decomposition and (op.data or len(op.wires) > 2):
        return False
    return bool(isinstance(op, qml.operation.Operation) and op.batch_size is None)


def signature(op: Any) -> Hashable:
    """What an operation adds to the structure of a tape: everything but the values of its angles."""
    kind = type(op)
    plain = PLAIN.get(kind)
    if plain is not None:
        # The wires of a controlled operation are joined anew at each look, in 3 microseconds.
        controlled = kind in _CONTROLLED
        labels = op.control_wires.labels + op.base.wires.labels if controlled else op.wires.labels
        if plain[0] == 0:
            return kind, labels
        if plain[0] == 1:
            return kind, labels, _axes(op.data[0])
        return (kind, labels, *map(_axes, op.data))
    if isinstance(op, ops.Adjoint):
        return kind, signature(op.base)
    if kind is ops.PauliRot:
        return kind, _word(op), op.wires.labels, _axes(op.data[0])
    if kind is ops.MultiControlledX or _is_controlled_pauli(op):
        return kind, type(op.base), op.wires.labels, tuple(map(bool, op.control_values))
    if not constant_matrix(op):
        raise UnsupportedOperation(op)
    return "matrix", op.wires.labels, _matrix(op).tobytes()


def emit(circuit: Circuit, op: Any, qubits: Qubits, angles: Angles) -> None:
    """Add an operation that is supported to a circuit."""
    plain = PLAIN.get(type(op))
    if plain is not None:
        plain[1](circuit, op, qubits, angles)
    elif isinstance(op, ops.Adjoint):
        forward = Circuit(circuit.n_qubits)
        emit(forward, op.base, qubits, angles)
        for gate in forward.inverse().instructions:
            circuit._add(gate)
    elif type(op) is ops.PauliRot:
        _pauli_rot(circuit, op, qubits, angles)
    elif type(op) is ops.MultiControlledX or _is_controlled_pauli(op):
        _controlled_pauli(circuit, op, qubits)
    else:
        circuit.unitary(_matrix(op), *qubits)


def n_angles(op: Any) -> int:
    """How many of its parameters are angles of the circuit."""
    plain = PLAIN.get(type(op))
    if plain is not None:
        return plain[0]
    if type(op) is ops.PauliRot:
        return 1
    return n_angles(op.base) if isinstance(op, ops.Adjoint) else 0


def _matrix(op: Any) -> Any:
    return np.asarray(qml.math.unwrap([op.matrix()])[0], np.complex128)


def _is_controlled_pauli(op: Any) -> bool:
    return isinstance(op, ops.ControlledOp) and type(op.base) in _ANY_CONTROLS


def _controlled_pauli(circuit: Circuit, op: Any, qubits: Qubits) -> None:
    *controls, target = qubits
    zeros = [control for control, value in zip(controls, op.control_values, strict=True) if not value]
    for qubit in zeros:
        circuit.x(qubit)
    if isinstance(op.base, ops.PauliZ):
        circuit.mcz([*controls, target])
    else:
        circuit.mcx(controls, target)
    for qubit in zeros:
        circuit.x(qubit)


def _axes(value: Any) -> int:
    """0 of a number, 1 of a batch of numbers."""
    return getattr(value, "ndim", 0)


def _unsettled(op: Any) -> bool:
    """Whether a parameter asks for a gradient or has no value yet."""
    return any(qml.math.requires_grad(value) or qml.math.is_abstract(value) for value in op.data)
