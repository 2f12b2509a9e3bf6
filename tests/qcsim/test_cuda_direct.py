"""The direct way of the kernels: real circuits whose probabilities are read, on the host against the CPU engine."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from test_cuda_host import DTYPES, Run, aligned, assert_as_cpu, assert_close

import qcsim
from oracle import dense
from oracle.circuits import Case, reference_case
from oracle.dense import Array
from qcsim.cuda import Host, Program

N = [6, 7, 9, 10]
BATCH = {6: 21, 7: 9, 9: 3, 10: 2}  # the last groups of warps are not full


def plan_of(circuit: qcsim.Circuit, dtype: str = "float32", **options: Any) -> Any:
    return Program(circuit, (qcsim.Probabilities(),), dtype, **options)._plan


@pytest.mark.parametrize("n", range(6, 14))
def test_the_reference_circuit_goes_the_direct_way(n: int) -> None:
    assert plan_of(qcsim.hardware_efficient(n, 4)).is_direct
    assert plan_of(qcsim.hardware_efficient(n, 4), "float64").is_direct == (n < 13)


def test_what_is_not_real_or_shared_or_whole_goes_the_other_way() -> None:
    circuit = qcsim.hardware_efficient(7, 2)
    assert not plan_of(circuit, per_sample_weights=True).is_direct
    assert not plan_of(circuit, complex_amplitudes=True).is_direct
    assert not Program(circuit, (qcsim.Probabilities((0, 3)),), "float32")._plan.is_direct
    assert not Program(circuit, (qcsim.Expval(("Z0",)),), "float32")._plan.is_direct
    assert not plan_of(qcsim.hardware_efficient(7, 2).rz(0)).is_direct
    assert not plan_of(qcsim.hardware_efficient(7, 2).ry(0, feature=0)).is_direct
    assert not plan_of(qcsim.hardware_efficient(6, 60)).is_direct  # more passes than have room


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n", N)
def test_batches_that_fill_no_group_agree(n: int, dtype: Any) -> None:
    assert_as_cpu(reference_case(n, BATCH[n], layers=3, dtype=dtype), qcsim.Probabilities())


@pytest.mark.parametrize("n", range(6, 14))
@pytest.mark.parametrize("layers", [1, 2, 4])
def test_no_two_lanes_meet_in_a_bank_where_outcomes_are_left(n: int, layers: int) -> None:
    plan = plan_of(qcsim.hardware_efficient(n, layers))
    if not plan.is_direct:
        pytest.skip("one pass alone")
    warps = np.array(plan.exit_places).reshape(-1, 32) % 32
    np.testing.assert_array_equal(np.sort(warps, axis=1), np.broadcast_to(np.arange(32), warps.shape))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("angle", [np.pi / 2, np.pi, 2.2, 0.0])
def test_a_deep_circuit_rescales_on_both_ways(angle: float, dtype: Any) -> None:
    case = reference_case(6, 9, layers=20, dtype=dtype)
    assert plan_of(case.circuit()).is_direct
    assert_as_cpu(replace(case, weights=np.full(120, angle, dtype)), qcsim.Probabilities())


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("seed", range(6))
def test_passes_that_lack_operations_agree(seed: int, dtype: Any) -> None:
    rng = np.random.default_rng(seed)
    gates = [dense.gate("ry", qubit, dense.weight(qubit)) for qubit in range(7)]
    for k in range(8):
        a, b = (int(q) for q in rng.permutation(7)[:2])
        gates += [dense.gate("cnot", a, b), dense.gate("ry", b, dense.weight(7 + k))]
    case = replace(reference_case(7, 6, dtype=dtype), instructions=[dense.EMBEDDING, *gates])
    assert_as_cpu(replace(case, weights=rng.uniform(-4, 4, 15).astype(dtype)), qcsim.Probabilities())


@pytest.mark.parametrize("dtype", DTYPES)
def test_depolarizing_scales_gradients(dtype: Any) -> None:
    case = reference_case(6, 3, dtype=dtype)
    circuit = case.circuit().depolarizing(0.3)
    assert plan_of(circuit).is_direct
    assert_as_cpu(case, qcsim.Probabilities(), circuit=circuit)


def shifted(array: Array) -> Array:
    """The same numbers in rows that begin anywhere."""
    wide = np.full((array.shape[0], array.shape[1] + 3), np.nan, array.dtype)
    wide[:, 1:-2] = array
    return wide[:, 1:-2]


@pytest.mark.parametrize("dtype", DTYPES)
def test_rows_that_begin_anywhere_are_read_and_written(dtype: Any) -> None:
    case = reference_case(7, 5, dtype=dtype)
    plain = Run(case, qcsim.Probabilities())
    cotangent = np.random.default_rng(1).normal(size=plain.outputs.shape).astype(dtype)
    run = Run(replace(case, amplitudes=shifted(case.amplitudes)), qcsim.Probabilities())
    outputs = shifted(np.zeros_like(plain.outputs))
    run.call = run.call._replace(outputs=outputs)
    run.program.forward(run.host, run.call)
    np.testing.assert_array_equal(outputs, plain.outputs)
    wanted = shifted(np.zeros_like(case.amplitudes))
    sums = aligned(run.program.sums_bytes(5))
    run.program.adjoint(run.host, run.call, shifted(cotangent), sums, amplitudes=wanted)
    np.testing.assert_array_equal(wanted, plain.gradients(cotangent)["amplitudes"])


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("columns", [1, 37, 100])
def test_amplitudes_that_are_fewer_than_basis_states_agree(columns: int, dtype: Any) -> None:
    case = reference_case(7, 5, dtype=dtype)
    assert_as_cpu(replace(case, amplitudes=np.ascontiguousarray(case.amplitudes[:, :columns])), qcsim.Probabilities())


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [1e-30, 1e-18, 1e18, 1e30])
def test_a_sample_of_another_size_changes_no_bit_of_the_others(size: float, dtype: Any) -> None:
    case = reference_case(7, 6, dtype=dtype)
    amplitudes = case.amplitudes.copy()
    amplitudes[2] = (case.amplitudes[2] * size).astype(dtype)
    plain = Run(case, qcsim.Probabilities())
    found = Run(replace(case, amplitudes=amplitudes), qcsim.Probabilities())
    others = [0, 1, 3, 4, 5]
    np.testing.assert_array_equal(found.outputs[others], plain.outputs[others])
    assert_close(found.outputs, plain.outputs, dtype)
    cotangent = np.random.default_rng(1).normal(size=plain.outputs.shape).astype(dtype)
    assert_close(found.gradients(cotangent)["weights"], plain.gradients(cotangent)["weights"], dtype)
    slopes = found.gradients(cotangent)["amplitudes"] * np.where(np.arange(6) == 2, size, 1.0)[:, None].astype(dtype)
    assert_close(slopes, plain.gradients(cotangent)["amplitudes"], dtype)


def test_a_sample_that_is_no_state_gives_nan_in_its_row_alone() -> None:
    case = reference_case(7, 6, dtype=np.float32)
    spoilt = case.amplitudes.copy()
    spoilt[0], spoilt[3, 2], spoilt[5, 9] = 0.0, np.inf, np.nan
    found = Run(replace(case, amplitudes=spoilt), qcsim.Probabilities()).outputs
    assert np.isnan(found[[0, 3, 5]]).all()
    np.testing.assert_array_equal(found[[1, 2, 4]], Run(case, qcsim.Probabilities()).outputs[[1, 2, 4]])


@pytest.mark.parametrize("n", N)
def test_to_keep_states_changes_no_bit(n: int) -> None:
    case = reference_case(n, BATCH[n], dtype=np.float32)
    kept, plain = (Run(case, qcsim.Probabilities(), gradients=keep).outputs for keep in (True, False))
    np.testing.assert_array_equal(kept, plain)


def reversed_runs(case: Case) -> tuple[Run, Run]:
    first, second = (Run(case, qcsim.Probabilities(), host=Host(order)) for order in (False, True))
    return first, second


@pytest.mark.parametrize("n", N)
def test_the_order_of_the_threads_changes_no_bit_of_the_direct_way(n: int) -> None:
    first, second = reversed_runs(reference_case(n, BATCH[n], layers=3, dtype=np.float32))
    np.testing.assert_array_equal(first.outputs, second.outputs)
    cotangent = np.random.default_rng(n).normal(size=first.outputs.shape).astype(np.float32)
    found, expected = first.gradients(cotangent), second.gradients(cotangent)
    for name in expected:
        np.testing.assert_array_equal(found[name], expected[name])


def test_gradients_of_features_that_nothing_depends_on_are_zero() -> None:
    run = Run(reference_case(7, 6), qcsim.Probabilities())
    cotangent, features = np.ones((6, 128)), np.full((6, 3), np.nan)
    run.program.adjoint(run.host, run.call, cotangent, aligned(run.program.sums_bytes(6)), features=features)
    np.testing.assert_array_equal(features, 0.0)
