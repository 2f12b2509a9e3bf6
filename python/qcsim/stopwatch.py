"""How long the engine was busy: wall time inside compiled calls, forward and backward, of whatever ran meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_R = TypeVar("_R")
_running: list[Stopwatch] = []


class Stopwatch:
    """A context that adds up the wall time spent inside the engine.

    Attributes:
        seconds: wall time in compiled calls so far.
        calls: number of those calls.

    Example:
        >>> import numpy as np, qcsim
        >>> with qcsim.Stopwatch() as watch:
        ...     _ = qcsim.probabilities(qcsim.Circuit(1).ry(0), np.array([0.1]))
        >>> watch.calls
        1
    """

    __slots__ = ("calls", "seconds")

    def __init__(self) -> None:
        self.seconds = 0.0
        self.calls = 0

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
            watch.seconds += elapsed
            watch.calls += 1
