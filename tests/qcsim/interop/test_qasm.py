"""The texts of OpenQASM word by word; what Qiskit reads out of them is in test_qasm_with_qiskit.py."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import qcsim
from qcsim.interop import to_qasm, to_qasm2, to_qasm3

BELL2 = 'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[2];\nry(0.5) q[0];\ncx q[0], q[1];\n'


def test_the_text_of_version_2() -> None:
    circuit = qcsim.Circuit(2).ry(0).cnot(0, 1)
    assert to_qasm2(circuit, weights=[0.5]) == BELL2
    assert to_qasm(circuit, weights=[0.5], version=2) == BELL2
    measured = BELL2.replace("qreg q[2];\n", "qreg q[2];\ncreg c[2];\n")
    measured += "measure q[1] -> c[0];\nmeasure q[0] -> c[1];\n"
    assert to_qasm2(circuit, weights=[0.5], measure=[1, 0]) == measured


def test_numbers_are_written_in_full_and_with_a_point() -> None:
    circuit = qcsim.Circuit(1).rx(0, angle=1e-20).ry(0, angle=-0.1).rz(0, angle=3)
    assert to_qasm2(circuit).splitlines()[3:] == ["rx(1.0e-20) q[0];", "ry(-0.1) q[0];", "rz(3.0) q[0];"]
    third = qcsim.Circuit(1).rx(0, angle=1 / 3)
    assert to_qasm2(third).splitlines()[3] == "rx(0.3333333333333333) q[0];"


def test_only_inputs_that_gates_use_are_declared() -> None:
    circuit = qcsim.Circuit(1).rx(0, weight=2).ry(0, weight=10, scale=-2.0, shift=-0.5).rz(0, feature=1)
    text = to_qasm3(circuit, features=[0.0, 0.25])
    assert text.splitlines()[2:] == [
        "input float[64] w2;",
        "input float[64] w10;",
        "qubit[1] q;",
        "rx(w2) q[0];",
        "ry(-2.0*w10 - 0.5) q[0];",
        "rz(0.25) q[0];",
    ]


def test_a_global_phase_is_written_where_it_can_be() -> None:
    circuit = qcsim.Circuit(1).unitary(1j * np.eye(2), 0)
    assert "gphase(1.5707963267948966);" in to_qasm3(circuit)
    assert "gphase" not in to_qasm2(circuit)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"version": 4}, "version is 4; the options are 2 and 3"),
        ({"version": 2}, "OpenQASM 2 has no inputs.*give weights"),
        ({"weights": [1.0, 2.0]}, r"weights has shape \(2,\)"),
        ({"measure": [2]}, r"measured qubit 2 is outside 0\.\.1 for a 2-qubit circuit"),
        ({"measure": [0, 0]}, "qubit 0 is measured twice"),
    ],
)
def test_what_cannot_be_written_is_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        to_qasm(qcsim.Circuit(2).ry(0).cnot(0, 1), **options)


def test_measure_is_a_list_of_qubits() -> None:
    with pytest.raises(TypeError, match="measure is 'q'; it must be True, False or a list of qubits"):
        to_qasm(qcsim.Circuit(1), measure="q")


def test_noise_is_no_gate_of_a_text() -> None:
    with pytest.raises(ValueError, match=r"the circuit has noise \(depolarizing\), which is no gate"):
        to_qasm(qcsim.Circuit(2).h(0).depolarizing(0.1))
