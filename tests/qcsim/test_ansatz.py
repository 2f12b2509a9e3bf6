"""Ready-made circuits are the gates that their papers say, in that order."""

from __future__ import annotations

import pytest

import qcsim
from oracle import dense
from oracle.circuits import build


@pytest.mark.parametrize(("n", "layers"), [(1, 1), (1, 3), (2, 2), (3, 1), (5, 2), (9, 4), (4, 0)])
def test_hardware_efficient_is_layers_of_rotations_and_a_ring(n: int, layers: int) -> None:
    circuit = qcsim.hardware_efficient(n_qubits=n, n_layers=layers)
    assert circuit == build(n, dense.hardware_efficient(n, layers))
    assert (circuit.n_qubits, circuit.n_weights, circuit.n_features) == (n, n * layers, 0)


def test_the_range_of_strongly_entangling_grows_from_layer_to_layer() -> None:
    circuit = qcsim.strongly_entangling(3, 3)
    expected = qcsim.Circuit(3).rot(0).rot(1).rot(2).cnot(0, 1).cnot(1, 2).cnot(2, 0)
    expected.rot(0).rot(1).rot(2).cnot(0, 2).cnot(1, 0).cnot(2, 1)
    expected.rot(0).rot(1).rot(2).cnot(0, 1).cnot(1, 2).cnot(2, 0)
    assert circuit == expected
    assert qcsim.strongly_entangling(1, 2) == qcsim.Circuit(1).rot(0).rot(0)
    assert qcsim.strongly_entangling(2, 1) == qcsim.Circuit(2).rot(0).rot(1).cnot(0, 1).cnot(1, 0)


@pytest.mark.parametrize(("n", "layers"), [(1, 2), (2, 3), (5, 7), (4, 0)])
def test_strongly_entangling_has_three_weights_for_each_qubit_and_layer(n: int, layers: int) -> None:
    circuit = qcsim.strongly_entangling(n, layers)
    assert (circuit.n_weights, circuit.n_features, circuit.embeds_amplitudes) == (3 * n * layers, 0, False)
    for gate in circuit.instructions:
        assert gate.gate == "rot" or gate.qubits[0] != gate.qubits[1]


def test_data_reuploading_feeds_the_features_in_every_layer() -> None:
    expected = qcsim.Circuit(2)
    for layer in range(2):
        for qubit in range(2):
            first = 2 * (2 * layer + qubit)
            expected.rx(qubit, feature=qubit).ry(qubit, weight=first).rz(qubit, weight=first + 1)
        expected.cnot(0, 1).cnot(1, 0)
    assert qcsim.data_reuploading(2, 2) == expected


@pytest.mark.parametrize(("n", "layers"), [(1, 2), (4, 3), (3, 0)])
def test_data_reuploading_has_a_feature_for_each_qubit(n: int, layers: int) -> None:
    circuit = qcsim.data_reuploading(n, layers)
    assert (circuit.n_weights, circuit.n_features) == (2 * n * layers, n if layers else 0)


@pytest.mark.parametrize("make", [qcsim.hardware_efficient, qcsim.strongly_entangling, qcsim.data_reuploading])
def test_a_ready_made_circuit_can_be_added_to_and_refuses_wrong_sizes(make) -> None:
    assert len(make(2, 1).x(0)) == len(make(2, 1)) + 1
    for n, layers, error in [(0, 1, ValueError), (29, 1, ValueError), (2, -1, ValueError), (2, 1.5, TypeError)]:
        with pytest.raises(error):
            make(n, layers)


def test_basic_entangler_is_layers_of_one_rotation_and_a_ring() -> None:
    expected = qcsim.Circuit(3).ry(0).ry(1).ry(2).cnot(0, 1).cnot(1, 2).cnot(2, 0).ry(0).ry(1).ry(2)
    assert qcsim.basic_entangler(3, 2, rotation="ry") == expected.cnot(0, 1).cnot(1, 2).cnot(2, 0)
    assert qcsim.basic_entangler(2, 1) == qcsim.Circuit(2).rx(0).rx(1).cnot(0, 1)
    assert qcsim.basic_entangler(1, 2) == qcsim.Circuit(1).rx(0).rx(0)
    with pytest.raises(ValueError, match="rotation is 'h'; the options are 'rx', 'ry' and 'rz'"):
        qcsim.basic_entangler(2, 1, rotation="h")
