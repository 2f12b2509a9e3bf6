"""Exact gradients by the adjoint pass, through `qcsim.vjp`, against the oracle's derivative matrices."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import qcsim
from oracle import dense, tensor
from oracle.check import PRECISIONS, TOLERANCE, assert_gradients, compare_gradients, gradients, random_cotangent
from oracle.circuits import build, random_amplitudes, random_case, reference_case
from qcsim import _core


@pytest.mark.parametrize("dtype", PRECISIONS, ids=["float64", "float32"])
@pytest.mark.parametrize("seed", range(300))
def test_all_gradients_of_a_random_circuit_agree_with_the_oracle(seed: int, dtype: type) -> None:
    case = random_case(seed).cast(dtype)
    assert_gradients(case, case.all_measures[seed % 4])


@pytest.mark.parametrize("dtype", PRECISIONS, ids=["float64", "float32"])
@pytest.mark.parametrize("n", range(1, 15))
def test_every_size_from_1_to_14_qubits_agrees_with_a_complex_step(n: int, dtype: type) -> None:
    rng = np.random.default_rng(n)
    program = dense.hardware_efficient(n, 2)
    weights, amplitudes = rng.uniform(-3, 3, 2 * n).astype(dtype), rng.normal(size=(2, 2**n)).astype(dtype)
    cotangent = rng.normal(size=(2, 2**n)).astype(dtype)
    _, pullback = qcsim.vjp(build(n, program), weights, amplitudes=amplitudes)
    value = pullback(cotangent)
    point = dense.batched(weights, amplitudes, None)
    along_weights = rng.normal(size=(1, 2 * n))
    along_amplitudes = rng.normal(size=(2, 2**n))
    for name, direction in [("weights", (along_weights, None, None)), ("amplitudes", (None, along_amplitudes, None))]:
        expected = np.sum(cotangent * tensor.directional_derivative(n, program, point, dense.Inputs(*direction)))
        got = getattr(value, name).astype(float)
        step = along_weights[0] if name == "weights" else along_amplitudes
        scale = np.linalg.norm(got) * np.linalg.norm(step)
        assert abs(np.sum(got * step) - expected) <= TOLERANCE[dtype] * scale, name


@pytest.mark.parametrize("dtype", PRECISIONS, ids=["float64", "float32"])
@pytest.mark.parametrize("batch", [1, 2, 3, 15, 16, 17, 31, 33, 100])
def test_any_batch_size_sums_the_weight_gradient_over_its_own_rows(batch: int, dtype: type) -> None:
    case = random_case(11, n=4, batch=batch, length=24).cast(dtype)
    for measure in case.all_measures:
        assert_gradients(case, measure)


@pytest.mark.parametrize("dtype", PRECISIONS, ids=["float64", "float32"])
@pytest.mark.parametrize(
    "angle", [0.0, 1e-8, -1e-4, np.pi / 2, np.pi - 1e-6, np.pi, np.pi + 1e-6, 2 * np.pi, -np.pi, 4 * np.pi, 1e3, -1e6]
)
def test_gradients_at_the_corners_and_far_away_are_exact(angle: float, dtype: type) -> None:
    case = reference_case(3, 5, dtype=dtype, weights=np.full(6, angle, dtype))
    assert_gradients(case, {})


@pytest.mark.parametrize("dtype", PRECISIONS, ids=["float64", "float32"])
@pytest.mark.parametrize("angle", [np.pi / 2, 1.5, 2 * np.pi / 3])
def test_gradients_of_a_deep_circuit_neither_vanish_nor_overflow(angle: float, dtype: type) -> None:
    case = reference_case(4, 3, layers=150, dtype=dtype, weights=np.full(600, angle, dtype))
    cotangent = random_cotangent(case, {})
    compare_gradients(case, {}, cotangent, gradients(case, cotangent, {}), slack=10)


@pytest.mark.parametrize(
    ("scale", "dtype"),
    [(s, np.float32) for s in (1e-20, 1e-12, 1e12, 1e20)] + [(s, np.float64) for s in (1e-150, 1e150)],
)
def test_the_amplitude_gradient_scales_as_the_inverse_of_the_norm(scale: float, dtype: type) -> None:
    case = reference_case(4, 17, dtype=dtype)
    assert case.amplitudes is not None
    assert_gradients(replace(case, amplitudes=(case.amplitudes * scale).astype(dtype)), {})


@pytest.mark.parametrize("dtype", PRECISIONS, ids=["float64", "float32"])
@pytest.mark.parametrize("real", [True, False], ids=["real", "complex"])
def test_the_amplitude_gradient_has_no_part_along_the_input(real: bool, dtype: type) -> None:
    case = random_case(8, n=6, batch=33, real=real, embed=True)
    case = replace(case, amplitudes=random_amplitudes(np.random.default_rng(8), (33, 50), real)).cast(dtype)
    for measure in case.all_measures:
        cotangent = random_cotangent(case, measure)
        gradient = gradients(case, cotangent, measure).amplitudes
        along = np.sum(gradient.conj().astype(complex) * case.amplitudes, axis=1).real
        scale = dense.slope_scale(case.n, case.instructions, cotangent, case.weights, **case.inputs, **measure)
        assert np.max(np.abs(along)) <= TOLERANCE[dtype] * scale, measure


@pytest.mark.parametrize("dtype", PRECISIONS, ids=["float64", "float32"])
def test_real_amplitudes_have_the_real_part_of_the_gradient_of_complex_ones(dtype: type) -> None:
    case = random_case(40, n=5, batch=9, length=25, real=False, embed=True)
    case = replace(case, amplitudes=np.random.default_rng(40).normal(size=(9, 32))).cast(dtype)
    twin = replace(case, amplitudes=case.amplitudes + np.zeros((), dtype) * 1j)
    for measure in case.all_measures:
        cotangent = random_cotangent(case, measure)
        one, other = gradients(case, cotangent, measure).amplitudes, gradients(twin, cotangent, measure).amplitudes
        assert (one.dtype.kind, other.dtype.kind) == ("f", "c")
        np.testing.assert_allclose(one, other.real, atol=TOLERANCE[dtype] * np.abs(other).max())


def test_a_constant_cotangent_of_probabilities_gives_no_gradient() -> None:
    case = random_case(21, n=5, batch=6)
    outputs, pullback = qcsim.vjp(case.circuit(), case.weights, **case.inputs)
    for gradient in pullback(np.ones_like(outputs)):
        if gradient is not None:
            np.testing.assert_allclose(gradient, 0, atol=1e-12)


def test_one_rotation_has_minus_the_sine_as_its_slope() -> None:
    angles = np.linspace(-7, 7, 33)[:, None]
    outputs, pullback = qcsim.vjp(qcsim.Circuit(1).ry(0, feature=0), np.zeros(0), features=angles, observables=["Z0"])
    np.testing.assert_allclose(outputs, np.cos(angles), atol=1e-15)
    np.testing.assert_allclose(pullback(np.ones((33, 1))).features, -np.sin(angles), atol=1e-15)


def test_an_input_that_no_gate_reads_has_gradient_zero() -> None:
    circuit = qcsim.Circuit(2).ry(0, feature=2).cnot(0, 1)
    _, pullback = qcsim.vjp(circuit, np.zeros(0), features=np.full((3, 3), 0.4), observables=["Z0"])
    gradient = pullback(np.ones((3, 1)))
    np.testing.assert_array_equal(gradient.features[:, :2], 0)
    np.testing.assert_allclose(gradient.features[:, 2], -np.sin(0.4), atol=1e-15)
    assert gradient.weights.shape == (0,)
    assert gradient.amplitudes is None


def test_gradients_come_in_the_shapes_of_the_inputs() -> None:
    circuit = qcsim.Circuit(2).amplitude_embedding().ry(0).ry(1, feature=0)
    for weights, amplitudes, features in [
        (np.ones(1), np.ones((5, 3)), np.ones((5, 1))),
        (np.ones((5, 1)), np.ones((5, 3)), np.ones((5, 1))),
        (np.ones(1), np.ones(3), np.ones(1)),
    ]:
        outputs, pullback = qcsim.vjp(circuit, weights, amplitudes=amplitudes, features=features)
        gradient = pullback(np.ones_like(outputs))
        assert (gradient.weights.shape, gradient.amplitudes.shape, gradient.features.shape) == (
            weights.shape, amplitudes.shape, features.shape,
        )  # fmt: skip


def test_an_empty_batch_touches_no_number_of_its_arrays() -> None:
    def no_rows() -> tuple[np.ndarray, np.ndarray]:  # where reading finds no number, and writing is seen
        memory = np.full(4, np.nan)
        return memory, np.lib.stride_tricks.as_strided(memory, (0, 1), (0, 0))

    for size in (1, 14):
        circuit = qcsim.Circuit(size).ry(0).rz(0, feature=0)
        engine = circuit._compiled((("probabilities", (0,)),), False)
        (weights, given), (features, also_given), (slopes, into) = no_rows(), no_rows(), no_rows()
        outputs = np.empty((0, 2))
        call = _core.run_float64(*engine, 0, (0, 0, 0), given, also_given, outputs, True, 1)
        call.adjoint(outputs, (0, 0, 0), into, (0, 0, 0), 1)
        assert np.isnan([weights, features, slopes]).all()


def test_an_empty_batch_has_zero_weight_gradient_and_empty_input_gradient() -> None:
    outputs, pullback = qcsim.vjp(qcsim.hardware_efficient(3, 2), np.ones(6), amplitudes=np.zeros((0, 8)))
    gradient = pullback(np.zeros_like(outputs))
    np.testing.assert_array_equal(gradient.weights, np.zeros(6))
    assert gradient.amplitudes.shape == (0, 8)


def test_a_pullback_can_be_used_again_and_is_linear() -> None:
    case = random_case(3, n=5, batch=9)
    rng = np.random.default_rng(9)
    outputs, pullback = qcsim.vjp(case.circuit(), case.weights, **case.inputs)
    a, b = rng.normal(size=(2, *outputs.shape))
    for first, second, both in zip(pullback(a), pullback(b), pullback(2 * a - b), strict=True):
        if first is not None:
            np.testing.assert_allclose(both, 2 * first - second, atol=1e-12 * max(1.0, np.abs(first).max(initial=0)))
    np.testing.assert_array_equal(pullback(a).weights, pullback(a).weights)


def test_pullbacks_of_two_calls_do_not_disturb_each_other() -> None:
    cases = [random_case(seed, n=5, batch=20) for seed in (30, 31)]
    alone = []
    for case in cases:
        outputs, pullback = qcsim.vjp(case.circuit(), case.weights, **case.inputs)
        alone.append(pullback(np.cos(outputs)).weights)
    pairs = [qcsim.vjp(case.circuit(), case.weights, **case.inputs) for case in cases]
    together = [pullback(np.cos(outputs)).weights for outputs, pullback in reversed(pairs)]
    for first, second in zip(alone, reversed(together), strict=True):
        np.testing.assert_array_equal(first, second)


def test_a_pullback_remembers_its_inputs_when_the_caller_overwrites_them() -> None:
    rng = np.random.default_rng(10)
    circuit = qcsim.hardware_efficient(4, 2)
    weights, amplitudes = rng.normal(size=8), rng.normal(size=(18, 16))
    cotangent = rng.normal(size=(18, 16))
    _, pullback = qcsim.vjp(circuit, weights, amplitudes=amplitudes)
    expected = pullback(cotangent)
    _, pullback = qcsim.vjp(circuit, weights, amplitudes=amplitudes)
    weights[:], amplitudes[:] = 0, 1
    again = pullback(cotangent)
    np.testing.assert_array_equal(again.weights, expected.weights)
    np.testing.assert_array_equal(again.amplitudes, expected.amplitudes)


def test_the_outputs_of_vjp_are_the_outputs_of_the_plain_call() -> None:
    case = random_case(5, n=6, batch=7)
    for measure in case.measures:
        verb = qcsim.expval if "observables" in measure else qcsim.probabilities
        outputs, _ = qcsim.vjp(case.circuit(), case.weights, **case.inputs, **measure)
        np.testing.assert_array_equal(outputs, verb(case.circuit(), case.weights, **case.inputs, **measure))


def test_the_memory_layout_of_a_cotangent_does_not_matter() -> None:
    circuit = qcsim.hardware_efficient(4, 2)
    rng = np.random.default_rng(12)
    _, pullback = qcsim.vjp(circuit, rng.normal(size=8), amplitudes=rng.normal(size=(18, 16)))
    cotangent = rng.normal(size=(18, 16))
    expected = pullback(cotangent)
    for layout in (np.asfortranarray(cotangent), np.repeat(cotangent, 2, axis=1)[:, ::2]):
        np.testing.assert_array_equal(pullback(layout).amplitudes, expected.amplitudes)
        np.testing.assert_array_equal(pullback(layout).weights, expected.weights)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(200, 1200))
def test_gradients_of_a_thousand_more_random_circuits_agree_with_the_oracle(seed: int) -> None:
    case = random_case(seed)
    for dtype in PRECISIONS:
        for measure in case.all_measures:
            assert_gradients(case.cast(dtype), measure)


@pytest.mark.parametrize("gradient", ["adjoint", "parameter-shift"])
def test_a_pullback_does_not_see_what_became_of_the_inputs(gradient: str) -> None:
    circuit, rng = qcsim.hardware_efficient(3, 2), np.random.default_rng(0)
    weights, amplitudes, cotangent = rng.normal(size=6), rng.normal(size=(5, 8)), rng.normal(size=(5, 8))
    _, pullback = qcsim.vjp(circuit, weights, amplitudes, gradient=gradient)
    before = pullback(cotangent)
    weights[:], amplitudes[:] = 0.5, 1.0
    after = pullback(cotangent)
    np.testing.assert_array_equal(after.weights, before.weights)
    np.testing.assert_array_equal(after.amplitudes, before.amplitudes)


@pytest.mark.parametrize("scale", [1e-30, 1e30, 1e35])
def test_the_amplitude_gradient_survives_large_and_small_inputs_and_depth(scale: float) -> None:
    circuit, rng = qcsim.hardware_efficient(4, 12), np.random.default_rng(1)
    weights, amplitudes = rng.uniform(1.2, 1.9, 48), rng.normal(size=(3, 16))
    cotangent = rng.normal(size=(3, 16))
    expected = qcsim.vjp(circuit, weights, amplitudes)[1](cotangent).amplitudes / scale
    single = [array.astype(np.float32) for array in (weights, amplitudes * scale, cotangent)]
    found = qcsim.vjp(circuit, single[0], single[1])[1](single[2]).amplitudes
    np.testing.assert_allclose(found / np.abs(expected).max(), expected / np.abs(expected).max(), atol=2e-5)


def test_a_large_cotangent_gives_a_large_gradient_and_no_infinity() -> None:
    circuit, rng = qcsim.hardware_efficient(4, 13), np.random.default_rng(2)
    weights, amplitudes = rng.uniform(1.4, 1.7, 52), rng.normal(size=(2, 16))
    cotangent = rng.normal(size=(2, 16))
    expected = qcsim.vjp(circuit, weights, amplitudes)[1](cotangent).weights
    single = [array.astype(np.float32) for array in (weights, amplitudes, cotangent * 1e20)]
    found = qcsim.vjp(circuit, single[0], single[1])[1](single[2]).weights / 1e20
    np.testing.assert_allclose(found, expected, atol=2e-5 * np.abs(expected).max())


def test_more_threads_than_work_take_no_memory() -> None:
    circuit = qcsim.hardware_efficient(9, 2)
    outputs = qcsim.probabilities(circuit, np.ones(18), np.ones((200, 512)), num_threads=1_000_000)
    assert outputs.shape == (200, 512)
