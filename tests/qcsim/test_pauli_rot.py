"""Rotations by a Pauli word, against matrices made of Kronecker products and the gates that they are made of."""

from __future__ import annotations

import functools

import numpy as np
import pytest

import qcsim
from oracle import dense
from oracle.check import assert_gradients, assert_outputs, compare_gradients, gradients, random_cotangent
from oracle.circuits import Case, random_amplitudes
from oracle.dense import EMBEDDING, gate, pauli_rot, weight
from qcsim.interop.elementary import in_gates

WORDS = ["X", "Y", "Z", "YX", "ZZZ", "XYZ", "YYXY", "ZXYZX"]
PAULIS = {"I": np.eye(2), "X": [[0, 1], [1, 0]], "Y": [[0, -1j], [1j, 0]], "Z": [[1, 0], [0, -1]]}


def exponential(n: int, word: str, qubits: tuple[int, ...], t: float) -> np.ndarray:
    """exp(-i t P/2) on n qubits."""
    letters = dict(zip(qubits, word, strict=True))
    p = functools.reduce(np.kron, [PAULIS[letters.get(qubit, "I")] for qubit in range(n)])
    return np.cos(t / 2) * np.eye(2**n) - 1j * np.sin(t / 2) * p


def places(word: str) -> tuple[int, ...]:
    """As many qubits of five, in no order."""
    return (3, 0, 4, 1, 2)[: len(word)]


def columns(circuit: qcsim.Circuit, weights: object = None) -> np.ndarray:
    """The matrix of a circuit that embeds amplitudes."""
    return qcsim.statevector(circuit, weights, np.eye(2**circuit.n_qubits)).T


@pytest.mark.parametrize("word", WORDS)
def test_it_is_the_exponential_of_its_word(word: str) -> None:
    circuit = qcsim.Circuit(5).amplitude_embedding().pauli_rot(word, places(word))
    for t in (0.0, 0.7, -2.9, np.pi, 7.0):
        np.testing.assert_allclose(columns(circuit, [t]), exponential(5, word, places(word), t), atol=1e-14)


def case_of(word: str, angle: dense.Angle, weights: list[float]) -> Case:
    rng = np.random.default_rng(len(word))
    program = [
        EMBEDDING,
        gate("h", 3),
        pauli_rot(word, places(word), angle),
        gate("cnot", 0, 3),
        gate("ry", 0, weight(0)),
    ]
    amplitudes = random_amplitudes(rng, (3, 32), real=False)
    return Case(0, 5, program, np.array(weights), amplitudes, None, (4, 0, 3), ("X0 Y3", {"Z1 X2": 0.5, "Y4": -1.0}))


@pytest.mark.parametrize("word", WORDS)
def test_it_has_the_readouts_and_gradients_of_its_matrix(word: str) -> None:
    case = case_of(word, weight(1, 0.7, 0.1), [0.3, -1.7])
    for measure in case.all_measures:
        assert_outputs(case, measure)
        assert_gradients(case, measure)
    for measure in case.measures:
        cotangent = random_cotangent(case, measure)
        value = gradients(case, cotangent, measure, gradient="parameter-shift")
        compare_gradients(case, measure, cotangent, value, slack=4)


@pytest.mark.parametrize("word", WORDS)
def test_a_density_matrix_is_turned_on_both_sides(word: str) -> None:
    rng, t = np.random.default_rng(0), 1.3
    psi = random_amplitudes(rng, (32,), real=False)
    circuit = qcsim.Circuit(5).amplitude_embedding().pauli_rot(word, places(word), angle=t)
    state = exponential(5, word, places(word), t) @ (psi / np.linalg.norm(psi))
    found = qcsim.density_matrix(circuit, amplitudes=psi, method="density_matrix")
    np.testing.assert_allclose(found, np.outer(state, state.conj()), atol=1e-13)


def test_words_of_one_letter_and_of_two_alike_are_the_gates_that_have_names() -> None:
    for name, word in (("rx", "X"), ("ry", "Y"), ("rz", "Z"), ("rxx", "XX"), ("ryy", "YY"), ("rzz", "ZZ")):
        start = qcsim.Circuit(2).amplitude_embedding()
        named = getattr(start.copy(), name)(*range(len(word)), angle=0.7)
        np.testing.assert_array_equal(columns(named), columns(start.pauli_rot(word, range(len(word)), angle=0.7)))


def test_its_angle_comes_from_where_that_of_any_rotation_comes_from() -> None:
    circuit = qcsim.Circuit(3).rx(0).pauli_rot("XY", [2, 0]).pauli_rot("Z", [1], feature=1, scale=2.0)
    circuit.pauli_rot("YZ", (0, 1), weight=0, shift=0.5).pauli_rot("X", [0], angle=np.pi)
    angles = [str(gate.angles[0]) for gate in circuit.instructions]
    assert angles == ["weight(0)", "weight(1)", "2 * feature(1)", "weight(0) + 0.5", "3.14159265359"]
    assert [gate.word for gate in circuit.instructions] == ["", "XY", "Z", "YZ", "X"]


