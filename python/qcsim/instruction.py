"""One gate or channel of a circuit as a value, and what can be made of it: its inverse, its place elsewhere."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from qcsim import _core
from qcsim.angles import Angle
from qcsim.integers import counted

_INVERSES = {"s": "sdg", "t": "tdg", "sx": "sxdg", "iswap": "iswapdg"}
_INVERSES |= {inverse: gate for gate, inverse in _INVERSES.items()}
# The order in which the inverse takes the negated angles.
_REVERSED = {"u3": (0, 2, 1), "cu3": (0, 2, 1), "rot": (2, 1, 0)}


class Instruction(NamedTuple):
    """A gate or channel of a circuit: its name, the qubits it acts on, its angles, matrix, rates and word.

    Attributes:
        gate: its name, as that of the builder method.
        qubits: in the order of the builder method: controls first; empty for depolarizing of all.
        angles: none, one or three.
        matrix: entries row by row, of Kraus operators one after another; empty but for a unitary and those.
        rates: the numbers that make a channel; empty for a gate.
        word: of a rotation by a Pauli word, a letter for each qubit; else empty.

    Example:
        >>> import qcsim
        >>> gate, qubits, angles, *_ = qcsim.Circuit(2).crx(1, 0, angle=2 * qcsim.weight(0)).instructions[0]
        >>> gate, qubits, angles
        ('crx', (1, 0), (2 * weight(0),))
    """

    gate: str
    qubits: tuple[int, ...]
    angles: tuple[Angle, ...] = ()
    matrix: tuple[complex, ...] = ()
    rates: tuple[float, ...] = ()
    word: str = ""

    @property
    def is_channel(self) -> bool:
        """Whether it is noise and no gate."""
        return bool(self.rates) or self.gate == "kraus"

    def inverse(self) -> Instruction:
        """The gate that undoes this one.

        Raises:
            ValueError: for a channel, which nothing undoes.
        """
        if self.is_channel:
            raise ValueError(f"{self.gate} is noise, which no gate undoes")
        order = _REVERSED.get(self.gate, range(len(self.angles)))
        side = 2 ** len(self.qubits)
        adjoint = np.reshape(self.matrix, (side, side)).conj().T.ravel().tolist() if self.matrix else ()
        return self._replace(
            gate=_INVERSES.get(self.gate, self.gate),
            angles=tuple(-self.angles[k] for k in order),
            matrix=tuple(adjoint),
        )

    def append_to(self, circuit: _core.Circuit) -> None:
        """Add it to an engine circuit, which checks it."""
        rows = [(angle.source, angle.index, angle.scale, angle.shift) for angle in self.angles]
        circuit.append(self.gate, self.qubits, rows, self.matrix, self.rates, self.word)


def instructions(circuit: _core.Circuit) -> tuple[Instruction, ...]:
    """The gates of an engine circuit in order."""
    return tuple(
        Instruction(gate, qubits, tuple(Angle(*angle) for angle in angles), matrix, rates, word)
        for gate, qubits, angles, matrix, rates, word in circuit.instructions
    )


def depth(gates: tuple[Instruction, ...], n_qubits: int) -> int:
    """The number of moments if every gate runs as soon as its qubits are free; noise takes none."""
    busy = [0] * n_qubits
    for instruction in gates:
        if instruction.is_channel:
            continue
        moment = 1 + max(busy[qubit] for qubit in instruction.qubits)
        for qubit in instruction.qubits:
            busy[qubit] = moment
    return max(busy)


def unitary_matrix(matrix: Any, n_qubits: int) -> tuple[complex, ...]:
    """The entries of a square matrix on ``n_qubits`` qubits, row by row.

    Raises:
        TypeError: if it is no array of numbers.
        ValueError: for a wrong shape, or if torch is asked to differentiate it.
    """
    if getattr(matrix, "requires_grad", False):
        raise ValueError("the matrix requires a gradient, and a unitary has none; use gates with weights")
    if hasattr(matrix, "resolve_conj"):  # a torch view may hold its conjugation as a flag that memory does not show
        matrix = matrix.resolve_conj().resolve_neg()
    try:
        entries = np.asarray(matrix, dtype=np.complex128)
    except (TypeError, ValueError):
        kind = type(matrix).__name__
        raise TypeError(f"the matrix of a unitary is a {kind}; it must be a square array of complex numbers") from None
    side = 2**n_qubits
    if entries.shape != (side, side):
        raise ValueError(
            f"the matrix has shape {entries.shape}; on {counted(n_qubits, 'qubit')} it is ({side}, {side})"
        )
    if not np.isfinite(entries).all():
        raise ValueError("the matrix has an entry that is not finite; a unitary has entries of size 1 at most")
    return tuple(entries.ravel().tolist())
