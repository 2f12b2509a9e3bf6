"""Probabilities against the dense oracle: random circuits, every size, odd batches, extreme numbers, odd memory."""

from __future__ import annotations

import numpy as np
import pytest

import qcsim
from oracle import dense, tensor
from oracle.check import PRECISIONS, TOLERANCE, assert_outputs
from oracle.circuits import build, random_case
from oracle.dense import EMBEDDING, gate


def reference(n: int, batch: int, layers: int = 2, dtype: type = np.float64, seed: int = 0):
    """The hardware-efficient circuit with random weights and amplitudes."""
    rng = np.random.default_rng(seed)
    weights = rng.uniform(-np.pi, np.pi, layers * n).astype(dtype)
    return qcsim.hardware_efficient(n, layers), weights, rng.normal(size=(batch, 2**n)).astype(dtype)


def truth(n: int, weights, amplitudes, layers: int = 2, **measure):
    return dense.outputs(n, dense.hardware_efficient(n, layers), weights, amplitudes, **measure)


@pytest.mark.parametrize("dtype", PRECISIONS, ids=["float64", "float32"])
@pytest.mark.parametrize("seed", range(300))
def test_a_random_circuit_agrees_with_the_oracle(seed: int, dtype: type) -> None:
    case = random_case(seed).cast(dtype)
    assert_outputs(case, {"qubits": case.qubits})


@pytest.mark.parametrize("dtype", PRECISIONS, ids=["float64", "float32"])
@pytest.mark.parametrize("n", range(1, 15))
def test_every_size_from_1_to_14_qubits_agrees_with_axis_slicing(n: int, dtype: type) -> None:
    circuit, weights, amplitudes = reference(n, 3, dtype=dtype)
    expected = tensor.outputs(n, dense.hardware_efficient(n, 2), dense.batched(weights, amplitudes, None))
    value = qcsim.probabilities(circuit, weights, amplitudes=amplitudes)
    assert dense.relative_error(value, expected) <= TOLERANCE[dtype]


@pytest.mark.parametrize("dtype", PRECISIONS, ids=["float64", "float32"])
@pytest.mark.parametrize("batch", [1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 100])
def test_any_batch_size_gives_every_row_its_own_answer(batch: int, dtype: type) -> None:
    circuit, weights, amplitudes = reference(4, batch, dtype=dtype)
    value = qcsim.probabilities(circuit, weights, amplitudes=amplitudes)
    assert value.shape == (batch, 16)
    assert value.dtype == dtype
    assert dense.relative_error(value, truth(4, weights, amplitudes)) <= TOLERANCE[dtype]


@pytest.mark.parametrize("dtype", PRECISIONS, ids=["float64", "float32"])
@pytest.mark.parametrize("n", [1, 2, 5, 9])
def test_an_empty_batch_is_legal(n: int, dtype: type) -> None:
    circuit, weights, amplitudes = reference(n, 0, dtype=dtype)
    value = qcsim.probabilities(circuit, weights, amplitudes=amplitudes)
    assert value.shape == (0, 2**n)
    assert value.dtype == dtype


def test_a_bell_pair_is_found_equal_half_the_time() -> None:
    for bell in (qcsim.Circuit(2).ry(0, angle=np.pi / 2).cnot(0, 1), qcsim.Circuit(2).h(0).cnot(0, 1)):
        np.testing.assert_allclose(qcsim.probabilities(bell, np.zeros(0)), [0.5, 0, 0, 0.5], atol=1e-15)


@pytest.mark.parametrize("n", range(2, 15))
def test_a_ghz_state_has_two_outcomes(n: int) -> None:
    ghz = qcsim.Circuit(n).ry(0)
    for q in range(n - 1):
        ghz.cnot(q, q + 1)
    value = qcsim.probabilities(ghz, np.array([np.pi / 2]))
    expected = np.zeros(2**n)
    expected[[0, -1]] = 0.5
    np.testing.assert_allclose(value, expected, atol=1e-15)


def test_permutation_gates_alone_move_every_basis_state_exactly() -> None:
    program = [EMBEDDING, gate("x", 1), gate("cnot", 0, 2), gate("swap", 1, 2), gate("cnot", 2, 0), gate("x", 0)]
    program += [gate("toffoli", 2, 1, 0), gate("fredkin", 0, 2, 1), gate("mcx", 0, 1, 2)]
    value = qcsim.probabilities(build(3, program), np.zeros(0), amplitudes=np.eye(8))
    np.testing.assert_array_equal(value, dense.outputs(3, program, np.zeros(0), np.eye(8)))


