"""GPUs as torch and CuPy know them: memory from the library that an array is of, and the stream that it uses now.

Called by arrays, gpu_run and stopwatch. Nothing here waits for a GPU but what says so.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from qcsim import cuda
from qcsim.array_kinds import is_cupy, is_torch


@dataclass(frozen=True)
class Gpu(ABC):
    """A GPU, through one library.

    Attributes:
        index: its number, as the library and CUDA count.
    """

    index: int

    @abstractmethod
    def engine(self) -> cuda.Engine:
        """The kernels, on the library's current stream."""

    @abstractmethod
    def empty(self, shape: tuple[int, ...], dtype: str) -> Any:
        """An uninitialised array of the library's own memory."""

    def current(self) -> AbstractContextManager[Any]:
        """While open, what the library computes stays on this GPU."""
        return nullcontext()

    @abstractmethod
    def moved(self, array: Any) -> Any:
        """A copy of a host array; when this returns, every stream may read it."""

    @abstractmethod
    def fetched(self, array: Any) -> Any:
        """A copy on the host, as NumPy; waits for it."""

    @abstractmethod
    def is_capturing(self) -> bool:
        """Whether the current stream records a CUDA graph."""

    @abstractmethod
    def used(self, *arrays: Any) -> None:
        """The current stream works on memory that may be another's: it is not given away before that is done."""

    @abstractmethod
    def mark(self) -> Any:
        """A point in the current stream, to measure times between; None while a CUDA graph is captured."""

    @abstractmethod
    def seconds(self, begin: Any, end: Any) -> float:
        """The time between two marks; waits for the second."""

    def memory(self, n_bytes: int) -> Any:
        """Bytes of the library's memory, aligned to 16 at least."""
        return self.empty((n_bytes,), "uint8")


class TorchGpu(Gpu):
    """Through torch: its caching allocator and its streams."""

    def engine(self) -> cuda.Engine:
        """On torch's current stream of the device."""
        return cuda.Stream(sys.modules["torch"].cuda.current_stream(self.index).cuda_stream, self.index)

    def empty(self, shape: tuple[int, ...], dtype: str) -> Any:
        """A tensor."""
        torch = sys.modules["torch"]
        return torch.empty(shape, dtype=getattr(torch, dtype), device=torch.device("cuda", self.index))

    def moved(self, array: Any) -> Any:
        """A tensor; torch waits for copies of pageable memory."""
        torch = sys.modules["torch"]
        return torch.from_numpy(np.ascontiguousarray(array)).to(torch.device("cuda", self.index))

    def fetched(self, array: Any) -> Any:
        """Through a tensor on the CPU."""
        return array.detach().cpu().resolve_conj().resolve_neg().numpy()

    def is_capturing(self) -> bool:
        """As torch knows."""
        return bool(sys.modules["torch"].cuda.is_current_stream_capturing())

    def used(self, *arrays: Any) -> None:
        """torch's allocator goes by the stream that memory was asked for on, unless told of others."""
        stream = sys.modules["torch"].cuda.current_stream(self.index)
        for array in arrays:
            array.record_stream(stream)

    def mark(self) -> Any:
        """A timing event."""
        if self.is_capturing():
            return None
        torch = sys.modules["torch"]
        event = torch.cuda.Event(enable_timing=True)
        event.record(torch.cuda.current_stream(self.index))
        return event

    def seconds(self, begin: Any, end: Any) -> float:
        """From the events' milliseconds."""
        end.synchronize()
        return float(begin.elapsed_time(end)) / 1e3


class CupyGpu(Gpu):
    """Through CuPy: its memory pool and its streams."""

    def current(self) -> AbstractContextManager[Any]:
        """CuPy computes, and copies to, where its current device is, wherever the arrays are."""
        device: AbstractContextManager[Any] = sys.modules["cupy"].cuda.Device(self.index)
        return device

    def engine(self) -> cuda.Engine:
        """On CuPy's current stream of the device."""
        cupy = sys.modules["cupy"]
        with self.current():
            return cuda.Stream(cupy.cuda.get_current_stream().ptr, self.index)

    def empty(self, shape: tuple[int, ...], dtype: str) -> Any:
        """A CuPy array."""
        cupy = sys.modules["cupy"]
        with self.current():
            return cupy.empty(shape, dtype)

    def moved(self, array: Any) -> Any:
        """A CuPy array."""
        cupy = sys.modules["cupy"]
        with self.current():
            copy = cupy.asarray(array)
            cupy.cuda.get_current_stream().synchronize()
            return copy

    def fetched(self, array: Any) -> Any:
        """Through CuPy's ``asnumpy``."""
        return sys.modules["cupy"].asnumpy(array)

    def is_capturing(self) -> bool:
        """As CuPy knows."""
        with self.current():
            return bool(sys.modules["cupy"].cuda.get_current_stream().is_capturing())

    def used(self, *arrays: Any) -> None:
        """CuPy's pool cannot be told: who uses several streams keeps the circuit until they are done."""

    def mark(self) -> Any:
        """A timing event."""
        if self.is_capturing():
            return None
        cupy = sys.modules["cupy"]
        with self.current():
            event = cupy.cuda.Event()
            event.record(cupy.cuda.get_current_stream())
            return event

    def seconds(self, begin: Any, end: Any) -> float:
        """From the events' milliseconds."""
        end.synchronize()
        return float(sys.modules["cupy"].cuda.get_elapsed_time(begin, end)) / 1e3


def gpu_of(array: Any) -> Gpu | None:
    """The GPU that an array of torch or CuPy lies on; None: the host."""
    if is_torch(array):
        return _torch_gpu(array.device.index or 0) if array.is_cuda else None
    return _cupy_gpu(int(array.device.id)) if is_cupy(array) else None


@lru_cache(maxsize=64)
def _torch_gpu(index: int) -> Gpu:
    return TorchGpu(index)


@lru_cache(maxsize=64)
def _cupy_gpu(index: int) -> Gpu:
    return CupyGpu(index)
