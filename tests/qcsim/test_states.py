"""Fidelity, purity, reduced states and entropies: worked-out states, scipy, gradients, the words of errors."""

from __future__ import annotations

import math
import subprocess
import sys
import warnings

import numpy as np
import pytest
import scipy.linalg
import torch

import qcsim

ZERO = np.array([1.0, 0.0])
BELL = np.array([1, 0, 0, 1]) / math.sqrt(2)
GHZ = np.array([1, 0, 0, 0, 0, 0, 0, 1]) / math.sqrt(2)
SINGLET = np.array([0, 1, -1, 0]) / math.sqrt(2)
DTYPES = [np.float32, np.float64, np.complex64, np.complex128]


def werner(p: float) -> np.ndarray:
    """p |singlet><singlet| + (1 - p) I/4: eigenvalues (1 + 3p)/4 once and (1 - p)/4 three times."""
    return p * np.outer(SINGLET, SINGLET) + (1 - p) * np.eye(4) / 4


def h(*probabilities: float) -> float:
    """-sum p log p, nats."""
    return -sum(p * math.log(p) for p in probabilities if p > 0)


def random_vectors(rng: np.random.Generator, batch: int, n: int) -> np.ndarray:
    x = rng.normal(size=(batch, 2**n)) + 1j * rng.normal(size=(batch, 2**n))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def random_matrices(rng: np.random.Generator, batch: int, n: int, rank: int | None = None) -> np.ndarray:
    shape = (batch, 2**n, rank or 2**n)
    x = rng.normal(size=shape) + 1j * rng.normal(size=shape)
    rho = x @ x.conj().swapaxes(1, 2)
    return rho / np.trace(rho, axis1=1, axis2=2)[:, None, None]


def projector(vectors: np.ndarray) -> np.ndarray:
    return vectors[..., :, None] * vectors[..., None, :].conj()


# Worked out by hand ---------------------------------------------------------------------------------------------------


def test_half_a_bell_pair_is_fully_mixed() -> None:
    np.testing.assert_allclose(qcsim.partial_trace(BELL, [0]), np.eye(2) / 2, atol=1e-15)
    np.testing.assert_allclose(qcsim.partial_trace(projector(BELL), [1]), np.eye(2) / 2, atol=1e-15)
    assert qcsim.purity(qcsim.partial_trace(BELL, [0])) == pytest.approx(0.5)


def test_the_entropies_of_a_bell_pair_are_one_bit_for_half_and_zero_for_all() -> None:
    for state in (BELL, projector(BELL)):
        assert qcsim.von_neumann_entropy(state, [1], base=2) == pytest.approx(1, abs=1e-14)
        assert qcsim.von_neumann_entropy(state, [1]) == pytest.approx(math.log(2), abs=1e-14)
        assert qcsim.von_neumann_entropy(state) == pytest.approx(0, abs=1e-14)
        assert qcsim.mutual_information(state, [0], [1], base=2) == pytest.approx(2, abs=1e-14)


def test_parts_of_a_ghz_state_share_one_bit_and_the_cut_of_all_shares_two() -> None:
    for state in (GHZ, projector(GHZ)):
        for part in ([0], [1, 2], [2, 0]):
            assert qcsim.von_neumann_entropy(state, part, base=2) == pytest.approx(1, abs=1e-14)
        assert qcsim.mutual_information(state, [0], [2], base=2) == pytest.approx(1, abs=1e-14)
        assert qcsim.mutual_information(state, [0], [2, 1], base=2) == pytest.approx(2, abs=1e-14)


@pytest.mark.parametrize("p", [-1 / 3, 0.0, 0.2, 1 / 3, 0.9, 1.0])
def test_a_werner_state_is_what_its_eigenvalues_say(p: float) -> None:
    rho, largest, other = werner(p), (1 + 3 * p) / 4, (1 - p) / 4
    entropy = h(largest, other, other, other)
    assert qcsim.von_neumann_entropy(rho) == pytest.approx(entropy, abs=1e-14)
    assert qcsim.mutual_information(rho, [1], [0]) == pytest.approx(2 * math.log(2) - entropy, abs=1e-14)
    assert qcsim.purity(rho) == pytest.approx((1 + 3 * p * p) / 4)
    assert qcsim.fidelity(SINGLET, rho) == pytest.approx(largest, abs=1e-15)
    assert qcsim.fidelity(rho, SINGLET) == pytest.approx(largest, abs=1e-15)
    assert qcsim.fidelity(projector(SINGLET), rho) == pytest.approx(largest, abs=1e-14)


