"""Arrays of a call, checked and described: kind (NumPy, torch or CuPy), place, dtype, batch and memory layout.

Called by simulate and autograd before the engine runs; the engine sees only addresses, strides and sizes. Arrays of
other libraries come in by DLPack: as NumPy arrays from the host, as CuPy arrays from a GPU.
"""

from __future__ import annotations

import sys
from contextlib import nullcontext
from typing import Any, NamedTuple

import numpy as np

from qcsim import _core
from qcsim.array_kinds import dtype_name, is_cupy, is_torch, kind_of, library
from qcsim.circuit import Circuit
from qcsim.foreign import adopted
from qcsim.gpus import Gpu, gpu_of
from qcsim.precision import PARTS, with_real_numbers

_NUMBERS = (list, tuple, float, complex, np.generic)

Address = tuple[int, int, int]
ABSENT: Address = (0, 0, 0)

_DTYPES = {"float32": _core.run_float32, "float64": _core.run_float64}
_FLOAT32, _FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)


class Operands(NamedTuple):
    """The arrays of one call, contiguous in the last axis; B is the batch, absent arrays are None."""

    weights: Any  # (P,) shared or (B, P)
    amplitudes: Any  # (B, D), or (D,) of a single sample
    features: Any  # (B, F), or (F,) of a single sample
    batch: int
    single: bool  # no argument had a batch axis: the output has none either
    dtype: str
    complex_amplitudes: bool
    gpu: Gpu | None = None  # where they are; None: the host


def _strided() -> Any:
    return sys.modules["torch"].strided


def run_function(dtype: str) -> Any:
    """The engine's entry for a dtype."""
    return _DTYPES[dtype]


def operands(circuit: Circuit, weights: Any, amplitudes: Any, features: Any) -> Operands:
    """Check the arrays of a call against the circuit and bring them to a common batch.

    Whole numbers have no precision of their own, whether they come in a list or in an array: they take that of the
    other arrays, float64 if there is none.

    Raises:
        TypeError: for something that is no array, or arrays of two kinds.
        ValueError: for a missing array, a wrong shape or dtype, or arrays that do not fit together.
        ModuleNotFoundError: for an array of another library on a GPU, where CuPy is not installed.
    """
    given_plainly = _plain(circuit, weights, amplitudes, features)
    if given_plainly is not None:
        return given_plainly
    required = {
        "weights": _required("weights", weights, circuit.n_weights, circuit.n_weights > 0, may_be_empty=True),
        "amplitudes": _required("amplitudes", amplitudes, 2**circuit.n_qubits, circuit.embeds_amplitudes),
        "features": _required("features", features, circuit.n_features, circuit.n_features > 0),
    }
    let = with_real_numbers({name: let_in(name, array) for name, array in required.items() if array is not None})
    given = {name: _checked(name, array) for name, array in let.items()}
    if "weights" not in given:
        given = {"weights": _no_weights(next(iter(given.values()), None)), **given}
    _same_kind(given)
    _check_columns(circuit, given)
    batches = {name: array.shape[0] for name, array in given.items() if array.ndim == 2}
    if len(set(batches.values())) > 1:
        sizes = ", ".join(f"{name} {size}" for name, size in batches.items())
        raise ValueError(f"the batch sizes differ: {sizes}; give one size, or no batch axis")
    batch = next(iter(batches.values()), 1)
    single = not batches
    gpu = gpu_of(given["weights"])
    with nullcontext() if gpu is None else gpu.current():
        laid = {n: dense(a) if single or n == "weights" else _rows(a, batch) for n, a in given.items()}
    weights = laid["weights"]
    return Operands(
        weights=weights,
        amplitudes=laid.get("amplitudes"),
        features=laid.get("features"),
        batch=batch,
        single=single,
        dtype=dtype_name(weights),
        complex_amplitudes="amplitudes" in given and dtype_name(given["amplitudes"]) in PARTS,
        gpu=gpu,
    )


def address(array: Any) -> Address | Any:
    """Where an array lies: (address, numbers between rows, columns); stride 0 means one row shared by the batch.

    The engine finds that out for NumPy arrays itself, ten times faster.
    """
    if array is None:
        return ABSENT
    if isinstance(array, np.ndarray):
        return array
    shape = array.shape
    if array.is_contiguous() and not array.is_complex():
        columns = shape[-1]
        return array.data_ptr(), columns if len(shape) == 2 else 0, columns
    columns, stride = shape[-1], array.stride(0)
    if array.is_complex():  # to the engine, pairs of real numbers
        columns, stride = 2 * columns, 2 * stride
    if array.ndim == 1:
        stride = 0
    elif array.shape[0] == 1:  # a batch of one may have any stride, and 0 would say something else
        stride = columns
    return array.data_ptr(), stride, columns


