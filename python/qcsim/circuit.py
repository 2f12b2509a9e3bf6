"""Circuits: what a user writes.

A circuit is a list of gates, validated as it grows, and a value: equal circuits are equal, and one that has been run or
hashed is frozen, so that it can be a key. The engine's object lives inside; this face adds types, names and words.
"""

from __future__ import annotations

from typing import Any

from qcsim import _core
from qcsim.drawing import draw
from qcsim.integers import integer

_KEPT_READOUTS = 64
_INDICES = f"0..{_core.MAX_ANGLES - 1}"


class Circuit:
    """A quantum circuit on ``n_qubits`` qubits, built gate by gate.

    Qubit 0 is the most significant bit of a basis index. Every builder method returns the circuit. A rotation takes its
    angle (radians) from one of three places: the next trainable weight (the default) or a given one (``weight=k``,
    which may be shared), a per-sample feature (``feature=k``), or a constant (``angle=0.3``).

    Args:
        n_qubits: number of qubits, 1 to 14.

    Raises:
        ValueError: for a number of qubits, a qubit or an index outside its range.

    Example:
        >>> import qcsim
        >>> bell = qcsim.Circuit(2).ry(0).cnot(0, 1)
        >>> print(bell)
        q0: ─RY(w0)─●─
        q1: ────────X─
        >>> bell.n_weights
        1
    """

    __slots__ = ("_core", "_frozen", "_program", "_readouts")

    def __init__(self, n_qubits: int) -> None:
        self._core = _core.Circuit(integer("n_qubits", n_qubits, f"1..{_core.MAX_QUBITS}"))
        self._frozen = False
        self._program: _core.Compiled | None = None
        self._readouts: dict[Any, _core.Readout] = {}

    # Gates -----------------------------------------------------------------------------------------------------------

    def amplitude_embedding(self) -> Circuit:
        """Start from amplitudes given at run time, zero-padded at the tail and normalised; first and once."""
        self._writable().embed_amplitudes()
        return self

    def ry(
        self, qubit: int, *, weight: int | None = None, feature: int | None = None, angle: float | None = None
    ) -> Circuit:
        """Rotate a qubit about Y: ``RY(t) = [[cos t/2, -sin t/2], [sin t/2, cos t/2]]``.

        Args:
            qubit: the qubit to rotate.
            weight: index of the trainable weight that is the angle; by default the next one.
            feature: index of the per-sample feature that is the angle.
            angle: a constant angle in radians.

        Raises:
            ValueError: if more than one of ``weight``, ``feature`` and ``angle`` is given.
        """
        self._rotation("ry", qubit, weight, feature, angle)
        return self

    def x(self, qubit: int) -> Circuit:
        """Flip a qubit (Pauli X). Costs nothing at run time."""
        return self._gate("x", qubit)

    def cnot(self, control: int, target: int) -> Circuit:
        """Flip ``target`` where ``control`` is 1. Costs nothing at run time."""
        return self._gate("cnot", control, target)

    def swap(self, first: int, second: int) -> Circuit:
        """Exchange two qubits. Costs nothing at run time."""
        return self._gate("swap", first, second)

    def ring(self) -> Circuit:
        """Add ``CNOT(i, (i+1) mod n)`` for i = 0 .. n-1 in that order; one qubit has no ring, two apply both."""
        n = self.n_qubits
        for qubit in range(n if n > 1 else 0):
            self.cnot(qubit, (qubit + 1) % n)
        return self

    # What it is ------------------------------------------------------------------------------------------------------

    @property
    def n_qubits(self) -> int:
        """Number of qubits."""
        return self._core.n_qubits

    @property
    def n_weights(self) -> int:
        """Number of trainable weights: one more than the largest index used."""
        return self._core.n_weights

    @property
    def n_features(self) -> int:
        """Number of per-sample features: one more than the largest index used."""
        return self._core.n_features

    @property
    def embeds_amplitudes(self) -> bool:
        """Whether the input state is given as amplitudes; otherwise it is |0...0>."""
        return self._core.embeds_amplitudes

    def copy(self) -> Circuit:
        """An equal circuit that can be added to, whether or not this one is frozen."""
        twin = Circuit.__new__(Circuit)
        twin._core = self._core.copy()
        twin._frozen = False
        twin._program = None
        twin._readouts = {}
        return twin

    def __len__(self) -> int:
        return len(self._core.instructions)

    def __str__(self) -> str:
        return draw(self._core)

    def __repr__(self) -> str:
        embedding = ", amplitude_embedding" if self.embeds_amplitudes else ""
        return f"<Circuit: {self.n_qubits} qubits, {len(self)} gates, {self.n_weights} weights{embedding}>"

    def __eq__(self, other: object) -> bool:
        return self._key() == other._key() if isinstance(other, Circuit) else NotImplemented

    def __hash__(self) -> int:
        self._frozen = True
        return hash(self._key())

    def __copy__(self) -> Circuit:
        return self.copy()

    def __deepcopy__(self, memo: dict[int, Any]) -> Circuit:
        return self.copy()

    def __reduce__(self) -> tuple[Any, ...]:
        rows = [
            (gate, qubits, source.name, index, value) for gate, qubits, source, index, value in self._instructions()
        ]
        return _rebuild, (self.n_qubits, self.embeds_amplitudes, rows)

    # Inside ----------------------------------------------------------------------------------------------------------

    def compiled(self) -> _core.Compiled:
        """The compiled program; freezes the circuit."""
        if self._program is None:
            self._frozen = True
            self._program = _core.Compiled(self._core)
        return self._program

    def readout(self, qubits: tuple[int, ...] | None, products: tuple[tuple[int, ...], ...] | None) -> _core.Readout:
        """What to read from the final state: the outcomes of some qubits (None: all), or products of Z."""
        key = (qubits, products)
        found = self._readouts.get(key)
        if found is None:
            if products is not None:
                found = _core.Readout(self.compiled())
                found.add_expectations([[(1.0, [(q, "Z") for q in product])] for product in products])
            else:
                chosen = range(self.n_qubits) if qubits is None else qubits
                found = _core.Readout(self.compiled())
                found.add_probabilities(list(chosen))
            if len(self._readouts) == _KEPT_READOUTS:
                self._readouts.pop(next(iter(self._readouts)))
            self._readouts[key] = found
        return found

    def _instructions(self) -> list[tuple[str, tuple[int, ...], _core.Source, int, float]]:
        return self._core.instructions

    def _key(self) -> tuple[Any, ...]:
        return (self.n_qubits, self.embeds_amplitudes, tuple(self._instructions()))

    def _writable(self) -> _core.Circuit:
        if self._frozen:
            raise ValueError("this circuit has been run or hashed and is frozen; add gates to circuit.copy()")
        return self._core

    def _qubit(self, qubit: int) -> int:
        return integer("qubit", qubit, f"0..{self.n_qubits - 1}")

    def _gate(self, name: str, *qubits: int) -> Circuit:
        self._writable().append(name, [self._qubit(qubit) for qubit in qubits])
        return self

    def _rotation(self, name: str, qubit: int, weight: int | None, feature: int | None, angle: float | None) -> None:
        given = [
            key for key, value in (("weight", weight), ("feature", feature), ("angle", angle)) if value is not None
        ]
        if len(given) > 1:
            raise ValueError(f"{name} got {' and '.join(given)}; its angle comes from one of weight, feature and angle")
        circuit, qubit = self._writable(), self._qubit(qubit)
        if angle is not None:
            circuit.append(name, [qubit], [(_core.Source.CONSTANT, 0, 1.0, _radians(angle))])
        elif feature is not None:
            circuit.append(name, [qubit], [(_core.Source.FEATURE, integer("feature", feature, _INDICES), 1.0, 0.0)])
        else:
            index = self.n_weights if weight is None else integer("weight", weight, _INDICES)
            circuit.append(name, [qubit], [(_core.Source.WEIGHT, index, 1.0, 0.0)])


