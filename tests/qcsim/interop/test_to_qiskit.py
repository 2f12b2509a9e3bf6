"""Circuits become circuits of Qiskit that make the same states, global phase included."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("qiskit")
from qiskit.quantum_info import Statevector
from qiskit_circuits import columns, matrix
from random_inputs import first_sample, sample_state

import qcsim
from oracle.circuits import ALL_GATES, Case, build, random_case, random_gate
from qcsim.interop import from_qiskit, to_qiskit
from qcsim.interop.qiskit import reverse_bits


def state(case: Case, **given: Any) -> np.ndarray:
    """Qiskit's state of the first sample, in qcsim's order."""
    return reverse_bits(Statevector(to_qiskit(case.circuit(), **given)).data)


@pytest.mark.parametrize("seed", range(80))
def test_a_random_circuit_makes_the_same_state_in_qiskit(seed: int) -> None:
    case = random_case(seed)
    np.testing.assert_allclose(state(case, **first_sample(case)), sample_state(case), atol=1e-10)


@pytest.mark.parametrize("seed", range(80, 140))
def test_the_way_there_and_back_keeps_the_state_for_any_weights_and_features(seed: int) -> None:
    case = random_case(seed, embed=False)
    circuit, vector = case.circuit(), first_sample(case)
    made = to_qiskit(circuit)
    names = [name for name in made.parameters if name.name.startswith("f")]
    again = from_qiskit(made, features=names)
    weights, features = (
        _kept(vector[name], [p.index for p in made.parameters if p.name.startswith(name[0])])
        for name in ("weights", "features")
    )
    np.testing.assert_allclose(qcsim.statevector(again, weights, features=features), sample_state(case), atol=1e-12)


def _kept(values: Any, indices: list[int]) -> Any:
    """The values that gates use: a parameter that none uses is not in a circuit of Qiskit."""
    return np.asarray(values)[indices] if indices else None


@pytest.mark.parametrize("name", ALL_GATES)
def test_every_gate_is_the_same_matrix_in_qiskit(name: str) -> None:
    rng = np.random.default_rng(4)
    circuit = build(4, [random_gate(rng, 4, [name])])
    values = {"weights": rng.uniform(-3, 3, circuit.n_weights), "features": rng.uniform(-3, 3, circuit.n_features)}
    np.testing.assert_allclose(matrix(to_qiskit(circuit, **values)), columns(circuit.assign(**values)), atol=1e-12)


def test_weights_and_features_that_are_left_open_become_parameters() -> None:
    circuit = qcsim.Circuit(2).ry(0).rx(1, angle=2 * qcsim.feature(0) + 0.5).rz(0, weight=0)
    made = to_qiskit(circuit)
    assert [parameter.name for parameter in made.parameters] == ["f[0]", "w[0]"]
    assert from_qiskit(made, features=["f[0]"]) == circuit
    assert to_qiskit(circuit, weights=[0.1], features=[0.2]).num_parameters == 0


def test_qubits_keep_their_numbers() -> None:
    (item,) = to_qiskit(qcsim.Circuit(3).cnot(2, 0)).data
    assert [qubit._index for qubit in item.qubits] == [2, 0]


def test_amplitudes_are_padded_and_normalised_as_in_the_simulator() -> None:
    circuit = qcsim.Circuit(2).amplitude_embedding().x(0)
    found = Statevector(to_qiskit(circuit, amplitudes=[3.0, 4.0])).data
    np.testing.assert_allclose(reverse_bits(found), [0.0, 0.0, 0.6, 0.8], atol=1e-12)


@pytest.mark.parametrize(
    ("circuit", "given", "words"),
    [
        (qcsim.Circuit(1).h(0).bit_flip(0.1, 0), {}, r"the circuit has noise \(bit_flip\), which is no gate"),
        (qcsim.Circuit(1).ry(0), {"weights": [1.0, 2.0]}, r"weights has shape \(2,\).*it has 1 weights"),
        (qcsim.Circuit(1).ry(0), {"weights": [[1.0]]}, r"weights has shape \(1, 1\); one circuit is exported"),
        (qcsim.Circuit(1).ry(0), {"weights": [np.nan]}, "weights has a number that is not finite"),
        (qcsim.Circuit(1).ry(0), {"weights": [1j]}, "weights is complex"),
        (qcsim.Circuit(1).amplitude_embedding(), {}, "embeds amplitudes, and none were given"),
        (qcsim.Circuit(1).h(0), {"amplitudes": [1.0]}, "amplitudes were given, and the circuit embeds none"),
        (qcsim.Circuit(1).amplitude_embedding(), {"amplitudes": [0.0]}, "the amplitudes are all zero"),
        (qcsim.Circuit(1).amplitude_embedding(), {"amplitudes": np.ones(3)}, r"\(3,\); those of one sample are \(D,\)"),
    ],
)
def test_what_cannot_be_one_circuit_is_refused(circuit: qcsim.Circuit, given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        to_qiskit(circuit, **given)


def test_only_a_circuit_and_numbers_are_taken() -> None:
    with pytest.raises(TypeError, match=r"must be a qcsim\.Circuit"):
        to_qiskit("ry")
    with pytest.raises(TypeError, match="weights is of type list; it must be an array of numbers"):
        to_qiskit(qcsim.Circuit(1).ry(0), weights=["a"])
