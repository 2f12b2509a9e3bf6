"""``from_qiskit`` and ``to_qiskit``, and what goes with them. Called through :mod:`qcsim.interop.qiskit`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter, ParameterVector
from qiskit.circuit.library import CU3Gate, UnitaryGate, iSwapGate
from qiskit.quantum_info import SparseObservable

from qcsim._core import Source, gate_names
from qcsim.angles import Angle, feature, weight
from qcsim.circuit import Circuit
from qcsim.instruction import Instruction
from qcsim.interop.elementary import in_gates
from qcsim.interop.expressions import Assigned
from qcsim.interop.inputs import Bound
from qcsim.interop.reader import SAME, phase_gates, read
from qcsim.pauli import PauliSum

_METHODS = {ours: theirs for theirs, ours in SAME.items() if theirs not in ("u1", "cu1", "u3", "ccz", "cu3")}
_KNOWN = frozenset(gate_names()) - {"pauli_rot"}


def from_qiskit(circuit: QuantumCircuit, *, weights: Any = None, features: Any = ()) -> Circuit:
    """A circuit of Qiskit as a circuit of qcsim.

    Qubit q stays qubit q. What differs is how a basis state is numbered: the bit of qubit q counts ``2^q`` in Qiskit
    and ``2^(n-1-q)`` here, so :func:`reverse_bits` turns states and probabilities of one into those of the other.
    The global phase is kept. Measurements at the end and barriers are left out.

    Parameters become weights, in the order of ``circuit.parameters`` (by name, vectors by index) unless said
    otherwise: parameter k of that order is weight k.

    Args:
        circuit: gates of any kind that Qiskit can take apart. Angles may be affine in the parameters.
        weights: the parameters (or their names, or parameter vectors) that become weights 0, 1, ...; None: all that
            are no features, in their order.
        features: those that become features 0, 1, ...

    Returns:
        A :class:`qcsim.Circuit`; the global phase, where there is one, is two phase and two X gates on qubit 0.

    Raises:
        ValueError: for control flow, a measurement or reset in the middle, an angle that is not affine, or a parameter
            that is unknown, left over or named twice.
        TypeError: for something that is no circuit.

    Example:
        >>> from qiskit import QuantumCircuit
        >>> from qiskit.circuit import Parameter
        >>> bell = QuantumCircuit(2)
        >>> _ = bell.ry(2 * Parameter("t"), 0), bell.cx(0, 1)
        >>> print(from_qiskit(bell))
        q0: ─RY(2w0)─●─
        q1: ─────────X─
    """
    if not isinstance(circuit, QuantumCircuit):
        raise TypeError(f"circuit is {circuit!r} of type {type(circuit).__name__}; it must be a qiskit.QuantumCircuit")
    sources = _sources(list(circuit.parameters), weights, features)
    found = read(circuit, Assigned(sources))
    made = Circuit(circuit.num_qubits)
    for gate in [*found.gates, *phase_gates(found.phase)]:
        made._add(gate)
    return made


def to_qiskit(circuit: Circuit, weights: Any = None, features: Any = None, amplitudes: Any = None) -> QuantumCircuit:
    """A circuit as a circuit of Qiskit, without measurements; the same state, global phase included.

    Qubit q stays qubit q; see :func:`from_qiskit` for the order of basis states.

    Args:
        circuit: without noise, which no gate of Qiskit is.
        weights: (P,) radians; None: parameters ``w[0]``, ``w[1]``, ...
        features: (F,) radians of one sample; None: parameters ``f[0]``, ``f[1]``, ...
        amplitudes: (D,) of one sample if the circuit embeds amplitudes, D <= 2^n: real or complex, zero-padded at the
            tail and normalised; they become a ``StatePreparation``.

    Returns:
        A ``qiskit.QuantumCircuit``.

    Raises:
        ValueError: for noise, a wrong number of values, a number that is not finite, or amplitudes where the circuit
            embeds none (or none where it does).
        TypeError: for something that is no circuit of qcsim, or no array of numbers.

    Example:
        >>> import qcsim
        >>> made = to_qiskit(qcsim.Circuit(2).ry(0).cnot(0, 1), weights=[0.5])
        >>> [(item.name, item.params) for item in made.data]
        [('ry', [0.5]), ('cx', [])]
    """
    bound = Bound(circuit, weights, features, amplitudes)
    made = QuantumCircuit(circuit.n_qubits)
    if bound.state is not None:
        made.prepare_state(bound.state, list(reversed(range(circuit.n_qubits))))
    vectors = {Source.WEIGHT: ParameterVector("w", circuit.n_weights),
               Source.FEATURE: ParameterVector("f", circuit.n_features)}  # fmt: skip
    for gate in in_gates(bound.gates, _KNOWN):
        _append(made, gate, [_expression(angle, vectors) for angle in gate.angles])
    return made


def reverse_bits(values: Any) -> NDArray[Any]:
    """States, probabilities or operators with their basis states numbered the other way round, the last qubit first.

    Args:
        values: (..., 2^n), of which the last axis is renumbered: amplitudes or probabilities.

    Returns:
        An array of the same shape and dtype. Twice is the identity.

    Raises:
        ValueError: if the last axis is no power of two long.

    Example:
        >>> import qcsim
        >>> qcsim.probabilities(qcsim.Circuit(2).x(0))                      # qubit 0 counts 2
        array([0., 0., 1., 0.])
        >>> reverse_bits(qcsim.probabilities(qcsim.Circuit(2).x(0)))        # qubit 0 counts 1, as in Qiskit
        array([0., 1., 0., 0.])
    """
    array = np.asarray(values)
    size = array.shape[-1] if array.ndim else 0
    n = size.bit_length() - 1
    if size != 1 << max(n, 0):
        raise ValueError(f"values has shape {array.shape}; its last axis must be a power of two long")
    lead = array.ndim - 1
    bits = array.reshape(*array.shape[:-1], *[2] * n)
    flipped = bits.transpose(*range(lead), *reversed(range(lead, lead + n)))
    return np.ascontiguousarray(flipped).reshape(array.shape)


def observable_from_qiskit(operator: Any) -> PauliSum:
    """A Hermitian operator of Qiskit as an observable; qubit q stays qubit q.

    Args:
        operator: a ``Pauli``, ``SparsePauliOp`` or ``SparseObservable``, or text such as ``"ZIX"`` (qubit 0 last).

    Returns:
        A :class:`qcsim.PauliSum`.

    Raises:
        ValueError: for coefficients that are not real.

    Example:
        >>> from qiskit.quantum_info import SparsePauliOp
        >>> observable_from_qiskit(SparsePauliOp(["IZ", "XX"], [0.5, -1.0]))
        PauliSum({'Z0': 0.5, 'X0 X1': -1.0})
    """
    sparse = SparseObservable(operator).as_paulis()
    terms: dict[str, float] = {}
    for letters, qubits, coefficient in sparse.to_sparse_list():
        if abs(coefficient.imag) > 1e-12 * max(1.0, abs(coefficient)):
            raise ValueError(f"the coefficient of {letters} on {qubits} is {coefficient}; it must be real, or the "
                             "operator cannot be measured")  # fmt: skip
        word = " ".join(f"{letter}{qubit}" for letter, qubit in zip(letters, qubits, strict=True)) or "I"
        terms[word] = terms.get(word, 0.0) + coefficient.real
    return PauliSum(terms)


# Parameters -----------------------------------------------------------------------------------------------------------


def _sources(parameters: list[Parameter], weights: Any, features: Any) -> Mapping[Parameter, Angle]:
    """The weight or feature of each parameter."""
    known = {parameter.name: parameter for parameter in parameters}
    as_features = [_named(name, known) for name in _names("features", features)]
    if weights is None:
        as_weights = [parameter for parameter in parameters if parameter not in as_features]
    else:
        as_weights = [_named(name, known) for name in _names("weights", weights)]
    both = [*as_weights, *as_features]
    for parameter in parameters:
        if both.count(parameter) != 1:
            times = "twice" if parameter in both else "in neither"
            raise ValueError(f"parameter {parameter.name!r} is named {times} of weights and features; "
                             "each parameter must be one weight or one feature")  # fmt: skip
    sources = {parameter: weight(place) for place, parameter in enumerate(as_weights)}
    return sources | {parameter: feature(place) for place, parameter in enumerate(as_features)}


def _names(what: str, given: Any) -> list[str]:
    if isinstance(given, (str, Parameter)) or not isinstance(given, Iterable):
        raise TypeError(f"{what} is {given!r}; it must be a list of parameters, their names or parameter vectors")
    names: list[str] = []
    for each in given:
        elements: Sequence[Any] = list(each) if isinstance(each, ParameterVector) else [each]
        names += [element.name if isinstance(element, Parameter) else element for element in elements]
    return names


def _named(name: Any, known: Mapping[str, Parameter]) -> Parameter:
    if name not in known:
        raise ValueError(f"{name!r} is no parameter of the circuit; it has {', '.join(known) or 'none'}")
    return known[name]


# Gates ----------------------------------------------------------------------------------------------------------------


def _expression(angle: Angle, vectors: Mapping[Source, ParameterVector]) -> Any:
    if angle.source is Source.CONSTANT:
        return angle.shift
    scaled = vectors[angle.source][angle.index]
    scaled = scaled if angle.scale == 1.0 else angle.scale * scaled
    return scaled if angle.shift == 0.0 else scaled + angle.shift


def _append(circuit: QuantumCircuit, gate: Instruction, angles: list[Any]) -> None:
    qubits = gate.qubits
    if gate.gate == "rot":
        for name, angle in zip(("rz", "ry", "rz"), angles, strict=True):
            getattr(circuit, name)(angle, qubits[0])
    elif gate.gate == "unitary":
        side = 1 << len(qubits)
        circuit.append(UnitaryGate(np.reshape(gate.matrix, (side, side))), qubits[::-1])
    elif gate.gate == "cu3":
        circuit.append(CU3Gate(*angles), qubits)
    elif gate.gate == "iswapdg":
        circuit.append(iSwapGate().inverse(), qubits)
    elif gate.gate == "mcx":
        circuit.mcx(list(qubits[:-1]), qubits[-1])
    elif gate.gate == "mcz":
        _append_mcz(circuit, qubits)
    else:
        getattr(circuit, _METHODS[gate.gate])(*angles, *qubits)


def _append_mcz(circuit: QuantumCircuit, qubits: Sequence[int]) -> None:
    named = {1: "z", 2: "cz", 3: "ccz"}.get(len(qubits))
    if named is not None:
        getattr(circuit, named)(*qubits)
        return
    *controls, target = qubits
    circuit.h(target)
    circuit.mcx(controls, target)
    circuit.h(target)
