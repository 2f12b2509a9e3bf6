"""Averages over trajectories: each is a pure state that meets one outcome of every channel, drawn at random. Called by
estimate.

Trajectories run in parts whose outputs stay below 128 MiB; the numbers do not depend on where a part ends. Gradients go
back through the very same trajectories where every channel is a mixture of unitaries with fixed probabilities; else the
choice of a branch depends on the angles, and the gradient is taken by the parameter-shift rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from qcsim import _core
from qcsim.arrays import Operands, address
from qcsim.estimate import NO_SHIFT, Array, Estimation, Needed, Shift, Slopes
from qcsim.measurements import DensityMatrix, Measurement, Reading, Samples, Variance
from qcsim.misreading import as_read
from qcsim.shots import samples
from qcsim.simulate import Plan, width
from qcsim.stopwatch import timed

_MEAN = 3  # what a stream is for, beside those of shots


class _Part(NamedTuple):
    """One reading: its columns of the engine's rows and of the result."""

    reading: Reading  # as the engine has it
    rows: slice
    columns: slice
    qubits: tuple[int, ...]  # of a density matrix


class Trajectories(Estimation):
    """Columns of a plan as means over trajectories."""

    def __init__(self, plan: Plan, given: Operands) -> None:
        super().__init__(plan, given)
        self.n = self.draws.trajectories
        self._parts, self._width = _parts(plan)
        self._spread: _Spread | None = None
        self._run: tuple[Array, Any] | None = None  # rows and call, where one part holds all trajectories

    def reading(self, place: int) -> Any:
        """What the columns of a measurement are: a density matrix, made of states that were read."""
        measurement = self.plan.measurements[place]
        if isinstance(measurement, DensityMatrix):
            return measurement.reading(self.plan.circuit, "density_matrix")
        return self.plan.readings[place]

    def columns(self, *, keep: bool = False) -> Array:
        """The estimates, (B, K)."""
        if not self._parts:
            return np.zeros((self.given.batch, 0), self.given.dtype)
        self._spread = _Spread(self.plan) if self.plan.standard_error else None
        keep = keep and not self._by_shift() and next(self._chunks(keep=True)) == (0, self.n)
        total = np.zeros((self.given.batch, self._width))
        for n, rows, call in self._runs((_MEAN, 0, 0), keep=keep):
            self._collect(rows, n, total, self._spread)
            if keep:
                self._run = rows, call
        return (total / self.n).astype(self.given.dtype)

    def errors(self, measurement: Measurement, columns: slice) -> Array:
        """Standard deviations over the N trajectories (sums of squares over N - 1), over the root of N."""
        assert self._spread is not None
        return np.sqrt(np.maximum(self._spread.variance(measurement, columns), 0.0) / self.n)

    def gradients(self, cotangent: Array, needed: Needed) -> Slopes:
        """Through the same trajectories where they are unbiased, else by the parameter-shift rule."""
        if not self._by_shift():
            return self._pathwise(cotangent, needed)
        compiled, _ = self._compiled()
        weights, _, features = self.zeros((needed[0], False, needed[2]))
        self.slopes(compiled, needed, self._difference(cotangent), (weights, features))
        if not needed[1] or not compiled.pathwise:
            return self.rounded((weights, None, features))
        amplitudes = self._pathwise(cotangent, (False, True, False))[1]
        weights, _, features = self.rounded((weights, None, features))
        return weights, amplitudes, features

    def samples(self, measurement: Samples) -> Array:
        """Outcomes (B, shots), each of a trajectory of its own."""
        return samples(self, measurement)

    def amplitudes_refused(self) -> str | None:
        """Why amplitudes have no gradient; None if they have one."""
        if self._parts and not self._compiled()[0].pathwise:
            return (
                f"{_NOT_PATHWISE}, and amplitudes have no other; use method 'density_matrix', or detach the amplitudes"
            )
        return None

    def _compiled(self) -> tuple[_core.Compiled, _core.Readout]:
        readings = tuple(part.reading for part in self._parts)
        return self.plan.circuit._compiled(readings, self.given.complex_amplitudes, "trajectories")

    def _by_shift(self) -> bool:
        pathwise = self._compiled()[0].pathwise
        if self.plan.gradient == "adjoint" and not pathwise:
            raise ValueError(_NOT_PATHWISE + "; the options are auto and parameter-shift")
        return self.plan.gradient == "parameter-shift" or not pathwise

    def _chunks(self, *, keep: bool = False) -> Iterator[tuple[int, int]]:
        """Parts of the trajectories; those that are kept for the way back are as large as their states."""
        columns = self._compiled()[1].n_outputs
        numbers = max(columns, 2 * 2**self.plan.circuit.n_qubits) if keep else columns
        return self.parts(self.n, numbers)

    def _runs(
        self, place: tuple[int, ...], shift: Shift = NO_SHIFT, *, keep: bool = False
    ) -> Iterator[tuple[int, Array, Any]]:
        """The trajectories of a stream, part by part: how many, their rows, and the call if kept."""
        seed = self.engine_seed(place)
        for first, n in self._chunks(keep=keep):
            rows, call = self.run(*self._compiled(), keep=keep, n=n, seed=seed, first=first, shift=shift)
            yield n, rows, call

    def _collect(self, rows: Array, n: int, total: Array, spread: _Spread | None = None) -> None:
        """Adds what a part of the trajectories measured."""
        for part in self._parts:
            table = rows.reshape(self.given.batch, n, rows.shape[1])[:, :, part.rows]
            if part.reading[0] == "statevector":
                total[:, part.columns] += _density_sum(table, part.qubits, self.plan.circuit.n_qubits)
                continue
            table = as_read(part.reading, table, self.plan.tables)
            total[:, part.columns] += table.sum(1, dtype=np.float64)
            if spread is not None:
                spread.add(part.columns, table)

    def _mean(self, place: tuple[int, ...], shift: Shift) -> Array:
        """The mean over the trajectories of a stream, (B, K) float64."""
        total = np.zeros((self.given.batch, self._width))
        for n, rows, _ in self._runs(place, shift):
            self._collect(rows, n, total)
        return total / self.n

    def _difference(self, cotangent: Array) -> Callable[[int, float], Array]:
        def difference(number: int, step: float) -> Array:
            plus, minus = (
                self._mean((_MEAN, 1 + number, side), (number, sign * step)) for side, sign in enumerate((1.0, -1.0))
            )
            found: Array = (cotangent * (plus - minus)).sum(1)
            return found

        return difference

    def _pathwise(self, cotangent: Array, needed: Needed) -> Slopes:
        """Back through the same trajectories: as kept, or drawn once more."""
        totals = self.zeros(needed)
        if self._run is not None:
            self._walk_back(cotangent, self.n, *self._run, totals)
        else:
            for n, rows, call in self._runs((_MEAN, 0, 0), keep=True):
                self._walk_back(cotangent, n, rows, call, totals)
        return self.rounded(totals)

    def _walk_back(self, cotangent: Array, n: int, rows: Array, call: Any, totals: Sequence[Any]) -> None:
        """Adds the gradients through a part of the trajectories."""
        arrays = (self.given.weights, self.given.amplitudes, self.given.features)
        into = [
            None if total is None else np.empty(array.shape, array.dtype)
            for total, array in zip(totals, arrays, strict=True)
        ]
        weights, amplitudes, features = map(address, into)
        timed(call.adjoint, self._pulled(cotangent, rows, n), amplitudes, weights, features, self.n_threads)
        for total, part in zip(totals, into, strict=True):
            if total is not None:
                total += part

    def _pulled(self, cotangent: Array, rows: Array, n: int) -> Array:
        """The cotangent of the engine's rows, (B * n, K)."""
        table = rows.reshape(self.given.batch, n, rows.shape[1])
        pulled = np.empty_like(table)
        for part in self._parts:
            given = cotangent[:, part.columns] / self.n
            if part.reading[0] == "statevector":
                psi = table[:, :, part.rows]
                pulled[:, :, part.rows] = _density_pulled(given, psi, part.qubits, self.plan.circuit.n_qubits)
                continue
            given = as_read(part.reading, given, self.plan.tables, transposed=True)
            pulled[:, :, part.rows] = given[:, None]
        return pulled.reshape(rows.shape)


