"""A contestant on one batch: its inputs, the check of its answers against the CPU engine, and its times.

Inputs are random and drawn on the device, in several sets, so that no cache holds the next one's. The check is that of
the timed program at the timed size: outputs and gradients of some samples, with the cotangents of all others zero.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from work import TOLERANCE, Work

import qcsim

Array = NDArray[Any]
SETS = 3
CHECKED = 64  # samples
TF32_TOLERANCE = 1e-2  # ten bits of a product's factors
TRIAL = 1024  # samples; tells how large a batch the time and the memory allow
CALL_LIMIT = 1.0  # seconds that one forward and backward may take
MEASURE_LIMIT = 3.0  # seconds for the repeats of one time


class Library(Protocol):
    """The arrays that a family computes on, and their clock."""

    out_of_memory: tuple[type[Exception], ...]
    calls: int  # the most that one time is the median of

    def array(self, numbers: Array) -> Any:
        """A copy on the device."""

    def normal(self, seed: int, rows: int, columns: int) -> Any:
        """Random float32 numbers (rows, columns) on the device."""

    def numpy(self, array: Any) -> Array:
        """A copy on the host."""

    def milliseconds(self, call: Callable[[], Any]) -> float:
        """Of one call, until the device is done."""

    def bytes_of(self, call: Callable[[], Any]) -> int | None:
        """The most memory that a call held at a time, beyond what was there before it; None: not known."""

    def free_bytes(self) -> int:
        """How much memory may still be taken."""

    def precise(self, tf32: bool) -> None:
        """Whether factors of float32 products may be rounded to TF32 from now on."""

    def release(self) -> None:
        """Give the memory of dropped arrays back."""


class Given(NamedTuple):
    """What a contestant computes on: weights (P,) on the host; samples (B, D), several sets, and cotangents (B, D)."""

    library: Any
    work: Work
    weights: Array
    samples: list[Any]
    cotangents: Any


Step = Callable[[int, Any], tuple[Any, Any, Any]]


class Entry(NamedTuple):
    """A contestant ready to run on a set of samples; calls return before the device is done.

    `forward(which)` gives outputs (B, D); `step(which, cotangents)` outputs and the gradients of weights and samples,
    None where the library has none. `holds` is the memory in bytes that it works in, where it brings its own.
    """

    given: Given
    forward: Callable[[int], Any]
    step: Step | None
    holds: int | None = None


class Contestant(NamedTuple):
    """How an entry is made.

    Attributes:
        make: from what is given.
        tf32: whether its products may round to TF32.
        at_once: made for the full batch without a trial: making it takes long.
        takes: the only batch it takes: the library has none of its own, and a few samples stand for all.
    """

    make: Callable[[Given], Entry]
    tf32: bool = False
    at_once: bool = False
    takes: int | None = None


def circuit(work: Work) -> qcsim.Circuit:
    """The reference circuit."""
    return qcsim.hardware_efficient(n_qubits=work.n, n_layers=work.layers)


def given(library: Library, work: Work) -> Given:
    """Fresh inputs; the weights are everyone's."""
    weights = np.random.default_rng(work.n).uniform(-np.pi, np.pi, work.n_weights).astype(np.float32)
    *samples, cotangents = (library.normal(seed, work.batch, 2**work.n) for seed in range(SETS + 1))
    return Given(library, work, weights, samples, cotangents)


def cpu_answers(work: Work, weights: Array, samples: Array, cotangents: Array) -> tuple[Array, Array, Array]:
    """Outputs and gradients by the CPU engine, in double precision."""
    import torch

    w, x, c = (torch.from_numpy(array.astype(np.float64)) for array in (weights, samples, cotangents))
    w.requires_grad_(), x.requires_grad_()
    outputs = qcsim.probabilities(circuit(work), w, amplitudes=x)
    by_weights, by_samples = torch.autograd.grad(outputs, [w, x], c)
    return outputs.detach().numpy(), by_weights.numpy(), by_samples.numpy()


