"""A run on a GPU: what simulate asks of the engine, asked of the kernels of cuda. Called by simulate and measurements.

Memory comes from the library of the arrays, work goes to its current stream, and nothing waits. The parameter-shift
rule and what is drawn by shots and trajectories are the host's: their arrays go there and back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qcsim import cuda
from qcsim.array_kinds import dtype_name, is_torch
from qcsim.gpus import Gpu, gpu_of
from qcsim.stopwatch import timed_on

if TYPE_CHECKING:
    from qcsim.arrays import Operands
    from qcsim.simulate import Plan

Slopes = tuple[Any, Any, Any]  # of weights, amplitudes, features
_captured: set[cuda.Program] = set()  # by CUDA graphs, which read their tables as long as the process lives
_INPUTS = ("weights", "amplitudes", "features")


class GpuCall:
    """A run with what its gradients need."""

    __slots__ = ("_batch", "_call", "_gpu", "_program", "_walked_back")

    def __init__(self, program: cuda.Program, call: cuda.Call, gpu: Gpu, batch: int) -> None:
        self._program = program
        self._call = call
        self._gpu = gpu
        self._batch = batch
        self._walked_back = False

    def adjoint(self, cotangent: Any, slopes: Slopes) -> None:
        """Write gradients into arrays of the shapes of the operands; None: not wanted."""
        present = {name: _plain(array) for name, array in zip(_INPUTS, slopes, strict=True) if array is not None}
        if self._batch == 0:
            for array in present.values():
                array[...] = 0
            return
        engine = self._gpu.engine()
        if self._walked_back and self._program.is_large:  # its states were walked back in place
            outputs = self._gpu.empty((self._batch, self._program.n_outputs), self._program.dtype)
            timed_on(self._gpu, self._program.forward, engine, self._call._replace(outputs=outputs))
        self._walked_back = True
        _in_use(self._gpu, self._program, self._call)
        sums = self._gpu.memory(self._program.sums_bytes(self._batch))
        timed_on(self._gpu, self._program.adjoint, engine, self._call, _plain(cotangent), sums, **present)


def forward(plan: Plan, given: Operands, *, keep: bool, outputs: Any = None) -> tuple[Any, GpuCall]:
    """Outputs (B, K) and the call, which with ``keep`` can give gradients."""
    gpu = given.gpu
    assert gpu is not None
    program = _program(plan, given)
    if outputs is None:
        outputs = gpu.empty((given.batch, program.n_outputs), given.dtype)
    call = cuda.Call(
        tables=program.tables_on(gpu, gpu.moved),
        kept=gpu.memory(program.kept_bytes(given.batch, keep)),
        outputs=_plain(outputs),
        weights=_plain(given.weights) if plan.circuit.n_weights else None,
        amplitudes=_plain(given.amplitudes),
        features=_plain(given.features),
        with_states=keep,
    )
    _in_use(gpu, program, call)
    timed_on(gpu, program.forward, gpu.engine(), call)
    return outputs, GpuCall(program, call, gpu, given.batch)


def backward(plan: Plan, given: Operands, call: GpuCall, cotangent: Any, needed: tuple[bool, bool, bool]) -> Slopes:
    """Gradients of weights, amplitudes (B, D) and features (B, F); None where not needed or absent."""
    gpu = given.gpu
    assert gpu is not None
    if plan.gradient == "parameter-shift" and (needed[0] or needed[2]):
        return _shifted(plan, given, cotangent, needed)
    arrays = (given.weights, given.amplitudes, given.features)
    weights, amplitudes, features = (
        gpu.empty(tuple(array.shape), dtype_name(array)) if wanted and array is not None else None
        for wanted, array in zip(needed, arrays, strict=True)
    )
    with_weights = weights if plan.circuit.n_weights else None
    if with_weights is not None or amplitudes is not None or features is not None:
        call.adjoint(cotangent, (with_weights, amplitudes, features))
    return weights, amplitudes, features


def drawn(columns: Any, shots: int, seed: int | None) -> Any:
    """Outcomes (B, shots) int64 of laws (B, K), those that the host draws with the same seed."""
    gpu = gpu_of(columns)
    assert gpu is not None
    columns = _plain(columns)
    outcomes = gpu.empty((len(columns), shots), "int64")
    if len(columns):
        cuda.draw(gpu.engine(), dtype_name(columns), columns, seed, outcomes)
    return outcomes


def on_host(given: Operands) -> Operands:
    """The operands as NumPy arrays on the host; waits for them."""
    gpu = given.gpu
    assert gpu is not None
    weights, amplitudes, features = (
        None if array is None else gpu.fetched(array) for array in (given.weights, given.amplitudes, given.features)
    )
    return given._replace(gpu=None, weights=weights, amplitudes=amplitudes, features=features)


def moved(slopes: Slopes, gpu: Gpu) -> Slopes:
    """Gradients of the host on a GPU; None where there is none."""
    weights, amplitudes, features = (None if slope is None else gpu.moved(slope) for slope in slopes)
    return weights, amplitudes, features


def _shifted(plan: Plan, given: Operands, cotangent: Any, needed: tuple[bool, bool, bool]) -> Slopes:
    from qcsim import simulate

    gpu, host = given.gpu, on_host(given)
    assert gpu is not None
    _, call = simulate.forward(plan, host, keep=True)
    return moved(simulate.backward(plan, host, call, gpu.fetched(cotangent), needed), gpu)


def _program(plan: Plan, given: Operands) -> cuda.Program:
    per_sample = given.weights.ndim == 2
    key = (plan.readings, given.dtype, per_sample, given.complex_amplitudes, plan.method)

    def made() -> cuda.Program:
        return cuda.Program(
            plan.circuit, plan.measurements, given.dtype, per_sample, given.complex_amplitudes, plan.method
        )

    found: cuda.Program = plan.circuit._device_program(key, made)
    return found


def _in_use(gpu: Gpu, program: cuda.Program, call: cuda.Call) -> None:
    """The tables are copied on the stream of a circuit's first call, and go when the circuit goes: not before later
    calls on other streams are done, nor from under a graph."""
    gpu.used(call.tables, call.kept)
    if gpu.is_capturing():
        _captured.add(program)


def _plain(array: Any) -> Any:
    """What gives its address away: torch's tensors that require gradients do not."""
    return array.detach() if is_torch(array) else array
