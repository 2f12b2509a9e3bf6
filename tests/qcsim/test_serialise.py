"""Circuits as JSON: what is written is read back to the last bit, and what is wrong is said in words."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from every import every_gate, random_unitary

import qcsim
from oracle.circuits import random_case


@pytest.mark.parametrize(
    "circuit",
    [
        qcsim.Circuit(1),
        qcsim.Circuit(2).amplitude_embedding(),
        every_gate(),
        qcsim.hardware_efficient(3, 2),
        qcsim.Circuit(1).rx(0, angle=math.pi / 3).rx(0, angle=5e-324).rx(0, angle=-1.7976931348623157e308),
        qcsim.Circuit(1).rx(0, angle=0.1 * qcsim.weight(7) + 0.2).rz(0, angle=-qcsim.feature(0)),
        qcsim.Circuit(3).unitary(random_unitary(3), 2, 0, 1),
    ],
    ids=lambda circuit: f"{len(circuit)} gates",
)
def test_what_is_written_is_read_back(circuit: qcsim.Circuit) -> None:
    text = circuit.to_json()
    assert qcsim.Circuit.from_json(text) == circuit
    assert qcsim.Circuit.from_json(text).to_json() == text
    assert json.loads(text)["n_qubits"] == circuit.n_qubits


def test_random_circuits_are_read_back() -> None:
    for seed in range(20):
        case = random_case(seed)
        assert qcsim.Circuit.from_json(case.circuit().to_json()) == case.circuit(), str(case)


def test_one_gate_stands_on_one_line() -> None:
    assert len(every_gate().to_json().splitlines()) == len(every_gate()) + 2


def test_a_circuit_that_was_read_can_be_added_to_and_run() -> None:
    circuit = qcsim.Circuit.from_json(qcsim.Circuit(1).ry(0).to_json()).ry(0)
    found = qcsim.probabilities(circuit, np.array([0.3, 0.4]))
    np.testing.assert_allclose(found, [math.cos(0.35) ** 2, math.sin(0.35) ** 2], atol=1e-15)


HEAD = '{"format": "qcsim.circuit", "version": 1, "n_qubits": 2, "gates": '


def one(gate: str) -> str:
    return f"{HEAD}[{gate}]}}"


@pytest.mark.parametrize(
    ("error", "words", "text"),
    [
        (ValueError, ["JSON"], ""),
        (ValueError, ["JSON"], "{"),
        (ValueError, ["JSON"], "[" * 100_000),
        (ValueError, ["qcsim.circuit"], "[]"),
        (ValueError, ["qcsim.circuit"], '{"version": 1}'),
        (TypeError, ["text", "bytes"], b"{}"),
        (TypeError, ["text", "dict"], {}),
        (ValueError, ["version 2", "version 1"], '{"format": "qcsim.circuit", "version": 2}'),
        (ValueError, ["version None", "version 1"], '{"format": "qcsim.circuit"}'),
        (ValueError, ["gates", "None", "list"], '{"format": "qcsim.circuit", "version": 1, "n_qubits": 2}'),
        (TypeError, ["n_qubits", "None"], '{"format": "qcsim.circuit", "version": 1, "gates": []}'),
        (ValueError, ["n_qubits", "99"], '{"format": "qcsim.circuit", "version": 1, "n_qubits": 99, "gates": []}'),
        (ValueError, ["'qubits'", "n_qubits"], f'{HEAD}[], "qubits": 3}}'),
        (ValueError, ["amplitude_embedding", "1", "true"], f'{HEAD}[], "amplitude_embedding": 1}}'),
        (ValueError, ["gate 0", "'x'", "object"], one('"x"')),
        (ValueError, ["gate 1", "object"], one('{"gate": "x", "qubits": [0]}, {}')),
        (ValueError, ["'foo'", "cnot"], one('{"gate": "foo", "qubits": [0]}')),
        (ValueError, ["gate 0", "'angle'", "angles"], one('{"gate": "rx", "qubits": [0], "angle": 1}')),
        (ValueError, ["qubits of gate 0", "list"], one('{"gate": "x"}')),
        (ValueError, ["5", "0..1"], one('{"gate": "x", "qubits": [5]}')),
        (TypeError, ["0.5", "integer"], one('{"gate": "x", "qubits": [0.5]}')),
        (ValueError, ["twice"], one('{"gate": "cz", "qubits": [1, 1]}')),
        (ValueError, ["x", "1 qubit", "2"], one('{"gate": "x", "qubits": [0, 1]}')),
        (ValueError, ["rx", "1 angle", "0"], one('{"gate": "rx", "qubits": [0]}')),
        (ValueError, ["x", "0 angle", "1"], one('{"gate": "x", "qubits": [0], "angles": [1]}')),
        (ValueError, ["gate 0", "nan"], one('{"gate": "rx", "qubits": [0], "angles": [NaN]}')),
        (ValueError, ["gate 0", "inf"], one('{"gate": "rx", "qubits": [0], "angles": [1e999]}')),
        (TypeError, ["gate 0", "True"], one('{"gate": "rx", "qubits": [0], "angles": [true]}')),
        (ValueError, ["gate 0", "weight"], one('{"gate": "rx", "qubits": [0], "angles": [{}]}')),
        (ValueError, ["gate 0"], one('{"gate": "rx", "qubits": [0], "angles": [{"weight": 0, "feature": 0}]}')),
        (ValueError, ["gate 0", "'by'"], one('{"gate": "rx", "qubits": [0], "angles": [{"weight": 0, "by": 2}]}')),
        (ValueError, ["weight", "-1"], one('{"gate": "rx", "qubits": [0], "angles": [{"weight": -1}]}')),
        (TypeError, ["scale", "None"], one('{"gate": "rx", "qubits": [0], "angles": [{"weight": 0, "scale": null}]}')),
        (ValueError, ["matrix", "4"], one('{"gate": "unitary", "qubits": [0], "matrix": [[1, 0]]}')),
        (ValueError, ["gate 0", "[real, imaginary]"], one('{"gate": "unitary", "qubits": [0], "matrix": [1]}')),
        (ValueError, ["not unitary"], one('{"gate": "unitary", "qubits": [0], "matrix": [[1,0],[0,0],[0,0],[2,0]]}')),
        (ValueError, ["no matrix"], one('{"gate": "x", "qubits": [0], "matrix": [[1,0],[0,0],[0,0],[1,0]]}')),
    ],
)  # fmt: skip
def test_a_text_that_is_no_circuit_is_refused_in_words(error, words, text) -> None:
    with pytest.raises(error) as caught:
        qcsim.Circuit.from_json(text)
    message = str(caught.value)
    assert caught.type is error
    assert "incompatible" not in message, f"a dump of the binding: {message}"
    for word in words:
        assert word in message, f"{word!r} is missing in: {message}"
