"""How long the engine was busy: wall time inside compiled calls, forward and backward, of whatever ran meanwhile, and
on a GPU the time that its stream took.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:
    from qcsim.gpus import Gpu

_P = ParamSpec("_P")
_R = TypeVar("_R")
_running: list[Stopwatch] = []
_MOST_PENDING = 4096


class Stopwatch:
    """A context that adds up the wall time spent inside the engine.

    Attributes:
        calls: number of compiled calls so far.

    Example:
        >>> import numpy as np, qcsim
        >>> with qcsim.Stopwatch() as watch:
        ...     _ = qcsim.probabilities(qcsim.Circuit(1).ry(0), np.array([0.1]))
        >>> watch.calls
        1
    """

    __slots__ = ("_measured", "_pending", "calls")

    def __init__(self) -> None:
        self._measured = 0.0
        self._pending: list[tuple[Gpu, Any, Any]] = []
        self.calls = 0

    @property
    def seconds(self) -> float:
        """Wall time in those calls; of calls on a GPU the time of their kernels, for whose end this waits."""
        pending, self._pending = self._pending, []
        self._measured += sum(gpu.seconds(begin, end) for gpu, begin, end in pending)
        return self._measured

    def add(self, seconds: float) -> None:
        """A call of the CPU's engine."""
        self._measured += seconds
        self.calls += 1

    def add_marks(self, gpu: Gpu, begin: Any, end: Any) -> None:
        """A call on a GPU, between two marks of its stream."""
        self.calls += 1
        self._pending.append((gpu, begin, end))
        if len(self._pending) >= _MOST_PENDING:
            _ = self.seconds

    def __enter__(self) -> Stopwatch:
        _running.append(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _running.remove(self)


def timed(function: Callable[_P, _R], *args: _P.args, **kwargs: _P.kwargs) -> _R:
    """Call the engine, and let every running stopwatch know how long it took."""
    if not _running:
        return function(*args, **kwargs)
    start = time.perf_counter()
    try:
        return function(*args, **kwargs)
    finally:
        elapsed = time.perf_counter() - start
        for watch in _running:
            watch.add(elapsed)


def timed_on(gpu: Gpu, function: Callable[_P, _R], *args: _P.args, **kwargs: _P.kwargs) -> _R:
    """Launch kernels, and let every running stopwatch know where in the stream they stand; not inside a CUDA graph."""
    begin = gpu.mark() if _running else None
    result = function(*args, **kwargs)
    if begin is not None:
        end = gpu.mark()
        for watch in _running:
            watch.add_marks(gpu, begin, end)
    return result