_NOT_PATHWISE = (
    "the circuit has a channel whose branches depend on the state, and a gradient through drawn trajectories is biased"
)


def _parts(plan: Plan) -> tuple[list[_Part], int]:
    """The readings of all measurements but samples, and the number of columns of the result."""
    parts: list[_Part] = []
    row = column = 0
    for measurement, reading in zip(plan.measurements, plan.readings, strict=True):
        if isinstance(measurement, Samples):
            continue
        result, qubits = reading, ()
        if isinstance(measurement, DensityMatrix):
            result = measurement.reading(plan.circuit, "density_matrix")
            qubits = result[1]  # type: ignore[assignment]
        last_row, last = row + width(plan.circuit, reading), column + width(plan.circuit, result)
        parts.append(_Part(reading, slice(row, last_row), slice(column, last), qubits))
        row, column = last_row, last
    return parts, column


# Density matrices of states -------------------------------------------------------------------------------------------


def _blocks(table: Array, qubits: tuple[int, ...], n_qubits: int) -> Array:
    """States (B, N, 2 * 2^n) as (B, 2^k, N * rest), the measured qubits in front."""
    psi = np.ascontiguousarray(table).view(np.result_type(table.dtype, np.complex64))
    others = [qubit for qubit in range(n_qubits) if qubit not in qubits]
    axes = [0, *(2 + qubit for qubit in qubits), 1, *(2 + qubit for qubit in others)]
    split = psi.reshape(*psi.shape[:2], *(2,) * n_qubits).transpose(axes)
    return split.reshape(len(psi), 2 ** len(qubits), -1)


