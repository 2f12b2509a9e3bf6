"""Single large states, 14 to 18 qubits, against axis slicing; their gradients against complex steps and shifts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import qcsim
from oracle import dense, tensor
from oracle.check import PRECISIONS, TOLERANCE, forward, gradients
from oracle.circuits import ALL_GATES, REAL_GATES, Case, build, random_amplitudes, random_gate, random_word
from oracle.dense import EMBEDDING, Instruction, gate, weight


def large_case(n: int, seed: int, real: bool, batch: int = 1, embed: bool = False) -> Case:
    """One gate of every kind at random places between layers that entangle all qubits."""
    rng = np.random.default_rng(seed)
    program: list[Instruction] = [EMBEDDING] if embed else []
    program += [gate("ry", q, weight(q)) for q in range(n)] + [gate("cnot", q, (q + 1) % n) for q in range(n)]
    for name in rng.permutation(REAL_GATES if real else ALL_GATES):
        columns = [dense.n_columns(program, source) for source in ("weight", "feature")]
        program.append(random_gate(rng, n, [str(name)], *columns, real))
    program += [gate("ry" if real else "rx", q, weight(q)) for q in range(0, n, 3)]
    features = dense.n_columns(program, "feature")
    words = tuple(random_word(rng, n) for _ in range(2))
    return Case(
        seed=seed,
        n=n,
        instructions=program,
        weights=rng.uniform(-4, 4, dense.n_columns(program, "weight")),
        amplitudes=random_amplitudes(rng, (batch, 2**n), real) if embed else None,
        features=rng.uniform(-4, 4, (batch, features)) if features else None,
        qubits=tuple(int(q) for q in rng.choice(n, 3, replace=False)),
        observables=(*words, {words[0]: 0.5, "Z1": -1.0, f"X{n - 1}": 0.25}),
    )


def assert_close(case: Case, measure: dict, slack: float = 1.0) -> None:
    """qcsim's outputs agree with axis slicing."""
    truth = tensor.outputs(case.n, case.instructions, case.point, **measure)
    value = np.atleast_2d(forward(case, measure))
    scale = 0.0 if "qubits" in measure else dense.output_scale(**measure)
    error = dense.relative_error(value, truth, scale)
    assert error <= slack * TOLERANCE[case.weights.dtype.type], f"{error:.1e} for {measure}, n={case.n}, {case.seed}"


@pytest.mark.parametrize("real", [True, False], ids=["real", "complex"])
@pytest.mark.parametrize("n", [14, 15, 16, 17, 18])
def test_a_large_state_agrees_with_axis_slicing(n: int, real: bool) -> None:
    case = large_case(n, seed=n, real=real)
    for measure in case.all_measures:
        assert_close(case, measure)


@pytest.mark.parametrize("real", [True, False], ids=["real", "complex"])
def test_a_large_state_in_single_precision_keeps_five_digits(real: bool) -> None:
    case = large_case(15, seed=0, real=real).cast(np.float32)
    for measure in case.all_measures:
        assert_close(case, measure)


@pytest.mark.parametrize("real", [True, False], ids=["real", "complex"])
@pytest.mark.parametrize("batch", [1, 3])
def test_large_amplitudes_are_embedded_and_batched(batch: int, real: bool) -> None:
    case = large_case(14, seed=batch, real=real, batch=batch, embed=True)
    for measure in case.all_measures:
        assert_close(case, measure)


@pytest.mark.parametrize("real", [True, False], ids=["real", "complex"])
@pytest.mark.parametrize("n", [14, 15, 17])
def test_gradients_of_a_large_state_agree_with_a_complex_step(n: int, real: bool) -> None:
    rng = np.random.default_rng(n)
    case = large_case(n, seed=n, real=real, embed=True)
    direction = dense.Inputs(
        rng.normal(size=case.point.weights.shape),
        random_amplitudes(rng, case.point.amplitudes.shape, real),
        None if case.features is None else rng.normal(size=case.features.shape),
    )
    for measure in case.all_measures:
        stepped = tensor.directional_derivative(case.n, case.instructions, case.point, direction, **measure)
        cotangent = random_amplitudes(rng, stepped.shape, not np.iscomplexobj(stepped))
        found = gradients(case, cotangent, measure)
        pairs = [(np.atleast_2d(g), d) for g, d in zip(found, direction, strict=True) if g is not None]
        along = sum(np.sum(g.conj() * d).real for g, d in pairs)
        size = sum(np.linalg.norm(g) * np.linalg.norm(d) for g, d in pairs)
        assert abs(along - np.sum(cotangent.conj() * stepped).real) <= 1e-11 * size, measure