def test_it_is_inverted_moved_and_written_like_any_gate() -> None:
    block = qcsim.Circuit(3).pauli_rot("XYZ", [2, 0, 1]).h(1)
    both = (block + block.inverse()).instructions
    assert both[-1] == both[0]._replace(angles=(-qcsim.weight(0),))
    moved = qcsim.Circuit(4).then(block, qubits=[3, 1, 0]).instructions[0]
    assert (moved.gate, moved.qubits, moved.word) == ("pauli_rot", (0, 3, 1), "XYZ")
    assert qcsim.Circuit.from_json(block.to_json()) == block
    assert block != qcsim.Circuit(3).pauli_rot("XYY", [2, 0, 1]).h(1)
    assert block.depth() == 2


def test_noise_goes_behind_it() -> None:
    noisy = qcsim.Circuit(3).pauli_rot("XY", [2, 0]).with_noise(after="pauli_rot", channel=qcsim.BitFlip(0.1))
    assert [gate.qubits for gate in noisy.instructions] == [(2, 0), (2,), (0,)]


def test_a_drawing_shows_each_letter_on_its_qubit() -> None:
    circuit = qcsim.Circuit(3).pauli_rot("XY", [2, 0], angle=np.pi / 4)
    assert circuit.draw(width=0).splitlines() == ["q0: ─R[Y](π/4)─", "q1: ─────│─────", "q2: ─R[X](π/4)─"]
    texts = {text.get_text() for text in circuit.draw("mpl").axes[0].texts}
    assert {"R", "X", "Y", "π/4"} <= texts


@pytest.mark.parametrize("word", WORDS)
def test_taken_apart_it_is_the_same_matrix(word: str) -> None:
    whole = qcsim.Circuit(5).amplitude_embedding().pauli_rot(word, places(word), angle=0.7)
    apart = qcsim.Circuit(5).amplitude_embedding()
    known = {"h", "rx", "cnot", "rz"}
    for each in in_gates(whole.instructions, known):
        assert each.gate in known
        apart._add(each)
    np.testing.assert_allclose(columns(apart), columns(whole), atol=1e-14)


WRONG = [
    (ValueError, "'XI' of pauli_rot has another letter than X, Y and Z", lambda c: c.pauli_rot("XI", [0, 1])),
    (ValueError, "'xy' of pauli_rot has another letter", lambda c: c.pauli_rot("xy", [0, 1])),
    (ValueError, "'X' of pauli_rot has 1 letter, and it acts on 2 qubits", lambda c: c.pauli_rot("X", [0, 1])),
    (ValueError, "pauli_rot acts on 1 qubit or more, got 0", lambda c: c.pauli_rot("", [])),
    (ValueError, "pauli_rot needs different qubits, got qubit 1 twice", lambda c: c.pauli_rot("XX", [1, 1])),
    (ValueError, "qubit 3 is outside 0..2", lambda c: c.pauli_rot("X", [3])),
    (TypeError, "word is 3 of type int; it must be text", lambda c: c.pauli_rot(3, [0])),
    (TypeError, "qubits is 0; it must be a list of qubits", lambda c: c.pauli_rot("X", 0)),
    (
        TypeError,
        r"pauli_rot\('X', \[0\], 0.3\): only word and qubits go by place",
        lambda c: c.pauli_rot("X", [0], 0.3),
    ),
]


@pytest.mark.parametrize(("error", "words", "build"), WRONG, ids=[words[:24] for _, words, _ in WRONG])
def test_what_is_no_word_is_refused(error: type[Exception], words: str, build) -> None:
    circuit = qcsim.Circuit(3)
    with pytest.raises(error, match=words):
        build(circuit)
    assert len(circuit) == 0


def test_a_word_goes_with_a_rotation_alone() -> None:
    text = qcsim.Circuit(1).x(0).to_json().replace('"qubits": [0]', '"qubits": [0], "word": "X"')
    with pytest.raises(ValueError, match="x takes no word; only pauli_rot does"):
        qcsim.Circuit.from_json(text)
    with pytest.raises(ValueError, match="the word of gate 0 is 3"):
        qcsim.Circuit.from_json(text.replace('"X"', "3"))


def test_second_derivatives_are_those_of_the_closed_form() -> None:
    torch = pytest.importorskip("torch")
    t = torch.tensor([0.4], dtype=torch.float64, requires_grad=True)
    circuit = qcsim.Circuit(2).pauli_rot("YX", [0, 1])  # <Z0> = cos t
    for method in ("statevector", "density_matrix"):
        (first,) = torch.autograd.grad(qcsim.expval(circuit, t, ["Z0"], method=method).sum(), t, create_graph=True)
        (second,) = torch.autograd.grad(first.sum(), t)
        torch.testing.assert_close(first, -torch.sin(t))
        torch.testing.assert_close(second, -torch.cos(t))