def hardware_efficient(n_qubits: int, n_layers: int) -> Circuit:
    """Amplitude embedding, then layers of RY on every qubit and the ring of CNOTs: the reference circuit.

    The weight of layer l, qubit i is number ``l * n_qubits + i``.

    Args:
        n_qubits: number of qubits, 1 to 14.
        n_layers: number of layers, 0 or more.

    Returns:
        A circuit with ``n_qubits * n_layers`` weights.

    Raises:
        ValueError: for a number of qubits or layers outside its range.

    Source: QC-MAPPO (2025), section 3.1 and equation 2: the hardware-efficient ansatz with 4 layers.

    Example:
        >>> import qcsim
        >>> qcsim.hardware_efficient(n_qubits=9, n_layers=4).n_weights
        36
    """
    if integer("n_layers", n_layers, "0 or more") < 0:
        raise ValueError(f"n_layers is {n_layers}; it must be 0 or more")
    circuit = Circuit(n_qubits).amplitude_embedding()
    for _ in range(n_layers):
        for qubit in range(n_qubits):
            circuit.ry(qubit)
        circuit.ring()
    return circuit


def _radians(angle: Any) -> float:
    if isinstance(angle, bool) or not hasattr(angle, "__float__"):
        raise TypeError(f"angle is {angle!r} of type {type(angle).__name__}; it must be a number of radians")
    try:
        return float(angle)
    except OverflowError:
        raise ValueError("angle is beyond the range of float64; it must be a finite number of radians") from None


def _rebuild(n_qubits: int, embeds: bool, rows: list[tuple[str, tuple[int, ...], str, int, float]]) -> Circuit:
    circuit = Circuit(n_qubits)
    if embeds:
        circuit.amplitude_embedding()
    for gate, qubits, source, index, value in rows:
        circuit._core.append(gate, list(qubits), _core.Source[source], index, value)
    return circuit
