"""Torch tensors: the arrays of most families, and entries made of differentiable functions of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
from rivals.torch_hand import Run
from work import Work

from card import Absent
from card.entry import Array, Entry, Given


class Torch:
    """Tensors on the GPU; in a rehearsal, on the CPU with the host's clock."""

    out_of_memory = (torch.cuda.OutOfMemoryError,)

    def __init__(self, rehearsal: bool = False) -> None:
        if not rehearsal and not torch.cuda.is_available():
            raise Absent(f"torch {torch.__version__} is here, but sees no GPU")
        self.on_gpu = not rehearsal
        self.calls = 2 if rehearsal else 20
        self.device = "cuda" if self.on_gpu else "cpu"

    def array(self, numbers: Array) -> Any:
        return torch.tensor(numbers, device=self.device)

    def normal(self, seed: int, rows: int, columns: int) -> Any:
        generator = torch.Generator(self.device).manual_seed(seed)
        return torch.randn(rows, columns, device=self.device, generator=generator)

    def numpy(self, array: Any) -> Array:
        return array.detach().cpu().numpy()  # type: ignore[no-any-return]

    def milliseconds(self, call: Callable[[], Any]) -> float:
        if not self.on_gpu:
            start = time.perf_counter()
            call()
            return 1e3 * (time.perf_counter() - start)
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        call()
        end.record()
        end.synchronize()
        return begin.elapsed_time(end)

    def bytes_of(self, call: Callable[[], Any]) -> int | None:
        if not self.on_gpu:
            return None
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        call()
        return torch.cuda.max_memory_allocated() - before

    def free_bytes(self) -> int:
        self.release()
        return torch.cuda.mem_get_info()[0] if self.on_gpu else 1 << 30

    def precise(self, tf32: bool) -> None:
        torch.set_float32_matmul_precision("high" if tf32 else "highest")

    def release(self) -> None:
        if self.on_gpu:
            torch.cuda.empty_cache()

    def graphed(self, call: Callable[[], Any]) -> Callable[[], Any]:
        """A call as the replay of a CUDA graph; in a rehearsal, the call."""
        if not self.on_gpu:
            return call
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):  # what is made at the first call must not be made while capturing
            for _ in range(3):
                call()
        torch.cuda.current_stream().wait_stream(side)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            kept = call()
        return lambda: (graph.replay(), kept)[1]

    def launches(self, call: Callable[[], Any]) -> int | None:
        """How many kernels a call launches, by the profiler's count; None where there is none."""
        if not self.on_gpu:
            return None
        from torch.autograd import DeviceType
        from torch.profiler import ProfilerActivity, profile

        torch.cuda.synchronize()
        try:
            with profile(activities=[ProfilerActivity.CUDA]) as seen:
                call()
                torch.cuda.synchronize()
        except (RuntimeError, AssertionError):  # profiling is not possible everywhere
            return None
        names = [event.name for event in seen.events() if event.device_type == DeviceType.CUDA]
        return sum(1 for name in names if not name.startswith(("Memcpy", "Memset")))


Make = Callable[[Work, torch.nn.Parameter], Run]  # the weights are the ones that the run is differentiated by


def maker(make: Make) -> Callable[[Given], Entry]:
    """An entry from a differentiable function of weights and samples."""

    def build(given: Given) -> Entry:
        weights = torch.nn.Parameter(given.library.array(given.weights))
        with torch.device(given.library.device):
            run = make(given.work, weights)

        def forward(which: int) -> Any:
            with torch.no_grad():
                return run(weights, given.samples[which])

        def step(which: int, cotangents: Any) -> tuple[Any, Any, Any]:
            samples = given.samples[which].detach().requires_grad_()
            outputs = run(weights, samples)
            return outputs, *torch.autograd.grad(outputs, [weights, samples], cotangents.to(outputs.dtype))

        return Entry(given, forward, step)

    return build


def of_work(make: Callable[[Work], Run]) -> Callable[[Given], Entry]:
    """An entry from one of the programs of the CPU's benchmarks."""
    return maker(lambda work, weights: make(work))
