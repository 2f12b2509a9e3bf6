"""CuPy without a GPU: arrays on the memory of the host that know only what CuPy's know, and refuse what those refuse.

with cupy_stand_in.installed() as cupy:
    x = cupy.asarray(numpy_array)
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np


class ndarray:  # CuPy's name
    """An array of the device ``device.id``."""

    __array_priority__ = 100

    def __init__(self, inner: Any, device: int = 0) -> None:
        self.inner = inner
        self.device = SimpleNamespace(id=device)

    def __getattr__(self, name: str) -> Any:
        if name in ("shape", "ndim", "dtype", "strides", "itemsize", "size"):
            return getattr(self.inner, name)
        if name in ("real", "T"):
            return ndarray(getattr(self.inner, name), self.device.id)
        if name in ("reshape", "transpose", "swapaxes", "view"):
            return lambda *args, **kwargs: self._wrapped(getattr(self.inner, name)(*args, **kwargs))
        if name in ("astype", "sum", "conj"):
            return lambda *args, **kwargs: ndarray(getattr(here(self), name)(*args, **kwargs), Device.current)
        if name == "copy":
            return lambda: ndarray(self.inner.copy(), Device.current)
        raise AttributeError(f"CuPy's array has no {name}, or the stand-in does not know it")

    @property
    def flags(self) -> Any:
        flags = self.inner.flags
        return SimpleNamespace(c_contiguous=flags.c_contiguous, f_contiguous=flags.f_contiguous, owndata=flags.owndata)

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        found = self.inner.__array_interface__
        return {key: found[key] for key in ("shape", "typestr", "strides", "data")} | {"version": 3}

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("Implicit conversion to a NumPy array is not allowed. Please use `.get()` instead.")

    def __len__(self) -> int:
        return len(self.inner)

    def __getitem__(self, key: Any) -> Any:
        return self._wrapped(self.inner[key])

    def __setitem__(self, key: Any, value: Any) -> None:
        here(self)[key] = here(value)

    def get(self) -> Any:
        """On the host."""
        return self.inner.copy()

    def _wrapped(self, found: Any) -> Any:
        return ndarray(np.asarray(found), self.device.id)


def _operator(name: str) -> Any:
    def apply(self: ndarray, other: Any) -> Any:
        if isinstance(other, np.ndarray):
            raise TypeError(f"Unsupported type {type(other)}")
        return ndarray(getattr(here(self), name)(here(other)), Device.current)

    return apply


for _name in ("add", "sub", "mul", "truediv", "matmul"):
    for _side in ("", "r"):
        setattr(ndarray, f"__{_side}{_name}__", _operator(f"__{_side}{_name}__"))


def plain(value: Any) -> Any:
    """The array inside; other things as they are."""
    return value.inner if isinstance(value, ndarray) else value


def here(value: Any) -> Any:
    """The array inside, which kernels of the current device are to read: between some devices they cannot."""
    if isinstance(value, ndarray) and value.device.id != Device.current:
        raise ValueError(f"Array device must be same as the current device: array device = {value.device.id} while "
                         f"current = {Device.current}")  # fmt: skip
    return plain(value)


class Device:
    """A context: the current device."""

    current = 0

    def __init__(self, number: int) -> None:
        self._before: list[int] = []
        self.id = number

    def __enter__(self) -> Device:
        self._before.append(Device.current)
        Device.current = self.id
        return self

    def __exit__(self, *error: object) -> None:
        Device.current = self._before.pop()


def _made(function: Any) -> Any:
    """A function of NumPy as one of CuPy."""

    def make(array: Any, *args: Any, **kwargs: Any) -> Any:
        parts = [here(each) for each in array] if isinstance(array, (list, tuple)) else here(array)
        return ndarray(function(parts, *args, **kwargs), Device.current)

    return make


def _copied(array: Any, dtype: Any = None) -> Any:
    return ndarray(np.array(plain(array), dtype, copy=not isinstance(array, ndarray) or None), Device.current)


def _module() -> ModuleType:
    stream = SimpleNamespace(ptr=0, synchronize=lambda: None, is_capturing=lambda: False)

    class Event:
        def record(self, stream: Any) -> None: ...
        def synchronize(self) -> None: ...

    module: Any = ModuleType("cupy", "A stand-in.")
    module.is_stand_in = True
    module.ndarray = ndarray
    module.asarray = _copied
    module.asnumpy = lambda array: array.get()
    module.from_dlpack = lambda array: ndarray(array.host, array.number)
    module.cuda = SimpleNamespace(
        Device=Device,
        runtime=SimpleNamespace(getDeviceCount=lambda: 2),
        get_current_stream=lambda: stream,
        Event=Event,
        get_elapsed_time=lambda begin, end: 2.0,
    )
    for name in ("empty", "stack", "zeros_like", "eye", "ascontiguousarray", "broadcast_to", "array"):
        setattr(module, name, _made(getattr(np, name)))
    return module  # type: ignore[no-any-return]


@contextmanager
def installed() -> Iterator[Any]:
    """While open, `import cupy` gives the stand-in."""
    module = _module()
    with mock.patch.dict(sys.modules, {"cupy": module}):
        yield module
