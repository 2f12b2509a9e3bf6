"""OpenQASM read by Qiskit's readers. Called by ``from_qasm``."""

from __future__ import annotations

import re
from typing import Any

try:
    from qiskit import QuantumCircuit, qasm2, qasm3
    from qiskit.exceptions import MissingOptionalLibraryError, QiskitError
except ModuleNotFoundError as error:
    raise ModuleNotFoundError("reading OpenQASM needs Qiskit: pip install qiskit", name="qiskit") from error

from qcsim.circuit import Circuit
from qcsim.interop.circuits import from_qiskit

_COMMENTS = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_VERSION_2 = re.compile(r"\s*OPENQASM\s+2\b")
_INPUTS = re.compile(r"\binput\b[^;]*?([^\W\d]\w*)\s*;")


def circuit_of(text: str, weights: Any = None, features: Any = ()) -> Circuit:
    """The circuit of a text, as :func:`qcsim.interop.from_qasm` describes it.

    Example:
        >>> print(circuit_of('OPENQASM 2.0; include "qelib1.inc"; qreg q[2]; h q[0]; cx q[0], q[1];'))
        q0: ─H─●─
        q1: ───X─
    """
    program = _COMMENTS.sub(" ", text)
    if _VERSION_2.match(program):
        return from_qiskit(_read2(text), weights=weights, features=features)
    circuit = _read3(text)
    if weights is None:
        used = {parameter.name for parameter in circuit.parameters}
        weights = [name for name in _INPUTS.findall(program) if name in used and name not in features]
    return from_qiskit(circuit, weights=weights, features=features)


def _read2(text: str) -> QuantumCircuit:
    try:
        return qasm2.loads(text, include_path=(), custom_instructions=qasm2.LEGACY_CUSTOM_INSTRUCTIONS)
    except QiskitError as error:
        raise ValueError(f"the text is no OpenQASM 2 that Qiskit can read: {error}") from error


def _read3(text: str) -> QuantumCircuit:
    try:
        return qasm3.loads(text)
    except MissingOptionalLibraryError as error:
        raise ModuleNotFoundError(
            "reading OpenQASM 3 needs qiskit_qasm3_import: pip install qiskit-qasm3-import", name="qiskit_qasm3_import"
        ) from error
    except QiskitError as error:
        raise ValueError(f"the text is no OpenQASM 3 that Qiskit can read: {error}") from error
