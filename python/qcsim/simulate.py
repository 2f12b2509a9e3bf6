"""A call from its arguments to the engine and back: plans (what to compute), their runs, their gradients.

Called by verbs, autograd and nn. Arrays are checked in arrays.py, measurements know their own results.
"""

from __future__ import annotations

import os
import sys
from typing import Any, NamedTuple

import numpy as np

from qcsim.arrays import ABSENT, Operands, address, empty_array, is_torch, operands, run_function
from qcsim.circuit import Circuit
from qcsim.integers import integer
from qcsim.measurements import Expval, Measurement, Probabilities, Reading
from qcsim.stopwatch import timed

GRADIENTS = ("adjoint", "parameter-shift")


class Plan(NamedTuple):
    """What a call computes, apart from its arrays."""

    circuit: Circuit
    measurements: tuple[Measurement, ...]
    readings: tuple[Reading, ...]
    gradient: str
    num_threads: int | None

    @property
    def n_columns(self) -> int:
        """Of everything that the engine reads for it."""
        return sum(width(self.circuit, reading) for reading in self.readings)


def make_plan(circuit: Circuit, measurements: tuple[Measurement, ...], gradient: str, num_threads: int | None) -> Plan:
    """Check the options of a call."""
    if not isinstance(circuit, Circuit):
        raise TypeError(f"circuit is {circuit!r} of type {type(circuit).__name__}; it must be a qcsim.Circuit")
    if gradient not in GRADIENTS:
        raise ValueError(f"gradient is {gradient!r}; the options are {', '.join(GRADIENTS)}")
    if num_threads is not None and integer("num_threads", num_threads, "1 or more") < 1:
        raise ValueError(f"num_threads is {num_threads}; it must be 1 or more")
    if not measurements:
        raise ValueError("no measurement was given; name one or more, such as qcsim.Probabilities()")
    for measurement in measurements:
        if not isinstance(measurement, Measurement):
            kind = type(measurement).__name__
            raise TypeError(f"a measurement is {measurement!r} of type {kind}; the options are Probabilities, Expval, "
                            "Variance, Statevector and Samples")  # fmt: skip
    readings = tuple(measurement.reading(circuit) for measurement in measurements)
    if gradient == "parameter-shift" and any(kind == "statevector" for kind, _ in readings):
        raise ValueError("gradient is 'parameter-shift', a rule for expectations; for a statevector use 'adjoint'")
    return Plan(circuit, measurements, readings, gradient, num_threads)


def execute(plan: Plan, weights: Any, amplitudes: Any, features: Any, out: Any = None) -> tuple[Any, ...]:
    """A result for each measurement, without a batch axis if no argument has one.

    Torch tensors remember how they were made, unless the result is written to ``out``.
    """
    given = operands(plan.circuit, weights, amplitudes, features)
    if out is not None:
        return (_into(out, plan, given),)
    if isinstance(given.weights, np.ndarray):
        columns, _ = forward(plan, given, keep=False)
    else:
        from qcsim.autograd import run

        columns = run(plan, given)
        if columns.ndim == 1:  # a single sample
            if len(plan.readings) == 1 and type(plan.measurements[0]) in (Probabilities, Expval):
                return (columns,)
            columns = columns[None]
    results = results_of(plan, columns)
    return tuple(result[0] for result in results) if given.single else results


def results_of(plan: Plan, columns: Any) -> tuple[Any, ...]:
    """The results of the measurements from what the engine has read, (B, K)."""
    if len(plan.readings) == 1:
        return (plan.measurements[0].result(plan.circuit, columns, threads(plan.num_threads)),)
    results, first = [], 0
    for measurement, reading in zip(plan.measurements, plan.readings, strict=True):
        last = first + width(plan.circuit, reading)
        results.append(measurement.result(plan.circuit, columns[:, first:last], threads(plan.num_threads)))
        first = last
    return tuple(results)


def width(circuit: Circuit, reading: Reading) -> int:
    """The number of columns of a reading."""
    kind, what = reading
    if kind == "statevector":
        return int(2 * 2**circuit.n_qubits)
    assert what is not None
    return len(what) if kind == "expval" else int(2 ** len(what))


def forward(plan: Plan, given: Operands, *, keep: bool, outputs: Any = None) -> tuple[Any, Any]:
    """Outputs (B, K) and, with ``keep``, the engine's call for the gradients."""
    compiled, readout = plan.circuit.compiled(plan.readings, given.complex_amplitudes)
    if outputs is None:
        outputs = empty_array(given.weights, (given.batch, readout.n_outputs))
    call = timed(
        run_function(given.dtype),
        compiled,
        readout,
        given.batch,
        address(given.amplitudes),
        address(given.weights),
        address(given.features),
        address(outputs),
        keep,
        threads(plan.num_threads),
    )
    return outputs, call


def backward(
    plan: Plan, given: Operands, call: Any, cotangent: Any, needed: tuple[bool, bool, bool]
) -> tuple[Any, Any, Any]:
    """Gradients of weights, amplitudes (B, D) and features (B, F); None where not needed or absent."""
    weights, amplitudes, features = (
        empty_array(array, tuple(array.shape)) if wanted and array is not None else None
        for wanted, array in zip(needed, (given.weights, given.amplitudes, given.features), strict=True)
    )
    n_threads = threads(plan.num_threads)
    given_back, into_weights, into_features = address(cotangent), address(weights), address(features)
    if plan.gradient == "parameter-shift":
        if weights is not None or features is not None:
            timed(call.parameter_shift, given_back, into_weights, into_features, n_threads)
        into_weights = into_features = address(None)
    if amplitudes is not None or into_weights is not ABSENT or into_features is not ABSENT:
        timed(call.adjoint, given_back, address(amplitudes), into_weights, into_features, n_threads)
    return weights, amplitudes, features


def threads(num_threads: int | None) -> int:
    """The number of threads of a call: as asked, else torch's setting, else QCSIM_NUM_THREADS, else 0 for all."""
    if num_threads is not None:
        return int(num_threads)
    torch = sys.modules.get("torch")
    if torch is not None and hasattr(torch, "get_num_threads"):
        return int(torch.get_num_threads())
    setting = os.environ.get("QCSIM_NUM_THREADS", "0")
    if not setting.isdecimal():
        raise ValueError(f"QCSIM_NUM_THREADS is {setting!r}; it must be a number of threads, 0 for all")
    return integer("QCSIM_NUM_THREADS", int(setting), "a number of threads, 0 for all")


def _into(out: Any, plan: Plan, given: Operands) -> Any:
    """Runs into an array of the caller's."""
    if is_torch(out) != is_torch(given.weights) or not (is_torch(out) or isinstance(out, np.ndarray)):
        raise TypeError(f"out is a {type(out).__name__}; it must be an array of the kind of the arguments")
    columns = (width(plan.circuit, plan.readings[0]),)
    expected = columns if given.single else (given.batch, *columns)
    contiguous = out.is_contiguous() if is_torch(out) else out.flags.carray
    if tuple(out.shape) != expected or out.dtype != given.weights.dtype or not contiguous:
        raise ValueError(f"out has shape {tuple(out.shape)} and dtype {out.dtype}; the result has {expected} and "
                         f"{given.weights.dtype}, side by side in memory")  # fmt: skip
    if is_torch(out) and out.requires_grad:
        raise ValueError("out requires a gradient; the result is written without one")
    if is_torch(out) and (out.device != given.weights.device or out.is_neg()):
        raise ValueError(f"out is on {out.device} or a view with a flipped sign; it must be plain memory on the cpu")
    forward(plan, given, keep=False, outputs=out[None] if given.single else out)
    return out
