"""Results from finite shots, as a device gives them. Called by estimate.

Probabilities are frequencies. Words that agree qubit by qubit are measured together, in one basis: the circuit with a
change of basis behind it is run, its outcomes are drawn ``shots`` times, and an expectation is their sample mean. With
the method of trajectories each shot has a trajectory of its own. Standard errors are those of sample means, from the
draws themselves: sqrt((<v^2> - <v>^2) / shots) of what an outcome is worth, v, and so sqrt(f (1 - f) / shots) of a
frequency f; settings are independent, and their squares add.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from functools import reduce
from typing import Any, NamedTuple

import numpy as np

from qcsim.arrays import Operands
from qcsim.circuit import Circuit
from qcsim.estimate import NO_SHIFT, Array, Estimation, Needed, Place, Shift, Slopes, chunks, fresh_seed
from qcsim.measurements import Expval, Measurement, Probabilities, Samples, Terms, Variance, moments, outcomes
from qcsim.misreading import misread
from qcsim.observables import as_key, parse_observables
from qcsim.pauli import Word
from qcsim.simulate import Plan

_SHOTS, _SAMPLES, _TRAJECTORY = 0, 1, 2  # what a stream is for


class Setting(NamedTuple):
    """What is measured at once.

    Attributes:
        circuit: the circuit with the change of basis behind it.
        qubits: those that are read.
        columns: of the result, to which the outcomes contribute.
        values: what an outcome is worth in each of these columns, (2^k, number); None: itself, for frequencies.
    """

    circuit: Circuit
    qubits: tuple[int, ...]
    columns: Array
    values: Array | None

    def means(self, counts: Array, shots: int) -> Array:
        """Sample means of its columns, (B, number)."""
        frequencies = counts / shots
        return frequencies if self.values is None else frequencies @ self.values


class Shots(Estimation):
    """Columns of a plan from finite shots."""

    def __init__(self, plan: Plan, given: Operands) -> None:
        super().__init__(plan, given)
        assert plan.draws is not None
        assert plan.draws.shots is not None
        self.shots: int = plan.draws.shots
        self.settings, self.constants = settings_of(plan)
        self._counts: list[Array] = []

    def columns(self, *, keep: bool = False) -> Array:
        """The estimates, (B, K); their gradients need nothing of this run."""
        found = np.tile(self.constants, (self.given.batch, 1))
        self._counts = []
        for place, setting in enumerate(self.settings):
            counts = self._draw(setting, (_SHOTS, place, 0, 0))
            found[:, setting.columns] += setting.means(counts, self.shots)
            if self.plan.standard_error:
                self._counts.append(counts)
        self._found = found
        return found.astype(self.given.dtype)

    def errors(self, measurement: Measurement, columns: slice) -> Array:
        """The standard errors of a measurement's result."""
        variance = np.zeros((self.given.batch, columns.stop - columns.start))
        for setting, counts in zip(self.settings, self._counts, strict=True):
            variance += _scattered(setting, counts / self.shots, measurement, columns, self._found)
        if isinstance(measurement, Variance):
            variance = variance[:, : len(measurement.observables)]
        return np.sqrt(np.maximum(variance, 0.0) / self.shots)

    def gradients(self, cotangent: Array, needed: Needed) -> Slopes:
        """By the parameter-shift rule, each shifted circuit measured with shots of its own."""
        weights, _, features = self.zeros((needed[0], False, needed[2]))
        for place, setting in enumerate(self.settings):
            compiled = self._compiled(setting)[0]
            part = cotangent[:, setting.columns]
            difference = self._difference(setting, place, part)
            self.slopes(compiled, needed, difference, (weights, features))
        return self.rounded((weights, None, features))

    def samples(self, measurement: Samples) -> Array:
        """Outcomes (B, shots) of a measurement with shots of its own."""
        return samples(self, measurement)

    def amplitudes_refused(self) -> str | None:
        """Why amplitudes have no gradient."""
        return "shots give no gradient of amplitudes, which are no angles; leave shots out, or detach the amplitudes"

    def _compiled(self, setting: Setting) -> tuple[Any, Any]:
        reading = ("probabilities", setting.qubits)
        return setting.circuit.compiled((reading,), self.given.complex_amplitudes, self.plan.method)  # type: ignore[arg-type]

    def _difference(self, setting: Setting, place: int, cotangent: Array) -> Callable[[int, float], Array]:
        def difference(number: int, step: float) -> Array:
            sides = []
            for side, sign in enumerate((1.0, -1.0)):
                counts = self._draw(setting, (_SHOTS, place, 1 + number, side), (number, sign * step))
                sides.append(setting.means(counts, self.shots))
            found: Array = (cotangent * (sides[0] - sides[1])).sum(1)
            return found

        return difference

    def _draw(self, setting: Setting, place: Place, shift: Shift = NO_SHIFT) -> Array:
        """How often each outcome came, (B, 2^k)."""
        compiled, readout = self._compiled(setting)
        if self.plan.method == "trajectories":
            return self._draw_trajectories(setting, place, shift)
        law, _ = self.run(compiled, readout, shift=shift)
        law = np.maximum(misread(law.astype(np.float64), setting.qubits, self.plan.tables), 0.0)
        law /= law.sum(1, keepdims=True)
        found: Array = self.stream(place).multinomial(self.shots, law)
        return found

    def _draw_trajectories(self, setting: Setting, place: Place, shift: Shift) -> Array:
        size = 2 ** len(setting.qubits)
        counts = np.zeros(self.given.batch * size, np.int64)
        rows = np.arange(self.given.batch)[:, None] * size
        way = self._compiled(setting)
        for drawn in outcomes_of_trajectories(self, way, setting.qubits, self.shots, place, shift):
            counts += np.bincount((rows + drawn).ravel(), minlength=len(counts))
        return counts.reshape(self.given.batch, size)


