"""Quantum circuits as torch modules."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import Any, TypeAlias

try:
    import torch
    from torch._compile import _disable_dynamo
except ModuleNotFoundError as error:
    raise ModuleNotFoundError("qcsim.nn needs torch: pip install torch", name="torch") from error

from qcsim.autocast import raised
from qcsim.circuit import Circuit
from qcsim.measurements import MEASUREMENTS, Expval, Measurement, Probabilities, Samples, Statevector, check_qubits
from qcsim.misreading import misread
from qcsim.observables import Observable
from qcsim.operator import run_task
from qcsim.simulate import Plan, execute, make_plan, width
from qcsim.task import plan_of, task_of

_INITS: dict[str, Callable[[torch.Tensor], Any]] = {
    "uniform": lambda weights: weights.uniform_(-math.pi, math.pi),
    "zeros": lambda weights: weights.zero_(),
    "normal": lambda weights: weights.normal_(0.0, 0.1),
}
_MEASURES = ("probabilities", "statevector")
Measure: TypeAlias = str | Measurement | Iterable[Observable] | Iterable[Measurement]


class QuantumLayer(torch.nn.Module):
    """A circuit whose weights are a torch parameter.

    Args:
        circuit: what to run; it is frozen.
        measure: ``"probabilities"``, ``"statevector"``, a list of observables such as ``["Z0", "Z0 Z1"]``, a
            measurement such as :class:`qcsim.Variance`, or a list of these, whose results are a tuple.
        qubits: the qubits whose ``"probabilities"`` are returned; None: all.
        gradient: ``"auto"``, ``"adjoint"`` or ``"parameter-shift"``, as for :func:`qcsim.probabilities`.
        num_threads: threads to use; None: torch's setting.
        device: of the weights; None: torch's default.
        dtype: of the weights, ``torch.float32`` or ``torch.float64``; None: torch's default.
        init: the weights at first: ``"uniform"`` in [-pi, pi), ``"zeros"``, ``"normal"`` with a standard deviation of
            0.1, or a function that fills the (P,) tensor in place, such as ``torch.nn.init.normal_``
            (those that count rows and columns, as ``xavier_normal_``, do not fit one axis).
        method: how noise is simulated, as for :func:`qcsim.probabilities`.
        trajectories: as for :func:`qcsim.probabilities`.
        shots: as for :func:`qcsim.probabilities`.
        seed: of what is drawn. None: fresh draws at each call, whatever ``torch.manual_seed`` says. With a seed each
            call has a stream of its own too, named by the seed and the number of calls before it, so that a training
            run can be repeated. Layers with the same seed draw from the same streams: give each its own.

    Attributes:
        weights: (P,) angles in radians. ``load_state_dict`` takes as many of any shape, row by row: those of a
            ``qml.qnn.TorchLayer`` for ``BasicEntanglerLayers`` (layers, qubits) fit :func:`qcsim.basic_entangler`,
            those for ``StronglyEntanglingLayers`` (layers, qubits, 3) :func:`qcsim.strongly_entangling`.
        calls: how often the layer has drawn; set it to 0 to begin the streams of a seed again. Copies and pickles keep
            it, ``state_dict()`` does not.

    Raises:
        ValueError: for an unknown measurement, gradient method, initialisation or qubit, or another dtype.
        TypeError: for a ``measure`` that is no list, such as a single sum of words.

    Example:
        >>> import qcsim.nn, torch
        >>> layer = qcsim.nn.QuantumLayer(qcsim.hardware_efficient(n_qubits=3, n_layers=2))
        >>> layer(torch.randn(5, 8)).shape
        torch.Size([5, 8])
    """

    def __init__(
        self,
        circuit: Circuit,
        measure: Measure = "probabilities",
        *,
        qubits: Sequence[int] | None = None,
        gradient: str = "auto",
        num_threads: int | None = None,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
        init: str | Callable[[torch.Tensor], Any] = "uniform",
        method: str = "auto",
        trajectories: int = 1000,
        shots: int | None = None,
        seed: int | None = None,
    ) -> None:
        super().__init__()
        if not callable(init) and init not in _INITS:
            raise ValueError(f"init is {init!r}; the options are {', '.join(map(repr, _INITS))} and a function")
        measure, wanted = _wanted(measure, qubits)
        plan = make_plan(circuit, wanted, gradient, num_threads, method, trajectories, shots, seed)
        self.circuit = circuit
        self.calls = 0
        self.measure = measure
        self._embeds = circuit.embeds_amplitudes
        self._alone = not isinstance(measure, tuple)
        self._task = task_of(plan)  # a plan cannot be pickled or traced, its text can
        self._plan: Plan | None = plan
        self._draws = plan.draws is not None or any(isinstance(each, Samples) for each in wanted)
        self._method = plan.method
        self._parts = tuple(_parts(plan))
        self.weights = torch.nn.Parameter(torch.empty(circuit.n_weights, device=device, dtype=dtype))
        if self.weights.dtype not in (torch.float32, torch.float64):
            raise ValueError(f"dtype is {self.weights.dtype}; the options are torch.float32 and torch.float64")
        with torch.no_grad():
            (init if callable(init) else _INITS[init])(self.weights)

    def forward(
        self,
        x: torch.Tensor | None = None,
        *,
        amplitudes: torch.Tensor | None = None,
        features: torch.Tensor | None = None,
    ) -> Any:
        """Outputs (..., K) for amplitudes (..., D), features (..., F), or both by name: any number of batch axes, the
        same in both, none where one array serves all samples. Density matrices are (..., 2^k, 2^k), and the results of
        several measurements a tuple.

        A single argument ``x`` is the amplitudes if the circuit embeds them, else the features.
        """
        if x is not None:
            if amplitudes is not None or features is not None:
                raise ValueError("give x alone, or amplitudes and features by name")
            amplitudes, features = (x, None) if self._embeds else (None, x)
        weights, axes = self.weights, None
        if getattr(amplitudes, "ndim", 0) > 2 or getattr(features, "ndim", 0) > 2 or weights.ndim > 2:
            (weights, amplitudes, features), axes = _one_batch_axis(weights, amplitudes, features)
        if self._draws:
            draw = _outside_of_graphs if torch.compiler.is_compiling() else QuantumLayer._drawn
            return draw(self, axes, weights, amplitudes, features)
        if torch.compiler.is_compiling():
            results = self._recorded(weights, amplitudes, features)
        elif torch._C._get_tracing_state() is not None:
            raise RuntimeError("torch.jit.trace sees nothing of a QuantumLayer; torch.export and torch.compile do")
        else:
            results = execute(self._plan or self._planned(), weights, amplitudes, features)
        return results[0] if axes is None and self._alone else self._shaped(results, axes)

    def _shaped(self, results: tuple[torch.Tensor, ...], axes: tuple[int, ...] | None) -> Any:
        """The results with the batch axes of the inputs; one of them by itself if one was asked for."""
        if axes is not None:
            results = tuple([result.reshape(*axes, *result.shape[1:]) for result in results])
        return results[0] if self._alone else results

    def _drawn(self, axes: tuple[int, ...] | None, weights: torch.Tensor, amplitudes: Any, features: Any) -> Any:
        plan = self._planned()
        if plan.draws is not None and plan.draws.seed:
            plan = plan._replace(draws=plan.draws._replace(seed=(*plan.draws.seed, self.calls)))
        self.calls += 1
        return self._shaped(execute(plan, weights, amplitudes, features), axes)

    def _recorded(self, weights: torch.Tensor, amplitudes: Any, features: Any) -> tuple[torch.Tensor, ...]:
        """The results in a graph that is being traced."""
        arrays = (weights, amplitudes, features)
        columns, single = run_task(self._task, *(raised(*arrays) or arrays))
        results, first = [], 0
        for measurement, size, misread_by in self._parts:
            part = columns if len(self._parts) == 1 else columns[:, first : first + size]
            if misread_by is not None:
                part = misread(part, *misread_by)
            result = measurement.result(self.circuit, part, self._method)
            results.append(result[0] if single else result)
            first += size
        return tuple(results)

    def _planned(self) -> Plan:
        if self._plan is None:
            self._plan = plan_of(self._task)
        return self._plan

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_plan": None}

    def _load_from_state_dict(self, state_dict: Any, prefix: str, *args: Any, **kwargs: Any) -> None:
        # Templates of PennyLane keep weights as (layers, qubits) or (layers, qubits, 3), as a TorchLayer saves them.
        given = state_dict.get(prefix + "weights")
        if isinstance(given, torch.Tensor) and given.ndim > 1 and given.numel() == self.weights.numel():
            state_dict[prefix + "weights"] = given.reshape(-1)
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)

    def extra_repr(self) -> str:
        """What ``print(layer)`` shows."""
        plan = plan_of(self._task)
        shown = f"{self.circuit!r}, measure={self.measure!r}, gradient={plan.gradient!r}"
        if plan.method != "statevector":
            shown += f", method={plan.method!r}"
        if plan.draws is not None:
            shots, trajectories, _ = plan.draws
            shown += f", trajectories={trajectories}" if shots is None else f", shots={shots}"
        return shown


# torch.compiler.disable without its second of importing; asked for only while a graph is traced.
@_disable_dynamo
def _outside_of_graphs(layer: QuantumLayer, *call: Any) -> Any:
    return layer._drawn(*call)


def _wanted(measure: Any, qubits: Sequence[int] | None) -> tuple[Any, tuple[Measurement, ...]]:
    """What the layer shows as its measure, a tuple where there are several results, and the measurements."""
    if isinstance(measure, str) and measure not in _MEASURES:
        raise ValueError(f"measure is {measure!r}; the options are 'probabilities', 'statevector', a list of "
                         "observables and measurements such as qcsim.Variance(['Z0'])")  # fmt: skip
    if isinstance(measure, str) and measure == "probabilities":
        return measure, (Probabilities(qubits),)
    if qubits is not None:
        raise ValueError(f"measure is {measure!r} and qubits were given; they are those of 'probabilities' alone")
    if isinstance(measure, str):
        return measure, (Statevector(),)
    if isinstance(measure, MEASUREMENTS):
        return measure, (measure,)
    if not isinstance(measure, Iterable) or isinstance(measure, (Mapping, Set)):
        raise TypeError(f"measure is {measure!r}; it must be a list of text and sums such as "
                        "['Z0', 'X0 Z1', {'Z0': 0.5, 'X1': -1.0}], a single one too, or measurements such as "
                        "qcsim.Variance(['Z0'])")  # fmt: skip
    listed = list(measure)
    measurements = [each for each in listed if isinstance(each, MEASUREMENTS)]
    if not measurements:
        return listed, (Expval(tuple(listed)),)
    if len(measurements) < len(listed):
        raise TypeError(f"measure is {listed!r}, measurements and others; observables beside measurements must be in "
                        "one, such as qcsim.Expval(['Z0'])")  # fmt: skip
    return tuple(listed), tuple(measurements)


def _parts(plan: Plan) -> Iterable[tuple[Measurement, int, Any]]:
    """Each measurement, how many columns the engine reads for it, and the qubits and tables that misread them."""
    for measurement, reading in zip(plan.measurements, plan.readings, strict=True):
        misread_by = None
        if reading[0] == "probabilities":
            check_qubits(reading[1], plan.circuit.n_qubits)
            # What is misread after the engine: of observables it is in their terms.
            misread_by = (reading[1], plan.tables) if plan.tables else None
        yield measurement, width(plan.circuit, reading), misread_by


def _one_batch_axis(*arrays: Any) -> tuple[tuple[Any, ...], tuple[int, ...]]:
    """The arrays with their batch axes as one, and these axes; what has none, or is absent, stays as it is."""
    batches = {
        name: tuple(array.shape[:-1])
        for name, array in zip(("weights", "amplitudes", "features"), arrays, strict=True)
        if getattr(array, "ndim", 0) > 1
    }
    axes = next(iter(batches.values()))
    if any(other != axes for other in batches.values()):
        shown = ", ".join(f"{name} {axes}" for name, axes in batches.items())
        raise ValueError(f"the batch axes differ: {shown}; give the same ones, or none")
    return tuple(
        [array.reshape(-1, array.shape[-1]) if getattr(array, "ndim", 0) > 2 else array for array in arrays]
    ), axes
