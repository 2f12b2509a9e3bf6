"""One call of qcsim and one of the oracle for the same `Case`, so that a test is a single comparison.

A readout is a dictionary: {"qubits": ...}, {"observables": ...}, {"variance": observables}, {"statevector": True} or
{"density": qubits}. Circuits with noise are judged by noisy.py, the others by dense.py.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import qcsim
from oracle import dense, noisy
from oracle.circuits import Case
from oracle.dense import Array
from oracle.noisy_circuits import NoisyCase

TOLERANCE = {np.float64: 1e-12, np.float32: 1e-5}
NOISY_TOLERANCE = {np.float64: 1e-12, np.float32: 2e-5}
PRECISIONS = [np.float64, np.float32]


def judge(case: Case) -> Any:
    """The oracle of a case."""
    return noisy if isinstance(case, NoisyCase) else dense


def tolerance(case: Case) -> float:
    """The relative error that the precision of a case may have."""
    return (NOISY_TOLERANCE if isinstance(case, NoisyCase) else TOLERANCE)[case.weights.dtype.type]


def verb(measure: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The function of qcsim for a readout, and its keyword arguments."""
    if "statevector" in measure:
        return qcsim.statevector, {}
    if "variance" in measure:
        return qcsim.variance, {"observables": measure["variance"]}
    if "density" in measure:
        return qcsim.density_matrix, {"qubits": measure["density"]}
    return (qcsim.expval if "observables" in measure else qcsim.probabilities), measure


def forward(case: Case, measure: dict[str, Any], **options: Any) -> Array:
    """The outputs from qcsim."""
    function, arguments = verb(measure)
    return function(case.circuit(), case.weights, **case.inputs, **arguments, **options)


def true_outputs(case: Case, measure: dict[str, Any]) -> Array:
    """The same from the oracle, in double precision."""
    return judge(case).outputs(case.n, case.instructions, case.weights, **case.inputs, **measure)


def gradients(case: Case, cotangent: Array, measure: dict[str, Any], **options: Any) -> Any:
    """All gradients from qcsim: by `qcsim.vjp`, or by torch's backward pass where vjp has no such readout."""
    if {"variance", "statevector", "density"} & measure.keys():
        return torch_gradients(case, cotangent, measure, **options)
    _, pullback = qcsim.vjp(case.circuit(), case.weights, **case.inputs, **measure, **options)
    return pullback(cotangent)


def torch_gradients(case: Case, cotangent: Array, measure: dict[str, Any], **options: Any) -> dense.Gradients:
    """All gradients by torch's backward pass."""
    import torch

    given = {name: None if a is None else torch.tensor(a, requires_grad=True)
             for name, a in {"weights": case.weights, **case.inputs}.items()}  # fmt: skip
    function, arguments = verb(measure)
    function(case.circuit(), **given, **arguments, **options).backward(torch.tensor(cotangent))
    return dense.Gradients(**{name: None if tensor is None else slope(tensor) for name, tensor in given.items()})


def slope(tensor: Any) -> Array:
    """The gradient of a leaf, zero where nothing depends on it."""
    return np.zeros_like(tensor.detach().numpy()) if tensor.grad is None else tensor.grad.numpy()


def true_gradients(case: Case, cotangent: Array, measure: dict[str, Any]) -> dense.Gradients:
    """The same from the oracle, in double precision."""
    return judge(case).gradients(case.n, case.instructions, cotangent, case.weights, **case.inputs, **measure)


def random_cotangent(case: Case, measure: dict[str, Any]) -> Array:
    """A fixed random cotangent in the shape and precision of the outputs."""
    truth, rng = true_outputs(case, measure), np.random.default_rng(case.seed)
    cotangent = rng.normal(size=truth.shape).astype(case.weights.dtype)
    return (
        cotangent + 1j * rng.normal(size=truth.shape).astype(case.weights.dtype)
        if truth.dtype.kind == "c"
        else cotangent
    )


def output_dtype(case: Case, measure: dict[str, Any]) -> Any:
    """The precision of the weights, complex for states."""
    real = case.weights.dtype
    return np.result_type(real, np.complex64) if {"statevector", "density"} & measure.keys() else real


def assert_outputs(case: Case, measure: dict[str, Any], **options: Any) -> None:
    """qcsim agrees with the oracle, in shape, precision and value."""
    value, truth = forward(case, measure, **options), true_outputs(case, measure)
    assert value.dtype == output_dtype(case, measure)
    scale = 0.0 if "qubits" in measure else dense.output_scale(**measure)
    error = dense.relative_error(value, truth, scale)
    assert error <= tolerance(case), f"{error:.1e} for {measure} of {case}"


def assert_gradients(case: Case, measure: dict[str, Any], slack: float = 1.0, **options: Any) -> None:
    """Every gradient of qcsim agrees with the oracle; None where the input is absent."""
    cotangent = random_cotangent(case, measure)
    compare_gradients(case, measure, cotangent, gradients(case, cotangent, measure, **options), slack)


def compare_gradients(case: Case, measure: dict[str, Any], cotangent: Array, value: Any, slack: float = 1.0) -> None:
    """Field by field against the oracle, with the tolerance of the precision times `slack`.

    A gradient may vanish by symmetry, so errors are relative to what it could have been (`dense.slope_scale`).
    """
    truth = true_gradients(case, cotangent, measure)
    scale = judge(case).slope_scale(case.n, case.instructions, cotangent, case.weights, **case.inputs, **measure)
    for name in ("weights", "amplitudes", "features"):
        given, got, expected = getattr(case, name), getattr(value, name), getattr(truth, name)
        assert (got is None) == (expected is None), f"{name} gradient is {got} for {case}"
        if expected is None:
            continue
        assert got.dtype == given.dtype, name
        if name == "amplitudes":  # inversely proportional to each row's own norm
            norms = np.linalg.norm(dense.wide(given), axis=-1, keepdims=True)
            got, expected = got * norms, expected * norms
        error = dense.relative_error(got, expected, scale)
        limit = slack * tolerance(case)
        assert error <= limit, f"{name} gradient off by {error:.1e} for {measure} of {case}"
