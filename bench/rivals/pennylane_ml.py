"""PennyLane's default.qubit with torch: the batch by broadcasting, gradients by backpropagation."""

from __future__ import annotations

from typing import Any

import pennylane as qml
import torch
from work import Work, signs

from rivals import Maker, Unsupported
from rivals.torch_hand import Run, maker


def gates(work: Work, weights: Any, samples: Any) -> None:
    """The circuit in PennyLane's words; samples (B, D), (B, n) or None."""
    wires = range(work.n)
    if work.kind == "reference":
        qml.AmplitudeEmbedding(samples, wires, normalize=True)
    if work.kind == "complex":
        for qubit in wires:
            qml.RX(samples[..., qubit], qubit)
    angles = weights.reshape(work.layers, work.n, -1)
    for layer in range(work.layers):
        for qubit in wires:
            if work.kind == "complex":
                qml.U3(angles[layer, qubit, 0], angles[layer, qubit, 1], angles[layer, qubit, 2], qubit)
            else:
                qml.RY(angles[layer, qubit, 0], qubit)
        for qubit in wires if work.n > 1 else ():
            qml.CNOT([qubit, (qubit + 1) % work.n])


def run_of(work: Work) -> Run:
    """The circuit as a differentiable function of tensors, on whatever device they are."""
    if work.n > 20:
        raise Unsupported("takes minutes above 20 qubits")
    device = qml.device("default.qubit", wires=work.n)
    diagonals = None if work.kind == "reference" else torch.from_numpy(signs(work.n, work.kind))

    @qml.qnode(device, interface="torch", diff_method="backprop")
    def node(weights: Any, samples: Any) -> Any:
        gates(work, weights, samples)
        return qml.probs(range(work.n))

    def run(weights: Any, samples: Any) -> Any:
        outputs = node(weights, samples).reshape(work.batch, -1)
        return outputs if diagonals is None else outputs @ diagonals.to(outputs.dtype)

    return run


MAKERS: dict[str, Maker] = {"PennyLane default.qubit": maker(run_of)}