def empty_array(template: Any, shape: tuple[int, ...]) -> Any:
    """An uninitialised array of ``shape`` of the template's kind and dtype."""
    return np.empty(shape, template.dtype) if isinstance(template, np.ndarray) else template.new_empty(shape)


def row_major(array: Any, like: Any) -> Any:
    """Numbers as an array of the kind and dtype of ``like``, NumPy's or CuPy's, side by side in memory."""
    if isinstance(like, np.ndarray):
        return np.require(array, like.dtype, ["C", "A"])
    cupy = library(like)
    return cupy.ascontiguousarray(cupy.asarray(array, like.dtype))


def writable_rows(array: Any) -> bool:
    """Whether results can be written to an array of any kind as they come."""
    if is_torch(array):
        return bool(array.is_contiguous())
    return bool(array.flags.carray if isinstance(array, np.ndarray) else array.flags.c_contiguous)


def on_host(array: Any) -> Any:
    """A NumPy array of the numbers of an array of any kind."""
    gpu = gpu_of(array)
    return np.asarray(array) if gpu is None else gpu.fetched(array)


def _plain(circuit: Circuit, weights: Any, amplitudes: Any, features: Any) -> Operands | None:
    """The operands of a call that needs no second look: contiguous arrays of one kind and dtype, samples in rows.

    A call with one sample takes some 15 microseconds, and the full checks would add as much again.
    """
    dtype = getattr(weights, "dtype", None)
    simple = _simple_array if type(weights) is np.ndarray else _simple_tensor
    if not simple(weights, dtype):
        return None
    batch = None
    embeds, n_features = circuit.embeds_amplitudes, circuit.n_features
    for array, wanted in ((amplitudes, embeds), (features, n_features > 0)):
        if (array is not None) != wanted:
            return None
        if array is None:
            continue
        if not simple(array, dtype):
            return None
        shape = array.shape
        rows = shape[0] if len(shape) == 2 else 0  # 0: a single sample
        if not 1 <= len(shape) <= 2 or (batch is not None and rows != batch):
            return None
        if len(shape) == 2 and rows == 0:
            return None
        batch = rows
    single = not batch and weights.ndim == 1
    if (batch is None or not batch) and not single:
        return None
    if tuple(weights.shape) not in ((circuit.n_weights,), (batch, circuit.n_weights)):
        return None
    if embeds and not 1 <= amplitudes.shape[-1] <= 2**circuit.n_qubits:
        return None
    if n_features and features.shape[-1] != n_features:
        return None
    return Operands(weights, amplitudes, features, batch or 1, single, dtype_name(weights), False)


def as_rows(array: Any) -> Any:
    """A single sample as a batch of one."""
    return array if array is None or array.ndim == 2 else array[None]


def _simple_array(array: Any, dtype: Any) -> bool:
    if type(array) is not np.ndarray or array.dtype is not dtype:
        return False
    return (dtype is _FLOAT32 or dtype is _FLOAT64) and bool(array.flags.c_contiguous and array.flags.aligned)


def _simple_tensor(array: Any, dtype: Any) -> bool:
    torch = sys.modules.get("torch")
    if torch is None or type(array) not in (torch.Tensor, torch.nn.Parameter) or array.dtype is not dtype:
        return False
    if (dtype is not torch.float32 and dtype is not torch.float64) or not array.is_cpu:
        return False
    strided = array.layout is torch.strided and array.is_contiguous()
    return strided and not array.is_neg() and not array._is_zerotensor()


def _no_weights(other: Any) -> Any:
    if is_torch(other):
        return other.real.new_empty(0) if other.is_complex() else other.new_empty(0)
    gpu = gpu_of(other)
    if gpu is not None:
        return gpu.empty((0,), PARTS.get(dtype_name(other), dtype_name(other)))
    dtype = np.dtype(getattr(other, "dtype", np.float64))
    return np.empty(0, PARTS.get(dtype.name, dtype))


def _required(name: str, array: Any, size: int, needed: bool, may_be_empty: bool = False) -> Any:
    if needed and array is None:
        raise ValueError(f"{name} are missing; this circuit takes {'up to ' if name == 'amplitudes' else ''}{size}")
    if not needed and array is not None and not may_be_empty:
        hint = "; call amplitude_embedding() on it first" if name == "amplitudes" else ""
        raise ValueError(f"{name} were given, but this circuit takes none{hint}")
    return array


