"""Results that are drawn at random: what shots and trajectories have in common. Called by simulate, imported when first
asked for.

Works on NumPy arrays alone (torch tensors lend their memory; autograd_drawn.py is torch's view). Columns are laid out
as the engine's would be, those of each measurement side by side, and already hold the misread bits. Every run of the
engine draws from a stream of its own, named by integers that start with the seed of the call.
"""

from __future__ import annotations

import copy
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from qcsim import _core, gpu_run
from qcsim.array_kinds import is_torch
from qcsim.arrays import Operands, address, run_function
from qcsim.measurements import Measurement, Samples
from qcsim.simulate import Draws, Estimate, Plan, threads, width
from qcsim.stopwatch import timed

Array: TypeAlias = NDArray[Any]
Place: TypeAlias = tuple[int, ...]
Needed: TypeAlias = tuple[bool, bool, bool]
Slopes: TypeAlias = tuple[Array | None, Array | None, Array | None]  # of weights, amplitudes, features
Shift: TypeAlias = tuple[int, float]  # which rotation, by how many radians
NO_SHIFT: Shift = (-1, 0.0)
PART_BYTES = 128 << 20  # of the engine's rows at once
BLOCK = 1 << 21  # numbers of a block of the batch; what is drawn depends on it
_QUARTER = math.pi / 2


def drawn(plan: Plan, given: Operands) -> tuple[Any, ...]:
    """A result for each measurement, (B, ...), as arrays of the kind of the arguments."""
    if is_torch(given.weights):
        from qcsim.autograd_drawn import columns_of, from_numpy

        estimation, columns = columns_of(plan, given)
        return _results(plan, estimation, columns, lambda array: from_numpy(array, given))
    if given.gpu is not None:
        estimation = estimation_of(plan, gpu_run.on_host(given))
        return _results(plan, estimation, given.gpu.moved(estimation.columns()), given.gpu.moved)
    estimation = estimation_of(plan, given)
    return _results(plan, estimation, estimation.columns(), lambda array: array)


def _results(plan: Plan, estimation: Estimation, columns: Any, convert: Callable[[Array], Any]) -> tuple[Any, ...]:
    results: list[Any] = []
    first = 0
    for place, measurement in enumerate(plan.measurements):
        if isinstance(measurement, Samples):
            results.append(convert(estimation.samples(measurement)))
            continue
        last = first + width(plan.circuit, estimation.reading(place))
        value = measurement.result(plan.circuit, columns[:, first:last], estimation.result_method)
        if plan.standard_error:
            errors = estimation.errors(measurement, slice(first, last)).astype(estimation.given.dtype)
            value = Estimate(value, convert(errors))
        results.append(value)
        first = last
    return tuple(results)


def estimation_of(plan: Plan, given: Operands) -> Estimation:
    """The estimation of a plan on NumPy arrays."""
    from qcsim.shots import Shots
    from qcsim.trajectories import Trajectories

    assert plan.draws is not None
    return Trajectories(plan, given) if plan.draws.shots is None else Shots(plan, given)


