"""EstimatorV2 gives what Qiskit's StatevectorEstimator gives, in the shapes that it gives."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("qiskit")
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter, ParameterVector
from qiskit.circuit.library import efficient_su2, zz_feature_map
from qiskit.circuit.random import random_circuit
from qiskit.primitives import BaseEstimatorV2, StatevectorEstimator
from qiskit.quantum_info import Pauli, SparseObservable, SparsePauliOp, Statevector
from qiskit_circuits import library_circuits

from qcsim.interop.qiskit import EstimatorV2


def both(*pubs: Any) -> list[tuple[Any, Any]]:
    """The data of each PUB here and in Qiskit."""
    here, there = (estimator.run(pubs).result() for estimator in (EstimatorV2(), StatevectorEstimator()))
    return [(mine.data, theirs.data) for mine, theirs in zip(here, there, strict=True)]


def random_operator(rng: np.random.Generator, n: int) -> SparsePauliOp:
    labels = ["".join(rng.choice(list("IXYZ"), n)) for _ in range(int(rng.integers(1, 6)))]
    return SparsePauliOp(labels, rng.normal(size=len(labels))).simplify()


def parametrised(seed: int) -> QuantumCircuit:
    """A random circuit between two layers of rotations by parameters and by expressions of them."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 6))
    v, t = ParameterVector("v", n), Parameter("t")
    circuit = QuantumCircuit(n)
    for qubit in range(n):
        circuit.ry(v[qubit] * float(rng.normal()) + 0.3, qubit)
    circuit.compose(random_circuit(n, 4, seed=seed), inplace=True)
    for qubit in range(n):
        circuit.rz(t * v[qubit], qubit)
        circuit.rx((v[qubit] - 2 * t).sin() if seed % 2 else v[qubit] - 2 * t, qubit)
    return circuit


@pytest.mark.parametrize("seed", range(40))
def test_a_batch_of_parameter_values_has_the_expectations_of_qiskit(seed: int) -> None:
    rng = np.random.default_rng(100 + seed)
    circuit = parametrised(seed)
    operators = [random_operator(rng, circuit.num_qubits) for _ in range(3)]
    values = rng.uniform(-3, 3, (4, circuit.num_parameters))
    ((mine, theirs),) = both((circuit, [[operator] for operator in operators], values))
    assert mine.evs.shape == theirs.evs.shape == (3, 4)
    np.testing.assert_allclose(mine.evs, theirs.evs, atol=1e-10)


EXPRESSIONS = {
    "quadratic": lambda a, b: 2 * (np.pi - a) * (np.pi - b) + a * a / 3 - b,
    "cubic": lambda a, b: a * b * b - a,
    "quotient": lambda a, b: a / (4 + b),
    "functions": lambda a, b: a.sin() * b.exp() + (a * b).arctan(),
    "without derivative": lambda a, b: a.sign() + b.abs() * a,
    "power": lambda a, b: a**2 - b**2,
    "constant": lambda a, b: a - a + 0 * b + 0.3,
}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_an_angle_may_be_any_expression_of_the_parameters(name: str) -> None:
    a, b = Parameter("a"), Parameter("b")
    circuit = QuantumCircuit(1)
    circuit.rx(EXPRESSIONS[name](a, b), 0)
    circuit.rz(a + b, 0)
    values = np.random.default_rng(2).uniform(-2, 2, (6, 2))
    ((mine, theirs),) = both((circuit, [["X"], ["Y"], ["Z"]], values))
    np.testing.assert_allclose(mine.evs, theirs.evs, atol=1e-12)


@pytest.mark.parametrize("name", library_circuits())
def test_circuits_of_the_library_have_the_expectations_of_qiskit(name: str) -> None:
    circuit = library_circuits()[name]
    rng = np.random.default_rng(5)
    values = rng.uniform(-3, 3, (3, circuit.num_parameters))
    operator = random_operator(rng, circuit.num_qubits)
    pub = (circuit, operator, values) if circuit.num_parameters else (circuit, operator)
    ((mine, theirs),) = both(pub)
    np.testing.assert_allclose(mine.evs, theirs.evs, atol=1e-10)


@pytest.mark.parametrize(
    ("observables", "values"),
    [((), ()), ((), (5,)), ((3,), ()), ((4,), (4,)), ((3, 1), (4,)), ((2, 3), (2, 3)), ((2, 1, 3), (4, 1)),
     ((1,), (0,))],
)  # fmt: skip
def test_shapes_broadcast_as_in_qiskit(observables: tuple[int, ...], values: tuple[int, ...]) -> None:
    rng = np.random.default_rng(7)
    circuit = efficient_su2(2, reps=1)
    words = rng.choice(["XX", "ZI", "IY", "YZ"], observables)
    pub = (circuit, words.tolist() if observables else str(words), rng.normal(size=(*values, circuit.num_parameters)))
    ((mine, theirs),) = both(pub)
    assert mine.shape == theirs.shape
    assert mine.stds.shape == mine.evs.shape
    np.testing.assert_allclose(mine.evs, theirs.evs, atol=1e-10)


