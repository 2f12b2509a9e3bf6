"""The builder methods of a circuit, one per gate; ``c = cos t/2`` and ``s = sin t/2`` in their matrices.

A controlled gate names its controls first and acts where all of them are 1. Matrices are written in the order of the
arguments, the first qubit being the most significant bit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from qcsim.angles import Angle, one_angle, three_angles
from qcsim.instruction import Instruction, unitary_matrix
from qcsim.integers import integer

if TYPE_CHECKING:
    from typing_extensions import Self

Index = int | None  # of a weight or a feature
Radians = Angle | float | None  # a constant or an expression such as 2 * qcsim.weight(0)


_WAYS = "angle=0.3, weight=k or feature=k"


class Gates:
    """What adds a gate to a circuit; :class:`qcsim.Circuit` is one.

    Every method returns the circuit. Gates with one angle take it from the next trainable weight, or from ``weight=k``,
    ``feature=k`` (both with ``scale=`` and ``shift=``: ``scale * value + shift``) or ``angle=``, a number of radians or
    an expression such as ``2 * qcsim.weight(0) + 0.3``; only qubits go by place. Gates with three angles take the next
    three weights, or ``angles=(a, b, c)`` of numbers and expressions.
    """

    __slots__ = ()

    # One qubit -------------------------------------------------------------------------------------------------------

    def x(self, qubit: int) -> Self:
        """X: ``[[0, 1], [1, 0]]``. Costs nothing at run time."""
        return self._gate("x", qubit)

    def y(self, qubit: int) -> Self:
        """Y: ``[[0, -i], [i, 0]]``."""
        return self._gate("y", qubit)

    def z(self, qubit: int) -> Self:
        """Z: ``diag(1, -1)``."""
        return self._gate("z", qubit)

    def h(self, qubit: int) -> Self:
        """Hadamard: ``[[1, 1], [1, -1]] / sqrt 2``."""
        return self._gate("h", qubit)

    def s(self, qubit: int) -> Self:
        """S: ``diag(1, i)``, the square root of Z."""
        return self._gate("s", qubit)

    def sdg(self, qubit: int) -> Self:
        """Inverse of S: ``diag(1, -i)``."""
        return self._gate("sdg", qubit)

    def t(self, qubit: int) -> Self:
        """T: ``diag(1, e^{i pi/4})``, the square root of S."""
        return self._gate("t", qubit)

    def tdg(self, qubit: int) -> Self:
        """Inverse of T: ``diag(1, e^{-i pi/4})``."""
        return self._gate("tdg", qubit)

    def sx(self, qubit: int) -> Self:
        """Square root of X: ``[[1+i, 1-i], [1-i, 1+i]] / 2``."""
        return self._gate("sx", qubit)

    def sxdg(self, qubit: int) -> Self:
        """Inverse of SX: ``[[1-i, 1+i], [1+i, 1-i]] / 2``."""
        return self._gate("sxdg", qubit)

    def rx(self, qubit: int, *no_more: int, weight: Index = None, feature: Index = None,
           angle: Radians = None, scale: float = 1.0, shift: float = 0.0) -> Self:  # fmt: skip
        """RX(t) = exp(-i t X/2): ``[[c, -i s], [-i s, c]]``."""
        return self._turn("rx", (qubit,), no_more, weight, feature, angle, scale, shift)

    def ry(self, qubit: int, *no_more: int, weight: Index = None, feature: Index = None,
           angle: Radians = None, scale: float = 1.0, shift: float = 0.0) -> Self:  # fmt: skip
        """RY(t) = exp(-i t Y/2): ``[[c, -s], [s, c]]``."""
        return self._turn("ry", (qubit,), no_more, weight, feature, angle, scale, shift)

    def rz(self, qubit: int, *no_more: int, weight: Index = None, feature: Index = None,
           angle: Radians = None, scale: float = 1.0, shift: float = 0.0) -> Self:  # fmt: skip
        """RZ(t) = exp(-i t Z/2): ``diag(e^{-i t/2}, e^{i t/2})``."""
        return self._turn("rz", (qubit,), no_more, weight, feature, angle, scale, shift)

    def phase(self, qubit: int, *no_more: int, weight: Index = None, feature: Index = None,
              angle: Radians = None, scale: float = 1.0, shift: float = 0.0) -> Self:  # fmt: skip
        """Phase(t): ``diag(1, e^{i t})``."""
        return self._turn("phase", (qubit,), no_more, weight, feature, angle, scale, shift)

    def u3(self, qubit: int, *no_more: int, angles: Iterable[Angle | float] | None = None) -> Self:
        """U3(t, p, l): ``[[c, -e^{i l} s], [e^{i p} s, e^{i(p+l)} c]]``; the angles are theta, phi, lambda."""
        return self._turn3("u3", (qubit,), no_more, angles)

    def rot(self, qubit: int, *no_more: int, angles: Iterable[Angle | float] | None = None) -> Self:
        """Rot(p, t, w) = RZ(w) RY(t) RZ(p); the angles are phi, theta, omega."""
        return self._turn3("rot", (qubit,), no_more, angles)

    # Two qubits ------------------------------------------------------------------------------------------------------

    def cnot(self, control: int, target: int) -> Self:
        """X on ``target`` where ``control`` is 1. Costs nothing at run time."""
        return self._gate("cnot", control, target)

    def cy(self, control: int, target: int) -> Self:
        """Y on ``target`` where ``control`` is 1."""
        return self._gate("cy", control, target)

    def cz(self, control: int, target: int) -> Self:
        """Z on ``target`` where ``control`` is 1: ``diag(1, 1, 1, -1)``."""
        return self._gate("cz", control, target)

    def ch(self, control: int, target: int) -> Self:
        """Hadamard on ``target`` where ``control`` is 1."""
        return self._gate("ch", control, target)

    def crx(self, control: int, target: int, *no_more: int, weight: Index = None, feature: Index = None,
            angle: Radians = None, scale: float = 1.0, shift: float = 0.0) -> Self:  # fmt: skip
        """RX on ``target`` where ``control`` is 1."""
        return self._turn("crx", (control, target), no_more, weight, feature, angle, scale, shift)

    def cry(self, control: int, target: int, *no_more: int, weight: Index = None, feature: Index = None,
            angle: Radians = None, scale: float = 1.0, shift: float = 0.0) -> Self:  # fmt: skip
        """RY on ``target`` where ``control`` is 1."""
        return self._turn("cry", (control, target), no_more, weight, feature, angle, scale, shift)

    def crz(self, control: int, target: int, *no_more: int, weight: Index = None, feature: Index = None,
            angle: Radians = None, scale: float = 1.0, shift: float = 0.0) -> Self:  # fmt: skip
        """RZ on ``target`` where ``control`` is 1."""
        return self._turn("crz", (control, target), no_more, weight, feature, angle, scale, shift)

    def cphase(self, control: int, target: int, *no_more: int, weight: Index = None, feature: Index = None,
               angle: Radians = None, scale: float = 1.0, shift: float = 0.0) -> Self:  # fmt: skip
        """Phase on ``target`` where ``control`` is 1: ``diag(1, 1, 1, e^{i t})``."""
        return self._turn("cphase", (control, target), no_more, weight, feature, angle, scale, shift)

    def cu3(self, control: int, target: int, *no_more: int, angles: Iterable[Angle | float] | None = None) -> Self:
        """U3 on ``target`` where ``control`` is 1."""
        return self._turn3("cu3", (control, target), no_more, angles)

    def swap(self, first: int, second: int) -> Self:
        """Exchange two qubits. Costs nothing at run time."""
        return self._gate("swap", first, second)

    def iswap(self, first: int, second: int) -> Self:
        """Exchange two qubits, with a factor i on |01> and |10>."""
        return self._gate("iswap", first, second)

    def iswapdg(self, first: int, second: int) -> Self:
        """Inverse of iSWAP: exchange two qubits, with a factor -i on |01> and |10>."""
        return self._gate("iswapdg", first, second)

    def rxx(self, first: int, second: int, *no_more: int, weight: Index = None, feature: Index = None,
            angle: Radians = None, scale: float = 1.0, shift: float = 0.0) -> Self:  # fmt: skip
        """RXX(t) = exp(-i t XX/2)."""
        return self._turn("rxx", (first, second), no_more, weight, feature, angle, scale, shift)

    def ryy(self, first: int, second: int, *no_more: int, weight: Index = None, feature: Index = None,
            angle: Radians = None, scale: float = 1.0, shift: float = 0.0) -> Self:  # fmt: skip
        """RYY(t) = exp(-i t YY/2)."""
        return self._turn("ryy", (first, second), no_more, weight, feature, angle, scale, shift)

    def rzz(self, first: int, second: int, *no_more: int, weight: Index = None, feature: Index = None,
            angle: Radians = None, scale: float = 1.0, shift: float = 0.0) -> Self:  # fmt: skip
        """RZZ(t) = exp(-i t ZZ/2)."""
        return self._turn("rzz", (first, second), no_more, weight, feature, angle, scale, shift)

    # Three qubits and more -------------------------------------------------------------------------------------------

    def toffoli(self, control0: int, control1: int, target: int) -> Self:
        """X on ``target`` where both controls are 1."""
        return self._gate("toffoli", control0, control1, target)

    def fredkin(self, control: int, first: int, second: int) -> Self:
        """Exchange two qubits where ``control`` is 1."""
        return self._gate("fredkin", control, first, second)

    def mcx(self, controls: Sequence[int], target: int) -> Self:
        """X on ``target`` where all of ``controls`` (one or more) are 1."""
        return self._gate("mcx", *listed("controls", controls), target)

    def mcz(self, qubits: Sequence[int]) -> Self:
        """Change the sign where all of ``qubits`` (one or more) are 1."""
        return self._gate("mcz", *listed("qubits", qubits))

    def pauli_rot(self, word: str, qubits: Sequence[int], *no_more: int, weight: Index = None, feature: Index = None,
                  angle: Radians = None, scale: float = 1.0, shift: float = 0.0) -> Self:  # fmt: skip
        """exp(-i t P/2) of a Pauli word: ``pauli_rot("XYZ", [0, 2, 3])`` turns by P = X on 0, Y on 2 and Z on 3.

        As many qubits as there are letters X, Y and Z, in any order; one rotation of the engine, however many there
        are. ``rx``, ``ry``, ``rz``, ``rxx``, ``ryy`` and ``rzz`` are such rotations too.

        Raises:
            ValueError: for another letter (qubits on which the word is the identity are left out), or another number
                of qubits (``TypeError`` if the word is no text).

        Example:
            >>> import numpy as np, qcsim
            >>> circuit = qcsim.Circuit(4).pauli_rot("XYZ", [0, 2, 3])
            >>> print(circuit)
            q0: ─R[X](w0)─
            q1: ────│─────
            q2: ─R[Y](w0)─
            q3: ─R[Z](w0)─
            >>> qcsim.expval(circuit, [np.pi / 3], ["Z0", "Z2", "Z3"]).round(3)
            array([0.5, 0.5, 1. ])
        """
        places = listed("qubits", qubits)
        if no_more:
            raise _out_of_place("pauli_rot", (word, list(places)), no_more, _WAYS)
        if not isinstance(word, str):
            raise TypeError(f"word is {word!r} of type {type(word).__name__}; it must be text such as 'XYZ', a letter "
                            "for each qubit")  # fmt: skip
        turned = one_angle("pauli_rot", self.n_weights, weight, feature, angle, scale, shift)
        self._add(Instruction("pauli_rot", self._checked(places), (turned,), word=word))
        return self

    def unitary(self, matrix: Any, *qubits: int) -> Self:
        """A unitary matrix (2^k, 2^k), real or complex, on k = 1..3 qubits, the first the most significant bit."""
        if not 1 <= len(qubits) <= 3:
            raise ValueError(f"unitary acts on 1..3 qubits, got {len(qubits)}: unitary(matrix, 0, 1)")
        self._add(Instruction("unitary", self._checked(qubits), matrix=unitary_matrix(matrix, len(qubits))))
        return self

    # Inside ----------------------------------------------------------------------------------------------------------

    @property
    def n_qubits(self) -> int:
        """Number of qubits."""
        raise NotImplementedError

    @property
    def n_weights(self) -> int:
        """Number of trainable weights: one more than the largest index used."""
        raise NotImplementedError

    def _add(self, instruction: Instruction) -> None:
        raise NotImplementedError

    def _checked(self, qubits: Sequence[int]) -> tuple[int, ...]:
        allowed = f"0..{self.n_qubits - 1}"
        return tuple(integer("qubit", qubit, allowed) for qubit in qubits)

    def _gate(self, name: str, *qubits: int) -> Self:
        self._add(Instruction(name, self._checked(qubits)))
        return self

    def _turn(
        self,
        name: str,
        qubits: tuple[int, ...],
        given: tuple[Any, ...],
        weight: Any,
        feature: Any,
        angle: Any,
        scale: Any,
        shift: Any,
    ) -> Self:
        if given:
            raise _out_of_place(name, qubits, given, _WAYS)
        turned = one_angle(name, self.n_weights, weight, feature, angle, scale, shift)
        self._add(Instruction(name, self._checked(qubits), (turned,)))
        return self

    def _turn3(self, name: str, qubits: tuple[int, ...], given: tuple[Any, ...], angles: Any) -> Self:
        if given:
            raise _out_of_place(name, qubits, given, "angles=(0.1, qcsim.weight(0), 0.3)")
        self._add(Instruction(name, self._checked(qubits), three_angles(name, self.n_weights, angles)))
        return self


def _out_of_place(name: str, qubits: tuple[Any, ...], given: tuple[Any, ...], ways: str) -> TypeError:
    """What is said of an angle without its name; other libraries take it first or last."""
    what = "word and qubits" if name == "pauli_rot" else "qubits"
    got = ", ".join(repr(value) for value in (*qubits, *given))
    return TypeError(f"{name}({got}): only {what} go by place; where the angle comes from is said by name: "
                     f"{ways}; without, it is the next weight")  # fmt: skip


def listed(name: str, qubits: Any) -> tuple[int, ...]:
    """The qubits of a list, not yet checked one by one."""
    if not isinstance(qubits, Iterable) or isinstance(qubits, str):
        raise TypeError(f"{name} is {qubits!r}; it must be a list of qubits such as [0, 1]")
    return tuple(qubits)
