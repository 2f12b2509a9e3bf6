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


class Gates:
    """What adds a gate to a circuit; :class:`qcsim.Circuit` is one.

    Every method returns the circuit. Gates with one angle take it from the next trainable weight, or from ``weight=k``,
    ``feature=k`` (both with ``scale=`` and ``shift=``: ``scale * value + shift``) or ``angle=``, a number of radians or
    an expression such as ``2 * qcsim.weight(0) + 0.3``. Gates with three angles take the next three weights, or
    ``angles=(a, b, c)`` of numbers and expressions.
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

    def rx(self, qubit: int, *, weight: Index = None, feature: Index = None,
           angle: Radians = None, scale: float = 1.0, shift: float = 0.0) -> Self:  # fmt: skip
        """RX(t) = exp(-i t X/2): ``[[c, -i s], [-i s, c]]``."""
        return self._turn("rx", (qubit,), weight, feature, angle, scale, shift)

    def ry(self, qubit: int, *, weight: Index = None, feature: Index = None,
           angle: Radians = None, scale: float = 1.0, shift: float = 0.0) -> Self:  # fmt: skip
        """RY(t) = exp(-i t Y/2): ``[[c, -s], [s, c]]``."""
        return self._turn("ry", (qubit,), weight, feature, angle, scale, shift)

    def rz(self, qubit: int, *, weight: Index = None, feature: Index = None,
           angle: Radians = None, scale: float = 1.0, shift: float = 0.0) -> Self:  # fmt: skip
        """RZ(t) = exp(-i t Z/2): ``diag(e^{-i t/2}, e^{i t/2})``."""
        return self._turn("rz", (qubit,), weight, feature, angle, scale, shift)

    def phase(self, qubit: int, *, weight: Index = None, feature: Index = None,
              angle: Radians = None, scale: float = 1.0, shift: float = 0.0) -> Self:  # fmt: skip
        """Phase(t): ``diag(1, e^{i t})``."""
        return self._turn("phase", (qubit,), weight, feature, angle, scale, shift)

    def u3(self, qubit: int, *, angles: Iterable[Angle | float] | None = None) -> Self:
        """U3(t, p, l): ``[[c, -e^{i l} s], [e^{i p} s, e^{i(p+l)} c]]``; the angles are theta, phi, lambda."""
        return self._turn3("u3", (qubit,), angles)

    def rot(self, qubit: int, *, angles: Iterable[Angle | float] | None = None) -> Self:
        """Rot(p, t, w) = RZ(w) RY(t) RZ(p); the angles are phi, theta, omega."""
        return self._turn3("rot", (qubit,), angles)

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

    def crx(self, control: int, target: int, *, weight: Index = None, feature: Index = None,
            angle: Radians = None, scale: float = 1.0, shift: float = 0.0) -> Self:  # fmt: skip
        """RX on ``target`` where ``control`` is 1."""
        return self._turn("crx", (control, target), weight, feature, angle, scale, shift)

    def cry(self, control: int, target: int, *, weight: Index = None, feature: Index = None,
            angle: Radians = None, scale: float = 1.0, shift: float = 0.0) -> Self:  # fmt: skip
        """RY on ``target`` where ``control`` is 1."""
        return self._turn("cry", (control, target), weight, feature, angle, scale, shift)

    def crz(self, control: int, target: int, *, weight: Index = None, feature: Index = None,
            angle: Radians = None, scale: float = 1.0, shift: float = 0.0) -> Self:  # fmt: skip
        """RZ on ``target`` where ``control`` is 1."""
        return self._turn("crz", (control, target), weight, feature, angle, scale, shift)

    def cphase(self, control: int, target: int, *, weight: Index = None, feature: Index = None,
               angle: Radians = None, scale: float = 1.0, shift: float = 0.0) -> Self:  # fmt: skip
        """Phase on ``target`` where ``control`` is 1: ``diag(1, 1, 1, e^{i t})``."""
        return self._turn("cphase", (control, target), weight, feature, angle, scale, shift)

    def cu3(self, control: int, target: int, *, angles: Iterable[Angle | float] | None = None) -> Self:
        """U3 on ``target`` where ``control`` is 1."""
        return self._turn3("cu3", (control, target), angles)

    def swap(self, first: int, second: int) -> Self:
        """Exchange two qubits. Costs nothing at run time."""
        return self._gate("swap", first, second)

    def iswap(self, first: int, second: int) -> Self:
        """Exchange two qubits, with a factor i on |01> and |10>."""
        return self._gate("iswap", first, second)

    def iswapdg(self, first: int, second: int) -> Self:
        """Inverse of iSWAP: exchange two qubits, with a factor -i on |01> and |10>."""
        return self._gate("iswapdg", first, second)

    def rxx(self, first: int, second: int, *, weight: Index = None, feature: Index = None,
            angle: Radians = None, scale: float = 1.0, shift: float = 0.0) -> Self:  # fmt: skip
        """RXX(t) = exp(-i t XX/2)."""
        return self._turn("rxx", (first, second), weight, feature, angle, scale, shift)

    def ryy(self, first: int, second: int, *, weight: Index = None, feature: Index = None,
            angle: Radians = None, scale: float = 1.0, shift: float = 0.0) -> Self:  # fmt: skip
        """RYY(t) = exp(-i t YY/2)."""
        return self._turn("ryy", (first, second), weight, feature, angle, scale, shift)

    def rzz(self, first: int, second: int, *, weight: Index = None, feature: Index = None,
            angle: Radians = None, scale: float = 1.0, shift: float = 0.0) -> Self:  # fmt: skip
        """RZZ(t) = exp(-i t ZZ/2)."""
        return self._turn("rzz", (first, second), weight, feature, angle, scale, shift)

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
        self, name: str, qubits: tuple[int, ...], weight: Any, feature: Any, angle: Any, scale: Any, shift: Any
    ) -> Self:
        turned = one_angle(name, self.n_weights, weight, feature, angle, scale, shift)
        self._add(Instruction(name, self._checked(qubits), (turned,)))
        return self

    def _turn3(self, name: str, qubits: tuple[int, ...], angles: Any) -> Self:
        self._add(Instruction(name, self._checked(qubits), three_angles(name, self.n_weights, angles)))
        return self


def listed(name: str, qubits: Any) -> tuple[int, ...]:
    """The qubits of a list, not yet checked one by one."""
    if not isinstance(qubits, Iterable) or isinstance(qubits, str):
        raise TypeError(f"{name} is {qubits!r}; it must be a list of qubits such as [0, 1]")
    return tuple(qubits)