def error_of(entry: Entry, tolerance: float) -> float:
    """The largest error of the checked samples, relative to the largest entry of an answer.

    Raises:
        AssertionError: if it is above the tolerance, naming what is off and by how much.
    """
    library, work = entry.given.library, entry.given.work
    chosen = np.unique(np.linspace(0, work.batch - 1, CHECKED).astype(np.int64))
    rows = library.array(chosen)
    samples, cotangents = (library.numpy(array[rows]) for array in (entry.given.samples[0], entry.given.cotangents))
    right = cpu_answers(work, entry.given.weights, samples, cotangents)
    found = {"outputs": (library.numpy(entry.forward(0)[rows]), right[0])}
    if entry.step is not None:
        mask = np.zeros((work.batch, 1), np.float32)
        mask[chosen] = 1
        outputs, by_weights, by_samples = entry.step(0, entry.given.cotangents * library.array(mask))
        found["outputs of a step"] = (library.numpy(outputs[rows]), right[0])
        found["weight gradient"] = (library.numpy(by_weights), right[1])
        found["input gradient"] = (library.numpy(by_samples[rows]), right[2])
    worst = 0.0
    for what, (got, expected) in found.items():
        error = float(np.max(np.abs(got - expected)) / np.max(np.abs(expected)))
        assert error <= tolerance, f"{what} off by {error:.1e}, allowed are {tolerance:.0e}"
        worst = max(worst, error)
    return worst


def times(library: Library, call: Callable[[int], Any]) -> dict[str, float]:
    """Median and shortest milliseconds of a call, over the sets in turn; as many calls as the limit has room for."""
    first = library.milliseconds(lambda: call(0))
    count = min(max(int(MEASURE_LIMIT * 1e3 / max(first, 1e-3)), SETS), library.calls)
    found = [library.milliseconds(lambda i=i: call(i % SETS)) for i in range(count)]
    return {"median": statistics.median(found), "min": min(found), "calls": count}


def stepped(entry: Entry) -> Callable[[int], Any] | None:
    """Forward and backward on a set."""
    step = entry.step
    return None if step is None else lambda which: step(which, entry.given.cotangents)


class Ready(NamedTuple):
    """An entry whose answers are right."""

    entry: Entry
    error: float
    seconds: float  # until it was made and checked


def ready(contestant: Contestant, library: Library, work: Work) -> Ready:
    """Makes and checks."""
    began = time.perf_counter()
    library.precise(contestant.tf32)
    entry = contestant.make(given(library, work))
    error = error_of(entry, TF32_TOLERANCE if contestant.tf32 else TOLERANCE["float32"])
    return Ready(entry, error, time.perf_counter() - began)


def step_bytes(entry: Entry) -> int | None:
    """Memory of one step, or of a forward where there is no step, beyond its inputs."""
    run = stepped(entry) or entry.forward
    return entry.holds if entry.holds is not None else entry.given.library.bytes_of(lambda: run(0))


def affordable(trial: Ready, library: Library, work: Work) -> int:
    """The largest batch, a power of two times the trial's, whose step the time and the memory allow."""
    run, batch = stepped(trial.entry) or trial.entry.forward, trial.entry.given.work.batch
    milliseconds = min(library.milliseconds(lambda: run(0)) for _ in range(2))
    inputs = (SETS + 2) * batch * 2**work.n * 4
    room = 0.8 * library.free_bytes() / ((step_bytes(trial.entry) or 0) + inputs)
    times_more = min(CALL_LIMIT * 1e3 / milliseconds, room, work.batch / batch)
    return batch << max(int(np.log2(max(times_more, 1.0))), 0)


def fitted(contestant: Contestant, library: Library, work: Work) -> Ready:
    """Ready at the work's batch, or at the largest that this contestant can afford.

    Raises:
        MemoryError: if not even a small batch has room.
    """
    if contestant.takes is not None:
        return ready(contestant, library, work._replace(batch=min(contestant.takes, work.batch)))
    batch = work.batch
    if not contestant.at_once and work.batch > TRIAL:
        trial = ready(contestant, library, work._replace(batch=TRIAL))
        batch = affordable(trial, library, work)
        if batch == TRIAL:
            return trial
        del trial
        release(library)
    while batch >= min(TRIAL, work.batch):
        try:
            return ready(contestant, library, work._replace(batch=batch))
        except library.out_of_memory:
            batch //= 4
        release(library)
    raise MemoryError(f"no room for {batch * 4} samples")


def release(library: Library) -> None:
    """Forget what is no longer used."""
    gc.collect()
    library.release()


def row(contestant: Contestant, library: Library, work: Work) -> dict[str, Any]:
    """The times of a contestant at one size, in milliseconds a batch, and its memory in bytes a sample."""
    entry, error, seconds = fitted(contestant, library, work)
    batch, step = entry.given.work.batch, stepped(entry)
    found: dict[str, Any] = {"n": work.n, "layers": work.layers, "batch": batch, "wanted_batch": work.batch}
    found |= {"forward_ms": times(library, entry.forward), "step_ms": None if step is None else times(library, step)}
    held = step_bytes(entry)
    found |= {"bytes_per_sample": None if held is None else held / batch}
    return {**found, "error": error, "ready_seconds": round(seconds, 2), "tf32": contestant.tf32}
