"""The verbs of the simulator on NumPy arrays and torch tensors: probabilities, expval, and vjp for gradients by hand.

B is the batch, n the qubits, P the weights, D the amplitudes, K the outputs. torch tensors go to autograd.py.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from qcsim import _core
from qcsim.arrays import ABSENT, Operands, address, empty_array, is_torch, operands, run_function
from qcsim.circuit import Circuit
from qcsim.integers import integer
from qcsim.observables import z_products
from qcsim.stopwatch import timed

GRADIENTS = ("adjoint", "parameter-shift")


class Gradients(NamedTuple):
    """Gradients in the shapes of what they belong to; None where the circuit has no such input."""

    weights: Any
    amplitudes: Any
    features: Any


class Plan(NamedTuple):
    """What a call computes, apart from its arrays."""

    circuit: Circuit
    readout: _core.Readout
    gradient: str
    num_threads: int | None
    reading: tuple[str, Any]  # the readout in words, for differentiable.py


def probabilities(
    circuit: Circuit,
    weights: Any = None,
    amplitudes: Any = None,
    features: Any = None,
    *,
    qubits: Sequence[int] | None = None,
    gradient: str = "adjoint",
    num_threads: int | None = None,
) -> Any:
    """Probabilities of the measurement outcomes, ``p(z) = |<z|U(weights)|x>|^2``.

    Args:
        circuit: what to run.
        weights: (P,) angles in radians shared by the batch, or (B, P) per sample; float32 or float64.
        amplitudes: (B, D) or (D,) with D <= 2^n, if the circuit embeds amplitudes: zero-padded at the tail and
            normalised; any norm above zero.
        features: (B, F) or (F,) per-sample angles in radians, if the circuit has features.
        qubits: the qubits to measure, the first being the most significant bit of an outcome; None: all.
        gradient: ``"adjoint"`` or ``"parameter-shift"`` (the same numbers at the cost of two circuits a rotation),
            for torch's backward pass; gradients of amplitudes are always taken by the adjoint method.
        num_threads: threads to use; None: torch's setting if torch is loaded, else the environment variable
            QCSIM_NUM_THREADS, else all.

    Returns:
        (B, 2^k) outcome probabilities of the k measured qubits, or (2^k,) if no argument has a batch axis; kind, dtype
        and device of the arguments.

    Raises:
        ValueError: for a wrong shape, a dtype other than float32 and float64, a number that is not finite, amplitudes
            that are all zero, or an unknown option.
        TypeError: for something that is no array.

    Example:
        >>> import numpy as np, qcsim
        >>> qcsim.probabilities(qcsim.Circuit(2).ry(0).cnot(0, 1), np.array([np.pi / 2])).round(3)
        array([0.5, 0. , 0. , 0.5])
    """
    plan = make_plan(circuit, qubits, None, gradient, num_threads)
    return execute(plan, weights, amplitudes, features)


def expval(
    circuit: Circuit,
    weights: Any = None,
    observables: Sequence[str] = ("Z0",),
    amplitudes: Any = None,
    features: Any = None,
    *,
    gradient: str = "adjoint",
    num_threads: int | None = None,
) -> Any:
    """Expectations of products of Z, ``<psi|Z_i Z_j ...|psi>``.

    Args:
        circuit: what to run.
        weights: as for :func:`probabilities`.
        observables: products such as ``"Z0"`` and ``"Z0 Z1"``.
        amplitudes: as for :func:`probabilities`.
        features: as for :func:`probabilities`.
        gradient: as for :func:`probabilities`.
        num_threads: as for :func:`probabilities`.

    Returns:
        (B, len(observables)) numbers in [-1, 1], or (len(observables),) if no argument has a batch axis.

    Raises:
        ValueError: as :func:`probabilities`, and for an observable that this version does not measure.
        TypeError: as :func:`probabilities`.

    Example:
        >>> import numpy as np, qcsim
        >>> qcsim.expval(qcsim.Circuit(2).ry(0).cnot(0, 1), np.array([np.pi / 3]), ["Z0", "Z0 Z1"]).round(3)
        array([0.5, 1. ])
    """
    if observables is None:
        raise TypeError("observables is None; it must be a list of text such as ['Z0', 'Z0 Z1']")
    plan = make_plan(circuit, None, observables, gradient, num_threads)
    return execute(plan, weights, amplitudes, features)


def vjp(
    circuit: Circuit,
    weights: Any = None,
    amplitudes: Any = None,
    features: Any = None,
    *,
    qubits: Sequence[int] | None = None,
    observables: Sequence[str] | None = None,
    gradient: str = "adjoint",
    num_threads: int | None = None,
) -> tuple[Any, Callable[[Any], Gradients]]:
    """Outputs and the function that pulls a cotangent back to the inputs, on NumPy arrays (torch users call backward).

    Args:
        circuit: what to run.
        weights: as for :func:`probabilities`.
        amplitudes: as for :func:`probabilities`.
        features: as for :func:`probabilities`.
        qubits: the qubits whose probabilities are the outputs; None: all.
        observables: if given, their expectations are the outputs instead.
        gradient: as for :func:`probabilities`.
        num_threads: as for :func:`probabilities`.

    Returns:
        The outputs, and ``pullback(cotangent)`` which takes an array of their shape and returns the
        :class:`Gradients` of ``sum(cotangent * outputs)``, in the shapes of the inputs.

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
        raise TypeError("vjp takes NumPy arrays; with torch tensors call probabilities or expval, then backward()")
    plan = make_plan(circuit, qubits, observables, gradient, num_threads)
    given = operands(circuit, weights, amplitudes, features)
    # The pullback reads the angles again, and parameter shift runs the circuits again: keep their inputs from change.
    amplitudes_kept = given.amplitudes if gradient == "adjoint" else _copied(given.amplitudes)
    given = given._replace(weights=given.weights.copy(), features=_copied(given.features), amplitudes=amplitudes_kept)
    outputs, call = forward(plan, given, keep=True)
    shapes = [None if array is None else np.shape(array) for array in (weights, amplitudes, features)]

    def pullback(cotangent: Any) -> Gradients:
        cotangent = np.ascontiguousarray(cotangent, dtype=given.dtype)
        expected = outputs.shape[1:] if given.single else outputs.shape
        if cotangent.shape != expected:
            raise ValueError(f"the cotangent has shape {cotangent.shape}; the outputs have {expected}")
        full = backward(plan, given, call, cotangent.reshape(outputs.shape), (True, True, True))
        return Gradients(*(_folded(array, shape) for array, shape in zip(full, shapes, strict=True)))

    return (outputs[0] if given.single else outputs), pullback


