"""PennyLane's default.qubit with torch: the batch by broadcasting, gradients by backpropagation."""

from __future__ import annotations

from typing import Any

import pennylane as qml
import torch
from work import Inputs, Program, Work, signs

from rivals import Maker, Unsupported


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


def make(work: Work, inputs: Inputs) -> Program:
    if work.n > 20:
        raise Unsupported("takes minutes above 20 qubits")
    device = qml.device("default.qubit", wires=work.n)
    diagonals = None if work.kind == "reference" else torch.from_numpy(signs(work.n, work.kind))

    @qml.qnode(device, interface="torch", diff_method="backprop")
    def node(weights: Any, samples: Any) -> Any:
        gates(work, weights, samples)
        return qml.probs(range(work.n))

    weights = torch.from_numpy(inputs.weights).requires_grad_()
    samples = None if inputs.samples is None else torch.from_numpy(inputs.samples).requires_grad_()
    cotangent = torch.from_numpy(inputs.cotangent)
    asked = [weights] if samples is None else [weights, samples]

    def run() -> Any:
        outputs = node(weights, samples).reshape(work.batch, -1)
        return outputs if diagonals is None else outputs @ diagonals.to(outputs.dtype)

    def forward() -> Any:
        with torch.no_grad():
            return run()

    def step() -> tuple[Any, Any, Any]:
        outputs = run()
        by_weights, *by_samples = torch.autograd.grad(outputs, asked, cotangent.to(outputs.dtype))
        return outputs, by_weights, by_samples[0] if by_samples else None

    return Program(forward, step, work.batch, lambda tensor: tensor.detach().numpy())


MAKERS: dict[str, Maker] = {"PennyLane default.qubit": make}
