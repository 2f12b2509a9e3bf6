"""The results of an analytic tape from those of its plans, in PennyLane's nesting, on torch and NumPy alike."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import pennylane as qml

from qcsim.array_kinds import is_torch
from qcsim.measurements import DensityMatrix
from qcsim.pennylane.inputs import Inputs
from qcsim.pennylane.observables import coefficients
from qcsim.pennylane.recipe import Answer, Recipe
from qcsim.simulate import execute


def analytic(tape: Any, recipe: Recipe, given: Inputs) -> Any:
    """The result of a tape, or a tuple of them.

    Args:
        tape: any of the recipe's structure; its measurements are asked, its operations are not.
        recipe: what is run.
        given: the arrays of the call.
    """
    runs = [execute(plan, given.weights, given.amplitudes, given.features) for plan in recipe.plans]
    results = [
        _result(mp, recipe, answer, runs[answer.plan][answer.item], given.norm)
        for mp, answer in zip(tape.measurements, recipe.answers, strict=True)
    ]
    return results[0] if len(results) == 1 else tuple(results)


def _result(mp: Any, recipe: Recipe, answer: Answer, found: Any, norm: Any) -> Any:
    first = answer.columns.start
    if answer.kind == "expval":
        return _times(found[..., first], norm, 0)
    if answer.kind == "words":
        return _times(_combined(found[..., answer.columns], coefficients(mp.obs)), norm, 0)
    if answer.kind == "variance":
        return found[..., first]
    if answer.kind == "moments":
        mean, square = (_times(found[..., first + k], norm, 0) for k in range(2))
        return square - mean * mean
    if answer.kind == "probabilities":
        return _times(found, norm, 1)
    if answer.kind == "density":
        return _times(found, norm, 2)
    if answer.kind == "amplitudes":
        return _times(found, None if norm is None else norm**0.5, 1)[..., entries(answer.order)]
    wires = qml.wires.Wires(recipe.wires)
    if isinstance(recipe.plans[answer.plan].measurements[answer.item], DensityMatrix):
        return mp.process_density_matrix(_times(found, norm, 2), wires)
    return mp.process_state(_times(found, None if norm is None else norm**0.5, 1), wires)


@lru_cache(maxsize=64)
def entries(order: tuple[int, ...]) -> Any:
    """Which entries of a state make it that of its qubits in another order."""
    n = len(order)
    return slice(None) if order == tuple(range(n)) else np.arange(2**n).reshape((2,) * n).transpose(order).ravel()


def _times(found: Any, norm: Any, axes: int) -> Any:
    """A result of ``axes`` axes behind the batch, times a number for each sample."""
    return found if norm is None else found * norm.reshape(norm.shape + (1,) * axes)


def _combined(columns: Any, weights: list[Any]) -> Any:
    """The sum of columns times live coefficients."""
    if not is_torch(columns):
        return columns @ np.asarray(weights, columns.dtype)
    import torch

    return columns @ torch.stack([torch.as_tensor(weight).to(columns.dtype) for weight in weights])
