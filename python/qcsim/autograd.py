"""The simulator as a torch function. Imported only when torch tensors are passed.

Outputs and first derivatives come from the engine, under torch.func too: a mapped axis is folded into the batch, one
run for all. Forward mode and derivatives of derivatives run the circuit in torch operations (differentiable.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch._functorch.utils import unwrap_dead_wrappers
from torch.autograd import forward_ad

from qcsim import derivatives, operator
from qcsim.arrays import Operands, as_rows
from qcsim.engine_run import Arrays, Run
from qcsim.measurements import Samples
from qcsim.simulate import Plan, forward
from qcsim.task import task_of

_PLAIN = (torch.Tensor, torch.nn.Parameter)


class _Function(torch.autograd.Function):
    """torch's, without its look at the signature at each call: about a fifth of the time of a single sample."""

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """The outputs, remembered."""
        if torch._C._are_functorch_transforms_active():
            return super().apply(*args)  # type: ignore[no-untyped-call]
        return super(torch.autograd.Function, cls).apply(*unwrap_dead_wrappers(args))  # type: ignore[misc]


class Simulation(_Function):
    """Outputs (B, K) of weights (P,) or (B, P), amplitudes (B, D) and features (B, F)."""

    @staticmethod
    def forward(run: Run, weights: torch.Tensor, amplitudes: Any, features: Any) -> torch.Tensor:
        arrays = (weights, amplitudes, features)
        return _outputs(run, arrays)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        ctx.run, *arrays = inputs
        ctx.save_for_backward(*arrays)
        ctx.save_for_forward(*arrays)

    @staticmethod
    def backward(ctx: Any, cotangent: torch.Tensor) -> tuple[Any, ...]:
        arrays = ctx.saved_tensors  # raises if an input was changed in place since
        needed = tuple(ctx.needs_input_grad[1:])
        mapped = torch._C._functorch.is_legacy_batchedtensor(cotangent)
        if not mapped and not torch.is_grad_enabled() and not _transformed():
            return None, *_gradients(ctx.run, needed, cotangent, arrays)
        pull = _of_many_cotangents if mapped else _differentiably
        if cotangent.ndim == 2:
            return None, *pull(ctx.run, needed, cotangent, arrays)
        weights, *samples = pull(ctx.run, needed, cotangent[None], (arrays[0], *map(as_rows, arrays[1:])))
        return None, weights, *(each if each is None else each[0] for each in samples)

    @staticmethod
    def jvp(ctx: Any, _: None, *tangents: Any) -> torch.Tensor:
        arrays = ctx.saved_tensors
        function, present = derivatives.outputs_of(ctx.run.plan, arrays, _batch(arrays))
        result: torch.Tensor = derivatives.pushed(function, present, tangents)
        return result

    @staticmethod
    def vmap(info: Any, in_dims: tuple[Any, ...], run: Run, *arrays: Any) -> tuple[torch.Tensor, int]:
        folded = _folded(info.batch_size, in_dims[1:], arrays, _mapped_batch(in_dims[1:], arrays))
        outputs = Simulation.apply(run, *folded)
        return outputs.unflatten(0, (info.batch_size, -1)), 0


class Direct(torch.autograd.Function):
    """Simulation where neither torch.func nor forward mode is at work: torch prepares it in half the time."""

    @staticmethod
    def forward(ctx: Any, run: Run, weights: torch.Tensor, amplitudes: Any, features: Any) -> torch.Tensor:
        ctx.run = run
        ctx.save_for_backward(weights, amplitudes, features)
        outputs = run.begin()
        return outputs[0] if run.single else outputs

    backward = staticmethod(Simulation.backward)


class Pullback(_Function):
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
        return derivatives.wanted(_gradients(run, needed, cotangent, (weights, amplitudes, features)), needed)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        ctx.run, ctx.needed, *tensors = inputs
        ctx.save_for_backward(*tensors)
        ctx.save_for_forward(*tensors)

    @staticmethod
    def backward(ctx: Any, *cotangents: torch.Tensor) -> tuple[Any, ...]:
        function, present = derivatives.gradients_of(ctx.run.plan, ctx.needed, ctx.saved_tensors)
        pull = derivatives.vjp(function, *present)[1]
        return None, None, *derivatives.spread(pull(cotangents), ctx.saved_tensors)

    @staticmethod
    def jvp(ctx: Any, _run: None, _needed: None, *tangents: Any) -> tuple[torch.Tensor, ...]:
        function, present = derivatives.gradients_of(ctx.run.plan, ctx.needed, ctx.saved_tensors)
        result: tuple[torch.Tensor, ...] = derivatives.pushed(function, present, tangents)
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
        found = Pullback.apply(run, needed, cotangents.flatten(0, 1), *folded)
        mapped = [gradient.unflatten(0, (size, batch)) for gradient in found]
        if shared:
            mapped[0] = mapped[0].sum(1)
        return tuple(mapped), (0,) * len(mapped)


