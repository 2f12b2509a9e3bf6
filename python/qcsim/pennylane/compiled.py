"""QNodes without PennyLane at each call: their structure is found once for arguments of the same shapes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Hashable
from typing import Any, NamedTuple

import numpy as np
import pennylane as qml

from qcsim.array_kinds import is_torch
from qcsim.pennylane.convert import assigned
from qcsim.pennylane.devices import QcsimMixed, QcsimQubit
from qcsim.pennylane.inputs import Inputs
from qcsim.pennylane.recipe import Recipe
from qcsim.pennylane.results import analytic
from qcsim.pennylane.trace import TapeMaker, trace


def compiled(qnode: Any) -> Callable[..., Any]:
    """The function of a QNode without PennyLane's work at each call, which takes longer than that of the engine.

    The QNode is followed once for arguments of new shapes: which entry of which argument each angle comes from, and
    what is measured. Further calls go straight to the engine. As under ``jax.jit``, Python code in the QNode runs when
    it is followed and not again, and arguments that are no floating-point arrays are settings.

    Args:
        qnode: on ``qcsim.qubit`` or ``qcsim.mixed``, analytic, without transforms; every angle a multiple of one entry
            of an argument plus a constant, input states an argument as it stands.

    Returns:
        A function of the arguments of the QNode that returns what the QNode returns, differentiable for torch tensors.

    Raises:
        ValueError: when called, if the structure of the circuit depends on values, or a number of it on more than one
            entry.
        TypeError: for anything but a QNode on one of these devices.

    Example:
        >>> import pennylane as qml, torch
        >>> from qcsim.pennylane import compiled
        >>> @compiled
        ... @qml.qnode(qml.device("qcsim.qubit", wires=1))
        ... def turned(x):
        ...     qml.RY(x, wires=0)
        ...     return qml.expval(qml.PauliZ(0))
        >>> turned(torch.tensor([0.0, torch.pi])).tolist()
        [1.0, -1.0]
    """
    if not isinstance(qnode, qml.QNode) or not isinstance(qnode.device, (QcsimQubit, QcsimMixed)):
        raise TypeError(f"compiled takes a QNode on qcsim.qubit or qcsim.mixed, got {qnode!r}")
    if qnode.shots:
        raise ValueError(f"the QNode has {qnode.shots.total_shots} shots; only analytic results are compiled")
    names = inspect.signature(qnode.func)
    known: dict[Hashable, _Program] = {}

    def call(*args: Any, **kwargs: Any) -> Any:
        values = names.bind(*args, **kwargs).arguments
        key = tuple([_form(value) for value in values.values()])
        program = known.get(key)
        if program is None:
            program = known[key] = _program(qnode, values)
        return program(values)

    return call


class _Program(NamedTuple):
    """What runs for arguments of some shapes."""

    tape: Any
    recipe: Recipe
    weights: tuple[str, ...]
    features: tuple[str, ...]
    amplitudes: str
    listed: bool

    def __call__(self, values: Any) -> Any:
        circuit = self.recipe.plans[0].circuit
        weights = [values[name].reshape(-1) for name in self.weights]
        batch = self.tape.batch_size
        features = [values[name].reshape(batch, -1) for name in self.features]
        state = values[self.amplitudes] if self.amplitudes else None
        joined = _joined(weights, 0)
        if joined is None:
            joined = _nothing([*features, state])
        columns = _joined(features, 1)
        norm = (abs(state) ** 2).sum(-1) if state is not None and self.recipe.layout.scaled else None
        given = Inputs(
            joined[: circuit.n_weights], state, None if columns is None else columns[:, : circuit.n_features], norm
        )
        results = analytic(self.tape, self.recipe, given)
        return list(results if isinstance(results, tuple) else (results,)) if self.listed else results


def _program(qnode: Any, values: Any) -> _Program:
    maker = TapeMaker(qnode, qnode.device)
    settings = [name for name, value in values.items() if not hasattr(value, "shape")]
    found = trace(maker, qnode.device, values, settings)
    features = tuple(dict.fromkeys(link.argument for link in found.features if link.argument))
    weights = tuple(dict.fromkeys(link.argument for link in found.weights if link.argument))
    base = assigned(found, {name: values[name] for name in (*weights, *features)}, features)
    recipe = qnode.device.recipe_on(found.tape, base)
    return _Program(found.tape, recipe, weights, features, found.amplitudes, isinstance(maker.output, list))


def _form(value: Any) -> Any:
    """Shape and precision of an array, whether it is torch's; other things as they are."""
    if hasattr(value, "shape"):
        return is_torch(value), tuple(value.shape), str(value.dtype)
    return value


def _joined(arrays: list[Any], axis: int) -> Any:
    if len(arrays) < 2:
        return arrays[0] if arrays else None
    if is_torch(arrays[0]):
        import torch

        return torch.cat(arrays, axis)
    return np.concatenate(arrays, axis)


def _nothing(others: list[Any]) -> Any:
    """No weights, of the kind of the other arrays."""
    like = next((each for each in others if each is not None), np.empty(0))
    return like.real.reshape(-1)[:0]
