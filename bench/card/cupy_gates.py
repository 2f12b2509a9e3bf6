"""CuPy gate by gate, as its user writes it: slices and arithmetic, the ring as one gather, gradients by walking back.

CuPy has no gradients of its own. The walk is the adjoint method: state and costate are taken back gate by gate.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np
from work import ring

from card import Absent
from card.entry import Array, Contestant, Entry, Given


class Cupy:
    """CuPy's arrays; in a rehearsal NumPy's."""

    def __init__(self, rehearsal: bool) -> None:
        self.on_gpu, self.calls = not rehearsal, 2 if rehearsal else 20
        self.module: ModuleType = np
        self.out_of_memory: tuple[type[Exception], ...] = (MemoryError,)
        if rehearsal:
            return
        import cupy

        if not cupy.is_available():
            raise Absent(f"CuPy {cupy.__version__} is here, but sees no GPU")
        self.module = cupy
        self.pool = cupy.get_default_memory_pool()
        self.out_of_memory = (cupy.cuda.memory.OutOfMemoryError,)

    def array(self, numbers: Array) -> Any:
        return self.module.asarray(numbers)

    def normal(self, seed: int, rows: int, columns: int) -> Any:
        if not self.on_gpu:
            return np.random.default_rng(seed).standard_normal((rows, columns), dtype=np.float32)
        return self.module.random.default_rng(seed).standard_normal((rows, columns), dtype=np.float32)

    def numpy(self, array: Any) -> Array:
        return self.module.asnumpy(array) if self.on_gpu else array  # type: ignore[no-any-return]

    def milliseconds(self, call: Callable[[], Any]) -> float:
        if not self.on_gpu:
            start = time.perf_counter()
            call()
            return 1e3 * (time.perf_counter() - start)
        begin, end = self.module.cuda.Event(), self.module.cuda.Event()
        begin.record()
        call()
        end.record()
        end.synchronize()
        return float(self.module.cuda.get_elapsed_time(begin, end))

    def bytes_of(self, call: Callable[[], Any]) -> int | None:
        """The pool never shrinks by itself: its size is the most that was held."""
        if not self.on_gpu:
            return None
        self.pool.free_all_blocks()
        before = self.pool.total_bytes()
        call()
        return int(self.pool.total_bytes() - before)

    def free_bytes(self) -> int:
        return int(self.module.cuda.Device().mem_info[0]) if self.on_gpu else 1 << 30

    def precise(self, tf32: bool) -> None:
        """There are no matrix products here."""

    def release(self) -> None:
        if self.on_gpu:
            self.pool.free_all_blocks()


def library(rehearsal: bool) -> Cupy:
    return Cupy(rehearsal)


class Circuit:
    """The reference circuit on states (2^n, B)."""

    def __init__(self, given: Given) -> None:
        self.xp, self.work = given.library.module, given.work
        target = ring(given.work.n)
        self.target, self.source = (self.xp.asarray(a) for a in (target, np.argsort(target)))
        self.weights = self.xp.asarray(given.weights)

    def turns(self) -> tuple[Any, Any]:
        """Cosine and sine of each half angle."""
        return self.xp.cos(self.weights / 2), self.xp.sin(self.weights / 2)

    def rotated(self, state: Any, gate: int, cosine: Any, sine: Any) -> Any:
        """One gate; with the sine's sign changed, back."""
        shape = (2 ** (gate % self.work.n), 2, -1)
        zero, one = state.reshape(shape)[:, 0], state.reshape(shape)[:, 1]
        return self.xp.stack([cosine * zero - sine * one, sine * zero + cosine * one], axis=1).reshape(state.shape)

    def slope(self, state: Any, costate: Any, gate: int) -> Any:
        """Of one gate's angle, by the state behind the gate: half the costate on the state a quarter turn on."""
        shape = (2 ** (gate % self.work.n), 2, -1)
        state, costate = state.reshape(shape), costate.reshape(shape)
        return 0.5 * (costate[:, 1] * state[:, 0] - costate[:, 0] * state[:, 1]).sum()

    def run(self, samples: Any, cosines: Any, sines: Any) -> tuple[Any, Any]:
        """Norms (1, B) and final states."""
        norms = self.xp.sqrt((samples * samples).sum(axis=1))[None]
        state = self.xp.ascontiguousarray(samples.T) / norms
        for gate in range(self.work.n_weights):
            state = self.rotated(state, gate, cosines[gate], sines[gate])
            if gate % self.work.n == self.work.n - 1:
                state = state[self.source]
        return norms, state

    def forward(self, samples: Any) -> Any:
        state = self.run(samples, *self.turns())[1]
        return (state * state).T

    def step(self, samples: Any, cotangents: Any) -> tuple[Any, Any, Any]:
        cosines, sines = self.turns()
        norms, state = self.run(samples, cosines, sines)
        outputs = (state * state).T
        costate = 2 * cotangents.T * state
        slopes = []
        for gate in reversed(range(self.work.n_weights)):
            if gate % self.work.n == self.work.n - 1:
                state, costate = state[self.target], costate[self.target]
            slopes.append(self.slope(state, costate, gate))
            back = (gate, cosines[gate], -sines[gate])
            state, costate = self.rotated(state, *back), self.rotated(costate, *back)
        by_samples = (costate - state * (state * costate).sum(axis=0)) / norms
        return outputs, self.xp.stack(slopes[::-1]), by_samples.T


def make(given: Given) -> Entry:
    """An entry of CuPy's."""
    circuit = Circuit(given)
    return Entry(
        given,
        lambda which: circuit.forward(given.samples[which]),
        lambda which, cotangents: circuit.step(given.samples[which], cotangents),
    )


CONTESTANTS = {"CuPy, gate by gate": Contestant(make)}
