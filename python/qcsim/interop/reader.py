"""Qiskit's circuits as instructions of qcsim. Called by from_qiskit and the primitives.

Gates of Qiskit's library that the engine has are taken as they are, any other by the definition that Qiskit gives it,
and operations without one by Qiskit's transpiler (basis of the same gates, no optimisation). Qubit q stays qubit q.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from qiskit import QuantumCircuit, transpile
from qiskit.circuit import Barrier, ControlFlowOp, ControlledGate, Delay, Measure, Reset
from qiskit.circuit.library import UnitaryGate, XGate, ZGate
from qiskit.exceptions import QiskitError

from qcsim._core import Source
from qcsim.angles import constant
from qcsim.instruction import Instruction, unitary_matrix
from qcsim.interop.expressions import Angles, Sum, is_expression, number

# Qiskit's name and ours of the gates that are the same matrix.
SAME = {
    **{name: name for name in ("x", "y", "z", "h", "s", "sdg", "t", "tdg", "sx", "sxdg", "rx", "ry", "rz")},
    **{name: name for name in ("cy", "cz", "ch", "crx", "cry", "crz", "swap", "iswap", "rxx", "ryy", "rzz")},
    **{"cx": "cnot", "p": "phase", "u1": "phase", "cp": "cphase", "cu1": "cphase", "u": "u3", "cu3": "cu3", "u3": "u3"},
    **{"ccx": "toffoli", "cswap": "fredkin", "ccz": "mcz", "mcx": "mcx"},
}
_PLAIN = ("id", "global_phase")
_BASIS = [*(name for name in SAME if name != "mcx"), *_PLAIN, "measure", "reset", "delay"]
_MATRIX_QUBITS = 3
_DEEPEST = 64  # levels of definitions
_NO_PHASE = 1e-15  # radians
# The controlled gates that the engine has with any number of controls.
_CONTROLLED = {XGate: "mcx", ZGate: "mcz"}


class Read(NamedTuple):
    """What was read of a circuit.

    Attributes:
        gates: in order, on the qubits of the circuit.
        measured: the qubit that each classical bit has at the end, by their places in the circuit.
        phase: the angles whose sum is the global phase.
    """

    gates: list[Instruction]
    measured: dict[int, int]
    phase: list[Sum]


def read(circuit: QuantumCircuit, angles: Angles, *, with_phase: bool = True) -> Read:
    """The gates and final measurements of a circuit; its global phase where asked for.

    Raises:
        ValueError: for control flow, a measurement or reset before the end, or an operation without definition.
        TypeError: for something that is no circuit.
    """
    if not isinstance(circuit, QuantumCircuit):
        raise TypeError(f"circuit is {circuit!r} of type {type(circuit).__name__}; it must be a qiskit.QuantumCircuit")
    reading = _Reading(angles, with_phase)
    reading.walk(circuit, range(circuit.num_qubits), range(circuit.num_clbits), 0)
    return Read(reading.gates, reading.measured, reading.phase)


class _Reading:
    def __init__(self, angles: Angles, with_phase: bool) -> None:
        self.gates: list[Instruction] = []
        self.measured: dict[int, int] = {}
        self.phase: list[Sum] = []
        self._angles = angles
        self._with_phase = with_phase
        self._touched: set[int] = set()
        self._done: set[int] = set()  # qubits that are measured

    def walk(self, circuit: QuantumCircuit, qubits: Sequence[int], clbits: Sequence[int], depth: int) -> None:
        """Adds a circuit whose bits go to these places."""
        if depth > _DEEPEST:
            raise ValueError(f"the definition of a gate goes deeper than {_DEEPEST} levels; it must end in known gates")
        self._turn_all(circuit.global_phase)
        places = dict(zip(circuit.qubits, qubits, strict=True))
        bits = dict(zip(circuit.clbits, clbits, strict=True))
        for item in circuit.data:
            on = tuple([places[qubit] for qubit in item.qubits])
            if item.is_standard_gate() and (item.name in SAME or item.name in _PLAIN):
                self._standard(item.name, on, item.params)
            else:
                self._other(item.operation, on, [bits[bit] for bit in item.clbits], depth)

    def _standard(self, name: str, on: tuple[int, ...], params: Sequence[Any]) -> None:
        if name == "global_phase":
            self._turn_all(params[0])
        elif name != "id":
            self._add(_turned(SAME[name], on, [self._angles(value) for value in params]))

    def _turn_all(self, phase: Any) -> None:
        if self._with_phase and (is_expression(phase) or number(phase) != 0.0):
            self.phase.append(self._angles(phase))

    def _other(self, operation: Any, on: tuple[int, ...], clbits: list[int], depth: int) -> None:
        if isinstance(operation, (Barrier, Delay)):
            return
        if isinstance(operation, Measure):
            self._done.update(on)
            self.measured[clbits[0]] = on[0]
        elif isinstance(operation, Reset):
            self._reset(on[0])
        elif isinstance(operation, ControlFlowOp):
            raise ValueError(f"the circuit has control flow ({operation.name}), and only gates with measurements at "
                             "the end can be run as a whole; take it apart where it depends on a bit")  # fmt: skip
        elif (known := _known(operation, on)) is not None:
            self._add([known])
        else:
            self.walk(_definition(operation), on, clbits, depth + 1)

    def _add(self, gates: list[Instruction]) -> None:
        for qubit in gates[0].qubits:
            if qubit in self._done:
                raise ValueError(f"qubit {qubit} is measured before its last gate, {gates[0].gate}; measurements must "
                                 "be at the end of the circuit")  # fmt: skip
        self._touched.update(gates[0].qubits)
        self.gates += gates

    def _reset(self, qubit: int) -> None:
        if qubit in self._touched or qubit in self._done:
            raise ValueError(f"qubit {qubit} is reset after it was used; only a reset at the beginning, which changes "
                             "nothing, can be run")  # fmt: skip


def _known(operation: Any, on: tuple[int, ...]) -> Instruction | None:
    """A gate that the engine has and Qiskit's table of standard gates has not."""
    if isinstance(operation, UnitaryGate) and len(on) <= _MATRIX_QUBITS:
        # The first qubit is the least significant bit of Qiskit's matrix.
        return Instruction("unitary", on[::-1], matrix=unitary_matrix(operation.to_matrix(), len(on)))
    if isinstance(operation, ControlledGate) and operation.ctrl_state == 2**operation.num_ctrl_qubits - 1:
        name = _CONTROLLED.get(operation.base_gate.base_class)
        return None if name is None else Instruction(name, on)
    return None


