"""Results from finite shots, as a device gives them. Called by estimate.

Probabilities are frequencies. Words that agree qubit by qubit are measured together, in one basis: the circuit with a
change of basis behind it is run, its outcomes are drawn ``shots`` times, and an expectation is their sample mean. With
the method of trajectories each shot has a trajectory of its own. Standard errors are those of sample means, from the
draws themselves: sqrt((<v^2> - <v>^2) / shots) of what an outcome is worth, v, and so sqrt(f (1 - f) / shots) of a
frequency f; settings are independent, and their squares add.

The batch is cut into blocks that hold some 2^21 numbers of each kind, each with random streams of its own. The size of
a block follows from the circuit and the shots alone, and so do the numbers.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from qcsim.arrays import Operands
from qcsim.estimate import NO_SHIFT, Array, Estimation, Needed, Place, Shift, Slopes, fresh_seed
from qcsim.measurements import Measurement, Samples, outcomes
from qcsim.misreading import misread, misread_outcomes
from qcsim.settings import Setting, settings_of
from qcsim.simulate import Plan
from qcsim.tally import Spreads, Tally, counted

_SHOTS, _SAMPLES, _TRAJECTORY = 0, 1, 2  # what a stream is for


class Shots(Estimation):
    """Columns of a plan from finite shots."""

    def __init__(self, plan: Plan, given: Operands) -> None:
        super().__init__(plan, given)
        assert plan.draws is not None
        assert plan.draws.shots is not None
        self.shots: int = plan.draws.shots
        self.settings, self.constants, self._squares = settings_of(plan)

    def columns(self, *, keep: bool = False) -> Array:
        """The estimates, (B, K); their gradients need nothing of this run."""
        found = np.empty((self.given.batch, len(self.constants)), self.given.dtype)
        self._spreads = Spreads(self.given.batch, self._squares) if self.plan.standard_error else None
        for number, (rows, block) in enumerate(self._blocks()):
            total = np.tile(self.constants, (block.given.batch, 1))
            for place, setting in enumerate(self.settings):
                tally = block.draw(setting, (_SHOTS, place, 0, 0, number))
                total[:, setting.columns] += tally.means(setting)
                if self._spreads is not None:
                    self._spreads.add(setting, tally, rows)
            found[rows] = total
        self._found = found
        return found

    def errors(self, measurement: Measurement, columns: slice) -> Array:
        """The standard errors of a measurement's result."""
        assert self._spreads is not None
        return np.sqrt(np.maximum(self._spreads.variance(measurement, columns, self._found), 0.0) / self.shots)

    def gradients(self, cotangent: Array, needed: Needed) -> Slopes:
        """By the parameter-shift rule, each shifted circuit measured with shots of its own."""
        weights, _, features = self.zeros((needed[0], False, needed[2]))
        for place, setting in enumerate(self.settings):
            compiled = self._compiled(setting)[0]
            difference = self._difference(setting, place, cotangent[:, setting.columns])
            self.slopes(compiled, needed, difference, (weights, features))
        return self.rounded((weights, None, features))

    def samples(self, measurement: Samples) -> Array:
        """Outcomes (B, shots) of a measurement with shots of its own."""
        return samples(self, measurement)

    def amplitudes_refused(self) -> str | None:
        """Why amplitudes have no gradient."""
        return "shots give no gradient of amplitudes, which are no angles; leave shots out, or detach the amplitudes"

    def draw(self, setting: Setting, place: Place, shift: Shift = NO_SHIFT) -> Tally:
        """What the shots gave: single outcomes, or how often each came where shots are many against outcomes."""
        size = setting.size
        many = self.shots >= size  # binomials of all outcomes (NumPy's multinomial) cost less than single draws
        if self.plan.method == "trajectories":
            way = self._compiled(setting)
            parts = outcomes_of_trajectories(self, way, setting.qubits, self.shots, place, shift)
            if many:
                return Tally(np.arange(size), sum(counted(part, size) for part in parts), self.shots)  # type: ignore[arg-type]
            return Tally(np.concatenate([*parts], axis=1), None, self.shots)
        law = self._law(setting, shift)
        if many:
            law = misread(law.astype(np.float64), setting.qubits, self.plan.tables)
            law /= law.sum(1, keepdims=True)
            return Tally(np.arange(size), self.stream((*place, 0)).multinomial(self.shots, law), self.shots)
        drawn = outcomes(law, self._rising(place), self.n_threads)
        return Tally(self._misread(drawn, setting.qubits, place), None, self.shots)

    def _compiled(self, setting: Setting) -> tuple[Any, Any]:
        reading = ("probabilities", setting.qubits)
        return setting.circuit._compiled((reading,), self.given.complex_amplitudes, self.plan.method)  # type: ignore[arg-type]

    def _blocks(self) -> Iterator[tuple[slice, Shots]]:
        return self.blocks(max([setting.size for setting in self.settings], default=1))

    def _difference(self, setting: Setting, place: int, cotangent: Array) -> Callable[[int, float], Array]:
        def difference(number: int, step: float) -> Array:
            found = np.empty(self.given.batch)
            for count, (rows, block) in enumerate(self._blocks()):
                plus, minus = (
                    block.draw(setting, (_SHOTS, place, 1 + number, side, count), (number, sign * step)).means(setting)
                    for side, sign in enumerate((1.0, -1.0))
                )
                found[rows] = (cotangent[rows] * (plus - minus)).sum(1)
            return found

        return difference

    def _law(self, setting: Setting, shift: Shift) -> Array:
        """Of the bits before they are misread, (B, 2^k)."""
        law, _ = self.run(*self._compiled(setting), shift=shift)
        # Rounding leaves the diagonal of a density matrix a little below 0.
        return np.maximum(law, 0.0, out=law) if self.plan.method == "density_matrix" else law

    def _rising(self, place: Place) -> Array:
        """Even numbers of 0..1, each row in rising order: (B, shots).

        Sums of exponentials over their total are such numbers (Devroye, Non-Uniform Random Variate Generation, V.3).
        The search for neighbours takes neighbouring ways: 35 instead of 50 ns a draw for 512 outcomes and 100 shots, 17
        instead of 44 for 1000.
        """
        steps = self.stream((*place, 0)).standard_exponential((self.given.batch, self.shots + 1))
        np.cumsum(steps, axis=1, out=steps)
        rising: Array = steps[:, :-1] / steps[:, -1:]
        return rising

    def _misread(self, drawn: Array, qubits: tuple[int, ...], place: Place) -> Array:
        def even(number: int) -> Array:
            return self.stream((*place, 1 + number)).random(drawn.shape)

        found: Array = misread_outcomes(drawn, qubits, self.plan.tables, even)
        return found


