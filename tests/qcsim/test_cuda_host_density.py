"""Density matrices through the bodies of the CUDA kernels on the host, against the CPU engine and the oracle."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from cuda_host import DTYPES, HOST, Run, aligned, assert_as_cpu, assert_close

import qcsim
from oracle import noisy
from oracle.circuits import Case, reference_case
from oracle.noisy_circuits import ALL_CHANNELS, noisy_batch, random_noisy_case
from qcsim.cuda import Host, Program

DENSITY = "density_matrix"


def everything(case: Case) -> tuple[Any, ...]:
    """Every kind of readout that a density matrix has, side by side."""
    return qcsim.Probabilities(case.qubits), qcsim.Expval(case.observables), qcsim.DensityMatrix(case.qubits)


def as_cpu(case: Case, circuit: qcsim.Circuit | None = None) -> None:
    """All readouts and gradients agree with the CPU engine's."""
    assert_as_cpu(case, *everything(case), circuit=circuit, method=DENSITY)


def noisy_layers(n: int, layers: int, *channels: Any) -> qcsim.Circuit:
    """The hardware-efficient circuit with channels behind every CNOT."""
    circuit = qcsim.hardware_efficient(n, layers)
    for each in channels:
        circuit = circuit.with_noise(after="cnot", channel=each)
    return circuit


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("seed", range(50))
def test_a_random_noisy_circuit_and_its_gradients_are_those_of_the_cpu(seed: int, dtype: Any) -> None:
    as_cpu(random_noisy_case(seed).cast(dtype))


@pytest.mark.parametrize("name", ALL_CHANNELS)
def test_every_channel_and_its_gradients_are_those_of_the_oracle(name: str) -> None:
    for seed in range(3):
        case = noisy_batch(3000 + seed, batch=2, names=[name])
        measure = {"observables": case.observables}
        run = Run(case, qcsim.Expval(case.observables), method=DENSITY)
        truth = noisy.outputs(case.n, case.instructions, case.weights, **case.inputs, **measure)
        np.testing.assert_allclose(run.outputs, truth, atol=1e-11, err_msg=str(case))
        cotangent = np.random.default_rng(seed).normal(size=truth.shape)
        found = run.gradients(cotangent)
        expected = noisy.gradients(case.n, case.instructions, cotangent, case.weights, **case.inputs, **measure)
        for each, slope in found.items():
            scale = max(1.0, float(np.abs(slope).max(initial=0.0)))
            np.testing.assert_allclose(slope, getattr(expected, each), atol=1e-10 * scale, err_msg=str(case))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("real", [True, False], ids=["real", "complex"])
@pytest.mark.parametrize("n", range(1, 9))
def test_every_size_and_batches_that_fill_no_block_agree(n: int, real: bool, dtype: Any) -> None:
    case = noisy_batch(100 + n, batch=37 if n < 5 else 3, n=n, real=real, length=8).cast(dtype)
    as_cpu(replace(case, qubits=case.qubits and case.qubits[:3] if n > 6 else case.qubits))


@pytest.mark.parametrize(
    ("n", "dtype", "large"), [(6, np.float32, False), (6, np.float64, False), (7, np.float32, True)]
)
def test_what_fits_a_block_of_a_gpu_is_told(n: int, dtype: Any, large: bool) -> None:
    name = str(np.dtype(dtype))
    assert Program(qcsim.hardware_efficient(n, 1), (qcsim.Probabilities(),), name, method=DENSITY).is_large == large


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [2, 4, 6, 7])
def test_the_reference_circuit_with_noise_is_that_of_the_cpu(n: int, dtype: Any) -> None:
    case = reference_case(n, 3, layers=4, dtype=dtype)
    for channels in [(qcsim.Depolarizing(0.02),), (qcsim.AmplitudeDamping(0.05), qcsim.PhaseDamping(0.1))]:
        circuit = noisy_layers(n, 4, *channels)
        assert_as_cpu(case, qcsim.Probabilities(), qcsim.Expval(("Z0",)), circuit=circuit, method=DENSITY)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [3, 7])
@pytest.mark.parametrize("angle", [np.pi / 2, np.pi, 2.2, -1.5])
def test_deep_circuits_keep_their_numbers_in_range(angle: float, n: int, dtype: Any) -> None:
    layers = 40 if n == 3 else 12
    case = replace(reference_case(n, 2, layers=layers, dtype=dtype), weights=np.full(n * layers, angle, dtype))
    weak = qcsim.AmplitudeDamping(0.01) if n == 3 else qcsim.Depolarizing(0.01)
    circuit = noisy_layers(n, layers, weak)
    assert_as_cpu(case, qcsim.Probabilities((0, 2)), qcsim.Expval(("Z0", "X1 Z2")), circuit=circuit, method=DENSITY)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [1e-30, 1e30])
@pytest.mark.parametrize("n", [3, 7])
def test_amplitudes_of_any_size_are_normalised(n: int, size: float, dtype: Any) -> None:
    case, circuit = reference_case(n, 2, dtype=dtype), noisy_layers(n, 2, qcsim.Depolarizing(0.1))
    scaled = replace(case, amplitudes=(case.amplitudes * size).astype(dtype))
    plain, found = (Run(each, qcsim.Probabilities(), circuit=circuit, method=DENSITY) for each in (case, scaled))
    assert_close(found.outputs, plain.outputs, dtype)
    cotangent = np.random.default_rng(1).normal(size=(2, 2**n)).astype(dtype)
    slopes, expected = found.gradients(cotangent), plain.gradients(cotangent)
    assert_close(slopes["weights"], expected["weights"], dtype)
    # As a product of two roots: 1e30 alone is beyond a float's range.
    own = slopes["amplitudes"] * np.sqrt(size).astype(dtype) * np.sqrt(size).astype(dtype)
    assert_close(own.astype(dtype), expected["amplitudes"], dtype)


