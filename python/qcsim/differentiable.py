"""The circuit once more, in torch operations alone: slow, and differentiable to any order and in any mode.

Called by autograd for derivatives of derivatives and for forward mode; first derivatives come from the engine. Nothing
is checked here: the engine has run on the same arrays before. States are (B, 2^n), real where circuit and input are.
Under local noise the state is vec(rho), (B, 4^n) and complex: qubit q of its rows is qubit q, of its columns n + q.
Depolarizing of all qubits commutes with every gate; it is a factor, applied where the state is read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from qcsim import _core
from qcsim.circuit import Circuit
from qcsim.kraus import kraus_of

Word = tuple[tuple[int, str], ...]  # (qubit, letter) of each factor; () is the identity
Observable = tuple[tuple[float, Word], ...]  # a weighted sum of words
# ("probabilities", qubits), ("expval" or "variance", observables), ("statevector", None), ("density", qubits)
Reading = tuple[str, Any]
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
_CHANNELS = frozenset(_core.channel_names())
_REAL = {"x", "z", "h", "swap", "ry"}


def outputs(
    circuit: Circuit,
    readings: Sequence[Reading],
    weights: torch.Tensor,
    amplitudes: Any,
    features: Any,
    batch: int,
    method: str = "statevector",
) -> tuple[torch.Tensor, ...]:
    """What the engine's run gives, differentiable to any order.

    Args:
        circuit: what to run.
        readings: what to read from the final state, one output each.
        weights: (P,) or (B, P) angles in radians.
        amplitudes: (B, D), real or complex, or None.
        features: (B, F) or None.
        batch: B.
        method: ``"statevector"`` or ``"density_matrix"``.

    Returns:
        For each reading (B, 2^k), (B, number of observables), or complex (B, 2^n) of a state and (B, 4^k) of a density
        matrix.
    """
    # Autocast would lower the precision of matrix products, and the engine knows no autocast either.
    with torch.autocast(weights.device.type, enabled=False):
        if method == "density_matrix":
            rho = density(circuit, weights, amplitudes, features, batch)
            return tuple(_read_density(rho, circuit.n_qubits, kind, what) for kind, what in readings)
        psi = state(circuit, weights, amplitudes, features, batch)
        retained = circuit.noise_summary.retained
        return tuple(_read(psi, circuit.n_qubits, kind, what, retained) for kind, what in readings)


def state(circuit: Circuit, weights: torch.Tensor, amplitudes: Any, features: Any, batch: int) -> torch.Tensor:
    """The final state (B, 2^n), depolarizing of all qubits left out."""
    n = circuit.n_qubits
    instructions = [each for each in circuit._core.instructions if each[0] not in _CHANNELS]
    real = all(_is_real(gate, matrix, letters) for gate, _, _, matrix, _, letters in instructions)
    dtype = weights.dtype if real else weights.dtype.to_complex()
    psi = _start(n, amplitudes, batch, dtype, weights.device)
    for gate, qubits, angles, entries, _, letters in instructions:
        if letters:
            psi = _turned_by(tuple(zip(qubits, letters, strict=True)), psi, _angle(angles[0], weights, features), n)
            continue
        matrix = _gate(gate, angles, entries, weights, features, psi.dtype)
        psi = _apply(psi, matrix, qubits, n)
    return psi


def density(circuit: Circuit, weights: torch.Tensor, amplitudes: Any, features: Any, batch: int) -> torch.Tensor:
    """The final density matrix as a vector (B, 4^n)."""
    n, dtype = circuit.n_qubits, weights.dtype.to_complex()
    psi = _start(n, amplitudes, batch, dtype, weights.device)
    rho = (psi[:, :, None] * psi.conj()[:, None, :]).flatten(1)
    for gate, qubits, angles, entries, rates, letters in circuit._core.instructions:
        if gate == "readout_error":
            continue
        if gate == "depolarizing" and len(qubits) in (0, n):
            rho = (1.0 - rates[0]) * rho + rates[0] * _trace(rho, n) * _mixed(n, dtype, rho.device)
        elif gate in _CHANNELS:
            operators = kraus_of(gate, len(qubits), rates, entries).tolist()
            terms = [_both_sides(rho, _constant(rows, dtype, rho.device), qubits, n) for rows in operators]
            rho = torch.stack(terms).sum(0)
        elif letters:
            angle = _angle(angles[0], weights, features)
            rows = tuple(zip(qubits, letters, strict=True))
            rho = _turned_by(rows, rho, angle, 2 * n)
            # The conjugate of exp(-i t P/2) turns the other way, but for the sign of P*, -1 for each Y.
            sign = 1.0 if letters.count("Y") % 2 else -1.0
            rho = _turned_by(tuple((n + qubit, letter) for qubit, letter in rows), rho, sign * angle, 2 * n)
        else:
            rho = _both_sides(rho, _gate(gate, angles, entries, weights, features, dtype), qubits, n)
    return rho


def _both_sides(rho: torch.Tensor, matrix: torch.Tensor, qubits: Sequence[int], n: int) -> torch.Tensor:
    """M rho M^H."""
    rows = _apply(rho, matrix, qubits, 2 * n)
    return _apply(rows, matrix.conj(), [n + qubit for qubit in qubits], 2 * n)


def _trace(rho: torch.Tensor, n: int) -> torch.Tensor:
    return _diagonal(rho, n).sum(1, keepdim=True)


def _diagonal(rho: torch.Tensor, n: int) -> torch.Tensor:
    return torch.diagonal(rho.reshape(-1, 2**n, 2**n), dim1=1, dim2=2)


def _mixed(n: int, dtype: torch.dtype, device: torch.device) -> torch.Tensor:
    return torch.eye(2**n, dtype=dtype, device=device).flatten() * 0.5**n


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


def _gate(
    gate: str,
    angles: Sequence[Any],
    entries: Sequence[complex],
    weights: torch.Tensor,
    features: Any,
    dtype: torch.dtype,
) -> torch.Tensor:
    """The matrix of an instruction, without its controls."""
    if gate == "unitary":
        return _constant(_square(entries), dtype, weights.device)
    values = [_angle(angle, weights, features) for angle in angles]
    return _matrix(_TARGETS.get(gate, gate), values, dtype, weights.device)


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


def _turned_by(word: Word, state: torch.Tensor, angle: torch.Tensor, n: int) -> torch.Tensor:
    """exp(-i t P/2) of a word P, without its matrix; of a real state, where -i P is real."""
    half = (angle / 2)[..., None]
    turned = -1j * _image(state, ((1.0, word),), n)
    return half.cos() * state + half.sin() * (turned if state.is_complex() else turned.real)


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


def _is_real(gate: str, matrix: Sequence[complex], letters: str) -> bool:
    if letters:
        return letters.count("Y") % 2 == 1
    return all(entry.imag == 0 for entry in matrix) if gate == "unitary" else _TARGETS.get(gate, gate) in _REAL


def _square(entries: Sequence[complex]) -> Rows:
    size = round(len(entries) ** 0.5)
    return tuple(tuple(entries[row * size : (row + 1) * size]) for row in range(size))


def _constant(rows: Any, dtype: torch.dtype, device: torch.device) -> torch.Tensor:
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


def _read(psi: torch.Tensor, n: int, kind: str, what: Any, retained: float = 1.0) -> torch.Tensor:
    if kind == "statevector":
        return psi.to(torch.promote_types(psi.dtype, torch.complex64))
    if kind == "probabilities":
        qubits = range(n) if what is None else what
        return retained * _probabilities(_squares(psi), n, qubits) + (1.0 - retained) / 2 ** len(qubits)  # type: ignore[no-any-return]
    if kind == "variance":
        columns = [_squares(_image(psi, terms, n)).sum(-1) - _mean(psi, terms, n).square() for terms in what]
    else:
        columns = [retained * _mean(psi, terms, n) + (1.0 - retained) * _identity(terms) for terms in what]
    return torch.stack(columns, -1) if columns else _squares(psi)[:, :0]


def _read_density(rho: torch.Tensor, n: int, kind: str, what: Any) -> torch.Tensor:
    if kind == "density":
        return _reduced(rho, n, what)
    if kind == "probabilities":
        return _probabilities(_diagonal(rho, n).real, n, what)
    columns = [_expectation(rho, terms, n) for terms in what]
    return torch.stack(columns, -1) if columns else rho.real[:, :0]


def _probabilities(outcomes: torch.Tensor, n: int, qubits: Sequence[int]) -> torch.Tensor:
    tensor = outcomes.reshape(outcomes.shape[0], *(2,) * n)
    front = tensor.movedim([1 + qubit for qubit in qubits], tuple(range(1, 1 + len(qubits))))
    return front.reshape(outcomes.shape[0], 2 ** len(qubits), 2 ** (n - len(qubits))).sum(-1)


def _reduced(rho: torch.Tensor, n: int, qubits: Sequence[int]) -> torch.Tensor:
    """The density matrix of some qubits, (B, 4^k)."""
    k = len(qubits)
    tensor = rho.reshape(rho.shape[0], *(2,) * (2 * n))
    axes = [1 + qubit for qubit in qubits] + [1 + n + qubit for qubit in qubits]
    front = tensor.movedim(axes, tuple(range(1, 1 + 2 * k)))
    split = front.reshape(rho.shape[0], 4**k, 2 ** (n - k), 2 ** (n - k))
    return torch.diagonal(split, dim1=2, dim2=3).sum(-1)


def _mean(psi: torch.Tensor, observable: Observable, n: int) -> torch.Tensor:
    """<psi|O|psi>, (B,)."""
    image = _image(psi, observable, n)
    overlap = psi.conj() * image
    return (overlap.real if overlap.is_complex() else overlap).sum(-1)


def _expectation(rho: torch.Tensor, observable: Observable, n: int) -> torch.Tensor:
    """Tr(O rho), (B,): O acts on the rows."""
    return _trace(_image(rho, observable, 2 * n), n)[:, 0].real


def _image(state: torch.Tensor, observable: Observable, n: int) -> torch.Tensor:
    """O on the first qubits of a state."""
    if not state.is_complex() and any(letter == "Y" for _, word in observable for _, letter in word):
        state = state.to(state.dtype.to_complex())
    image = torch.zeros_like(state)
    for coefficient, word in observable:
        term = state
        for qubit, letter in word:
            term = _apply(term, _constant(_FIXED[letter.lower()], state.dtype, state.device), (qubit,), n)
        image = image + coefficient * term
    return image


def _identity(observable: Observable) -> float:
    return sum(coefficient for coefficient, word in observable if not word)


def _squares(psi: torch.Tensor) -> torch.Tensor:
    return psi.real.square() + psi.imag.square() if psi.is_complex() else psi.square()