# Outcomes -------------------------------------------------------------------------------------------------------------


def samples(estimation: Estimation, measurement: Samples) -> Array:
    """Outcomes (B, shots) of a measurement that says its own shots and seed."""
    plan, given = estimation.plan, estimation.given
    reading = measurement.reading(plan.circuit, plan.method)
    qubits: Any = reading[1]
    way = plan.circuit._compiled((reading,), given.complex_amplitudes, plan.method)
    if plan.method != "trajectories":
        law, _ = estimation.run(*way)
        law = misread(law, qubits, plan.tables)
        drawn: Array = measurement.result(plan.circuit, law, plan.method, estimation.n_threads)
        return drawn
    seeded = copy.copy(estimation)
    seeded.seed = (fresh_seed(),) if measurement.seed is None else (int(measurement.seed),)
    found = np.empty((given.batch, measurement.shots), np.int64)
    for number, (rows, block) in enumerate(seeded.blocks(2 ** len(qubits))):
        place = (_SAMPLES, 0, 0, 0, number)
        parts = outcomes_of_trajectories(block, way, qubits, measurement.shots, place, NO_SHIFT)
        np.concatenate([*parts], axis=1, out=found[rows])
    return found


def outcomes_of_trajectories(
    estimation: Estimation, way: tuple[Any, Any], qubits: tuple[int, ...], shots: int, place: Place, shift: Shift
) -> Iterable[Array]:
    """Outcomes (B, part of the shots), one of each trajectory, part after part."""
    batch, tables = estimation.given.batch, estimation.plan.tables
    streams = [estimation.stream((*place, number)) for number in range(1 + len(tables))]
    seed = estimation.engine_seed((_TRAJECTORY, *place))

    def even(number: int) -> Array:  # in the order of the shots, so that no number depends on where a part ends
        return np.ascontiguousarray(streams[number].random((n, batch)).T)

    size = 2 ** len(qubits)
    for first, n in estimation.parts(shots, size, 8 * size + 32):  # the engine sums a law in doubles
        rows, _ = estimation.run(*way, n=n, seed=seed, first=first, shift=shift)
        drawn = outcomes(rows, even(0).reshape(-1, 1), estimation.n_threads).reshape(batch, n)
        yield misread_outcomes(drawn, qubits, tables, lambda number: even(1 + number))
