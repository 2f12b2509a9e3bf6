"""The verbs of the simulator on arrays of NumPy and CuPy and torch tensors. B is the batch, n the qubits, P the
weights, D the amplitudes, F the features. What happens inside is in simulate.py; torch tensors go through autograd.py,
and what is drawn at random through estimate.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from typing import Any, NamedTuple

import numpy as np

from qcsim import gpu_run
from qcsim.array_kinds import is_cupy, is_torch
from qcsim.arrays import Operands, let_in, on_host, operands, row_major
from qcsim.circuit import Circuit
from qcsim.gpus import gpu_of
from qcsim.measurements import (
    DensityMatrix,
    Expval,
    Measurement,
    Probabilities,
    Samples,
    Statevector,
    Variance,
    as_measurements,
)
from qcsim.misreading import as_read
from qcsim.observables import Observable
from qcsim.simulate import Plan, backward, execute, forward, make_plan, results_of


class Gradients(NamedTuple):
    """Gradients in the shapes of what they belong to; None where the circuit has no such input, and of amplitudes where
    what was drawn gives none."""

    weights: Any
    amplitudes: Any
    features: Any


def probabilities(
    circuit: Circuit,
    weights: Any = None,
    amplitudes: Any = None,
    features: Any = None,
    *,
    qubits: Sequence[int] | None = None,
    gradient: str = "auto",
    method: str = "auto",
    trajectories: int = 1000,
    shots: int | None = None,
    seed: int | None = None,
    standard_error: bool = False,
    num_threads: int | None = None,
    out: Any = None,
) -> Any:
    """Probabilities of the measurement outcomes, ``p(z) = |<z|U(weights)|x>|^2``, under noise ``<z|rho|z>``.

    Args:
        circuit: what to run.
        weights: (P,) angles in radians shared by the batch, or (B, P) per sample; float32 or float64.
        amplitudes: (B, D) or (D,) with D <= 2^n, real or complex, if the circuit embeds amplitudes: zero-padded at the
            tail and normalised; any norm above zero.
        features: (B, F) or (F,) per-sample angles in radians, if the circuit has features.
        qubits: the qubits to measure, the first being the most significant bit of an outcome; None: all.
        gradient: for torch's backward pass, ``"adjoint"``, ``"parameter-shift"`` (two circuits a rotation) or
            ``"auto"``: parameter-shift with shots, and where trajectories have no other gradient, else adjoint.
            Gradients of amplitudes are always taken by the adjoint method.
        method: ``"statevector"``, ``"density_matrix"``, ``"trajectories"`` or ``"auto"`` (:func:`method_for`).
        trajectories: how many are averaged, for ``"trajectories"`` without shots.
        shots: None: as computed; else measured, so often for each basis that the observables need.
        seed: of what is drawn: the same seed, the same numbers, whatever the number of threads; None: fresh ones.
        standard_error: whether to return an :class:`Estimate` instead, the value with its standard error.
        num_threads: threads to use; None: torch's setting if torch is loaded, else the environment variable
            QCSIM_NUM_THREADS, else all.
        out: where to write the result instead of a new array: a contiguous array or tensor of the result's shape and
            dtype. No gradient is kept then.

    Returns:
        (B, 2^k) outcome probabilities of the k measured qubits, or (2^k,) if no argument has a batch axis; kind, dtype
        and device of the arguments.

    Raises:
        ValueError: for a wrong shape, a dtype other than float32 and float64 (complex64 and complex128 for amplitudes),
            a number that is not finite, amplitudes that are all zero, an unknown option, or a method that cannot hold
            the circuit's noise.
        TypeError: for something that is no array.

    Example:
        >>> import numpy as np, qcsim
        >>> qcsim.probabilities(qcsim.Circuit(2).ry(0).cnot(0, 1), np.array([np.pi / 2])).round(3)
        array([0.5, 0. , 0. , 0.5])
    """
    plan = make_plan(
        circuit, (Probabilities(qubits),), gradient, num_threads, method, trajectories, shots, seed, standard_error
    )
    return execute(plan, weights, amplitudes, features, out)[0]


def expval(
    circuit: Circuit,
    weights: Any = None,
    observables: Sequence[Observable] = ("Z0",),
    amplitudes: Any = None,
    features: Any = None,
    *,
    gradient: str = "auto",
    method: str = "auto",
    trajectories: int = 1000,
    shots: int | None = None,
    seed: int | None = None,
    standard_error: bool = False,
    num_threads: int | None = None,
    out: Any = None,
) -> Any:
    """Expectations of observables, ``<psi|O|psi>``, under noise ``Tr(rho O)``.

    Args:
        circuit: what to run.
        weights: as for :func:`probabilities`.
        observables: Pauli words such as ``"Z0"`` and ``"X0 Y2"``, or weighted sums of them, mappings such as
            ``{"Z0 Z1": 0.5, "X0": -1.0}`` or :class:`qcsim.PauliSum`.
        amplitudes: as for :func:`probabilities`.
        features: as for :func:`probabilities`.
        gradient: as for :func:`probabilities`.
        method: as for :func:`probabilities`.
        trajectories: as for :func:`probabilities`.
        shots: as for :func:`probabilities`.
        seed: as for :func:`probabilities`.
        standard_error: as for :func:`probabilities`.
        num_threads: as for :func:`probabilities`.
        out: as for :func:`probabilities`.

    Returns:
        (B, len(observables)) numbers, or (len(observables),) if no argument has a batch axis.

    Raises:
        ValueError: as :func:`probabilities`, and for an observable that cannot be read.
        TypeError: as :func:`probabilities`.

    Example:
        >>> import numpy as np, qcsim
        >>> qcsim.expval(qcsim.Circuit(2).ry(0).cnot(0, 1), np.array([np.pi / 3]), ["Z0", "X0 X1"]).round(3)
        array([0.5  , 0.866])
    """
    plan = make_plan(
        circuit, (Expval(observables),), gradient, num_threads, method, trajectories, shots, seed, standard_error
    )
    return execute(plan, weights, amplitudes, features, out)[0]


def variance(
    circuit: Circuit,
    weights: Any = None,
    observables: Sequence[Observable] = ("Z0",),
    amplitudes: Any = None,
    features: Any = None,
    *,
    gradient: str = "auto",
    method: str = "auto",
    trajectories: int = 1000,
    shots: int | None = None,
    seed: int | None = None,
    standard_error: bool = False,
    num_threads: int | None = None,
) -> Any:
    """Variances of observables, ``<O^2> - <O>^2``, of the mixed state under noise.

    The difference of two numbers that may be large: of float32 arrays it is good to about 1e-6 of ``|O|^2``, and where
    the state is nearly an eigenstate it may come out below zero. float64 has nine digits more.

    Args:
        circuit: what to run.
        weights: as for :func:`probabilities`.
        observables: as for :func:`expval`.
        amplitudes: as for :func:`probabilities`.
        features: as for :func:`probabilities`.
        gradient: as for :func:`probabilities`.
        method: as for :func:`probabilities`.
        trajectories: as for :func:`probabilities`.
        shots: as for :func:`probabilities`.
        seed: as for :func:`probabilities`.
        standard_error: as for :func:`probabilities`.
        num_threads: as for :func:`probabilities`.

    Returns:
        (B, len(observables)) numbers, or (len(observables),) if no argument has a batch axis.

    Raises:
        ValueError: as :func:`expval`.
        TypeError: as :func:`expval`.

    Example:
        >>> import numpy as np, qcsim
        >>> qcsim.variance(qcsim.Circuit(1).ry(0), np.array([np.pi / 3]), ["Z0"]).round(3)
        array([0.75])
    """
    plan = make_plan(
        circuit, (Variance(observables),), gradient, num_threads, method, trajectories, shots, seed, standard_error
    )
    return execute(plan, weights, amplitudes, features)[0]


def statevector(
    circuit: Circuit,
    weights: Any = None,
    amplitudes: Any = None,
    features: Any = None,
    *,
    num_threads: int | None = None,
) -> Any:
    """The final state ``U(weights)|x>`` of a circuit without noise, global phase included.

    Args:
        circuit: what to run.
        weights: as for :func:`probabilities`.
        amplitudes: as for :func:`probabilities`.
        features: as for :func:`probabilities`.
        num_threads: as for :func:`probabilities`.

    Returns:
        (B, 2^n) complex64 or complex128 amplitudes, or (2^n,) if no argument has a batch axis.

    Raises:
        ValueError: as :func:`probabilities`, and for a circuit with noise, whose state is a density matrix.
        TypeError: as :func:`probabilities`.

    Example:
        >>> import qcsim
        >>> qcsim.statevector(qcsim.Circuit(1).sx(0)).round(3)
        array([0.5+0.5j, 0.5-0.5j])
    """
    plan = make_plan(circuit, (Statevector(),), "auto", num_threads)
    return execute(plan, weights, amplitudes, features)[0]


def density_matrix(
    circuit: Circuit,
    weights: Any = None,
    amplitudes: Any = None,
    features: Any = None,
    *,
    qubits: Sequence[int] | None = None,
    method: str = "auto",
    trajectories: int = 1000,
    seed: int | None = None,
    num_threads: int | None = None,
) -> Any:
    """The density matrix of the final state, ``rho = Tr_rest |psi><psi|`` without noise.

    Args:
        circuit: what to run.
        weights: as for :func:`probabilities`.
        amplitudes: as for :func:`probabilities`.
        features: as for :func:`probabilities`.
        qubits: the k qubits to keep, the first being the most significant bit; the others are traced out. None: all.
        method: as for :func:`probabilities`.
        trajectories: as for :func:`probabilities`.
        seed: as for :func:`probabilities`.
        num_threads: as for :func:`probabilities`.

    Returns:
        (B, 2^k, 2^k) complex64 or complex128, or (2^k, 2^k) if no argument has a batch axis. Readout errors are not in
        it: they belong to a measurement.

    Raises:
        ValueError: as :func:`probabilities`.
        TypeError: as :func:`probabilities`.

    Example:
        >>> import qcsim
        >>> qcsim.density_matrix(qcsim.Circuit(1).h(0).phase_flip(0.1, 0)).real.round(3)
        array([[0.5, 0.4],
               [0.4, 0.5]])
    """
    options = (method, trajectories, None, seed)
    plan = make_plan(circuit, (DensityMatrix(qubits),), "auto", num_threads, *options)
    return execute(plan, weights, amplitudes, features)[0]


def sample(
    circuit: Circuit,
    weights: Any = None,
    amplitudes: Any = None,
    features: Any = None,
    *,
    shots: int = 1,
    seed: int | None = None,
    qubits: Sequence[int] | None = None,
    method: str = "auto",
    num_threads: int | None = None,
) -> Any:
    """Measurement outcomes, drawn independently.

    Args:
        circuit: what to run.
        weights: as for :func:`probabilities`.
        amplitudes: as for :func:`probabilities`.
        features: as for :func:`probabilities`.
        shots: draws per sample of the batch.
        seed: the same seed gives the same draws, whatever the number of threads; None: a fresh one each time.
        qubits: as for :func:`probabilities`.
        method: as for :func:`probabilities`; with ``"trajectories"`` each draw has one of its own.
        num_threads: as for :func:`probabilities`.

    Returns:
        (B, shots) int64 outcomes in 0..2^k-1, or (shots,) if no argument has a batch axis.

    Raises:
        ValueError: as :func:`probabilities`, and for a number of shots below 1.
        TypeError: as :func:`probabilities`.

    Example:
        >>> import qcsim
        >>> bell = qcsim.Circuit(2).h(0).cnot(0, 1)
        >>> sorted(set(qcsim.sample(bell, shots=100, seed=0).tolist()))
        [0, 3]
    """
    plan = make_plan(circuit, (Samples(shots, seed, qubits),), "auto", num_threads, method)
    return execute(plan, weights, amplitudes, features)[0]


def counts(
    circuit: Circuit,
    weights: Any = None,
    amplitudes: Any = None,
    features: Any = None,
    *,
    shots: int = 1,
    seed: int | None = None,
    qubits: Sequence[int] | None = None,
    method: str = "auto",
    num_threads: int | None = None,
) -> Any:
    """How often each outcome was drawn.

    Args:
        circuit: what to run.
        weights: as for :func:`probabilities`.
        amplitudes: as for :func:`probabilities`.
        features: as for :func:`probabilities`.
        shots: as for :func:`sample`.
        seed: as for :func:`sample`.
        qubits: as for :func:`probabilities`.
        method: as for :func:`sample`.
        num_threads: as for :func:`probabilities`.

    Returns:
        For each sample of the batch a dictionary from outcomes, as text of bits with the first measured qubit in front,
        to how often they were drawn, in the order of the outcomes; one dictionary if no argument has a batch axis.

    Raises:
        ValueError: as :func:`sample`.
        TypeError: as :func:`sample`.

    Example:
        >>> import qcsim
        >>> qcsim.counts(qcsim.Circuit(2).x(1), shots=10, seed=0)
        {'01': 10}
    """
    qubits = tuple(qubits) if isinstance(qubits, Iterator) else qubits
    drawn = sample(circuit, weights, amplitudes, features, shots=shots, seed=seed, qubits=qubits, method=method,
                   num_threads=num_threads)  # fmt: skip
    width = circuit.n_qubits if qubits is None else len(qubits)
    table = on_host(drawn)
    return _counted(table, width) if table.ndim == 1 else [_counted(row, width) for row in table]


def measure(
    circuit: Circuit,
    weights: Any = None,
    measurements: Sequence[Measurement] = (Probabilities(),),
    amplitudes: Any = None,
    features: Any = None,
    *,
    gradient: str = "auto",
    method: str = "auto",
    trajectories: int = 1000,
    shots: int | None = None,
    seed: int | None = None,
    standard_error: bool = False,
    num_threads: int | None = None,
) -> tuple[Any, ...]:
    """Several measurements of the same final state, from one run of the circuit (with shots, a run for each basis).

    Args:
        circuit: what to run.
        weights: as for :func:`probabilities`.
        measurements: :class:`Probabilities`, :class:`Expval`, :class:`Variance`, :class:`Statevector`,
            :class:`DensityMatrix` and :class:`Samples`, in any number.
        amplitudes: as for :func:`probabilities`.
        features: as for :func:`probabilities`.
        gradient: as for :func:`probabilities`; the parameter-shift rule does not know states.
        method: as for :func:`probabilities`.
        trajectories: as for :func:`probabilities`.
        shots: as for :func:`probabilities`.
        seed: as for :func:`probabilities`.
        standard_error: as for :func:`probabilities`.
        num_threads: as for :func:`probabilities`.

    Returns:
        A result for each measurement, in the form of the verb of its name.

    Raises:
        ValueError: as the verbs do.
        TypeError: as the verbs do, and for something that is no measurement.

    Example:
        >>> import numpy as np, qcsim
        >>> wanted = [qcsim.Probabilities([0]), qcsim.Expval(["X0 X1"])]
        >>> p, xx = qcsim.measure(qcsim.Circuit(2).ry(0).cnot(0, 1), np.array([np.pi / 2]), wanted)
        >>> p.round(3), xx.round(3)
        (array([0.5, 0.5]), array([1.]))
    """
    plan = make_plan(
        circuit, as_measurements(measurements), gradient, num_threads, method, trajectories, shots, seed, standard_error
    )
    return execute(plan, weights, amplitudes, features)


def vjp(
    circuit: Circuit,
    weights: Any = None,
    amplitudes: Any = None,
    features: Any = None,
    *,
    qubits: Sequence[int] | None = None,
    observables: Sequence[Observable] | None = None,
    gradient: str = "auto",
    method: str = "auto",
    trajectories: int = 1000,
    shots: int | None = None,
    seed: int | None = None,
    num_threads: int | None = None,
) -> tuple[Any, Callable[[Any], Gradients]]:
    """Outputs and the function that pulls a cotangent back to the inputs, on NumPy and CuPy arrays (torch users call
    backward).

    Args:
        circuit: what to run.
        weights: as for :func:`probabilities`.
        amplitudes: as for :func:`probabilities`.
        features: as for :func:`probabilities`.
        qubits: the qubits whose probabilities are the outputs; None: all.
        observables: if given, their expectations are the outputs instead.
        gradient: as for :func:`probabilities`.
        method: as for :func:`probabilities`.
        trajectories: as for :func:`probabilities`.
        shots: as for :func:`probabilities`.
        seed: as for :func:`probabilities`.
        num_threads: as for :func:`probabilities`.

    Returns:
        The outputs, and ``pullback(cotangent)`` which takes an array of their shape and returns the
        :class:`Gradients` of ``sum(cotangent * outputs)``, in the shapes of the inputs; of complex amplitudes
        ``dL/dRe + i dL/dIm``, as torch has it.

    Raises:
        ValueError: as :func:`probabilities`.
        TypeError: as :func:`probabilities`, and for torch tensors.

    Example:
        >>> import numpy as np, qcsim
        >>> outputs, pullback = qcsim.vjp(qcsim.Circuit(1).ry(0), np.array([0.3]), observables=["Z0"])
        >>> bool(np.isclose(pullback(np.array([1.0])).weights[0], -np.sin(0.3)))
        True
    """
    if any(is_torch(array) for array in (weights, amplitudes, features)):
        raise TypeError(
            "vjp takes NumPy and CuPy arrays; with torch tensors call probabilities or expval, then backward()"
        )
    if qubits is not None and observables is not None:
        raise ValueError("qubits and observables were both given; the outputs are one or the other")
    wanted = Probabilities(qubits) if observables is None else Expval(observables)
    plan = make_plan(circuit, (wanted,), gradient, num_threads, method, trajectories, shots, seed)
    weights, amplitudes, features = (
        let_in(name, array) for name, array in zip(Gradients._fields, (weights, amplitudes, features), strict=True)
    )
    given = operands(circuit, weights, amplitudes, features)
    # The pullback reads the angles again, and parameter shift, large states and what is drawn run the circuits again:
    # keep their inputs from change.
    again = plan.draws is not None or plan.gradient != "adjoint"
    again = again or circuit._compiled(plan.readings, given.complex_amplitudes, plan.method)[0].is_wide
    again = again or given.gpu is not None
    there = nullcontext if given.gpu is None else given.gpu.current
    with there():
        amplitudes_kept = _copied(given.amplitudes) if again else given.amplitudes
        features_kept = _copied(given.features)
        given = given._replace(weights=given.weights.copy(), features=features_kept, amplitudes=amplitudes_kept)
        outputs, pull = _kept(plan, given)
    shapes = [None if array is None else np.shape(array) for array in (weights, amplitudes, features)]

    def pullback(cotangent: Any) -> Gradients:
        if is_cupy(cotangent) and gpu_of(cotangent) != given.gpu:
            place = "the host" if given.gpu is None else outputs.device
            raise ValueError(f"the cotangent is on {cotangent.device}; the outputs are on {place}")
        with there():
            cotangent = row_major(cotangent, given.weights)
            expected = outputs.shape[1:] if given.single else outputs.shape
            if cotangent.shape != expected:
                raise ValueError(f"the cotangent has shape {cotangent.shape}; the outputs have {expected}")
            full = pull(cotangent.reshape(outputs.shape))
            return Gradients(*(_folded(array, shape) for array, shape in zip(full, shapes, strict=True)))

    return (outputs[0] if given.single else outputs), pullback


def _kept(plan: Plan, given: Operands) -> tuple[Any, Callable[[Any], tuple[Any, Any, Any]]]:
    """Outputs (B, K), and the function that gives the gradients of all inputs for a cotangent (B, K)."""
    if plan.draws is not None:
        return _drawn(plan, given)
    columns, call = forward(plan, given, keep=True)
    tables = plan.tables

    def pull(cotangent: Any) -> tuple[Any, Any, Any]:
        cotangent = row_major(as_read(plan.readings[0], cotangent, tables, transposed=True), given.weights)
        return backward(plan, given, call, cotangent, (True, True, True))

    return results_of(plan, columns)[0], pull


def _drawn(plan: Plan, given: Operands) -> tuple[Any, Callable[[Any], tuple[Any, Any, Any]]]:
    """The same of what is drawn at random, on the host."""
    from qcsim.estimate import estimation_of

    gpu = given.gpu
    if gpu is not None:
        given = gpu_run.on_host(given)
    estimation = estimation_of(plan, given)
    needed = (True, estimation.amplitudes_refused() is None, True)
    columns = estimation.columns(keep=True)
    if gpu is None:
        return columns, lambda cotangent: estimation.gradients(cotangent, needed)

    def pull(cotangent: Any) -> tuple[Any, Any, Any]:
        return gpu_run.moved(estimation.gradients(gpu.fetched(cotangent), needed), gpu)

    return gpu.moved(columns), pull


def _counted(outcomes: Any, width: int) -> dict[str, int]:
    found, often = np.unique(outcomes, return_counts=True)
    return {format(int(outcome), f"0{width}b"): int(n) for outcome, n in zip(found, often, strict=True)}


def _copied(array: Any) -> Any:
    return None if array is None else array.copy()


def _folded(array: Any, shape: tuple[int, ...] | None) -> Any:
    """A gradient in the shape of its input: summed over the batch where one row served all samples."""
    if array is None or shape is None:
        return None
    return array if array.shape == shape else array.sum(axis=0)
