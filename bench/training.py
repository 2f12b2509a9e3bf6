"""The engine inside a real training loop: Linear -> QuantumLayer -> Linear with Adam, torch using its own threads too.

Two models of the same shape, one with the engine on one thread and one on two, take turns; qcsim.Stopwatch tells the
time spent in the engine. Called by run.py in a worker that owns the cores.
"""

from __future__ import annotations

import statistics
import time
from typing import Any

import torch

import qcsim

FEATURES = 64
CLASSES = 8


def model(n: int, layers: int, num_threads: int) -> torch.nn.Module:
    """A classifier whose middle is the reference circuit."""
    torch.manual_seed(0)
    circuit = qcsim.hardware_efficient(n, layers)
    return torch.nn.Sequential(
        torch.nn.Linear(FEATURES, 2**n),
        qcsim.nn.QuantumLayer(circuit, num_threads=num_threads),
        torch.nn.Linear(2**n, CLASSES),
    )


def measure(n: int = 9, layers: int = 4, batch: int = 4096, steps: int = 5, rounds: int = 8) -> dict[str, Any]:
    """Milliseconds a step, in all and in the engine, for one and two engine threads; losses asserted to agree."""
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(batch, FEATURES, generator=generator)
    y = torch.randint(CLASSES, (batch,), generator=generator)
    models = {threads: model(n, layers, threads) for threads in (1, 2)}
    optimisers = {threads: torch.optim.Adam(m.parameters(), lr=1e-3) for threads, m in models.items()}
    engine: dict[int, list[float]] = {1: [], 2: []}
    whole: dict[int, list[float]] = {1: [], 2: []}
    losses: dict[int, float] = {}
    for turn in range(rounds + 1):
        for threads, m in models.items():
            with qcsim.Stopwatch() as watch:
                start = time.perf_counter()
                for _ in range(steps):
                    optimisers[threads].zero_grad()
                    loss = torch.nn.functional.cross_entropy(m(x), y)
                    loss.backward()
                    optimisers[threads].step()
                spent = time.perf_counter() - start
            losses[threads] = loss.item()
            if turn:
                engine[threads].append(1e3 * watch.seconds / steps)
                whole[threads].append(1e3 * spent / steps)
    assert abs(losses[1] - losses[2]) < 1e-3 * abs(losses[1]), f"the losses differ: {losses}"
    return {
        "qubits": n,
        "layers": layers,
        "batch": batch,
        "torch_threads": torch.get_num_threads(),
        "engine_milliseconds": {str(t): {"min": min(v), "median": statistics.median(v)} for t, v in engine.items()},
        "step_milliseconds": {str(t): {"min": min(v), "median": statistics.median(v)} for t, v in whole.items()},
        "engine_ratio_of_minima": min(engine[1]) / min(engine[2]),
        "engine_ratio_of_medians": statistics.median(engine[1]) / statistics.median(engine[2]),
    }
