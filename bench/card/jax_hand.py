"""Hand-written JAX, compiled: the programs of the CPU's benchmarks.

There are no events to time a step by: the clock is the host's, until the results are there, which counts the call's own
overhead as torch's events do where the host is the slower. Memory is what the compiler plans.
"""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")

import jax
import jax.numpy as jnp
import numpy as np
from jax.errors import JaxRuntimeError
from rivals import jax_hand
from rivals.jax_hand import Run
from work import Work

from card import Absent
from card.entry import Array, Contestant, Entry, Given
from card.torch_eager import LARGEST_UNITARY


class OutOfMemory(Exception):
    """Raised in the place of an error that many things raise."""


class Jax:
    """JAX's arrays on its first device."""

    out_of_memory = (OutOfMemory,)

    def __init__(self, rehearsal: bool) -> None:
        self.on_gpu, self.calls = not rehearsal, 2 if rehearsal else 20
        if not rehearsal and jax.default_backend() != "gpu":
            raise Absent(f"JAX {jax.__version__} is here, but without a GPU")

    def array(self, numbers: Array) -> Any:
        return jnp.asarray(numbers)

    def normal(self, seed: int, rows: int, columns: int) -> Any:
        return jax.random.normal(jax.random.key(seed), (rows, columns))

    def numpy(self, array: Any) -> Array:
        return np.asarray(array)

    def milliseconds(self, call: Callable[[], Any]) -> float:
        start = time.perf_counter()
        jax.block_until_ready(call())
        return 1e3 * (time.perf_counter() - start)

    def bytes_of(self, call: Callable[[], Any]) -> int | None:
        return None

    def free_bytes(self) -> int:
        statistics = jax.local_devices()[0].memory_stats() or {}
        return int(statistics.get("bytes_limit", 1 << 30)) - int(statistics.get("bytes_in_use", 0))

    def precise(self, tf32: bool) -> None:
        """Left to itself, JAX rounds to TF32 wherever a GPU can."""
        jax.config.update("jax_default_matmul_precision", "tensorfloat32" if tf32 else "highest")

    def release(self) -> None:
        """Arrays are freed as they are dropped."""


def library(rehearsal: bool) -> Jax:
    return Jax(rehearsal)


def maker(program: Callable[[Work], Run]) -> Callable[[Given], Entry]:
    """An entry of two XLA programs, outputs alone and outputs with both gradients."""

    def build(given: Given) -> Entry:
        run, weights = program(given.work), jnp.asarray(given.weights)

        def with_gradients(weights: Any, samples: Any, cotangents: Any) -> tuple[Any, Any, Any]:
            outputs, pull = jax.vjp(run, weights, samples)
            return outputs, *pull(cotangents)

        try:
            forward = jax.jit(run).lower(weights, given.samples[0]).compile()
            step = jax.jit(with_gradients).lower(weights, given.samples[0], given.cotangents).compile()
            jax.block_until_ready(step(weights, given.samples[0], given.cotangents))
        except JaxRuntimeError as error:
            if "RESOURCE_EXHAUSTED" in str(error):
                raise OutOfMemory from error
            raise
        return Entry(
            given,
            lambda which: forward(weights, given.samples[which]),
            lambda which, cotangents: step(weights, given.samples[which], cotangents),
            planned_bytes(step),
        )

    return build


def planned_bytes(program: Any) -> int | None:
    """Results and scratch of an XLA program."""
    plan = program.memory_analysis()
    return None if plan is None else int(plan.temp_size_in_bytes + plan.output_size_in_bytes)


PROGRAMS: dict[str, Callable[[Work], Run]] = {
    "Kronecker layers": jax_hand.kronecker_layers,
    "Kronecker layers, batch innermost": jax_hand.kronecker_innermost,
    "whole unitary": functools.partial(jax_hand.whole_unitary, largest=LARGEST_UNITARY),
}
CONTESTANTS = {
    f"JAX, {name}{', TF32' if tf32 else ''}": Contestant(maker(program), tf32, at_once=True)
    for tf32 in (False, True)
    for name, program in PROGRAMS.items()
}