@pytest.mark.parametrize("dtype", PRECISIONS, ids=["float64", "float32"])
@pytest.mark.parametrize("n", [14, 16, 18])
def test_adjoint_gradients_of_a_large_state_are_the_shifts_of_a_few_weights(n: int, dtype: type) -> None:
    rng, names = np.random.default_rng(n), ["ry", "rx", "rz", "rxx", "rzz", "ryy"]
    program: list[Instruction] = []
    for k in range(2 * n):  # every weight turns one gate whose generator has two eigenvalues
        name, (a, b) = names[k % 6], (int(q) for q in rng.choice(n, 2, replace=False))
        program += [gate(name, *((a,) if k % 6 < 3 else (a, b)), weight(k)), gate("h", b), gate("cnot", a, b)]
    words = [random_word(rng, n), "Z0", {"X1 X2": 0.5, f"Y{n - 1}": 1.0}]
    circuit, weights = build(n, program), rng.uniform(-3, 3, 2 * n).astype(dtype)
    mix = rng.normal(size=3).astype(dtype)
    _, pullback = qcsim.vjp(circuit, weights, observables=words)
    slopes = pullback(mix).weights
    for k in (0, 1, n, 2 * n - 3, 2 * n - 2, 2 * n - 1):
        ends = []
        for shift in (np.pi / 2, -np.pi / 2):
            moved = weights.astype(np.float64)
            moved[k] += shift
            ends.append(qcsim.expval(circuit, moved, words))
        expected = (ends[0] - ends[1]) @ mix / 2
        assert abs(slopes[k] - expected) <= TOLERANCE[dtype] * 10 * np.linalg.norm(mix), k


def test_more_threads_change_no_bit_of_a_large_state() -> None:
    case = large_case(16, seed=1, real=False)
    case = replace(case, weights=case.weights.astype(np.float32), features=np.float32(case.features))
    reference = None
    for threads in (1, 2, 8):
        outputs, pullback = qcsim.vjp(
            case.circuit(), case.weights, features=case.features, observables=case.observables, num_threads=threads
        )
        state = qcsim.statevector(case.circuit(), case.weights, features=case.features, num_threads=threads)
        found = [outputs, state, pullback(np.ones_like(outputs)).weights]
        for array, expected in zip(found, reference or found, strict=True):
            np.testing.assert_array_equal(array, expected, f"{threads} threads")
        reference = reference or found


@pytest.mark.parametrize("n", [14, 18, 20])
def test_a_large_ghz_state_has_two_amplitudes(n: int) -> None:
    ghz = qcsim.Circuit(n).h(0)
    for q in range(n - 1):
        ghz.cnot(q, q + 1)
    state = qcsim.statevector(ghz, np.zeros(0))
    np.testing.assert_allclose(state[[0, -1]], np.sqrt(0.5), atol=1e-15)
    assert np.count_nonzero(state) == 2
    every = " ".join(f"X{q}" for q in range(n))
    np.testing.assert_allclose(qcsim.expval(ghz, np.zeros(0), [every, f"Z0 Z{n - 1}", "Z3"]), [1, 1, 0], atol=1e-14)


def test_the_quantum_fourier_transform_of_a_basis_state_is_a_plane_wave() -> None:
    n, index = 14, 4711
    circuit = qcsim.Circuit(n)
    for q in range(n):
        if index >> (n - 1 - q) & 1:
            circuit.x(q)
    for q in range(n):
        circuit.h(q)
        for other in range(q + 1, n):
            circuit.cphase(other, q, angle=np.pi / 2 ** (other - q))
    for q in range(n // 2):
        circuit.swap(q, n - 1 - q)
    expected = np.exp(2j * np.pi * index * np.arange(2**n) / 2**n) / 2 ** (n / 2)
    np.testing.assert_allclose(qcsim.statevector(circuit, np.zeros(0)), expected, atol=1e-14)