def test_without_gates_the_normalised_input_comes_back() -> None:
    circuit = qcsim.Circuit(2).amplitude_embedding()
    value = qcsim.probabilities(circuit, np.zeros(0), amplitudes=np.array([[3.0, 4.0, 0, 0], [1, 1, 1, -1]]))
    np.testing.assert_allclose(value, [[0.36, 0.64, 0, 0], [0.25] * 4], atol=1e-16)


@pytest.mark.parametrize("dtype", PRECISIONS, ids=["float64", "float32"])
@pytest.mark.parametrize(
    "angle",
    [0.0, 1e-30, 1e-8, -1e-4, np.pi / 2, np.pi - 1e-6, np.pi, np.pi + 1e-6, 2 * np.pi, -np.pi, 4 * np.pi, 1e3, -1e6],
)
def test_angles_at_the_corners_and_far_away_are_exact(angle: float, dtype: type) -> None:
    program = dense.hardware_efficient(3, 2)
    weights = np.full(6, angle, dtype)
    amplitudes = np.random.default_rng(1).normal(size=(5, 8)).astype(dtype)
    value = qcsim.probabilities(build(3, program), weights, amplitudes=amplitudes)
    assert dense.relative_error(value, dense.outputs(3, program, weights, amplitudes)) <= TOLERANCE[dtype]


@pytest.mark.parametrize("dtype", PRECISIONS, ids=["float64", "float32"])
@pytest.mark.parametrize("scale", [1e-8, -0.5, 2 * np.pi, 731.7])
def test_scale_and_shift_are_exact_for_large_angles_too(scale: float, dtype: type) -> None:
    program = [gate(name, q, dense.weight(q, scale, 0.1)) for q, name in enumerate(["ry", "rx", "ry"])]
    program += [
        gate("rzz", 0, 1, dense.feature(0, scale, -0.2)),
        gate("h", 0),
        gate("crx", 0, 2, dense.weight(0, scale)),
    ]
    weights, features = np.array([17.3, -400.1, 0.7], dtype), np.array([[3.3], [-2000.0]], dtype)
    value = qcsim.probabilities(build(3, program), weights, features=features)
    assert dense.relative_error(value, dense.outputs(3, program, weights, None, features)) <= TOLERANCE[dtype]


@pytest.mark.parametrize("dtype", PRECISIONS, ids=["float64", "float32"])
@pytest.mark.parametrize("angle", [np.pi / 2, 1.5, 2 * np.pi / 3])
def test_a_deep_circuit_neither_vanishes_nor_overflows(angle: float, dtype: type) -> None:
    program = dense.hardware_efficient(4, 150)
    weights = np.full(600, angle, dtype)
    amplitudes = np.random.default_rng(2).normal(size=(3, 16)).astype(dtype)
    value = qcsim.probabilities(build(4, program), weights, amplitudes=amplitudes)
    assert dense.relative_error(value, dense.outputs(4, program, weights, amplitudes)) <= 10 * TOLERANCE[dtype]


@pytest.mark.parametrize(
    ("scale", "dtype"),
    [(s, np.float32) for s in (1e-30, 1e-20, 1e-12, 1e12, 1e20, 1e30)] + [(s, np.float64) for s in (1e-200, 1e200)],
)
def test_normalisation_survives_tiny_and_huge_amplitudes(scale: float, dtype: type) -> None:
    circuit, weights, amplitudes = reference(5, 17, dtype=dtype)
    scaled = (amplitudes * scale).astype(dtype)
    value = qcsim.probabilities(circuit, weights, amplitudes=scaled)
    assert dense.relative_error(value, truth(5, weights, scaled)) <= TOLERANCE[dtype]


def test_rows_of_very_different_scale_share_a_batch() -> None:
    circuit, weights, amplitudes = reference(4, 20, dtype=np.float32)
    scaled = (amplitudes * 10.0 ** np.linspace(-20, 20, 20)[:, None]).astype(np.float32)
    value = qcsim.probabilities(circuit, weights, amplitudes=scaled)
    assert dense.relative_error(value, truth(4, weights, scaled)) <= 1e-5


@pytest.mark.parametrize("width", [1, 2, 3, 17, 31, 32])
def test_short_inputs_are_padded_with_zeros_at_the_tail(width: int) -> None:
    circuit, weights, amplitudes = reference(5, 6)
    padded = np.zeros((6, 32))
    padded[:, :width] = amplitudes[:, :width]
    value = qcsim.probabilities(circuit, weights, amplitudes=amplitudes[:, :width].copy())
    np.testing.assert_allclose(value, qcsim.probabilities(circuit, weights, amplitudes=padded), atol=1e-15)


