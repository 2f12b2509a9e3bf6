"""PennyLane's lightning.qubit with adjoint gradients: no batch, so a loop over a few samples stands for all."""

from __future__ import annotations

from typing import Any

import numpy as np
import pennylane as qml
from pennylane import numpy as pnp
from work import Inputs, Program, Work

from rivals import Maker
from rivals.pennylane_ml import gates

TAKEN = 4  # samples timed


def make(work: Work, inputs: Inputs, name: str = "lightning.qubit") -> Program:
    precision = np.complex128 if work.dtype == "float64" else np.complex64
    device = qml.device(name, wires=work.n, c_dtype=precision)
    taken = min(TAKEN, work.batch)
    qubits = range(1 if work.kind == "large" else work.n)

    @qml.qnode(device, interface="autograd", diff_method=None)
    def outputs_of(weights: Any, sample: Any) -> Any:
        gates(work, weights, sample)
        return [qml.expval(qml.Z(q)) for q in qubits] if work.kind != "reference" else qml.probs(range(work.n))

    @qml.qnode(device, interface="autograd", diff_method="adjoint")
    def loss_of(weights: Any, sample: Any, cotangent: Any) -> Any:
        gates(work, weights, sample)
        return qml.expval(qml.dot(cotangent, [qml.Z(q) for q in qubits]))

    rows = [None] * taken if inputs.samples is None else list(inputs.samples[:taken])

    def forward() -> Any:
        return np.stack([np.stack(outputs_of(inputs.weights, row)) for row in rows])

    note = f"a loop over {taken} samples" if work.batch > 1 else ""
    if work.kind == "reference":
        return Program(forward, None, taken, note="adjoint gradients of probabilities or input states are not offered")
    slopes_of = qml.grad(loss_of, argnums=0 if inputs.samples is None else [0, 1])
    trained = pnp.array(inputs.weights, requires_grad=True)

    def step() -> tuple[Any, Any, Any]:
        slopes = []
        for row, cotangent in zip(rows, inputs.cotangent, strict=False):
            slopes.append(slopes_of(trained, None if row is None else pnp.array(row, requires_grad=True), cotangent))
        if inputs.samples is None:
            return None, np.sum(slopes, axis=0), None
        return None, np.sum([s[0] for s in slopes], axis=0), np.stack([s[1] for s in slopes])

    return Program(forward, step, taken, note=note)


MAKERS: dict[str, Maker] = {"PennyLane lightning.qubit": make}
