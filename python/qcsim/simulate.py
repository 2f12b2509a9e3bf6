"""A call from its arguments to the engine and back: plans (what to compute), their runs, their gradients.

Called by verbs, autograd and nn. Arrays are checked in arrays.py, measurements know their own results. What is drawn at
random instead of computed goes on in estimate.py.
"""

from __future__ import annotations

import os
import sys
from typing import Any, NamedTuple

import numpy as np

from qcsim import gpu_run
from qcsim.array_kinds import is_cupy, is_torch, kind_of, library
from qcsim.arrays import ABSENT, Operands, address, empty_array, operands, run_function, writable_rows
from qcsim.circuit import Circuit
from qcsim.gpus import gpu_of
from qcsim.integers import integer
from qcsim.measurements import (
    MEASUREMENTS,
    DensityMatrix,
    Expval,
    Measurement,
    Probabilities,
    Reading,
    Samples,
    Statevector,
)
from qcsim.methods import chosen_method
from qcsim.misreading import Tables, as_read
from qcsim.stopwatch import timed

GRADIENTS = ("auto", "adjoint", "parameter-shift")


class Draws(NamedTuple):
    """How numbers are drawn where they are not computed.

    Attributes:
        shots: draws of the outcomes, for each basis that is measured; None: no shots, averages over trajectories.
        trajectories: how many of them are averaged, without shots.
        seed: where the random streams start; empty: anew at each run.
    """

    shots: int | None
    trajectories: int
    seed: tuple[int, ...]


class Estimate(NamedTuple):
    """A result and how far off it may be.

    Attributes:
        value: as without ``standard_error=True``.
        standard_error: one standard deviation of the value, in its shape; zero where nothing is drawn.

    Example:
        >>> import qcsim
        >>> plus = qcsim.Circuit(1).h(0)
        >>> found = qcsim.probabilities(plus, shots=10_000, seed=0, standard_error=True)
        >>> bool((abs(found.value - 0.5) < 4 * found.standard_error).all()), found.standard_error.round(3)
        (True, array([0.005, 0.005]))
    """

    value: Any
    standard_error: Any


class Plan(NamedTuple):
    """What a call computes, apart from its arrays."""

    circuit: Circuit
    measurements: tuple[Measurement, ...]
    readings: tuple[Reading, ...]
    gradient: str
    num_threads: int | None
    method: str = "statevector"
    tables: Tables = ()  # of misread bits
    draws: Draws | None = None  # None: everything is computed
    standard_error: bool = False

    @property
    def n_columns(self) -> int:
        """Of everything that the engine reads for it."""
        return sum(width(self.circuit, reading) for reading in self.readings)


def make_plan(
    circuit: Circuit,
    measurements: tuple[Measurement, ...],
    gradient: str,
    num_threads: int | None,
    method: str = "auto",
    trajectories: int = 1000,
    shots: int | None = None,
    seed: int | tuple[int, ...] | None = None,
    standard_error: bool = False,
) -> Plan:
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
        if not isinstance(measurement, MEASUREMENTS):
            kind = type(measurement).__name__
            options = ", ".join(option.__name__ for option in MEASUREMENTS)
            raise TypeError(f"a measurement is {measurement!r} of type {kind}; the options are {options}")
    noise = circuit.noise_summary
    method = "statevector" if method == "auto" and noise.kind != "local" else chosen_method(circuit, method)
    readings = tuple([measurement.reading(circuit, method) for measurement in measurements])
    if seed is not None or trajectories != 1000:  # checked also where nothing is drawn
        _draws(shots, trajectories, seed, False)
    if shots is None and method != "trajectories" and not standard_error:
        gradient = "adjoint" if gradient != "parameter-shift" else _exact_gradient(gradient, readings)
        return Plan(circuit, measurements, readings, gradient, num_threads, method, noise.tables)
    draws = None
    if shots is not None or method == "trajectories":
        draws = _draws(shots, trajectories, seed, standard_error)
    plan = Plan(
        circuit, measurements, readings, gradient, num_threads, method, noise.tables, draws, bool(standard_error)
    )
    _check_drawn(plan)
    return plan if draws is not None else plan._replace(gradient=_exact_gradient(gradient, readings))


