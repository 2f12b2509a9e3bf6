"""What stands where in a drawing: the gates as glyphs, packed into columns from the left."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from qcsim._core import Source
from qcsim.angles import Angle
from qcsim.instruction import Instruction

_CONTROLS = dict.fromkeys(("cnot", "cy", "cz", "ch", "crx", "cry", "crz", "cphase", "cu3", "fredkin"), 1)
_CONTROLS["toffoli"] = 2
_NAMES = {
    "sdg": "S†", "tdg": "T†", "sx": "√X", "sxdg": "√X†", "phase": "P", "rot": "Rot", "cy": "Y", "ch": "H", "crx": "RX",
    "cry": "RY", "crz": "RZ", "cphase": "P", "cu3": "U3", "iswap": "iSWAP", "iswapdg": "iSWAP†",
    "pauli_rot": "R",
}  # fmt: skip
_SYMBOLS = {"cnot": "X", "toffoli": "X", "mcx": "X", "swap": "×", "fredkin": "×", "cz": "●", "mcz": "●"}
_MATRICES = ("unitary", "kraus")
_PARTS = (1, 2, 3, 4, 6, 8)  # of pi
_NOISE = {
    "depolarizing": "DEP", "bit_flip": "BF", "phase_flip": "PF", "bit_phase_flip": "BPF", "pauli": "PAULI",
    "amplitude_damping": "AD", "phase_damping": "PD", "thermal_relaxation": "TR", "readout_error": "RO",
}  # fmt: skip


class Glyph(NamedTuple):
    """A gate as it is drawn: dots on the controls, a symbol or a box on the targets, a line through all of them.

    Attributes:
        controls: qubits with a dot.
        targets: the other qubits, in the order of the gate.
        symbol: ``X``, ``×`` or ``●`` on each target; empty for a box.
        name: what stands in the box.
        angles: what stands below the name, or in brackets behind it.
        gate: its name, that of the builder method.
        fed: whether an angle of it is a feature.
        noisy: whether it is a channel.
        pins: what tells the targets apart, one text each; empty where they are alike.
    """

    controls: tuple[int, ...]
    targets: tuple[int, ...]
    symbol: str
    name: str
    angles: str = ""
    gate: str = ""
    fed: bool = False
    noisy: bool = False
    pins: tuple[str, ...] = ()

    @property
    def qubits(self) -> tuple[int, ...]:
        """All qubits it acts on."""
        return self.controls + self.targets


def columns(n_qubits: int, embeds: bool, gates: Sequence[Instruction]) -> list[list[Glyph]]:
    """The glyphs of each column: a gate stands as far left as the qubits between its first and last leave room."""
    placed: list[list[Glyph]] = []
    free = [0] * n_qubits
    if embeds:
        placed.append([Glyph((), tuple(range(n_qubits)), "", "|ψ⟩")])
        free = [1] * n_qubits
    names = _matrix_names("U", gates, "unitary") | _matrix_names("K", gates, "kraus")
    for gate in gates:
        if not gate.qubits:  # depolarizing of all
            gate = gate._replace(qubits=tuple(range(n_qubits)))
        low, high = min(gate.qubits), max(gate.qubits) + 1
        column = max(free[low:high])
        if column == len(placed):
            placed.append([])
        placed[column].append(_glyph(gate, names))
        free[low:high] = [column + 1] * (high - low)
    return placed


def angle(value: Angle) -> str:
    """An angle in few characters: ``w0``, ``-2f1+0.3``, ``π/4``."""
    if value.source is Source.CONSTANT:
        return _number(value.shift)
    name = f"{'w' if value.source is Source.WEIGHT else 'f'}{value.index}"
    scaled = {1.0: name, -1.0: f"-{name}"}.get(value.scale, f"{_number(value.scale)}{name}")
    if value.shift == 0.0:
        return scaled
    return f"{scaled}{'+' if value.shift > 0 else '-'}{_number(abs(value.shift))}"


def _matrix_names(letter: str, gates: Sequence[Instruction], kind: str) -> dict[tuple[str, tuple[complex, ...]], str]:
    """One name for each matrix: U, or U₀, U₁, ... where they differ."""
    matrices = dict.fromkeys(gate.matrix for gate in gates if gate.gate == kind)
    lone = len(matrices) == 1
    return {(kind, matrix): letter if lone else f"{letter}{_lowered(k)}" for k, matrix in enumerate(matrices)}


def _noise(gate: Instruction, names: dict[tuple[str, tuple[complex, ...]], str]) -> Glyph:
    rates = gate.rates
    if gate.gate in ("amplitude_damping", "thermal_relaxation") and rates[-1] == 0.0:
        rates = rates[:-1]  # no excited population in equilibrium
    if gate.gate == "readout_error" and rates[0] == rates[1]:
        rates = rates[:1]
    name = names[gate.gate, gate.matrix] if gate.matrix else _NOISE[gate.gate]
    return Glyph((), gate.qubits, "", name, ", ".join(f"{rate:.3g}" for rate in rates), gate.gate, noisy=True,
                 pins=_pins(gate))  # fmt: skip


def _glyph(gate: Instruction, names: dict[tuple[str, tuple[complex, ...]], str]) -> Glyph:
    if gate.is_channel:
        return _noise(gate, names)
    n_controls = len(gate.qubits) - 1 if gate.gate in ("mcx", "mcz") else _CONTROLS.get(gate.gate, 0)
    symbol = _SYMBOLS.get(gate.gate, "")
    if gate.gate == "mcz" and n_controls == 0:
        return Glyph((), gate.qubits, "", "Z", gate="z")
    return Glyph(
        controls=gate.qubits[:n_controls],
        targets=gate.qubits[n_controls:],
        symbol=symbol,
        name=names[gate.gate, gate.matrix] if gate.matrix else _NAMES.get(gate.gate, gate.gate.upper()),
        angles=", ".join(angle(value) for value in gate.angles),
        gate=gate.gate,
        fed=any(value.source is Source.FEATURE for value in gate.angles),
        pins=_pins(gate),
    )


def _pins(gate: Instruction) -> tuple[str, ...]:
    """Letters of a word; the places of the qubits of a matrix."""
    if gate.gate in _MATRICES and len(gate.qubits) > 1:
        return tuple(map(str, range(len(gate.qubits))))
    return tuple(gate.word)


def _number(value: float) -> str:
    for part in _PARTS:
        times = value * part / math.pi
        whole = round(times)
        if 0 < abs(whole) <= 4 * part and abs(times - whole) <= 1e-9 * abs(whole):
            head = {1: "π", -1: "-π"}.get(whole, f"{whole}π")
            return head if part == 1 else f"{head}/{part}"
    return f"{value:.3g}"


def _lowered(number: int) -> str:
    return str(number).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))
