"""The right answers of the noisy circuit: density matrices by plain NumPy in double precision.

Layers of RY and the ring of CNOTs, and after each CNOT rho -> (1-e) rho + e I/4 (x) Tr rho on its two qubits. States
walk forward; observables walk back (all channels here but the rotations are their own adjoints), so that the gradient
of sum(cotangent * probabilities) by an angle is 2 Tr(Lambda dR rho R^T). Called by work.py; shares no code with it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
CHUNK = 2**22  # numbers in the density matrices that are held at once


def rotated(states: Array, qubit: int, gate: Array, other: Array) -> Array:
    """gate rho other^T with matrices (2, 2) on one qubit of the states (B, D, D)."""
    size = states.shape[1]
    split = states.reshape(len(states), 2**qubit, 2, -1, 2**qubit, 2, size >> (qubit + 1))
    split = split.transpose(0, 1, 3, 4, 6, 2, 5)
    turned = gate @ split @ other.T
    return turned.transpose(0, 1, 5, 2, 3, 6, 4).reshape(states.shape)


def moved(states: Array, control: int, target: int) -> Array:
    """A CNOT from both sides."""
    size = states.shape[1]
    n = size.bit_length() - 1
    basis = np.arange(size)
    source = np.where((basis >> (n - 1 - control)) & 1 == 1, basis ^ (1 << (n - 1 - target)), basis)
    return states[:, source[:, None], source]


def depolarized(states: Array, rate: float, *qubits: int) -> Array:
    """(1-e) rho + e I/2^k (x) Tr_k rho."""
    size = states.shape[1]
    n = size.bit_length() - 1
    bits = [1 << (n - 1 - qubit) for qubit in qubits]
    values = [sum(bit for i, bit in enumerate(bits) if k >> i & 1) for k in range(2 ** len(bits))]
    rest = np.flatnonzero(np.arange(size) & sum(bits) == 0)
    blocks = [((rest | value)[:, None], rest | value) for value in values]
    traced = sum(states[:, rows, columns] for rows, columns in blocks)
    mixed = (1 - rate) * states
    for rows, columns in blocks:
        mixed[:, rows, columns] += rate / len(values) * traced
    return mixed


def ry(angle: float) -> tuple[Array, Array]:
    """RY and its derivative."""
    c, s = np.cos(angle / 2), np.sin(angle / 2)
    return np.array([[c, -s], [s, c]]), np.array([[-s, -c], [c, -s]]) / 2


def ring(n: int) -> list[tuple[int, int]]:
    return [(control, (control + 1) % n) for control in range(n if n > 1 else 0)]


def forward(states: Array, angles: Array, rate: float) -> tuple[Array, list[Array]]:
    """The final states, and those that every rotation meets."""
    met = []
    for layer in angles:
        for qubit, angle in enumerate(layer):
            met.append(states)
            states = rotated(states, qubit, *2 * (ry(angle)[0],))
        for pair in ring(len(layer)):
            states = depolarized(moved(states, *pair), rate, *pair)
    return states, met


def backward(observables: Array, met: list[Array], angles: Array, rate: float) -> tuple[Array, Array]:
    """The observables (B, D, D) on the first state, and the slopes (B, layers n)."""
    slopes = np.zeros((len(observables), angles.size))
    for layer, index in reversed([(layer, i * angles.shape[1]) for i, layer in enumerate(angles)]):
        for pair in reversed(ring(len(layer))):
            observables = moved(depolarized(observables, rate, *pair), *pair)
        for qubit in reversed(range(len(layer))):
            gate, slope = ry(layer[qubit])
            bent = rotated(met[index + qubit], qubit, slope, gate)
            slopes[:, index + qubit] = 2 * np.einsum("bij,bji->b", observables, bent)
            observables = rotated(observables, qubit, gate.T, gate.T)
    return observables, slopes


def answers(amplitudes: Array, angles: Array, rate: float, cotangent: Array | None) -> tuple[Array, Array, Array]:
    """Probabilities (B, D), and with a cotangent each sample's gradients of the angles (B, P) and amplitudes (B, D).

    `angles` is (layers, n).
    """
    rows, parts = max(1, CHUNK // (amplitudes.shape[1] ** 2 * max(angles.size, 1))), []
    for first in range(0, len(amplitudes), rows):
        given = amplitudes[first : first + rows]
        norm = np.linalg.norm(given, axis=1, keepdims=True)
        psi = given / norm
        states, met = forward(psi[:, :, None] * psi[:, None, :], angles, rate)
        outputs = np.einsum("bii->bi", states)
        if cotangent is None:
            parts.append((outputs, np.zeros((len(given), 0)), np.zeros((len(given), 0))))
            continue
        diagonal = cotangent[first : first + rows, :, None] * np.eye(psi.shape[1])
        observables, slopes = backward(diagonal, met, angles, rate)
        pulled = np.einsum("bij,bj->bi", observables, psi)
        by_amplitudes = 2 * (pulled - psi * np.sum(psi * pulled, axis=1, keepdims=True)) / norm
        parts.append((outputs, slopes, by_amplitudes))
    outputs, by_angles, by_amplitudes = (np.concatenate(column) for column in zip(*parts, strict=True))
    return outputs, by_angles, by_amplitudes
