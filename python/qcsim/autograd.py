"""The simulator as a torch autograd function. Imported only when torch tensors are passed.

First derivatives only: differentiating a gradient raises torch's own error rather than giving a partial answer.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.autograd import forward_ad
from torch.autograd.function import once_differentiable

from qcsim.arrays import Operands, dense
from qcsim.simulate import Plan, backward, forward


class Simulation(torch.autograd.Function):
    """Outputs (B, K) of weights (P,) or (B, P), amplitudes (B, D) and features (B, F)."""

    @staticmethod
    def forward(
        ctx: Any, plan: Plan, given: Operands, weights: torch.Tensor, amplitudes: Any, features: Any
    ) -> torch.Tensor:
        # The engine's call points into these arrays, so they are kept whatever a saved-tensor hook does with its own.
        ctx.plan = plan
        ctx.given = given._replace(
            weights=weights.detach(), amplitudes=_detached(amplitudes), features=_detached(features)
        )
        ctx.save_for_backward(weights, amplitudes, features)
        outputs, ctx.call = forward(plan, given, keep=True)
        result: torch.Tensor = outputs
        return result

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, cotangent: torch.Tensor) -> tuple[Any, ...]:
        _ = ctx.saved_tensors  # raises if an input was changed in place since
        needed = ctx.needs_input_grad[2:]
        return None, None, *backward(ctx.plan, ctx.given, ctx.call, dense(cotangent), needed)


def _detached(array: torch.Tensor | None) -> torch.Tensor | None:
    return None if array is None else array.detach()


def run(plan: Plan, given: Operands) -> torch.Tensor:
    """Outputs (B, K) as a tensor that remembers how it was made, if anything asks for a gradient."""
    arrays = (given.weights, given.amplitudes, given.features)
    wanted = torch.is_grad_enabled() and any(array is not None and array.requires_grad for array in arrays)
    # Inside forward-mode differentiation the function is asked too: torch refuses rather than drop a tangent.
    if wanted or forward_ad._current_level >= 0:
        result: torch.Tensor = Simulation.apply(plan, given, *arrays)  # type: ignore[no-untyped-call]
        return result
    return forward(plan, given, keep=False)[0]  # type: ignore[no-any-return]
