"""Qiskit reads the circuits out of their texts that were written, and other texts become the circuits that they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("qiskit")
pytest.importorskip("qiskit_qasm3_import")
from qiskit import qasm2, qasm3
from qiskit.circuit.random import random_circuit
from qiskit.quantum_info import Statevector
from qiskit_circuits import library_circuits
from random_inputs import first_sample, sample_state, up_to_phase

import qcsim
from oracle.circuits import random_case
from qcsim.interop import from_qasm, from_qiskit, to_qasm2, to_qasm3
from qcsim.interop.qiskit import reverse_bits

BELL2 = 'OPENQASM 2.0;\ninclude "qelib1.inc";\nqreg q[2];\nry(0.5) q[0];\ncx q[0], q[1];\n'


def read2(text: str) -> np.ndarray:
    """Qiskit's state of a text in version 2, in qcsim's order, without the gates that Qiskit adds to the format."""
    return reverse_bits(Statevector(qasm2.loads(text, include_path=())).data)


def read3(text: str) -> np.ndarray:
    """The same of version 3."""
    return reverse_bits(Statevector(qasm3.loads(text)).data)


# The way round --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(60))
def test_qiskit_reads_the_same_state_out_of_version_2(seed: int) -> None:
    case = random_case(seed)
    expected = sample_state(case)
    found = read2(to_qasm2(case.circuit(), **first_sample(case)))
    np.testing.assert_allclose(up_to_phase(found, expected), expected, atol=1e-10)


@pytest.mark.parametrize("seed", range(25))  # its reader takes a third of a second
def test_qiskit_reads_the_same_state_with_its_phase_out_of_version_3(seed: int) -> None:
    case = random_case(seed, length=10)
    found = read3(to_qasm3(case.circuit(), **first_sample(case)))
    np.testing.assert_allclose(found, sample_state(case), atol=1e-10)


@pytest.mark.parametrize("seed", range(40))
def test_a_random_circuit_of_qiskit_survives_the_way_through_qcsim_and_qasm(seed: int) -> None:
    circuit = random_circuit(2 + seed % 4, 5, max_operands=4, seed=seed)
    expected = reverse_bits(Statevector(circuit).data)
    made = from_qiskit(circuit)
    np.testing.assert_allclose(up_to_phase(read2(to_qasm2(made)), expected), expected, atol=1e-10)
    if seed < 10:
        np.testing.assert_allclose(read3(to_qasm3(made)), expected, atol=1e-10)


def test_circuits_of_the_library_survive_the_way_through_qcsim_and_qasm() -> None:
    for name, circuit in library_circuits().items():
        values = np.random.default_rng(8).uniform(-3, 3, circuit.num_parameters)
        bound = circuit.assign_parameters(values)
        expected = reverse_bits(Statevector(bound).data)
        text = to_qasm2(from_qiskit(circuit), weights=values)
        np.testing.assert_allclose(up_to_phase(read2(text), expected), expected, atol=1e-10, err_msg=name)


# Reading --------------------------------------------------------------------------------------------------------------


def test_version_2_is_read_as_it_was_written() -> None:
    assert from_qasm(BELL2) == qcsim.Circuit(2).ry(0, angle=0.5).cnot(0, 1)
    assert from_qasm("// a comment\n" + BELL2 + "creg c[2];\nmeasure q -> c;\n") == from_qasm(BELL2)


def test_a_text_of_qiskit_is_read_with_the_gates_that_qiskit_adds() -> None:
    text = BELL2 + "sx q[0];\nrxx(0.25) q[0], q[1];\ncsx q[0], q[1];\n"
    made = from_qasm(text)
    assert made.instructions[2:4] == qcsim.Circuit(2).sx(0).rxx(0, 1, angle=0.25).instructions


def test_inputs_become_weights_in_the_order_of_declaration() -> None:
    circuit = qcsim.Circuit(2)
    for _ in range(12):
        circuit.ry(0)
    circuit.rx(1, feature=0, scale=2.0).cnot(0, 1)
    assert from_qasm(to_qasm3(circuit), features=["f0"]) == circuit
    assert from_qasm(to_qasm3(circuit)).n_weights == 13
    text = to_qasm3(circuit).replace("input float[64] w0;", "/* input float[64] w5; */ input float[64] w0; // input x;")
    assert from_qasm(text, features=["f0"]) == circuit


def test_a_text_that_cannot_be_read_is_refused() -> None:
    with pytest.raises(ValueError, match="the text is no OpenQASM 2 that Qiskit can read"):
        from_qasm("OPENQASM 2.0; qreg q[1]; nonsense q[0];")
    with pytest.raises(ValueError, match="the text is no OpenQASM 3 that Qiskit can read"):
        from_qasm("OPENQASM 3.0; qubit q; nonsense q;")
    with pytest.raises(TypeError, match="a circuit is read from text, got a PosixPath"):
        from_qasm(Path("circuit.qasm"))  # type: ignore[arg-type]


def test_a_text_reads_no_file_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own.inc").write_text("gate own a { }")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=r"own\.inc"):
        from_qasm('OPENQASM 2.0;\ninclude "own.inc";\nqreg q[1];\nown q[0];')