@pytest.mark.parametrize(("p", "q"), [(0.0, 1.0), (0.3, 0.8), (-1 / 3, 1.0), (0.5, 0.5)])
def test_the_fidelity_of_states_that_commute_is_that_of_their_eigenvalues(p: float, q: float) -> None:
    roots = math.sqrt((1 + 3 * p) * (1 + 3 * q)) / 4 + 3 * math.sqrt((1 - p) * (1 - q)) / 4
    assert qcsim.fidelity(werner(p), werner(q)) == pytest.approx(roots**2, abs=1e-14)


def test_global_depolarizing_lowers_the_fidelity_as_the_formula_says() -> None:
    psi = random_vectors(np.random.default_rng(0), 5, 3)
    for e in (0.0, 1e-3, 0.3, 1.0):
        rho = (1 - e) * projector(psi) + e * np.eye(8) / 8
        np.testing.assert_allclose(qcsim.fidelity(psi, rho), 1 - e + e / 8, atol=1e-14)
        np.testing.assert_allclose(qcsim.purity(rho), (1 - e) ** 2 + (1 - (1 - e) ** 2) / 8, atol=1e-14)


def test_orthogonal_states_have_fidelity_zero_and_a_phase_changes_nothing() -> None:
    assert qcsim.fidelity(BELL, SINGLET) == 0
    assert qcsim.fidelity(projector(BELL), projector(SINGLET)) == pytest.approx(0, abs=1e-30)
    assert qcsim.fidelity(BELL, 1j * BELL) == pytest.approx(1)


def test_the_kept_qubits_come_in_the_order_they_are_named() -> None:
    product = np.kron(np.kron(np.diag([0.9, 0.1]), np.diag([0.7, 0.3])), np.diag([0.6, 0.4]))
    np.testing.assert_allclose(qcsim.partial_trace(product, [2, 0]), np.kron(np.diag([0.6, 0.4]), np.diag([0.9, 0.1])))
    vector = np.kron(np.kron([1, 0], [0.6, 0.8]), [0, 1])
    expected = np.kron([0, 1], [0.6, 0.8])
    np.testing.assert_allclose(qcsim.partial_trace(vector, [2, 1]), np.outer(expected, expected), atol=1e-15)


def test_tracing_out_in_two_steps_is_tracing_out_at_once() -> None:
    rho = random_matrices(np.random.default_rng(1), 3, 4)
    np.testing.assert_allclose(
        qcsim.partial_trace(qcsim.partial_trace(rho, [3, 0, 1]), [2, 0]), qcsim.partial_trace(rho, [1, 3]), atol=1e-15
    )


# Against scipy --------------------------------------------------------------------------------------------------------


def true_fidelity(a: np.ndarray, b: np.ndarray) -> float:
    root = scipy.linalg.sqrtm(a)
    return float(np.trace(scipy.linalg.sqrtm(root @ b @ root)).real ** 2)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_random_mixed_states_agree_with_scipy(n: int) -> None:
    rng = np.random.default_rng(n)
    a, b = random_matrices(rng, 6, n), random_matrices(rng, 6, n)
    np.testing.assert_allclose(
        qcsim.fidelity(a, b), [true_fidelity(*pair) for pair in zip(a, b, strict=True)], atol=1e-12
    )
    entropies = [-np.trace(rho @ scipy.linalg.logm(rho)).real for rho in a]
    np.testing.assert_allclose(qcsim.von_neumann_entropy(a), entropies, atol=1e-12)


def test_states_that_are_not_of_full_rank_keep_every_digit() -> None:
    # Of two states of one pure one the fidelity is exact; a root of rounded zeros would be wrong by 1e-8.
    rng = np.random.default_rng(3)
    psi, rho = random_vectors(rng, 8, 4), random_matrices(rng, 8, 4, rank=3)
    np.testing.assert_allclose(qcsim.fidelity(projector(psi), rho), qcsim.fidelity(psi, rho), atol=1e-13)
    np.testing.assert_allclose(qcsim.fidelity(rho, rho), 1, atol=1e-13)


