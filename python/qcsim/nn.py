"""Quantum circuits as torch modules."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

try:
    import torch
    from torch._compile import _disable_dynamo
except ModuleNotFoundError as error:
    raise ModuleNotFoundError("qcsim.nn needs torch: pip install 'qcsim[torch]'", name="torch") from error

from qcsim.circuit import Circuit
from qcsim.measurements import Expval, Measurement, Probabilities, Statevector
from qcsim.misreading import misread
from qcsim.operator import run_task
from qcsim.simulate import Plan, execute, make_plan
from qcsim.task import plan_of, task_of

_INITS: dict[str, Callable[[torch.Tensor], Any]] = {
    "uniform": lambda weights: weights.uniform_(-math.pi, math.pi),
    "zeros": lambda weights: weights.zero_(),
    "normal": lambda weights: weights.normal_(0.0, 0.1),
}
_MEASURES = ("probabilities", "statevector")


class QuantumLayer(torch.nn.Module):
    """A circuit whose weights are a torch parameter.

    Args:
        circuit: what to run; it is frozen.
        measure: ``"probabilities"``, ``"statevector"``, or a list of observables such as ``["Z0", "Z0 Z1"]``.
        qubits: the qubits whose probabilities are returned; None: all.
        gradient: ``"auto"``, ``"adjoint"`` or ``"parameter-shift"``, as for :func:`qcsim.probabilities`.
        num_threads: threads to use; None: torch's setting.
        dtype: of the weights; None: torch's default.
        init: the weights at first: ``"uniform"`` in [-pi, pi), ``"zeros"``, ``"normal"`` with a standard deviation of
            0.1, or a function that fills a tensor in place, such as those of ``torch.nn.init``.
        method: how noise is simulated, as for :func:`qcsim.probabilities`.
        trajectories: as for :func:`qcsim.probabilities`.
        shots: as for :func:`qcsim.probabilities`.
        seed: of what is drawn. None: fresh draws at each call. With a seed each call has a stream of its own too, named
            by the seed and the number of calls before it, so that a training run can be repeated.

    Attributes:
        weights: (P,) angles in radians. ``load_state_dict`` takes as many of any shape, row by row: those of a
            ``qml.qnn.TorchLayer`` for ``BasicEntanglerLayers`` (layers, qubits) fit :func:`qcsim.basic_entangler`,
            those for ``StronglyEntanglingLayers`` (layers, qubits, 3) :func:`qcsim.strongly_entangling`.
        calls: how often the layer has drawn; set it to 0 to begin the streams of a seed again. Copies and pickles keep
            it, ``state_dict()`` does not.

    Raises:
        ValueError: for an unknown measurement, gradient method, initialisation or qubit.

    Example:
        >>> import qcsim.nn, torch
        >>> layer = qcsim.nn.QuantumLayer(qcsim.hardware_efficient(n_qubits=3, n_layers=2))
        >>> layer(torch.randn(5, 8)).shape
        torch.Size([5, 8])
    """

    def __init__(
        self,
        circuit: Circuit,
        measure: str | Sequence[Any] = "probabilities",
        *,
        qubits: Sequence[int] | None = None,
        gradient: str = "auto",
        num_threads: int | None = None,
        dtype: torch.dtype | None = None,
        init: str | Callable[[torch.Tensor], Any] = "uniform",
        method: str = "auto",
        trajectories: int = 1000,
        shots: int | None = None,
        seed: int | None = None,
    ) -> None:
        super().__init__()
        if isinstance(measure, str) and measure not in _MEASURES:
            options = ", ".join(repr(option) for option in _MEASURES)
            raise ValueError(f"measure is {measure!r}; the options are {options} and a list of observables")
        if not callable(init) and init not in _INITS:
            raise ValueError(f"init is {init!r}; the options are {', '.join(map(repr, _INITS))} and a function")
        wanted = (_measurement(measure, qubits),)
        plan = make_plan(circuit, wanted, gradient, num_threads, method, trajectories, shots, seed)
        self.circuit = circuit
        self.calls = 0
        self.measure = measure if isinstance(measure, str) else list(measure)
        self._task = task_of(plan)  # a plan cannot be pickled or traced, its text can
        self._plan: Plan | None = plan
        self._draws = plan.draws is not None
        kind, what = plan.readings[0]
        # What is misread after the engine: of observables it is in their terms.
        self._misread: Any = (what, plan.tables) if plan.tables and kind == "probabilities" else None
        self.weights = torch.nn.Parameter(torch.empty(circuit.n_weights, dtype=dtype))
        with torch.no_grad():
            (init if callable(init) else _INITS[init])(self.weights)

    def forward(
        self,
        x: torch.Tensor | None = None,
        *,
        amplitudes: torch.Tensor | None = None,
        features: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Outputs (B, K) for amplitudes (B, D), features (B, F), or both by name.

        A single argument ``x`` is the amplitudes if the circuit embeds them, else the features.
        """
        if x is not None:
            if amplitudes is not None or features is not None:
                raise ValueError("give x alone, or amplitudes and features by name")
            amplitudes, features = (x, None) if self.circuit.embeds_amplitudes else (None, x)
        if self._draws:
            draw = _outside_of_graphs if torch.compiler.is_compiling() else QuantumLayer._drawn
            return draw(self, amplitudes, features)
        if torch.compiler.is_compiling():
            columns, single = run_task(self._task, self.weights, amplitudes, features)
            if self.measure == "statevector":
                columns = Statevector().result(self.circuit, columns, "statevector")
            if self._misread is not None:
                columns = misread(columns, *self._misread)
            result: torch.Tensor = columns[0] if single else columns
        else:
            (result,) = execute(self._planned(), self.weights, amplitudes, features)
        return result

    def _drawn(self, amplitudes: torch.Tensor | None, features: torch.Tensor | None) -> torch.Tensor:
        plan = self._planned()
        assert plan.draws is not None
        if plan.draws.seed:
            plan = plan._replace(draws=plan.draws._replace(seed=(*plan.draws.seed, self.calls)))
        self.calls += 1
        (result,) = execute(plan, self.weights, amplitudes, features)
        return result  # type: ignore[no-any-return]

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
def _outside_of_graphs(layer: QuantumLayer, amplitudes: Any, features: Any) -> torch.Tensor:
    return layer._drawn(amplitudes, features)


def _measurement(measure: str | Sequence[Any], qubits: Sequence[int] | None) -> Measurement:
    if not isinstance(measure, str):
        if qubits is not None:
            raise ValueError("qubits and observables were both given; the outputs are one or the other")
        return Expval(tuple(measure))
    if measure == "statevector":
        if qubits is not None:
            raise ValueError("qubits were given, but a statevector is of all of them")
        return Statevector()
    return Probabilities(None if qubits is None else tuple(qubits))
