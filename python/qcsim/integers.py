"""Whole numbers at the public door: the kind is checked here, the range by the engine, which counts in 32 bits. And in
words.
"""

from __future__ import annotations

from typing import Any

_LIMIT = 2**31


def integer(name: str, value: Any, allowed: str) -> int:
    """``value`` as an int that the engine can take.

    Args:
        name: what it is, for the message.
        value: anything with ``__index__`` but a bool.
        allowed: the range in words, for the message.

    Raises:
        TypeError: if it is no integer.
        ValueError: if 32 bits do not hold it.
    """
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{name} is {value!r} of type {type(value).__name__}; it must be an integer, {allowed}")
    number = int(value.__index__())
    if not -_LIMIT <= number < _LIMIT:
        raise ValueError(f"{name} is {number}; it must be {allowed}")
    return number


def counted(number: int, noun: str) -> str:
    """``1 qubit``, ``2 qubits``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
