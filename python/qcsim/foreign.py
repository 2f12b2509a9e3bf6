"""Arrays of other libraries, let in by DLPack or ``__cuda_array_interface__`` without a copy. Called by arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

_CPU, _PINNED, _CUDA, _MANAGED = 1, 3, 2, 13  # DLPack's numbers of devices (dlpack.h, DLDeviceType)

_OF_JAX = "; jax.grad, jit and vmap do not see into the verbs: write a QNode on PennyLane's device 'qcsim.qubit'"


def adopted(name: str, array: Any) -> Any:
    """The same numbers as a NumPy array, or as a CuPy array if they are on a GPU.

    Raises:
        TypeError: for something that is no array.
        ValueError: for an array on another kind of device, or of numbers that NumPy or CuPy does not have.
        ModuleNotFoundError: for one on a GPU, where CuPy is not installed.
    """
    if hasattr(array, "__dlpack__") and hasattr(array, "__dlpack_device__"):
        place = int(array.__dlpack_device__()[0])
        if place in (_CPU, _PINNED):
            return _read(name, array, np, "NumPy")
        if place in (_CUDA, _MANAGED):
            return _read(name, array, _cupy(name, array), "CuPy")
        raise ValueError(f"{name} is on a device of DLPack's kind {place}; the options are the CPU and CUDA devices")
    if hasattr(array, "__cuda_array_interface__"):
        return _cupy(name, array).asarray(array)
    kind = type(array).__name__
    hint = _OF_JAX if type(array).__module__.startswith("jax") else ""
    raise TypeError(f"{name} is a {kind}; it must be a NumPy array, a torch tensor, a CuPy array, an array with DLPack "
                    f"or a list of numbers{hint}")  # fmt: skip


def _read(name: str, array: Any, library: Any, kind: str) -> Any:
    try:
        return library.from_dlpack(array)
    except (BufferError, RuntimeError, TypeError) as error:  # of bfloat16, another byte order, a deleted array ...
        raise ValueError(f"{name} is a {type(array).__name__} that {kind} cannot read ({error}); the options are "
                         "float32 and float64, and for amplitudes complex64 and complex128") from error  # fmt: skip


def _cupy(name: str, array: Any) -> Any:
    try:
        import cupy
    except ModuleNotFoundError as error:
        kind = type(array).__name__
        raise ModuleNotFoundError(f"{name} is a {kind} on a GPU, whose result would be a CuPy array: "
                                  "pip install cupy-cuda13x, or pass a torch tensor",
                                  name="cupy") from error  # fmt: skip
    return cupy
