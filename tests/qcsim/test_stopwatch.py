"""`qcsim.Stopwatch` counts the calls and the seconds inside the engine, and nothing else."""

from __future__ import annotations

import time

import numpy as np
import pytest

import qcsim


def work(batch: int = 64) -> None:
    qcsim.probabilities(qcsim.hardware_efficient(6, 2), np.ones(12), amplitudes=np.ones((batch, 64)))


def test_only_the_engine_counts() -> None:
    started = time.perf_counter()
    with qcsim.Stopwatch() as watch:
        time.sleep(0.05)
        work()
        inside = time.perf_counter() - started
    assert 0 < watch.seconds < inside - 0.04
    assert watch.calls == 1


def test_forward_and_backward_are_both_counted() -> None:
    with qcsim.Stopwatch() as watch:
        outputs, pullback = qcsim.vjp(qcsim.hardware_efficient(4, 2), np.ones(8), amplitudes=np.ones((3, 16)))
        first = watch.calls
        pullback(np.ones_like(outputs))
    assert (first, watch.calls) == (1, 2)


def test_nothing_is_counted_outside() -> None:
    work()
    with qcsim.Stopwatch() as watch:
        pass
    work()
    assert (watch.calls, watch.seconds) == (0, 0)


def test_an_outer_stopwatch_counts_what_an_inner_one_counts() -> None:
    with qcsim.Stopwatch() as outer:
        work()
        with qcsim.Stopwatch() as inner:
            work()
    assert (outer.calls, inner.calls) == (2, 1)
    assert outer.seconds >= inner.seconds > 0


def test_an_error_leaves_the_stopwatch_readable() -> None:
    watch = qcsim.Stopwatch()
    with pytest.raises(ValueError, match="weights"), watch:
        qcsim.probabilities(qcsim.Circuit(1).ry(0), np.zeros(5))
    assert watch.seconds >= 0
