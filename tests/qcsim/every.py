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
    circuit.pauli_rot("XYZ", [3, 0, 2], feature=1, scale=0.5)
    return circuit.unitary(random_unitary(2), 3, 1)


CHANNELS = [
    qcsim.GlobalDepolarizing(0.01),
    qcsim.Depolarizing(0.1),
    qcsim.BitFlip(0.1),
    qcsim.PhaseFlip(0.2),
    qcsim.BitPhaseFlip(1 / 3),
    qcsim.PauliChannel(0.1, 0.05, 0.2),
    qcsim.AmplitudeDamping(0.3),
    qcsim.AmplitudeDamping(0.3, 0.25),
    qcsim.PhaseDamping(0.36),
    qcsim.ThermalRelaxation(50.0, 70.0, 3.0, 0.1),
    qcsim.Kraus([[[1, 0], [0, 0.8]], [[0, 0.6], [0, 0]]]),
    qcsim.ReadoutError(0.02, 0.05),
]


def every_channel() -> qcsim.Circuit:
    """Each channel of the engine, between gates, on three qubits."""
    circuit = qcsim.Circuit(3).h(0).ry(1).cnot(1, 2)
    for place, channel in enumerate(CHANNELS):
        circuit.channel(channel, None if channel.width == 0 else [place % 3]).ry(place % 3)
    swapped = np.eye(4)[[0, 2, 1, 3]]
    return circuit.depolarizing(0.2, [2, 0]).kraus([np.sqrt(0.75) * np.eye(4), np.sqrt(0.25) * swapped], 1, 0)
