"""Whose an array is: NumPy's, torch's or CuPy's. torch and CuPy are looked up, never imported: who passes a tensor has
imported its library.
"""

from __future__ import annotations

import sys
from functools import lru_cache
from typing import Any

import numpy as np


def is_torch(array: Any) -> bool:
    """Whether ``array`` is a torch tensor."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(array, torch.Tensor)


def is_cupy(array: Any) -> bool:
    """Whether ``array`` is a CuPy array."""
    cupy = sys.modules.get("cupy")
    return cupy is not None and isinstance(array, cupy.ndarray)


def kind_of(array: Any) -> str:
    """The name of the library of an array that has been let in."""
    return "torch" if is_torch(array) else "CuPy" if is_cupy(array) else "NumPy"


def library(array: Any) -> Any:
    """The module whose functions take ``array``: numpy, torch or cupy."""
    if isinstance(array, np.ndarray):
        return np
    return sys.modules["torch" if is_torch(array) else "cupy"]


def dtype_name(array: Any) -> str:
    """``"float32"`` for ``torch.float32`` and ``numpy.float32`` alike."""
    return _name(array.dtype)


@lru_cache(maxsize=64)
def _name(dtype: Any) -> str:
    if isinstance(dtype, np.dtype):
        return str(dtype.newbyteorder("=").name)
    return str(dtype).removeprefix("torch.")
