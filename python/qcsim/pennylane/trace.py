"""How the numbers of a tape come from the arguments of the function that made it: each from one entry of one argument,
``scale * entry + shift``, or from none. Found by probing: the function is called at four points, entries moved at
random; two moves tell the entry and the scale, a third in the other direction proves them.

Called by convert, which makes circuits, and compiled, which makes functions.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import pennylane as qml
from numpy.typing import NDArray

from qcsim.angles import Angle, constant
from qcsim.array_kinds import is_torch
from qcsim.pennylane.inputs import inputs_of, settled
from qcsim.pennylane.structure import Base, signature

Array: TypeAlias = NDArray[Any]
Values: TypeAlias = Mapping[str, Any]

_EXACT = 1e-9
_SEED = 20_240_229  # of the moves: the same at each call, so that the same function gives the same circuit


class Link(NamedTuple):
    """Where a number comes from.

    Attributes:
        argument: its name; empty for a constant.
        entry: which of the argument's, row by row; of a batch, which column.
        scale: what the entry is multiplied by.
        shift: what is added.
    """

    argument: str
    entry: int
    scale: float
    shift: float

    def angle(self, source: Callable[[int], Angle], first: int) -> Angle:
        """The number as an angle, the entries of its argument counted from ``first``."""
        if not self.argument:
            return constant(self.shift)
        return source(first + self.entry).affine(self.scale, self.shift)


class Trace(NamedTuple):
    """A function's tape, its circuit, and where the circuit's inputs come from."""

    tape: Any
    base: Base
    weights: tuple[Link, ...]
    features: tuple[Link, ...]
    amplitudes: str  # the argument that is embedded; empty if none is


def trace(function: Any, device: Any, values: Values, settings: Collection[str] = ()) -> Trace:
    """Probe a function.

    Args:
        function: from arguments to a tape that the device can run as it is.
        device: whose circuits are wanted.
        values: of the arguments, by name; arrays among them are what tapes depend on.
        settings: arguments that are not probed, whatever they are.

    Raises:
        ValueError: if the structure of the tape depends on values, or a number of it on more than one entry.
    """
    rng = np.random.default_rng(_SEED)
    arrays = {name: value for name, value in values.items() if name not in settings and is_array(value)}
    moves: list[dict[str, Array]] = [{name: np.zeros(np.shape(array)) for name, array in arrays.items()}]
    moves += [{name: rng.normal(size=np.shape(array)) for name, array in arrays.items()} for _ in range(2)]
    moves.append(
        {name: -1.7 * move for name, move in moves[1].items()}
    )  # to the other side of whatever branch there is
    points = [{name: _moved(array, move[name]) for name, array in arrays.items()} for move in moves]
    tapes = [function({**values, **point}) for point in points]
    if len({signature(tape) for tape in tapes}) > 1:
        raise ValueError("the circuit's structure depends on the values of its arguments (a branch, a matrix or a "
                         "basis state made of them); only angles and input states may")  # fmt: skip
    base = device.base_of(tapes[0])
    found = [inputs_of(tape, base.layout) for tape in tapes]
    entries = _Entries(points)
    weights = [entries.link([settled(each.weights)[k] for each in found], batched=False)
               for k in range(len(base.layout.weights))]  # fmt: skip
    features = [entries.link([settled(each.features)[:, k] for each in found], batched=True)
                for k in range(len(base.layout.features))]  # fmt: skip
    amplitudes = entries.embedded([settled(each.amplitudes) for each in found]) if base.layout.amplitudes else ""
    return Trace(tapes[0], base, tuple(weights), tuple(features), amplitudes)


class TapeMaker:
    """From the arguments of a QNode, by name, to its tape as the device runs it.

    Attributes:
        output: what the function returned last: a measurement, or a tuple or list of them.
    """

    def __init__(self, qnode: Any, device: Any) -> None:
        if len(qnode.compile_pipeline):
            raise ValueError("the QNode has transforms of its own, which are not followed; leave them out")
        self.output: Any = None
        self._function = qnode.func
        self._signature = inspect.signature(qnode.func)
        self._device = device

    def __call__(self, values: Values) -> Any:
        call = self._signature.bind_partial()
        call.arguments.update(values)
        with qml.queuing.AnnotatedQueue() as queue:
            self.output = self._function(*call.args, **call.kwargs)
        return fit(qml.tape.QuantumScript.from_queue(queue), self._device)


def fit(tape: Any, device: Any) -> Any:
    """The tape as the device runs it."""
    tapes, _ = device.preprocess_transforms()((tape,))
    if len(tapes) != 1:
        raise ValueError(f"the tape needs {len(tapes)} circuits, and only one is followed; give matrices and rates of "
                         "noise without a batch")  # fmt: skip
    return tapes[0]


def named(qnode: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a call by name."""
    return dict(inspect.signature(qnode.func).bind(*args, **kwargs).arguments)


