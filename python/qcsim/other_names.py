"""What other libraries call the methods of a circuit, and what is here in their place. Called by circuit."""

from __future__ import annotations

import inspect
from typing import NoReturn

from qcsim._core import gate_names

# What is looked for and what is here.
_CALLED = {
    "cx": "cnot", "ccx": "toffoli", "ccnot": "toffoli", "cswap": "fredkin", "mct": "mcx", "multicontrolledx": "mcx",
    "pauli_x": "x", "pauli_y": "y", "pauli_z": "z", "paulix": "x", "pauliy": "y", "pauliz": "z",
    "hadamard": "h", "sdag": "sdg", "s_dag": "sdg", "tdag": "tdg", "t_dag": "tdg",
    "p": "phase", "u1": "phase", "phaseshift": "phase", "phase_shift": "phase",
    "cp": "cphase", "cu1": "cphase", "controlledphaseshift": "cphase", "cphaseshift": "cphase",
    "u": "u3", "cu": "cu3", "xx": "rxx", "yy": "ryy", "zz": "rzz",
    "isingxx": "rxx", "isingyy": "ryy", "isingzz": "rzz", "paulirot": "pauli_rot",
    "qubitunitary": "unitary", "qubit_unitary": "unitary", "amplitudeembedding": "amplitude_embedding",
    "compose": "then", "adjoint": "inverse", "dagger": "inverse",
    "num_qubits": "n_qubits", "n_wires": "n_qubits", "num_parameters": "n_weights", "n_parameters": "n_weights",
    "num_params": "n_weights", "n_params": "n_weights", "count_ops": "gate_counts", "num_gates": "n_gates",
    "data": "instructions", "operations": "instructions", "assign_parameters": "assign", "bind_parameters": "assign",
}  # fmt: skip
# As PennyLane and others write them.
_WRITTEN = {
    "Hadamard": "h", "PauliX": "x", "PauliY": "y", "PauliZ": "z", "PhaseShift": "phase", "Rot": "rot",
    "Toffoli": "toffoli", "MultiControlledX": "mcx", "ControlledPhaseShift": "cphase", "IsingXX": "rxx",
    "IsingYY": "ryy", "IsingZZ": "rzz", "PauliRot": "pauli_rot", "QubitUnitary": "unitary",
    "AmplitudeEmbedding": "amplitude_embedding",
}  # fmt: skip
_VERBS = ("probabilities", "expval", "variance", "sample", "counts", "statevector", "density_matrix")
_MEASURING = "measurements are verbs: qcsim.probabilities(circuit, ...), qcsim.expval, qcsim.sample"
_EMBEDDING = "the input state is given at run time: amplitude_embedding() first, then amplitudes=... in the call"
_ELSEWHERE = {
    **dict.fromkeys(("append", "add", "add_gate"), "every gate is a method: h(0), cnot(0, 1)"),
    "ccz": "ccz(a, b, c) is mcz([a, b, c]) here",
    "u2": "u2(phi, lam) is u3(q, angles=(pi/2, phi, lam)) here",
    "ms": "ms(a, b) is rxx(a, b) here",
    "multi_rz": 'multi_rz is a rotation of Z on each qubit: pauli_rot("ZZZ", [a, b, c])',
    "multirz": 'multi_rz is a rotation of Z on each qubit: pauli_rot("ZZZ", [a, b, c])',
    "i": "there is no identity gate; leave it out",
    "id": "there is no identity gate; leave it out",
    "identity": "there is no identity gate; leave it out",
    "barrier": "there are no barriers; nothing reorders the gates as they are drawn",
    "reset": "there is no reset in the middle of a circuit; Kraus operators can do it: kraus(matrices, qubit)",
    "initialize": _EMBEDDING,
    "prepare_state": _EMBEDDING,
    "stateprep": _EMBEDDING,
    "angle_embedding": "angles of features go into gates: rx(q, feature=q) for each qubit",
    "angleembedding": "angles of features go into gates: rx(q, feature=q) for each qubit",
    "parameters": "weights are numbered, and their values are given at run time; n_weights says how many there are",
    "to_qasm": "qcsim.interop.to_qasm(circuit) writes OpenQASM",
    "qasm": "qcsim.interop.to_qasm(circuit) writes OpenQASM",
    **dict.fromkeys(("measure", "measure_all", "run", "execute", "simulate", "forward"), _MEASURING),
    **{verb: f"{verb} is a verb: qcsim.{verb}(circuit, ...)" for verb in _VERBS},
    "expectation": "expectations are a verb: qcsim.expval(circuit, weights, observables)",
    "probs": "probabilities are a verb: qcsim.probabilities(circuit, weights)",
}  # fmt: skip


class Elsewhere:
    """An attribute that is none: who asks for it is told where to look.

    A descriptor for each name, because ``__getattr__`` would slow every attribute down: 0.5 microseconds a call.
    """

    def __init__(self, name: str, message: str) -> None:
        self.name, self.message = name, message

    def __get__(self, instance: object, owner: type) -> NoReturn:
        raise AttributeError(f"a circuit has no {self.name!r}: {self.message}")


class Listed(type):
    """Of a class with such attributes, which ``dir`` and ``help`` pass over."""

    def __dir__(cls) -> list[str]:
        return [
            name for name in super().__dir__() if not isinstance(inspect.getattr_static(cls, name, None), Elsewhere)
        ]


def point_to(known: type) -> None:
    """Give a class an answer for each name of the tables, and for its gates in capital letters."""
    capitals = {name.upper(): name for name in gate_names() if hasattr(known, name)}
    called = {**capitals, **_CALLED}
    called |= {small.upper(): name for small, name in _CALLED.items()}
    called |= _WRITTEN
    messages = {name: f"{name} is called {here} here" for name, here in called.items()}
    for name, message in {**messages, **_ELSEWHERE}.items():
        setattr(known, name, Elsewhere(name, message))
