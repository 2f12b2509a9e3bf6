"""qsim through cirq: single precision, one state at a time, forward only."""

from __future__ import annotations

import os
from typing import Any

import cirq
import numpy as np
import qsimcirq
from work import Inputs, Program, Work

from rivals import Maker, Unsupported

TAKEN = 4  # samples timed


def u3(theta: float, phi: float, lam: float, qubit: Any) -> list[Any]:
    """U3 up to a phase, in qsim's native gates."""
    return [cirq.rz(lam)(qubit), cirq.ry(theta)(qubit), cirq.rz(phi)(qubit)]


def build(work: Work, inputs: Inputs, row: int, qubits: list[Any]) -> Any:
    operations: list[Any] = []
    if work.kind == "complex":
        assert inputs.samples is not None
        operations += [cirq.rx(float(inputs.samples[row, q]))(qubits[q]) for q in range(work.n)]
    angles = inputs.weights.reshape(work.layers, work.n, -1).astype(np.float64)
    for layer in range(work.layers):
        for q in range(work.n):
            if work.kind == "complex":
                operations += u3(*angles[layer, q], qubits[q])
            else:
                operations.append(cirq.ry(angles[layer, q, 0])(qubits[q]))
        operations += [cirq.CNOT(qubits[q], qubits[(q + 1) % work.n]) for q in range(work.n if work.n > 1 else 0)]
    return cirq.Circuit(operations)


def make(work: Work, inputs: Inputs) -> Program:
    if work.dtype != "float32":
        raise Unsupported("complex64 only")
    taken = min(TAKEN, work.batch)
    qubits = cirq.LineQubit.range(work.n)
    threads = int(os.environ.get("OMP_NUM_THREADS", "1"))
    options = qsimcirq.QSimOptions(max_fused_gate_size=4, cpu_threads=threads)
    simulator = qsimcirq.QSimSimulator(options)
    circuits = [build(work, inputs, row, qubits) for row in range(taken)]
    observables = [cirq.Z(qubit) for qubit in (qubits[:1] if work.kind == "large" else qubits)]
    starts = None
    if work.kind == "reference":
        assert inputs.samples is not None
        starts = inputs.samples[:taken] / np.linalg.norm(inputs.samples[:taken], axis=1, keepdims=True)

    def outputs_of(row: int) -> Any:
        if starts is None:
            return np.real(simulator.simulate_expectation_values(circuits[row], observables, qubit_order=qubits))
        start = starts[row].astype(np.complex64)
        final = simulator.simulate(circuits[row], qubit_order=qubits, initial_state=start)
        return np.abs(final.final_state_vector) ** 2

    def forward() -> Any:
        return np.array([outputs_of(row) for row in range(taken)])

    return Program(forward, None, taken, note=f"no gradients; a loop over {taken} samples")


MAKERS: dict[str, Maker] = {"qsim": make}
