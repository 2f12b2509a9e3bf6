"""The judges judged: two independent simulators agree; analytic gradients agree with complex steps and differences."""

from __future__ import annotations

import numpy as np
import pytest

from oracle import dense, tensor
from oracle.circuits import ALL_GATES, Case, random_amplitudes, random_case, random_gate, random_unitary
from oracle.dense import EMBEDDING, X, Y, Z, constant, feature, gate, kron, unitary, weight

CASES = [random_case(seed, n=1 + seed % 6) for seed in range(120)]
NO_WEIGHTS = np.zeros(0)


def random_direction(case: Case, rng: np.random.Generator) -> dense.Inputs:
    """A direction for every input; weights shared by the batch move together."""
    return dense.Inputs(
        *(None if a is None else random_amplitudes(rng, a.shape, not np.iscomplexobj(a)) for a in case.point)
    )


def slope_along(gradients: dense.Gradients, direction: dense.Inputs) -> float:
    """The change of the loss per step along a direction."""
    pairs = [(g, d) for g, d in zip(gradients, direction, strict=True) if g is not None]
    return float(sum(np.sum(np.conj(np.atleast_2d(g)) * d).real for g, d in pairs))


def exponential(generator: np.ndarray, t: float) -> np.ndarray:
    """exp(-i t G) by its power series."""
    total = term = np.eye(len(generator), dtype=complex)
    for k in range(1, 60):
        term = term @ (-1j * t * generator) / k
        total = total + term
    return total


def one(name: str, *angles: float) -> np.ndarray:
    """The matrix of a gate at some angles."""
    return dense.matrix_of(dense.Instruction(name, (0, 1)), [np.array([a]) for a in angles])[0]


@pytest.mark.parametrize("case", CASES, ids=lambda c: str(c.seed))
def test_kronecker_products_and_axis_slicing_give_the_same_outputs(case: Case) -> None:
    for measure in case.all_measures:
        truth = dense.outputs(case.n, case.instructions, case.weights, **case.inputs, **measure)
        other = tensor.outputs(case.n, case.instructions, case.point, **measure)
        scale = dense.output_scale(**measure)
        np.testing.assert_allclose(other, np.atleast_2d(truth), rtol=0, atol=1e-13 * max(1, scale), err_msg=str(case))


@pytest.mark.parametrize("case", CASES, ids=lambda c: str(c.seed))
def test_analytic_gradients_agree_with_a_complex_step(case: Case) -> None:
    rng = np.random.default_rng(case.seed)
    for measure in case.all_measures:
        direction = random_direction(case, rng)
        stepped = tensor.directional_derivative(case.n, case.instructions, case.point, direction, **measure)
        cotangent = random_amplitudes(rng, stepped.shape, not np.iscomplexobj(stepped))
        exact = dense.gradients(case.n, case.instructions, cotangent, case.weights, **case.inputs, **measure)
        expected = float(np.sum(np.conj(cotangent) * stepped).real)
        scale = dense.slope_scale(case.n, case.instructions, cotangent, case.weights, **case.inputs, **measure)
        assert slope_along(exact, direction) == pytest.approx(expected, rel=1e-11, abs=1e-12 * scale), str(case)


@pytest.mark.parametrize("case", CASES[:12], ids=lambda c: str(c.seed))
def test_analytic_gradients_agree_with_central_differences(case: Case) -> None:
    rng = np.random.default_rng(case.seed)
    cotangent = rng.normal(size=np.shape(dense.outputs(case.n, case.instructions, case.weights, **case.inputs)))
    exact = dense.gradients(case.n, case.instructions, cotangent, case.weights, **case.inputs)
    for k in range(case.weights.size):
        nudge = np.zeros_like(case.weights)
        nudge.flat[k] = 1e-5
        ends = [dense.outputs(case.n, case.instructions, case.weights + s * nudge, **case.inputs) for s in (1, -1)]
        slope = float(np.sum(cotangent * (ends[0] - ends[1]))) / 2e-5
        assert exact.weights.flat[k] == pytest.approx(slope, rel=1e-6, abs=1e-8), str(case)


@pytest.mark.parametrize("name", ALL_GATES)
def test_every_gate_is_unitary_and_both_simulators_agree_on_all_its_columns(name: str) -> None:
    rng = np.random.default_rng(0)
    for n in (3, 4):
        for _ in range(5):
            instruction = random_gate(rng, n, [name])
            program = [EMBEDDING, instruction]
            weights = rng.uniform(-4, 4, dense.n_columns(program, "weight"))
            count = dense.n_columns(program, "feature")
            features = np.repeat(rng.uniform(-4, 4, (1, count)), 2**n, 0) if count else None
            columns = dense.outputs(n, program, weights, np.eye(2**n), features, statevector=True)
            np.testing.assert_allclose(columns @ columns.conj().T, np.eye(2**n), atol=1e-14)
            point = dense.batched(weights, np.eye(2**n), features)
            np.testing.assert_allclose(tensor.outputs(n, program, point, statevector=True), columns, atol=1e-14)


@pytest.mark.parametrize("t", [0.0, 0.3, -2.0, np.pi, 7.0])
def test_rotations_are_exponentials_of_their_generators(t: float) -> None:
    paulis = {"rx": X, "ry": Y, "rz": Z, "rxx": kron(X, X), "ryy": kron(Y, Y), "rzz": kron(Z, Z)}
    for name, generator in paulis.items():
        np.testing.assert_allclose(one(name, t), exponential(generator / 2, t), atol=1e-13)
    for name, generator in {"crx": X, "cry": Y, "crz": Z}.items():  # on where the control is 1
        np.testing.assert_allclose(one(name, t), exponential(kron(dense.ONE, generator / 2), t), atol=1e-13)
    for word in ("Y", "ZX", "XYZ", "YYZX"):
        turned = dense.matrix_of(dense.pauli_rot(word, range(len(word)), dense.constant(t)), [np.array([t])])[0]
        generator = kron(*(dense.PAULIS[letter] for letter in word))
        np.testing.assert_allclose(turned, exponential(generator / 2, t), atol=1e-13)
    np.testing.assert_allclose(one("phase", t), exponential(-dense.ONE, t), atol=1e-13)
    np.testing.assert_allclose(one("cphase", t), exponential(-kron(dense.ONE, dense.ONE), t), atol=1e-13)