def _density_sum(table: Array, qubits: tuple[int, ...], n_qubits: int) -> Array:
    """The sum of the reduced density matrices of states, (B, 2 * 4^k)."""
    blocks = _blocks(table, qubits, n_qubits)
    density = (blocks @ blocks.conj().swapaxes(1, 2)).astype(np.complex128)
    return density.reshape(len(blocks), -1).view(np.float64)


def _density_pulled(cotangent: Array, table: Array, qubits: tuple[int, ...], n_qubits: int) -> Array:
    """The cotangent of the states, (B, N, 2 * 2^n), from that of their reduced density matrix, (B, 2 * 4^k)."""
    blocks = _blocks(table, qubits, n_qubits)
    side = 2 ** len(qubits)
    slope = np.ascontiguousarray(cotangent).view(np.result_type(cotangent.dtype, np.complex64)).reshape(-1, side, side)
    pulled = (slope + slope.conj().swapaxes(1, 2)) @ blocks
    others = [qubit for qubit in range(n_qubits) if qubit not in qubits]
    front = [0, *(2 + qubit for qubit in qubits), 1, *(2 + qubit for qubit in others)]
    shape = (len(table), *(2,) * len(qubits), table.shape[1], *(2,) * len(others))
    back = pulled.reshape(shape).transpose(np.argsort(front))
    return np.ascontiguousarray(back).reshape(*table.shape[:2], -1).view(table.dtype)


# Standard errors ------------------------------------------------------------------------------------------------------


class _Spread:
    """Sums of squares about the mean over trajectories that come in parts (Chan, Golub and LeVeque, 1983)."""

    def __init__(self, plan: Plan) -> None:
        self._pairs = {
            start: len(measurement.observables)
            for start, measurement in _starts(plan)
            if isinstance(measurement, Variance)
        }
        self._held: dict[int, tuple[int, Array, Array]] = {}  # by first column: number, means, sums of squares

    def add(self, columns: slice, table: Array) -> None:
        """Rows (B, N, K) of N more trajectories."""
        table = table.astype(np.float64)
        n_pairs = self._pairs.get(columns.start, 0)
        if n_pairs:  # sums tell how means and squares vary together
            table = np.concatenate([table, table[:, :, :n_pairs] + table[:, :, n_pairs:]], 2)
        n = table.shape[1]
        mean = table.mean(1)
        squares = np.square(table - mean[:, None]).sum(1)
        if columns.start in self._held:
            before, old, held = self._held[columns.start]
            step = mean - old
            squares += held + np.square(step) * (before * n / (before + n))
            mean, n = old + step * (n / (before + n)), before + n
        self._held[columns.start] = (n, mean, squares)

    def variance(self, measurement: Measurement, columns: slice) -> Array:
        """Of one trajectory, (B, K)."""
        n, mean, squares = self._held[columns.start]
        spread: Array = squares / (n - 1)
        if not isinstance(measurement, Variance):
            return spread
        k = len(measurement.observables)
        first, second, both = spread[:, :k], spread[:, k : 2 * k], spread[:, 2 * k :]
        slope = -2.0 * mean[:, :k]  # of <O^2> - <O>^2, to first order
        found: Array = second + slope * (both - first - second) + slope**2 * first
        return found


def _starts(plan: Plan) -> Iterator[tuple[int, Measurement]]:
    measured = [measurement for measurement in plan.measurements if not isinstance(measurement, Samples)]
    for part, measurement in zip(_parts(plan)[0], measured, strict=True):
        yield part.columns.start, measurement
