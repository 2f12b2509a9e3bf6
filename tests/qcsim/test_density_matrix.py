"""Circuits with any channels as density matrices, against the Kraus sum on all qubits."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import qcsim
from oracle import dense, noisy
from oracle.check import PRECISIONS, assert_outputs, forward, tolerance
from oracle.circuits import as_complex, rows
from oracle.dense import gate, weight
from oracle.noisy import channel
from oracle.noisy_circuits import (
    ALL_CHANNELS,
    LOCAL,
    NoisyCase,
    build,
    noisy_batch,
    random_input,
    random_noisy_case,
    without_noise,
)


def matrices(case: NoisyCase, **options) -> np.ndarray:
    """(B, 2^n, 2^n) from qcsim."""
    return forward(case, {"density": None}, method="density_matrix", **options)


# Against the oracle ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", PRECISIONS, ids=["float64", "float32"])
@pytest.mark.parametrize("seed", range(150))
def test_every_readout_of_a_random_noisy_circuit_agrees_with_the_oracle(seed: int, dtype: type) -> None:
    case = random_noisy_case(seed).cast(dtype)
    for measure in case.all_measures:
        assert_outputs(case, measure, method="density_matrix")


@pytest.mark.parametrize("name", ALL_CHANNELS)
def test_every_channel_alone_in_a_random_circuit_agrees_with_the_oracle(name: str) -> None:
    for seed in range(10):
        case = random_noisy_case(2000 + seed, names=[name])
        for measure in case.all_measures:
            assert_outputs(case, measure, method="density_matrix")


@pytest.mark.parametrize("real", [True, False], ids=["real", "complex"])
@pytest.mark.parametrize("n", [7, 8])
def test_seven_and_eight_qubits_agree_with_the_oracle(n: int, real: bool) -> None:
    case = random_noisy_case(n, n=n, batch=2, real=real, embed=True, count=4, length=12)
    for measure in case.all_measures:
        assert_outputs(case, measure, method="density_matrix")


@pytest.mark.parametrize("n", range(1, 7))
def test_a_circuit_without_noise_has_the_projector_of_its_state(n: int) -> None:
    case = without_noise(random_noisy_case(60 + n, n=n, embed=True))
    psi = qcsim.statevector(case.circuit(), case.weights, **case.inputs)
    expected = psi[:, :, None] * psi[:, None, :].conj()
    for method in ("auto", "density_matrix"):
        rho = qcsim.density_matrix(case.circuit(), case.weights, **case.inputs, method=method)
        np.testing.assert_allclose(rho, expected, atol=1e-14)


@pytest.mark.parametrize("seed", range(20))
def test_a_circuit_without_noise_reads_the_same_from_state_and_density_matrix(seed: int) -> None:
    case = without_noise(random_noisy_case(seed))
    for measure in [*case.measures, {"variance": case.observables}]:
        value, truth = (forward(case, measure, method=method) for method in ("density_matrix", "statevector"))
        np.testing.assert_allclose(value, truth, atol=1e-12 * max(1, dense.output_scale(**measure)), err_msg=str(case))


@pytest.mark.parametrize("dtype", PRECISIONS, ids=["float64", "float32"])
def test_a_deep_noisy_circuit_neither_vanishes_nor_overflows(dtype: type) -> None:
    case = random_noisy_case(90, n=3, batch=3, embed=True, length=200, count=0)
    weak = [channel("amplitude_damping", [1], 0.01, 0.1), channel("depolarizing", [2, 0], 0.01)]
    program = [each for k, item in enumerate(case.instructions) for each in (item, *weak[k % 3 : k % 3 + 1])]
    case = replace(case, instructions=program).cast(dtype)
    for measure in case.all_measures:
        assert_outputs(case, measure, method="density_matrix")


# Physics --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", PRECISIONS, ids=["float64", "float32"])
@pytest.mark.parametrize("seed", range(30))
def test_a_density_matrix_has_trace_one_is_hermitian_and_positive(seed: int, dtype: type) -> None:
    case = random_noisy_case(300 + seed, names=[*LOCAL, "global"]).cast(dtype)
    rho = np.atleast_3d(matrices(case)).reshape(-1, 2**case.n, 2**case.n)
    slack = tolerance(case)
    np.testing.assert_allclose(np.trace(rho, axis1=1, axis2=2), 1, atol=slack)
    np.testing.assert_allclose(rho, rho.conj().swapaxes(1, 2), atol=slack)
    assert np.linalg.eigvalsh(rho.astype(complex)).min() > -slack


@pytest.mark.parametrize("seed", range(15))
def test_reduced_matrices_are_partial_traces_in_the_order_of_their_qubits(seed: int) -> None:
    case = noisy_batch(seed, batch=3, n=4)
    whole = matrices(case)
    for qubits in ([2], [3, 0], [0, 3], (1, 3, 2), [3, 2, 1, 0], range(4)):
        value = qcsim.density_matrix(case.circuit(), case.weights, **case.inputs, qubits=qubits)
        np.testing.assert_allclose(value, noisy.reduced(4, whole, qubits), atol=1e-14)


@pytest.mark.parametrize("seed", range(15))
def test_marginal_probabilities_are_the_diagonals_of_reduced_matrices(seed: int) -> None:
    case = noisy_batch(seed, batch=3, n=4, names=[*LOCAL, "global"])
    for qubits in ([1], [3, 0], (2, 1, 3), None):
        p = forward(case, {"qubits": qubits}, method="density_matrix")
        rho = forward(case, {"density": qubits}, method="density_matrix")
        np.testing.assert_allclose(p, np.einsum("bii->bi", rho).real, atol=1e-15)
        np.testing.assert_allclose(p.sum(axis=1), 1, atol=1e-14)


def test_expectations_are_traces_and_the_identity_has_one() -> None:
    case = noisy_batch(3, batch=4, n=3, names=[*LOCAL, "global"])
    words = ["I", "X0", "Y1 Z2", {"I": 2.5, "X0": -1.0, "Y1 Z2": 0.5}]
    value = qcsim.expval(case.circuit(), case.weights, words, **case.inputs)
    rho = matrices(case)
    truth = [np.einsum("ij,bji->b", dense.observable_matrix(3, word), rho).real for word in words]
    np.testing.assert_allclose(value, np.transpose(truth), atol=1e-14)
    np.testing.assert_allclose(value[:, 3], 2.5 - value[:, 1] + 0.5 * value[:, 2], atol=1e-14)


def test_a_mixed_state_has_the_variance_of_its_mixture() -> None:
    circuit = qcsim.Circuit(1).bit_flip(0.2, 0)
    value = qcsim.variance(circuit, np.zeros(0), ["Z0", "X0", {"Z0": 3.0, "I": 5.0}])
    np.testing.assert_allclose(value, [1 - 0.6**2, 1, 9 * (1 - 0.6**2)], atol=1e-14)


def test_half_of_a_bell_pair_is_maximally_mixed() -> None:
    rho = qcsim.density_matrix(qcsim.Circuit(2).h(0).cnot(0, 1), np.zeros(0), qubits=[1])
    np.testing.assert_allclose(rho, np.eye(2) / 2, atol=1e-15)


def test_a_qubit_relaxes_along_its_textbook_curve() -> None:
    t1, times = 30.0, np.linspace(0, 100, 7)
    for time in times:
        circuit = qcsim.Circuit(1).x(0).thermal_relaxation(0, t1=t1, t2=2 * t1, time=float(time))
        np.testing.assert_allclose(qcsim.probabilities(circuit, np.zeros(0))[1], np.exp(-time / t1), atol=1e-15)
    ramsey = qcsim.Circuit(1).h(0).thermal_relaxation(0, t1=30.0, t2=20.0, time=10.0).h(0)
    np.testing.assert_allclose(qcsim.expval(ramsey, np.zeros(0), ["Z0"]), [np.exp(-0.5)], atol=1e-14)


# Readout errors -------------------------------------------------------------------------------------------------------


def test_a_readout_error_mixes_the_outcomes_wherever_it_stands() -> None:
    for program in (
        [channel("readout_error", [0], 0.1, 0.3), gate("ry", 0, weight(0)), channel("bit_flip", [0], 0.2)],
        [gate("ry", 0, weight(0)), channel("bit_flip", [0], 0.2), channel("readout_error", [0], 0.1, 0.3)],
    ):
        one = 0.2 + 0.6 * np.sin(0.5) ** 2
        value = qcsim.probabilities(build(1, program), np.array([1.0]))
        np.testing.assert_allclose(value, [(1 - one) * 0.9 + one * 0.3, (1 - one) * 0.1 + one * 0.7], atol=1e-15)
        mean = qcsim.expval(build(1, program), np.array([1.0]), ["Z0"])
        np.testing.assert_allclose(mean, [value[0] - value[1]], atol=1e-15)


def test_readout_errors_of_one_qubit_compose_in_order() -> None:
    circuit = qcsim.Circuit(1).bit_flip(0.3, 0).readout_error(0.1, 0.2, qubits=[0]).readout_error(0.3, 0.4, qubits=[0])
    first = 0.7 * 0.1 + 0.3 * 0.8
    np.testing.assert_allclose(
        qcsim.probabilities(circuit, np.zeros(0))[1], (1 - first) * 0.3 + first * 0.6, atol=1e-15
    )


def test_readout_errors_on_every_qubit_leave_the_density_matrix_alone() -> None:
    circuit = qcsim.Circuit(2).h(0).cnot(0, 1).depolarizing(0.1, qubits=[0])
    errors = circuit.copy().readout_error(0.1)
    np.testing.assert_array_equal(qcsim.density_matrix(errors, np.zeros(0)), qcsim.density_matrix(circuit, np.zeros(0)))
    value = qcsim.expval(errors, np.zeros(0), ["Z0 Z1", "X0 X1", "Z1", "I"])
    plain = qcsim.expval(circuit, np.zeros(0), ["Z0 Z1", "X0 X1", "Z1", "I"])
    np.testing.assert_allclose(value, plain * [0.64, 0.64, 0.8, 1], atol=1e-15)


@pytest.mark.parametrize("seed", range(20))
def test_many_readout_errors_on_random_circuits_agree_with_the_oracle(seed: int) -> None:
    case = random_noisy_case(400 + seed, names=["readout_error", "readout_error", "bit_flip"], count=6)
    for measure in case.all_measures:
        assert_outputs(case, measure)


# Metamorphic ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", PRECISIONS, ids=["float64", "float32"])
@pytest.mark.parametrize("seed", range(8))
def test_a_noisy_batch_may_be_split_anywhere_without_changing_a_bit(seed: int, dtype: type) -> None:
    case = noisy_batch(seed, batch=40, n=1 + seed % 5).cast(dtype)
    for measure in case.all_measures:
        whole = forward(case, measure, method="density_matrix")
        for cut in (1, 8, 17):
            parts = [
                forward(rows(case, part), measure, method="density_matrix") for part in (slice(cut), slice(cut, None))
            ]
            np.testing.assert_array_equal(np.concatenate(parts), whole, err_msg=f"{measure} of {case}")


@pytest.mark.parametrize("seed", range(6))
def test_a_single_noisy_sample_has_no_batch_axis(seed: int) -> None:
    case = noisy_batch(seed, batch=3, n=1 + seed % 4)
    case = replace(case, weights=np.atleast_2d(case.weights)[0])
    for measure in case.all_measures:
        whole = forward(case, measure, method="density_matrix")
        np.testing.assert_array_equal(forward(rows(case, 1), measure, method="density_matrix"), whole[1])
        assert forward(rows(case, slice(0, 0)), measure, method="density_matrix").shape == (0, *whole.shape[1:])


@pytest.mark.parametrize("n", [3, 7])
def test_the_number_of_threads_changes_no_bit_of_a_density_matrix(n: int) -> None:
    case = noisy_batch(9, batch=50 if n == 3 else 2, n=n, length=10)
    for measure in case.all_measures:
        first = forward(case, measure, method="density_matrix", num_threads=1)
        for threads in (2, 3, None):
            value = forward(case, measure, method="density_matrix", num_threads=threads)
            np.testing.assert_array_equal(value, first)


@pytest.mark.parametrize("seed", range(20))
def test_a_real_noisy_circuit_gives_the_same_on_the_path_for_complex_ones(seed: int) -> None:
    case = random_noisy_case(500 + seed, real=True)
    twins = [as_complex(case)]
    if case.amplitudes is not None:
        twins.append(replace(case, amplitudes=case.amplitudes + 0j))
    for measure in case.all_measures:
        one = forward(case, measure, method="density_matrix")
        for twin in twins:
            value, scale = forward(twin, measure, method="density_matrix"), dense.output_scale(**measure)
            np.testing.assert_allclose(value, one, atol=1e-13 * max(1, scale), err_msg=str(case))


def test_weights_per_sample_equal_one_noisy_call_per_sample() -> None:
    circuit = qcsim.hardware_efficient(3, 2).with_noise(after="cnot", channel=qcsim.AmplitudeDamping(0.1))
    rng = np.random.default_rng(7)
    weights, amplitudes = rng.normal(size=(19, 6)), rng.normal(size=(19, 8))
    value = qcsim.probabilities(circuit, weights, amplitudes)
    each = [qcsim.probabilities(circuit, w, a) for w, a in zip(weights, amplitudes, strict=True)]
    np.testing.assert_allclose(value, each, atol=1e-14)


def test_relabelling_the_qubits_of_a_noisy_circuit_relabels_its_outcomes() -> None:
    places = [2, 0, 3, 1]
    case = random_noisy_case(11, n=4, embed=False, count=5)
    moved = [item._replace(qubits=tuple(places[q] for q in item.qubits)) for item in case.instructions]
    relabelled = replace(case, instructions=moved)
    value = forward(relabelled, {"qubits": places}, method="density_matrix")
    np.testing.assert_allclose(value, forward(case, {"qubits": range(4)}, method="density_matrix"), atol=1e-14)


# Larger ones ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [6, pytest.param(9, marks=pytest.mark.slow)])
def test_blocks_of_qubits_that_never_meet_have_the_states_they_have_alone(n: int) -> None:
    blocks = [random_noisy_case(70 + k, n=3, embed=False, batch=1, names=LOCAL, length=12) for k in range(n // 3)]
    circuit = qcsim.Circuit(n)
    for k, block in enumerate(blocks):
        bound = block.circuit().assign(
            weights=np.atleast_2d(block.weights)[0].tolist(),
            features=None if block.features is None else block.features[0].tolist(),
        )
        circuit = circuit.then(bound, qubits=[3 * k, 3 * k + 1, 3 * k + 2])
    for k, block in enumerate(blocks):
        qubits = [3 * k, 3 * k + 1, 3 * k + 2]
        rho = qcsim.density_matrix(circuit, np.zeros(0), qubits=qubits)
        truth = noisy.density_matrices(3, block.instructions, block.point)[0]
        np.testing.assert_allclose(rho, truth, atol=1e-12)


@pytest.mark.parametrize("n", [7, 9, pytest.param(10, marks=pytest.mark.slow)])
def test_global_noise_as_a_density_matrix_is_its_closed_form_at_larger_sizes(n: int) -> None:
    circuit = qcsim.hardware_efficient(n, 2).with_noise(after="cnot", channel=qcsim.GlobalDepolarizing(0.01))
    rng = np.random.default_rng(n)
    weights, amplitudes = rng.normal(size=2 * n), rng.normal(size=(2, 2**n))
    words = ["Z0", f"X1 Z{n - 1}", {"I": 1.0, "Y0 Y1": 2.0}]
    value, truth = (qcsim.probabilities(circuit, weights, amplitudes, method=m) for m in ("density_matrix", "auto"))
    np.testing.assert_allclose(value, truth, atol=1e-14)
    value, truth = (qcsim.expval(circuit, weights, words, amplitudes, method=m) for m in ("density_matrix", "auto"))
    np.testing.assert_allclose(value, truth, atol=1e-13)
    slopes = []
    for method in ("density_matrix", "auto"):
        _, pullback = qcsim.vjp(circuit, weights, amplitudes, observables=words, method=method)
        slopes.append(pullback(np.ones((2, 3))))
    np.testing.assert_allclose(slopes[0].weights, slopes[1].weights, atol=1e-12)
    np.testing.assert_allclose(slopes[0].amplitudes, slopes[1].amplitudes, atol=1e-13)


def test_a_density_matrix_that_is_too_large_is_refused_with_the_way_out() -> None:
    circuit = qcsim.Circuit(16).h(0).bit_flip(0.1, 0)
    with pytest.raises(ValueError, match="trajectories") as refusal:
        qcsim.probabilities(circuit, np.zeros(0))
    assert "16" in str(refusal.value)


def test_a_forgotten_input_state_is_forgotten_by_every_readout() -> None:
    amplitudes, _ = random_input(np.random.default_rng(0), 2)
    circuit = qcsim.Circuit(2).amplitude_embedding().amplitude_damping(1.0, 0).amplitude_damping(1.0, 1)
    np.testing.assert_allclose(qcsim.probabilities(circuit, np.zeros(0), amplitudes), [1, 0, 0, 0], atol=1e-15)
    np.testing.assert_allclose(qcsim.expval(circuit, np.zeros(0), ["Z0 Z1", "X0"], amplitudes), [1, 0], atol=1e-15)


def resident_bytes() -> int:
    """Memory that this process holds, on Linux."""
    pages = Path("/proc/self/statm")
    if not pages.exists():
        pytest.skip("no /proc/self/statm here")
    return int(pages.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def relaxing(n_qubits: int, layers: int) -> qcsim.Circuit:
    """The same turns and channels on every qubit, channels of two kinds in turns."""
    circuit = qcsim.Circuit(n_qubits)
    for _ in range(layers):
        for qubit in range(n_qubits):
            circuit.ry(qubit, weight=0).amplitude_damping(0.01, qubit).depolarizing(0.01, [qubit])
    return circuit


def test_the_tables_of_a_noisy_circuit_stay_within_a_budget() -> None:
    circuit, weights, before = relaxing(10, 8), np.array([0.1]), resident_bytes()
    value = qcsim.expval(circuit, weights, ["Z0"], method="density_matrix")
    assert resident_bytes() - before < 400 << 20
    truth = qcsim.expval(relaxing(1, 8), weights, ["Z0"], method="density_matrix")
    np.testing.assert_allclose(value, truth, atol=1e-12)


PEAK = """
import resource
import numpy as np
import qcsim
def slopes(n_qubits, weights, **options):
    circuit = qcsim.Circuit(n_qubits)
    for layer in range(70):
        for qubit in range(n_qubits):
            circuit.ry(qubit, weight=0).amplitude_damping(0.01, qubit)
    value, pullback = qcsim.vjp(circuit, weights, observables=["Z0"], method="density_matrix", **options)
    return pullback(np.ones_like(value)).weights
weights = np.linspace(0.1, 0.8, 8)[:, None]
np.testing.assert_allclose(slopes(9, weights, num_threads=8), slopes(1, weights), rtol=1e-9)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
def test_samples_that_walk_back_side_by_side_share_what_they_keep() -> None:
    run = subprocess.run([sys.executable, "-c", PEAK], check=True, capture_output=True, text=True)
    assert int(run.stdout) < 4 << 20  # KiB
