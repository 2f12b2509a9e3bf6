"""Relations that hold whatever the answer is: batches split, rows permute, qubits are relabelled, gates cancel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import qcsim
from oracle import dense
from oracle.check import PRECISIONS, TOLERANCE, forward, gradients, random_cotangent
from oracle.circuits import as_complex, build, random_amplitudes, random_batch, random_case, rows
from oracle.dense import EMBEDDING, Angle, Instruction, constant, gate, weight

seeds = st.integers(0, 10_000)


@given(seeds, st.integers(0, 40))
def test_a_batch_may_be_split_anywhere_without_changing_a_bit(seed: int, cut: int) -> None:
    case = random_batch(seed, 40)
    for measure in case.all_measures:
        parts = [forward(rows(case, part), measure) for part in (slice(0, cut), slice(cut, None))]
        np.testing.assert_array_equal(np.concatenate(parts), forward(case, measure), err_msg=f"{measure} of {case}")


@pytest.mark.parametrize("dtype", PRECISIONS, ids=["float64", "float32"])
@pytest.mark.parametrize("seed", range(30))
def test_every_row_of_a_batch_has_the_bits_of_a_run_by_itself(seed: int, dtype: type) -> None:
    case = random_batch(seed, 19).cast(dtype)
    for measure in case.all_measures:
        whole, scale = forward(case, measure), dense.output_scale(**measure)
        for row in (0, 8, 18):
            alone, single = forward(rows(case, slice(row, row + 1)), measure), forward(rows(case, row), measure)
            np.testing.assert_array_equal(alone[0], whole[row], err_msg=f"{measure} of {case}")
            if case.weights.ndim == 1:
                np.testing.assert_array_equal(single, whole[row], err_msg=f"{measure} of {case}")
            else:  # a row of weights by itself counts as shared weights, which are prepared in another way
                np.testing.assert_allclose(single, whole[row], atol=TOLERANCE[dtype] * scale, err_msg=str(case))


@given(seeds)
def test_permuting_the_rows_permutes_the_outputs_and_the_input_gradients(seed: int) -> None:
    case = random_batch(seed, 21)
    order = np.random.default_rng(seed).permutation(21)
    for measure in case.measures:
        np.testing.assert_array_equal(forward(rows(case, order), measure), forward(case, measure)[order])
        cotangent = random_cotangent(case, measure)
        before, after = gradients(case, cotangent, measure), gradients(rows(case, order), cotangent[order], measure)
        for name in ("amplitudes", "features"):
            if getattr(before, name) is not None:
                np.testing.assert_array_equal(getattr(after, name), getattr(before, name)[order])
        expected = before.weights if case.weights.ndim == 1 else before.weights[order]
        np.testing.assert_allclose(after.weights, expected, atol=1e-11)


@pytest.mark.parametrize("dtype", PRECISIONS, ids=["float64", "float32"])
@pytest.mark.parametrize("seed", range(60))
def test_a_real_circuit_gives_the_same_on_the_path_for_complex_ones(seed: int, dtype: type) -> None:
    case = random_case(seed, real=True).cast(dtype)
    twins = [as_complex(case)]
    if case.amplitudes is not None:
        twins.append(replace(case, amplitudes=case.amplitudes + np.zeros((), dtype) * 1j))
    for measure in case.all_measures:
        cotangent, scale = random_cotangent(case, measure), dense.output_scale(**measure)
        one, slopes = forward(case, measure), gradients(case, cotangent, measure)
        steepest = dense.slope_scale(case.n, case.instructions, cotangent, case.weights, **case.inputs, **measure)
        for twin in twins:
            np.testing.assert_allclose(forward(twin, measure), one, atol=TOLERANCE[dtype] * scale, err_msg=str(case))
            found = gradients(twin, cotangent, measure)
            np.testing.assert_allclose(found.weights, slopes.weights, atol=10 * TOLERANCE[dtype] * steepest)
            if case.amplitudes is not None:
                norms = np.linalg.norm(case.amplitudes, axis=-1, keepdims=True)
                pair = [norms * slope.amplitudes.real for slope in (found, slopes)]
                np.testing.assert_allclose(*pair, atol=10 * TOLERANCE[dtype] * steepest)


@given(seeds)
def test_probabilities_are_positive_and_sum_to_one(seed: int) -> None:
    case = random_case(seed)
    value = forward(case, {"qubits": case.qubits})
    assert np.all(value >= 0)
    np.testing.assert_allclose(value.sum(axis=-1), 1, atol=1e-13)


@given(seeds, st.floats(1e-6, 1e6), st.floats(-7, 7))
def test_scaling_or_turning_the_amplitudes_changes_no_probability(seed: int, scale: float, phase: float) -> None:
    rng, real = np.random.default_rng(seed), seed % 2 == 0
    case = random_case(seed, n=4, batch=5, real=real, embed=True)
    case = replace(case, amplitudes=random_amplitudes(rng, (5, 16), real))
    factor = scale * (np.sign(phase) or 1.0) if real else scale * np.exp(1j * phase)
    other = replace(case, amplitudes=case.amplitudes * factor)
    for measure in case.all_measures[:3]:
        np.testing.assert_allclose(forward(other, measure), forward(case, measure), atol=1e-12)


def relabelled(instruction: Instruction, new: list[int]) -> Instruction:
    """The same gate on renamed qubits."""
    return instruction._replace(qubits=tuple(new[q] for q in instruction.qubits))


@given(seeds)
def test_relabelling_the_qubits_relabels_the_bits_of_the_outcome(seed: int) -> None:
    n = 1 + seed % 6
    new = [int(q) for q in np.random.default_rng(seed).permutation(n)]
    case = random_case(seed, n=n, batch=3, embed=False)
    renamed = replace(case, instructions=[relabelled(i, new) for i in case.instructions])
    np.testing.assert_allclose(forward(renamed, {"qubits": new}), forward(case, {}), atol=1e-14)
    words = [f"{letter}{q}" for letter in "XYZ" for q in range(n)]
    moved = [f"{word[0]}{new[int(word[1:])]}" for word in words]
    one, other = forward(case, {"observables": words}), forward(renamed, {"observables": moved})
    np.testing.assert_allclose(other, one, atol=1e-13)


INVERSES = {"s": "sdg", "t": "tdg", "sx": "sxdg", "iswap": "iswapdg"}
INVERSES |= {inverse: name for name, inverse in INVERSES.items()}


def undone(instruction: Instruction) -> Instruction:
    """The inverse of a gate."""
    name, qubits, angles, matrix, word = instruction
    if name == "unitary":
        return dense.unitary(np.array(matrix).conj().T, *qubits)
    back = [Angle(s, -v, k, b) if s == "constant" else Angle(s, v, -k, -b) for s, v, k, b in angles]
    if name in ("u3", "cu3"):
        back = [back[0], back[2], back[1]]
    if name == "rot":
        back = back[::-1]
    return Instruction(INVERSES.get(name, name), qubits, tuple(back), word=word)


@pytest.mark.parametrize("dtype", PRECISIONS, ids=["float64", "float32"])
@pytest.mark.parametrize("seed", range(40))
def test_a_circuit_followed_by_its_inverse_gives_the_input_back(seed: int, dtype: type) -> None:
    case = random_case(seed, embed=True)
    there = [i for i in case.instructions if i != EMBEDDING]
    case = replace(case, instructions=[EMBEDDING, *there, *map(undone, reversed(there))]).cast(dtype)
    expected = dense.initial_state(case.n, case.instructions, case.point)
    state, law = forward(case, {"statevector": True}), forward(case, {})
    np.testing.assert_allclose(state, expected, atol=TOLERANCE[dtype], err_msg=str(case))
    np.testing.assert_allclose(law, np.abs(expected) ** 2, atol=TOLERANCE[dtype], err_msg=str(case))
    slopes = gradients(case, random_cotangent(case, {}), {})  # nothing depends on the angles any more
    np.testing.assert_allclose(slopes.weights, 0, atol=200 * TOLERANCE[dtype])


@pytest.mark.parametrize("seed", range(30))
def test_the_inverse_that_a_circuit_gives_of_itself_restores_the_state(seed: int) -> None:
    case = random_case(seed, embed=False)
    both = case.circuit() + case.circuit().inverse()
    state = qcsim.statevector(both, case.weights, features=case.features)
    np.testing.assert_allclose(state[..., 0], 1, atol=1e-12, err_msg=str(case))
    np.testing.assert_allclose(state[..., 1:], 0, atol=1e-12, err_msg=str(case))


IDENTITIES = {
    "X twice is nothing": ([gate("x", 0), gate("x", 0)], []),
    "CNOT twice is nothing": ([gate("cnot", 0, 2), gate("cnot", 0, 2)], []),
    "SWAP twice is nothing": ([gate("swap", 0, 2), gate("swap", 0, 2)], []),
    "SWAP is symmetric": ([gate("swap", 0, 2)], [gate("swap", 2, 0)]),
    "three CNOTs are a SWAP": ([gate("cnot", 0, 1), gate("cnot", 1, 0), gate("cnot", 0, 1)], [gate("swap", 0, 1)]),
    "X on the control spreads to the target": (
        [gate("x", 0), gate("cnot", 0, 1)],
        [gate("cnot", 0, 1), gate("x", 0), gate("x", 1)],
    ),
    "X on the target passes": ([gate("x", 1), gate("cnot", 0, 1)], [gate("cnot", 0, 1), gate("x", 1)]),
    "CNOTs with one control commute": (
        [gate("cnot", 0, 1), gate("cnot", 0, 2)],
        [gate("cnot", 0, 2), gate("cnot", 0, 1)],
    ),
    "angles add": ([gate("ry", 1, constant(0.3)), gate("ry", 1, constant(0.4))], [gate("ry", 1, constant(0.7))]),
    "a full turn is a sign": ([gate("ry", 1, constant(2 * np.pi))], []),
    "X turns RY round": ([gate("x", 1), gate("ry", 1, constant(0.3))], [gate("ry", 1, constant(-0.3)), gate("x", 1)]),
    "SWAP carries RY along": (
        [gate("swap", 1, 2), gate("ry", 1, constant(0.3))],
        [gate("ry", 2, constant(0.3)), gate("swap", 1, 2)],
    ),
}


@pytest.mark.parametrize("name", IDENTITIES)
def test_circuit_identity(name: str) -> None:
    rng = np.random.default_rng(0)
    head = [EMBEDDING, *(gate("ry", q, weight(q)) for q in range(3))]
    tail = [gate("cnot", 2, 0), *(gate("ry", q, weight(3 + q)) for q in range(3))]
    weights, amplitudes = rng.normal(size=6), rng.normal(size=(18, 8))
    circuits = [build(3, [*head, *side, *tail]) for side in IDENTITIES[name]]
    left, right = (qcsim.probabilities(circuit, weights, amplitudes=amplitudes) for circuit in circuits)
    np.testing.assert_allclose(left, right, atol=1e-14)


@given(seeds)
def test_repeating_a_sample_multiplies_the_weight_gradient(seed: int) -> None:
    rng = np.random.default_rng(seed)
    circuit = qcsim.hardware_efficient(3, 2)
    weights, amplitudes, cotangent = rng.normal(size=6), rng.normal(size=(1, 8)), rng.normal(size=(1, 8))
    once = qcsim.vjp(circuit, weights, amplitudes=amplitudes)[1](cotangent).weights
    many = qcsim.vjp(circuit, weights, amplitudes=np.repeat(amplitudes, 19, 0))[1](np.repeat(cotangent, 19, 0)).weights
    np.testing.assert_allclose(many, 19 * once, atol=1e-12)