# Outcomes -------------------------------------------------------------------------------------------------------------


def samples(estimation: Estimation, measurement: Samples) -> Array:
    """Outcomes (B, shots) of a measurement that says its own shots and seed."""
    plan, given = estimation.plan, estimation.given
    reading = measurement.reading(plan.circuit, plan.method)
    qubits: Any = reading[1]
    way = plan.circuit.compiled((reading,), given.complex_amplitudes, plan.method)
    tables = plan.tables
    if plan.method != "trajectories":
        law, _ = estimation.run(*way)
        found: Array = measurement.result(plan.circuit, misread(law, qubits, tables), plan.method, estimation.n_threads)
        return found
    seeded = copy.copy(estimation)
    seeded.seed = (fresh_seed(),) if measurement.seed is None else (int(measurement.seed),)
    drawn = outcomes_of_trajectories(seeded, way, qubits, measurement.shots, (_SAMPLES, 0, 0, 0), NO_SHIFT)
    return np.concatenate([*drawn], axis=1)


def outcomes_of_trajectories(
    estimation: Estimation, way: tuple[Any, Any], qubits: tuple[int, ...], shots: int, place: Place, shift: Shift
) -> Iterable[Array]:
    """Outcomes (B, part of the shots), one of each trajectory, part after part."""
    batch, dtype = estimation.given.batch, np.dtype(estimation.given.dtype)
    tables = estimation.plan.tables
    uniform = estimation.stream(place)
    seed = estimation.engine_seed((_TRAJECTORY, *place))
    for first, n in chunks(shots, batch * 2 ** len(qubits) * dtype.itemsize):
        rows, _ = estimation.run(*way, n=n, seed=seed, first=first, shift=shift)
        # In the order of the shots, so that the numbers do not depend on where a part ends.
        even = np.ascontiguousarray(uniform.random((n, batch)).T).reshape(-1, 1)
        yield outcomes(misread(rows, qubits, tables), even, estimation.n_threads).reshape(batch, n)


# Settings -------------------------------------------------------------------------------------------------------------


