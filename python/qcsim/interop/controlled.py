"""Gates with many controls in gates with few. Called by elementary and two_level.

Everything here is exact, global phase included. The number of gates grows with the square of the controls.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from qcsim.angles import constant
from qcsim.instruction import Instruction

Matrix = NDArray[np.complex128]


def gate(name: str, *qubits: int, angles: Sequence[float] = ()) -> Instruction:
    """A gate with constant angles."""
    return Instruction(name, qubits, tuple(constant(angle) for angle in angles))


def mcx(controls: Sequence[int], target: int) -> list[Instruction]:
    """X on ``target`` where all of the controls (one or more) are 1."""
    if len(controls) <= 2:
        return [gate("cnot" if len(controls) == 1 else "toffoli", *controls, target)]
    return [gate("h", target), *mcphase(math.pi, [*controls, target]), gate("h", target)]


def mcphase(angle: float, qubits: Sequence[int]) -> list[Instruction]:
    """A factor ``e^{i angle}`` where all of the qubits are 1.

    With t the last qubit, c the one before and C the product of the others,
    ``t c C = (t c - t (c xor C) + t C) / 2`` (Barenco et al., Phys. Rev. A 52, 3457, lemma 7.5).
    """
    if len(qubits) <= 2:
        return [gate("phase" if len(qubits) == 1 else "cphase", *qubits, angles=[angle])]
    *others, control, target = qubits
    flip = _mcx_with_spare(others, control, target)
    plus, minus = (gate("cphase", control, target, angles=[sign * angle / 2]) for sign in (1.0, -1.0))
    return [plus, *flip, minus, *flip, *mcphase(angle / 2, [*others, target])]


def _mcx_with_spare(controls: Sequence[int], target: int, spare: int) -> list[Instruction]:
    """X on ``target``; ``spare``, in whatever state, is used and given back (lemma 7.3)."""
    if len(controls) <= 2:
        return mcx(controls, target)
    half = -(-len(controls) // 2)
    first, second = controls[:half], [*controls[half:], spare]
    collect = _mcx_with_spares(first, spare, [*controls[half:], target])
    return (collect + _mcx_with_spares(second, target, first)) * 2


def _mcx_with_spares(controls: Sequence[int], target: int, spares: Sequence[int]) -> list[Instruction]:
    """X on ``target`` with two spare qubits fewer than controls (lemma 7.2)."""
    if len(controls) <= 2:
        return mcx(controls, target)
    line = [*spares[: len(controls) - 2], target]
    steps = [gate("toffoli", controls[k + 1], line[k - 1], line[k]) for k in range(len(line) - 1, 0, -1)]
    last = gate("toffoli", controls[0], controls[1], line[0])
    return [*steps, last, *reversed(steps), *steps[1:], last, *reversed(steps[1:])]


# Any gate on one qubit ------------------------------------------------------------------------------------------------


def controlled(matrix: Matrix, controls: Sequence[int], target: int) -> list[Instruction]:
    """A unitary (2, 2) on ``target`` where all of the controls (none to two) are 1."""
    phase, angles = euler(matrix)
    if not controls:
        return [gate("gphase", angles=[phase]), gate("u3", target, angles=angles)]
    if len(controls) == 1:
        return [*mcphase(phase, controls), gate("cu3", *controls, target, angles=angles)]
    first, second = controls
    root, flip = square_root(matrix), gate("cnot", first, second)
    there, back = controlled(root, [second], target), controlled(root.conj().T, [second], target)
    return [*there, flip, *back, flip, *controlled(root, [first], target)]


def euler(matrix: Matrix) -> tuple[float, tuple[float, float, float]]:
    """A unitary (2, 2) as ``e^{i phase} U3(theta, phi, lambda)``: the phase and the three angles, radians."""
    (a, b), (c, d) = matrix.tolist()
    phase = cmath.phase(a)
    phi = cmath.phase(c) - phase
    # Of the two entries that tell lambda the larger one is taken.
    lam = cmath.phase(d) - phase - phi if abs(a) >= abs(c) else cmath.phase(-b) - phase
    return phase, (2 * math.atan2(abs(c), abs(a)), phi, lam)


def square_root(matrix: Matrix) -> Matrix:
    """A unitary whose square is a unitary (2, 2): ``(V + s) / (r1 + r2)`` with ``s = r1 r2``, r1 and r2 the roots of
    the eigenvalues of V, of which one has a free sign."""
    s = cmath.sqrt(matrix[0, 0] * matrix[1, 1] - matrix[0, 1] * matrix[1, 0])
    trace = matrix[0, 0] + matrix[1, 1]
    s = s if abs(trace + 2 * s) >= abs(trace - 2 * s) else -s
    root: Matrix = (matrix + s * np.eye(2)) / cmath.sqrt(trace + 2 * s)
    return root