def test_gates_of_three_angles_are_the_rotations_they_are_known_to_be() -> None:
    a, b, c = 0.7, -1.9, 2.3
    np.testing.assert_allclose(one("rot", a, b, c), one("rz", c) @ one("ry", b) @ one("rz", a), atol=1e-15)
    np.testing.assert_allclose(one("u3", a, b, c), one("phase", b) @ one("ry", a) @ one("phase", c), atol=1e-15)
    np.testing.assert_allclose(one("cu3", a, b, c)[2:, 2:], one("u3", a, b, c), atol=1e-15)
    np.testing.assert_allclose(one("cu3", a, b, c)[:2], np.eye(4)[:2], atol=0)


def test_fixed_gates_are_the_textbook_matrices() -> None:
    np.testing.assert_array_equal(one("cnot"), np.eye(4)[[0, 1, 3, 2]])
    np.testing.assert_array_equal(one("swap"), np.eye(4)[[0, 2, 1, 3]])
    np.testing.assert_array_equal(one("cz"), np.diag([1, 1, 1, -1]))
    np.testing.assert_array_equal(one("cy"), [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, -1j], [0, 0, 1j, 0]])
    np.testing.assert_array_equal(one("toffoli"), np.eye(8)[[0, 1, 2, 3, 4, 5, 7, 6]])
    np.testing.assert_array_equal(one("fredkin"), np.eye(8)[[0, 1, 2, 3, 4, 6, 5, 7]])
    np.testing.assert_allclose(one("iswap"), exponential(-(kron(X, X) + kron(Y, Y)) / 4, np.pi), atol=1e-14)
    for root, square in [("s", Z), ("sx", X), ("t", one("s"))]:
        np.testing.assert_allclose(one(root) @ one(root), square, atol=1e-15)
    for name in ("s", "t", "sx", "iswap"):
        inverse = {"iswap": "iswapdg"}.get(name, name + "dg")
        np.testing.assert_allclose(one(name) @ one(inverse), np.eye(len(one(name))), atol=1e-15)
    mcx = dense.matrix_of(gate("mcx", 0, 1, 2), [])[0]
    np.testing.assert_array_equal(mcx, one("toffoli"))


def test_qubit_zero_is_the_most_significant_bit() -> None:
    np.testing.assert_array_equal(dense.outputs(2, [gate("x", 1)], NO_WEIGHTS), [0, 1, 0, 0])
    np.testing.assert_array_equal(dense.outputs(2, [gate("x", 0)], NO_WEIGHTS), [0, 0, 1, 0])
    np.testing.assert_array_equal(dense.outputs(2, [gate("x", 0), gate("cnot", 0, 1)], NO_WEIGHTS), [0, 0, 0, 1])
    np.testing.assert_array_equal(dense.outputs(2, [gate("x", 0), gate("swap", 0, 1)], NO_WEIGHTS), [0, 1, 0, 0])


def test_the_first_qubit_of_a_matrix_is_its_most_significant_bit() -> None:
    matrix = random_unitary(np.random.default_rng(1), 2, real=False)
    psi = dense.outputs(3, [unitary(matrix, 2, 0)], NO_WEIGHTS, statevector=True)
    np.testing.assert_allclose(psi[[0b000, 0b100, 0b001, 0b101]], matrix[:, 0], atol=0)


def test_a_marginal_lists_the_first_named_qubit_as_most_significant() -> None:
    program = [gate("x", 2)]
    np.testing.assert_array_equal(dense.outputs(3, program, NO_WEIGHTS, qubits=[2, 0]), [0, 0, 1, 0])
    np.testing.assert_array_equal(dense.outputs(3, program, NO_WEIGHTS, qubits=[0, 2]), [0, 1, 0, 0])
    value = dense.outputs(3, program, NO_WEIGHTS, observables=["Z2", "Z0 Z2", "Z0", "I"])
    np.testing.assert_array_equal(value, [-1, -1, 1, 1])


def test_one_rotation_has_the_textbook_probabilities() -> None:
    angle = 0.7
    expected = [np.cos(angle / 2) ** 2, np.sin(angle / 2) ** 2]
    np.testing.assert_allclose(dense.outputs(1, [gate("ry", 0, weight(0))], np.array([angle])), expected, atol=1e-16)


def test_an_angle_is_scaled_and_then_shifted() -> None:
    affine = dense.outputs(1, [gate("ry", 0, feature(1, -2.0, 0.5))], NO_WEIGHTS, features=np.array([9.0, 0.3]))
    np.testing.assert_allclose(affine, dense.outputs(1, [gate("ry", 0, constant(-0.1))], NO_WEIGHTS), atol=1e-16)


def test_variance_is_zero_on_an_eigenstate_and_one_where_an_observable_is_random() -> None:
    words = ["X0", "Z0", {"X0": 2.0, "I": 5.0}, {"X0": 3.0, "Z0": 4.0}]
    value = dense.outputs(1, [gate("h", 0)], NO_WEIGHTS, variance=words)
    np.testing.assert_allclose(value, [0, 1, 0, 16], atol=1e-13)