def is_array(value: Any) -> bool:
    """Whether an argument is numbers that a tape may depend on; integers and truth values are settings."""
    if isinstance(value, (list, tuple)):
        return bool(value) and all(map(is_array, value))
    if isinstance(value, float):
        return True
    return hasattr(value, "shape") and settled(value).dtype.kind in "fc"


def _moved(value: Any, move: Array) -> Any:
    """The argument elsewhere, in double precision, of its own kind."""
    if is_torch(value):
        import torch

        wide = torch.complex128 if value.is_complex() else torch.float64
        return value.detach().to(wide) + torch.from_numpy(np.asarray(move))
    array = settled(value)
    return array.astype(np.complex128 if array.dtype.kind == "c" else np.float64) + move


class _Entries:
    """All entries of all arguments at the points of the probe."""

    def __init__(self, points: Sequence[Mapping[str, Any]]) -> None:
        self.names = list(points[0])
        self.arrays = [[settled(point[name]) for name in self.names] for point in points]
        self.sizes = [array.size for array in self.arrays[0]]
        self.flat = np.stack([np.concatenate([*map(np.ravel, row), np.empty(0)]).real for row in self.arrays])

    def link(self, values: Sequence[Any], *, batched: bool) -> Link:
        """Where a number, or each number of a batch, comes from."""
        seen = np.stack([np.atleast_1d(value) for value in values])  # (points, B)
        if np.allclose(seen, seen[0], rtol=0, atol=_EXACT) and np.allclose(seen[0], seen[0, 0], rtol=0, atol=_EXACT):
            return Link("", 0, 0.0, float(seen[0, 0]))
        place = self._place(seen[:, 0])
        moved = self.flat[1, place] - self.flat[0, place]
        scale = _tidy((seen[1, 0] - seen[0, 0]) / moved)
        shift = _tidy(seen[0, 0] - scale * self.flat[0, place])
        number = int(np.searchsorted(np.cumsum(self.sizes), place, side="right"))
        entry = place - sum(self.sizes[:number])
        expected = self._column(number, entry, seen.shape[1], batched)
        if not np.allclose(scale * expected + shift, seen, rtol=_EXACT, atol=_EXACT):
            raise ValueError("a number of the circuit is no multiple of one entry of an argument plus a constant, "
                             "which is what an angle here can be; make it so, or leave the QNode as it is")  # fmt: skip
        return Link(self.names[number], entry, scale, shift)

    def embedded(self, states: Sequence[Array]) -> str:
        """The argument that is the state, up to its norm and to zeros at the tail."""
        for number, name in enumerate(self.names):
            if all(_is_state(row[number], state) for row, state in zip(self.arrays, states, strict=True)):
                return name
        raise ValueError("the state that is embedded is no argument as it stands, padded with zeros at most; only such "
                         "a state is followed")  # fmt: skip

    def _place(self, seen: Array) -> int:
        """The entry whose moves are in the proportion of a number's."""
        moves = self.flat[1:3] - self.flat[0]
        steps = seen[1:3] - seen[0]
        if not moves.size:
            return 0
        return int(np.argmin(np.abs(steps[0] * moves[1] - steps[1] * moves[0]) / np.hypot(*moves)))

    def _column(self, number: int, entry: int, batch: int, batched: bool) -> Array:
        """The entry at all points, or that column of all samples: (points, B)."""
        rows = np.stack([row[number].reshape(batch if batched else 1, -1) for row in self.arrays])
        column: Array = rows[:, :, entry] if entry < rows.shape[2] else np.full(rows.shape[:2], np.nan)
        return column


def _tidy(number: float) -> float:
    """Without the rounding of the probe."""
    rounded = round(float(number), 12)
    return rounded if abs(rounded - number) < 1e-12 * max(1.0, abs(number)) else float(number)


def _is_state(argument: Array, state: Array) -> bool:
    if argument.ndim != state.ndim or argument.shape[-1] > state.shape[-1] or argument.shape[:-1] != state.shape[:-1]:
        return False
    padded = np.zeros_like(state, dtype=np.result_type(argument, state))
    padded[..., : argument.shape[-1]] = argument
    norm = np.linalg.norm(padded, axis=-1, keepdims=True)
    return bool(np.allclose(padded, state, atol=_EXACT) or np.allclose(padded / norm, state, atol=_EXACT))
