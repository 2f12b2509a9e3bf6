"""The simulator as a registered torch operator, for torch.compile, torch.export and fake tensors. Imported by autograd.

The operator takes its circuit as text (a task), so that a graph that holds it can be kept, copied and loaded anywhere;
the circuits of the latest tasks are kept compiled. The rest of torch.func stays with autograd.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from weakref import WeakValueDictionary

import torch

from qcsim import derivatives
from qcsim.arrays import operands
from qcsim.engine_run import Arrays, Run
from qcsim.task import plan_of


def run_task(task: str, weights: torch.Tensor, amplitudes: Any, features: Any) -> tuple[torch.Tensor, bool]:
    """Outputs (B, K), and whether no argument has a batch axis; for torch.compile."""
    if _transformed():  # torch.func does not look into a registered operator: leave it to the torch function
        torch._dynamo.graph_break(msg="torch.func transforms of a circuit run outside of the compiled graph")
    given = [array for array in (weights, amplitudes, features) if array is not None and array.ndim == 2]
    batch = given[0].shape[0] if given else 1
    amplitudes, features = (
        array if array is None or array.ndim == 2 else array.expand(batch, -1) for array in (amplitudes, features)
    )
    arrays = (weights, amplitudes, features)
    keep = torch.is_grad_enabled() and any(array is not None and array.requires_grad for array in arrays)
    outputs: torch.Tensor = torch.ops.qcsim.simulate(task, keep, *arrays)[0]
    return outputs, not given


def recorded(task: str, *arrays: Any) -> torch.Tensor:
    """Outputs (B, K) of weights, amplitudes (B, D) and features (B, F), as one operator that a tracer sees."""
    outputs: torch.Tensor = torch.ops.qcsim.simulate(task, False, *arrays)[0]
    return outputs


def recorded_gradients(task: str, needed: Sequence[bool], cotangent: torch.Tensor, *arrays: Any) -> tuple[Any, ...]:
    """Gradients of the arrays, as one operator that a tracer sees; None where not needed."""
    no_run = torch.zeros(1, dtype=torch.uint8)
    found = torch.ops.qcsim.pullback(task, list(needed), no_run, cotangent, *arrays)
    return derivatives.spread(found, needed)


def _transformed() -> bool:
    return torch._C._are_functorch_transforms_active()


# Asked while the graph is traced. This is torch.compiler.assume_constant_result without its second of importing.
_transformed._dynamo_marked_constant = True  # type: ignore[attr-defined]


# What a run keeps for its gradients crosses between the operators as a token, a tensor of one byte whose memory owns
# the run, so that both go together. A token that was copied on the way finds nothing, and the circuit runs again.


class _Owner(bytearray):
    run: Run


_runs: WeakValueDictionary[int, Run] = WeakValueDictionary()


def _token(run: Run) -> torch.Tensor:
    owner = _Owner(1)
    owner.run = run
    token = torch.frombuffer(owner, dtype=torch.uint8)
    _runs[token.data_ptr()] = run
    return token


def _run_of(token: torch.Tensor, task: str, arrays: Arrays) -> Run:
    found = _runs.get(token.data_ptr())
    # Memory that a compiled graph used anew is not what the engine's call should read.
    return found if found is not None and found.holds(arrays) else Run(plan_of(task), keep=True)


# Operators ------------------------------------------------------------------------------------------------------------


@torch.library.custom_op(
    "qcsim::simulate",
    mutates_args=(),
    schema="(str task, bool keep, Tensor weights, Tensor? amplitudes, Tensor? features) -> (Tensor, Tensor)",
)
def _simulate(
    task: str, keep: bool, weights: torch.Tensor, amplitudes: Any, features: Any
) -> tuple[torch.Tensor, torch.Tensor]:
    run = Run(plan_of(task), keep)
    batch = operands(run.plan.circuit, weights, amplitudes, features).batch
    return run.outputs((weights, amplitudes, features), batch), _token(run)


@_simulate.register_fake
def _(
    task: str, keep: bool, weights: torch.Tensor, amplitudes: Any, features: Any
) -> tuple[torch.Tensor, torch.Tensor]:
    plan = plan_of(task)
    batches = [array.shape[0] for array in (weights, amplitudes, features) if array is not None and array.ndim == 2]
    for other in batches[1:]:
        torch._check(other == batches[0])  # type: ignore[no-untyped-call]
    outputs = weights.new_empty((batches[0] if batches else 1, plan.n_columns))
    return outputs, torch.empty((1,), dtype=torch.uint8)


@torch.library.custom_op(
    "qcsim::pullback",
    mutates_args=(),
    schema="(str task, bool[] needed, Tensor token, Tensor cotangent, Tensor weights, Tensor? amplitudes,"
    " Tensor? features) -> Tensor[]",
)
def _pullback(
    task: str,
    needed: list[bool],
    token: torch.Tensor,
    cotangent: torch.Tensor,
    weights: torch.Tensor,
    amplitudes: Any,
    features: Any,
) -> list[torch.Tensor]:
    arrays = (weights, amplitudes, features)
    run = _run_of(token, task, arrays)
    return list(derivatives.wanted(run.gradients(cotangent, arrays, needed), needed))


@_pullback.register_fake
def _(
    task: str,
    needed: list[bool],
    token: torch.Tensor,
    cotangent: torch.Tensor,
    weights: torch.Tensor,
    amplitudes: Any,
    features: Any,
) -> list[torch.Tensor]:
    arrays = (weights, amplitudes, features)
    return [array.new_empty(array.shape) for array, wanted in zip(arrays, needed, strict=True) if wanted]


# Derivatives ----------------------------------------------------------------------------------------------------------


def _remember(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
    ctx.task, _keep, *arrays = inputs
    ctx.save_for_backward(output[1], *arrays)


def _differentiate(ctx: Any, cotangent: torch.Tensor, _token: Any) -> tuple[Any, ...]:
    needed = list(ctx.needs_input_grad[2:])
    token, *arrays = ctx.saved_tensors
    found = torch.ops.qcsim.pullback(ctx.task, needed, token, cotangent, *arrays)
    return None, None, *derivatives.spread(found, needed)


def _remember_pullback(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
    ctx.task, ctx.needed, _token, *tensors = inputs
    ctx.save_for_backward(*tensors)


def _differentiate_pullback(ctx: Any, cotangents: list[torch.Tensor]) -> tuple[Any, ...]:
    function, present = derivatives.gradients_of(plan_of(ctx.task), ctx.needed, ctx.saved_tensors)
    pull = derivatives.vjp(function, *present)[1]
    return None, None, None, *derivatives.spread(pull(tuple(cotangents)), ctx.saved_tensors)


_simulate.register_autograd(_differentiate, setup_context=_remember)
_pullback.register_autograd(_differentiate_pullback, setup_context=_remember_pullback)