def test_both_sides_of_a_cut_have_the_same_entropy() -> None:
    psi = random_vectors(np.random.default_rng(4), 4, 5)
    np.testing.assert_allclose(qcsim.von_neumann_entropy(psi, [0, 3]), qcsim.von_neumann_entropy(psi, [1, 2, 4]))
    np.testing.assert_allclose(
        qcsim.von_neumann_entropy(psi, [1, 2, 4]), qcsim.von_neumann_entropy(projector(psi), [4, 1, 2]), atol=1e-13
    )


def test_strong_subadditivity_holds() -> None:
    rho = random_matrices(np.random.default_rng(5), 20, 3, rank=2)
    s = {q: qcsim.von_neumann_entropy(rho, q) for q in ((0, 1, 2), (0, 1), (1, 2), (1,))}
    assert (s[0, 1] + s[1, 2] - s[0, 1, 2] - s[(1,)] > -1e-12).all()


# Kinds of array -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", DTYPES)
def test_numpy_and_torch_give_the_same_in_the_precision_of_the_state(dtype: type) -> None:
    rng = np.random.default_rng(6)
    real = dtype in (np.float32, np.float64)
    psi = random_vectors(rng, 3, 2)
    rho = random_matrices(rng, 3, 2)
    if real:
        psi = psi.real / np.linalg.norm(psi.real, axis=1, keepdims=True)
    psi, rho = psi.astype(dtype), (rho.real if real else rho).astype(dtype)
    calls = [
        lambda v, m: qcsim.fidelity(v, m), lambda v, m: qcsim.fidelity(m, m), lambda v, m: qcsim.purity(m),
        lambda v, m: qcsim.partial_trace(v, [1]), lambda v, m: qcsim.partial_trace(m, [1]),
        lambda v, m: qcsim.von_neumann_entropy(v, [0]), lambda v, m: qcsim.mutual_information(m, [0], [1]),
    ]  # fmt: skip
    for call in calls:
        numpy, tensor = call(psi, rho), call(torch.from_numpy(psi), torch.from_numpy(rho))
        assert isinstance(tensor, torch.Tensor)
        assert str(tensor.dtype) == f"torch.{numpy.dtype}"
        assert numpy.dtype in (dtype, np.finfo(dtype).dtype)
        np.testing.assert_allclose(numpy, tensor, rtol=0, atol=32 * np.finfo(dtype).eps)


def test_a_real_state_meets_a_complex_one() -> None:
    psi = random_vectors(np.random.default_rng(7), 1, 2)[0]
    for a, b in ((BELL, psi), (projector(psi), werner(0.4)), (psi, werner(0.4))):
        pair = torch.from_numpy(np.asarray(a)), torch.from_numpy(np.asarray(b))
        np.testing.assert_allclose(qcsim.fidelity(a, b), qcsim.fidelity(*pair), atol=1e-15)
    assert qcsim.fidelity([1, 0], [0.6, 0.8]) == pytest.approx(0.36)


def test_a_batch_is_its_samples() -> None:
    rng = np.random.default_rng(8)
    psi, rho, sigma = random_vectors(rng, 4, 3), random_matrices(rng, 4, 3), random_matrices(rng, 4, 3, rank=2)
    calls = [
        lambda v, a, b: qcsim.fidelity(v, v[..., ::-1]), lambda v, a, b: qcsim.fidelity(v, b),
        lambda v, a, b: qcsim.fidelity(a, b), lambda v, a, b: qcsim.purity(v), lambda v, a, b: qcsim.purity(a),
        lambda v, a, b: qcsim.partial_trace(v, [2, 0]), lambda v, a, b: qcsim.partial_trace(b, [2, 0]),
        lambda v, a, b: qcsim.von_neumann_entropy(v, [1, 2]), lambda v, a, b: qcsim.von_neumann_entropy(b),
        lambda v, a, b: qcsim.mutual_information(a, [1], [2, 0], base=2),
    ]  # fmt: skip
    for call in calls:
        singles = [call(psi[i], rho[i], sigma[i]) for i in range(4)]
        np.testing.assert_allclose(call(psi, rho, sigma), np.stack(singles), atol=1e-14)
        assert len(call(psi[:0], rho[:0], sigma[:0])) == 0


def test_one_state_is_compared_with_each_of_a_batch() -> None:
    rng = np.random.default_rng(9)
    psi, rho = random_vectors(rng, 4, 2), random_matrices(rng, 5, 2)
    for many in (psi[:3], rho):
        for one in (psi[3], rho[4]):
            expected = [qcsim.fidelity(one, each) for each in many]
            np.testing.assert_allclose(qcsim.fidelity(one, many), expected, atol=1e-14)
            np.testing.assert_allclose(qcsim.fidelity(many, one), expected, atol=1e-14)


