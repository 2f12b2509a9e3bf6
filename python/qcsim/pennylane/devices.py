"""The PennyLane devices. ``qml.device("qcsim.qubit")`` and ``qml.device("qcsim.mixed")`` find them by their names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from pennylane import measurements as mps
from pennylane.devices import Device, ExecutionConfig
from pennylane.devices.modifiers import simulator_tracking, single_tape_support
from pennylane.exceptions import DeviceError
from pennylane.gradients import param_shift
from pennylane.math import Interface, requires_grad
from pennylane.transforms.core import CompilePipeline

from qcsim.methods import METHODS
from qcsim.pennylane import channels, gradients
from qcsim.pennylane.inputs import inputs_of, settled
from qcsim.pennylane.observables import is_live, wire_sum, words
from qcsim.pennylane.preprocess import expanded, fitted
from qcsim.pennylane.recipe import Options, Recipe, Recipes, make_recipe
from qcsim.pennylane.results import analytic
from qcsim.pennylane.sampling import make_sampler, sampled
from qcsim.pennylane.structure import Base, base_of

_OPEN = (Interface.AUTO, Interface.NUMPY)  # nothing is to be differentiated, or it is not known yet in what
_JAX = (Interface.JAX, Interface.JAX_JIT)
_DEFERRED = (None, "deferred")


class _QcsimDevice(Device):  # type: ignore[misc]
    """What both devices share."""

    mixed: ClassVar[bool]

    def __init__(
        self, wires: Any, shots: Any, seed: Any, num_threads: int | None, method: str, readout_error: float | None
    ) -> None:
        super().__init__(wires=wires, shots=shots)
        if method not in METHODS:
            raise ValueError(f"method is {method!r}; the options are {', '.join(METHODS)}")
        self._options = Options(self.mixed, num_threads, method, readout_error)
        # As default.qubit: the default follows numpy.random.seed, None is fresh.
        self._rng = np.random.default_rng(np.random.randint(2**31 - 1) if seed == "global" else seed)  # noqa: NPY002
        self._forget()

    # PennyLane's questions --------------------------------------------------------------------------------------------

    def supports_derivatives(self, execution_config: Any = None, circuit: Any = None) -> bool:
        """Whether the device differentiates a circuit itself: torch tensors by backpropagation to any order, other
        frameworks once by the adjoint method; not with shots."""
        if execution_config is None:
            return True
        if circuit is not None and (circuit.shots or _has_trainable_noise(circuit)):
            return False
        method, interface = execution_config.gradient_method, execution_config.interface
        if method in ("backprop", "best") and interface == Interface.TORCH:
            return True
        if method == "backprop" and (interface in _OPEN or execution_config.derivative_order > 1):
            return True
        if method not in ("backprop", "adjoint", "best") or execution_config.derivative_order > 1:
            return False
        return circuit is None or all(_has_adjoint(mp, self.mixed) for mp in circuit.measurements)

    def supports_vjp(self, execution_config: Any = None, circuit: Any = None) -> bool:
        """Whether :meth:`compute_vjp` answers for a circuit."""
        return self.supports_derivatives(execution_config, circuit)

    def setup_execution_config(self, config: Any = None, circuit: Any = None) -> Any:
        """The configuration with what is open filled in."""
        config = config or ExecutionConfig()
        for option in config.device_options:
            raise DeviceError(f"device option {option} is not one of {self.name}; give options to qml.device")
        if config.mcm_config.mcm_method not in _DEFERRED:
            raise DeviceError(f"mcm_method is {config.mcm_config.mcm_method}; {self.name} defers mid-circuit "
                              "measurements: the option is 'deferred'")  # fmt: skip
        method = config.gradient_method
        if method in ("best", "backprop") and self.supports_derivatives(config, circuit):
            method = "backprop" if config.interface in (Interface.TORCH, *_OPEN) else "adjoint"
            if method == "adjoint" and config.derivative_order > 1:
                method = param_shift  # exact as well; "adjoint" would be wrong beyond the first derivative
        own = method in ("backprop", "adjoint")
        changes: dict[str, Any] = {
            "gradient_method": method,
            "mcm_config": replace(config.mcm_config, mcm_method="deferred"),
        }
        if own:
            changes["use_device_gradient"] = True
            # A QNode asks for no products of the device, and would demand whole Jacobians instead.
            changes["use_device_jacobian_product"] = method == "adjoint"
            changes["grad_on_execution"] = False
        else:
            changes["use_device_gradient"] = False
        if method == "adjoint" and config.interface == Interface.JAX_JIT:
            changes["convert_to_numpy"] = False  # leads to products, where the other way leads to Jacobians
        return replace(config, **changes)

    def preprocess_transforms(self, execution_config: Any = None) -> CompilePipeline:
        """What a tape goes through before it runs."""
        pipeline = CompilePipeline()
        pipeline.add_transform(fitted, device=self)
        return pipeline

    # Runs -------------------------------------------------------------------------------------------------------------

    def execute(self, circuits: Sequence[Any], execution_config: Any = None) -> tuple[Any, ...]:
        """The results of tapes that went through the pipeline, a tuple of them."""
        found = tuple([self._run(tape) for tape in circuits])
        if execution_config is not None and execution_config.interface in _JAX:
            return tuple(map(_widened, found))
        return found

    def compute_vjp(self, circuits: Sequence[Any], cotangents: Sequence[Any], execution_config: Any = None) -> Any:
        """Vector-Jacobian products by the adjoint method, one of each tape."""
        conjugate = execution_config is None or execution_config.interface != Interface.TORCH
        pairs = zip(circuits, cotangents, strict=True)
        return tuple([gradients.vjp(tape, self._recipes, cotangent, conjugate) for tape, cotangent in pairs])

    def compute_derivatives(self, circuits: Sequence[Any], execution_config: Any = None) -> tuple[Any, ...]:
        """Jacobians by the adjoint method, one of each tape."""
        return tuple([gradients.jacobian(tape, self._recipes) for tape in circuits])

    def execute_and_compute_derivatives(self, circuits: Sequence[Any], execution_config: Any = None) -> Any:
        """Results and Jacobians."""
        return self.execute(circuits, execution_config), self.compute_derivatives(circuits, execution_config)

    def execute_and_compute_vjp(self, circuits: Sequence[Any], cotangents: Any, execution_config: Any = None) -> Any:
        """Results and vector-Jacobian products."""
        return self.execute(circuits, execution_config), self.compute_vjp(circuits, cotangents, execution_config)

    def knows(self, tape: Any) -> bool:
        """Whether a tape of this structure has run here, and needs no look before it runs again."""
        return (self._samplers if tape.shots else self._recipes).knows(tape)

    # Inside -----------------------------------------------------------------------------------------------------------

    def _run(self, tape: Any) -> Any:
        if tape.shots:
            sampler = self._samplers.of(tape)
            given = inputs_of(tape, sampler.layout)
            return sampled(tape, sampler, given._replace(**_settled(given)), self._rng)
        recipe: Recipe = self._recipes.of(tape)
        return analytic(tape, recipe, inputs_of(tape, recipe.layout))

    def recipe_on(self, tape: Any, base: Base) -> Recipe:
        """The recipe of a tape whose circuit is known."""
        return make_recipe(tape, base, self._options, self._expand)

    def base_of(self, tape: Any) -> Base:
        """The circuit of a tape that went through the pipeline."""
        return base_of(tape, self.wires, self._options.readout_error)

    def _expand(self, operations: Sequence[Any]) -> Sequence[Any]:
        return expanded(operations, self)

    def _forget(self) -> None:
        self._recipes = Recipes(lambda tape: self.recipe_on(tape, self.base_of(tape)))
        self._samplers = Recipes(lambda tape: make_sampler(tape, self.base_of(tape), self._options, self._expand))

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in ("_recipes", "_samplers")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._forget()


@simulator_tracking  # type: ignore[untyped-decorator, unused-ignore]
@single_tape_support  # type: ignore[untyped-decorator, unused-ignore]
class QcsimQubit(_QcsimDevice):
    """State vectors on this engine: ``qml.device("qcsim.qubit", wires=n)``.

    A QNode runs as on ``default.qubit``, one call of the engine for a whole batch of parameters or input states.
    Gradients of all parameters, input states included: torch tensors pass through (``diff_method="backprop"``, which is
    the best one, to any order), other frameworks get vector-Jacobian products (``"adjoint"``), for probabilities too.
    Results have the precision of the parameters. Mid-circuit measurements are deferred.

    Args:
        wires: their number or labels; None: those of each tape.
        shots: PennyLane's default for QNodes; set them on the QNode instead.
        seed: of shots, as for ``numpy.random.default_rng``; ``"global"``: follows ``numpy.random.seed``.
        num_threads: as for :func:`qcsim.probabilities`.

    Example:
        >>> import pennylane as qml
        >>> @qml.qnode(qml.device("qcsim.qubit", wires=2))
        ... def bell():
        ...     qml.Hadamard(0)
        ...     qml.CNOT([0, 1])
        ...     return qml.probs(wires=[0, 1])
        >>> bell().round(3)
        array([0.5, 0. , 0. , 0.5])
    """

    mixed = False

    def __init__(
        self,
        wires: int | Iterable[Any] | None = None,
        shots: Any = None,
        seed: Any = "global",
        num_threads: int | None = None,
    ) -> None:
        super().__init__(wires, shots, seed, num_threads, "auto", None)

    @property
    def name(self) -> str:
        """Of the device."""
        return "qcsim.qubit"


@simulator_tracking  # type: ignore[untyped-decorator, unused-ignore]
@single_tape_support  # type: ignore[untyped-decorator, unused-ignore]
class QcsimMixed(_QcsimDevice):
    """Mixed states on this engine: ``qml.device("qcsim.mixed", wires=n)``.

    Takes PennyLane's noise channels on one and two wires; their rates are constants. ``qml.state()`` is the density
    matrix. Circuits without noise run as state vectors.

    Args:
        wires: their number or labels; None: those of each tape.
        shots: PennyLane's default for QNodes; set them on the QNode instead.
        seed: as for :class:`QcsimQubit`.
        num_threads: as for :func:`qcsim.probabilities`.
        method: as for :func:`qcsim.probabilities`.
        readout_prob: probability that a measured bit is misread, 0..1; None: none is.

    Example:
        >>> import pennylane as qml
        >>> @qml.qnode(qml.device("qcsim.mixed", wires=1))
        ... def damped():
        ...     qml.PauliX(0)
        ...     qml.AmplitudeDamping(0.25, wires=0)
        ...     return qml.probs(wires=0)
        >>> damped().round(3)
        array([0.25, 0.75])
    """

    mixed = True

    def __init__(
        self,
        wires: int | Iterable[Any] | None = None,
        shots: Any = None,
        seed: Any = "global",
        num_threads: int | None = None,
        method: str = "auto",
        readout_prob: float | None = None,
    ) -> None:
        super().__init__(wires, shots, seed, num_threads, method, readout_prob)

    @property
    def name(self) -> str:
        """Of the device."""
        return "qcsim.mixed"


def _has_trainable_noise(circuit: Any) -> bool:
    """Rates are constants here; PennyLane can still take finite differences."""
    return any(channels.is_channel(op) and any(map(requires_grad, op.data)) for op in circuit.operations)


def _has_adjoint(mp: Any, mixed: bool) -> bool:
    """Whether a measurement's gradient needs no torch."""
    if isinstance(mp, mps.StateMP):
        return not mixed and not isinstance(mp, mps.DensityMatrixMP)
    if isinstance(mp, mps.ProbabilityMP):
        return True
    if not isinstance(mp, (mps.ExpectationMP, mps.VarianceMP)):
        return False
    if mp.obs is None:
        return True
    if is_live(mp.obs):
        return isinstance(mp, mps.ExpectationMP) and words(mp.obs) is not None
    return wire_sum(mp.obs) is not None


def _settled(given: Any) -> dict[str, Any]:
    return {name: None if array is None else settled(array) for name, array in given._asdict().items()}


def _widened(result: Any) -> Any:
    """As JAX expects it: in double precision, which JAX narrows by its own setting."""
    if isinstance(result, (tuple, list)):
        return tuple(map(_widened, result))
    if isinstance(result, dict) or np.asarray(result).dtype.kind not in "fc":
        return result
    return np.asarray(result, np.complex128 if np.iscomplexobj(result) else np.float64)
