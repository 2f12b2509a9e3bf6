"""Arrays of other libraries, let in by DLPack or ``__cuda_array_interface__`` without a copy. Called by arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

_CPU, _PINNED, _CUDA, _MANAGED = 1, 3, 2, 13  # DLPack's numbers of devices (dlpack.h, DLDeviceType)


def adopted(name: str, array: Any) -> Any:
    """The same numbers as a NumPy array, or as a CuPy array if they are on a GPU.

    Raises:
        TypeError: for something that is no array.
        ValueError: for an array on another kind of device.
        ModuleNotFoundError: for one on a GPU, where CuPy is not installed.
    """
    if hasattr(array, "__dlpack__") and hasattr(array, "__dlpack_device__"):
        place = int(array.__dlpack_device__()[0])
        if place in (_CPU, _PINNED):
            return np.from_dlpack(array)
        if place in (_CUDA, _MANAGED):
            return _cupy(name, array).from_dlpack(array)
        raise ValueError(f"{name} is on a device of DLPack's kind {place}; the options are the CPU and CUDA devices")
    if hasattr(array, "__cuda_array_interface__"):
        return _cupy(name, array).asarray(array)
    kind = type(array).__name__
    raise TypeError(f"{name} is a {kind}; it must be a NumPy array, a torch tensor, a CuPy array, an array with DLPack "
                    "or a list of numbers")  # fmt: skip


def _cupy(name: str, array: Any) -> Any:
    try:
        import cupy
    except ModuleNotFoundError as error:
        kind = type(array).__name__
        raise ModuleNotFoundError(f"{name} is a {kind} on a GPU, whose result would be a CuPy array: "
                                  "pip install 'qcsim[cuda]', or pass a torch tensor",
                                  name="cupy") from error  # fmt: skip
    return cupy
