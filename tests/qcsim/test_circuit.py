"""The circuit as a user writes it: counting, order, copies, equality and drawing."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from every import CONTROLLED, FIXED, ONE_ANGLE, PAIRS, THREE_ANGLES, every_gate, random_unitary

import qcsim
from oracle import dense
from oracle.circuits import random_case
from qcsim import _core


def everything() -> qcsim.Circuit:
    """One of each instruction."""
    circuit = qcsim.Circuit(3).amplitude_embedding().ry(0).ry(1).ry(2, weight=0).ry(0, feature=1).ry(1, angle=0.3)
    return circuit.x(2).cnot(0, 2).swap(1, 2)


def test_every_builder_method_returns_the_circuit() -> None:
    circuit = qcsim.Circuit(2)
    for step in (
        circuit.amplitude_embedding(), circuit.ry(0), circuit.ry(0, weight=0), circuit.ry(0, feature=0),
        circuit.ry(0, angle=1.0), circuit.x(1), circuit.cnot(0, 1), circuit.swap(0, 1), circuit.u3(0),
        circuit.cu3(0, 1), circuit.rzz(0, 1), circuit.mcx([0], 1), circuit.mcz([1]), circuit.unitary(np.eye(2), 0),
        circuit.ring(),
    ):  # fmt: skip
        assert step is circuit


def test_every_gate_of_the_engine_has_a_method_of_its_name() -> None:
    assert every_gate().gate_counts() == dict.fromkeys(_core.gate_names(), 1)


@pytest.mark.parametrize("name", [*FIXED, *CONTROLLED, *PAIRS])
def test_a_fixed_gate_keeps_its_qubits_in_the_order_they_were_named(name: str) -> None:
    qubits = (1,) if name in FIXED else (2, 0)
    assert getattr(qcsim.Circuit(3), name)(*qubits).instructions == (qcsim.Instruction(name, qubits),)


def test_gates_on_many_qubits_name_their_controls_first() -> None:
    circuit = qcsim.Circuit(5).toffoli(4, 2, 0).fredkin(3, 1, 0).mcx([4, 3, 1], 0).mcz((2, 0)).mcx(np.arange(2), 2)
    assert [gate.qubits for gate in circuit.instructions] == [(4, 2, 0), (3, 1, 0), (4, 3, 1, 0), (2, 0), (0, 1, 2)]


@pytest.mark.parametrize("k", [1, 2, 3])
@pytest.mark.parametrize("kind", [np.asarray, np.ndarray.tolist, lambda m: m.astype(np.complex64)])
def test_a_unitary_keeps_every_entry_of_its_matrix(k: int, kind) -> None:
    matrix = kind(random_unitary(k))
    instruction = qcsim.Circuit(3).unitary(matrix, *range(k)).instructions[0]
    np.testing.assert_array_equal(np.reshape(instruction.matrix, (2**k, 2**k)), matrix)


def test_a_unitary_may_be_a_torch_tensor_or_a_view_of_one() -> None:
    torch = pytest.importorskip("torch")
    matrix = torch.from_numpy(random_unitary(2))
    expected = qcsim.Circuit(2).unitary(matrix.numpy().conj().T, 0, 1)
    assert qcsim.Circuit(2).unitary(matrix.mH, 0, 1) == expected


@pytest.mark.parametrize(("name", "qubits"), ONE_ANGLE)
def test_a_gate_takes_its_angle_from_the_next_weight_a_weight_a_feature_or_a_number(name: str, qubits) -> None:
    circuit = qcsim.Circuit(3)
    method = getattr(circuit, name)
    method(*qubits)
    method(*qubits, weight=5)
    method(*qubits)
    method(*qubits, feature=2, scale=-0.5, shift=0.25)
    method(*qubits, scale=2)
    method(*qubits, angle=1)
    method(*qubits, angle=qcsim.feature(0) / 4)
    found = [gate.angles for gate in circuit.instructions]
    weight, feature = qcsim.weight, qcsim.feature
    expected = [weight(0), weight(5), weight(6), 0.25 - feature(2) / 2, 2 * weight(7)]
    assert found[:5] == [(angle,) for angle in expected]
    assert [(a.source.name, a.shift) for a in found[5]] == [("CONSTANT", 1.0)]
    assert found[6] == (0.25 * feature(0),)
    assert (circuit.n_weights, circuit.n_features) == (8, 3)


@pytest.mark.parametrize(("name", "qubits"), THREE_ANGLES)
def test_a_gate_of_three_angles_takes_the_next_three_weights_or_what_it_is_given(name: str, qubits) -> None:
    circuit = qcsim.Circuit(3).ry(0)
    method = getattr(circuit, name)
    method(*qubits)
    method(*qubits, angles=(0.5, -qcsim.feature(0), qcsim.weight(1)))
    method(*qubits, angles=np.array([1, 2, 3]))
    method(*qubits)
    rows = [[(a.source.name, a.index, a.scale, a.shift) for a in gate.angles] for gate in circuit.instructions[1:]]
    assert rows == [
        [("WEIGHT", 1, 1, 0), ("WEIGHT", 2, 1, 0), ("WEIGHT", 3, 1, 0)],
        [("CONSTANT", 0, 1, 0.5), ("FEATURE", 0, -1, 0), ("WEIGHT", 1, 1, 0)],
        [("CONSTANT", 0, 1, 1), ("CONSTANT", 0, 1, 2), ("CONSTANT", 0, 1, 3)],
        [("WEIGHT", 4, 1, 0), ("WEIGHT", 5, 1, 0), ("WEIGHT", 6, 1, 0)],
    ]


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
    circuit = qcsim.Circuit(2).ry(0).cnot(0, 1).x(1).swap(0, 1)
    assert len(circuit) == circuit.n_gates == len(circuit.instructions) == 4


def test_depth_counts_the_moments_of_the_longest_path() -> None:
    assert qcsim.Circuit(3).depth() == 0
    assert qcsim.Circuit(3).h(0).h(1).h(2).depth() == 1
    assert qcsim.Circuit(3).cnot(0, 1).cnot(1, 2).depth() == 2
    assert qcsim.Circuit(4).cnot(0, 3).cnot(1, 2).depth() == 1  # crossing lines do not wait for each other
    assert qcsim.Circuit(3).toffoli(0, 1, 2).x(1).depth() == 2
    assert qcsim.hardware_efficient(4, 3).depth() == 15


def test_gate_counts_are_in_the_order_of_first_use() -> None:
    assert qcsim.Circuit(2).gate_counts() == {}
    assert list(qcsim.Circuit(2).x(0).ring().x(1).h(0).gate_counts().items()) == [("x", 2), ("cnot", 2), ("h", 1)]


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
        qcsim.Circuit(3).ry(0, scale=2.0).cnot(0, 1),
        qcsim.Circuit(3).ry(0, shift=0.1).cnot(0, 1),
        qcsim.Circuit(3).ry(0).cz(0, 1),
        qcsim.Circuit(3).amplitude_embedding().ry(0).cnot(0, 1),
        qcsim.Circuit(3).ry(0),
    ],
    ids=str,
)
def test_circuits_that_differ_anywhere_are_unequal(other: qcsim.Circuit) -> None:
    assert qcsim.Circuit(3).ry(0).cnot(0, 1) != other


def test_matrices_that_differ_make_circuits_unequal() -> None:
    first, second = (qcsim.Circuit(1).unitary(random_unitary(1, seed), 0) for seed in (0, 1))
    assert first != second
    assert first == qcsim.Circuit(1).unitary(random_unitary(1, 0), 0)


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


@pytest.mark.parametrize("twin", [copy.copy, copy.deepcopy, lambda c: pickle.loads(pickle.dumps(c))])
def test_a_twin_of_every_gate_is_equal(twin) -> None:
    assert twin(every_gate()) == every_gate()
    assert hash(twin(every_gate())) == hash(every_gate())


def test_a_sum_of_circuits_shares_weights_and_features() -> None:
    first, second = qcsim.Circuit(2).amplitude_embedding().ry(0).rx(1), qcsim.Circuit(2).rz(1).ry(0, feature=1)
    joined = first + second
    assert joined == qcsim.Circuit(2).amplitude_embedding().ry(0).rx(1).rz(1, weight=0).ry(0, feature=1)
    assert (len(first), len(second), joined.n_weights) == (2, 2, 2)
    assert qcsim.Circuit(2) + first == first == first + qcsim.Circuit(2)
    assert joined.n_weights == 2


def test_fresh_weights_are_counted_on_and_features_stay() -> None:
    block = qcsim.Circuit(2).ry(0).rx(1, weight=1, scale=-2, shift=0.5).rz(0, feature=0).u3(1)
    joined = block.then(block, fresh_weights=True)
    expected = block.copy().ry(0, weight=5).rx(1, weight=6, scale=-2, shift=0.5).rz(0, feature=0).u3(1)
    assert joined == expected


def test_a_small_circuit_goes_on_the_qubits_it_is_told() -> None:
    bell = qcsim.Circuit(2).h(0).cnot(0, 1)
    assert qcsim.Circuit(4).x(1).then(bell, qubits=[3, 1]) == qcsim.Circuit(4).x(1).h(3).cnot(3, 1)
    assert qcsim.Circuit(2).then(bell, qubits=(1, 0)) == qcsim.Circuit(2).h(1).cnot(1, 0)


def test_joining_leaves_frozen_circuits_alone_and_can_be_added_to() -> None:
    first = qcsim.Circuit(1).ry(0)
    hash(first)
    assert len((first + first).x(0)) == 3
    assert len(first) == 1


def test_the_inverse_of_the_inverse_is_the_circuit() -> None:
    assert every_gate().inverse().inverse() == every_gate()
    assert every_gate().inverse() != every_gate()


def test_assigned_numbers_take_the_place_of_weights_and_features() -> None:
    circuit = qcsim.Circuit(2).amplitude_embedding().ry(0, scale=2, shift=1).rx(1).rz(0, weight=0).ry(1, feature=1)
    head = qcsim.Circuit(2).amplitude_embedding()
    some = head.copy().ry(0, angle=2.0).rx(1, weight=1).rz(0, angle=0.5).ry(1, feature=1)
    assert circuit.assign(weights={0: 0.5}) == some
    every = head.copy().ry(0, angle=2.0).rx(1, angle=3.0).rz(0, angle=0.5).ry(1, angle=-1.0)
    for values in ([0.5, 3], (0.5, 3.0), np.array([0.5, 3.0], np.float32), {1: 3, 0: 0.5}):
        assert circuit.assign(weights=values, features=[9, -1]) == every
    assert (every.n_weights, every.n_features) == (0, 0)
    assert circuit.assign() == circuit


def test_assigned_expressions_exchange_weights_and_features_all_at_once() -> None:
    circuit = qcsim.Circuit(1).ry(0).rx(0, scale=2, shift=1)
    swapped = circuit.assign(weights=[qcsim.weight(1), qcsim.weight(0)])
    assert swapped == qcsim.Circuit(1).ry(0, weight=1).rx(0, weight=0, scale=2, shift=1)
    fed = circuit.assign(weights={1: 0.5 - qcsim.feature(0)})
    assert fed == qcsim.Circuit(1).ry(0).rx(0, angle=2 - 2 * qcsim.feature(0))


def test_assigned_numbers_compute_what_the_weights_compute() -> None:
    circuit = qcsim.Circuit(2).ry(0).ry(1, feature=0).cnot(0, 1).ry(1, weight=0)
    weights, features = np.array([0.4]), np.array([1.1])
    expected = qcsim.probabilities(circuit, weights, features=features)
    fixed = circuit.assign(weights=weights, features=features)
    np.testing.assert_allclose(qcsim.probabilities(fixed), expected, atol=1e-15)


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


def test_a_circuit_says_what_is_in_it_in_one_line() -> None:
    assert repr(qcsim.Circuit(1).ry(0)) == "<Circuit: 1 qubit, 1 gate, 1 weight>"
    circuit = qcsim.Circuit(2).amplitude_embedding().ry(0, feature=1).cnot(0, 1).bit_flip(0.1, 0).readout_error(0.1)
    expected = "<Circuit: 2 qubits, 5 gates (3 of noise), 0 weights, 2 features, amplitude_embedding>"
    assert repr(circuit) == expected


def test_a_circuit_without_gates_is_true() -> None:
    assert bool(qcsim.Circuit(5))
    assert len(qcsim.Circuit(5)) == 0


@pytest.mark.parametrize("name", ["all_qubits", "n_qubits", "noise_summary", "instructions"])
def test_what_a_circuit_says_of_itself_cannot_be_written(name: str) -> None:
    circuit = qcsim.Circuit(3)
    with pytest.raises(AttributeError):
        setattr(circuit, name, (0,))
    assert (circuit.n_qubits, circuit.all_qubits) == (3, (0, 1, 2))


def test_what_runs_a_circuit_is_not_among_its_public_names() -> None:
    assert not {"compiled", "device_program"} & set(dir(qcsim.Circuit))
