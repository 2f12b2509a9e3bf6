"""Kraus operators of the channels, in NumPy, by the name and rates of an instruction: rho -> sum_k K_k rho K_k^H.

Called by channels, for users, and by differentiable. The engine has its own.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from functools import reduce
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Operators: TypeAlias = NDArray[np.complex128]  # (m, 2^k, 2^k)

_PAULIS = np.array([[[1, 0], [0, 1]], [[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])


def kraus_of(name: str, n_qubits: int, rates: Sequence[float], matrix: Sequence[complex] = ()) -> Operators:
    """The operators of a channel on ``n_qubits`` qubits, those that vanish left out."""
    if name == "kraus":
        return np.reshape(np.asarray(matrix, np.complex128), (-1, 2**n_qubits, 2**n_qubits))
    operators = _depolarizing(rates[0], n_qubits) if name == "depolarizing" else _ONE_QUBIT[name](*rates)
    found: Operators = operators[np.abs(operators).max((1, 2)) > 0]
    return found


def _mixture(probabilities: Sequence[float], unitaries: NDArray[np.complex128]) -> Operators:
    # The first is one minus the others, and may round to below zero.
    return np.sqrt(np.maximum(probabilities, 0.0))[:, None, None] * unitaries


def _depolarizing(rate: float, n_qubits: int) -> Operators:
    """Every Pauli word alike: I/2^k (x) Tr_k is their mean."""
    words = np.array([_kronecker(word) for word in itertools.product(_PAULIS, repeat=n_qubits)])
    return _mixture([1.0 - rate + rate / len(words), *[rate / len(words)] * (len(words) - 1)], words)


def _kronecker(factors: Sequence[NDArray[np.complex128]]) -> NDArray[np.complex128]:
    return reduce(np.kron, factors, np.eye(1, dtype=np.complex128))  # type: ignore[arg-type]


def _pauli(x: float, y: float, z: float) -> Operators:
    return _mixture([1.0 - x - y - z, x, y, z], _PAULIS)


def _amplitude_damping(gamma: float, excited: float) -> Operators:
    kept, lost = math.sqrt(1.0 - gamma), math.sqrt(gamma)
    down = math.sqrt(1.0 - excited) * np.array([[[1, 0], [0, kept]], [[0, lost], [0, 0]]])
    up = math.sqrt(excited) * np.array([[[kept, 0], [0, 1]], [[0, 0], [lost, 0]]])
    return np.concatenate([down, up]).astype(np.complex128)


def _phase_damping(lam: float) -> Operators:
    return np.array([[[1, 0], [0, math.sqrt(1.0 - lam)]], [[0, 0], [0, math.sqrt(lam)]]], np.complex128)


def _thermal_relaxation(t1: float, t2: float, time: float, excited: float) -> Operators:
    """Decay at the rate 1/t1, and what the coherences lose beyond it."""
    coherence = math.exp(-time / t2 + 0.5 * time / t1)
    lost = _phase_damping(max(0.0, 1.0 - coherence * coherence))
    decay = _amplitude_damping(-math.expm1(-time / t1), excited)
    return np.array([dephased @ each for dephased in lost for each in decay])


_ONE_QUBIT: dict[str, Callable[..., Operators]] = {
    "bit_flip": lambda p: _pauli(p, 0.0, 0.0),
    "phase_flip": lambda p: _pauli(0.0, 0.0, p),
    "bit_phase_flip": lambda p: _pauli(0.0, p, 0.0),
    "pauli": _pauli,
    "amplitude_damping": _amplitude_damping,
    "phase_damping": _phase_damping,
    "thermal_relaxation": _thermal_relaxation,
}