# The two readings of a square array -----------------------------------------------------------------------------------


def test_a_square_array_is_read_as_what_it_can_be() -> None:
    psi = random_vectors(np.random.default_rng(10), 4, 2)  # 4 vectors of 4 amplitudes
    np.testing.assert_allclose(qcsim.purity(psi), np.ones(4))
    assert qcsim.partial_trace(psi, [0]).shape == (4, 2, 2)
    assert qcsim.purity(werner(0.5)).shape == ()
    assert qcsim.partial_trace(werner(0.5), [0]).shape == (2, 2)
    np.testing.assert_allclose(qcsim.purity(np.eye(4)), np.ones(4))  # the basis, row by row
    assert qcsim.purity(np.eye(4) / 4) == 0.25


def test_the_reading_can_be_forced() -> None:
    psi = random_vectors(np.random.default_rng(11), 4, 2)
    np.testing.assert_allclose(qcsim.purity(psi, kind="vector"), np.ones(4))
    assert_refused(ValueError, ["trace", "1e-06"], lambda: qcsim.purity(psi, kind="matrix"))
    assert_refused(ValueError, ["sample 0", "norm 0.25"], lambda: qcsim.purity(np.eye(4) / 4, kind="vector"))


# Gradients ------------------------------------------------------------------------------------------------------------


def as_states(x: torch.Tensor) -> torch.Tensor:
    """Any (B, D) numbers as state vectors."""
    return x / torch.linalg.vector_norm(x, dim=-1, keepdim=True)


def as_matrices(x: torch.Tensor) -> torch.Tensor:
    """Any (B, D, R) numbers as density matrices of rank R."""
    rho = x @ x.mH
    return rho / torch.einsum("bii->b", rho).real[:, None, None]


def numbers(*shape: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, dtype=torch.complex128, generator=generator).requires_grad_()


@pytest.mark.parametrize("ranks", [(1, 1), (2, 2), (3, 2), (2, 5), (8, 8)])
def test_gradients_in_both_states_agree_with_finite_differences_at_every_rank(ranks: tuple[int, int]) -> None:
    x, y = numbers(2, 8, ranks[0]), numbers(2, 8, ranks[1], seed=1)
    assert torch.autograd.gradcheck(lambda x, y: qcsim.fidelity(as_matrices(x), as_matrices(y)), (x, y), atol=2e-6)


@pytest.mark.parametrize("rank", [1, 2, 3, 8])
def test_gradients_of_matrices_agree_with_finite_differences_at_every_rank(rank: int) -> None:
    x, full = numbers(2, 8, rank), as_matrices(numbers(2, 8, 8, seed=1)).detach()
    v = as_states(numbers(2, 8, seed=2)).detach()
    for f in (
        lambda x: qcsim.von_neumann_entropy(as_matrices(x)),
        lambda x: qcsim.von_neumann_entropy(as_matrices(x), [2, 0], base=2),
        lambda x: qcsim.mutual_information(as_matrices(x), [0], [2]),
        lambda x: qcsim.fidelity(as_matrices(x), full),
        lambda x: qcsim.fidelity(full, as_matrices(x)),
        lambda x: qcsim.fidelity(v, as_matrices(x)),
        lambda x: qcsim.purity(as_matrices(x)),
    ):
        assert torch.autograd.gradcheck(f, (x,), atol=2e-6)


def test_gradients_of_vectors_agree_with_finite_differences() -> None:
    x, y = numbers(2, 8), numbers(2, 8, seed=1)
    for f in (
        lambda x, y: qcsim.fidelity(as_states(x), as_states(y)),
        lambda x, y: qcsim.von_neumann_entropy(as_states(x), [1]) + qcsim.von_neumann_entropy(as_states(y), [0, 2]),
        lambda x, y: qcsim.mutual_information(as_states(x), [1], [0]) * qcsim.purity(as_states(y)),
        lambda x, y: qcsim.partial_trace(as_states(x), [2, 1]) + qcsim.partial_trace(as_states(y), [0, 1]),
    ):
        assert torch.autograd.gradcheck(f, (x, y), atol=1e-6)


