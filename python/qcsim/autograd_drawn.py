"""Shots and trajectories as a torch function: columns drawn forward, gradients by the rules of estimate.py. Imported
only when torch tensors are passed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch.autograd import forward_ad

from qcsim.arrays import Operands
from qcsim.estimate import Estimation, estimation_of
from qcsim.simulate import Plan


class Slope(torch.autograd.Function):
    """A gradient, tied to what it was drawn from: who asks for its derivative is told that there is none, where torch
    would take the gradient for a constant."""

    @staticmethod
    def forward(ctx: Any, slope: torch.Tensor, *sources: Any) -> torch.Tensor:
        """The gradient as it is."""
        return slope.view_as(slope)

    @staticmethod
    def backward(ctx: Any, *cotangents: torch.Tensor) -> Any:
        """Refused."""
        raise RuntimeError("shots and trajectories have a first derivative only, not a second; 'statevector' and "
                           "'density_matrix' have all")  # fmt: skip


class Drawn(torch.autograd.Function):
    """Columns (B, K) of weights, amplitudes and features."""

    @staticmethod
    def forward(ctx: Any, estimation: Estimation, given: Operands, *arrays: Any) -> torch.Tensor:
        ctx.estimation, ctx.given = estimation, given
        ctx.save_for_backward(*arrays)
        return from_numpy(estimation.columns(keep=True), given)

    @staticmethod
    def backward(ctx: Any, cotangent: torch.Tensor) -> tuple[Any, ...]:
        arrays = ctx.saved_tensors  # raises if an input was changed in place since
        if torch._C._functorch.is_legacy_batchedtensor(cotangent) or torch._C._are_functorch_transforms_active():
            raise ValueError("gradients of shots and trajectories are drawn for one cotangent at a time; call backward "
                             "for each instead of mapping over them")  # fmt: skip
        needed = tuple(ctx.needs_input_grad[2:])
        plain = _lent(cotangent, ctx.given)
        found = ctx.estimation.gradients(np.ascontiguousarray(plain), needed)
        slopes = [
            None if slope is None else from_numpy(slope, ctx.given).reshape(array.shape)
            for slope, array in zip(found, arrays, strict=True)
        ]
        if torch.is_grad_enabled():  # create_graph=True
            slopes = [None if s is None else Slope.apply(s, cotangent, *arrays) for s in slopes]  # type: ignore[no-untyped-call]
        return None, None, *slopes


def columns_of(plan: Plan, given: Operands) -> tuple[Estimation, torch.Tensor]:
    """The estimation, and its columns as a tensor that remembers how it was made, if anything asks for a gradient."""
    if torch._C._are_functorch_transforms_active() or forward_ad._current_level >= 0:
        raise ValueError("shots and trajectories are drawn call by call, which torch.func's transforms and forward "
                         "mode do not know; give a batch instead, and call backward()")  # fmt: skip
    if torch._C._len_torch_dispatch_stack() > 0:
        raise ValueError("shots and trajectories are drawn call by call, which fake tensors and tracers cannot record; "
                         "run the call outside of them")  # fmt: skip
    arrays = (given.weights, given.amplitudes, given.features)
    plain = {name: _lent(array, given) for name, array in zip(_INPUTS, arrays, strict=True)}
    lent = given._replace(gpu=None, **plain)
    estimation = estimation_of(plan, lent)
    if not torch.is_grad_enabled() or not any(array is not None and array.requires_grad for array in arrays):
        return estimation, from_numpy(estimation.columns(), given)
    if given.amplitudes is not None and given.amplitudes.requires_grad:
        refused = estimation.amplitudes_refused()
        if refused is not None:
            raise ValueError(refused)
    columns: torch.Tensor = Drawn.apply(estimation, given, *arrays)  # type: ignore[no-untyped-call]
    return estimation, columns


_INPUTS = ("weights", "amplitudes", "features")


def from_numpy(array: Any, given: Operands) -> torch.Tensor:
    """A tensor that shares the memory of an array; on a GPU, where the operands are, a copy."""
    if given.gpu is not None:
        return given.gpu.moved(array)  # type: ignore[no-any-return]
    return torch.from_numpy(array)


def _lent(tensor: Any, given: Operands) -> Any:
    """The memory of a tensor as an array; of one on a GPU a copy."""
    if tensor is None:
        return None
    return tensor.detach().resolve_neg().numpy() if given.gpu is None else given.gpu.fetched(tensor)
