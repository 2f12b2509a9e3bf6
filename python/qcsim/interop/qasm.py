"""Circuits as OpenQASM 2 and 3, and circuits from such texts.

Writing needs nothing beside qcsim; reading is done by Qiskit's readers (``pip install qiskit``). Qubit q is
``q[q]``. A text of version 3 is the circuit exactly, global phase included; version 2 says nothing of global phases,
and its text is the circuit up to one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from qcsim._core import Source
from qcsim.angles import Angle
from qcsim.circuit import Circuit
from qcsim.instruction import Instruction
from qcsim.integers import integer
from qcsim.interop.elementary import in_gates
from qcsim.interop.inputs import Bound
from qcsim.interop.preparation import prepare

_BOTH = {
    **{name: name for name in ("x", "y", "z", "h", "s", "sdg", "t", "tdg", "rx", "ry", "rz", "cy", "cz", "ch", "crz")},
    **{"cnot": "cx", "toffoli": "ccx"},
}
# The gates of qelib1.inc as the paper on OpenQASM 2 has it (arXiv:1707.03429): other readers know no more.
_QELIB1 = {**_BOTH, "phase": "u1", "cphase": "cu1", "u3": "u3", "cu3": "cu3"}
_STDGATES = {
    **{**_BOTH, "phase": "p", "cphase": "cp", "sx": "sx", "crx": "crx", "cry": "cry"},
    **{"swap": "swap", "fredkin": "cswap", "cu3": "cu"},
}
_VERSIONS = (2, 3)
_NO_PHASE = 1e-15


def to_qasm(
    circuit: Circuit,
    weights: Any = None,
    features: Any = None,
    amplitudes: Any = None,
    *,
    version: int = 3,
    measure: Sequence[int] | bool = False,
) -> str:
    """A circuit as OpenQASM: gates of the standard include file, everything else taken apart.

    Args:
        circuit: without noise.
        weights: (P,) radians; None: inputs ``w0``, ``w1``, ... (version 3 only).
        features: (F,) radians of one sample; None: inputs ``f0``, ``f1``, ... (version 3 only).
        amplitudes: (D,) of one sample if the circuit embeds amplitudes, D <= 2^n: real or complex, zero-padded at the
            tail and normalised; prepared by about 2^n rotations and as many CNOTs, twice that if complex.
        version: 2 or 3.
        measure: the qubits to measure at the end, the k-th of them into ``c[k]``; True: all; False: none.

    Returns:
        The text. Of version 3 it makes the circuit's state exactly, of version 2 up to a global phase.

    Raises:
        ValueError: for noise, a wrong number of values, a number that is not finite, an unknown version or qubit,
            missing amplitudes, or angles left open in version 2.
        TypeError: for something that is no circuit, or no array of numbers.

    Example:
        >>> import qcsim
        >>> print(to_qasm(qcsim.Circuit(2).ry(0).cnot(0, 1), measure=True))
        OPENQASM 3.0;
        include "stdgates.inc";
        input float[64] w0;
        qubit[2] q;
        bit[2] c;
        ry(w0) q[0];
        cx q[0], q[1];
        c[0] = measure q[0];
        c[1] = measure q[1];
        <BLANKLINE>
    """
    if version not in _VERSIONS:
        raise ValueError(f"version is {version!r}; the options are 2 and 3")
    bound = Bound(circuit, weights, features, amplitudes)
    measured = _measured(circuit, measure)
    begin = [] if bound.state is None else prepare(bound.state)
    known = _QELIB1 if version == 2 else _STDGATES
    gates = list(in_gates([*begin, *bound.gates], {*known, "gphase"}))
    lines = _version2(circuit, gates, measured) if version == 2 else _version3(circuit, gates, measured)
    return "\n".join([*lines, ""])


def to_qasm2(
    circuit: Circuit,
    weights: Any = None,
    features: Any = None,
    amplitudes: Any = None,
    *,
    measure: Sequence[int] | bool = False,
) -> str:
    """A circuit as OpenQASM 2: :func:`to_qasm` with ``version=2``.

    Example:
        >>> import qcsim
        >>> print(to_qasm2(qcsim.Circuit(2).ry(0).cnot(0, 1), weights=[0.5]))
        OPENQASM 2.0;
        include "qelib1.inc";
        qreg q[2];
        ry(0.5) q[0];
        cx q[0], q[1];
        <BLANKLINE>
    """
    return to_qasm(circuit, weights, features, amplitudes, version=2, measure=measure)


def to_qasm3(
    circuit: Circuit,
    weights: Any = None,
    features: Any = None,
    amplitudes: Any = None,
    *,
    measure: Sequence[int] | bool = False,
) -> str:
    """A circuit as OpenQASM 3: :func:`to_qasm` with ``version=3``.

    Example:
        >>> import qcsim
        >>> to_qasm3(qcsim.Circuit(1).rx(0, angle=2 * qcsim.feature(0) - 1)).splitlines()[2:]
        ['input float[64] f0;', 'qubit[1] q;', 'rx(2.0*f0 - 1.0) q[0];']
    """
    return to_qasm(circuit, weights, features, amplitudes, version=3, measure=measure)


def from_qasm(text: str, *, weights: Any = None, features: Any = ()) -> Circuit:
    """The circuit of a text in OpenQASM 2 or 3, read by Qiskit.

    Args:
        text: the program; its first statement says the version, else it is 3. Measurements at the end are left out.
        weights: names of the inputs (version 3) that become weights 0, 1, ...; None: all that are no features, in the
            order of declaration. Inputs that no gate uses are left out.
        features: names of the inputs that become features 0, 1, ...

    Returns:
        A :class:`qcsim.Circuit`; see :func:`qcsim.interop.from_qiskit`.

    Raises:
        ValueError: if the text cannot be read, or for what :func:`qcsim.interop.from_qiskit` refuses.
        TypeError: if it is no text.
        ModuleNotFoundError: without Qiskit, and for version 3 without ``qiskit_qasm3_import``.
    """
    if not isinstance(text, str):
        raise TypeError(f"a circuit is read from text, got a {type(text).__name__}")
    from qcsim.interop.qasm_reader import circuit_of

    return circuit_of(text, weights, features)


# Writing --------------------------------------------------------------------------------------------------------------


def _measured(circuit: Circuit, measure: Any) -> tuple[int, ...]:
    if isinstance(measure, bool):
        return circuit.all_qubits if measure else ()
    if not isinstance(measure, Iterable) or isinstance(measure, str):
        raise TypeError(f"measure is {measure!r}; it must be True, False or a list of qubits such as [0, 1]")
    allowed = f"0..{circuit.n_qubits - 1}"
    qubits = tuple(integer("a measured qubit", qubit, allowed) for qubit in measure)
    for qubit in qubits:
        if not 0 <= qubit < circuit.n_qubits:
            raise ValueError(f"measured qubit {qubit} is outside {allowed} for a {circuit.n_qubits}-qubit circuit")
        if qubits.count(qubit) > 1:
            raise ValueError(f"qubit {qubit} is measured twice")
    return qubits


def _version2(circuit: Circuit, gates: list[Instruction], measured: Sequence[int]) -> list[str]:
    if any(angle.source is not Source.CONSTANT for gate in gates for angle in gate.angles):
        raise ValueError("OpenQASM 2 has no inputs, and this circuit's weights or features are left open; give weights "
                         "and features, or write version 3")  # fmt: skip
    lines = ["OPENQASM 2.0;", 'include "qelib1.inc";', f"qreg q[{circuit.n_qubits}];"]
    lines += [f"creg c[{len(measured)}];"] if measured else []
    lines += [_statement(_QELIB1[gate.gate], gate) for gate in gates if gate.gate != "gphase"]
    return lines + [f"measure q[{qubit}] -> c[{bit}];" for bit, qubit in enumerate(measured)]


def _version3(circuit: Circuit, gates: list[Instruction], measured: Sequence[int]) -> list[str]:
    lines = ["OPENQASM 3.0;", 'include "stdgates.inc";']
    inputs = {(angle.source.name, angle.index) for gate in gates for angle in gate.angles}
    for source, letter in (("WEIGHT", "w"), ("FEATURE", "f")):
        lines += [f"input float[64] {letter}{index};" for kind, index in sorted(inputs) if kind == source]
    lines.append(f"qubit[{circuit.n_qubits}] q;")
    lines += [f"bit[{len(measured)}] c;"] if measured else []
    phase = math.remainder(sum(gate.angles[0].shift for gate in gates if gate.gate == "gphase"), 2 * math.pi)
    lines += [f"gphase({_decimal(phase)});"] if abs(phase) > _NO_PHASE else []
    lines += [_statement(_STDGATES[gate.gate], gate) for gate in gates if gate.gate != "gphase"]
    return lines + [f"c[{bit}] = measure q[{qubit}];" for bit, qubit in enumerate(measured)]


def _statement(name: str, gate: Instruction) -> str:
    angles = [_radians(angle) for angle in gate.angles]
    if name == "cu":
        angles.append("0.0")  # a fourth angle, of the control's phase
    called = f"{name}({', '.join(angles)})" if angles else name
    return f"{called} {', '.join(f'q[{qubit}]' for qubit in gate.qubits)};"


def _radians(angle: Angle) -> str:
    if angle.source is Source.CONSTANT:
        return _decimal(angle.shift)
    name = f"{'w' if angle.source is Source.WEIGHT else 'f'}{angle.index}"
    scaled = name if angle.scale == 1.0 else f"{_decimal(angle.scale)}*{name}"
    if angle.shift == 0.0:
        return scaled
    return f"{scaled} {'+' if angle.shift > 0 else '-'} {_decimal(abs(angle.shift))}"


def _decimal(number: float) -> str:
    """A number as both versions write it: every digit, and a point before an exponent."""
    text = repr(float(number))
    mantissa, e, exponent = text.partition("e")
    return text if "." in mantissa or not e else f"{mantissa}.0e{exponent}"