def test_gradients_of_real_states_are_real_and_agree_with_finite_differences() -> None:
    x, y = (numbers(2, 4, 4, seed=s).detach().real.clone().requires_grad_() for s in (0, 1))
    for f in (
        lambda x, y: qcsim.fidelity(as_matrices(x), as_matrices(y)),
        lambda x, y: qcsim.von_neumann_entropy(as_matrices(x)) + qcsim.von_neumann_entropy(as_matrices(y), [1]),
    ):
        assert torch.autograd.gradcheck(f, (x, y), atol=1e-6)


def test_gradients_are_finite_where_eigenvalues_meet() -> None:
    rho = torch.eye(4, dtype=torch.float64).div(4).requires_grad_()  # d(-tr rho log rho) = -(log rho + 1)
    (slope,) = torch.autograd.grad(qcsim.von_neumann_entropy(rho), rho)
    torch.testing.assert_close(slope, (math.log(4) - 1) * torch.eye(4, dtype=torch.float64))
    (slope,) = torch.autograd.grad(qcsim.fidelity(rho, rho.detach()), rho)  # dF = tr(d rho) where both are equal
    torch.testing.assert_close(slope, torch.eye(4, dtype=torch.float64))


def test_gradients_are_finite_and_right_at_pure_states() -> None:
    bell = torch.from_numpy(projector(BELL)).requires_grad_()
    mixed, other = torch.from_numpy(werner(0.3)), torch.from_numpy(projector(SINGLET))
    (slope,) = torch.autograd.grad(qcsim.fidelity(mixed, bell), bell)
    assert slope.isfinite().all()
    angle = torch.zeros((), dtype=torch.float64, requires_grad=True)
    turned = torch.from_numpy(BELL) * torch.cos(angle) + torch.from_numpy(SINGLET) * torch.sin(angle)
    pure = turned[:, None] * turned
    for value in (qcsim.von_neumann_entropy(pure), qcsim.fidelity(pure, bell.detach()), qcsim.fidelity(pure, other)):
        assert torch.autograd.grad(value, angle, retain_graph=True)[0].item() == pytest.approx(0, abs=1e-12)
    quarter = torch.tensor(math.pi / 4, dtype=torch.float64, requires_grad=True)
    turned = torch.from_numpy(BELL) * torch.cos(quarter) + torch.from_numpy(SINGLET) * torch.sin(quarter)
    pure = turned[:, None] * turned
    (rate,) = torch.autograd.grad(qcsim.fidelity(pure, other), quarter)  # F = sin^2, F' = sin 2 angle
    assert rate.item() == pytest.approx(1, abs=1e-12)


def test_the_fidelity_with_an_orthogonal_pure_state_still_rises() -> None:
    other = torch.from_numpy(projector(SINGLET))
    mix = torch.zeros((), dtype=torch.float64, requires_grad=True)  # F = mix
    rho = (1 - mix) * torch.from_numpy(projector(BELL)) + mix * other
    for value in (qcsim.fidelity(other, rho), qcsim.fidelity(rho, other)):
        assert torch.autograd.grad(value, mix, retain_graph=True)[0].item() == pytest.approx(1, abs=1e-12)


def test_an_entropy_that_would_rise_without_bound_has_a_finite_slope() -> None:
    rho = torch.diag(torch.tensor([1.0, 0.0], dtype=torch.float64)).requires_grad_()
    (slope,) = torch.autograd.grad(qcsim.von_neumann_entropy(rho), rho)
    expected = [-1.0, -math.log(np.finfo(np.float64).eps) - 1]
    torch.testing.assert_close(slope, torch.diag(torch.tensor(expected, dtype=torch.float64)))


def test_a_second_derivative_is_refused_and_not_silently_wrong() -> None:
    x, y = numbers(1, 4, 4), as_matrices(numbers(1, 4, 4, seed=1)).detach()
    for value in (qcsim.von_neumann_entropy(as_matrices(x)), qcsim.fidelity(as_matrices(x), y)):
        (slope,) = torch.autograd.grad(value.sum(), x, create_graph=True)
        with pytest.raises(RuntimeError, match="first derivative only"):
            slope.abs().sum().backward()


def test_torch_func_differentiates_too() -> None:
    x, y = as_matrices(numbers(1, 4, 4)).detach()[0], as_matrices(numbers(1, 4, 2, seed=1)).detach()[0]
    for f in (qcsim.von_neumann_entropy, lambda rho: qcsim.fidelity(rho, y), lambda rho: qcsim.fidelity(y, rho)):
        leaf = x.clone().requires_grad_()
        f(leaf).backward()
        torch.testing.assert_close(torch.func.grad(f)(x), leaf.grad)


