"""SamplerV2 draws from the law that Qiskit's StatevectorSampler draws from, into the same registers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("qiskit")
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister
from qiskit.circuit import Clbit, Parameter
from qiskit.circuit.library import efficient_su2, zz_feature_map
from qiskit.circuit.random import random_circuit
from qiskit.primitives import BaseSamplerV2, StatevectorSampler
from qiskit.primitives.containers.bindings_array import BindingsArray
from qiskit.quantum_info import Statevector

from qcsim.interop.qiskit import SamplerV2

SHOTS = 20_000


def run(pub: Any, **options: Any) -> Any:
    """The data of one PUB."""
    return SamplerV2(seed=1).run([pub], **options).result()[0].data


def assert_drawn(counts: dict[str, int], law: dict[str, float]) -> None:
    """Counts are draws from a law: no outcome off by more than five standard deviations, none that cannot be."""
    shots = sum(counts.values())
    for outcome in {*counts, *law}:
        p = law.get(outcome, 0.0)
        assert abs(counts.get(outcome, 0) - p * shots) <= 5 * np.sqrt(p * (1 - p) * shots) + 1e-6, outcome


@pytest.mark.parametrize("seed", range(25))
def test_outcomes_follow_the_law_of_the_state(seed: int) -> None:
    circuit = random_circuit(1 + seed % 4, 4, seed=seed)
    law = Statevector(circuit).probabilities_dict()
    circuit.measure_all()
    assert_drawn(run(circuit, shots=SHOTS).meas.get_counts(), law)


@pytest.mark.parametrize("seed", range(10))
def test_a_batch_of_parameter_values_follows_the_laws_of_its_states(seed: int) -> None:
    circuit = zz_feature_map(2, reps=1) if seed % 2 else efficient_su2(3, reps=1)
    values = np.random.default_rng(seed).uniform(-2, 2, (2, 3, circuit.num_parameters))
    measured = circuit.copy()
    measured.measure_all()
    bits = run((measured, values), shots=SHOTS).meas
    assert bits.shape == (2, 3)
    for place in np.ndindex(2, 3):
        assert_drawn(bits.get_counts(place), Statevector(circuit.assign_parameters(values[place])).probabilities_dict())


def test_two_samples_of_one_law_pass_for_each_other() -> None:
    circuit = random_circuit(4, 6, seed=12)
    circuit.measure_all()
    mine, theirs = (
        sampler.run([circuit], shots=SHOTS).result()[0].data.meas.get_int_counts()
        for sampler in (SamplerV2(seed=2), StatevectorSampler(seed=2))
    )
    a, b = (np.array([counts.get(outcome, 0) for outcome in range(16)], float) for counts in (mine, theirs))
    some = a + b > 0
    statistic = ((a - b)[some] ** 2 / (a + b)[some]).sum()
    assert statistic < 45  # chi-square of 15 degrees of freedom: beyond it once in ten thousand


def test_every_register_has_the_bits_that_were_measured_into_it() -> None:
    qubits, alpha, beta = QuantumRegister(4), ClassicalRegister(3, "alpha"), ClassicalRegister(10, "beta")
    circuit = QuantumCircuit(qubits, alpha, beta)
    circuit.x([1, 3])
    circuit.measure(1, alpha[0])
    circuit.measure(0, alpha[2])
    circuit.measure(3, beta[9])
    circuit.measure(1, beta[0])  # a second time
    mine, theirs = (s.run([circuit], shots=7).result()[0].data for s in (SamplerV2(), StatevectorSampler()))
    assert mine.alpha.get_counts() == theirs.alpha.get_counts() == {"001": 7}
    assert mine.beta.get_counts() == theirs.beta.get_counts() == {"1000000001": 7}
    assert mine.beta.array.shape == theirs.beta.array.shape == (7, 2)


def test_registers_are_drawn_together() -> None:
    circuit = QuantumCircuit(QuantumRegister(2), ClassicalRegister(1, "a"), ClassicalRegister(1, "b"))
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure([0, 1], [0, 1])
    data = run(circuit, shots=1000)
    np.testing.assert_array_equal(data.a.array, data.b.array)
    assert 400 < data.a.array.sum() < 600


def test_registers_that_share_a_bit_both_have_it() -> None:
    bits = [Clbit() for _ in range(3)]
    circuit = QuantumCircuit(QuantumRegister(2), bits)
    circuit.add_register(ClassicalRegister(name="low", bits=bits[:2]), ClassicalRegister(name="high", bits=bits[1:]))
    circuit.x(0)
    circuit.measure(0, 1)
    mine, theirs = (s.run([circuit], shots=3).result()[0].data for s in (SamplerV2(), StatevectorSampler()))
    assert mine.low.get_counts() == theirs.low.get_counts() == {"10": 3}
    assert mine.high.get_counts() == theirs.high.get_counts() == {"01": 3}


def test_many_outcomes_and_few_shots_are_packed_the_same() -> None:
    circuit = QuantumCircuit(12)
    circuit.x([0, 5, 11])
    circuit.measure_all()
    assert run(circuit, shots=2).meas.get_counts() == {"100000100001": 2}


def test_rows_without_parameters_are_drawn_one_by_one() -> None:
    circuit = QuantumCircuit(1)
    circuit.h(0)
    circuit.measure_all()
    bits = run((circuit, BindingsArray(shape=(3,))), shots=200).meas
    assert bits.shape == (3,)
    assert not np.array_equal(bits.array[0], bits.array[1])


def test_blocks_of_a_batch_have_streams_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    from qcsim.interop import pub

    circuit = QuantumCircuit(2)
    circuit.rx(Parameter("a"), 0)
    circuit.h(1)
    circuit.measure_all()
    monkeypatch.setattr(pub, "_BLOCK", 8)
    bits = run((circuit, np.full((5, 1), np.pi)), shots=400).meas
    for row in range(5):
        assert_drawn(bits.get_counts(row), {"01": 0.5, "11": 0.5})
    assert not np.array_equal(bits.array[0], bits.array[2])


def test_the_same_seed_draws_the_same_whatever_the_threads() -> None:
    circuit = efficient_su2(3, reps=1)
    values = np.random.default_rng(0).normal(size=(20, circuit.num_parameters))
    circuit.measure_all()
    first, second, third = (
        SamplerV2(seed=seed, num_threads=threads).run([(circuit, values)], shots=50).result()[0].data.meas.array
        for seed, threads in ((1, 1), (1, 2), (2, 1))
    )
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, third)


def test_pubs_of_one_run_are_independent() -> None:
    circuit = QuantumCircuit(1)
    circuit.h(0)
    circuit.measure_all()
    result = SamplerV2(seed=1).run([circuit, circuit], shots=200).result()
    assert not np.array_equal(result[0].data.meas.array, result[1].data.meas.array)


def test_a_pub_may_say_its_own_shots() -> None:
    circuit = QuantumCircuit(1)
    circuit.measure_all()
    sampler = SamplerV2(default_shots=5)
    result = sampler.run([circuit, (circuit, None, 3)]).result()
    assert [each.data.meas.num_shots for each in result] == [5, 3]
    assert [each.metadata["shots"] for each in result] == [5, 3]
    assert sampler.run([circuit], shots=4).result()[0].data.meas.num_shots == 4


def test_a_circuit_without_registers_warns_and_gives_nothing() -> None:
    with pytest.warns(UserWarning, match="a circuit has no classical register"):
        job = SamplerV2().run([QuantumCircuit(1)])
    assert len(job.result()[0].data) == 0


def test_a_register_that_nothing_is_measured_into_is_zero() -> None:
    circuit = QuantumCircuit(2, 2)
    circuit.x(0)
    assert run(circuit, shots=4).c.get_counts() == {"00": 4}


def test_qubits_without_a_gate_cost_nothing() -> None:
    circuit = QuantumCircuit(127, 2)
    circuit.x(90)
    circuit.measure([90, 3], [0, 1])
    assert run(circuit, shots=4).c.get_counts() == {"01": 4}


def test_a_measurement_in_the_middle_is_refused() -> None:
    circuit = QuantumCircuit(1, 1)
    circuit.measure(0, 0)
    circuit.x(0)
    job = SamplerV2().run([circuit])
    with pytest.raises(ValueError, match="qubit 0 is measured before its last gate"):
        job.result()


def test_it_is_a_sampler_of_qiskit() -> None:
    sampler = SamplerV2(default_shots=7, seed=9)
    assert isinstance(sampler, BaseSamplerV2)
    assert (sampler.default_shots, sampler.seed) == (7, 9)
