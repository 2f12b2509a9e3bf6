"""The simulator as a torch function. Imported only when torch tensors are passed.

Outputs and first derivatives come from the engine, under torch.func too: a mapped axis is folded into the batch, one
run for all. Forward mode and derivatives of derivatives run the circuit in torch operations (differentiable.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch.autograd import forward_ad
from torch.utils._python_dispatch import is_in_torch_dispatch_mode

from qcsim import differentiable
from qcsim.arrays import Operands, dense, dtype_name
from qcsim.simulate import Plan, backward, forward

Arrays = tuple[torch.Tensor, torch.Tensor | None, torch.Tensor | None]  # weights, amplitudes, features


class Run:
    """A plan and, once it has run, what the engine kept of it for the gradients."""

    __slots__ = ("call", "given", "keep", "plan")

    def __init__(self, plan: Plan, keep: bool) -> None:
        self.plan = plan
        self.keep = keep
        self.call: Any = None
        # The engine's call points into these arrays, so they are kept whatever a saved-tensor hook does with its own.
        self.given: Operands | None = None

    def outputs(self, arrays: Arrays, batch: int) -> torch.Tensor:
        """Outputs (B, K)."""
        given = _operands(arrays, batch)
        result, call = forward(self.plan, given, keep=self.keep)
        if self.keep:
            self.call, self.given = call, given
        return result  # type: ignore[no-any-return]

    def gradients(self, cotangent: torch.Tensor, arrays: Arrays, needed: Sequence[bool]) -> tuple[Any, ...]:
        """Gradients of weights, amplitudes and features; None where not needed."""
        run = self if self._fits(arrays, len(cotangent)) else Run(self.plan, keep=True)
        if run is not self:
            run.outputs(arrays, len(cotangent))
        assert run.given is not None
        return backward(self.plan, run.given, run.call, dense(cotangent), (needed[0], needed[1], needed[2]))

    def _fits(self, arrays: Arrays, batch: int) -> bool:
        # A cotangent mapped more often than the inputs were (jacrev) asks for a larger batch, and gradients per sample
        # ask for weights per sample; a batch of the same size and form holds the same numbers.
        return self.given is not None and (self.given.batch, self.given.weights.ndim) == (batch, arrays[0].ndim)


class Simulation(torch.autograd.Function):
    """Outputs (B, K) of weights (P,) or (B, P), amplitudes (B, D) and features (B, F)."""

    @staticmethod
    def forward(run: Run, weights: torch.Tensor, amplitudes: Any, features: Any) -> torch.Tensor:
        arrays = (weights, amplitudes, features)
        return run.outputs(arrays, _batch(arrays))

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        ctx.run, *arrays = inputs
        ctx.save_for_backward(*arrays)
        ctx.save_for_forward(*arrays)

    @staticmethod
    def backward(ctx: Any, cotangent: torch.Tensor) -> tuple[Any, ...]:
        arrays = ctx.saved_tensors  # raises if an input was changed in place since
        needed = tuple(ctx.needs_input_grad[1:])
        if torch._C._functorch.is_legacy_batchedtensor(cotangent):
            return None, *_of_many_cotangents(ctx.run, needed, cotangent, arrays)
        if torch.is_grad_enabled() or _transformed():
            found = Pullback.apply(ctx.run, needed, cotangent, *arrays)  # type: ignore[no-untyped-call]
            return None, *_spread(found, needed)
        return None, *ctx.run.gradients(cotangent, arrays, needed)

    @staticmethod
    def jvp(ctx: Any, _: None, *tangents: Any) -> torch.Tensor:
        arrays = ctx.saved_tensors
        function, present = _outputs_of(ctx.run.plan, arrays, _batch(arrays))
        result: torch.Tensor = _pushed(function, present, tangents)
        return result

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], run: Run, *arrays: Any) -> tuple[torch.Tensor, int]:
        folded = _folded(info.batch_size, in_dims[1:], arrays, _mapped_batch(in_dims[1:], arrays))
        outputs = Simulation.apply(run, *folded)  # type: ignore[no-untyped-call]
        return outputs.unflatten(0, (info.batch_size, -1)), 0


class Pullback(torch.autograd.Function):
    """Gradients of the needed inputs, one run of the engine for a cotangent (B, K); differentiable itself."""

    @staticmethod
    def forward(
        run: Run,
        needed: tuple[bool, ...],
        cotangent: torch.Tensor,
        weights: torch.Tensor,
        amplitudes: Any,
        features: Any,
    ) -> tuple[torch.Tensor, ...]:
        return _wanted(run.gradients(cotangent, (weights, amplitudes, features), needed), needed)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        ctx.run, ctx.needed, *tensors = inputs
        ctx.save_for_backward(*tensors)
        ctx.save_for_forward(*tensors)

    @staticmethod
    def backward(ctx: Any, *cotangents: torch.Tensor) -> tuple[Any, ...]:
        function, present = _gradients_of(ctx.run.plan, ctx.needed, ctx.saved_tensors)
        _, pull = torch.func.vjp(function, *present)
        return None, None, *_spread(pull(cotangents), ctx.saved_tensors)

    @staticmethod
    def jvp(ctx: Any, _run: None, _needed: None, *tangents: Any) -> tuple[torch.Tensor, ...]:
        function, present = _gradients_of(ctx.run.plan, ctx.needed, ctx.saved_tensors)
        result: tuple[torch.Tensor, ...] = _pushed(function, present, tangents)
        return result

    @staticmethod
    def vmap(
        info: Any, in_dims: tuple[Any, ...], run: Run, needed: tuple[bool, ...], cotangent: torch.Tensor, *arrays: Any
    ) -> tuple[tuple[torch.Tensor, ...], tuple[int, ...]]:
        size = info.batch_size
        cotangents = _spelled_out(size, in_dims[2], cotangent)
        batch = cotangents.shape[1]
        shared = needed[0] and arrays[0].ndim - (in_dims[3] is not None) == 1
        if shared:  # one gradient for each mapped index: the engine gives it for weights per sample
            weights = _spelled_out(size, in_dims[3], arrays[0])[:, None].expand(-1, batch, -1)
            arrays, in_dims = (weights, *arrays[1:]), (*in_dims[:3], 0, *in_dims[4:])
        folded = _folded(size, in_dims[3:], arrays, batch)
        found = Pullback.apply(run, needed, cotangents.flatten(0, 1), *folded)  # type: ignore[no-untyped-call]
        mapped = [gradient.unflatten(0, (size, batch)) for gradient in found]
        if shared:
            mapped[0] = mapped[0].sum(1)
        return tuple(mapped), (0,) * len(mapped)


def run(plan: Plan, given: Operands) -> torch.Tensor:
    """Outputs (B, K) as a tensor that remembers how it was made, if anything asks for a gradient."""
    arrays = (given.weights, given.amplitudes, given.features)
    wanted = torch.is_grad_enabled() and any(array is not None and array.requires_grad for array in arrays)
    if wanted or _transformed():
        result: torch.Tensor = Simulation.apply(Run(plan, keep=True), *arrays)  # type: ignore[no-untyped-call]
        return result
    return forward(plan, given, keep=False)[0]  # type: ignore[no-any-return]


def _transformed() -> bool:
    """Whether torch.func or forward mode is at work: the function must be asked, whatever the tensors say."""
    return torch._C._are_functorch_transforms_active() or forward_ad._current_level >= 0


# A mapped axis and the batch ------------------------------------------------------------------------------------------


def _of_many_cotangents(run: Run, needed: tuple[bool, ...], cotangent: torch.Tensor, arrays: Arrays) -> tuple[Any, ...]:
    """Gradients under torch.autograd.grad(is_grads_batched=True), which maps by a mechanism older than torch.func's."""
    level = torch._C._vmapmode_increment_nesting() - 1
    torch._C._vmapmode_decrement_nesting()
    cotangents = torch._remove_batch_dim(cotangent, level, 1, 0)
    pull = torch.func.vmap(lambda each: Pullback.apply(run, needed, each, *arrays))  # type: ignore[no-untyped-call]
    return _spread([torch._add_batch_dim(gradient, 0, level) for gradient in pull(cotangents)], needed)


