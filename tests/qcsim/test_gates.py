"""Every gate by itself against its textbook matrix, its gradient, and the algebra that gates obey."""

from __future__ import annotations

import numpy as np
import pytest

import qcsim
from oracle import dense
from oracle.check import PRECISIONS, assert_gradients, assert_outputs
from oracle.circuits import ALL_GATES, REAL_GATES, Case, build, random_amplitudes, random_gate
from oracle.dense import EMBEDDING, PARAMETERS, WIDTHS, Array, Instruction, constant, feature, gate, weight

CORNERS = [0.0, np.pi / 2, np.pi, -np.pi, 2 * np.pi, 4 * np.pi, 1e-8]


def case_of(instruction: Instruction, n: int, amplitudes: Array, seed: int = 0) -> Case:
    """One gate on given states, with random weights and features."""
    rng, program = np.random.default_rng(seed), [EMBEDDING, instruction]
    features = rng.uniform(-4, 4, (len(amplitudes), dense.n_columns(program, "feature")))
    weights = rng.uniform(-4, 4, dense.n_columns(program, "weight"))
    words = tuple(f"{letter}{q}" for q in range(n) for letter in "XYZ")
    return Case(seed, n, program, weights, amplitudes, features if features.size else None, None, words)


def same_unitary(n: int, left: list[Instruction], right: list[Instruction], phase: complex = 1.0) -> None:
    """Both circuits do the same to every basis state, up to the given phase."""
    columns = [
        qcsim.statevector(build(n, [EMBEDDING, *side]), np.zeros(0), amplitudes=np.eye(2**n)) for side in (left, right)
    ]
    np.testing.assert_allclose(columns[0], phase * columns[1], atol=1e-14)


@pytest.mark.parametrize("dtype", PRECISIONS, ids=["float64", "float32"])
@pytest.mark.parametrize("name", ALL_GATES)
def test_a_gate_is_its_textbook_matrix_on_random_states_wherever_it_stands(name: str, dtype: type) -> None:
    rng = np.random.default_rng(0)
    for n in (2, 3, 4, 5):
        for seed in range(3):
            if max(WIDTHS[name], 1) <= n:
                states = random_amplitudes(rng, (5, 2**n), real=False)
                case = case_of(random_gate(rng, n, [name]), n, states, seed).cast(dtype)
                for measure in case.all_measures:
                    assert_outputs(case, measure)


@pytest.mark.parametrize("name", ALL_GATES)
def test_a_gate_has_the_columns_of_its_textbook_matrix(name: str) -> None:
    n, rng = max(WIDTHS[name], 2), np.random.default_rng(1)
    instruction = random_gate(rng, n, [name])
    angles = tuple(constant(angle) for angle in rng.uniform(-4, 4, len(instruction.angles)))
    case = case_of(instruction._replace(angles=angles), n, np.eye(2**n))
    assert_outputs(case, {"statevector": True})


@pytest.mark.parametrize("name", REAL_GATES)
def test_a_real_gate_keeps_a_real_state_real(name: str) -> None:
    rng = np.random.default_rng(2)
    for n in (3, 4):
        case = case_of(random_gate(rng, n, [name], real=True), n, rng.normal(size=(4, 2**n)))
        state = qcsim.statevector(case.circuit(), case.weights, **case.inputs)
        np.testing.assert_array_equal(state.imag, 0)
        for measure in case.all_measures:
            assert_outputs(case, measure)
            assert_gradients(case, measure)


