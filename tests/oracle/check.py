"""One call of qcsim and one of the oracle for the same `Case`, so that a test is a single comparison."""

from __future__ import annotations

from typing import Any

import numpy as np

import qcsim
from oracle import dense
from oracle.circuits import Case
from oracle.dense import Array

TOLERANCE = {np.float64: 1e-12, np.float32: 1e-5}
PRECISIONS = [np.float64, np.float32]


def forward(case: Case, measure: dict[str, Any], **options: Any) -> Array:
    """Probabilities or expectations from qcsim, by what `measure` names."""
    verb = qcsim.expval if "observables" in measure else qcsim.probabilities
    return verb(case.circuit(), case.weights, **case.inputs, **measure, **options)


def true_outputs(case: Case, measure: dict[str, Any]) -> Array:
    """The same from the oracle, float64."""
    return dense.outputs(case.n, case.instructions, case.weights, **case.inputs, **measure)


def gradients(case: Case, cotangent: Array, measure: dict[str, Any], **options: Any) -> qcsim.Gradients:
    """All gradients from qcsim."""
    _, pullback = qcsim.vjp(case.circuit(), case.weights, **case.inputs, **measure, **options)
    return pullback(cotangent)


def true_gradients(case: Case, cotangent: Array, measure: dict[str, Any]) -> dense.Gradients:
    """The same from the oracle, float64."""
    return dense.gradients(case.n, case.instructions, cotangent, case.weights, **case.inputs, **measure)


def random_cotangent(case: Case, measure: dict[str, Any]) -> Array:
    """A fixed random cotangent in the shape and precision of the outputs."""
    shape = np.shape(true_outputs(case, measure))
    return np.random.default_rng(case.seed).normal(size=shape).astype(case.weights.dtype)


def assert_outputs(case: Case, measure: dict[str, Any], **options: Any) -> None:
    """qcsim agrees with the oracle, in shape, precision and value."""
    value, truth = forward(case, measure, **options), true_outputs(case, measure)
    assert value.dtype == case.weights.dtype
    error = dense.relative_error(value, truth, 1.0 if "observables" in measure else 0.0)
    assert error <= TOLERANCE[case.weights.dtype.type], f"{error:.1e} for {measure} of {case}"


def assert_gradients(case: Case, measure: dict[str, Any], **options: Any) -> None:
    """Every gradient of qcsim agrees with the oracle; None where the input is absent."""
    cotangent = random_cotangent(case, measure)
    compare_gradients(case, measure, cotangent, gradients(case, cotangent, measure, **options))


def compare_gradients(case: Case, measure: dict[str, Any], cotangent: Array, value: Any, slack: float = 1.0) -> None:
    """Field by field against the oracle, with the tolerance of the precision times `slack`.

    A gradient may vanish by symmetry, so errors are relative to what it could have been (`dense.slope_scale`).
    """
    truth = true_gradients(case, cotangent, measure)
    scale = dense.slope_scale(case.n, case.instructions, cotangent, case.weights, **case.inputs, **measure)
    dtype = case.weights.dtype
    for name in ("weights", "amplitudes", "features"):
        got, expected = getattr(value, name), getattr(truth, name)
        assert (got is None) == (expected is None), f"{name} gradient is {got} for {case}"
        if expected is None:
            continue
        assert got.dtype == dtype, name
        if name == "amplitudes":  # inversely proportional to each row's own norm
            norms = np.linalg.norm(np.asarray(case.amplitudes, np.float64), axis=-1, keepdims=True)
            got, expected = got * norms, expected * norms
        error = dense.relative_error(got, expected, scale)
        assert error <= slack * TOLERANCE[dtype.type], f"{name} gradient off by {error:.1e} for {measure} of {case}"
