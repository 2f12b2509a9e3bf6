"""Forward and backward of the reference circuit beside its rivals: pytest bench/test_bench_adjoint.py.

Goal on one AVX-512 core: 2 us per sample at 8 qubits, 3 at 9, 8 at 10, 36 at 12. Answers are asserted before timing.
"""

from __future__ import annotations

import pytest
import torch
from workload import BATCH, assert_answers, contestants, forward, step, workload

NAMES = list(contestants(2))


@pytest.fixture(params=[1, 2], ids=lambda count: f"{count}-thread")
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n", BATCH)
@pytest.mark.parametrize("action", [step, forward], ids=["step", "forward"])
def test_bench_reference_circuit(benchmark, action, n: int, name: str, threads: int) -> None:
    if name == "whole unitary" and n > 10:
        pytest.skip("a 4096 x 4096 unitary takes seconds a step")
    work = workload(n)
    program = contestants(n)[name]
    assert_answers({name: program}, work)
    benchmark.group = f"{action.__name__}: {n} qubits, batch {BATCH[n]}, {threads} thread(s)"
    benchmark.extra_info["samples"] = BATCH[n]
    benchmark.pedantic(action, args=(program, work), rounds=5, warmup_rounds=1)
