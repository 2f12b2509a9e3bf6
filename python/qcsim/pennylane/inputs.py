"""The numbers of a tape as the arrays of a call: weights (P,), features (B, F), amplitudes (D,) or (B, D).

Torch tensors stay torch tensors and remember where they came from; everything else becomes NumPy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from qcsim.array_kinds import is_torch
from qcsim.pennylane.structure import Layout


class Inputs(NamedTuple):
    """The arrays of a call; absent ones are None.

    Attributes:
        weights: (P,).
        amplitudes: (D,) or (B, D).
        features: (B, F).
        norm: squared norms of the amplitudes, () or (B,), where results grow with them.
    """

    weights: Any
    amplitudes: Any
    features: Any
    norm: Any


def inputs_of(tape: Any, layout: Layout) -> Inputs:
    """The arrays for a tape of a layout."""
    operations = tape.operations
    weights = [operations[number].data[k] for number, k in layout.weights]
    features = [operations[number].data[k] for number, k in layout.features]
    state = _state(operations[0]) if layout.amplitudes else None
    given = [*weights, *features] if state is None else [*weights, *features, state]
    if any(map(is_torch, given)):
        from qcsim.pennylane.tensors import tensors

        return Inputs(*tensors(weights, features, state, layout.scaled))
    return _arrays(weights, features, state, layout.scaled)


def settled(value: Any) -> Any:
    """A value of any framework as NumPy."""
    if is_torch(value):
        return value.detach().cpu().numpy()
    return np.asarray(value)


def _state(op: Any) -> Any:
    """The amplitudes of a preparation."""
    if getattr(op, "is_sparse", False):
        return op.data[0].toarray().ravel()
    return (
        op.data[0]
        if len(op.data) == 1 and op.name in ("StatePrep", "AmplitudeEmbedding")
        else op.state_vector().ravel()
    )


def _arrays(weights: Sequence[Any], features: Sequence[Any], state: Any, scaled: bool) -> Inputs:
    arrays = [np.asarray(value) for value in (*features, *([] if state is None else [state]))]
    dtype = _dtype([*weights, *arrays])
    columns = arrays[: len(features)]
    amplitudes: Any = None if state is None else _amplitudes(arrays[-1], dtype)
    return Inputs(
        np.array(weights, dtype) if weights else np.empty(0, dtype),
        amplitudes,
        np.stack([column.astype(dtype, copy=False) for column in columns], axis=1) if columns else None,
        np.asarray((np.abs(amplitudes) ** 2).sum(-1)) if scaled else None,
    )


def _amplitudes(state: Any, dtype: Any) -> Any:
    wanted = np.result_type(dtype, np.complex64) if state.dtype.kind == "c" else dtype
    return state.astype(wanted, copy=False)


def _dtype(values: Sequence[Any]) -> Any:
    """float32 if whatever says its precision says so, else float64. A Python number says nothing."""
    said = {np.dtype(value.dtype) for value in values if hasattr(value, "dtype")}
    said = {dtype for dtype in said if dtype.kind in "fc"}
    narrow = bool(said) and all(dtype in (np.float32, np.complex64, np.float16) for dtype in said)
    return np.dtype(np.float32 if narrow else np.float64)
