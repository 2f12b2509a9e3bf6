"""Angles: where a gate takes its angle from, ``scale * (weight or feature) + shift`` or a constant, in radians.

``2 * qcsim.weight(0) + 0.3`` is such a value; the builder methods of a circuit take it as ``angle=``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from qcsim import _core
from qcsim._core import Source
from qcsim.integers import integer
from qcsim.reals import real

_INDICES = f"0..{_core.MAX_ANGLES - 1}"
_RADIANS = " of radians, or an expression such as 2 * qcsim.weight(0)"


@dataclass(frozen=True, slots=True)
class Angle:
    """An angle in radians, ``scale * (weight or feature) + shift``: a value that grows by ``+``, ``-``, ``*``, ``/``.

    Made by :func:`weight` and :func:`feature`. A constant is its ``shift``; its index is 0 and its scale 1.

    Attributes:
        source: where it comes from: a weight, a feature, or nowhere (a constant).
        index: into the weights or the features.
        scale: what the weight or feature is multiplied by.
        shift: what is added, in radians.

    Raises:
        TypeError: for a source that is none, or other things than numbers.
        ValueError: for an index outside its range, or a number that is not finite.

    Example:
        >>> import qcsim
        >>> -(2 * qcsim.weight(0) + 0.5) / 4
        -0.5 * weight(0) - 0.125
    """

    # NumPy scalars on the left of an operator leave the work to this class.
    __array_ufunc__ = None

    source: Source
    index: int
    scale: float
    shift: float

    def __post_init__(self) -> None:
        if not isinstance(self.source, Source):
            kind = type(self.source).__name__
            raise TypeError(f"source is {self.source!r} of type {kind}; angles are made by qcsim.weight(k) and "
                            "qcsim.feature(k), such as 2 * qcsim.weight(0) + 0.3")  # fmt: skip
        fixed = self.source is Source.CONSTANT
        scale, shift = real("the scale of an angle", self.scale), real("the shift of an angle", self.shift)
        index = _index(self.source.name.lower(), self.index)
        for name, value in (("index", 0 if fixed else index), ("scale", 1.0 if fixed else scale), ("shift", shift)):
            object.__setattr__(self, name, value)

    def affine(self, factor: float, offset: float) -> Angle:
        """``factor * self + offset``."""
        if self.source is Source.CONSTANT:
            return constant(factor * self.shift + offset)
        return Angle(self.source, self.index, factor * self.scale, factor * self.shift + offset)

    def __add__(self, other: Any) -> Angle:
        if not isinstance(other, Angle):
            return self.affine(1.0, real("a term of an angle", other, _RADIANS))
        if other.source is Source.CONSTANT:
            return self.affine(1.0, other.shift)
        if self.source is Source.CONSTANT:
            return other.affine(1.0, self.shift)
        if (self.source, self.index) != (other.source, other.index):
            raise ValueError(f"the sum of {self} and {other} has two inputs; an angle has one, or is a constant")
        return Angle(self.source, self.index, self.scale + other.scale, self.shift + other.shift)

    def __mul__(self, factor: Any) -> Angle:
        if isinstance(factor, Angle):
            raise ValueError(f"({self}) * ({factor}) is no angle: multiply a weight or a feature by numbers only")
        return self.affine(real("a factor of an angle", factor), 0.0)

    def __truediv__(self, divisor: Any) -> Angle:
        if isinstance(divisor, Angle) or real("a divisor of an angle", divisor) == 0.0:
            raise ValueError(
                f"({self}) / ({divisor}) is no angle: divide a weight or a feature by numbers other than 0"
            )
        return self.affine(1.0 / float(divisor), 0.0)

    def __neg__(self) -> Angle:
        return self.affine(-1.0, 0.0)

    def __pos__(self) -> Angle:
        return self

    def __sub__(self, other: Any) -> Angle:
        return self.__add__(-other)

    def __rsub__(self, other: Any) -> Angle:
        return (-self).__add__(other)

    __radd__ = __add__
    __rmul__ = __mul__

    def __repr__(self) -> str:
        if self.source is Source.CONSTANT:
            return f"{self.shift:.12g}"
        name = f"{self.source.name.lower()}({self.index})"
        scaled = {1.0: name, -1.0: f"-{name}"}.get(self.scale, f"{self.scale:.12g} * {name}")
        return scaled if self.shift == 0.0 else f"{scaled} {'+' if self.shift > 0 else '-'} {abs(self.shift):.12g}"


def weight(index: int) -> Angle:
    """The trainable weight number ``index`` as an angle.

    Args:
        index: which weight, counted from 0.

    Returns:
        An :class:`Angle`: ``2 * weight(0) + 0.3`` and ``-weight(0)`` are angles too.

    Raises:
        ValueError: for an index outside its range (``TypeError`` if it is no integer).

    Example:
        >>> import qcsim
        >>> print(qcsim.Circuit(1).rx(0, angle=2 * qcsim.weight(0) + 0.3))
        q0: ─RX(2w0+0.3)─
    """
    return Angle(Source.WEIGHT, index, 1.0, 0.0)


def feature(index: int) -> Angle:
    """The per-sample feature number ``index`` as an angle.

    Args:
        index: which column of the features, counted from 0.

    Returns:
        An :class:`Angle`: ``feature(1) / 2`` is an angle too.

    Raises:
        ValueError: for an index outside its range (``TypeError`` if it is no integer).

    Example:
        >>> import numpy as np, qcsim
        >>> circuit = qcsim.Circuit(1).ry(0, angle=np.pi - qcsim.feature(0))
        >>> circuit.n_features
        1
    """
    return Angle(Source.FEATURE, index, 1.0, 0.0)


def constant(value: Any, name: str = "an angle") -> Angle:
    """A fixed number of radians."""
    return Angle(Source.CONSTANT, 0, 1.0, real(name, value, _RADIANS))


def as_angle(value: Any, name: str) -> Angle:
    """An angle of what a user may write for one: an expression or a number of radians."""
    return value if isinstance(value, Angle) else constant(value, name)


def one_angle(
    gate: str, fresh: int, given_weight: Any, given_feature: Any, given_angle: Any, scale: Any, shift: Any
) -> Angle:
    """The angle of a gate's keywords; ``fresh`` is the next weight, taken if none is given.

    Raises:
        ValueError: if more than one source is given, or a scale or shift beside ``angle=``.
    """
    pairs = (("weight", given_weight), ("feature", given_feature), ("angle", given_angle))
    names = [name for name, value in pairs if value is not None]
    if len(names) > 1:
        raise ValueError(f"{gate} got {' and '.join(names)}; its angle comes from one of weight, feature and angle")
    scale, shift = real(f"the scale of {gate}", scale), real(f"the shift of {gate}", shift)
    if given_angle is not None:
        if (scale, shift) != (1.0, 0.0):
            raise ValueError(f"{gate} got angle with scale {scale:g} and shift {shift:g}; they go with weight and "
                             "feature: write the whole expression as the angle")  # fmt: skip
        return as_angle(given_angle, f"the angle of {gate}")
    if given_feature is not None:
        return feature(given_feature).affine(scale, shift)
    return weight(fresh if given_weight is None else given_weight).affine(scale, shift)


def three_angles(gate: str, fresh: int, given: Any) -> tuple[Angle, ...]:
    """The angles of a gate that takes three; None: the next three weights.

    Raises:
        ValueError: if they are not three (``TypeError`` if they are no sequence).
    """
    if given is None:
        return tuple(weight(fresh + k) for k in range(3))
    if not isinstance(given, Iterable) or isinstance(given, str):
        raise TypeError(f"angles is {given!r}; {gate} takes three numbers of radians or expressions, such as "
                        "(0.1, qcsim.weight(0), 0.3)")  # fmt: skip
    angles = tuple(as_angle(value, f"an angle of {gate}") for value in given)
    if len(angles) != 3:
        raise ValueError(f"{gate} takes three angles, got {len(angles)}")
    return angles


def _index(name: str, index: Any) -> int:
    number = integer(name, index, _INDICES)
    if not 0 <= number < _core.MAX_ANGLES:
        raise ValueError(f"{name} {number} is outside {_INDICES}")
    return number