def _exact_gradient(gradient: str, readings: tuple[Reading, ...]) -> str:
    if gradient != "parameter-shift":
        return "adjoint"
    if any(kind == "statevector" for kind, _ in readings):
        raise ValueError("gradient is 'parameter-shift', a rule for expectations; for a statevector use 'adjoint'")
    return gradient


def _draws(shots: Any, trajectories: Any, seed: Any, standard_error: bool) -> Draws:
    allowed = "1..2147483647"
    if shots is not None and integer("shots", shots, allowed) < 1:
        raise ValueError(f"shots is {shots}; it must be 1 or more, or None for exact results")
    if integer("trajectories", trajectories, allowed) < 1:
        raise ValueError(f"trajectories is {trajectories}; it must be 1 or more")
    if standard_error and shots is None and trajectories < 2:
        raise ValueError("trajectories is 1; a standard error needs 2 or more")
    if seed is None or isinstance(seed, tuple):
        return Draws(shots, trajectories, seed or ())
    if integer("seed", seed, "0..2147483647") < 0:
        raise ValueError(f"seed is {seed}; it must be within 0..2147483647")
    return Draws(shots, trajectories, (int(seed),))


def _check_drawn(plan: Plan) -> None:
    """What shots, trajectories and standard errors cannot do."""
    shots = plan.draws is not None and plan.draws.shots is not None
    if shots and plan.gradient == "adjoint":
        raise ValueError("gradient is 'adjoint', which walks a computed state back, and shots are drawn; the options "
                         "are auto and parameter-shift")  # fmt: skip
    for measurement in plan.measurements:
        if shots and isinstance(measurement, (Statevector, DensityMatrix)):
            raise ValueError(f"shots is {plan.draws.shots}; they measure Probabilities, Expval, Variance and Samples, "  # type: ignore[union-attr]
                             f"and {type(measurement).__name__} is computed: leave shots out")  # fmt: skip
        if plan.standard_error and isinstance(measurement, (Statevector, DensityMatrix)):
            raise ValueError(f"standard_error goes with Probabilities, Expval and Variance, not with "
                             f"{type(measurement).__name__}")  # fmt: skip


def execute(plan: Plan, weights: Any, amplitudes: Any, features: Any, out: Any = None) -> tuple[Any, ...]:
    """A result for each measurement, without a batch axis if no argument has one.

    Torch tensors remember how they were made, unless the result is written to ``out``.
    """
    again = None
    try:
        given = operands(plan.circuit, weights, amplitudes, features)
    except ValueError:
        again = _autocast(weights, amplitudes, features)
        if again is None:
            raise
    if again is not None:  # outside of the handler: what else may be wrong is not about half precision
        return execute(plan, *again, out=out)
    if given.gpu is None:
        return _executed(plan, given, out)
    with given.gpu.current():
        return _executed(plan, given, out)


def _autocast(weights: Any, amplitudes: Any, features: Any) -> tuple[Any, Any, Any] | None:
    """Arrays that were refused, raised from half precision under torch.autocast; None where that changes nothing."""
    if not any(map(is_torch, (weights, amplitudes, features))):
        return None
    from qcsim.autocast import raised

    return raised(weights, amplitudes, features)


def _executed(plan: Plan, given: Operands, out: Any) -> tuple[Any, ...]:
    if out is not None:
        return (_into(out, plan, given),)
    if plan.draws is not None:
        from qcsim.estimate import drawn

        results = drawn(plan, given)
        return tuple(map(_first, results)) if given.single else results
    if not is_torch(given.weights):
        columns, _ = forward(plan, given, keep=False)
    else:
        from qcsim.autograd import run

        columns = run(plan, given)
        if columns.ndim == 1:  # a single sample
            if _is_plain(plan):
                return (columns,)
            columns = columns[None]
    results = results_of(plan, columns)
    if plan.standard_error:
        results = tuple(map(_exactly, plan.measurements, results))
        return tuple(map(_first, results)) if given.single else results
    return tuple([result[0] for result in results]) if given.single else results


