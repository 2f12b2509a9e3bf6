"""A circuit with every gate and every kind of angle: what copies, texts and drawings are tried on."""

from __future__ import annotations

import numpy as np

import qcsim

FIXED = ["x", "y", "z", "h", "s", "sdg", "t", "tdg", "sx", "sxdg"]
ROTATIONS = ["rx", "ry", "rz", "phase"]
CONTROLLED = ["cnot", "cy", "cz", "ch"]
CONTROLLED_ROTATIONS = ["crx", "cry", "crz", "cphase"]
PAIRS = ["swap", "iswap", "iswapdg"]
ISING = ["rxx", "ryy", "rzz"]
ONE_ANGLE = [(name, (1,)) for name in ROTATIONS] + [(name, (2, 0)) for name in CONTROLLED_ROTATIONS + ISING]
THREE_ANGLES = [("u3", (1,)), ("rot", (1,)), ("cu3", (2, 0))]


def random_unitary(n_qubits: int, seed: int = 0) -> np.ndarray:
    """A random unitary matrix (2^n, 2^n)."""
    rng = np.random.default_rng(seed)
    side = 2**n_qubits
    return np.linalg.qr(rng.normal(size=(side, side)) + 1j * rng.normal(size=(side, side)))[0]


def every_gate() -> qcsim.Circuit:
    """Each gate of the engine once, on four qubits."""
    circuit = qcsim.Circuit(4)
    for name in FIXED:
        getattr(circuit, name)(0)
    circuit.rx(1).ry(1, feature=0).rz(1, angle=np.pi / 2).phase(1, weight=0, scale=-2.0, shift=0.1)
    circuit.u3(2).rot(2, angles=(0.1, 2 * qcsim.weight(0) + 0.3, -qcsim.feature(1)))
    for place, name in enumerate(CONTROLLED + PAIRS):
        getattr(circuit, name)(place % 4, (place + 1 + place % 2) % 4)
    for place, name in enumerate(CONTROLLED_ROTATIONS + ISING):
        getattr(circuit, name)((place + 1) % 4, (place + 3 - place % 2) % 4)
    circuit.cu3(2, 0).toffoli(0, 2, 3).fredkin(1, 0, 3).mcx([0, 1, 2], 3).mcz([0, 3])
    return circuit.unitary(random_unitary(2), 3, 1)
