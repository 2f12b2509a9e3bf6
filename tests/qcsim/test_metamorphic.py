"""Relations that hold whatever the answer is: batches split, rows permute, qubits are relabelled, gates cancel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import qcsim
from oracle.check import forward, gradients, random_cotangent
from oracle.circuits import Case, build, random_case
from oracle.dense import Instruction

seeds = st.integers(0, 10_000)


def batched_case(seed: int, batch: int, n: int | None = None) -> Case:
    """A random case whose batch axis is real: one that reads amplitudes or features."""
    case = random_case(seed, n=n or 1 + seed % 7, batch=batch)
    while case.amplitudes is None and case.features is None:
        seed += 1
        case = random_case(seed, n=n or 1 + seed % 7, batch=batch)
    return case


def rows(case: Case, index) -> Case:
    """The same case with some rows of its batch."""
    take = lambda a: None if a is None else a[index]  # noqa: E731
    weights = case.weights[index] if case.weights.ndim == 2 else case.weights
    return replace(case, weights=weights, amplitudes=take(case.amplitudes), features=take(case.features))


@given(seeds, st.integers(0, 40))
def test_a_batch_may_be_split_anywhere_without_changing_a_bit(seed: int, cut: int) -> None:
    case = batched_case(seed, 40)
    whole = forward(case, {})
    parts = [forward(rows(case, slice(0, cut)), {}), forward(rows(case, slice(cut, None)), {})]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


@given(seeds)
def test_permuting_the_rows_permutes_the_outputs_and_the_input_gradients(seed: int) -> None:
    case = batched_case(seed, 21)
    order = np.random.default_rng(seed).permutation(21)
    np.testing.assert_array_equal(forward(rows(case, order), {}), forward(case, {})[order])
    cotangent = random_cotangent(case, {})
    before, after = gradients(case, cotangent, {}), gradients(rows(case, order), cotangent[order], {})
    for name in ("amplitudes", "features"):
        if getattr(before, name) is not None:
            np.testing.assert_array_equal(getattr(after, name), getattr(before, name)[order])
    expected = before.weights if case.weights.ndim == 1 else before.weights[order]
    np.testing.assert_allclose(after.weights, expected, atol=1e-12)


@given(seeds)
def test_probabilities_are_positive_and_sum_to_one(seed: int) -> None:
    case = random_case(seed)
    value = forward(case, {"qubits": case.qubits})
    assert np.all(value >= 0)
    np.testing.assert_allclose(value.sum(axis=-1), 1, atol=1e-13)


@given(seeds, st.floats(1e-6, 1e6), st.sampled_from([1, -1]))
def test_scaling_or_negating_the_amplitudes_changes_nothing(seed: int, scale: float, sign: int) -> None:
    circuit = qcsim.hardware_efficient(4, 2)
    rng = np.random.default_rng(seed)
    weights, amplitudes = rng.normal(size=8), rng.normal(size=(5, 16))
    one = qcsim.probabilities(circuit, weights, amplitudes=amplitudes)
    other = qcsim.probabilities(circuit, weights, amplitudes=sign * scale * amplitudes)
    np.testing.assert_allclose(other, one, atol=1e-14)


def relabelled(instruction: Instruction, new: list[int]) -> Instruction:
    """The same gate on renamed qubits."""
    name, *arguments = instruction
    count = {"amplitude_embedding": 0, "ry": 1, "x": 1, "cnot": 2, "swap": 2}[str(name)]
    return (name, *(new[int(q)] for q in arguments[:count]), *arguments[count:])


@given(seeds)
def test_relabelling_the_qubits_relabels_the_bits_of_the_outcome(seed: int) -> None:
    n = 1 + seed % 6
    rng = np.random.default_rng(seed)
    new = [int(q) for q in rng.permutation(n)]
    case = random_case(seed, n=n, batch=3)
    program = [i for i in case.instructions if i[0] != "amplitude_embedding"]
    one = qcsim.probabilities(build(n, program), case.weights, features=case.features)
    renamed = build(n, [relabelled(i, new) for i in program])
    other = qcsim.probabilities(renamed, case.weights, features=case.features, qubits=new)
    np.testing.assert_allclose(other, one, atol=1e-14)


@given(seeds)
def test_a_circuit_followed_by_its_inverse_gives_the_input_back(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 1 + seed % 6
    angles = rng.uniform(-4, 4, 8)
    circuit, undo = qcsim.Circuit(n).amplitude_embedding(), []
    for angle in angles:
        qubit = int(rng.integers(n))
        circuit.ry(qubit, angle=angle)
        undo.append(("ry", qubit, -angle))
        if n > 1:
            a, b = (int(q) for q in rng.choice(n, 2, replace=False))
            circuit.cnot(a, b)
            undo.append(("cnot", a, b))
    for name, *arguments in reversed(undo):
        if name == "ry":
            circuit.ry(arguments[0], angle=arguments[1])
        else:
            circuit.cnot(*arguments)
    amplitudes = rng.normal(size=(4, 2**n))
    expected = amplitudes**2 / np.sum(amplitudes**2, axis=1, keepdims=True)
    np.testing.assert_allclose(qcsim.probabilities(circuit, np.zeros(0), amplitudes=amplitudes), expected, atol=1e-13)


IDENTITIES = {
    "X twice is nothing": ([("x", 0), ("x", 0)], []),
    "CNOT twice is nothing": ([("cnot", 0, 2), ("cnot", 0, 2)], []),
    "SWAP twice is nothing": ([("swap", 0, 2), ("swap", 0, 2)], []),
    "SWAP is symmetric": ([("swap", 0, 2)], [("swap", 2, 0)]),
    "three CNOTs are a SWAP": ([("cnot", 0, 1), ("cnot", 1, 0), ("cnot", 0, 1)], [("swap", 0, 1)]),
    "X on the control spreads to the target": ([("x", 0), ("cnot", 0, 1)], [("cnot", 0, 1), ("x", 0), ("x", 1)]),
    "X on the target passes": ([("x", 1), ("cnot", 0, 1)], [("cnot", 0, 1), ("x", 1)]),
    "CNOTs with one control commute": ([("cnot", 0, 1), ("cnot", 0, 2)], [("cnot", 0, 2), ("cnot", 0, 1)]),
    "angles add": ([("ry", 1, "angle", 0.3), ("ry", 1, "angle", 0.4)], [("ry", 1, "angle", 0.7)]),
    "a full turn is a sign": ([("ry", 1, "angle", 2 * np.pi)], []),
    "X turns RY round": ([("x", 1), ("ry", 1, "angle", 0.3)], [("ry", 1, "angle", -0.3), ("x", 1)]),
    "SWAP carries RY along": ([("swap", 1, 2), ("ry", 1, "angle", 0.3)], [("ry", 2, "angle", 0.3), ("swap", 1, 2)]),
}


@pytest.mark.parametrize("name", IDENTITIES)
def test_circuit_identity(name: str) -> None:
    rng = np.random.default_rng(0)
    head: list[Instruction] = [("amplitude_embedding",), *(("ry", q, "weight", q) for q in range(3))]
    tail: list[Instruction] = [("cnot", 2, 0), *(("ry", q, "weight", 3 + q) for q in range(3))]
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