class Estimation(ABC):
    """The columns (B, K) of a plan, drawn at random, and their gradients."""

    result_method = "density_matrix"  # how results are made of columns: a density matrix comes as one

    def __init__(self, plan: Plan, given: Operands) -> None:
        assert plan.draws is not None
        self.plan = plan
        self.draws: Draws = plan.draws
        self.given = given
        self.n_threads = threads(plan.num_threads)
        self.seed = plan.draws.seed or (fresh_seed(),)

    @abstractmethod
    def columns(self, *, keep: bool = False) -> Array:
        """The estimates, (B, K); with ``keep`` what their gradients need is kept."""

    @abstractmethod
    def errors(self, measurement: Measurement, columns: slice) -> Array:
        """The standard errors of a measurement's result, whose columns these are; after :meth:`columns`."""

    @abstractmethod
    def gradients(self, cotangent: Array, needed: Needed) -> Slopes:
        """Gradients of ``sum(cotangent * columns)`` in the shapes of the operands."""

    @abstractmethod
    def samples(self, measurement: Samples) -> Array:
        """Outcomes (B, shots)."""

    @abstractmethod
    def amplitudes_refused(self) -> str | None:
        """Why amplitudes have no gradient here; None if they have one."""

    def reading(self, place: int) -> Any:
        """What the columns of a measurement are."""
        return self.plan.readings[place]

    def blocks(self, size: int) -> Iterator[tuple[slice, Any]]:
        """Rows of the batch, so many that each may hold ``size`` numbers, and the same estimation of these alone."""
        step = max(1, BLOCK // size)
        for first in range(0, self.given.batch, step):
            rows = slice(first, min(first + step, self.given.batch))
            block = copy.copy(self)
            cut = {name: array[rows] for name, array in self._per_sample().items()}
            block.given = self.given._replace(batch=rows.stop - rows.start, **cut)
            yield rows, block

    def parts(self, n: int, numbers: int, more: int = 0) -> Iterator[tuple[int, int]]:
        """(first, number) of each part of ``n`` trajectories that takes some :data:`PART_BYTES`.

        Args:
            n: how many there are for each sample.
            numbers: what the engine writes for one, beside the inputs, which it repeats.
            more: bytes that go with each beside these.
        """
        numbers += sum(array.shape[1] * (2 if array.dtype.kind == "c" else 1) for array in self._per_sample().values())
        yield from chunks(n, self.given.batch * (numbers * np.dtype(self.given.dtype).itemsize + more))

    def _per_sample(self) -> dict[str, Any]:
        """The inputs that have a row for each sample."""
        arrays = {name: getattr(self.given, name) for name in ("weights", "amplitudes", "features")}
        return {name: array for name, array in arrays.items() if array is not None and array.ndim == 2}

    def stream(self, place: Place) -> np.random.Generator:
        """Random numbers of the call's seed and a place in the call."""
        return np.random.Generator(np.random.Philox(self.sequence(place)))

    def engine_seed(self, place: Place) -> int:
        """The same for the engine's own generator."""
        return int(self.sequence(place).generate_state(1, np.uint64)[0]) >> 1

    def sequence(self, place: Place) -> np.random.SeedSequence:
        """The stream's name."""
        return np.random.SeedSequence(self.seed, spawn_key=place)

    def run(
        self,
        compiled: _core.Compiled,
        readout: _core.Readout,
        *,
        keep: bool = False,
        n: int = 1,
        seed: int = 0,
        first: int = 0,
        shift: Shift = NO_SHIFT,
    ) -> tuple[Array, Any]:
        """Rows (B * n, K) of the engine, those of a sample's ``n`` trajectories one after another, and the call."""
        given = self.given
        rows = np.empty((given.batch * n, readout.n_outputs), given.dtype)
        call = timed(
            run_function(given.dtype), compiled, readout, given.batch, address(given.amplitudes),
            address(given.weights), address(given.features), address(rows), keep, self.n_threads, n, seed, first,
            shift[0], shift[1],
        )  # fmt: skip
        return rows, call

    def shifted(self, compiled: _core.Compiled, needed: Needed) -> Iterator[tuple[int, _core.Source, int, float]]:
        """The rotations whose slope is wanted: their number, source, index and scale."""
        for number, (source, index, scale, _) in enumerate(compiled.rotations):
            if needed[0 if source == _core.Source.WEIGHT else 2] and source != _core.Source.CONSTANT:
                yield number, source, index, scale

    def slopes(
        self, compiled: _core.Compiled, needed: Needed, difference: Callable[[int, float], Array], into: Sequence[Any]
    ) -> None:
        """Adds the gradients by the parameter-shift rule to ``into``, those of weights and of features.

        Args:
            compiled: whose rotations are shifted.
            needed: whether gradients of weights, amplitudes and features are wanted.
            difference: of a rotation's number and half the shift between two runs, ``sum(cotangent * columns)`` of the
                second minus that of the first, (B,).
            into: arrays (P,) or (B, P), and (B, F), or None.
        """
        for number, source, index, scale in self.shifted(compiled, needed):
            slope = 0.5 * scale * difference(number, _QUARTER)
            array = into[0 if source == _core.Source.WEIGHT else 1]
            if array.ndim == 1:
                array[index] += slope.sum()
            else:
                array[:, index] += slope

    def zeros(self, needed: Needed) -> tuple[Any, Any, Any]:
        """Sums to collect gradients in, float64; None where not needed or absent."""
        arrays = (self.given.weights, self.given.amplitudes, self.given.features)
        wanted = [array if want else None for array, want in zip(arrays, needed, strict=True)]
        weights, amplitudes, features = (
            None if array is None else np.zeros(array.shape, np.complex128 if array.dtype.kind == "c" else np.float64)
            for array in wanted
        )
        return weights, amplitudes, features

    def rounded(self, slopes: Sequence[Any]) -> Slopes:
        """Gradients in the precision of what they belong to."""
        arrays = (self.given.weights, self.given.amplitudes, self.given.features)
        weights, amplitudes, features = (
            None if slope is None else slope.astype(array.dtype) for slope, array in zip(slopes, arrays, strict=True)
        )
        return weights, amplitudes, features


def fresh_seed() -> int:
    """A number that no other call has."""
    entropy = np.random.SeedSequence().entropy
    assert isinstance(entropy, int)
    return entropy


def chunks(total: int, bytes_each: int) -> Iterator[tuple[int, int]]:
    """(first, number) of each part of ``total`` trajectories, of so many bytes each."""
    size = max(1, PART_BYTES // max(1, bytes_each))
    for first in range(0, total, size):
        yield first, min(size, total - first)