def test_many_pairs_of_values_and_observables_are_not_a_table() -> None:
    rng = np.random.default_rng(8)
    circuit = efficient_su2(3, reps=1)
    operators = [random_operator(rng, 3) for _ in range(30)]
    ((mine, theirs),) = both((circuit, operators, rng.normal(size=(30, circuit.num_parameters))))
    np.testing.assert_allclose(mine.evs, theirs.evs, atol=1e-10)


def test_parameter_values_may_be_given_by_name() -> None:
    circuit = QuantumCircuit(1)
    circuit.rx(Parameter("a"), 0)
    circuit.rz(Parameter("b"), 0)
    values = {"b": np.linspace(0, 1, 5), "a": np.linspace(1, 2, 5)}
    ((mine, theirs),) = both((circuit, "Y", values))
    np.testing.assert_allclose(mine.evs, theirs.evs, atol=1e-12)


def test_every_kind_of_observable_is_taken() -> None:
    circuit = random_circuit(3, 4, seed=3)
    kinds = ["XIZ", Pauli("YYZ"), SparsePauliOp(["ZZI", "III"], [0.5, 1.5]), {"IXX": 0.25}]
    ((mine, theirs),) = both((circuit, kinds))
    np.testing.assert_allclose(mine.evs, theirs.evs, atol=1e-12)


def test_projectors_are_taken_apart_into_paulis() -> None:
    circuit = random_circuit(3, 4, seed=4)
    operator = SparseObservable.from_list([("0+r", 0.5), ("1-l", -2.0), ("IX1", 1.0)])
    expected = Statevector(circuit).expectation_value(SparsePauliOp.from_sparse_observable(operator)).real
    assert EstimatorV2().run([(circuit, operator)]).result()[0].data.evs == pytest.approx(expected, abs=1e-12)


def test_a_parameter_that_acts_on_the_global_phase_alone_changes_nothing() -> None:
    a, b = Parameter("a"), Parameter("b")
    circuit = QuantumCircuit(1, global_phase=b)
    circuit.rx(a, 0)
    ((mine, theirs),) = both((circuit, "Z", [[0.3, 0.4], [0.5, 0.6]]))
    np.testing.assert_allclose(mine.evs, theirs.evs, atol=1e-12)


def test_qubits_without_a_gate_cost_nothing() -> None:
    circuit = QuantumCircuit(127)
    circuit.h(90)
    circuit.cx(90, 17)
    label = ["I"] * 127
    label[126 - 90] = label[126 - 17] = "X"
    idle = "Z" + "I" * 126
    found = EstimatorV2().run([(circuit, ["".join(label), idle])]).result()[0].data.evs
    np.testing.assert_allclose(found, [1.0, 1.0], atol=1e-12)


def test_a_precision_adds_a_normal_error_of_that_size() -> None:
    circuit = QuantumCircuit(1)
    circuit.rx(Parameter("a"), 0)
    values = np.zeros((4000, 1))
    estimator = EstimatorV2(default_precision=0.5, seed=3)
    data = estimator.run([(circuit, "Z", values, 0.1), (circuit, "Z", values)]).result()
    for result, precision in zip(data, (0.1, 0.5), strict=True):
        assert result.metadata["target_precision"] == precision
        np.testing.assert_array_equal(result.data.stds, precision)
        assert result.data.evs.mean() == pytest.approx(1.0, abs=5 * precision / 4000**0.5)
        assert result.data.evs.std() == pytest.approx(precision, rel=0.1)
    again = estimator.run([(circuit, "Z", values, 0.1)]).result()[0]
    np.testing.assert_array_equal(again.data.evs, data[0].data.evs)
    other = EstimatorV2(seed=4).run([(circuit, "Z", values)], precision=0.1).result()[0]
    assert not np.array_equal(other.data.evs, again.data.evs)


def test_without_a_precision_values_are_exact() -> None:
    result = EstimatorV2(seed=1).run([(QuantumCircuit(1), "Z")]).result()
    assert result[0].data.evs.shape == ()
    assert (float(result[0].data.evs), float(result[0].data.stds)) == (1.0, 0.0)
    assert result.metadata == {"version": 2}


def test_metadata_of_the_circuit_is_handed_on() -> None:
    circuit = QuantumCircuit(1, metadata={"name": "mine"})
    assert EstimatorV2().run([(circuit, "Z")]).result()[0].metadata["circuit_metadata"] == {"name": "mine"}


def test_it_is_an_estimator_of_qiskit_with_its_job() -> None:
    estimator = EstimatorV2(default_precision=0.1, seed=5)
    assert isinstance(estimator, BaseEstimatorV2)
    assert (estimator.default_precision, estimator.seed) == (0.1, 5)
    job = estimator.run([(QuantumCircuit(1), "Z")])
    job.result()
    assert job.done()


def test_a_circuit_with_measurements_is_refused() -> None:
    circuit = QuantumCircuit(1)
    circuit.measure_all()
    job = EstimatorV2().run([(circuit, "Z")])
    with pytest.raises(ValueError, match=r"the circuit has measurements.*remove_final_measurements"):
        job.result()


def test_what_qiskit_refuses_is_refused_with_its_words() -> None:
    with pytest.raises(ValueError, match="inconsistent with last dimension"):
        EstimatorV2().run([(zz_feature_map(2), "ZZ", [[1.0]])])
