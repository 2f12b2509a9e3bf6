"""Derivatives of the circuit in torch operations, as functions of the tensors that are present. Called by autograd and
operator for what the engine does not give: the derivative of a gradient, and forward mode.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.autograd import forward_ad

from qcsim import differentiable
from qcsim.simulate import Plan


def outputs_of(plan: Plan, arrays: Sequence[Any], batch: int) -> tuple[Callable[..., Any], list[torch.Tensor]]:
    """Outputs as a function of the arrays that are present, and those."""

    def function(*present: torch.Tensor) -> torch.Tensor:
        weights, amplitudes, features = spread(present, arrays)
        found = differentiable.outputs(plan.circuit, plan.readings, weights, amplitudes, features, batch, plan.method)
        return torch.cat([torch.view_as_real(each).flatten(1) if each.is_complex() else each for each in found], 1)

    return function, [array for array in arrays if array is not None]


def gradients_of(
    plan: Plan, needed: Sequence[bool], tensors: Sequence[Any]
) -> tuple[Callable[..., Any], list[torch.Tensor]]:
    """The needed gradients as a function of the cotangent and the arrays that are present, and those."""
    outputs, present = outputs_of(plan, tensors[1:], tensors[0].shape[0])

    def function(cotangent: torch.Tensor, *given: torch.Tensor) -> tuple[torch.Tensor, ...]:
        pull = vjp(outputs, *given)[1]
        return wanted(spread(pull(cotangent), tensors[1:]), needed)

    return function, [tensors[0], *present]


def pushed(function: Callable[..., Any], present: Sequence[torch.Tensor], tangents: Sequence[Any]) -> Any:
    """The directional derivative, by transposing the pullback: reverse mode nests where forward mode does not."""
    given = [tangent for tangent in tangents if tangent is not None]
    with forward_ad._set_fwd_grad_enabled(True):
        present = [forward_ad.unpack_dual(array).primal for array in present]  # type: ignore[no-untyped-call]
        value, pull = vjp(function, *present)
        zeros = torch.utils._pytree.tree_map(torch.zeros_like, value)
        push = vjp(pull, zeros)[1]
        return push(tuple(given))[0]


def vjp(function: Callable[..., Any], *present: torch.Tensor) -> tuple[Any, Callable[..., Any]]:
    """The value and its pullback, differentiable to any order."""
    value, pull = torch.func.vjp(function, *present)[:2]
    return value, pull


def spread(present: Sequence[Any], like: Sequence[Any]) -> tuple[Any, ...]:
    """Present values at their places, None where ``like`` holds None or False."""
    values = iter(present)
    return tuple(None if place is None or place is False else next(values) for place in like)


def wanted(values: Sequence[Any], needed: Sequence[bool]) -> tuple[Any, ...]:
    return tuple(value for value, wanted in zip(values, needed, strict=True) if wanted and value is not None)
