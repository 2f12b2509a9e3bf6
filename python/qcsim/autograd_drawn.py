"""Shots and trajectories as a torch function: columns drawn forward, gradients by the rules of estimate.py. Imported
only when torch tensors are passed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch.autograd import forward_ad
from torch.autograd.function import once_differentiable

from qcsim.arrays import Operands
from qcsim.estimate import Estimation, estimation_of
from qcsim.simulate import Plan


class Drawn(torch.autograd.Function):
    """Columns (B, K) of weights, amplitudes and features."""

    @staticmethod
    def forward(ctx: Any, estimation: Estimation, *arrays: Any) -> torch.Tensor:
        ctx.estimation = estimation
        ctx.save_for_backward(*arrays)
        return from_numpy(estimation.columns(keep=True))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, cotangent: torch.Tensor) -> tuple[Any, ...]:
        arrays = ctx.saved_tensors  # raises if an input was changed in place since
        needed = tuple(ctx.needs_input_grad[1:])
        found = ctx.estimation.gradients(np.ascontiguousarray(cotangent.numpy()), needed)
        slopes = (None if slope is None else from_numpy(slope) for slope in found)
        return None, *(s if s is None else s.reshape(a.shape) for s, a in zip(slopes, arrays, strict=True))


def columns_of(plan: Plan, given: Operands) -> tuple[Estimation, torch.Tensor]:
    """The estimation, and its columns as a tensor that remembers how it was made, if anything asks for a gradient."""
    if torch._C._are_functorch_transforms_active() or forward_ad._current_level >= 0:
        raise ValueError("shots and trajectories are drawn call by call, which torch.func's transforms and forward "
                         "mode do not know; give a batch instead, and call backward()")  # fmt: skip
    if torch._C._len_torch_dispatch_stack() > 0:
        raise ValueError("shots and trajectories are drawn call by call, which fake tensors and tracers cannot record; "
                         "run the call outside of them")  # fmt: skip
    arrays = (given.weights, given.amplitudes, given.features)
    lent = given._replace(**{name: _lent(array) for name, array in zip(_INPUTS, arrays, strict=True)})
    estimation = estimation_of(plan, lent)
    if not torch.is_grad_enabled() or not any(array is not None and array.requires_grad for array in arrays):
        return estimation, from_numpy(estimation.columns())
    if given.amplitudes is not None and given.amplitudes.requires_grad:
        refused = estimation.amplitudes_refused()
        if refused is not None:
            raise ValueError(refused)
    columns: torch.Tensor = Drawn.apply(estimation, *arrays)  # type: ignore[no-untyped-call]
    return estimation, columns


_INPUTS = ("weights", "amplitudes", "features")


def from_numpy(array: Any) -> torch.Tensor:
    """A tensor that shares the memory of an array."""
    return torch.from_numpy(array)


def _lent(tensor: Any) -> Any:
    """The memory of a tensor as an array; of a single sample as a row."""
    return None if tensor is None else tensor.detach().numpy()