def let_in(name: str, array: Any) -> Any:
    """An array of a library that is known here, or None: one of another library as NumPy's or CuPy's."""
    if array is None or is_torch(array) or isinstance(array, np.ndarray) or is_cupy(array):
        return array
    return _from_numbers(array) if isinstance(array, _NUMBERS) else adopted(name, array)


def _checked(name: str, array: Any) -> Any:
    if dtype_name(array) not in _DTYPES and (name != "amplitudes" or dtype_name(array) not in PARTS):
        more = ", and complex64 and complex128" if name == "amplitudes" else ""
        raise ValueError(f"{name} has dtype {dtype_name(array)}; the options are float32 and float64{more}")
    if is_torch(array) and array.layout is not _strided():
        raise ValueError(f"{name} has layout {array.layout}; it must be dense: call todense() on it")
    if isinstance(array, np.ma.MaskedArray):
        raise TypeError(f"{name} is a masked array; fill its gaps first: filled(value)")
    if is_torch(array) and array.device.type not in ("cpu", "cuda"):
        raise ValueError(f"{name} is on {array.device}; the options are the cpu and cuda devices")
    if array.ndim not in (1, 2):
        raise ValueError(f"{name} has shape {tuple(array.shape)}; it must have one axis, or a batch axis before it")
    return array


def _from_numbers(numbers: Any) -> Any:
    array = np.asarray(numbers)
    return array.astype(np.float64) if array.size == 0 else array


def _same_kind(given: dict[str, Any]) -> None:
    kinds = {name: kind_of(array) for name, array in given.items()}
    if len(set(kinds.values())) > 1:
        raise TypeError(f"arrays of two kinds: {_listed(kinds)}; give all as one")
    if any(gpu_of(array) != gpu_of(given["weights"]) for array in given.values()):
        devices = {name: str(array.device) for name, array in given.items()}
        raise ValueError(f"the devices differ: {_listed(devices)}; give all arrays on one")
    dtypes = {name: dtype_name(array) for name, array in given.items()}
    if len({PARTS.get(dtype, dtype) for dtype in dtypes.values()}) > 1:
        raise ValueError(f"the dtypes differ: {_listed(dtypes)}; give one dtype")


def _listed(values: dict[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())


def _check_columns(circuit: Circuit, given: dict[str, Any]) -> None:
    for name, expected in (("weights", circuit.n_weights), ("features", circuit.n_features)):
        if name in given and given[name].shape[-1] != expected:
            shape = tuple(given[name].shape)
            raise ValueError(
                f"{name} has shape {shape}; this circuit takes {expected}: ({expected},) or (B, {expected})"
            )
    if "amplitudes" in given and not 1 <= given["amplitudes"].shape[-1] <= 2**circuit.n_qubits:
        shape, limit = tuple(given["amplitudes"].shape), 2**circuit.n_qubits
        raise ValueError(
            f"amplitudes has shape {shape}; {circuit.n_qubits} qubits hold 1 to {limit} amplitudes a sample"
        )


def _rows(array: Any, batch: int) -> Any:
    """(B, columns), a single row repeated without copying; numbers of a row side by side."""
    if array.ndim == 2:
        return dense(array)
    array = dense(array)
    shape = (batch, array.shape[0])
    return array.expand(shape) if is_torch(array) else library(array).broadcast_to(array, shape)


def dense(array: Any) -> Any:
    """The array with the numbers of a row side by side and, with a batch axis, rows that do not overlap."""
    if is_torch(array):
        if array.is_neg() or array.is_conj():  # a view may hold its sign as a flag that memory does not show
            array = array.resolve_conj().resolve_neg()
        if array._is_zerotensor():  # torch's own stand-in for zeros, without memory
            array = array.clone()
        side_by_side = array.stride(-1) == 1 or array.shape[-1] <= 1
        return array if side_by_side and (array.ndim == 1 or array.stride(0) > 0) else array.contiguous()
    side_by_side = array.strides[-1] == array.itemsize or array.shape[-1] <= 1
    aligned = not any(s % array.itemsize for s in array.strides)
    if isinstance(array, np.ndarray):
        aligned = aligned and array.flags.aligned and array.dtype.isnative
    if aligned and side_by_side and (array.ndim == 1 or array.strides[0] > 0):
        return array
    # A copy also where only the alignment is wrong.
    return library(array).array(array, array.dtype.newbyteorder("="), order="C")
