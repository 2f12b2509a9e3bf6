"""The bodies of the CUDA kernels, run on the host thread after thread, against the CPU engine."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from cuda_host import DTYPES, HOST, Run, aligned, assert_as_cpu, assert_close

import qcsim
from oracle import dense
from oracle.circuits import Case, random_batch, random_case, reference_case
from qcsim.cuda import Host, Program, draw
from qcsim.measurements import outcomes


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", range(1, 13))
def test_probabilities_of_the_reference_circuit_are_those_of_the_cpu(n: int, dtype: Any) -> None:
    case = reference_case(n, 5, dtype=dtype)
    run = Run(case, qcsim.Probabilities(), gradients=False)
    expected = qcsim.probabilities(case.circuit(), case.weights, amplitudes=case.amplitudes)
    assert_close(run.outputs, expected, dtype)


def everything(case: Case) -> tuple[Any, ...]:
    """Every kind of readout that a state vector has, side by side."""
    return (
        qcsim.Probabilities(case.qubits),
        qcsim.Expval(case.observables),
        qcsim.Statevector(),
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("seed", range(120))
def test_a_random_circuit_and_its_gradients_are_those_of_the_cpu(seed: int, dtype: Any) -> None:
    case = random_case(seed).cast(dtype)
    assert_as_cpu(case, *everything(case))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", range(1, 11))
def test_every_size_and_batches_that_fill_no_block_agree(n: int, dtype: Any) -> None:
    case = random_batch(100 + n, batch=(37, 11, 3)[n // 4], n=n).cast(dtype)
    assert_as_cpu(case, qcsim.Probabilities(case.qubits), qcsim.Expval(case.observables))
    assert_as_cpu(reference_case(n, 5, dtype=dtype), qcsim.Probabilities())


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("angle", [np.pi / 2, np.pi, 2.2, -1.5])
@pytest.mark.parametrize("per_sample", [False, True])
def test_deep_circuits_keep_their_numbers_in_range(angle: float, dtype: Any, per_sample: bool) -> None:
    case = reference_case(4, 3, layers=60, dtype=dtype)
    weights = np.full((3, 240) if per_sample else 240, angle, dtype)
    assert_as_cpu(replace(case, weights=weights), qcsim.Probabilities(), qcsim.Expval(("Z0", "X1 Z2")))


@pytest.mark.parametrize("dtype", DTYPES)
def test_rotations_that_do_not_commute_share_a_pass_and_are_rescaled(dtype: Any) -> None:
    rng = np.random.default_rng(5)
    gates = [dense.gate(("rx", "ry", "rz")[k % 3], int(rng.integers(5)), dense.weight(k)) for k in range(150)]
    case = replace(reference_case(5, 7, dtype=dtype), instructions=[dense.EMBEDDING, *gates])
    assert_as_cpu(replace(case, weights=rng.uniform(-4, 4, 150).astype(dtype)), qcsim.Probabilities((3, 0)))


@pytest.mark.parametrize("dtype", DTYPES)
def test_depolarizing_of_all_qubits_is_in_closed_form(dtype: Any) -> None:
    case = random_batch(8, batch=5, n=4).cast(dtype)
    circuit = case.circuit().depolarizing(0.2)
    assert_as_cpu(case, qcsim.Probabilities((2, 1)), qcsim.Expval(("Z0", "X1 Y3")), circuit=circuit)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [1e-30, 1e-12, 1e12, 1e30])
def test_amplitudes_of_any_size_are_normalised(size: float, dtype: Any) -> None:
    case = reference_case(3, 4, dtype=dtype)
    scaled = replace(case, amplitudes=(case.amplitudes * size).astype(dtype))
    cotangent = np.random.default_rng(1).normal(size=(4, 8)).astype(dtype)
    plain, found = Run(case, qcsim.Probabilities()), Run(scaled, qcsim.Probabilities())
    assert_close(found.outputs, plain.outputs, dtype)
    assert_close(found.gradients(cotangent)["weights"], plain.gradients(cotangent)["weights"], dtype)


def test_a_sample_that_is_no_state_gives_nan_and_leaves_the_others_alone() -> None:
    case = reference_case(3, 5)
    spoilt = case.amplitudes.copy()
    spoilt[1], spoilt[3, 2] = 0.0, np.inf
    found = Run(replace(case, amplitudes=spoilt), qcsim.Probabilities()).outputs
    expected = qcsim.probabilities(case.circuit(), case.weights, amplitudes=case.amplitudes)
    assert np.isnan(found[[1, 3]]).all()
    assert_close(found[[0, 2, 4]], expected[[0, 2, 4]], np.float64)


def test_only_the_gradients_that_are_wanted_are_written() -> None:
    run = Run(reference_case(3, 5), qcsim.Probabilities())
    cotangent = np.random.default_rng(1).normal(size=(5, 8))
    both, sums = run.gradients(cotangent), aligned(run.program.sums_bytes(5))
    amplitudes = np.full((5, 8), np.nan)
    run.program.adjoint(HOST, run.call, cotangent, sums, amplitudes=amplitudes)
    np.testing.assert_array_equal(amplitudes, both["amplitudes"])


def test_rows_with_room_between_them_are_read_and_written() -> None:
    case = reference_case(4, 6)
    wide = np.full((6, 40), np.nan)
    wide[:, :16] = case.amplitudes
    found = Run(replace(case, amplitudes=wide[:, :16]), qcsim.Probabilities()).outputs
    np.testing.assert_array_equal(found, Run(case, qcsim.Probabilities()).outputs)


def test_channels_are_refused_in_words() -> None:
    circuit = qcsim.Circuit(2).ry(0).depolarizing(0.1, qubits=[0])
    with pytest.raises(ValueError, match="the circuit has the channel depolarizing"):
        Program(circuit, (qcsim.Probabilities(),), "float32")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("seed", range(12))
def test_states_beyond_one_block_and_their_gradients_are_those_of_the_cpu(seed: int, dtype: Any) -> None:
    case = random_case(seed, n=14, batch=2, length=12).cast(dtype)
    assert Program(case.circuit(), (qcsim.Probabilities(),), str(case.weights.dtype)).is_large
    assert_as_cpu(case, *everything(case))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", [13, 15])
def test_the_reference_circuit_is_that_of_the_cpu_at_the_border_and_beyond(n: int, dtype: Any) -> None:
    assert_as_cpu(reference_case(n, 2, layers=4, dtype=dtype), qcsim.Probabilities(), qcsim.Expval(("Z0", "X3 Y2")))
    case = reference_case(n, 2, layers=1)
    few = replace(case, amplitudes=case.amplitudes[:, :100] * 1e-20)
    assert_as_cpu(few, qcsim.Probabilities((n - 1, 0, 4)))
    # In single precision the CPU's sums over so many outcomes are the rougher ones, so doubles judge.
    truth = Run(few, qcsim.Probabilities((n - 1, 0, 4))).outputs
    assert_close(Run(few.cast(dtype), qcsim.Probabilities((n - 1, 0, 4))).outputs, truth.astype(dtype), dtype)


@pytest.mark.parametrize("seed", range(30))
def test_no_two_lanes_of_a_warp_meet_in_a_bank(seed: int) -> None:
    # Entry i of a lane's coset is its leader with bits that all lanes share flipped, so the leaders tell for all.
    case = random_case(seed, n=(None, 9, 12, 14)[seed % 4], length=20)
    plan = Program(case.circuit(), (qcsim.Probabilities(),), ("float32", "float64")[seed % 2])._plan
    warps = np.array(plan.leader_places).reshape(-1, 32)
    np.testing.assert_array_equal(warps % 32, np.broadcast_to(np.arange(32), warps.shape))


@pytest.mark.parametrize("seed", range(20))
def test_the_order_of_the_threads_between_barriers_changes_no_bit(seed: int) -> None:
    sizes = {0: 11, 1: 14} if seed < 2 else {}  # a block for a sample, and several
    case = random_case(seed, n=sizes.get(seed), batch=3 if sizes.get(seed) else 9).cast(np.float32)
    runs = [Run(case, *everything(case), host=Host(reversed_threads)) for reversed_threads in (False, True)]
    np.testing.assert_array_equal(runs[0].outputs, runs[1].outputs)
    cotangent = np.random.default_rng(seed).normal(size=runs[0].outputs.shape).astype(np.float32)
    found, expected = (run.gradients(cotangent) for run in runs)
    for name in expected:
        np.testing.assert_array_equal(found[name], expected[name])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("columns", [1, 2, 64, 127, 128, 129, 1000])
def test_a_seed_draws_the_outcomes_that_it_draws_on_the_cpu(columns: int, dtype: Any) -> None:
    law = np.random.default_rng(columns).gamma(0.2, size=(5, columns)).astype(dtype)
    law[:, -1] = law[:, columns // 2] = 0 if columns > 2 else 1
    drawn = np.full((5, 77), -1, np.int64)
    draw(HOST, str(law.dtype), law, 3, drawn)
    uniform = np.random.Generator(np.random.Philox(3)).random((5, 77))
    np.testing.assert_array_equal(drawn, outcomes(law, uniform, 1))
