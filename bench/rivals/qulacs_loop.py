"""qulacs: fast gates on one double-precision state or density matrix, no batch; its own backpropagation from |0..0>."""

from __future__ import annotations

from typing import Any

import numpy as np
import qulacs
from work import Inputs, Program, Work

from rivals import Maker

TAKEN = 16  # samples timed


def place(work: Work, qubit: int) -> int:
    """qulacs counts qubits from the least significant bit."""
    return work.n - 1 - qubit


def add_layers(work: Work, circuit: Any) -> None:
    """Layers with placeholders for the weights; U3 is RZ(phi) RY(theta) RZ(lam) up to a phase."""
    for _ in range(work.layers):
        for qubit in range(work.n):
            at = place(work, qubit)
            if work.kind == "complex":
                circuit.add_parametric_RZ_gate(at, 0.0)
                circuit.add_parametric_RY_gate(at, 0.0)
                circuit.add_parametric_RZ_gate(at, 0.0)
            else:
                circuit.add_parametric_RY_gate(at, 0.0)
        for qubit in range(work.n if work.n > 1 else 0):
            pair = place(work, qubit), place(work, (qubit + 1) % work.n)
            circuit.add_CNOT_gate(*pair)
            if work.kind == "noisy":  # the probability of one of the 15 words that are not the identity
                circuit.add_gate(qulacs.gate.TwoQubitDepolarizingNoise(*pair, work.rate * 15 / 16))


def mixed(work: Work, inputs: Inputs) -> Program:
    """Density matrices, forward only."""
    taken = min(4, work.batch)
    circuit = qulacs.ParametricQuantumCircuit(work.n)
    add_layers(work, circuit)
    for k, weight in enumerate(inputs.weights):
        circuit.set_parameter(k, -float(weight))
    state = qulacs.DensityMatrix(work.n)
    assert inputs.samples is not None
    amplitudes = inputs.samples[:taken].astype(np.float64)
    amplitudes /= np.linalg.norm(amplitudes, axis=1, keepdims=True)

    def forward() -> Any:
        found = []
        for row in amplitudes:
            state.load(row)
            circuit.update_quantum_state(state)
            found.append(state.get_matrix().diagonal().real)
        return np.array(found)

    return Program(forward, None, taken, note=f"double precision; a loop over {taken} samples")


def make(work: Work, inputs: Inputs) -> Program:
    if work.kind == "noisy":
        return mixed(work, inputs)
    taken = min(TAKEN, work.batch)
    circuit = qulacs.ParametricQuantumCircuit(work.n)
    encoded = work.n if work.kind == "complex" else 0
    for qubit in range(encoded):
        circuit.add_parametric_RX_gate(place(work, qubit), 0.0)
    add_layers(work, circuit)
    # qulacs rotates by exp(+i t P / 2); RZ first is lam, then theta, then phi.
    order = np.arange(work.n_weights)
    if work.kind == "complex":
        order = order.reshape(-1, 3)[:, [2, 0, 1]].ravel()
    for k, index in enumerate(order):
        circuit.set_parameter(encoded + k, -float(inputs.weights[index]))
    state = qulacs.QuantumState(work.n)
    qubits = range(1 if work.kind == "large" else work.n)
    observables = []
    for qubit in qubits:
        observables.append(qulacs.Observable(work.n))
        observables[-1].add_operator(1.0, f"Z {place(work, qubit)}")

    def start(row: int) -> None:
        if work.kind == "reference":
            assert inputs.samples is not None
            amplitudes = inputs.samples[row].astype(np.float64)
            state.load(amplitudes / np.linalg.norm(amplitudes))
            return
        state.set_zero_state()
        for qubit in range(encoded):
            assert inputs.samples is not None
            circuit.set_parameter(qubit, -float(inputs.samples[row, qubit]))

    def outputs_of(row: int) -> Any:
        start(row)
        circuit.update_quantum_state(state)
        if work.kind == "reference":
            return np.abs(state.get_vector()) ** 2
        return [observable.get_expectation_value(state) for observable in observables]

    def forward() -> Any:
        return np.array([outputs_of(row) for row in range(taken)])

    note = f"double precision; a loop over {taken} samples" if work.batch > 1 else "double precision"
    if work.kind == "reference":
        return Program(forward, None, taken, note="no gradient where the state is an input; double precision")

    def slopes_of(row: int) -> Any:
        start(row)
        loss = qulacs.Observable(work.n)
        for qubit, coefficient in zip(qubits, inputs.cotangent[row], strict=True):
            loss.add_operator(float(coefficient), f"Z {place(work, qubit)}")
        return -np.array(circuit.backprop(loss))

    def step() -> tuple[Any, Any, Any]:
        slopes = np.array([slopes_of(row) for row in range(taken)])
        by_weights = np.zeros(work.n_weights)
        by_weights[order] = slopes[:, encoded:].sum(axis=0)
        return None, by_weights, slopes[:, :encoded] if encoded else None

    return Program(forward, step, taken, note=note)


MAKERS: dict[str, Maker] = {"qulacs": make}
