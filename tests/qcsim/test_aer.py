"""Qiskit Aer gives the same density matrices: the channels are those that the rest of the world means.

Qiskit's qubit 0 is the least significant bit: qubit q here is its qubit n-1-q, and a matrix needs no reordering.
"""

from __future__ import annotations

import numpy as np
import pytest

import qcsim
from oracle import dense, noisy
from oracle.circuits import Case
from oracle.dense import EMBEDDING, Array
from oracle.noisy import Channel, channel
from oracle.noisy_circuits import LOCAL, NoisyCase, build, random_channel, random_noisy_case

qiskit = pytest.importorskip("qiskit")
aer = pytest.importorskip("qiskit_aer")
errors = pytest.importorskip("qiskit_aer.noise")

from test_qiskit import add  # noqa: E402  (it needs qiskit)


def error_of(item: Channel):
    """The quantum error that Aer has by the name of a channel."""
    name, rates = item.gate, item.rates
    if name == "depolarizing":
        return errors.depolarizing_error(rates[0], len(item.qubits))
    if name in ("bit_flip", "phase_flip", "bit_phase_flip"):
        letter = {"bit_flip": "X", "phase_flip": "Z", "bit_phase_flip": "Y"}[name]
        return errors.pauli_error([(letter, rates[0]), ("I", 1 - rates[0])])
    if name == "pauli":
        return errors.pauli_error([*zip("XYZ", rates, strict=True), ("I", max(0.0, 1 - sum(rates)))])
    if name == "amplitude_damping":
        return errors.amplitude_damping_error(rates[0], excited_state_population=rates[1])
    if name == "phase_damping":
        return errors.phase_damping_error(rates[0])
    if name == "thermal_relaxation":
        return errors.thermal_relaxation_error(*rates)
    return errors.kraus_error([np.array(matrix) for matrix in item.matrices])


def true_density_matrix(case: Case, row: int) -> Array:
    """(2^n, 2^n) from Aer's density-matrix simulator, for one sample."""
    point = dense.Inputs(*(None if a is None else a[min(row, len(a) - 1)][None] for a in case.point))
    n, circuit = case.n, qiskit.QuantumCircuit(case.n)
    start = dense.initial_state(n, case.instructions, case.point)[row]
    circuit.set_density_matrix(np.outer(start, start.conj()))
    for item in case.instructions:
        if isinstance(item, Channel):
            qubits = [n - 1 - q for q in item.qubits or range(n)][::-1]
            circuit.append(error_of(item._replace(qubits=tuple(item.qubits or range(n)))).to_instruction(), qubits)
        elif item != EMBEDDING:
            add(circuit, item, [float(dense.radians(angle, point)[0]) for angle in item.angles])
    circuit.save_density_matrix()
    simulator = aer.AerSimulator(method="density_matrix")
    flat = circuit.decompose(gates_to_decompose=["ccz", "mcphase", "c3z", "c4z", "unitary*", "cu"])
    return (
        simulator.run(qiskit.transpile(flat, simulator, optimization_level=0)).result().data(0)["density_matrix"].data
    )


def one_channel(name: str, seed: int) -> Case:
    """A random channel of a name on a random state of three qubits."""
    rng = np.random.default_rng(seed)
    program = [EMBEDDING, random_channel(rng, 3, [name])]
    amplitudes = rng.normal(size=(1, 8)) + 1j * rng.normal(size=(1, 8))
    return NoisyCase(seed, 3, program, np.zeros(0), amplitudes, None, None, ())


def library_density_matrices(case: Case) -> Array:
    """(B, 2^n, 2^n) from qcsim."""
    rho = qcsim.density_matrix(case.circuit(), case.weights, **case.inputs)
    return np.reshape(rho, (-1, 2**case.n, 2**case.n))


@pytest.mark.parametrize("name", LOCAL)
def test_every_channel_of_the_oracle_is_the_one_that_aer_has(name: str) -> None:
    for case in (one_channel(name, seed) for seed in range(6)):
        value = noisy.density_matrices(3, case.instructions, case.point)[0]
        np.testing.assert_allclose(value, true_density_matrix(case, 0), atol=1e-9, err_msg=str(case))


@pytest.mark.parametrize("name", LOCAL)
def test_every_channel_is_the_one_that_aer_has(name: str) -> None:
    for case in (one_channel(name, seed) for seed in range(6)):
        value = library_density_matrices(case)[0]
        np.testing.assert_allclose(value, true_density_matrix(case, 0), atol=1e-9, err_msg=str(case))


@pytest.mark.parametrize("seed", range(30))
def test_the_oracle_agrees_with_aer_on_random_noisy_circuits(seed: int) -> None:
    case = random_noisy_case(800 + seed, names=LOCAL)
    value = noisy.density_matrices(case.n, case.instructions, case.point)
    for row, rho in enumerate(value):
        np.testing.assert_allclose(rho, true_density_matrix(case, row), atol=1e-9, err_msg=str(case))


@pytest.mark.parametrize("seed", range(30))
def test_random_noisy_circuits_agree_with_aer(seed: int) -> None:
    case = random_noisy_case(800 + seed, names=LOCAL)
    for row, rho in enumerate(library_density_matrices(case)):
        np.testing.assert_allclose(rho, true_density_matrix(case, row), atol=1e-9, err_msg=str(case))


def test_a_read_error_is_the_one_that_aer_has() -> None:
    p01, p10 = 0.1, 0.3
    law = errors.ReadoutError([[1 - p01, p01], [p10, 1 - p10]]).probabilities
    for state in (0, 1):
        program = [*([dense.gate("x", 0)] if state else []), channel("readout_error", [0], p01, p10)]
        np.testing.assert_allclose(qcsim.probabilities(build(1, program), np.zeros(0)), law[state], atol=1e-15)


def test_global_depolarizing_is_the_depolarizing_error_on_all_qubits() -> None:
    case = random_noisy_case(900, n=3, batch=1, names=["global"], count=2)
    for method in ("statevector", "density_matrix"):
        p = qcsim.probabilities(case.circuit(), case.weights, **case.inputs, method=method)
        truth = np.diag(true_density_matrix(case, 0)).real
        np.testing.assert_allclose(np.ravel(p), truth, atol=1e-9)
