"""The circuit as a user writes it: counting, order, copies, equality and drawing."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import qcsim
from oracle import dense
from oracle.circuits import build, random_case


def everything() -> qcsim.Circuit:
    """One of each instruction."""
    circuit = qcsim.Circuit(3).amplitude_embedding().ry(0).ry(1).ry(2, weight=0).ry(0, feature=1).ry(1, angle=0.3)
    return circuit.x(2).cnot(0, 2).swap(1, 2)


def test_every_builder_method_returns_the_circuit() -> None:
    circuit = qcsim.Circuit(2)
    for step in (
        circuit.amplitude_embedding(), circuit.ry(0), circuit.ry(0, weight=0), circuit.ry(0, feature=0),
        circuit.ry(0, angle=1.0), circuit.x(1), circuit.cnot(0, 1), circuit.swap(0, 1),
    ):  # fmt: skip
        assert step is circuit


def test_weights_and_features_are_counted_by_the_highest_one_in_use() -> None:
    circuit = everything()
    assert (circuit.n_qubits, circuit.n_weights, circuit.n_features) == (3, 2, 2)
    assert (qcsim.Circuit(5).n_qubits, qcsim.Circuit(5).n_weights, qcsim.Circuit(5).n_features) == (5, 0, 0)
    assert qcsim.Circuit(1).ry(0, feature=2).n_features == 3


def test_each_plain_rotation_takes_the_next_weight() -> None:
    circuit = qcsim.Circuit(2).ry(0).ry(1, weight=0).ry(1)
    assert circuit.n_weights == 2
    probabilities = qcsim.probabilities(circuit, np.array([0.4, 1.1]))
    program = [dense.gate("ry", q, dense.weight(k)) for q, k in ((0, 0), (1, 0), (1, 1))]
    np.testing.assert_allclose(probabilities, dense.outputs(2, program, np.array([0.4, 1.1])), atol=1e-15)


def test_the_length_of_a_circuit_counts_its_gates() -> None:
    assert len(qcsim.Circuit(2)) == 0
    assert len(qcsim.Circuit(2).ry(0).cnot(0, 1).x(1).swap(0, 1)) == 4


def test_equal_circuits_are_equal_and_hash_alike() -> None:
    assert everything() == everything()
    assert hash(everything()) == hash(everything())
    assert len({everything(), everything(), qcsim.Circuit(3)}) == 2


@pytest.mark.parametrize(
    "other",
    [
        qcsim.Circuit(2).ry(0).cnot(0, 1),
        qcsim.Circuit(3).ry(1).cnot(0, 1),
        qcsim.Circuit(3).ry(0).cnot(1, 0),
        qcsim.Circuit(3).ry(0).swap(0, 1),
        qcsim.Circuit(3).cnot(0, 1).ry(0),
        qcsim.Circuit(3).ry(0, feature=0).cnot(0, 1),
        qcsim.Circuit(3).ry(0, angle=0.0).cnot(0, 1),
        qcsim.Circuit(3).amplitude_embedding().ry(0).cnot(0, 1),
        qcsim.Circuit(3).ry(0),
    ],
    ids=str,
)
def test_circuits_that_differ_anywhere_are_unequal(other: qcsim.Circuit) -> None:
    assert qcsim.Circuit(3).ry(0).cnot(0, 1) != other


def test_constants_that_differ_make_circuits_unequal() -> None:
    assert qcsim.Circuit(1).ry(0, angle=0.3) != qcsim.Circuit(1).ry(0, angle=0.30000001)


def test_a_circuit_is_unequal_to_other_kinds_of_object() -> None:
    assert qcsim.Circuit(1) != 1
    assert qcsim.Circuit(1) != "Circuit"


@pytest.mark.parametrize("twin", [copy.copy, copy.deepcopy, lambda c: pickle.loads(pickle.dumps(c))])
def test_a_copy_or_a_pickled_circuit_is_equal_and_computes_the_same_even_after_a_run(twin) -> None:
    circuit = everything()
    inputs = {"amplitudes": np.random.default_rng(0).normal(size=(4, 8)), "features": np.ones((4, 2))}
    before = qcsim.probabilities(circuit, np.array([0.1, 0.2]), **inputs)
    other = twin(circuit)
    assert other == circuit
    assert hash(other) == hash(circuit)
    np.testing.assert_array_equal(qcsim.probabilities(other, np.array([0.1, 0.2]), **inputs), before)


def test_a_deep_copy_grows_alone() -> None:
    circuit = qcsim.Circuit(2).ry(0)
    other = copy.deepcopy(circuit)
    other.ry(1)
    assert (circuit.n_weights, other.n_weights) == (1, 2)


def test_a_drawing_shows_every_qubit_and_tells_circuits_apart() -> None:
    drawing = str(everything())
    assert len(drawing.splitlines()) >= 3
    assert drawing != str(qcsim.Circuit(3))


@pytest.mark.parametrize(("n", "layers"), [(1, 1), (1, 3), (2, 2), (3, 1), (5, 2), (9, 4), (4, 0)])
def test_hardware_efficient_is_layers_of_rotations_and_a_ring(n: int, layers: int) -> None:
    circuit = qcsim.hardware_efficient(n_qubits=n, n_layers=layers)
    assert circuit == build(n, dense.hardware_efficient(n, layers))
    assert (circuit.n_qubits, circuit.n_weights, circuit.n_features) == (n, n * layers, 0)


@pytest.mark.parametrize("n", [1, 14])
def test_the_smallest_and_the_largest_circuit_run(n: int) -> None:
    probabilities = qcsim.probabilities(qcsim.Circuit(n).x(n - 1), np.zeros(0))
    assert probabilities.shape == (2**n,)
    assert np.flatnonzero(probabilities).tolist() == [1]


@pytest.mark.parametrize("use", [hash, lambda c: qcsim.probabilities(c, np.array([0.3]))], ids=["hashed", "run"])
def test_a_circuit_that_was_run_or_hashed_is_frozen_and_its_copy_grows(use) -> None:
    circuit = qcsim.Circuit(1).ry(0)
    use(circuit)
    for change in (lambda: circuit.ry(0), lambda: circuit.x(0), lambda: circuit.amplitude_embedding()):
        with pytest.raises(ValueError, match=r"frozen.*copy\(\)"):
            change()
    assert len(circuit) == 1
    longer = copy.deepcopy(circuit).ry(0)
    expected = [np.cos(0.35) ** 2, np.sin(0.35) ** 2]
    np.testing.assert_allclose(qcsim.probabilities(longer, np.array([0.3, 0.4])), expected, atol=1e-15)


def test_random_circuits_survive_pickling() -> None:
    for seed in range(20):
        case = random_case(seed)
        assert pickle.loads(pickle.dumps(case.circuit())) == case.circuit(), str(case)
