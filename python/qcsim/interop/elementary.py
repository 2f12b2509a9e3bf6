"""Gates in the gates of a file format. Called by the writers of OpenQASM.

Every rewriting is exact: a global phase that it leaves over is a ``gphase``, a gate on no qubit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import TypeAlias

import numpy as np

from qcsim.angles import Angle
from qcsim.instruction import Instruction
from qcsim.interop.controlled import gate, mcphase, mcx
from qcsim.interop.two_level import dense

Rewriting: TypeAlias = Callable[[Instruction], Iterable[Instruction]]


def in_gates(gates: Iterable[Instruction], known: Collection[str]) -> Iterator[Instruction]:
    """The same circuit in the gates of ``known``."""
    for instruction in gates:
        if instruction.gate in known:
            yield instruction
        else:
            yield from in_gates(REWRITINGS[instruction.gate](instruction), known)


def _with(name: str, angle: Angle, *qubits: int) -> Instruction:
    return Instruction(name, qubits, (angle,))


def _half(angle: Angle, sign: float = 1.0) -> Angle:
    return angle.affine(0.5 * sign, 0.0)


def _u3(step: Instruction) -> list[Instruction]:
    (q,), (theta, phi, lam) = step.qubits, step.angles
    return [_with("phase", lam, q), _with("ry", theta, q), _with("phase", phi, q)]


def _rot(step: Instruction) -> list[Instruction]:
    (q,), (phi, theta, omega) = step.qubits, step.angles
    return [_with("rz", phi, q), _with("ry", theta, q), _with("rz", omega, q)]


def _crx(step: Instruction) -> list[Instruction]:
    (c, t), (angle,) = step.qubits, step.angles
    return [gate("h", t), _with("crz", angle, c, t), gate("h", t)]


def _cry(step: Instruction) -> list[Instruction]:
    (c, t), (angle,) = step.qubits, step.angles
    return [_with("ry", _half(angle), t), gate("cnot", c, t), _with("ry", _half(angle, -1.0), t), gate("cnot", c, t)]


def _rzz(step: Instruction) -> list[Instruction]:
    (a, b), (angle,) = step.qubits, step.angles
    return [gate("cnot", a, b), _with("rz", angle, b), gate("cnot", a, b)]


def _rxx(step: Instruction) -> list[Instruction]:
    change = [gate("h", q) for q in step.qubits]
    return [*change, step._replace(gate="rzz"), *change]


def _ryy(step: Instruction) -> list[Instruction]:
    change, back = ([gate("rx", q, angles=[turn]) for q in step.qubits] for turn in (math.pi / 2, -math.pi / 2))
    return [*change, step._replace(gate="rzz"), *back]


def _pauli_rot(step: Instruction) -> list[Instruction]:
    """The parity of all qubits, each turned so that its letter is Z, gathered in the last."""
    turns = zip(step.word, step.qubits, strict=True)
    change = [_into_z(letter, qubit) for letter, qubit in turns if letter != "Z"]
    *others, last = step.qubits
    ladder = [gate("cnot", qubit, following) for qubit, following in zip(others, step.qubits[1:], strict=True)]
    middle = [*change, *ladder]
    return [*middle, _with("rz", step.angles[0], last), *(each.inverse() for each in reversed(middle))]


def _into_z(letter: str, qubit: int) -> Instruction:
    return gate("h", qubit) if letter == "X" else gate("rx", qubit, angles=[math.pi / 2])


def _iswap(step: Instruction) -> list[Instruction]:
    a, b = step.qubits
    return [gate("s", a), gate("s", b), gate("h", a), gate("cnot", a, b), gate("cnot", b, a), gate("h", b)]


def _iswapdg(step: Instruction) -> list[Instruction]:
    return [undone.inverse() for undone in reversed(_iswap(step))]


def _swap(step: Instruction) -> list[Instruction]:
    a, b = step.qubits
    return [gate("cnot", a, b), gate("cnot", b, a), gate("cnot", a, b)]


def _fredkin(step: Instruction) -> list[Instruction]:
    c, a, b = step.qubits
    return [gate("cnot", b, a), gate("toffoli", c, a, b), gate("cnot", b, a)]


def _mcz(step: Instruction) -> list[Instruction]:
    few = {1: "z", 2: "cz"}.get(len(step.qubits))
    return mcphase(math.pi, step.qubits) if few is None else [gate(few, *step.qubits)]


def _unitary(step: Instruction) -> list[Instruction]:
    side = 1 << len(step.qubits)
    return dense(np.reshape(np.array(step.matrix), (side, side)), step.qubits)


REWRITINGS: dict[str, Rewriting] = {
    "sx": lambda step: [gate("gphase", angles=[math.pi / 4]), gate("rx", *step.qubits, angles=[math.pi / 2])],
    "sxdg": lambda step: [gate("x", *step.qubits), gate("sx", *step.qubits)],
    "u3": _u3,
    "rot": _rot,
    "crx": _crx,
    "cry": _cry,
    "rxx": _rxx,
    "ryy": _ryy,
    "rzz": _rzz,
    "pauli_rot": _pauli_rot,
    "swap": _swap,
    "iswap": _iswap,
    "iswapdg": _iswapdg,
    "fredkin": _fredkin,
    "mcx": lambda step: mcx(step.qubits[:-1], step.qubits[-1]),
    "mcz": _mcz,
    "unitary": _unitary,
}
