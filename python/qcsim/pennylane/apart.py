"""Operations taken apart where PennyLane has no decomposition of them: by their generator, or by their matrix."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import Any

import pennylane as qml
from pennylane import ops
from pennylane.operation import DecompositionUndefinedError


def take_apart(op: Any) -> Sequence[Any]:
    """An operation as a product of others.

    Raises:
        DecompositionUndefinedError: if nothing is known of it.
    """
    if op.has_decomposition:
        return op.decomposition()  # type: ignore[no-any-return]
    rotations = _rotations(op) if len(op.data) == 1 and op.has_generator else None
    if rotations is not None:
        return rotations
    if isinstance(op, ops.QubitUnitary) or not op.has_matrix:
        raise DecompositionUndefinedError(op)
    return [ops.QubitUnitary(op.matrix(), wires=op.wires)]


def _rotations(op: Any) -> list[Any] | None:
    """exp(i t G) for G a sum of Pauli words that commute: a rotation about each."""
    sentence = qml.generator(op, format="arithmetic").pauli_rep
    if sentence is None or not all(a.commutes_with(b) for a, b in combinations(sentence, 2)):
        return None
    angle = op.data[0]
    rotations = []
    for word, coefficient in sentence.items():
        if word:
            letters = "".join(word.values())
            rotations.append(ops.PauliRot(-2.0 * coefficient * angle, letters, wires=list(word)))
        else:
            rotations.append(ops.GlobalPhase(-coefficient * angle, wires=op.wires))
    return rotations