def test_the_entropy_of_a_circuit_state_can_be_trained() -> None:
    circuit = qcsim.Circuit(2).ry(0).cnot(0, 1)
    angle = torch.tensor([0.7], dtype=torch.float64, requires_grad=True)
    entropy = qcsim.von_neumann_entropy(qcsim.statevector(circuit, angle), [0])
    c, s = math.cos(0.35) ** 2, math.sin(0.35) ** 2
    assert entropy.item() == pytest.approx(h(c, s), abs=1e-14)
    entropy.backward()  # dS/dangle = c s log(c / s), with dc = -dangle sqrt(c s)
    assert angle.grad.item() == pytest.approx(math.sqrt(c * s) * math.log(c / s), abs=1e-13)


# What the simulator returns -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("qubits", [2, 3])
def test_the_states_of_a_noisy_circuit_are_read_as_what_they_are(qubits: int) -> None:
    batch, rate = 1 << qubits, 0.1  # as many samples as amplitudes: the batch of vectors is square
    rng = np.random.default_rng(12)
    circuit = qcsim.hardware_efficient(qubits, 2)
    noisy = circuit.with_noise(after="cnot", channel=qcsim.GlobalDepolarizing(rate))
    weights, amplitudes = rng.normal(size=circuit.n_weights), rng.normal(size=(batch, batch))
    psi = qcsim.statevector(circuit, weights, amplitudes)
    rho = qcsim.density_matrix(noisy, weights, amplitudes, method="density_matrix")
    kept = (1 - rate) ** (2 * qubits)
    np.testing.assert_allclose(qcsim.fidelity(psi, rho), kept + (1 - kept) / batch, atol=1e-12)
    np.testing.assert_allclose(qcsim.purity(rho), kept**2 + (1 - kept**2) / batch, atol=1e-12)
    for i in range(batch):
        np.testing.assert_allclose(qcsim.fidelity(psi[i], rho[i]), kept + (1 - kept) / batch, atol=1e-12)
    np.testing.assert_allclose(
        qcsim.partial_trace(rho, [1, 0]),
        qcsim.density_matrix(noisy, weights, amplitudes, qubits=[1, 0], method="density_matrix"),
        atol=1e-12,
    )