def _is_plain(plan: Plan) -> bool:
    """Whether the columns of the engine are the result."""
    if len(plan.readings) != 1 or type(plan.measurements[0]) not in (Probabilities, Expval) or plan.standard_error:
        return False
    return not plan.tables or plan.readings[0][0] != "probabilities"


def _exactly(measurement: Measurement, result: Any) -> Any:
    """A computed result as an estimate without error."""
    if isinstance(measurement, Samples):
        return result
    return Estimate(result, library(result).zeros_like(result))


def _first(result: Any) -> Any:
    return Estimate(result.value[0], result.standard_error[0]) if isinstance(result, Estimate) else result[0]


def results_of(plan: Plan, columns: Any) -> tuple[Any, ...]:
    """The results of the measurements from what the engine has read, (B, K)."""
    if len(plan.readings) == 1:
        return (_result(plan, plan.measurements[0], plan.readings[0], columns),)
    results, first = [], 0
    for measurement, reading in zip(plan.measurements, plan.readings, strict=True):
        last = first + width(plan.circuit, reading)
        results.append(_result(plan, measurement, reading, columns[:, first:last]))
        first = last
    return tuple(results)


def _result(plan: Plan, measurement: Measurement, reading: Reading, columns: Any) -> Any:
    if plan.tables:
        columns = as_read(reading, columns, plan.tables)
    return measurement.result(plan.circuit, columns, plan.method, threads(plan.num_threads))


def width(circuit: Circuit, reading: Reading) -> int:
    """The number of columns of a reading."""
    kind, what = reading
    if kind == "statevector":
        return int(2 * 2**circuit.n_qubits)
    assert what is not None
    if kind == "density":
        return int(2 * 4 ** len(what))
    return len(what) if kind == "expval" else int(2 ** len(what))


def forward(plan: Plan, given: Operands, *, keep: bool, outputs: Any = None) -> tuple[Any, Any]:
    """Outputs (B, K) and, with ``keep``, the engine's call for the gradients."""
    if given.gpu is not None:
        return gpu_run.forward(plan, given, keep=keep, outputs=outputs)
    compiled, readout = plan.circuit._compiled(plan.readings, given.complex_amplitudes, plan.method)
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
    if given.gpu is not None:
        return gpu_run.backward(plan, given, call, cotangent, needed)
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
    if plan.draws is not None or plan.standard_error:
        raise ValueError("out takes computed results; leave it out with shots, trajectories and standard errors")
    known = isinstance(out, np.ndarray) or is_torch(out) or is_cupy(out)
    if not known or kind_of(out) != kind_of(given.weights):
        raise TypeError(f"out is a {type(out).__name__}; it must be an array of the kind of the arguments")
    columns = (width(plan.circuit, plan.readings[0]),)
    expected = columns if given.single else (given.batch, *columns)
    if tuple(out.shape) != expected or out.dtype != given.weights.dtype:
        raise ValueError(f"out has shape {tuple(out.shape)} and dtype {out.dtype}; the result has {expected} and "
                         f"{given.weights.dtype}")  # fmt: skip
    if not writable_rows(out):
        raise ValueError("out is read-only or not side by side in memory; the result is written into it row by row")
    if is_torch(out) and out.requires_grad:
        raise ValueError("out requires a gradient; the result is written without one")
    elsewhere = out.device != given.weights.device if is_torch(out) else gpu_of(out) != given.gpu
    if elsewhere or (is_torch(out) and out.is_neg()):
        raise ValueError(f"out is on {out.device} or a view with a flipped sign; it must be plain memory where the "
                         f"arguments are, {given.weights.device}")  # fmt: skip
    forward(plan, given, keep=False, outputs=out[None] if given.single else out)
    if not _is_plain(plan):
        out[...] = as_read(plan.readings[0], out, plan.tables)
    return out
