"""The circuit of one decision, exported: a device that runs the text draws from the law that the policy reads."""

from __future__ import annotations

import re

import pytest
import torch
from test_cli import TINY, failure, success
from test_quantum import built, some_inputs

import qcsim
from qcmarl.quantum import decision_circuit

GATE = re.compile(r"(ry|cx)(?:\((.+)\))? q\[(\d+)\](?:, q\[(\d+)\])?;")


def law(text: str) -> torch.Tensor:
    """(2^k,) the law of the measured qubits, of a text that has RY and CNOT alone."""
    lines = text.splitlines()
    (size,) = (int(found[1]) for line in lines if (found := re.search(r"(?:qubit\[|qreg q\[)(\d+)\]", line)))
    measured = [int(found[1]) for line in lines if (found := re.search(r"measure q\[(\d+)\]", line))]
    circuit = qcsim.Circuit(size)
    for line in lines:
        if (found := GATE.fullmatch(line)) is not None:
            name, angle, first, second = found.groups()
            if name == "ry":
                circuit.ry(int(first), angle=float(angle))
            else:
                circuit.cnot(int(first), int(second))
    others = [line for line in lines if GATE.fullmatch(line) is None and "measure" not in line]
    assert len(others) == 4, others  # version, include, qubits and bits
    return torch.from_numpy(qcsim.probabilities(circuit, qubits=measured))


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("readout", ["factored", "outcome", "register"])
@pytest.mark.parametrize("circuit", ["quantum", "no-cnot", "frozen"])
def test_the_exported_circuit_has_the_law_that_the_policy_reads(readout: str, circuit: str, version: int) -> None:
    policy, inputs = built(readout=readout, circuit=circuit), some_inputs(dead=[(2, 1)])
    with torch.no_grad():
        readings = policy.read(policy.encode(inputs))
    for sample in range(inputs.samples):
        decision = decision_circuit(policy, inputs, sample)
        assert torch.allclose(law(decision.to_qasm(version)).float(), readings[sample], atol=1e-6)


def test_the_noise_that_a_policy_is_trained_with_stays_behind() -> None:
    torch.manual_seed(3)
    noisy = built(noise="depolarizing:0.1")
    plain = built()
    plain.load_state_dict(noisy.state_dict())
    inputs = some_inputs()
    decision = decision_circuit(noisy, inputs, 1)
    assert not any(gate.is_channel for gate in decision.circuit.instructions)
    with torch.no_grad():
        expected = plain.read(plain.encode(inputs))[1]
    assert torch.allclose(law(decision.to_qasm()).float(), expected, atol=1e-6)


def test_what_has_no_circuit_or_no_such_sample_is_refused() -> None:
    with pytest.raises(ValueError, match="the policy has no circuit to export; --circuit must be one of quantum"):
        decision_circuit(built(circuit="linear"), some_inputs())
    with pytest.raises(ValueError, match=r"sample is 5; it must be within 0\.\.4"):
        decision_circuit(built(), some_inputs(5), 5)


def test_a_run_is_exported_by_a_command(capsys, tmp_path) -> None:
    success("train", "--algo", "qc-mappo", "--latent", 4, "--run-dir", tmp_path / "run", *TINY)
    capsys.readouterr()
    success("export-circuit", tmp_path / "run")
    path = tmp_path / "run" / "decision.qasm"
    assert capsys.readouterr().out == f"{path}\n"
    first = law(path.read_text())
    assert first.sum().item() == pytest.approx(1.0)
    success("export-circuit", tmp_path / "run", "--step", 3, "--qasm", 2, "--out", tmp_path / "later.qasm")
    later = (tmp_path / "later.qasm").read_text()
    assert later.startswith("OPENQASM 2.0;")
    assert not torch.allclose(law(later), first)
    capsys.readouterr()
    said = failure(capsys, "export-circuit", str(tmp_path / "run"), "--step", "100000")
    assert re.search(r"step is 100000; the episode of seed 1000000 is over after \d+ steps", said)


def test_a_run_without_a_circuit_is_refused(capsys, tmp_path) -> None:
    success("train", "--algo", "mappo", "--run-dir", tmp_path / "run", *TINY)
    capsys.readouterr()
    assert "has no circuit to export; it must be qc-mappo" in failure(capsys, "export-circuit", str(tmp_path / "run"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("export-circuit nowhere", "nowhere holds no run"),
        ("export-circuit nowhere --step -1", "step is -1; it must be at least 0"),
        ("export-circuit nowhere --qasm 4", "--qasm"),
        ("export-circuit nowhere --seed -1", "seed is -1; it must be within 0.."),
    ],
)
def test_a_mistake_is_named(capsys, tmp_path, monkeypatch, arguments: str, message: str) -> None:
    monkeypatch.chdir(tmp_path)
    assert message in failure(capsys, *arguments.split())


@pytest.mark.parametrize("version", [2, 3])
def test_qiskit_reads_the_law_out_of_the_text(version: int) -> None:
    pytest.importorskip("qiskit_qasm3_import")
    from qiskit import qasm2, qasm3
    from qiskit.quantum_info import Statevector

    policy, inputs = built(readout="outcome"), some_inputs()
    read = {2: qasm2.loads, 3: qasm3.loads}[version](decision_circuit(policy, inputs, 2).to_qasm(version))
    measured = [read.find_bit(item.qubits[0]).index for item in read.data if item.name == "measure"]
    read.remove_final_measurements()
    with torch.no_grad():
        expected = policy.read(policy.encode(inputs))[2]
    found = torch.from_numpy(Statevector(read).probabilities(measured[::-1])).float()
    assert torch.allclose(found, expected, atol=1e-6)