def test_the_entropy_of_a_noisy_circuit_can_be_trained() -> None:
    circuit = qcsim.Circuit(2).ry(0).cnot(0, 1).ry(1).amplitude_damping(0.2, 0).phase_damping(0.1, 1)
    target = torch.from_numpy(projector(BELL)).to(torch.complex128)

    def values(angles: torch.Tensor) -> torch.Tensor:
        rho = qcsim.density_matrix(circuit, angles)
        return torch.stack([qcsim.von_neumann_entropy(rho), qcsim.fidelity(rho, target), qcsim.purity(rho)])

    angles = torch.tensor([0.7, -0.4], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(values, (angles,))


# Words of errors ------------------------------------------------------------------------------------------------------


def assert_refused(error: type[Exception], words: list[str], action) -> None:
    with pytest.raises(error) as caught:
        action()
    message = str(caught.value)
    assert caught.type is error
    assert len(message) < 250, message
    for word in words:
        assert word in message, f"{word!r} is missing in: {message}"


NEGATIVE = np.diag([0.6, 0.5, -0.1, 0.0])
REFUSED = [
    (ValueError, ["(4, 4)", "vector", "norm 0.5", "density matrix", "trace 2"], lambda: qcsim.purity(np.eye(4) / 2)),
    (ValueError, ["norm is 1.41421", "1e-06"], lambda: qcsim.purity(np.ones(2))),
    (ValueError, ["sample 1", "norm 0"], lambda: qcsim.purity(np.array([[1.0, 0], [0, 0], [0, 1]]))),
    (ValueError, ["0.001"], lambda: qcsim.purity(np.array([0.9, 0], np.float32))),
    (ValueError, ["sample 1", "trace 0.5"], lambda: qcsim.purity(np.stack([np.eye(2) / 2, np.eye(2) / 4]))),
    (ValueError, ["adjoint", "0.3", "Hermitian"], lambda: qcsim.purity(np.array([[0.5, 0.3], [0, 0.5]]))),
    (ValueError, ["purity 4.5", "more than 1"], lambda: qcsim.purity(np.array([[0.5, 2**0.5], [2**0.5, 0.5]]))),
    (ValueError, ["eigenvalue -0.1"], lambda: qcsim.von_neumann_entropy(NEGATIVE)),
    (ValueError, ["eigenvalue -0.1"], lambda: qcsim.fidelity(np.eye(4) / 4, NEGATIVE)),
    (ValueError, ["not finite"], lambda: qcsim.purity(np.array([1.0, math.nan]))),
    (ValueError, ["(3,)", "2^n", "3"], lambda: qcsim.purity(np.array([1.0, 0, 0]))),
    (ValueError, ["(1,)", "at least 1"], lambda: qcsim.purity(np.ones(1))),
    (ValueError, ["()", "(2^n,)", "(B, 2^n, 2^n)"], lambda: qcsim.purity(np.array(1.0))),
    (ValueError, ["(2, 2, 4)"], lambda: qcsim.purity(np.zeros((2, 2, 4)))),
    (ValueError, ["(4,)", "kind='matrix'"], lambda: qcsim.purity(BELL, kind="matrix")),
    (ValueError, ["'state'", "'vector'", "'matrix'"], lambda: qcsim.purity(BELL, kind="state")),
    (ValueError, ["float16", "complex128"], lambda: qcsim.purity(np.array([1, 0], np.float16))),
    (TypeError, ["str"], lambda: qcsim.purity("00")),
    (TypeError, ["masked"], lambda: qcsim.purity(np.ma.array([1.0, 0.0]))),
    (ValueError, ["layout"], lambda: qcsim.purity(torch.tensor([1.0, 0.0]).to_sparse())),
    (ValueError, ["2", "0..1", "2-qubit"], lambda: qcsim.partial_trace(BELL, [2])),
    (ValueError, ["-1", "0..1"], lambda: qcsim.partial_trace(BELL, [-1])),
    (ValueError, ["0", "twice"], lambda: qcsim.partial_trace(BELL, [0, 0])),
    (ValueError, ["no qubit", "0..1"], lambda: qcsim.partial_trace(BELL, [])),
    (TypeError, ["qubits", "1"], lambda: qcsim.partial_trace(BELL, 1)),
    (TypeError, ["'01'", "list"], lambda: qcsim.partial_trace(BELL, "01")),
    (TypeError, ["0.5", "integer"], lambda: qcsim.von_neumann_entropy(BELL, [0.5])),
    (ValueError, ["base", "1", "not 1"], lambda: qcsim.von_neumann_entropy(BELL, base=1)),
    (ValueError, ["base", "-2", "above 0"], lambda: qcsim.von_neumann_entropy(BELL, base=-2)),
    (TypeError, ["base", "'e'"], lambda: qcsim.von_neumann_entropy(BELL, base="e")),
    (ValueError, ["qubit 1", "qubits_a", "qubits_b"], lambda: qcsim.mutual_information(GHZ, [0, 1], [1])),
    (ValueError, ["a has 2", "b has 3"], lambda: qcsim.fidelity(BELL, GHZ)),
    (ValueError, ["a 3", "b 1"], lambda: qcsim.fidelity(np.stack([BELL] * 3), BELL[None])),
    (ValueError, ["a float64", "b complex64"], lambda: qcsim.fidelity(BELL, BELL.astype(np.complex64))),
    (TypeError, ["two kinds"], lambda: qcsim.fidelity(BELL, torch.from_numpy(BELL))),
]


@pytest.mark.parametrize(("error", "words", "action"), REFUSED)
def test_what_is_no_state_or_no_qubit_is_refused_with_the_rule(error, words, action) -> None:
    assert_refused(error, words, action)


def test_nothing_warns_at_zero_eigenvalues() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert qcsim.von_neumann_entropy(np.diag([1.0, 0, 0, 0])) == 0
        assert qcsim.fidelity(np.diag([1.0, 0]), np.diag([0.0, 1])) == 0


def test_states_of_numpy_do_not_import_torch() -> None:
    script = f"""
import sys
sys.path[:] = {sys.path!r}
import numpy as np, qcsim
rho = np.eye(4) / 4
qcsim.fidelity(rho, rho), qcsim.mutual_information(rho, [0], [1])
print("torch" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "False", done.stderr
