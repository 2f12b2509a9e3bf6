"""Dense unitaries in gates, by rotations of two amplitudes at a time. Called by elementary."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from qcsim.instruction import Instruction
from qcsim.interop.controlled import Matrix, controlled, gate


def dense(matrix: Matrix, qubits: Sequence[int]) -> list[Instruction]:
    """Gates for a unitary (2^k, 2^k) on k = 1..3 qubits, the first the most significant bit; exact, phase included.

    Amplitudes are put in the order of a Gray code, in which neighbours differ in one bit: a rotation of two neighbours
    is a gate on one qubit that the others control. Column by column they take the matrix to the identity.
    """
    k, rest = len(qubits), np.array(matrix, np.complex128)
    if k == 1:
        return controlled(rest, [], qubits[0])
    code = [number ^ number >> 1 for number in range(1 << k)]
    steps: list[Instruction] = []
    for column in range(len(code) - 1):
        for row in range(len(code) - 1, column, -1):
            pair = [code[row - 1], code[row]]
            undo = _undo(*rest[pair, code[column]])
            if row - 1 == column == len(code) - 2:
                undo = rest[np.ix_(pair, pair)].conj().T  # the last two amplitudes are all that is left
            if np.allclose(undo, np.eye(2), rtol=0.0, atol=_NOTHING):
                continue
            rest[pair] = undo @ rest[pair]
            steps = [*_two_level(undo.conj().T, pair, qubits), *steps]
    return steps


_NOTHING = 1e-15


def _undo(kept: complex, gone: complex) -> Matrix:
    """The unitary that takes ``(kept, gone)`` to ``(norm, 0)``."""
    norm = np.hypot(abs(kept), abs(gone))
    if norm == 0.0:
        return np.eye(2, dtype=np.complex128)
    a, b = kept / norm, gone / norm
    return np.array([[np.conj(a), np.conj(b)], [-b, a]])


def _two_level(block: Matrix, pair: Sequence[int], qubits: Sequence[int]) -> list[Instruction]:
    """A unitary (2, 2) on two amplitudes whose numbers differ in one bit."""
    low, high = pair
    last = len(qubits) - 1
    where = last - ((low ^ high).bit_length() - 1)
    others = [place for place in range(len(qubits)) if place != where]
    if low > high:
        block = block[::-1, ::-1]
    flips = [gate("x", qubits[place]) for place in others if not low >> (last - place) & 1]
    return [*flips, *controlled(block, [qubits[place] for place in others], qubits[where]), *flips]
