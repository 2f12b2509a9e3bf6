"""States at the public door: which of its two readings an array has, vectors or density matrices, and whether it holds.

Called by states. An array that is no state under either reading is refused, so what comes out is normalised, finite
and of a power of two. torch is looked up, never imported.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from qcsim.array_kinds import dtype_name, is_torch, library
from qcsim.integers import integer
from qcsim.precision import with_real_numbers

KINDS = ("vector", "matrix")
_TOLERANCES = {"float32": 1e-3, "complex64": 1e-3, "float64": 1e-6, "complex128": 1e-6}


class States(NamedTuple):
    """States of n qubits, D = 2^n."""

    array: Any  # (B, D) vectors or (B, D, D) density matrices
    is_matrix: bool
    single: bool  # the array had no batch axis: the result has none either
    n_qubits: int


def tolerance(array: Any) -> float:
    """How far a state of this dtype may be from normalised: 1e-3 in single precision, 1e-6 in double."""
    return _TOLERANCES[dtype_name(array)]


def dagger(matrices: Any) -> Any:
    """The conjugate transpose of the last two axes."""
    return matrices.conj().swapaxes(-1, -2)


def squares(array: Any) -> Any:
    """|entry|^2, real; smooth at 0, where the derivative of the modulus is not."""
    return (array * array.conj()).real


def read(name: str, array: Any, kind: str | None) -> States:
    """An array as states.

    A square (D, D) array is read by its content. The readings exclude each other for D > 1: the squared moduli of D
    vectors sum to D, those of a density matrix to its purity, which is at most 1.

    Args:
        name: the argument, for messages.
        array: (D,), (B, D), (D, D) or (B, D, D).
        kind: ``"vector"`` or ``"matrix"`` to allow one reading only; None: both.

    Raises:
        TypeError: for something that is no array.
        ValueError: for an array that is no state, or an unknown kind.
    """
    if kind is not None and kind not in KINDS:
        raise ValueError(f"kind is {kind!r}; the options are 'vector', 'matrix' and None")
    array = _as_array(name, array)
    shape = tuple(array.shape)
    readings = [each for each in _readings(shape) if kind in (None, each)]
    if not readings:
        what = f"as kind={kind!r} it" if kind else "it"
        raise ValueError(f"{name} has shape {shape}; {what} must be {_shapes(kind)}")
    n_qubits = shape[-1].bit_length() - 1
    if n_qubits < 1 or shape[-1] != 1 << n_qubits:
        raise ValueError(f"{name} has shape {shape}; the last axis must be 2^n with n at least 1, not {shape[-1]}")
    plain = array.detach() if is_torch(array) else array
    if not bool(library(plain).isfinite(plain).all()):
        raise ValueError(f"{name} holds a number that is not finite; every entry must be finite")
    faults = {each: _FAULTS[each](plain) for each in readings}
    held = next((each for each in readings if faults[each] is None), None)
    if held is None:
        raise ValueError(f"{name} of shape {shape} is no state: " + "; ".join(f for f in faults.values() if f))
    is_matrix = held == "matrix"
    single = len(shape) == 1 + is_matrix
    return States(array[None] if single else array, is_matrix, single, n_qubits)


def chosen(name: str, qubits: Iterable[int], n_qubits: int) -> tuple[int, ...]:
    """Qubits that a caller chose, checked: one or more, different, 0..n-1."""
    if not isinstance(qubits, Iterable) or isinstance(qubits, str):
        raise TypeError(f"{name} is {qubits!r}; it must be a list of qubits such as [0, 1]")
    allowed = f"0..{n_qubits - 1}"
    found = tuple(integer(f"a qubit of {name}", qubit, allowed) for qubit in qubits)
    if not found:
        raise ValueError(f"{name} names no qubit; give one or more of {allowed}")
    for i, qubit in enumerate(found):
        if not 0 <= qubit < n_qubits:
            raise ValueError(f"qubit {qubit} of {name} is outside {allowed} for a {n_qubits}-qubit state")
        if qubit in found[:i]:
            raise ValueError(f"{name} names qubit {qubit} twice; the qubits must be different")
    return found


def alike(names: Sequence[str], arrays: Sequence[Any]) -> tuple[Any, Any]:
    """Two arrays of one library and one precision, a real one made complex where the other is."""
    first, second = arrays
    if is_torch(first) != is_torch(second):
        raise TypeError(f"{names[0]} and {names[1]} are arrays of two kinds; give both as NumPy or both as torch")
    if _TOLERANCES[dtype_name(first)] != _TOLERANCES[dtype_name(second)]:
        both = f"{names[0]} {dtype_name(first)}, {names[1]} {dtype_name(second)}"
        raise ValueError(f"the dtypes differ: {both}; give one precision")
    wanted = library(first).promote_types(first.dtype, second.dtype)
    if not is_torch(first):
        return first.astype(wanted, copy=False), second.astype(wanted, copy=False)
    return first.to(wanted), second.to(wanted)


def _as_array(name: str, array: Any) -> Any:
    if isinstance(array, (list, tuple)):
        array = np.asarray(array)
    if not is_torch(array) and not isinstance(array, np.ndarray):
        kind = type(array).__name__
        raise TypeError(f"{name} is a {kind}; it must be a NumPy array, a torch tensor or a list of numbers")
    if isinstance(array, np.ma.MaskedArray):
        raise TypeError(f"{name} is a masked array; fill its gaps first: filled(value)")
    array = with_real_numbers({name: array})[name]
    if dtype_name(array) not in _TOLERANCES:
        raise ValueError(f"{name} has dtype {dtype_name(array)}; the options are {', '.join(_TOLERANCES)}")
    if is_torch(array) and array.layout is not sys.modules["torch"].strided:
        raise ValueError(f"{name} has layout {array.layout}; it must be dense: call todense() on it")
    return array


def _readings(shape: tuple[int, ...]) -> list[str]:
    """What an array of a shape may be."""
    if len(shape) == 3 and shape[1] == shape[2]:
        return ["matrix"]
    if len(shape) == 2 and shape[0] == shape[1]:
        return ["matrix", "vector"]
    return ["vector"] if len(shape) in (1, 2) else []


def _shapes(kind: str | None) -> str:
    vectors, matrices = "(2^n,) or (B, 2^n)", "(2^n, 2^n) or (B, 2^n, 2^n)"
    return {"vector": vectors, "matrix": matrices, None: f"vectors, {vectors}, or density matrices, {matrices}"}[kind]


def _fault_of_vectors(array: Any) -> str | None:
    norms = squares(array).sum(-1).reshape(-1) ** 0.5
    limit = tolerance(array)
    wrong = abs(norms - 1) > limit
    if not bool(wrong.any()):
        return None
    row = int(wrong.nonzero()[0].reshape(-1)[0])
    which = f"sample {row} has norm" if array.ndim == 2 else "the norm is"
    return f"as a state vector, {which} {float(norms[row]):.6g} instead of 1 within {limit:g}"


def _fault_of_matrix(array: Any) -> str | None:
    matrices, limit = (array if array.ndim == 3 else array[None]), tolerance(array)
    traces = library(array).einsum("bii->b", matrices)
    tilts = abs(matrices - dagger(matrices))
    purities = squares(matrices).sum((1, 2))
    wrong = (abs(traces - 1) > limit) | (tilts > limit).any(-1).any(-1) | (purities > 1 + 4 * limit)
    if not bool(wrong.any()):
        return None
    row = int(wrong.nonzero()[0].reshape(-1)[0])
    which = f"as a density matrix, {f'sample {row}' if array.ndim == 3 else 'it'} has"
    trace, tilt, purity = complex(traces[row]), float(tilts[row].max()), float(purities[row])
    if abs(trace - 1) > limit:
        return f"{which} trace {trace if trace.imag else trace.real:.6g} instead of 1 within {limit:g}"
    if tilt > limit:
        return f"{which} an entry that differs from its adjoint's by {tilt:.3g}; it must be Hermitian"
    return f"{which} purity {purity:.6g}; no state has more than 1"


_FAULTS = {"vector": _fault_of_vectors, "matrix": _fault_of_matrix}