def _batch(arrays: Sequence[Any]) -> int:
    return next((array.shape[0] for array in arrays if array is not None and array.ndim == 2), 1)


def _mapped_batch(in_dims: Sequence[int | None], arrays: Sequence[Any]) -> int:
    """B of arrays some of which have a mapped axis besides."""
    for array, dim in zip(arrays, in_dims, strict=True):
        if array is not None and array.ndim - (dim is not None) == 2:
            return int(array.shape[1 if dim == 0 else 0])
    return 1


def _spelled_out(size: int, dim: int | None, array: torch.Tensor) -> torch.Tensor:
    """The array with the mapped axis first, repeated without copying where it was not mapped."""
    return array.expand(size, *array.shape) if dim is None else array.movedim(dim, 0)


def _folded(size: int, in_dims: Sequence[int | None], arrays: Sequence[Any], batch: int) -> tuple[Any, ...]:
    """The arrays with the mapped axis M and the batch B as one axis M * B; weights that all share stay as they are."""
    folded = []
    for array, dim in zip(arrays, in_dims, strict=True):
        if array is None or (dim is None and array.ndim == 1):
            folded.append(array)
            continue
        rows = _spelled_out(size, dim, array)
        if rows.ndim == 2:  # (M, P): weights shared by the batch of each mapped index
            rows = rows[:, None].expand(-1, batch, -1)
        folded.append(rows.flatten(0, 1))
    return tuple(folded)


