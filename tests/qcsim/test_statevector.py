"""State vectors: always complex, with the global phase of the textbook, and differentiable in torch's convention."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import qcsim
from oracle import dense, tensor
from oracle.check import PRECISIONS, assert_gradients, assert_outputs, forward, random_cotangent
from oracle.circuits import as_complex, random_amplitudes, random_batch, random_case, reference_case

STATE = {"statevector": True}


@pytest.mark.parametrize("dtype", PRECISIONS, ids=["float64", "float32"])
@pytest.mark.parametrize("seed", range(300))
def test_a_random_circuit_agrees_with_the_oracle(seed: int, dtype: type) -> None:
    assert_outputs(random_case(seed).cast(dtype), STATE)


@pytest.mark.parametrize("dtype", PRECISIONS, ids=["float64", "float32"])
@pytest.mark.parametrize("seed", range(800, 840))
def test_all_gradients_of_a_random_circuit_agree_with_the_oracle(seed: int, dtype: type) -> None:
    assert_gradients(random_case(seed).cast(dtype), STATE)


@pytest.mark.parametrize("real", [True, False], ids=["real", "complex"])
@pytest.mark.parametrize("n", range(1, 15))
def test_every_size_from_1_to_14_qubits_agrees_with_axis_slicing(n: int, real: bool) -> None:
    case = random_case(n, n=n, batch=2, length=20, real=real)
    expected = tensor.outputs(n, case.instructions, case.point, **STATE)
    np.testing.assert_allclose(np.atleast_2d(forward(case, STATE)), expected, atol=1e-13, err_msg=str(case))


@pytest.mark.parametrize(("dtype", "out"), [(np.float64, np.complex128), (np.float32, np.complex64)])
def test_a_state_is_complex_also_where_its_circuit_is_real(dtype: type, out: type) -> None:
    case = reference_case(4, 5, dtype=dtype)
    state = forward(case, STATE)
    assert (state.dtype, state.shape) == (out, (5, 16))
    np.testing.assert_array_equal(state.imag, 0)
    assert_outputs(case, STATE)


def test_a_state_has_norm_one_and_the_probabilities_as_its_squares() -> None:
    for seed in range(40):
        case = random_case(seed)
        state = forward(case, STATE)
        np.testing.assert_allclose(np.linalg.norm(state, axis=-1), 1, atol=1e-13, err_msg=str(case))
        np.testing.assert_allclose(np.abs(state) ** 2, forward(case, {}), atol=1e-14, err_msg=str(case))


def test_the_basis_states_go_to_the_columns_of_a_unitary_matrix() -> None:
    for seed in range(20):
        case = random_batch(seed, batch=8, n=3, embed=True)
        case = replace(case, amplitudes=np.eye(8), weights=case.weights if case.weights.ndim == 1 else case.weights[0])
        case = replace(case, features=None if case.features is None else np.repeat(case.features[:1], 8, 0))
        columns = forward(case, STATE)
        np.testing.assert_allclose(columns @ columns.conj().T, np.eye(8), atol=1e-13, err_msg=str(case))


def test_a_circuit_is_linear_in_the_state_it_starts_from() -> None:
    rng, (a, b) = np.random.default_rng(0), (0.6, 0.8j)
    case = random_batch(3, batch=3, n=4, real=False, embed=True)
    case = replace(case, weights=case.weights if case.weights.ndim == 1 else case.weights[0])
    case = replace(case, features=None if case.features is None else np.repeat(case.features[:1], 3, 0))
    first, second = np.linalg.qr(random_amplitudes(rng, (16, 2), False))[0].T
    states = forward(replace(case, amplitudes=np.stack([first, second, a * first + b * second])), STATE)
    np.testing.assert_allclose(states[2], a * states[0] + b * states[1], atol=1e-13)


def test_the_phase_of_the_input_is_the_phase_of_the_output() -> None:
    case = random_case(5, n=4, batch=6, real=False, embed=True)
    turned = replace(case, amplitudes=case.amplitudes * np.exp(0.7j))
    np.testing.assert_allclose(forward(turned, STATE), np.exp(0.7j) * forward(case, STATE), atol=1e-14)
    assert_gradients(turned, STATE)


def test_a_real_path_and_a_complex_path_give_the_same_state() -> None:
    for seed in range(30):
        case = random_case(seed, real=True)
        state, twin = forward(case, STATE), forward(as_complex(case), STATE)
        np.testing.assert_allclose(state, twin, atol=1e-13, err_msg=str(case))


def test_a_state_of_zero_qubits_turned_is_the_first_basis_state() -> None:
    np.testing.assert_array_equal(qcsim.statevector(qcsim.Circuit(2), np.zeros(0)), [1, 0, 0, 0])
    np.testing.assert_allclose(
        qcsim.statevector(qcsim.Circuit(1).h(0).s(0), np.zeros(0)), np.array([1, 1j]) / np.sqrt(2), atol=1e-16
    )


@pytest.mark.parametrize("dtype", PRECISIONS, ids=["float64", "float32"])
def test_a_single_sample_has_no_batch_axis_and_the_bits_of_its_row(dtype: type) -> None:
    case = random_batch(3, batch=19, n=5, real=False, embed=True).cast(dtype)
    weights = case.weights
    assert weights.ndim == 1  # those of one sample alone may be multiplied into tables, which rounds in another order
    whole = forward(case, STATE)
    for row in (0, 7, 18):
        features = None if case.features is None else case.features[row]
        single = qcsim.statevector(case.circuit(), weights, amplitudes=case.amplitudes[row], features=features)
        assert single.shape == (32,)
        np.testing.assert_array_equal(single, whole[row])


def test_an_empty_batch_is_legal() -> None:
    for amplitudes in (np.zeros((0, 8)), np.zeros((0, 8), complex)):
        state = qcsim.statevector(qcsim.hardware_efficient(3, 1), np.zeros(3), amplitudes=amplitudes)
        assert (state.shape, state.dtype) == ((0, 8), np.complex128)


@pytest.mark.parametrize("dtype", PRECISIONS, ids=["float64", "float32"])
def test_complex_amplitudes_of_any_memory_layout_give_the_same_bits(dtype: type) -> None:
    case = random_case(9, n=4, batch=21, real=False, embed=True)
    case = replace(case, amplitudes=random_amplitudes(np.random.default_rng(9), (21, 16), False)).cast(dtype)
    expected = forward(case, STATE)
    wide = np.zeros((42, 48), case.amplitudes.dtype)
    wide[::2, ::3] = case.amplitudes
    raw = np.empty(case.amplitudes.nbytes + 1, np.uint8)[1:].view(case.amplitudes.dtype).reshape(21, 16)
    raw[...] = case.amplitudes
    for layout in (np.asfortranarray(case.amplitudes), wide[::2, ::3], raw, case.amplitudes.conj().conj()):
        np.testing.assert_array_equal(forward(replace(case, amplitudes=layout), STATE), expected)


@pytest.mark.parametrize(
    ("scale", "dtype"),
    [(s, np.float32) for s in (1e-30, 1e-12, 1e12, 1e30)] + [(s, np.float64) for s in (1e-200, 1e200)],
)
def test_normalisation_of_complex_amplitudes_survives_tiny_and_huge_ones(scale: float, dtype: type) -> None:
    case = random_case(10, n=5, batch=17, real=False, embed=True)
    amplitudes = random_amplitudes(np.random.default_rng(10), (17, 32), False) * scale
    case = replace(case, amplitudes=amplitudes).cast(dtype)
    assert_outputs(case, STATE)


@pytest.mark.parametrize("measure", [{}, {"observables": ("X0 Y1", "Z2")}, {"variance": ("X0",)}, STATE])
def test_torch_keeps_precision_kind_and_value(measure: dict) -> None:
    torch = pytest.importorskip("torch")
    for dtype in PRECISIONS:
        case = random_case(11, n=3, batch=4, real=False, embed=True).cast(dtype)
        given = {name: None if a is None else torch.tensor(a) for name, a in case.inputs.items()}
        value = forward(replace(case, weights=torch.tensor(case.weights), **given), measure)
        expected = forward(case, measure)
        assert isinstance(value, torch.Tensor)
        assert value.numpy().dtype == expected.dtype
        np.testing.assert_array_equal(value.numpy(), expected)


def test_gradients_of_a_state_agree_with_central_differences() -> None:
    case = random_case(12, n=3, batch=2, length=20, real=False, embed=True)
    cotangent = random_cotangent(case, STATE)
    exact = dense.gradients(case.n, case.instructions, cotangent, case.weights, **case.inputs, **STATE)
    for step in (1e-6, 1e-6j):
        for k in range(case.amplitudes.shape[1]):
            ends = []
            for sign in (1, -1):
                moved = case.amplitudes.astype(complex)
                moved[0, k] += sign * step * np.linalg.norm(moved[0])
                ends.append(np.sum(np.conj(cotangent) * forward(replace(case, amplitudes=moved), STATE)).real)
            slope = (ends[0] - ends[1]) / 2e-6 / np.linalg.norm(case.amplitudes[0])
            along = exact.amplitudes[0, k].real if step == 1e-6 else np.imag(exact.amplitudes[0, k])
            if step == 1e-6 or np.iscomplexobj(case.amplitudes):
                assert slope == pytest.approx(along, rel=1e-6, abs=1e-7 / np.linalg.norm(case.amplitudes[0]))