@pytest.mark.parametrize("dtype", PRECISIONS, ids=["float64", "float32"])
@pytest.mark.parametrize("name", PARAMETERS)
def test_every_angle_of_a_gate_has_its_gradient(name: str, dtype: type) -> None:
    rng, qubits = np.random.default_rng(3), (2, 0)[: WIDTHS[name]]
    affine = [(1.0, 0.0), (-1.7, 0.4), (0.3, -2.0)]
    for k in range(6):
        sources = [weight, feature] if k % 2 else [weight, weight]
        angles = [sources[i % 2](i // (1 + k % 2), *affine[(i + k) % 3]) for i in range(PARAMETERS[name])]
        states = random_amplitudes(rng, (4, 8), real=k < 3)
        case = case_of(Instruction(name, qubits, tuple(angles)), 3, states, k).cast(dtype)
        for measure in case.all_measures:
            assert_gradients(case, measure)


@pytest.mark.parametrize("dtype", PRECISIONS, ids=["float64", "float32"])
@pytest.mark.parametrize("name", PARAMETERS)
def test_angles_at_the_corners_are_exact_in_value_and_slope(name: str, dtype: type) -> None:
    rng, qubits = np.random.default_rng(4), (0, 1)[: WIDTHS[name]]
    for corner in CORNERS:
        angles = tuple(weight(k) for k in range(PARAMETERS[name]))
        states = random_amplitudes(rng, (3, 4), real=False)
        weights = np.full(PARAMETERS[name], corner)
        program = [EMBEDDING, Instruction(name, qubits, angles), Instruction(name, qubits, angles)]
        case = Case(0, 2, program, weights, states, None, None, ("X0", "Y1 X0", "Z0")).cast(dtype)
        for measure in case.all_measures:
            assert_outputs(case, measure)
            assert_gradients(case, measure)


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_weight_shared_by_all_angles_and_by_two_gates_collects_every_slope(name: str) -> None:
    rng, qubits = np.random.default_rng(5), (1, 2)[: WIDTHS[name]]
    angles = tuple(weight(0, scale) for scale in (1.0, 0.5, -2.0)[: PARAMETERS[name]])
    program = [EMBEDDING, Instruction(name, qubits, angles), gate("h", 1), Instruction(name, qubits, angles)]
    states = random_amplitudes(rng, (4, 8), real=False)
    case = Case(0, 3, program, np.array([0.7]), states, None, (2, 1), ("Y1", "X2 Z1"))
    for measure in case.all_measures:
        assert_gradients(case, measure)


def turned(name: str, *qubits: int) -> list[Instruction]:
    """A gate of the table with fixed angles."""
    return [gate(name, *qubits, *(constant(angle) for angle in (0.7, -1.1, 2.9)[: PARAMETERS.get(name, 0)]))]


def z_angle(t: float, *qubits: int) -> list[Instruction]:
    return [gate("rzz" if len(qubits) == 2 else "rz", *qubits, constant(t))]


H0, H1 = gate("h", 0), gate("h", 1)
S0, S1, SDG0, SDG1 = gate("s", 0), gate("s", 1), gate("sdg", 0), gate("sdg", 1)
IDENTITIES = {
    "HH = 1": ([H0, H0], [], 1),
    "XX = 1": ([gate("x", 0)] * 2, [], 1),
    "YY = 1": ([gate("y", 0)] * 2, [], 1),
    "ZZ = 1": ([gate("z", 0)] * 2, [], 1),
    "HZH = X": ([H0, gate("z", 0), H0], [gate("x", 0)], 1),
    "HYH = -Y": ([H0, gate("y", 0), H0], [gate("y", 0)], -1),
    "XY = iZ": ([gate("y", 0), gate("x", 0)], [gate("z", 0)], 1j),
    "SS = Z": ([S0, S0], [gate("z", 0)], 1),
    "TT = S": ([gate("t", 0)] * 2, [S0], 1),
    "S and its inverse": ([S0, SDG0], [], 1),
    "T and its inverse": ([gate("t", 0), gate("tdg", 0)], [], 1),
    "SX SX = X": ([gate("sx", 0)] * 2, [gate("x", 0)], 1),
    "SX and its inverse": ([gate("sx", 0), gate("sxdg", 0)], [], 1),
    "SXdg SXdg = X": ([gate("sxdg", 0)] * 2, [gate("x", 0)], 1),
    "SX = H S H": ([gate("sx", 0)], [H0, S0, H0], 1),
    "S X Sdg = Y": ([SDG0, gate("x", 0), S0], [gate("y", 0)], 1),
    "RX(pi) = -iX": (turned("x", 0), [gate("rx", 0, constant(np.pi))], 1j),
    "RY(pi) = -iY": (turned("y", 0), [gate("ry", 0, constant(np.pi))], 1j),
    "RZ(pi) = -iZ": (turned("z", 0), [gate("rz", 0, constant(np.pi))], 1j),
    "a full turn is a sign": ([gate("rx", 0, constant(2 * np.pi))], [], -1),
    "phase(pi/4) = T": ([gate("phase", 0, constant(np.pi / 4))], [gate("t", 0)], 1),
    "RZ is phase up to a phase": ([gate("phase", 0, constant(0.8))], z_angle(0.8, 0), np.exp(0.4j)),
    "H RZ H = RX": ([H0, *z_angle(0.7, 0), H0], turned("rx", 0), 1),
    "S RX Sdg = RY": ([SDG0, *turned("rx", 0), S0], turned("ry", 0), 1),
    "u3(pi/2, 0, pi) = H": ([gate("u3", 0, *map(constant, (np.pi / 2, 0, np.pi)))], [H0], 1),
    "u3(t, 0, 0) = RY(t)": ([gate("u3", 0, *map(constant, (0.7, 0, 0)))], turned("ry", 0), 1),
    "rot(0, t, 0) = RY(t)": ([gate("rot", 0, *map(constant, (0, 0.7, 0)))], turned("ry", 0), 1),
    "rot(0, 0, t) = RZ(t)": ([gate("rot", 0, *map(constant, (0, 0, 0.7)))], z_angle(0.7, 0), 1),
    "rot = RZ RY RZ": (
        turned("rot", 0), [*z_angle(0.7, 0), gate("ry", 0, constant(-1.1)), *z_angle(2.9, 0)], 1,
    ),
    "u3 is rot up to a phase": (
        turned("u3", 0), [gate("rot", 0, *map(constant, (2.9, 0.7, -1.1)))], np.exp(0.5j * (2.9 - 1.1)),
    ),
    "H CZ H = CNOT": ([H1, gate("cz", 0, 1), H1], [gate("cnot", 0, 1)], 1),
    "S CNOT Sdg = CY": ([SDG1, gate("cnot", 0, 1), S1], [gate("cy", 0, 1)], 1),
    "CZ is symmetric": ([gate("cz", 0, 1)], [gate("cz", 1, 0)], 1),
    "cphase is symmetric": (turned("cphase", 0, 1), turned("cphase", 1, 0), 1),
    "cphase(pi) = CZ": ([gate("cphase", 0, 1, constant(np.pi))], [gate("cz", 0, 1)], 1),
    "Hadamards turn CNOT round": ([H0, H1, gate("cnot", 0, 1), H0, H1], [gate("cnot", 1, 0)], 1),
    "CH twice": ([gate("ch", 0, 1)] * 2, [], 1),
    "three CNOTs are a SWAP": (
        [gate("cnot", 0, 1), gate("cnot", 1, 0), gate("cnot", 0, 1)], [gate("swap", 0, 1)], 1,
    ),
    "iSWAP = (S x S) CZ SWAP": ([gate("iswap", 0, 1)], [gate("swap", 0, 1), gate("cz", 0, 1), S0, S1], 1),
    "iSWAP and its inverse": ([gate("iswap", 0, 1), gate("iswapdg", 0, 1)], [], 1),
    "iSWAP twice is Z Z": ([gate("iswap", 0, 1)] * 2, [gate("z", 0), gate("z", 1)], 1),
    "iSWAP = RXX RYY": (
        [gate("iswap", 0, 1)],
        [gate("rxx", 0, 1, constant(-np.pi / 2)), gate("ryy", 0, 1, constant(-np.pi / 2))], 1,
    ),
    "CNOT RZ CNOT = RZZ": ([gate("cnot", 0, 1), *z_angle(0.7, 1), gate("cnot", 0, 1)], turned("rzz", 0, 1), 1),
    "H H RZZ H H = RXX": ([H0, H1, *z_angle(0.7, 0, 1), H0, H1], turned("rxx", 0, 1), 1),
    "S S RXX = RYY S S": ([S0, S1, *turned("ryy", 0, 1)], [*turned("rxx", 0, 1), S0, S1], 1),
    "RZZ is symmetric": (turned("rzz", 0, 1), turned("rzz", 1, 0), 1),
    "CRZ is half an RZ and half an RZZ back": (
        [gate("crz", 0, 1, constant(0.7))], [*z_angle(0.35, 1), *z_angle(-0.35, 0, 1)], 1,
    ),
    "a control turned round": (
        [gate("x", 0), *turned("cu3", 0, 1), gate("x", 0)],
        [*turned("u3", 1), gate("cu3", 0, 1, *map(constant, (-0.7, -2.9, 1.1)))], 1,
    ),
    "a phase kicks back": ([gate("x", 1), gate("cphase", 0, 1, constant(0.4)), gate("x", 1)],
                           [gate("phase", 0, constant(0.4)), gate("cphase", 0, 1, constant(-0.4))], 1),
    "Toffoli twice": ([gate("toffoli", 0, 1, 2)] * 2, [], 1),
    "mcx of two controls = Toffoli": ([gate("mcx", 2, 0, 1)], [gate("toffoli", 2, 0, 1)], 1),
    "mcx of one control = CNOT": ([gate("mcx", 1, 2)], [gate("cnot", 1, 2)], 1),
    "mcz of one = Z": ([gate("mcz", 1)], [gate("z", 1)], 1),
    "mcz of two = CZ": ([gate("mcz", 1, 2)], [gate("cz", 1, 2)], 1),
    "H mcz H = Toffoli": ([gate("h", 2), gate("mcz", 0, 1, 2), gate("h", 2)], [gate("toffoli", 0, 1, 2)], 1),
    "Fredkin = CNOT Toffoli CNOT": (
        [gate("fredkin", 0, 1, 2)], [gate("cnot", 2, 1), gate("toffoli", 0, 1, 2), gate("cnot", 2, 1)], 1,
    ),
    "Fredkin is symmetric in what it exchanges": ([gate("fredkin", 1, 0, 2)], [gate("fredkin", 1, 2, 0)], 1),
    "a Hadamard as a matrix": ([dense.unitary(dense.HADAMARD, 1)], [H1], 1),
    "a CNOT as a matrix": ([dense.unitary(dense.FIXED["cnot"], 2, 0)], [gate("cnot", 2, 0)], 1),
    "a Fredkin as a matrix": ([dense.unitary(dense.FIXED["fredkin"], 2, 0, 1)], [gate("fredkin", 2, 0, 1)], 1),
}  # fmt: skip


@pytest.mark.parametrize("name", IDENTITIES)
def test_gate_identity(name: str) -> None:
    left, right, phase = IDENTITIES[name]
    same_unitary(3, left, right, phase)


@pytest.mark.parametrize("name", [name for name, count in PARAMETERS.items() if count == 1])
def test_gates_of_one_angle_add_their_angles(name: str) -> None:
    qubits = (2, 0)[: WIDTHS[name]]
    parts = [gate(name, *qubits, constant(0.4)), gate(name, *qubits, constant(1.3))]
    same_unitary(3, parts, [gate(name, *qubits, constant(1.7))])
    same_unitary(3, [gate(name, *qubits, constant(0.4)), gate(name, *qubits, constant(-0.4))], [])


def test_u3_and_rot_are_undone_by_the_angles_of_their_inverses() -> None:
    theta, phi, lam = 0.7, -1.1, 2.9
    for name, qubits in (("u3", (0,)), ("cu3", (1, 0))):
        there = gate(name, *qubits, *map(constant, (theta, phi, lam)))
        same_unitary(2, [there, gate(name, *qubits, *map(constant, (-theta, -lam, -phi)))], [])
    there = gate("rot", 0, *map(constant, (phi, theta, lam)))
    same_unitary(1, [there, gate("rot", 0, *map(constant, (-lam, -theta, -phi)))], [])


def test_a_matrix_and_its_conjugate_transpose_give_the_state_back() -> None:
    rng = np.random.default_rng(6)
    for k in (1, 2, 3):
        instruction = random_gate(rng, k, ["unitary"])
        matrix = np.array(instruction.matrix).conj().T
        same_unitary(k, [instruction, dense.unitary(matrix, *instruction.qubits)], [])


def test_a_diagonal_gate_leaves_the_probabilities_of_basis_states_alone() -> None:
    for name in ("z", "s", "sdg", "t", "tdg", "rz", "phase", "cz", "crz", "cphase", "rzz"):
        instruction = turned(name, *(0, 1)[: WIDTHS[name]])
        circuit = build(2, [EMBEDDING, *instruction])
        value = qcsim.probabilities(circuit, np.zeros(0), amplitudes=np.eye(4))
        np.testing.assert_allclose(value, np.eye(4), atol=1e-15, err_msg=name)


@pytest.mark.parametrize("dtype", PRECISIONS, ids=["float64", "float32"])
def test_a_long_walk_through_the_whole_table_stays_exact(dtype: type) -> None:
    rng = np.random.default_rng(7)
    program: list[Instruction] = [EMBEDDING]
    for name in rng.permutation(ALL_GATES * 3):
        program.append(random_gate(rng, 5, [str(name)], dense.n_columns(program, "weight")))
    weights = rng.uniform(-4, 4, dense.n_columns(program, "weight"))
    features = rng.uniform(-4, 4, (6, dense.n_columns(program, "feature")))
    case = Case(7, 5, program, weights, random_amplitudes(rng, (6, 32), False), features, (3, 1), ("X0 Y3", "Z2"))
    for measure in case.cast(dtype).all_measures:
        assert_outputs(case.cast(dtype), measure)
        assert_gradients(case.cast(dtype), measure, slack=2)
