"""Qiskit Aer in single precision: circuits bound in one call, forward only. Density matrices where there is noise."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from qiskit import QuantumCircuit, transpile
from qiskit.circuit.library import U3Gate
from qiskit.quantum_info import DensityMatrix, Pauli
from qiskit_aer import AerSimulator
from qiskit_aer.noise import NoiseModel, depolarizing_error
from work import EMBEDDED, Inputs, Program, Work

from rivals import Maker

TAKEN = 16  # samples timed


def build(work: Work, inputs: Inputs, row: int) -> Any:
    """The circuit of one sample; the first qubit is the last of qiskit's, which is its most significant."""
    circuit = QuantumCircuit(work.n)
    place = [work.n - 1 - qubit for qubit in range(work.n)]
    if work.kind in EMBEDDED:
        assert inputs.samples is not None
        amplitudes = inputs.samples[row].astype(np.float64)
        amplitudes /= np.linalg.norm(amplitudes)
        if work.kind == "noisy":
            circuit.set_density_matrix(DensityMatrix(np.outer(amplitudes, amplitudes)))
        else:
            circuit.set_statevector(amplitudes)
    if work.kind == "complex":
        assert inputs.samples is not None
        for qubit in range(work.n):
            circuit.rx(float(inputs.samples[row, qubit]), place[qubit])
    angles = inputs.weights.reshape(work.layers, work.n, -1).astype(np.float64)
    for layer in range(work.layers):
        for qubit in range(work.n):
            if work.kind == "complex":
                circuit.append(U3Gate(*angles[layer, qubit]), [place[qubit]])
            else:
                circuit.ry(angles[layer, qubit, 0], place[qubit])
        for qubit in range(work.n if work.n > 1 else 0):
            circuit.cx(place[qubit], place[(qubit + 1) % work.n])
    if work.kind in EMBEDDED:
        circuit.save_probabilities(label="0")
    for qubit in range({"complex": work.n, "large": 1}.get(work.kind, 0)):
        circuit.save_expectation_value(Pauli("Z"), [place[qubit]], label=str(qubit))
    return circuit


def simulator_of(work: Work) -> Any:
    """The method that the circuit needs; `depolarizing_error(e, k)` is (1-e) rho + e I/2^k (x) Tr rho."""
    precision = "double" if work.dtype == "float64" else "single"
    options = {"precision": precision, "max_parallel_threads": int(os.environ.get("OMP_NUM_THREADS", "1"))}
    if work.kind != "noisy":
        return AerSimulator(method="statevector", **options)
    noise = NoiseModel()
    noise.add_all_qubit_quantum_error(depolarizing_error(work.rate, 2), ["cx"])
    return AerSimulator(method="density_matrix", noise_model=noise, **options)


def make(work: Work, inputs: Inputs) -> Program:
    taken = min(TAKEN, work.batch)
    simulator = simulator_of(work)
    circuits = transpile([build(work, inputs, row) for row in range(taken)], simulator, optimization_level=0)

    def forward() -> Any:
        result = simulator.run(circuits, shots=1).result()
        found = [result.data(row) for row in range(taken)]
        if work.kind in EMBEDDED:
            return np.array([data["0"] for data in found])
        return np.array([[data[str(qubit)] for qubit in range(len(data))] for data in found])

    return Program(forward, None, taken, note="no gradients; building the circuits is not counted")


MAKERS: dict[str, Maker] = {"Qiskit Aer": make}
