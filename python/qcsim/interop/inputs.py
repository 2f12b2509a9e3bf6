"""One sample of a circuit's inputs, filled in where it is given. Called by to_qiskit and the writers of OpenQASM."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from qcsim.circuit import Circuit
from qcsim.instruction import Instruction


class Bound:
    """The gates of a circuit with the numbers that were given in place of weights and features.

    Args:
        circuit: without noise.
        weights: (P,) or None, to leave them open.
        features: (F,) or None, to leave them open.
        amplitudes: (D,) if the circuit embeds amplitudes.

    Attributes:
        gates: in order.
        state: (2^n,) float64 or complex128 of norm 1, the state to begin with, qubit 0 the most significant bit; None:
            |0...0>.

    Raises:
        ValueError: for noise, a wrong shape, a number that is not finite, amplitudes that are all zero, missing or
            not asked for.
        TypeError: for something that is no circuit, or no array of numbers.
    """

    def __init__(self, circuit: Circuit, weights: Any, features: Any, amplitudes: Any) -> None:
        if not isinstance(circuit, Circuit):
            raise TypeError(f"circuit is {circuit!r} of type {type(circuit).__name__}; it must be a qcsim.Circuit")
        noisy = next((gate.gate for gate in circuit.instructions if gate.is_channel), None)
        if noisy is not None:
            raise ValueError(f"the circuit has noise ({noisy}), which is no gate; export a circuit without it: "
                             "a device has noise of its own")  # fmt: skip
        self.state = _state(circuit, amplitudes)
        given = {"weights": _row("weights", weights, circuit.n_weights),
                 "features": _row("features", features, circuit.n_features)}  # fmt: skip
        filled = {name: row.tolist() for name, row in given.items() if row is not None}
        self.gates: tuple[Instruction, ...] = (circuit.assign(**filled) if filled else circuit).instructions


def _row(name: str, values: Any, expected: int) -> NDArray[np.float64] | None:
    if values is None:
        return None
    row = _numbers(name, values)
    if row.shape != (expected,):
        raise ValueError(f"{name} has shape {row.shape}; one circuit is exported, and it has {expected} {name}: "
                         f"({expected},)")  # fmt: skip
    if np.iscomplexobj(row):
        raise ValueError(f"{name} is complex; angles are real numbers of radians")
    return row


def _state(circuit: Circuit, amplitudes: Any) -> NDArray[Any] | None:
    if not circuit.embeds_amplitudes:
        if amplitudes is not None:
            raise ValueError("amplitudes were given, and the circuit embeds none; leave them out, or begin the circuit "
                             "with amplitude_embedding()")  # fmt: skip
        return None
    if amplitudes is None:
        raise ValueError("the circuit embeds amplitudes, and none were given; a circuit on its own prepares one state: "
                         "give amplitudes of one sample")  # fmt: skip
    row, size = _numbers("amplitudes", amplitudes), 1 << circuit.n_qubits
    if row.ndim != 1 or not 1 <= len(row) <= size:
        raise ValueError(f"amplitudes has shape {row.shape}; those of one sample are (D,) with D in 1..{size}")
    largest = np.abs(row).max()
    if largest == 0.0:
        raise ValueError("the amplitudes are all zero; a state needs a norm above zero")
    state = np.zeros(size, np.complex128 if np.iscomplexobj(row) else np.float64)
    state[: len(row)] = row / largest
    return state / np.linalg.norm(state)


def _numbers(name: str, values: Any) -> NDArray[Any]:
    given = values.detach().cpu().numpy() if hasattr(values, "detach") else np.asarray(values)
    if given.dtype.kind not in "iufc":
        raise TypeError(f"{name} is of type {type(values).__name__}; it must be an array of numbers")
    if not np.isfinite(given).all():
        raise ValueError(f"{name} has a number that is not finite")
    return given.astype(np.complex128) if np.any(np.imag(given)) else np.real(given).astype(np.float64)
