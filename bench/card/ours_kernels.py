"""Our kernels by themselves: `qcsim.cuda.Program` on memory made before, as a framework would call them."""

from __future__ import annotations

from typing import Any

import torch

import qcsim
from card import KERNELS, Absent
from card.entry import Contestant, Entry, Given, circuit
from card.on_torch import Torch
from qcsim import cuda

COPIED = 1 << 28  # float32 numbers


class Counted:
    """The host as the engine, and how often kernels were asked for."""

    def __init__(self) -> None:
        self.host, self.runs = cuda.Host(), 0

    def run(self, kernels: str, *calls: bytes) -> None:
        self.runs += 1
        self.host.run(kernels, *calls)


class Kernels(Torch):
    """Torch's memory, and the engine: the stream that torch uses now, or in a rehearsal the host."""

    def __init__(self, rehearsal: bool) -> None:
        super().__init__(rehearsal)
        if not rehearsal and not cuda.built():
            raise Absent("this build of qcsim has no kernels: build it where nvcc is")
        self.host = None if self.on_gpu else Counted()

    @property
    def engine(self) -> Any:
        if self.host is not None:
            return self.host
        return cuda.Stream(torch.cuda.current_stream().cuda_stream, torch.cuda.current_device())

    def seen(self, tensor: Any) -> Any:
        """A tensor as the kernels take it."""
        return tensor if self.on_gpu else tensor.numpy()

    def block(self, n_bytes: int) -> Any:
        """Memory with nothing useful in it."""
        return torch.full((n_bytes,), 0xFF, dtype=torch.uint8, device=self.device)

    def launches(self, call: Any) -> int | None:
        if self.host is None:
            return super().launches(call)
        before = self.host.runs
        call()
        return self.host.runs - before

    def copy_gb_per_s(self) -> float:
        """What a large copy moves, bytes read plus bytes written."""
        source = self.normal(0, 1 << 8, (COPIED if self.on_gpu else 1 << 16) >> 8)
        target = torch.empty_like(source)
        milliseconds = min(self.milliseconds(lambda: target.copy_(source)) for _ in range(10))
        return 2 * source.numel() * 4 / milliseconds / 1e6


def library(rehearsal: bool) -> Kernels:
    return Kernels(rehearsal)


def facts(kernels: Kernels) -> dict[str, Any]:
    """The card, and the bandwidth of its memory."""
    device = kernels.engine.facts if kernels.on_gpu else {"name": "rehearsal"}
    return {"device": device, "copy_gb_per_s": kernels.copy_gb_per_s()}


class Program:
    """The reference circuit with memory for each set of inputs."""

    def __init__(self, given: Given) -> None:
        self.library: Kernels = given.library
        self.program = cuda.Program(circuit(given.work), (qcsim.Probabilities(),), "float32")
        self.weights = self.library.array(given.weights)
        tables = self.library.array(self.program.tables)
        batch = given.work.batch
        self.outputs = [torch.full_like(samples, torch.nan) for samples in given.samples]
        kept = [self.library.block(self.program.kept_bytes(batch, True)) for _ in given.samples]
        self.calls = [
            cuda.Call(*map(self.library.seen, (tables, k, o, self.weights, s)))
            for k, o, s in zip(kept, self.outputs, given.samples, strict=True)
        ]
        self.sums = self.library.block(self.program.sums_bytes(batch))
        self.by_weights = torch.full_like(self.weights, torch.nan)
        self.by_samples = torch.full_like(given.samples[0], torch.nan)
        held = (kept[0], self.outputs[0], self.sums, self.by_weights, self.by_samples)
        self.holds = sum(tensor.nbytes for tensor in held)

    def forward(self, which: int) -> Any:
        self.program.forward(self.library.engine, self.calls[which])
        return self.outputs[which]

    def step(self, which: int, cotangents: Any) -> tuple[Any, Any, Any]:
        seen, engine = self.library.seen, self.library.engine
        call = self.calls[which]._replace(with_states=True)
        self.program.forward(engine, call)
        slopes = {"weights": seen(self.by_weights), "amplitudes": seen(self.by_samples)}
        self.program.adjoint(engine, call, seen(cotangents), seen(self.sums), **slopes)
        return self.outputs[which], self.by_weights, self.by_samples


def make(given: Given) -> Entry:
    """An entry of kernels."""
    program = Program(given)
    return Entry(given, program.forward, program.step, program.holds)


CONTESTANTS = {KERNELS: Contestant(make)}
IN_GRAPHS = (KERNELS,)