@pytest.mark.parametrize("qubits", [[0], [4], [4, 0], [0, 4], [3, 1, 2], [4, 3, 2, 1, 0], (2, 0), range(5)])
def test_a_marginal_keeps_the_order_of_its_qubits(qubits) -> None:
    circuit, weights, amplitudes = reference(5, 6)
    value = qcsim.probabilities(circuit, weights, amplitudes=amplitudes, qubits=qubits)
    np.testing.assert_allclose(value, truth(5, weights, amplitudes, qubits=list(qubits)), atol=1e-14)


def test_a_single_sample_comes_back_without_a_batch_axis_and_with_the_same_bits() -> None:
    circuit, weights, amplitudes = reference(5, 3)
    batch = qcsim.probabilities(circuit, weights, amplitudes=amplitudes)
    for row, expected in zip(amplitudes, batch, strict=True):
        single = qcsim.probabilities(circuit, weights, amplitudes=row)
        assert single.shape == (32,)
        np.testing.assert_array_equal(single, expected)


def test_a_single_feature_vector_comes_back_without_a_batch_axis() -> None:
    circuit = qcsim.Circuit(2).ry(0, feature=0).ry(1, feature=1)
    batch = qcsim.probabilities(circuit, np.zeros(0), features=np.array([[0.1, 0.2], [0.3, 0.4]]))
    assert batch.shape == (2, 4)
    single = qcsim.probabilities(circuit, np.zeros(0), features=np.array([0.3, 0.4]))
    np.testing.assert_array_equal(single, batch[1])


def test_weights_per_sample_equal_one_call_per_sample() -> None:
    circuit, _, amplitudes = reference(4, 19)
    weights = np.random.default_rng(3).uniform(-4, 4, (19, 8))
    value = qcsim.probabilities(circuit, weights, amplitudes=amplitudes)
    rows = [qcsim.probabilities(circuit, w, amplitudes=a) for w, a in zip(weights, amplitudes, strict=True)]
    np.testing.assert_allclose(value, rows, atol=1e-14)


def test_weights_per_sample_set_the_batch_of_a_circuit_without_inputs() -> None:
    circuit = qcsim.Circuit(1).ry(0)
    value = qcsim.probabilities(circuit, np.array([[0.0], [np.pi]]))
    np.testing.assert_allclose(value, [[1, 0], [0, 1]], atol=1e-15)
    assert qcsim.probabilities(circuit, np.array([0.0])).shape == (2,)


@pytest.mark.parametrize("dtype", PRECISIONS, ids=["float64", "float32"])
def test_memory_layout_does_not_matter(dtype: type) -> None:
    circuit, weights, amplitudes = reference(4, 21, dtype=dtype)
    expected = qcsim.probabilities(circuit, weights, amplitudes=amplitudes)
    wide = np.zeros((42, 48), dtype)
    wide[::2, ::3] = amplitudes
    odd = np.empty(amplitudes.nbytes + 1, np.uint8)[1:].view(dtype).reshape(amplitudes.shape)
    odd[...] = amplitudes
    read_only = amplitudes.copy()
    read_only.flags.writeable = False
    layouts = {
        "fortran": np.asfortranarray(amplitudes),
        "strided": wide[::2, ::3],
        "reversed": amplitudes[::-1, ::-1].copy()[::-1, ::-1],
        "misaligned": odd,
        "read-only": read_only,
    }
    for name, layout in layouts.items():
        np.testing.assert_array_equal(qcsim.probabilities(circuit, weights, amplitudes=layout), expected, name)
    double = np.repeat(weights, 2)
    np.testing.assert_array_equal(qcsim.probabilities(circuit, double[::2], amplitudes=amplitudes), expected)
    repeated = np.broadcast_to(amplitudes[0], (5, 16))
    np.testing.assert_array_equal(
        qcsim.probabilities(circuit, weights, amplitudes=repeated), np.broadcast_to(expected[0], (5, 16))
    )


def test_the_inputs_are_left_as_they_were() -> None:
    circuit, weights, amplitudes = reference(4, 18)
    kept = weights.copy(), amplitudes.copy()
    qcsim.probabilities(circuit, weights, amplitudes=amplitudes)
    np.testing.assert_array_equal(weights, kept[0])
    np.testing.assert_array_equal(amplitudes, kept[1])


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(200, 1200))
def test_a_thousand_more_random_circuits_agree_with_the_oracle(seed: int) -> None:
    case = random_case(seed)
    for dtype in PRECISIONS:
        for measure in case.all_measures:
            assert_outputs(case.cast(dtype), measure)