# Inside: used by autograd.py and nn.py too ----------------------------------------------------------------------------


def make_plan(
    circuit: Circuit,
    qubits: Sequence[int] | None,
    observables: Sequence[str] | None,
    gradient: str,
    num_threads: int | None,
    *,
    statevector: bool = False,
) -> Plan:
    """Check the options of a call."""
    if statevector:
        raise ValueError(
            "this version reads probabilities and products of Z from the final state, not the state itself"
        )
    if not isinstance(circuit, Circuit):
        raise TypeError(f"circuit is {circuit!r} of type {type(circuit).__name__}; it must be a qcsim.Circuit")
    if gradient not in GRADIENTS:
        raise ValueError(f"gradient is {gradient!r}; the options are {', '.join(GRADIENTS)}")
    if num_threads is not None and integer("num_threads", num_threads, "1 or more") < 1:
        raise ValueError(f"num_threads is {num_threads}; it must be 1 or more")
    products = None if observables is None else z_products(observables)
    measured = None if qubits is None else _measured(circuit, qubits)
    if products is not None and measured is not None:
        raise ValueError("qubits and observables were both given; the outputs are one or the other")
    return Plan(circuit, circuit.readout(measured, products), gradient, num_threads, _in_words(measured, products))


def execute(plan: Plan, weights: Any, amplitudes: Any, features: Any) -> Any:
    """Outputs of a call, without a batch axis if no argument has one; torch tensors remember how they were made."""
    given = operands(plan.circuit, weights, amplitudes, features)
    if isinstance(given.weights, np.ndarray):
        outputs, _ = forward(plan, given, keep=False)
    else:
        from qcsim.autograd import run

        outputs = run(plan, given)
    return outputs[0] if given.single else outputs


def _in_words(measured: tuple[int, ...] | None, products: tuple[tuple[int, ...], ...] | None) -> tuple[str, Any]:
    if products is None:
        return "probabilities", measured
    return "expval", tuple(((1.0, tuple((qubit, "Z") for qubit in product)),) for product in products)


def _measured(circuit: Circuit, qubits: Sequence[int]) -> tuple[int, ...]:
    if not isinstance(qubits, Iterable):
        raise TypeError(f"qubits is {qubits!r}; it must be a list of qubits such as [0, 1]")
    return tuple(integer("a measured qubit", qubit, f"0..{circuit.n_qubits - 1}") for qubit in qubits)


def forward(plan: Plan, given: Operands, *, keep: bool) -> tuple[Any, Any]:
    """Outputs (B, K) and, with ``keep``, the engine's call for the gradients."""
    outputs = empty_array(given.weights, (given.batch, plan.readout.n_outputs))
    call = timed(
        run_function(given.dtype),
        plan.circuit.compiled(),
        plan.readout,
        given.batch,
        address(given.amplitudes),
        address(given.weights, shared=given.weights.ndim == 1),
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
            timed(call.parameter_shift, given_back, ABSENT, into_weights, into_features, n_threads)
        into_weights = into_features = ABSENT
    if amplitudes is not None or into_weights != ABSENT or into_features != ABSENT:
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


def _copied(array: Any) -> Any:
    return None if array is None else array.copy()


def _folded(array: Any, shape: tuple[int, ...] | None) -> Any:
    """A gradient in the shape of its input: summed over the batch where one row served all samples."""
    if array is None or shape is None:
        return None
    return array if array.shape == shape else array.sum(axis=0)