@pytest.mark.parametrize("n", [3, 7])
def test_a_sample_that_is_no_state_gives_nan_and_leaves_the_others_alone(n: int) -> None:
    case, circuit = reference_case(n, 5), noisy_layers(n, 2, qcsim.Depolarizing(0.1))
    spoilt = case.amplitudes.copy()
    spoilt[1], spoilt[3, 2] = 0.0, np.inf
    run = Run(replace(case, amplitudes=spoilt), qcsim.Probabilities(), circuit=circuit, method=DENSITY)
    expected = qcsim.probabilities(circuit, case.weights, amplitudes=case.amplitudes)
    assert np.isnan(run.outputs[[1, 3]]).all()
    assert_close(run.outputs[[0, 2, 4]], expected[[0, 2, 4]], np.float64)


@pytest.mark.parametrize("seed", range(16))
def test_the_order_of_the_threads_between_barriers_changes_no_bit(seed: int) -> None:
    sizes = {0: 6, 1: 7}  # a block for a sample, and several
    case = noisy_batch(500 + seed, batch=2 if seed in sizes else 9, n=sizes.get(seed)).cast(np.float32)
    runs = [Run(case, *everything(case), host=Host(reverse), method=DENSITY) for reverse in (False, True)]
    np.testing.assert_array_equal(runs[0].outputs, runs[1].outputs)
    cotangent = np.random.default_rng(seed).normal(size=runs[0].outputs.shape).astype(np.float32)
    found, expected = (run.gradients(cotangent) for run in runs)
    for name in expected:
        np.testing.assert_array_equal(found[name], expected[name])


@pytest.mark.parametrize("n", [3, 7])
def test_outputs_without_gradients_are_the_same_in_less_memory(n: int) -> None:
    case, circuit = reference_case(n, 2, layers=3), noisy_layers(n, 3, qcsim.AmplitudeDamping(0.1))
    with_gradients, without = (
        Run(case, qcsim.Probabilities(), gradients=wanted, circuit=circuit, method=DENSITY) for wanted in (True, False)
    )
    np.testing.assert_array_equal(without.outputs, with_gradients.outputs)
    assert without.program.kept_bytes(2, False) < without.program.kept_bytes(2, True)


def test_only_the_gradients_that_are_wanted_are_written() -> None:
    case, circuit = reference_case(3, 5), noisy_layers(3, 2, qcsim.AmplitudeDamping(0.1))
    run = Run(case, qcsim.Probabilities(), circuit=circuit, method=DENSITY)
    cotangent = np.random.default_rng(1).normal(size=(5, 8))
    both, amplitudes = run.gradients(cotangent), np.full((5, 8), np.nan)
    run.program.adjoint(HOST, run.call, cotangent, aligned(run.program.sums_bytes(5)), amplitudes=amplitudes)
    np.testing.assert_array_equal(amplitudes, both["amplitudes"])


def kept_states(circuit: qcsim.Circuit) -> float:
    """How many density matrices a sample keeps for its gradients."""
    program = Program(circuit, (qcsim.Probabilities(),), "float64", method=DENSITY)
    return (program.kept_bytes(1000, True) - program.kept_bytes(1000, False)) // (1000 * 8 * 4**circuit.n_qubits)


def test_a_state_is_kept_where_a_rotation_by_a_weight_is_behind_what_cannot_be_undone() -> None:
    def damped(circuit: qcsim.Circuit) -> qcsim.Circuit:
        for qubit in range(4):
            circuit.amplitude_damping(0.1, qubit)
        return circuit

    assert kept_states(damped(qcsim.Circuit(4).rx(0, angle=0.3))) == 0
    assert kept_states(qcsim.Circuit(4).ry(0)) == 1
    assert kept_states(damped(qcsim.Circuit(4).ry(0))) == 1
    assert kept_states(damped(damped(qcsim.Circuit(4).ry(0)).ry(0))) == 2
    assert kept_states(damped(qcsim.Circuit(4).ry(0)).ry(0)) == 2


def test_what_a_density_matrix_is_not_is_refused_in_words() -> None:
    circuit = qcsim.Circuit(2).ry(0).bit_flip(0.1, 0)
    with pytest.raises(ValueError, match="method is 'trajectories'; the options on a GPU are statevector, density_mat"):
        Program(circuit, (qcsim.Probabilities(),), "float32", method="trajectories")
    with pytest.raises(ValueError, match=r"method is 'density_matrix'; a state vector is read by 'statevector' alone"):
        Program(qcsim.Circuit(1).ry(0), (qcsim.Statevector(),), "float32", method=DENSITY)
    with pytest.raises(ValueError, match="the density matrix of 15 qubits is too large, at most 13 fit"):
        Program(qcsim.Circuit(15).ry(0), (qcsim.Probabilities(),), "float32", method=DENSITY)


@pytest.mark.slow
@pytest.mark.parametrize(("n", "dtype"), [(11, np.float32), (12, np.float64), (13, np.float32)])
def test_factors_without_a_table_and_amplitudes_beyond_a_block_agree(n: int, dtype: Any) -> None:
    weights = np.array([0.3, 2.5], dtype)
    case = replace(reference_case(n, 1, layers=1, dtype=dtype), weights=weights)
    circuit = qcsim.Circuit(n).amplitude_embedding().ry(0).cnot(0, n - 1).bit_flip(0.1, n - 1).depolarizing(0.1)
    circuit.ry(n - 1).amplitude_damping(0.2, 3)
    readouts = qcsim.Probabilities((0, 3, 5)), qcsim.Expval(("Z0", "X0 X5"))
    assert_as_cpu(case, *readouts, circuit=circuit, method=DENSITY)
