"""PennyLane's default.mixed with torch: broadcasting and backpropagation; a two-qubit channel by its Kraus matrices."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pennylane as qml
import torch
from work import Inputs, Program, Work

from rivals import Maker

LARGEST = 2**16  # entries of the density matrices that are run together: fewer or more take longer a sample


def kraus(rate: float) -> list[Any]:
    """The 16 matrices of (1-e) rho + e I/4 (x) Tr rho."""
    paulis = [np.eye(2), np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]]), np.diag([1, -1])]
    words = [np.kron(first, second) for first, second in itertools.product(paulis, paulis)]
    return [np.sqrt(1 - rate * 15 / 16 if k == 0 else rate / 16) * word for k, word in enumerate(words)]


def make(work: Work, inputs: Inputs) -> Program:
    device = qml.device("default.mixed", wires=work.n)
    channel = [torch.from_numpy(matrix).to(torch.complex128) for matrix in kraus(work.rate)]
    wires = range(work.n)

    @qml.qnode(device, interface="torch", diff_method="backprop")
    def node(weights: Any, samples: Any) -> Any:
        qml.AmplitudeEmbedding(samples, wires, normalize=True)
        for layer in weights.reshape(work.layers, work.n):
            for qubit in wires:
                qml.RY(layer[qubit], qubit)
            for qubit in wires if work.n > 1 else ():
                pair = [qubit, (qubit + 1) % work.n]
                qml.CNOT(pair)
                qml.QubitChannel(channel, pair)
        return qml.probs(wires)

    taken = max(1, min(work.batch, LARGEST // 4**work.n))
    weights = torch.from_numpy(inputs.weights).requires_grad_()
    samples = torch.from_numpy(inputs.samples[:taken]).requires_grad_()
    cotangent = torch.from_numpy(inputs.cotangent[:taken])

    def run() -> Any:
        return node(weights, samples).reshape(taken, -1)

    def forward() -> Any:
        with torch.no_grad():
            return run()

    def step() -> tuple[Any, Any, Any]:
        outputs = run()
        by_weights, by_samples = torch.autograd.grad(outputs, [weights, samples], cotangent.to(outputs.dtype))
        return outputs, by_weights, by_samples

    small = taken * 4**work.n <= LARGEST
    note = (f"{taken} samples together" if taken > 1 else "one sample") + (
        "" if small else "; no gradients, whose tape would fill the memory"
    )
    return Program(forward, step if small else None, taken, lambda tensor: tensor.detach().numpy(), note)


MAKERS: dict[str, Maker] = {"PennyLane default.mixed": make}
