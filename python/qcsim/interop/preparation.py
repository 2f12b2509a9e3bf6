"""A state from |0...0> by rotations and CNOTs. Called by the writers of OpenQASM.

Qubit after qubit, each turned by an angle that the qubits before it choose (Mottonen et al., Quantum Inf. Comput. 5,
467). 2^n - 1 RY and about as many CNOTs, twice that with RZ if the state is complex; fewer where angles agree.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from qcsim.instruction import Instruction
from qcsim.interop.controlled import gate

Floats = NDArray[np.float64]
_NOTHING = 1e-15  # radians


def prepare(state: NDArray[np.float64] | NDArray[np.complex128]) -> list[Instruction]:
    """Gates that make a state of norm 1, (2^n,), qubit 0 the most significant bit; exact, global phase included."""
    rest, layers = np.asarray(state), []
    for qubit in reversed(range(len(rest).bit_length() - 1)):
        low, high = rest[0::2], rest[1::2]
        if not np.iscomplexobj(rest):
            layers.append(_chosen("ry", 2 * np.arctan2(high, low), qubit))
            rest = np.hypot(low, high)
            continue
        turns = 2 * np.arctan2(abs(high), abs(low))
        shifts = np.where((low == 0) | (high == 0), 0.0, np.angle(high * low.conj()))
        layers.append([*_chosen("ry", turns, qubit), *_chosen("rz", shifts, qubit)])
        # What is left has the phase of the pair once RZ has taken its halves.
        phase = np.where(low == 0, np.angle(high) - shifts / 2, np.angle(low) + shifts / 2)
        rest = np.hypot(abs(low), abs(high)) * np.exp(1j * phase)
    gates = [step for layer in reversed(layers) for step in layer]
    turn = float(np.angle(rest[0]))
    return [gate("gphase", angles=[turn]), *gates] if turn else gates


def _chosen(name: str, angles: Floats, target: int) -> list[Instruction]:
    """A rotation of qubit ``target`` by ``angles[z]`` where the qubits before it read z."""
    gates: list[Instruction] = []
    waiting: set[int] = set()  # controls of CNOTs that nothing has kept from moving on, and that cancel in pairs
    for angle, control in zip(_spread(angles), _controls(target), strict=True):
        if abs(angle) > _NOTHING:
            gates += [gate("cnot", each, target) for each in sorted(waiting)]
            waiting.clear()
            gates.append(gate(name, target, angles=[angle]))
        waiting ^= {control} if control is not None else set()
    return gates + [gate("cnot", each, target) for each in sorted(waiting)]


def _controls(target: int) -> Iterator[int | None]:
    """Behind each rotation the control of the CNOT, in the order of a Gray code that closes."""
    if target == 0:
        yield None
        return
    for place in range(1, (1 << target) + 1):
        bit = min((place & -place).bit_length() - 1, target - 1)
        yield target - 1 - bit


def _spread(angles: Floats) -> Floats:
    """The angles of the rotations between the CNOTs: ``2^-m sum_z (-1)^(z . code(j)) angles[z]``."""
    found = np.array(angles, np.float64)
    size = len(found)
    step = 1
    while step < size:  # the fast Walsh-Hadamard transform
        pairs = found.reshape(-1, 2, step)
        found = np.stack([pairs[:, 0] + pairs[:, 1], pairs[:, 0] - pairs[:, 1]], axis=1).reshape(size)
        step *= 2
    code = np.arange(size) ^ np.arange(size) >> 1
    spread: Floats = found[code] / size
    return spread
