"""Circuits from PennyLane's tapes, QNodes and torch layers, and layers of those circuits."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import pennylane as qml

from qcsim.angles import Angle, feature, weight
from qcsim.circuit import Circuit
from qcsim.pennylane.devices import QcsimMixed
from qcsim.pennylane.inputs import settled
from qcsim.pennylane.observables import on_qubits, wire_sum
from qcsim.pennylane.structure import Base
from qcsim.pennylane.trace import Link, TapeMaker, Trace, fit, is_array, named, trace

if TYPE_CHECKING:
    from qcsim.nn import QuantumLayer


def from_pennylane(source: Any, *args: Any, features: str | Iterable[str] = (), **kwargs: Any) -> Circuit:
    """The circuit of a QNode, a torch layer or a tape, its measurements left out.

    Of a QNode the circuit takes its weights from the entries of the arguments, row by row and one argument after
    another, as ``torch.nn.utils.parameters_to_vector`` has them; arguments named in ``features`` give the features in
    the same way, or the amplitudes if embedded. Any other number is a constant. Of a tape the trainable parameters
    become weights, batches of numbers features, each in their order. Operations that the engine does not have are
    decomposed, mid-circuit measurements deferred.

    Args:
        source: a QNode, a ``qml.qnn.TorchLayer``, whose inputs are features, or a ``qml.tape.QuantumScript``.
        args: arguments of the QNode (of a layer: its inputs), arrays of any values in the shapes that it takes;
            features with or without a batch axis.
        features: names of the arguments that differ from sample to sample.
        kwargs: keyword arguments of the QNode.

    Returns:
        A :class:`qcsim.Circuit` with the gates and the noise of the source. Its qubits are the wires of the device that
        are used, in their order (of a tape: in the order of ``tape.wires``), but wires that a state is embedded in come
        last.

    Raises:
        ValueError: if the structure depends on the values of arguments, or an angle on more than one entry.
        TypeError: for a source of another kind.

    Example:
        >>> import numpy as np, pennylane as qml, qcsim
        >>> @qml.qnode(qml.device("default.qubit", wires=2))
        ... def qnode(x, w):
        ...     qml.RY(2 * x[0], wires=0)
        ...     qml.RX(w[1], wires=1)
        ...     qml.CNOT(wires=[0, 1])
        ...     return qml.probs(wires=1)
        >>> print(qcsim.from_pennylane(qnode, np.ones(1), np.ones(2), features="x"))
        q0: ─RY(2f0)─●─
        q1: ─RX(w1)──X─
    """
    return _followed(source, args, kwargs, features)[0]


def quantum_layer(layer: Any, inputs: Any) -> QuantumLayer:
    """A ``qml.qnn.TorchLayer`` as a :class:`qcsim.nn.QuantumLayer` with the same weights and the same outputs.

    Args:
        layer: whose QNode returns expectations, or the probabilities of some wires.
        inputs: (B, F) or (F,), any values.

    Returns:
        The layer; its ``weights`` are those of the other, row by row and one after another in the order of the QNode's
        arguments.

    Raises:
        ValueError: as :func:`from_pennylane`, and for other measurements.

    Example:
        >>> import pennylane as qml, torch
        >>> from qcsim.pennylane import quantum_layer
        >>> @qml.qnode(qml.device("default.qubit", wires=3))
        ... def qnode(inputs, weights):
        ...     qml.AngleEmbedding(inputs, wires=range(3))
        ...     qml.BasicEntanglerLayers(weights, wires=range(3))
        ...     return [qml.expval(qml.PauliZ(wire)) for wire in range(3)]
        >>> slow = qml.qnn.TorchLayer(qnode, {"weights": (2, 3)})
        >>> fast = quantum_layer(slow, torch.zeros(1, 3))
        >>> x = torch.randn(5, 3)
        >>> torch.allclose(fast(x), slow(x).to(torch.float32), atol=1e-5)
        True
    """
    import torch

    from qcsim.nn import QuantumLayer

    circuit, found = _followed(layer, (inputs,), {}, ())
    measure, qubits = _measured(found)
    parameters = [
        layer.qnode_weights[name]
        for name in named(layer.qnode, (), _call(layer, inputs))
        if name in layer.qnode_weights
    ]
    values = torch.cat([parameter.detach().ravel() for parameter in parameters]) if parameters else torch.empty(0)
    made = QuantumLayer(circuit, measure, qubits=qubits, dtype=values.dtype)
    with torch.no_grad():
        made.weights.copy_(values[: circuit.n_weights])
    return made


def _followed(
    source: Any, args: Any, kwargs: Mapping[str, Any], features: str | Iterable[str]
) -> tuple[Circuit, Trace]:
    if isinstance(source, qml.tape.QuantumScript):
        device = QcsimMixed(wires=source.wires)
        values = _parameters(source)
        found = trace(lambda at: fit(_bound(source, at), device), device, values)
        batched = {link.argument for link in found.features}
        return assigned(found, values, batched | {found.amplitudes}).circuit, found
    chosen = {features} if isinstance(features, str) else set(features)
    if hasattr(source, "qnode_weights"):
        (inputs,) = args
        return _followed(source.qnode, (), _call(source, inputs), source.input_arg)
    if not isinstance(source, qml.QNode):
        raise TypeError(f"source is a {type(source).__name__}; it must be a QNode, a TorchLayer or a tape")
    values = named(source, args, kwargs)
    if not chosen <= set(values):
        raise ValueError(f"features names {sorted(chosen - set(values))}; the arguments are {', '.join(values)}")
    device = QcsimMixed(wires=source.device.wires)
    found = trace(TapeMaker(source, device), device, values)
    return assigned(found, values, chosen).circuit, found


def assigned(found: Trace, values: Mapping[str, Any], samples: Collection[str]) -> Base:
    """The circuit of a trace with the entries of arguments as weights and, of those in ``samples``, as features."""
    batch = found.tape.batch_size or 1
    places: dict[str, int] = {}
    counts = {True: 0, False: 0}
    for name, value in values.items():
        if name == found.amplitudes or not is_array(value):
            continue
        places[name] = counts[name in samples]
        counts[name in samples] += settled(value).size // (batch if name in samples and found.features else 1)

    def angle(link: Link) -> Angle:
        return link.angle(feature if link.argument in samples else weight, places.get(link.argument, 0))

    strays = {link.argument for link in found.features} - {*samples, ""}
    if strays:
        raise ValueError(f"{', '.join(sorted(strays))} has a batch axis; name it in features")
    circuit = found.base.circuit.assign(weights=[*map(angle, found.weights)], features=[*map(angle, found.features)])
    return found.base._replace(circuit=circuit)


def _call(layer: Any, inputs: Any) -> dict[str, Any]:
    return {layer.input_arg: inputs, **layer.qnode_weights}


def _parameters(tape: Any) -> dict[str, Any]:
    """The trainable parameters of a tape that are angles or states, by their numbers."""
    given = tape.get_parameters(trainable_only=False)
    first = len(tape.operations[0].data) if tape.num_preps else 0
    return {str(k): settled(given[k]).astype(float) for k in tape.trainable_params
            if k < first or qml.math.ndim(given[k]) < 2}  # fmt: skip


def _bound(tape: Any, values: Mapping[str, Any]) -> Any:
    return tape.bind_new_parameters([*values.values()], [*map(int, values)])


def _measured(found: Trace) -> tuple[Any, Any]:
    """What a layer measures, and of which qubits."""
    measurements, qubit_of = found.tape.measurements, found.base.qubit_of
    if all(isinstance(mp, qml.measurements.ExpectationMP) for mp in measurements):
        sums = [None if mp.obs is None else wire_sum(mp.obs) for mp in measurements]
        if None not in sums:
            return [on_qubits(terms, qubit_of) for terms in sums if terms is not None], None
    if (
        len(measurements) == 1
        and isinstance(measurements[0], qml.measurements.ProbabilityMP)
        and not measurements[0].obs
    ):
        return "probabilities", [qubit_of[wire] for wire in measurements[0].wires or found.tape.wires]
    raise ValueError("a layer returns expectations of Pauli words and their sums, or the probabilities of some wires")
