"""Real numbers at the public door: what becomes part of a circuit or an observable is a finite float."""

from __future__ import annotations

import math
from typing import Any


def real(name: str, value: Any, unit: str = "") -> float:
    """``value`` as a finite float.

    Args:
        name: what it is, for the message.
        value: anything with ``__float__`` but a bool, a complex number or an array with axes.
        unit: `` of radians``, for the message.

    Raises:
        TypeError: if it is no real number.
        ValueError: if float64 does not hold it, or if torch is asked to differentiate it.
    """
    plain = hasattr(value, "__float__") and not isinstance(value, bool) and getattr(value, "ndim", 0) == 0
    if not plain or _is_no_real(value):
        raise TypeError(f"{name} is {value!r} of type {type(value).__name__}; it must be a number{unit}")
    if getattr(value, "requires_grad", False):
        raise ValueError(f"{name} requires a gradient, and a constant has none; make it a weight or a feature")
    try:
        number = float(value)
    except OverflowError:
        raise ValueError(f"{name} is beyond the range of float64; it must be a finite number{unit}") from None
    if not math.isfinite(number):
        raise ValueError(f"{name} is {number}; it must be a finite number{unit}")
    return number


def _is_no_real(value: Any) -> bool:
    """Whether it is a complex number or a truth value of NumPy's or torch's."""
    kind = str(getattr(value, "dtype", ""))
    return "complex" in kind or "bool" in kind