def run(plan: Plan, given: Operands) -> torch.Tensor:
    """Outputs (B, K) as a tensor that remembers how it was made, if anything asks for a gradient; or (K,) of a single
    sample."""
    arrays = (given.weights, given.amplitudes, given.features)
    wanted = torch.is_grad_enabled() and any(array is not None and array.requires_grad for array in arrays)
    transformed = _transformed()
    if transformed or _traced(arrays):
        _refuse_samples(plan, transformed, arrays)
        arrays = (given.weights, as_rows(given.amplitudes), as_rows(given.features))
        if not wanted and not transformed:
            return _outputs(Run(plan, keep=False), arrays)
        outside: torch.Tensor = Simulation.apply(Run(plan, keep=True), *arrays)
        return outside
    if wanted:
        result: torch.Tensor = Direct.apply(Run(plan, True, given), *arrays)  # type: ignore[no-untyped-call]
        return result
    return forward(plan, given, keep=False)[0]  # type: ignore[no-any-return]


def _refuse_samples(plan: Plan, transformed: bool, arrays: Arrays) -> None:
    """Outcomes are drawn from numbers in memory, which transforms and tracers do not show."""
    if (transformed or _strange(arrays)) and any(isinstance(each, Samples) for each in plan.measurements):
        raise ValueError("samples are drawn call by call, which torch.func's transforms, forward mode and fake tensors "
                         "do not know; give a batch instead, outside of them")  # fmt: skip


def _transformed() -> bool:
    """Whether torch.func or forward mode is at work: the function must be asked, whatever the tensors say."""
    return torch._C._are_functorch_transforms_active() or forward_ad._current_level >= 0


def _outputs(run: Run, arrays: Arrays) -> torch.Tensor:
    return operator.recorded(task_of(run.plan), *arrays) if _traced(arrays) else run.outputs(arrays, _batch(arrays))


def _gradients(run: Run, needed: tuple[bool, ...], cotangent: torch.Tensor, arrays: Arrays) -> tuple[Any, ...]:
    if _traced(arrays):
        return operator.recorded_gradients(task_of(run.plan), needed, cotangent, *arrays)
    return run.gradients(cotangent, arrays, needed)


def _traced(arrays: Arrays) -> bool:
    """Whether fake tensors or a tracer stand between the call and memory: then the registered operator answers."""
    return torch._C._len_torch_dispatch_stack() > 0 or _strange(arrays)


def _strange(arrays: Arrays) -> bool:
    """Whether one of the tensors answers for itself, as a fake tensor does."""
    plain = torch.Tensor.__torch_dispatch__
    strange = [type(array) for array in arrays if array is not None and type(array) not in _PLAIN]
    return any(kind.__torch_dispatch__ is not plain for kind in strange)


# A mapped axis and the batch ------------------------------------------------------------------------------------------


def _differentiably(run: Run, needed: tuple[bool, ...], cotangent: torch.Tensor, arrays: Arrays) -> tuple[Any, ...]:
    """Gradients that can be differentiated again."""
    return derivatives.spread(Pullback.apply(run, needed, cotangent, *arrays), needed)


def _of_many_cotangents(run: Run, needed: tuple[bool, ...], cotangent: torch.Tensor, arrays: Arrays) -> tuple[Any, ...]:
    """Gradients under torch.autograd.grad(is_grads_batched=True), which maps by a mechanism older than torch.func's."""
    level = torch._C._vmapmode_increment_nesting() - 1
    torch._C._vmapmode_decrement_nesting()
    cotangents = torch._remove_batch_dim(cotangent, level, 1, 0)
    pull = torch.func.vmap(lambda each: Pullback.apply(run, needed, each, *arrays))
    return derivatives.spread([torch._add_batch_dim(gradient, 0, level) for gradient in pull(cotangents)], needed)


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
