"""How the cost grows with qubits, layers, batch, threads and precision, rivals beside qcsim in the same groups.

`pytest bench/test_bench_scaling.py --benchmark-only` takes minutes: everyone meets at nine qubits, elsewhere the best
hand-written programs stand for all. `--full-grid` runs everyone everywhere. Goal on one AVX-512 core, forward and
backward at B = 1024: 2 us per sample at 8 qubits, 3 at 9, 8 at 10. Answers are asserted before timing, and times are
those that the pinned workers measure themselves.
"""

from __future__ import annotations

import os
from typing import NamedTuple

import pytest
from contest import Absent, Refused, Workers, prepare
from rivals import CONTESTANTS, meets
from work import Work

ANCHOR = Work("reference", 9, 4, 1024)
STANDARD_BEARERS = ("qcsim", "torch, Kronecker layers", "JAX, Kronecker layers")
seconds = 0.0  # what workers have measured so far: the clock of these benchmarks


class Point(NamedTuple):
    """A group of the report: what is varied, and the circuit and threads at this point."""

    axis: str
    work: Work
    threads: int = 1

    @property
    def everyone(self) -> bool:
        """Whether all contestants meet here by default."""
        return self.axis in ("complex", "single", "noisy") or (self.axis == "qubits" and self.work == ANCHOR)


POINTS = [
    *(Point("qubits", ANCHOR._replace(n=n, batch=min(1024, 2 ** (20 - n)))) for n in (6, 8, 9, 10, 12)),
    *(Point("layers", ANCHOR._replace(layers=layers)) for layers in (1, 2, 4, 8)),
    *(Point("batch", ANCHOR._replace(batch=batch)) for batch in (16, 256, 4096)),
    *(Point("threads", ANCHOR._replace(batch=4096), threads) for threads in (1, 2)),
    *(Point("precision", ANCHOR._replace(dtype=dtype)) for dtype in ("float32", "float64")),
    Point("single", ANCHOR._replace(batch=1)),
    Point("complex", Work("complex", 8, 4, 1024)),
    Point("large", Work("large", 20, 4, 1)),
    Point("noisy", Work("noisy", 6, 4, 256)),
]


def clock() -> float:
    """Seconds measured by the workers: the time of the conversation with them is not counted."""
    return seconds


def name_of(point: Point) -> str:
    threads = f", {point.threads} threads" if point.axis == "threads" else ""
    return f"{point.axis}: {point.work.title}{threads}"


@pytest.mark.benchmark(timer=clock)
@pytest.mark.parametrize("mode", ["step", "forward"])
@pytest.mark.parametrize("name", CONTESTANTS)
@pytest.mark.parametrize("point", POINTS, ids=name_of)
def test_bench_scaling(benchmark, request, stable: Workers, point: Point, name: str, mode: str) -> None:
    if not meets(CONTESTANTS[name], point.work.kind):
        pytest.skip("pure states and mixed ones do not meet")
    chosen = name in STANDARD_BEARERS or (point.everyone and "torch.compile" not in name)
    if not chosen and not request.config.getoption("--full-grid"):
        pytest.skip("only with --full-grid")
    if point.threads > (os.cpu_count() or 1):
        pytest.skip(f"needs {point.threads} cores")
    try:
        entry, _ = prepare(stable, name, point.work, point.threads)
    except (Absent, Refused) as reason:
        pytest.skip(str(reason))
    if mode not in entry.times:
        pytest.skip("no such gradients")

    def run() -> None:
        global seconds
        seconds += entry.run(mode, least=2e-3)[0]

    benchmark.group = f"{mode}: {name_of(point)}"
    benchmark.extra_info |= {"samples": entry.facts["samples"], "threads": point.threads}
    benchmark.pedantic(run, rounds=5, warmup_rounds=1)
