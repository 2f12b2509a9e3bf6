"""The precision of arrays: of complex numbers that of their parts, of whole numbers none of their own.

Called by arrays, state_arrays and engine_run, on arrays that have been let in.
"""

from __future__ import annotations

import sys
from typing import Any

from qcsim.array_kinds import dtype_name, is_torch

PARTS = {"complex64": "float32", "complex128": "float64"}
_REALS = ("float32", "float64")
_WHOLE = frozenset({"bool", *(f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64))})


def with_real_numbers(given: dict[str, Any]) -> dict[str, Any]:
    """The same arrays, whole numbers and truth values among them in the precision of the others, else in float64."""
    whole = [name for name, array in given.items() if dtype_name(array) in _WHOLE]
    if not whole:
        return given
    others = (dtype_name(array) for name, array in given.items() if name not in whole)
    dtype = next((PARTS.get(other, other) for other in others), "float64")
    if dtype not in _REALS:
        dtype = "float64"  # the other array is to blame, and is named where its dtype is checked
    return {name: _cast(array, dtype) if name in whole else array for name, array in given.items()}


def _cast(array: Any, dtype: str) -> Any:
    return array.to(getattr(sys.modules["torch"], dtype)) if is_torch(array) else array.astype(dtype)