# Derivatives in torch operations --------------------------------------------------------------------------------------


def _operands(arrays: Sequence[Any], batch: int) -> Operands:
    weights, amplitudes, features = (None if array is None else dense(array.detach()) for array in arrays)
    assert weights is not None
    return Operands(weights, amplitudes, features, batch, False, dtype_name(weights))


def _outputs_of(plan: Plan, arrays: Sequence[Any], batch: int) -> tuple[Callable[..., Any], list[torch.Tensor]]:
    """Outputs as a function of the arrays that are present, and those."""

    def function(*present: torch.Tensor) -> torch.Tensor:
        weights, amplitudes, features = _spread(present, arrays)
        return differentiable.outputs(plan.circuit, [plan.reading], weights, amplitudes, features, batch)[0]

    return function, [array for array in arrays if array is not None]


def _gradients_of(
    plan: Plan, needed: Sequence[bool], tensors: Sequence[Any]
) -> tuple[Callable[..., Any], list[torch.Tensor]]:
    """The needed gradients as a function of the cotangent and the arrays that are present, and those."""
    outputs, present = _outputs_of(plan, tensors[1:], tensors[0].shape[0])

    def function(cotangent: torch.Tensor, *given: torch.Tensor) -> tuple[torch.Tensor, ...]:
        _, pull = torch.func.vjp(outputs, *given)
        return _wanted(_spread(pull(cotangent), tensors[1:]), needed)

    return function, [tensors[0], *present]


def _pushed(function: Callable[..., Any], present: Sequence[torch.Tensor], tangents: Sequence[Any]) -> Any:
    """The directional derivative, by transposing the pullback: reverse mode nests where forward mode does not."""
    given = [tangent for tangent in tangents if tangent is not None]
    with forward_ad._set_fwd_grad_enabled(True):
        present = [forward_ad.unpack_dual(array).primal for array in present]
        value, pull = torch.func.vjp(function, *present)
        zeros = torch.utils._pytree.tree_map(torch.zeros_like, value)
        _, push = torch.func.vjp(pull, zeros)
        return push(tuple(given))[0]


def _spread(present: Sequence[Any], like: Sequence[Any]) -> tuple[Any, ...]:
    """Present values at their places, None where ``like`` holds None or False."""
    values = iter(present)
    return tuple(None if place is None or place is False else next(values) for place in like)


def _wanted(values: Sequence[Any], needed: Sequence[bool]) -> tuple[Any, ...]:
    return tuple(value for value, wanted in zip(values, needed, strict=True) if wanted and value is not None)