def _turned(name: str, on: tuple[int, ...], angles: list[Sum]) -> list[Instruction]:
    """A gate whose angles are sums: rotations about one axis by the terms make one by the sum."""
    if all(len(terms) == 1 for terms in angles):
        return [Instruction(name, on, tuple(terms[0] for terms in angles))]
    if len(angles) == 1:
        return [Instruction(name, on, (term,)) for term in angles[0]]
    # U3(t, p, l) = Phase(p) RY(t) Phase(l)
    turn, shift = {"u3": ("ry", "phase"), "cu3": ("cry", "cphase")}[name]
    theta, phi, lam = angles
    steps = ((shift, lam), (turn, theta), (shift, phi))
    return [Instruction(gate, on, (term,)) for gate, terms in steps for term in terms]


def _definition(operation: Any) -> QuantumCircuit:
    """What Qiskit says that an operation does."""
    definition = getattr(operation, "definition", None)
    if isinstance(definition, QuantumCircuit):
        return definition
    alone = QuantumCircuit(operation.num_qubits, operation.num_clbits)
    alone.append(operation, range(operation.num_qubits), range(operation.num_clbits))
    try:
        return transpile(alone, basis_gates=_BASIS, optimization_level=0)
    except QiskitError as error:
        raise ValueError(f"the operation {operation.name!r} cannot be taken apart: {error}") from error


def phase_gates(phase: list[Sum]) -> list[Instruction]:
    """Gates on qubit 0 that multiply every state by ``e^{i phase}``: for each angle Phase X Phase X."""
    terms = [term for terms in phase for term in terms]
    moving = [term.affine(1.0, -term.shift) for term in terms if term.source is not Source.CONSTANT]
    fixed = math.remainder(sum(term.shift for term in terms), 2 * math.pi)
    angles = moving if abs(fixed) < _NO_PHASE else [*moving, constant(fixed)]
    steps = [(Instruction("phase", (0,), (angle,)), Instruction("x", (0,))) for angle in angles]
    return [gate for step in steps for gate in step * 2]
