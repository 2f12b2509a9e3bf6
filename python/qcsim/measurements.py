"""What can be measured at the end of a circuit: values that name it, each knowing what the engine must read for it.

A measurement asks the engine for `readings`, columns of numbers side by side, and makes its result of them; misread
bits are in its terms where it measures observables, else in the columns that it is given. Called by verbs, simulate
and nn.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np

from qcsim import _core, gpu_run
from qcsim.array_kinds import is_torch, library
from qcsim.gpus import gpu_of
from qcsim.integers import integer
from qcsim.misreading import misread_terms
from qcsim.observables import Observable, as_key, parse_observables
from qcsim.pauli import PauliSum, Term

if TYPE_CHECKING:
    from qcsim.circuit import Circuit

Terms: TypeAlias = tuple[Term, ...]
# Outcomes of qubits, (B, 2^k); expectations, (B, number); the state as (real, imaginary, ...), (B, 2 * 2^n); the
# reduced density matrix of qubits row by row in the same way, (B, 2 * 4^k).
Reading: TypeAlias = (
    tuple[Literal["probabilities"], tuple[int, ...]]
    | tuple[Literal["expval"], tuple[Terms, ...]]
    | tuple[Literal["statevector"], None]
    | tuple[Literal["density"], tuple[int, ...]]
)


@dataclass(frozen=True)
class Probabilities:
    """Outcome probabilities of some qubits, (B, 2^k).

    Attributes:
        qubits: the k qubits, the first being the most significant bit of an outcome; None: all.

    Example:
        >>> import qcsim
        >>> qcsim.measure(qcsim.Circuit(2).h(0).x(1), None, [qcsim.Probabilities([1])])[0].round(3)
        array([0., 1.])
    """

    qubits: Sequence[int] | None = None

    def __post_init__(self) -> None:
        """Looks at the qubits, if they are named: the constructor is part of every call."""
        if self.qubits is not None:
            _keep_qubits(self)

    def reading(self, circuit: Circuit, method: str) -> Reading:
        """What the engine reads."""
        return "probabilities", _measured(circuit, self.qubits)

    def result(self, circuit: Circuit, columns: Any, method: str, n_threads: int = 0) -> Any:
        """The result from the columns that were read."""
        return columns


@dataclass(frozen=True)
class Expval:
    """Expectations of observables, (B, number of observables).

    Attributes:
        observables: Pauli words such as ``"Z0 X2"``, or weighted sums such as ``{"Z0 Z1": 0.5, "X0": -1.0}``.

    Example:
        >>> import qcsim
        >>> qcsim.measure(qcsim.Circuit(2).h(0).x(1), None, [qcsim.Expval(["X0", "X0 Z1"])])[0].round(3)
        array([ 1., -1.])
    """

    observables: Sequence[Observable]

    def reading(self, circuit: Circuit, method: str) -> Reading:
        """What the engine reads."""
        terms = parse_observables(self.observables, len(circuit.all_qubits))
        tables = circuit.noise_summary.tables
        return "expval", misread_terms(terms, tables) if tables else terms

    def result(self, circuit: Circuit, columns: Any, method: str, n_threads: int = 0) -> Any:
        """The result from the columns that were read."""
        return columns


@dataclass(frozen=True)
class Variance:
    """Variances ``<O^2> - <O>^2`` of observables, of the mixed state under noise, (B, number of observables).

    Attributes:
        observables: as for :class:`Expval`.

    Example:
        >>> import qcsim
        >>> qcsim.measure(qcsim.Circuit(1).ry(0, angle=0.5), None, [qcsim.Variance(["Z0"])])[0].round(3)  # sin^2
        array([0.23])
    """

    observables: Sequence[Observable]

    def reading(self, circuit: Circuit, method: str) -> Reading:
        """What the engine reads."""
        parse_observables(self.observables, circuit.n_qubits)
        terms = moments(as_key(self.observables), circuit.n_qubits)
        return "expval", misread_terms(terms, circuit.noise_summary.tables)

    def result(self, circuit: Circuit, columns: Any, method: str, n_threads: int = 0) -> Any:
        """The result from the columns that were read."""
        means, squares = columns[:, : len(self.observables)], columns[:, len(self.observables) :]
        return squares - means * means


@dataclass(frozen=True)
class Statevector:
    """The final state, (B, 2^n) complex, of a circuit without noise.

    Example:
        >>> import qcsim
        >>> qcsim.measure(qcsim.Circuit(1).sx(0), None, [qcsim.Statevector()])[0].round(3)
        array([0.5+0.5j, 0.5-0.5j])
    """

    def reading(self, circuit: Circuit, method: str) -> Reading:
        """What the engine reads."""
        if circuit.noise_summary.kind != "none":
            raise ValueError("a circuit with noise has no state vector; qcsim.density_matrix gives its state")
        if method != "statevector":
            raise ValueError(f"method is {method!r}; a state vector is read by 'statevector' alone")
        return "statevector", None

    def result(self, circuit: Circuit, columns: Any, method: str, n_threads: int = 0) -> Any:
        """The result from the columns that were read."""
        return _complex(columns)


@dataclass(frozen=True)
class DensityMatrix:
    """The density matrix of some qubits, the others traced out, (B, 2^k, 2^k) complex.

    Attributes:
        qubits: the k qubits, the first being the most significant bit of a row; None: all.

    Example:
        >>> import qcsim
        >>> bell = qcsim.Circuit(2).h(0).cnot(0, 1)
        >>> qcsim.measure(bell, None, [qcsim.DensityMatrix([1])])[0].real.round(3)
        array([[0.5, 0. ],
               [0. , 0.5]])
    """

    qubits: Sequence[int] | None = None

    def __post_init__(self) -> None:
        """Looks at the qubits, if they are named: the constructor is part of every call."""
        if self.qubits is not None:
            _keep_qubits(self)

    def reading(self, circuit: Circuit, method: str) -> Reading:
        """What the engine reads: of a pure state, or one of a closed form, the state itself."""
        qubits = _measured(circuit, self.qubits)
        check_qubits(qubits, circuit.n_qubits)
        return ("density", qubits) if method == "density_matrix" else ("statevector", None)

    def result(self, circuit: Circuit, columns: Any, method: str, n_threads: int = 0) -> Any:
        """The result from the columns that were read."""
        if method != "statevector":
            entries = _complex(columns)
            side = math.isqrt(entries.shape[1])
            return entries.reshape(entries.shape[0], side, side)
        qubits, n = _measured(circuit, self.qubits), circuit.n_qubits
        psi = _complex(columns)
        front = psi.reshape(psi.shape[0], *(2,) * n)
        order = (0, *(1 + qubit for qubit in qubits), *(1 + q for q in range(n) if q not in qubits))
        front = front.permute(order) if is_torch(front) else front.transpose(order)
        front = front.reshape(psi.shape[0], 2 ** len(qubits), 2 ** (n - len(qubits)))
        pure = front @ front.conj().swapaxes(1, 2)
        retained = circuit.noise_summary.retained
        return pure if retained == 1.0 else retained * pure + (1.0 - retained) * _mixed(pure)


@dataclass(frozen=True)
class Samples:
    """Measurement outcomes drawn from the probabilities, (B, shots) integers.

    Attributes:
        shots: draws per sample.
        seed: the same seed gives the same draws, whatever the number of threads; None: a fresh one each time.
        qubits: as for :class:`Probabilities`.

    Example:
        >>> import qcsim
        >>> qcsim.measure(qcsim.Circuit(2).x(1), None, [qcsim.Samples(shots=3, seed=0)])[0]
        array([1, 1, 1])
    """

    shots: int
    seed: int | None = None
    qubits: Sequence[int] | None = None

    def __post_init__(self) -> None:
        """Looks at the qubits, if they are named: the constructor is part of every call."""
        if self.qubits is not None:
            _keep_qubits(self)

    def reading(self, circuit: Circuit, method: str) -> Reading:
        """What the engine reads."""
        if integer("shots", self.shots, "1..2147483647") < 1:
            raise ValueError(f"shots is {self.shots}; it must be 1 or more")
        if self.seed is not None and integer("seed", self.seed, "0..2147483647") < 0:
            raise ValueError(f"seed is {self.seed}; it must be 0 or more")
        return "probabilities", _measured(circuit, self.qubits)

    def result(self, circuit: Circuit, columns: Any, method: str, n_threads: int = 0) -> Any:
        """The result from the columns that were read."""
        if gpu_of(columns) is not None:
            return gpu_run.drawn(columns, self.shots, self.seed)
        from_torch = is_torch(columns)
        table = columns.detach().numpy() if from_torch else columns
        uniform = np.random.Generator(np.random.Philox(self.seed)).random((len(table), self.shots))
        drawn = outcomes(table, uniform, n_threads)
        return sys.modules["torch"].from_numpy(drawn) if from_torch else drawn


@lru_cache(maxsize=256)
def moments(observables: tuple[str | PauliSum, ...], n_qubits: int) -> tuple[Terms, ...]:
    """The terms of each O, then of each O^2. A multiple of the identity has no variance, and would drown the rest."""
    sums = [PauliSum({word: c for word, c in PauliSum(each).items() if word != "I"}) for each in observables]
    return parse_observables([*sums, *(each * each for each in sums)], n_qubits)


Measurement: TypeAlias = Probabilities | Expval | Variance | Statevector | DensityMatrix | Samples
MEASUREMENTS = (Probabilities, Expval, Variance, Statevector, DensityMatrix, Samples)


def outcomes(probabilities: Any, uniform: Any, n_threads: int) -> Any:
    """Outcomes (B, shots) int64 of laws (B, 2^k) and numbers (B, shots) drawn evenly from 0..1."""
    table = np.ascontiguousarray(probabilities)
    drawn = np.empty(uniform.shape, np.int64)
    draw = _core.draw_float32 if table.dtype == np.float32 else _core.draw_float64
    draw(len(table), table, uniform.ctypes.data, drawn.ctypes.data, uniform.shape[1], n_threads)
    return drawn


def _complex(columns: Any) -> Any:
    """Numbers that alternate as real and imaginary parts."""
    if not is_torch(columns):
        return library(columns).ascontiguousarray(columns).view(np.result_type(columns.dtype, np.complex64))
    parts = columns.unflatten(1, (-1, 2))  # beside other results they may lie where no complex number can
    return sys.modules["torch"].complex(parts[..., 0], parts[..., 1])


def _mixed(like: Any) -> Any:
    """The completely mixed state, of the size and kind of another."""
    side = like.shape[-1]
    if not is_torch(like):
        return library(like).eye(side, dtype=like.dtype) / side
    return sys.modules["torch"].eye(side, dtype=like.dtype, device=like.device) / side


def as_measurements(measurements: Iterable[Measurement]) -> tuple[Measurement, ...]:
    """What a caller listed, each still to be checked.

    Raises:
        TypeError: for a single measurement, text and what else is no list.
    """
    if not isinstance(measurements, Iterable) or isinstance(measurements, (str, Mapping)):
        raise TypeError(f"measurements is {measurements!r}; it must be a list of measurements such as "
                        "[qcsim.Probabilities(), qcsim.Expval(['Z0'])]")  # fmt: skip
    return tuple(measurements)


def check_qubits(qubits: tuple[int, ...], n_qubits: int) -> None:
    """Measured qubits: one or more, different, 0..n-1.

    Raises:
        ValueError: otherwise.
    """
    if not qubits:
        raise ValueError("no qubit is measured; name at least one")
    for qubit in qubits:
        if not 0 <= qubit < n_qubits:
            raise ValueError(f"measured qubit {qubit} is outside 0..{n_qubits - 1} for a {n_qubits}-qubit circuit")
        if qubits.count(qubit) > 1:
            raise ValueError(f"qubit {qubit} is measured twice")


def _keep_qubits(measurement: Probabilities | DensityMatrix | Samples) -> None:
    """An iterator as a tuple: qubits are read more than once."""
    if isinstance(measurement.qubits, Iterator):
        object.__setattr__(measurement, "qubits", tuple(measurement.qubits))


def _measured(circuit: Circuit, qubits: Sequence[int] | None) -> tuple[int, ...]:
    if qubits is None:
        return circuit.all_qubits
    if not isinstance(qubits, Iterable):
        raise TypeError(f"qubits is {qubits!r}; it must be a list of qubits such as [0, 1]")
    return tuple(integer("a measured qubit", qubit, f"0..{circuit.n_qubits - 1}") for qubit in qubits)
