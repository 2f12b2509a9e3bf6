"""The circuit once more, in torch operations alone: slow, and differentiable to any order and in any mode.

Called by autograd for derivatives of derivatives and for forward mode; first derivatives come from the engine. Nothing
is checked here: the engine has run on the same arrays before. States are (B, 2^n), real where circuit and input are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from qcsim import _core
from qcsim.circuit import Circuit

Word = tuple[tuple[int, str], ...]  # (qubit, letter) of each factor; () is the identity
Observable = tuple[tuple[float, Word], ...]  # a weighted sum of words
Reading = tuple[str, Any]  # ("probabilities", qubits), ("expval" or "variance", observables), ("statevector", None)
Rows = tuple[tuple[complex, ...], ...]

_R = 0.5**0.5
_T = _R * (1 + 1j)
_FIXED: dict[str, Rows] = {
    "x": ((0, 1), (1, 0)),
    "y": ((0, -1j), (1j, 0)),
    "z": ((1, 0), (0, -1)),
    "h": ((_R, _R), (_R, -_R)),
    "s": ((1, 0), (0, 1j)),
    "sdg": ((1, 0), (0, -1j)),
    "t": ((1, 0), (0, _T)),
    "tdg": ((1, 0), (0, _T.conjugate())),
    "sx": ((0.5 + 0.5j, 0.5 - 0.5j), (0.5 - 0.5j, 0.5 + 0.5j)),
    "sxdg": ((0.5 - 0.5j, 0.5 + 0.5j), (0.5 + 0.5j, 0.5 - 0.5j)),
    "swap": ((1, 0, 0, 0), (0, 0, 1, 0), (0, 1, 0, 0), (0, 0, 0, 1)),
    "iswap": ((1, 0, 0, 0), (0, 0, 1j, 0), (0, 1j, 0, 0), (0, 0, 0, 1)),
    "iswapdg": ((1, 0, 0, 0), (0, 0, -1j, 0), (0, -1j, 0, 0), (0, 0, 0, 1)),
}
# -i G of a rotation exp(-i t G / 2) = cos(t/2) + sin(t/2) (-i G), G^2 = 1.
_HALF_TURNS: dict[str, Rows] = {
    "rx": ((0, -1j), (-1j, 0)),
    "ry": ((0, -1), (1, 0)),
    "rz": ((-1j, 0), (0, 1j)),
    "rxx": ((0, 0, 0, -1j), (0, 0, -1j, 0), (0, -1j, 0, 0), (-1j, 0, 0, 0)),
    "ryy": ((0, 0, 0, 1j), (0, 0, -1j, 0), (0, -1j, 0, 0), (1j, 0, 0, 0)),
    "rzz": ((-1j, 0, 0, 0), (0, 1j, 0, 0), (0, 0, 1j, 0), (0, 0, 0, -1j)),
}
# What a controlled gate does to its last qubits; the others are its controls.
_TARGETS = {"cnot": "x", "toffoli": "x", "mcx": "x", "cy": "y", "cz": "z", "mcz": "z", "ch": "h", "fredkin": "swap",
            "crx": "rx", "cry": "ry", "crz": "rz", "cphase": "phase", "cu3": "u3"}  # fmt: skip
_REAL = {"x", "z", "h", "swap", "ry"}


def outputs(
    circuit: Circuit, readings: Sequence[Reading], weights: torch.Tensor, amplitudes: Any, features: Any, batch: int
) -> tuple[torch.Tensor, ...]:
    """What the engine's run gives, differentiable to any order.

    Args:
        circuit: what to run.
        readings: what to read from the final state, one output each.
        weights: (P,) or (B, P) angles in radians.
        amplitudes: (B, D), real or complex, or None.
        features: (B, F) or None.
        batch: B.

    Returns:
        For each reading (B, 2^k), (B, number of observables), or (B, 2^n) complex.
    """
    # Autocast would lower the precision of matrix products, and the engine knows no autocast either.
    with torch.autocast(weights.device.type, enabled=False):
        psi = state(circuit, weights, amplitudes, features, batch)
        return tuple(_read(psi, circuit.n_qubits, kind, what) for kind, what in readings)


def state(circuit: Circuit, weights: torch.Tensor, amplitudes: Any, features: Any, batch: int) -> torch.Tensor:
    """The final state (B, 2^n)."""
    instructions = circuit._core.instructions
    real = all(_is_real(gate, matrix) for gate, _, _, matrix, _ in instructions)
    dtype = weights.dtype if real else weights.dtype.to_complex()
    psi = _start(circuit.n_qubits, amplitudes, batch, dtype, weights.device)
    for gate, qubits, angles, entries, _ in instructions:
        if gate == "unitary":
            matrix = _constant(_square(entries), psi.dtype, psi.device)
        else:
            values = [_angle(angle, weights, features) for angle in angles]
            matrix = _matrix(_TARGETS.get(gate, gate), values, psi.dtype, psi.device)
        psi = _apply(psi, matrix, qubits, circuit.n_qubits)
    return psi


def _start(n: int, amplitudes: Any, batch: int, dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    if amplitudes is None:
        return torch.eye(1, 2**n, dtype=dtype, device=device).expand(batch, 2**n)
    # The largest entry cancels; without it squares could overflow or vanish.
    scaled = amplitudes / amplitudes.detach().abs().amax(-1, keepdim=True)
    unit = scaled / torch.linalg.vector_norm(scaled, dim=-1, keepdim=True)
    padded = torch.nn.functional.pad(unit, (0, 2**n - unit.shape[-1]))
    return padded.to(torch.promote_types(padded.dtype, dtype))


def _angle(angle: tuple[_core.Source, int, float, float], weights: torch.Tensor, features: Any) -> torch.Tensor:
    """Radians, () or (B,)."""
    source, index, scale, shift = angle
    if source == _core.Source.CONSTANT:
        return torch.tensor(shift, dtype=weights.dtype, device=weights.device)
    found: torch.Tensor = (weights if source == _core.Source.WEIGHT else features)[..., index]
    return scale * found + shift


# Gates ----------------------------------------------------------------------------------------------------------------


def _matrix(gate: str, angles: Sequence[torch.Tensor], dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    """(2^k, 2^k) or (B, 2^k, 2^k)."""
    if gate in _FIXED:
        return _constant(_FIXED[gate], dtype, device)
    if gate in _HALF_TURNS:
        return _rotation(gate, angles[0], dtype)
    return _OTHERS[gate](*angles, dtype)


def _rotation(gate: str, angle: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    turn = _constant(_HALF_TURNS[gate], dtype, angle.device)
    half = (angle / 2)[..., None, None]
    return half.cos() * torch.eye(len(turn), dtype=dtype, device=angle.device) + half.sin() * turn


def _phase(angle: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    return torch.diag_embed(torch.stack([torch.ones_like(angle).to(dtype), _turned(angle)], -1))


def _u3(theta: torch.Tensor, phi: torch.Tensor, lam: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    # [[cos, -e^{i lam} sin], [e^{i phi} sin, e^{i(phi+lam)} cos]] = Phase(phi) RY(theta) Phase(lam)
    return _phase(phi, dtype) @ _rotation("ry", theta, dtype) @ _phase(lam, dtype)


def _rot(phi: torch.Tensor, theta: torch.Tensor, omega: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    return _rotation("rz", omega, dtype) @ _rotation("ry", theta, dtype) @ _rotation("rz", phi, dtype)


_OTHERS: dict[str, Callable[..., torch.Tensor]] = {"phase": _phase, "u3": _u3, "rot": _rot}


def _turned(angle: torch.Tensor) -> torch.Tensor:
    return torch.complex(angle.cos(), angle.sin())


def _is_real(gate: str, matrix: Sequence[complex]) -> bool:
    return all(entry.imag == 0 for entry in matrix) if gate == "unitary" else _TARGETS.get(gate, gate) in _REAL


def _square(entries: Sequence[complex]) -> Rows:
    size = round(len(entries) ** 0.5)
    return tuple(tuple(entries[row * size : (row + 1) * size]) for row in range(size))


def _constant(rows: Rows, dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    # Made anew each time: a tensor kept from inference mode or under a fake mode would spoil later calls.
    matrix = torch.tensor(rows, dtype=torch.complex128, device=device)
    return (matrix if dtype.is_complex else matrix.real).to(dtype)


def _apply(psi: torch.Tensor, matrix: torch.Tensor, qubits: Sequence[int], n: int) -> torch.Tensor:
    """The matrix on the last of the qubits where the others are 1."""
    batch, front = psi.shape[0], range(1, 1 + len(qubits))
    axes = [1 + qubit for qubit in qubits]
    width = matrix.shape[-1]
    turned_axes = psi.reshape(batch, *(2,) * n).movedim(axes, tuple(front))
    blocks = turned_axes.reshape(batch, 2 ** len(qubits) // width, width, 2 ** (n - len(qubits)))
    changed = (matrix @ blocks[:, -1]).unsqueeze(1)
    blocks = torch.cat([blocks[:, :-1], changed], 1) if blocks.shape[1] > 1 else changed
    return blocks.reshape(batch, *(2,) * n).movedim(tuple(front), axes).reshape(batch, 2**n)


# Readouts -------------------------------------------------------------------------------------------------------------


def _read(psi: torch.Tensor, n: int, kind: str, what: Any) -> torch.Tensor:
    if kind == "statevector":
        return psi.to(torch.promote_types(psi.dtype, torch.complex64))
    if kind == "probabilities":
        return _probabilities(psi, n, range(n) if what is None else what)
    moments = [_moments(psi, observable, n) for observable in what]
    columns = [mean if kind == "expval" else square - mean * mean for mean, square in moments]
    return torch.stack(columns, -1) if columns else _squares(psi)[:, :0]


def _probabilities(psi: torch.Tensor, n: int, qubits: Sequence[int]) -> torch.Tensor:
    tensor = _squares(psi).reshape(psi.shape[0], *(2,) * n)
    front = tensor.movedim([1 + qubit for qubit in qubits], tuple(range(1, 1 + len(qubits))))
    return front.reshape(psi.shape[0], 2 ** len(qubits), 2 ** (n - len(qubits))).sum(-1)


def _moments(psi: torch.Tensor, observable: Observable, n: int) -> tuple[torch.Tensor, torch.Tensor]:
    """<O> and <O^2>, (B,) each."""
    if not psi.is_complex() and any(letter == "Y" for _, word in observable for _, letter in word):
        psi = psi.to(psi.dtype.to_complex())
    image = torch.zeros_like(psi)
    for coefficient, word in observable:
        term = psi
        for qubit, letter in word:
            term = _apply(term, _constant(_FIXED[letter.lower()], psi.dtype, psi.device), (qubit,), n)
        image = image + coefficient * term
    overlap = psi.conj() * image
    return (overlap.real if overlap.is_complex() else overlap).sum(-1), _squares(image).sum(-1)


def _squares(psi: torch.Tensor) -> torch.Tensor:
    return psi.real.square() + psi.imag.square() if psi.is_complex() else psi.square()
