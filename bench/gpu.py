"""The CUDA kernels on a GPU: time of forward and backward, beside the card's own copy bandwidth.

`python bench/gpu.py [--store bench/results]`. The answer of each size is compared with the CPU's before it is timed;
times are medians over event pairs, with inputs of another set each time, so that no cache holds them.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from machine import commit

import qcsim
from qcsim import cuda

LAYERS = 4
SIZES = {6: 1 << 20, 8: 1 << 18, 9: 1 << 18, 10: 1 << 17, 12: 1 << 15, 14: 1 << 12, 16: 1 << 10}
SMALL = {9: 32}  # one launch of a learner's minibatch, in a graph
SETS = 3
REPEATS = 20


def stream() -> cuda.Stream:
    """The stream that torch uses now."""
    return cuda.Stream(torch.cuda.current_stream().cuda_stream, torch.cuda.current_device())


def median_ms(run: Callable[[int], None], repeats: int = REPEATS) -> float:
    """Of run(which set), after warming up."""
    for i in range(3):
        run(i % SETS)
    times = []
    for i in range(repeats):
        begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        begin.record()
        run(i % SETS)
        end.record()
        end.synchronize()
        times.append(begin.elapsed_time(end))
    return statistics.median(times)


def copy_bandwidth() -> float:
    """Bytes read and written per second by a large copy, in GB/s."""
    source = torch.randn(1 << 28, device="cuda")
    target = torch.empty_like(source)
    seconds = median_ms(lambda _: target.copy_(source) and None) / 1e3
    return 2 * source.numel() * 4 / seconds / 1e9


class Work:
    """The reference circuit on one batch for each of some sets of inputs."""

    def __init__(self, n: int, batch: int) -> None:
        self.n, self.batch = n, batch
        self.circuit = qcsim.hardware_efficient(n_qubits=n, n_layers=LAYERS)
        self.program = cuda.Program(self.circuit, (qcsim.Probabilities(),), "float32")
        torch.manual_seed(n)
        self.weights = torch.randn(self.circuit.n_weights, device="cuda")
        tables = torch.tensor(self.program.tables, device="cuda")
        self.calls = []
        for _ in range(SETS):
            kept = torch.empty(self.program.kept_bytes(batch, True), dtype=torch.uint8, device="cuda")
            amplitudes = torch.randn(batch, 2**n, device="cuda")
            outputs = torch.full_like(amplitudes, torch.nan)
            self.calls.append(cuda.Call(tables, kept, outputs, self.weights, amplitudes, None, True))
        self.cotangents = torch.randn(batch, 2**n, device="cuda")
        self.sums = torch.empty(self.program.sums_bytes(batch), dtype=torch.uint8, device="cuda")
        self.slopes = {"weights": torch.empty_like(self.weights), "amplitudes": torch.empty_like(self.cotangents)}

    def forward(self, which: int, *, keep: bool = False) -> None:
        """Outputs alone, or with what the gradients need."""
        self.program.forward(stream(), self.calls[which]._replace(with_states=keep))

    def both(self, which: int) -> None:
        """Outputs and all gradients."""
        self.forward(which, keep=True)
        self.program.adjoint(stream(), self.calls[which], self.cotangents, self.sums, **self.slopes)

    def check(self) -> None:
        """The first samples against the CPU."""
        self.both(0)
        few = min(self.batch, 64)
        call = self.calls[0]
        expected = qcsim.probabilities(self.circuit, self.weights.cpu(), amplitudes=call.amplitudes[:few].cpu())
        np.testing.assert_allclose(call.outputs[:few].cpu(), expected, atol=1e-5)
        assert all(bool(torch.isfinite(slope).all()) for slope in self.slopes.values())


def measured(n: int, batch: int, bandwidth: float) -> dict[str, Any]:
    """A row of the table."""
    work = Work(n, batch)
    work.check()
    forward, both = median_ms(work.forward), median_ms(work.both)
    floor = 2 * batch * 2**n * 4 / (bandwidth * 1e9) * 1e3
    return {"n": n, "batch": batch, "forward_ms": forward, "both_ms": both, "share_of_copy": floor / forward}


def replayed(n: int, batch: int) -> dict[str, Any]:
    """Forward and backward of a small batch in one graph."""
    work = Work(n, batch)
    work.check()
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        work.both(0)
    return {"n": n, "batch": batch, "graph_us": 1e3 * median_ms(lambda _: graph.replay(), 200)}


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", type=Path, metavar="FOLDER")
    options = parser.parse_args()
    bandwidth = copy_bandwidth()
    device = stream().facts
    print(f"{device['name']}: a copy moves {bandwidth:.0f} GB/s, read and written")
    rows = [measured(n, batch, bandwidth) for n, batch in SIZES.items()]
    for row in rows:
        print("n {n:2} batch {batch:8}: forward {forward_ms:8.3f} ms ({share_of_copy:4.0%} of copying), and backward "
              "{both_ms:8.3f} ms".format(**row))  # fmt: skip
    graphs = [replayed(n, batch) for n, batch in SMALL.items()]
    for row in graphs:
        print("n {n:2} batch {batch:8}: forward and backward in a graph {graph_us:.1f} us".format(**row))
    if options.store is not None:
        found = {"device": device, "commit": commit(), "copy_gb_per_s": bandwidth, "rows": rows, "graphs": graphs}
        name = device["name"].lower().replace(" ", "-")
        (options.store / f"cuda-{name}.json").write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
