"""Vector-Jacobian products of tapes on NumPy, by the adjoint method: what the autograd and JAX interfaces ask for.

One run of the engine for a tape and its whole batch; for a tape without a batch, one run for many cotangents too. Axis
letters: M cotangents, B the batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pennylane as qml
from numpy.typing import NDArray
from pennylane.ops.functions import bind_new_parameters

from qcsim.arrays import operands
from qcsim.measurements import Expval, Probabilities, Statevector, Variance
from qcsim.misreading import as_read
from qcsim.pennylane.inputs import Inputs, inputs_of, settled
from qcsim.pennylane.recipe import Answer, Recipe, Recipes
from qcsim.pennylane.results import analytic, entries
from qcsim.pennylane.structure import Place
from qcsim.simulate import Plan, backward, forward, results_of, width

Array = NDArray[Any]


class Pullback(tuple[Any, ...]):
    """Gradients of several shapes. PennyLane's torch interface asks whether they are empty by squeezing them into one
    array, which gradients of a batch beside gradients of numbers do not form."""

    @property
    def shape(self) -> tuple[int, ...]:
        """As of an array of its entries."""
        return (len(self),)

    def squeeze(self, axis: Any = None) -> Pullback:
        """Itself."""
        return self


def vjp(tape: Any, recipes: Recipes, cotangents: Any, conjugate: bool) -> Pullback:
    """The gradients of ``sum(cotangent * result)`` with respect to the trainable parameters of a tape.

    Args:
        tape: with NumPy parameters.
        recipes: of the device.
        cotangents: as the result of the tape; or with one axis in front, for M pulls.
        conjugate: whether the gradient of a complex number is dL/dRe - i dL/dIm, as autograd and JAX have it.

    Returns:
        An array for each trainable parameter, in its shape, behind the axis of M if there is one.
    """
    recipe = recipes.of(tape)
    given = inputs_of(tape, recipe.layout)
    wanted = [settled(each) for each in (cotangents if len(recipe.answers) > 1 else (cotangents,))]
    many = wanted[0].ndim > len(_shapes(recipe, given)[0])
    pulled = _pulled(tape, recipes, given, wanted if many else [each[None] for each in wanted], conjugate)
    return Pullback(pulled if many else [each[0] for each in pulled])


def jacobian(tape: Any, recipes: Recipes) -> Any:
    """The derivatives of the results of a tape by its trainable parameters, in PennyLane's nesting."""
    recipe = recipes.of(tape)
    given = inputs_of(tape, recipe.layout)
    shapes = _shapes(recipe, given)
    sizes = [int(np.prod(shape)) for shape in shapes]
    ends = np.cumsum(sizes)
    unit = np.eye(int(ends[-1]))
    wanted = [
        unit[:, end - size : end].reshape(-1, *shape) for end, size, shape in zip(ends, sizes, shapes, strict=True)
    ]
    pulled = _pulled(tape, recipes, given, wanted, True)
    found = []
    for end, size, shape in zip(ends, sizes, shapes, strict=True):
        columns = [each[end - size : end].reshape((*shape, *each.shape[1:])) for each in pulled]
        found.append(columns[0] if len(columns) == 1 else tuple(columns))
    return found[0] if len(found) == 1 else tuple(found)


def _shapes(recipe: Recipe, given: Inputs) -> list[tuple[int, ...]]:
    """Of the result of each measurement."""
    batch = _batch(given)
    sizes = [_size(recipe.plans[answer.plan], answer) for answer in recipe.answers]
    return [batch + size for size in sizes]


def _size(plan: Plan, answer: Answer) -> tuple[int, ...]:
    if answer.kind == "amplitudes":
        return (2**plan.circuit.n_qubits,)
    return (width(plan.circuit, plan.readings[answer.item]),) if answer.kind == "probabilities" else ()


def _batch(given: Inputs) -> tuple[int, ...]:
    for array in (given.features, given.amplitudes):
        if array is not None and array.ndim == 2:
            return (len(array),)
    return ()


def _pulled(tape: Any, recipes: Recipes, given: Inputs, wanted: Sequence[Array], conjugate: bool) -> list[Array]:
    """Gradients (M, ...) of the trainable parameters for cotangents (M, ...) of each measurement."""
    recipe = recipes.of(tape)
    slopes = _slopes(recipe, given, wanted)
    return [_of_parameter(tape, recipes, index, slopes, wanted, conjugate) for index in tape.trainable_params]


def _of_parameter(
    tape: Any, recipes: Recipes, index: int, slopes: dict[Place, Array], wanted: Sequence[Array], conjugate: bool
) -> Array:
    number, k, obs = _place(tape, index)
    if obs is not None:
        return _of_observable(tape, recipes, obs, k, wanted[number])
    value = settled(tape.operations[number].data[k])
    slope = slopes.get((number, k))
    if slope is None:
        return np.zeros((len(wanted[0]), *value.shape))
    if np.iscomplexobj(slope):
        slope = slope.conj() if conjugate else slope
        slope = slope if np.iscomplexobj(value) else slope.real
    kind = value.dtype if value.dtype.kind in "fc" else np.float64
    return slope.reshape((len(slope), *value.shape)).astype(kind, copy=False)


def _place(tape: Any, index: int) -> tuple[int, int, Any]:
    """Operation and parameter of a trainable parameter; or measurement, parameter and observable."""
    for number, op in enumerate(tape.operations):
        if index < len(op.data):
            return number, index, None
        index -= len(op.data)
    for number, mp in enumerate(tape.measurements):
        n_data = 0 if mp.obs is None else len(mp.obs.data)
        if index < n_data:
            return number, index, mp.obs
        index -= n_data
    raise IndexError(index)


