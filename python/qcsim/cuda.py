"""The kernels for NVIDIA GPUs, at their lowest level: who calls brings arrays on a device, memory, and a stream.

A ``Program`` is a circuit with what is read of it, for one precision. Its calls launch kernels on the given stream and
return at once: they allocate nothing and wait for nothing, so they can be captured in a CUDA graph. Arrays are torch
tensors, CuPy arrays or anything with ``__cuda_array_interface__``, contiguous in the last axis.

    program = Program(circuit, (Probabilities(),), "float32")
    tables = <a copy of program.tables on the device>              # once
    kept = <program.kept_bytes(batch, True) bytes on the device>   # for each call; until its gradients are taken
    program.forward(stream, Call(tables, kept, outputs, weights, amplitudes, features))
    sums = <program.sums_bytes(batch) bytes on the device>
    program.adjoint(stream, call, cotangents, sums, weights=..., amplitudes=..., features=...)

The class ``Host`` runs the same kernels' bodies on arrays of the host, for tests. Nothing here is needed to compute on
a CPU, and importing it needs neither a driver nor the module of the kernels.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from qcsim import _core

if TYPE_CHECKING:
    from qcsim.circuit import Circuit
    from qcsim.measurements import Measurement

Address = tuple[int, int, int]
ABSENT: Address = (0, 0, 0)
METHODS = ("statevector", "density_matrix")


class Call(NamedTuple):
    """The arrays of one call; B is the batch, absent arrays are None.

    Attributes:
        tables: a copy of ``Program.tables`` on the device.
        kept: ``Program.kept_bytes`` bytes, aligned to 16: the numbers of the angles and, with ``with_states``, what
            the gradients need.
        outputs: (B, n_outputs), written.
        weights: (P,), or (B, P) of a program with weights per sample; None: the circuit has none.
        amplitudes: (B, D) real or complex, D at most 2^n; None: the circuit embeds none.
        features: (B, F); None: the circuit has none.
        with_states: whether gradients will be asked for.
    """

    tables: Any
    kept: Any
    outputs: Any
    weights: Any = None
    amplitudes: Any = None
    features: Any = None
    with_states: bool = False


class Engine(Protocol):
    """Where kernels run: a stream of a device, or the host."""

    def run(self, kernels: str, *calls: bytes) -> None:
        """Run kernels on what a program has made ready for them."""


class Host:
    """Runs the bodies of the kernels on the host, thread after thread.

    Args:
        reversed_threads: from the last thread of a group to the first: where two threads met without a barrier between
            them, the result would change.
    """

    def __init__(self, reversed_threads: bool = False) -> None:
        self.reversed_threads = reversed_threads

    def run(self, kernels: str, *calls: bytes) -> None:
        """Run kernels on what a program has made ready for them."""
        getattr(_core, f"host_{kernels}")(*calls, self.reversed_threads)


class Stream:
    """Launches kernels on a stream.

    Args:
        handle: of the stream, such as ``torch.cuda.current_stream().cuda_stream``; 0 is the default stream.
        device: the number of the GPU that the stream and the arrays belong to.

    Attributes:
        facts: about the device: its name, compute capability, multiprocessors, shared memory of a block, versions.

    Raises:
        RuntimeError: if this build has no kernels, or there is no driver or no such device, or in a process forked
            from one that has used CUDA.
    """

    def __init__(self, handle: int, device: int = 0) -> None:
        self.handle = handle
        self.device = device
        self._kernels = kernels()
        self.facts = device_facts(device)

    def run(self, kernels: str, *calls: bytes) -> None:
        """Launch kernels on what a program has made ready for them; returns before they are done."""
        _same_process()
        getattr(self._kernels, kernels)(*calls, self.device, self.handle)


_process: list[int] = []  # that first asked for kernels


def built() -> bool:
    """Whether this build has kernels."""
    try:
        _kernel_module()
    except ImportError:
        return False
    return True


def kernels() -> ModuleType:
    """The module of the kernels, loaded at its first use."""
    try:
        module = _kernel_module()
    except ImportError as error:
        raise RuntimeError(f"this build of qcsim has no CUDA kernels ({error}); build it where nvcc is, or compute on "
                           "the CPU") from error  # fmt: skip
    _same_process()
    return module


@cache
def device_facts(device: int) -> dict[str, Any]:
    """Name, compute capability, multiprocessors, shared memory of a block, versions; asked once, for it takes long."""
    facts: dict[str, Any] = kernels().device_facts(device)
    return facts


@cache
def _kernel_module() -> ModuleType:
    from importlib import import_module

    return import_module("qcsim._cuda")


def _same_process() -> None:
    _process[:1] = _process[:1] or [os.getpid()]
    if _process[0] != os.getpid():
        raise RuntimeError(f"process {os.getpid()} was forked from process {_process[0]}, which has used CUDA, which "
                           "does not survive a fork; start workers with the method 'spawn'")  # fmt: skip


class Program:
    """A circuit and what is read of it, as tables for kernels.

    Args:
        circuit: what is run; without channels but depolarizing of all qubits unless the method holds them.
        measurements: what is read, such as ``(qcsim.Probabilities(),)``; their columns stand side by side.
        dtype: "float32" or "float64", of all arrays (their real and imaginary parts).
        per_sample_weights: whether weights have a batch axis.
        complex_amplitudes: whether amplitudes are complex.
        method: "statevector", or "density_matrix", which holds every channel. Of a density matrix the gradients need
            each state in front of channels that lose information, with rotations by weights or features between it
            and the one before: ``kept_bytes`` counts them.

    Attributes:
        n_outputs: the columns of the outputs.
        is_large: whether a state is too large for one block of a GPU, and is walked through in global memory.

    Raises:
        ValueError: for channels that the method does not hold, another method, or a density matrix of more qubits
            than the CPU's.
    """

    def __init__(
        self,
        circuit: Circuit,
        measurements: tuple[Measurement, ...],
        dtype: str,
        per_sample_weights: bool = False,
        complex_amplitudes: bool = False,
        method: str = "statevector",
    ) -> None:
        if dtype not in ("float32", "float64"):
            raise ValueError(f"dtype is {dtype!r}; the options are float32 and float64")
        if method not in METHODS:
            raise ValueError(f"method is {method!r}; the options on a GPU are {', '.join(METHODS)}")
        readings = tuple(measurement.reading(circuit, method) for measurement in measurements)
        self.dtype = dtype
        self._compiled, readout = circuit._compiled(readings, complex_amplitudes, method)
        self._plan = _core.DevicePlan(self._compiled, readout, dtype == "float32", per_sample_weights)
        self.n_outputs: int = readout.n_outputs
        self.is_large: bool = self._plan.is_large
        self._copies: dict[Any, Any] = {}  # of the tables, by device

    @property
    def tables(self) -> NDArray[np.uint8]:
        """What a device needs a copy of, aligned to 16 bytes; the same for every call."""
        return self._plan.tables

    def tables_on(self, device: Any, copied: Callable[[NDArray[np.uint8]], Any]) -> Any:
        """The tables on a device, copied when first asked for.

        Args:
            device: what tells devices apart; hashable.
            copied: gives a copy of an array on that device.
        """
        found = self._copies.get(device)
        if found is None:
            found = self._copies[device] = copied(self.tables)
        return found

    def kept_bytes(self, batch: int, with_states: bool) -> int:
        """The size of ``Call.kept``."""
        return int(getattr(self._plan, f"kept_bytes_{self.dtype}")(batch, with_states))

    def sums_bytes(self, batch: int) -> int:
        """The size of the memory that gradients need besides."""
        width = 4 if self.dtype == "float32" else 8
        return self._plan.sums_bytes(batch) + width * self._plan.lambda_numbers(batch)

    def forward(self, engine: Engine, call: Call) -> None:
        """Write the outputs of a call. A sample that is zero or not finite gives NaN."""
        if len(call.outputs) == 0:
            return
        if self.is_large:
            engine.run(f"large_forward_{self.dtype}", self._large(call, None))
        else:
            engine.run(f"forward_{self.dtype}", self._call(call))

    def adjoint(
        self,
        engine: Engine,
        call: Call,
        cotangents: Any,
        sums: Any,
        weights: Any = None,
        amplitudes: Any = None,
        features: Any = None,
    ) -> None:
        """Write the gradients that are wanted, of the shapes of their arrays.

        Args:
            engine: that ran the call.
            call: run before, with ``with_states``; its arrays unchanged. A large state is walked back in place, and
                needs another forward run before a second time.
            cotangents: (B, n_outputs).
            sums: ``sums_bytes`` bytes of scratch, aligned to 16.
            weights: gradient to write, summed over the batch where the weights are shared; None: not wanted.
            amplitudes: gradient to write; None: not wanted.
            features: gradient to write; None: not wanted.
        """
        slopes = getattr(self._plan, f"slopes_{self.dtype}")(
            len(call.outputs),
            address(cotangents),
            address(amplitudes),
            address(weights),
            address(features),
            address(sums)[0],
        )
        if self.is_large:
            engine.run(f"large_adjoint_{self.dtype}", self._large(call, slopes))
        else:
            engine.run(f"adjoint_{self.dtype}", self._call(call), slopes)

    def _large(self, call: Call, slopes: bytes | None) -> bytes:
        packed: bytes = getattr(self._plan, f"large_{self.dtype}")(
            self._call(call), address(call.kept)[0], call.with_states, slopes
        )
        return packed

    def _call(self, call: Call) -> bytes:
        make = getattr(self._plan, f"call_{self.dtype}")
        arrays = [address(array) for array in (call.amplitudes, call.weights, call.features, call.outputs)]
        packed: bytes = make(
            address(call.tables)[0], len(call.outputs), *arrays, address(call.kept)[0], call.with_states
        )
        return packed


def draw(engine: Engine, dtype: str, probabilities: Any, seed: int | None, out: Any) -> None:
    """Draw outcomes, those that ``qcsim.sample`` draws with the same seed from the same probabilities.

    Args:
        engine: where to.
        dtype: of the probabilities.
        probabilities: (B, K).
        seed: of the random numbers; None: fresh ones.
        out: (B, shots) int64, written; contiguous.
    """
    state: Any = np.random.Philox(seed).state
    key = (int(state["state"]["key"][0]), int(state["state"]["key"][1]))
    batch, shots = out.shape
    call = getattr(_core, f"draw_call_{dtype}")(batch, shots, address(probabilities), address(out)[0], key)
    engine.run(f"draw_{dtype}", call)


def address(array: Any) -> Address:
    """Where an array lies: (address, numbers between rows, columns); pairs of a complex array count as two numbers."""
    if array is None:
        return ABSENT
    interface = getattr(array, "__cuda_array_interface__", None) or array.__array_interface__
    shape, strides, width = interface["shape"], interface.get("strides"), int(interface["typestr"][2:])
    parts = 2 if interface["typestr"][1] == "c" else 1
    columns = int(shape[-1]) * parts
    if len(shape) < 2:
        return int(interface["data"][0]), 0, columns
    stride = columns if strides is None or shape[0] <= 1 else int(strides[0]) * parts // width
    return int(interface["data"][0]), stride, columns
