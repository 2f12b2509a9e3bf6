"""Kraus operators of the engine's channels as arrays: rho -> sum_k K_k rho K_k^H.

Called by channels and differentiable.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from qcsim import _core

Operators: TypeAlias = NDArray[np.complex128]  # (m, 2^k, 2^k)


def kraus_of(name: str, n_qubits: int, rates: Sequence[float], matrix: Sequence[complex] = ()) -> Operators:
    """The operators of a channel on ``n_qubits`` qubits, those that vanish left out unless they were given."""
    rows = np.array(_core.kraus_operators(name, n_qubits, rates, matrix), np.complex128)
    operators = rows.reshape(-1, 2**n_qubits, 2**n_qubits)
    return operators if name == "kraus" else operators[np.abs(operators).max((1, 2)) > 0]