def _of_observable(tape: Any, recipes: Recipes, obs: Any, k: int, wanted: Array) -> Array:
    """By a coefficient, in which the expectation is linear: the expectation at 1 less that at 0."""
    ends = []
    for value in (1.0, 0.0):
        data = [value if place == k else each for place, each in enumerate(obs.data)]
        with qml.QueuingManager.stop_recording():
            bound = qml.tape.QuantumScript(tape.operations, [qml.expval(bind_new_parameters(obs, data))])
        ends.append(analytic(bound, recipes.of(bound), inputs_of(bound, recipes.of(bound).layout)))
    slope: Array = (wanted * (ends[0] - ends[1])).reshape(len(wanted), -1).sum(1)
    return slope


# The engine -----------------------------------------------------------------------------------------------------------


def _slopes(recipe: Recipe, given: Inputs, wanted: Sequence[Array]) -> dict[Place, Array]:
    """Gradients (M, ...) by where in the tape their parameter stands."""
    weights: Any
    features: Any
    if _batch(given):
        pulls = [_rows(recipe, given, [each[k] for each in wanted]) for k in range(len(wanted[0]))]
        weights, amplitudes, features = (
            None if parts[0] is None else np.stack(parts) for parts in zip(*pulls, strict=True)
        )
    else:  # cotangents as a batch of equal samples
        weights = np.repeat(given.weights[None], len(wanted[0]), axis=0)
        norm = None if given.norm is None else np.repeat(given.norm[None], len(wanted[0]), axis=0)
        weights, amplitudes, features = _rows(recipe, given._replace(weights=weights, norm=norm), wanted)
    layout = recipe.layout
    found = {place: weights[:, k] for k, place in enumerate(layout.weights)}
    found |= {place: features[:, :, k] for k, place in enumerate(layout.features)}
    if layout.amplitudes:
        found[0, 0] = amplitudes
    return found


def _rows(recipe: Recipe, given: Inputs, wanted: Sequence[Array]) -> tuple[Any, Any, Any]:
    """Gradients of weights, amplitudes and features for cotangents (B, ...) of each measurement, all plans together."""
    total: list[Any] = [None, None, None]
    for number, plan in enumerate(recipe.plans):
        pairs = [(a, c) for a, c in zip(recipe.answers, wanted, strict=True) if a.plan == number]
        for place, part in enumerate(_of_plan(plan, given, pairs)):
            total[place] = part if total[place] is None else total[place] + part
    return total[0], total[1], total[2]


def _of_plan(plan: Plan, given: Inputs, pairs: Sequence[tuple[Answer, Array]]) -> tuple[Any, Any, Any]:
    arrays = operands(plan.circuit, *_given(plan, given))
    columns, call = forward(plan, arrays, keep=True)
    results = results_of(plan, columns)
    items = [np.zeros_like(result) for result in results]
    radial = np.zeros(len(columns))
    for answer, cotangent in pairs:
        radial += _into(items[answer.item], results[answer.item], answer, cotangent, given.norm)
    parts = [_of_reading(plan, k, item, columns) for k, item in enumerate(items)]
    cotangents = np.ascontiguousarray(np.concatenate(parts, axis=1), arrays.dtype)
    weights, amplitudes, features = backward(plan, arrays, call, cotangents, (True, True, True))
    if given.norm is not None:
        amplitudes = amplitudes + (2.0 * radial)[:, None] * given.amplitudes
    return weights, amplitudes, features


def _given(plan: Plan, given: Inputs) -> tuple[Any, Any, Any]:
    return given.weights, given.amplitudes, given.features


def _into(item: Array, found: Array, answer: Answer, cotangent: Array, norm: Any) -> Any:
    """Adds a measurement's cotangent to that of what it was made of; returns the derivative by the squared norm."""
    first = answer.columns.start
    scale = 1.0 if norm is None else norm
    if answer.kind == "probabilities":
        item += cotangent if norm is None else cotangent * norm[:, None]
        return (cotangent * found).sum(1)
    if answer.kind == "amplitudes":
        own = np.zeros_like(item)
        own[:, entries(answer.order)] = cotangent
        item += own * np.reshape(scale**0.5, (-1, 1))
        return (own * found).sum(1).real / (2.0 * scale**0.5)
    if answer.kind == "moments":
        mean, square = found[:, first], found[:, first + 1]
        item[:, first] -= 2.0 * scale**2 * mean * cotangent
        item[:, first + 1] += scale * cotangent
        return cotangent * (square - 2.0 * scale * mean**2)
    item[:, first] += cotangent if answer.kind == "variance" else scale * cotangent
    return cotangent * found[:, first]


def _of_reading(plan: Plan, k: int, item: Array, columns: Array) -> Array:
    """The cotangent of what the engine reads for a measurement."""
    measurement, reading = plan.measurements[k], plan.readings[k]
    if isinstance(measurement, Variance):
        first = sum(width(plan.circuit, each) for each in plan.readings[:k])
        means = columns[:, first : first + item.shape[1]]
        return np.concatenate([-2.0 * means * item, item], axis=1)
    if isinstance(measurement, Statevector):  # d(cotangent * state), real part
        return np.ascontiguousarray(item.conj()).view(columns.dtype)
    assert isinstance(measurement, (Expval, Probabilities))
    transposed: Array = as_read(reading, item, plan.tables, transposed=True) if plan.tables else item
    return transposed
