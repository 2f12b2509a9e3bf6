"""Circuits of Qiskit become circuits that make the same states, global phase included; what cannot is refused."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("qiskit")
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister, transpile
from qiskit.circuit import Gate, Parameter, ParameterVector
from qiskit.circuit.library import zz_feature_map
from qiskit.circuit.random import random_circuit
from qiskit.quantum_info import SparsePauliOp, Statevector
from qiskit_circuits import columns, library_circuits, matrix, other_operations, standard_gates

import qcsim
from qcsim.interop import from_qiskit
from qcsim.interop.qiskit import observable_from_qiskit, reverse_bits


def state(circuit: QuantumCircuit) -> np.ndarray:
    """Qiskit's state, in qcsim's order."""
    return reverse_bits(Statevector(circuit).data)


@pytest.mark.parametrize("name", standard_gates())
def test_every_standard_gate_is_the_matrix_that_qiskit_has(name: str) -> None:
    circuit = standard_gates()[name]
    np.testing.assert_allclose(columns(from_qiskit(circuit)), matrix(circuit), atol=1e-12)


@pytest.mark.filterwarnings("ignore:sp(lu|solve)")  # SciPy to Qiskit, of the matrix of an evolution
@pytest.mark.parametrize("name", other_operations())
def test_what_is_no_standard_gate_is_the_matrix_that_qiskit_has(name: str) -> None:
    circuit = other_operations()[name]
    if name == "preparation":  # only what becomes of |0...0> is its business
        np.testing.assert_allclose(qcsim.statevector(from_qiskit(circuit)), state(circuit), atol=1e-10)
        return
    np.testing.assert_allclose(columns(from_qiskit(circuit)), matrix(circuit), atol=1e-10)


@pytest.mark.parametrize("name", library_circuits())
def test_a_circuit_of_the_library_makes_the_state_that_it_makes_in_qiskit(name: str) -> None:
    circuit = library_circuits()[name]
    values = np.random.default_rng(8).uniform(-3, 3, circuit.num_parameters)
    found = qcsim.statevector(from_qiskit(circuit), values if len(values) else None)
    np.testing.assert_allclose(found, state(circuit.assign_parameters(values)), atol=1e-10)


@pytest.mark.parametrize("seed", range(60))
def test_a_random_circuit_makes_the_state_that_it_makes_in_qiskit(seed: int) -> None:
    circuit = random_circuit(2 + seed % 5, 6, max_operands=4, seed=seed)
    np.testing.assert_allclose(qcsim.statevector(from_qiskit(circuit)), state(circuit), atol=1e-10)


@pytest.mark.parametrize("seed", range(10))
def test_a_transpiled_circuit_makes_the_same_state(seed: int) -> None:
    circuit = transpile(random_circuit(4, 5, seed=seed), basis_gates=["rz", "sx", "x", "cx"], optimization_level=2)
    np.testing.assert_allclose(qcsim.statevector(from_qiskit(circuit)), state(circuit), atol=1e-10)


def test_known_gates_are_taken_as_they_are() -> None:
    circuit = QuantumCircuit(4)
    circuit.h(0)
    circuit.cx(0, 3)
    circuit.mcx([0, 1, 2], 3)
    circuit.cswap(1, 2, 3)
    circuit.u(0.1, 0.2, 0.3, 1)
    expected = qcsim.Circuit(4).h(0).cnot(0, 3).mcx([0, 1, 2], 3).fredkin(1, 2, 3).u3(1, angles=(0.1, 0.2, 0.3))
    assert from_qiskit(circuit) == expected


def test_a_qubit_keeps_its_number() -> None:
    circuit = QuantumCircuit(QuantumRegister(1, "a"), QuantumRegister(2, "b"))
    circuit.x(1)
    assert from_qiskit(circuit) == qcsim.Circuit(3).x(1)


def test_a_gate_is_known_by_what_it_is_and_not_by_its_name() -> None:
    definition = QuantumCircuit(1)
    definition.x(0)
    impostor = Gate("h", 1, [])
    impostor.definition = definition
    circuit = QuantumCircuit(1)
    circuit.append(impostor, [0])
    assert from_qiskit(circuit) == qcsim.Circuit(1).x(0)


# Parameters -----------------------------------------------------------------------------------------------------------


def test_parameters_become_weights_in_the_order_of_the_circuit() -> None:
    vector = ParameterVector("v", 12)
    circuit = QuantumCircuit(1)
    for place in (11, 2, 10, 0, 1):
        circuit.rx(vector[place], 0)
    made = from_qiskit(circuit)
    assert [gate.angles[0].index for gate in made.instructions] == [4, 2, 3, 0, 1]
    values = np.arange(5.0)
    np.testing.assert_allclose(qcsim.statevector(made, values), state(circuit.assign_parameters(values)), atol=1e-12)


def test_named_parameters_become_features_in_the_order_of_their_names() -> None:
    a, b, x = Parameter("a"), Parameter("b"), ParameterVector("x", 2)
    circuit = QuantumCircuit(1)
    for angle in (x[0], a, x[1], b):
        circuit.ry(angle, 0)
    expected = qcsim.Circuit(1).ry(0, feature=1).ry(0, weight=0).ry(0, feature=2).ry(0, feature=0)
    assert from_qiskit(circuit, weights=[a], features=["b", x]) == expected
    assert from_qiskit(circuit, features=[b, *x]) == expected


def test_affine_angles_stay_affine_and_sums_become_several_rotations() -> None:
    a, b = Parameter("a"), Parameter("b")
    circuit = QuantumCircuit(2)
    circuit.rx(2 * a + 0.5, 0)
    circuit.rzz(a - 3 * b + 1, 0, 1)
    circuit.u(a + b, -a / 2, 2 * (a - b), 1)
    circuit.append(_cu3(a + b, b, 0.3 - a - b), [1, 0])
    circuit.rz(a - a + 0.25, 0)
    made = from_qiskit(circuit)
    assert made.instructions[0].angles == (2 * qcsim.weight(0) + 0.5,)
    values = np.array([0.7, -1.3])
    np.testing.assert_allclose(qcsim.statevector(made, values), state(circuit.assign_parameters(values)), atol=1e-12)


def _cu3(*angles: object) -> Gate:
    from qiskit.circuit.library import CU3Gate

    return CU3Gate(*angles)


def test_a_global_phase_is_kept_with_its_parameter() -> None:
    phase = Parameter("t")
    circuit = QuantumCircuit(2, global_phase=0.4 + 2 * phase)
    circuit.h(0)
    inner = QuantumCircuit(1, global_phase=1.0)
    inner.h(0)
    circuit.append(inner.to_gate(), [1])
    made = from_qiskit(circuit)
    found = qcsim.statevector(made, np.array([0.9]))
    np.testing.assert_allclose(found, state(circuit.assign_parameters([0.9])), atol=1e-12)


def test_a_circuit_without_global_phase_gets_no_gates_for_one() -> None:
    circuit = QuantumCircuit(1, global_phase=2 * np.pi)
    circuit.h(0)
    assert from_qiskit(circuit) == qcsim.Circuit(1).h(0)


def test_an_angle_that_is_not_affine_is_refused_with_the_ways_out() -> None:
    circuit = zz_feature_map(2)
    with pytest.raises(ValueError, match=r"is not affine in the parameters.*assign_parameters"):
        from_qiskit(circuit)


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ({"features": ["c"]}, "'c' is no parameter of the circuit; it has a, b"),
        ({"weights": ["a"]}, "parameter 'b' is named in neither of weights and features"),
        ({"weights": ["a", "b"], "features": ["b"]}, "parameter 'b' is named twice of weights and features"),
    ],
)
def test_parameters_must_be_named_once(named: dict[str, list[str]], words: str) -> None:
    circuit = QuantumCircuit(1)
    circuit.rx(Parameter("a"), 0)
    circuit.rx(Parameter("b"), 0)
    with pytest.raises(ValueError, match=words):
        from_qiskit(circuit, **named)


def test_a_list_of_parameters_must_be_a_list() -> None:
    circuit = QuantumCircuit(1)
    circuit.rx(Parameter("abc"), 0)
    with pytest.raises(TypeError, match="features is 'abc'; it must be a list"):
        from_qiskit(circuit, features="abc")


# What is no gate ------------------------------------------------------------------------------------------------------


def test_barriers_delays_identities_and_final_measurements_are_left_out() -> None:
    circuit = QuantumCircuit(2, 2)
    circuit.reset(0)
    circuit.h(0)
    circuit.barrier()
    circuit.delay(100, 0)
    circuit.id(0)
    circuit.cx(0, 1)
    circuit.measure([0, 1], [1, 0])
    circuit.barrier()
    assert from_qiskit(circuit) == qcsim.Circuit(2).h(0).cnot(0, 1)


def test_initialize_at_the_beginning_is_a_preparation() -> None:
    target = np.array([0.1, 0.2 + 0.5j, -0.3, 0.7])
    circuit = QuantumCircuit(2)
    circuit.initialize(target / np.linalg.norm(target))
    expected = reverse_bits(target / np.linalg.norm(target))
    np.testing.assert_allclose(qcsim.statevector(from_qiskit(circuit)), expected, atol=1e-10)


def test_a_gate_after_a_measurement_is_refused() -> None:
    circuit = QuantumCircuit(1, 1)
    circuit.measure(0, 0)
    circuit.h(0)
    with pytest.raises(ValueError, match="qubit 0 is measured before its last gate, h; measurements must be at the"):
        from_qiskit(circuit)


def test_a_reset_in_the_middle_is_refused() -> None:
    circuit = QuantumCircuit(1)
    circuit.h(0)
    circuit.reset(0)
    with pytest.raises(ValueError, match="qubit 0 is reset after it was used"):
        from_qiskit(circuit)


def test_control_flow_is_refused() -> None:
    circuit = QuantumCircuit(QuantumRegister(2), ClassicalRegister(1))
    circuit.measure(0, 0)
    with circuit.if_test((circuit.cregs[0], 1)):
        circuit.x(1)
    with pytest.raises(ValueError, match=r"the circuit has control flow \(if_else\)"):
        from_qiskit(circuit)


def test_a_gate_without_definition_is_refused() -> None:
    circuit = QuantumCircuit(1)
    circuit.append(Gate("mystery", 1, []), [0])
    with pytest.raises(ValueError, match="the operation 'mystery' cannot be taken apart"):
        from_qiskit(circuit)


def test_only_a_circuit_of_qiskit_is_taken() -> None:
    with pytest.raises(TypeError, match=r"of type Circuit; it must be a qiskit\.QuantumCircuit"):
        from_qiskit(qcsim.Circuit(1))


# Observables and order ------------------------------------------------------------------------------------------------


def test_an_operator_keeps_its_expectation() -> None:
    circuit = random_circuit(3, 4, seed=11)
    operator = SparsePauliOp(["XIZ", "YYI", "III", "ZIZ"], [0.5, -1.25, 2.0, 0.125])
    observable = observable_from_qiskit(operator)
    assert observable == {"Z0 X2": 0.5, "Y1 Y2": -1.25, "I": 2.0, "Z0 Z2": 0.125}
    expected = Statevector(circuit).expectation_value(operator).real
    assert qcsim.expval(from_qiskit(circuit), observables=[observable])[0] == pytest.approx(expected, abs=1e-12)


def test_an_operator_that_is_not_hermitian_is_refused() -> None:
    with pytest.raises(ValueError, match=r"the coefficient of X on \[0\] is 1j; it must be real"):
        observable_from_qiskit(SparsePauliOp("X", 1j))


def test_reversing_the_bits_twice_changes_nothing() -> None:
    values = np.random.default_rng(0).normal(size=(3, 16))
    np.testing.assert_array_equal(reverse_bits(reverse_bits(values)), values)
    assert reverse_bits(values).dtype == values.dtype
    np.testing.assert_array_equal(reverse_bits(np.arange(8)), [0, 4, 2, 6, 1, 5, 3, 7])


def test_bits_are_those_of_a_power_of_two() -> None:
    with pytest.raises(ValueError, match=r"values has shape \(3,\); its last axis must be a power of two long"):
        reverse_bits(np.zeros(3))