def settings_of(plan: Plan) -> tuple[list[Setting], Array]:
    """What is measured at once for each measurement but samples, and what the columns are before anything is drawn."""
    settings: list[Setting] = []
    constants: list[float] = []
    for measurement, reading in zip(plan.measurements, plan.readings, strict=True):
        first = len(constants)
        if isinstance(measurement, Probabilities):
            qubits: Any = reading[1]
            columns = np.arange(first, first + 2 ** len(qubits))
            settings.append(Setting(plan.circuit, qubits, columns, None))
            constants += [0.0] * len(columns)
        elif not isinstance(measurement, Samples):
            observables = _observables(measurement, plan.circuit.n_qubits)
            settings += _of_words(plan.circuit, observables, first)
            constants += [sum(c for c, word in terms if not word) for terms in observables]
    return settings, np.array(constants, np.float64)


def _observables(measurement: Measurement, n_qubits: int) -> tuple[Terms, ...]:
    """As they stand: misread bits are in what is drawn."""
    if isinstance(measurement, Variance):
        return moments(as_key(measurement.observables), n_qubits)
    assert isinstance(measurement, Expval)
    return parse_observables(measurement.observables, n_qubits)


def grouped(words: Iterable[Word]) -> list[tuple[dict[int, str], list[Word]]]:
    """Words that agree qubit by qubit, each put into the first group where it fits: bases and words."""
    groups: list[tuple[dict[int, str], list[Word]]] = []
    for word in words:
        for basis, members in groups:
            if all(basis.get(qubit, letter) == letter for qubit, letter in word):
                basis.update(word)
                members.append(word)
                break
        else:
            groups.append((dict(word), [word]))
    return groups


def _of_words(circuit: Circuit, observables: tuple[Terms, ...], first: int) -> list[Setting]:
    settings = []
    words = dict.fromkeys(word for terms in observables for _, word in terms if word)
    for basis, members in grouped(words):
        qubits = tuple(sorted(basis))
        held = [k for k, terms in enumerate(observables) if any(word in members for _, word in terms)]
        worth = np.zeros((2 ** len(qubits), len(held)))
        for column, k in enumerate(held):
            for coefficient, word in observables[k]:
                if word in members:
                    worth[:, column] += coefficient * _signs(word, qubits)
        settings.append(Setting(_turned(circuit, basis), qubits, first + np.array(held), worth))
    return settings


def _signs(word: Word, qubits: tuple[int, ...]) -> Array:
    """The product of +1 (bit 0) and -1 (bit 1) over the qubits of a word, for each outcome."""
    on = {qubit for qubit, _ in word}
    factors = ([1.0, -1.0] if qubit in on else [1.0, 1.0] for qubit in qubits)
    return reduce(np.kron, factors, np.ones(1))


def _turned(circuit: Circuit, basis: dict[int, str]) -> Circuit:
    """The circuit with X and Y turned onto Z behind it."""
    if all(letter == "Z" for letter in basis.values()):
        return circuit
    turned = circuit.copy()
    for qubit, letter in basis.items():
        if letter == "Y":
            turned.sdg(qubit)
        if letter != "Z":
            turned.h(qubit)
    return turned


# Standard errors ------------------------------------------------------------------------------------------------------


def _scattered(setting: Setting, frequencies: Array, measurement: Measurement, columns: slice, found: Array) -> Array:
    """What one setting adds to the variance of an outcome's worth in each column, (B, number of columns)."""
    variance = np.zeros((len(frequencies), columns.stop - columns.start))
    held = {int(k) - columns.start: j for j, k in enumerate(setting.columns) if columns.start <= k < columns.stop}
    if setting.values is None:
        return frequencies * (1.0 - frequencies) if held else variance
    n = len(measurement.observables) if isinstance(measurement, Variance) else 0

    def spread(first: int | None, second: int | None) -> Any:
        """The covariance of two columns' worth; None: worth nothing here."""
        if first is None or second is None:
            return 0.0
        a, b = setting.values[:, first], setting.values[:, second]  # type: ignore[index]
        return frequencies @ (a * b) - (frequencies @ a) * (frequencies @ b)

    for k in range(n or variance.shape[1]):
        mean, square = held.get(k), held.get(k + n)
        if n:  # of <O^2> - <O>^2, to first order
            slope = -2.0 * found[:, columns.start + k]
            variance[:, k] = spread(square, square) + 2 * slope * spread(square, mean) + slope**2 * spread(mean, mean)
        else:
            variance[:, k] = spread(mean, mean)
    return variance
