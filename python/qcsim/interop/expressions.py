"""Qiskit's parameter expressions as angles.

A gate's parameter is a number, a parameter or an expression of parameters; an angle here is affine in one weight or
feature. ``Assigned`` gives parameters the weights and features of a circuit (called by from_qiskit): sums over several
parameters come out as several angles, anything else is refused. ``Columns`` makes a feature of every parameter and of
every expression that is not affine in one (called by the primitives): nothing is refused, and values are computed for
whole batches.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
from qiskit.circuit import Parameter, ParameterExpression

from qcsim.angles import Angle, constant, feature

Floats: TypeAlias = NDArray[np.float64]
Sum: TypeAlias = tuple[Angle, ...]


class Angles(Protocol):
    """What makes angles of a gate's parameters."""

    def __call__(self, value: Any) -> Sum:
        """The angles whose sum a gate's parameter is: one or more."""
        ...


class Affine(NamedTuple):
    """``sum_k factors[k] * parameter_k + shift``."""

    factors: dict[Parameter, float]
    shift: float


def is_expression(value: Any) -> bool:
    """Whether a gate's parameter depends on circuit parameters."""
    return isinstance(value, ParameterExpression) and bool(value.parameters)


def number(value: Any) -> float:
    """A parameter that is a number.

    Raises:
        ValueError: for a complex one, which no rotation has.
    """
    given = value.numeric() if isinstance(value, ParameterExpression) else value
    if isinstance(given, complex):
        if given.imag:
            raise ValueError(f"a gate has the angle {given}; angles are real numbers of radians")
        given = given.real
    return float(given)


def affine(expression: ParameterExpression) -> Affine | None:
    """An expression as an affine one, or None where it is not."""
    if isinstance(expression, Parameter):
        return Affine({expression: 1.0}, 0.0)
    slopes = _slopes(expression)
    if slopes is None or any(is_expression(slope) for slope in slopes.values()):
        return None
    factors = {parameter: number(slope) for parameter, slope in slopes.items()}
    return Affine(factors, number(expression.bind(dict.fromkeys(factors, 0.0))))


def values_of(expression: ParameterExpression, given: Mapping[Parameter, Floats]) -> Floats:
    """The values (B,) of an expression for values (B,) of its parameters.

    Affine and quadratic expressions, such as those of feature maps, are computed for the whole batch at once, others
    row by row.
    """
    slopes = _slopes(expression) or {}
    parts = {parameter: _affine_value(slope) for parameter, slope in slopes.items()}
    if not parts or None in parts.values():
        return _row_by_row(expression, given)
    zero = number(expression.bind(dict.fromkeys(parts, 0.0)))
    found: Floats = np.full(len(next(iter(given.values()))), zero)
    for parameter, slope in parts.items():
        assert slope is not None
        # A quadratic is its value at zero and the mean of its slopes there and here times the way.
        mean = slope.shift + sum(0.5 * factor * given[other] for other, factor in slope.factors.items())
        found = found + mean * given[parameter]
    return found


def _slopes(expression: ParameterExpression) -> dict[Parameter, Any] | None:
    """The derivatives by each parameter, numbers or expressions; None where Qiskit knows none."""
    try:
        return {parameter: expression.gradient(parameter) for parameter in expression.parameters}
    except RuntimeError:
        return None


def _affine_value(slope: Any) -> Affine | None:
    return affine(slope) if is_expression(slope) else Affine({}, number(slope))


def _row_by_row(expression: ParameterExpression, given: Mapping[Parameter, Floats]) -> Floats:
    names = list(expression.parameters)
    rows = np.stack([given[name] for name in names], axis=1).tolist()
    return np.array([number(expression.bind(dict(zip(names, row, strict=True)))) for row in rows], np.float64)


class Assigned:
    """Angles of parameters that stand for weights and features.

    Args:
        sources: the weight or feature of each parameter.
    """

    def __init__(self, sources: Mapping[Parameter, Angle]) -> None:
        self._sources = sources

    def __call__(self, value: Any) -> Sum:
        """The angles of one gate's parameter.

        Raises:
            ValueError: for an expression that is not affine.
        """
        if not is_expression(value):
            return (constant(number(value)),)
        found = affine(value)
        if found is None:
            raise ValueError(f"the angle {value} is not affine in the parameters, and an angle of qcsim is; bind its "
                             "parameters (circuit.assign_parameters), make the expression a parameter of its own, or "
                             "run the circuit through qcsim.interop.qiskit.EstimatorV2 or SamplerV2, which take any "
                             "expression")  # fmt: skip
        terms = [self._sources[parameter].affine(factor, 0.0) for parameter, factor in found.factors.items() if factor]
        if not terms:
            return (constant(found.shift),)
        return (terms[0].affine(1.0, found.shift), *terms[1:])


class Columns:
    """Angles that are features: the parameters in their order, then one for each other expression.

    Args:
        parameters: in the order of their columns.
    """

    def __init__(self, parameters: list[Parameter]) -> None:
        self._places = {parameter: place for place, parameter in enumerate(parameters)}
        self._others: dict[ParameterExpression, Angle] = {}

    def __call__(self, value: Any) -> Sum:
        """The angle of one gate's parameter."""
        if not is_expression(value):
            return (constant(number(value)),)
        found = self._others.get(value)
        if found is not None:
            return (found,)
        simple = affine(value)
        if simple is not None and len(simple.factors) == 1:
            ((parameter, factor),) = simple.factors.items()
            return (feature(self._places[parameter]).affine(factor, simple.shift),)
        self._others[value] = feature(len(self._places) + len(self._others))
        return (self._others[value],)

    def values(self, given: Floats) -> Floats:
        """The features (B, F) of parameter values (B, P)."""
        named = {parameter: given[:, place] for parameter, place in self._places.items()}
        return np.column_stack([given, *(values_of(expression, named) for expression in self._others)])
