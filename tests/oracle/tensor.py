"""A second truth, to check the first and to reach sizes where a 2^n x 2^n matrix does not fit: states of n axes.

Gates are broken down into four moves on slices (phase, RY, flip, exchange), never a matrix on all qubits. A state is a
pair of arrays, its real and imaginary parts, and nothing is ever conjugated: angles and amplitudes may step into the
complex plane, so that `directional_derivative` is exact to rounding without any derivative formula.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from oracle.dense import EMBEDDING, Inputs, Instruction, Observable, coefficients

Tensor = NDArray[Any]
STEP = 1e-100
HALF_PI = np.array([np.pi / 2])
PHASES = {"z": np.pi, "s": np.pi / 2, "sdg": -np.pi / 2, "t": np.pi / 4, "tdg": -np.pi / 4}
CONTROLLED = {  # name: (controls, the gate on the rest)
    "cnot": (1, "x"), "cy": (1, "y"), "cz": (1, "z"), "ch": (1, "h"), "crx": (1, "rx"), "cry": (1, "ry"),
    "crz": (1, "rz"), "cphase": (1, "phase"), "cu3": (1, "u3"), "toffoli": (2, "x"), "fredkin": (1, "swap"),
    "mcx": (-1, "x"), "mcz": (-1, "z"),
}  # fmt: skip


class Split(NamedTuple):
    """A state (B, 2, ..., 2) as real and imaginary part."""

    re: Tensor
    im: Tensor


def per_sample(angle: Tensor, state: Split) -> Tensor:
    """(B,) beside the axes of a state."""
    return np.asarray(angle).reshape((-1,) + (1,) * (state.re.ndim - 1))


def where_one(state: Split, qubits: Sequence[int]) -> Split:
    """The view of a state where the named qubits are 1; they keep their axes, of length one."""
    cut = tuple(slice(1, 2) if axis - 1 in qubits else slice(None) for axis in range(state.re.ndim))
    return Split(state.re[cut], state.im[cut])


def halves(state: Split, qubit: int) -> tuple[Split, Split]:
    """The views where a qubit is 0 and where it is 1."""
    before = (slice(None),) * (1 + qubit)
    return tuple(Split(*(part[(*before, slice(k, k + 1))] for part in state)) for k in (0, 1))


# The four moves, in place ---------------------------------------------------------------------------------------------


def turn(state: Split, qubits: Sequence[int], angle: Tensor) -> None:
    """The phase e^(i angle) where every named qubit is 1."""
    part = where_one(state, qubits)
    c, s = (per_sample(f(angle), state) for f in (np.cos, np.sin))
    part.re[...], part.im[...] = c * part.re - s * part.im, s * part.re + c * part.im


def ry(state: Split, qubit: int, angle: Tensor) -> None:
    """RY on one axis."""
    c, s = (per_sample(f(np.asarray(angle) / 2), state) for f in (np.cos, np.sin))
    for zero, one in zip(*halves(state, qubit), strict=True):
        zero[...], one[...] = c * zero - s * one, s * zero + c * one


def flip(state: Split, qubit: int) -> None:
    """X on one axis."""
    for part in state:
        part[...] = np.flip(part, 1 + qubit).copy()


def exchange(state: Split, a: int, b: int) -> None:
    """SWAP of two axes."""
    for part in state:
        part[...] = np.swapaxes(part, 1 + a, 1 + b).copy()


# Every gate as moves --------------------------------------------------------------------------------------------------


def apply(state: Split, name: str, controls: Sequence[int], q: Sequence[int], angles: Sequence[Tensor]) -> None:
    """A gate on the axes q where every control is 1."""
    here = where_one(state, controls)

    def then(*gates: tuple[str, Sequence[int]] | tuple[str, Sequence[int], Tensor]) -> None:
        for inner, qubits, *angle in gates:
            apply(state, inner, controls, qubits, angle)

    if name in PHASES:
        turn(here, q, np.array([PHASES[name]]))
    elif name == "phase":
        turn(here, q, angles[0])
    elif name == "ry":
        ry(here, q[0], angles[0])
    elif name == "x":
        flip(here, q[0])
    elif name == "swap":
        exchange(here, *q)
    elif name == "y":  # Y = S X S^-1
        then(("sdg", q), ("x", q), ("s", q))
    elif name == "h":  # H = RY(pi/2) Z
        then(("z", q), ("ry", q, HALF_PI))
    elif name in ("sx", "sxdg"):  # SX = H S H
        then(("h", q), ("s" if name == "sx" else "sdg", q), ("h", q))
    elif name == "rz":  # a phase on 1, and half of it back on everything
        turn(here, q, angles[0])
        turn(here, (), -angles[0] / 2)
    elif name == "rx":
        then(("h", q), ("rz", q, angles[0]), ("h", q))
    elif name == "u3":
        theta, phi, lam = angles
        then(("phase", q, lam), ("ry", q, theta), ("phase", q, phi))
    elif name == "rot":
        phi, theta, omega = angles
        then(("rz", q, phi), ("ry", q, theta), ("rz", q, omega))
    elif name in ("iswap", "iswapdg"):  # iSWAP = (S x S) CZ SWAP
        phase = "s" if name == "iswap" else "sdg"
        apply(state, "z", (*controls, q[0]), q[1:], ())
        then((phase, q[:1]), (phase, q[1:]), ("swap", q))
    elif name == "rzz":  # RZ of the parity
        apply(state, "x", (*controls, q[0]), q[1:], ())
        then(("rz", q[1:], angles[0]))
        apply(state, "x", (*controls, q[0]), q[1:], ())
    elif name == "rxx":  # X = H Z H
        then(("h", q[:1]), ("h", q[1:]), ("rzz", q, angles[0]), ("h", q[:1]), ("h", q[1:]))
    elif name == "ryy":  # Y = S X S^-1
        then(("sdg", q[:1]), ("sdg", q[1:]), ("rxx", q, angles[0]), ("s", q[:1]), ("s", q[1:]))
    elif name in CONTROLLED:
        count, inner = CONTROLLED[name]
        cut = count if count > 0 else len(q) - 1
        apply(state, inner, (*controls, *q[:cut]), q[cut:], angles)
    else:
        raise AssertionError(name)


def turn_by_word(state: Split, instruction: Instruction, angle: Tensor) -> None:
    """X = H Z H, Y = S X S^-1, and the word of Z on all is RZ of the parity."""
    *others, last = instruction.qubits
    moves = [("sdg", (q,)) for q, letter in zip(instruction.qubits, instruction.word, strict=True) if letter == "Y"]
    moves += [("h", (q,)) for q, letter in zip(instruction.qubits, instruction.word, strict=True) if letter != "Z"]
    moves += [("cnot", (q, last)) for q in others]
    for name, qubits in moves:
        apply(state, name, (), qubits, ())
    apply(state, "rz", (), (last,), [angle])
    for name, qubits in reversed(moves):
        apply(state, {"sdg": "s"}.get(name, name), (), qubits, ())


def contract(state: Split, instruction: Instruction) -> None:
    """A matrix on the named axes, by summing over them."""
    k, axes = len(instruction.qubits), [1 + q for q in instruction.qubits]
    matrix = np.array(instruction.matrix).reshape((2,) * (2 * k))

    def on(part: Tensor, real: Tensor) -> Tensor:
        return np.moveaxis(np.tensordot(real, part, (range(k, 2 * k), axes)), range(k), axes)

    re, im = (matrix.real, matrix.imag)
    state.re[...], state.im[...] = (
        on(state.re, re) - on(state.im, im),
        on(state.re, im) + on(state.im, re),
    )


# Runs and readouts ----------------------------------------------------------------------------------------------------


def prepared(n: int, amplitudes: Split | None, batch: int, dtype: Any) -> Split:
    """The normalised input states, or |0...0>."""
    state = Split(*(np.zeros((batch, 2**n), dtype) for _ in range(2)))
    if amplitudes is None:
        state.re[:, 0] = 1
    else:
        norm = np.sqrt(sum(np.sum(part**2, axis=1, keepdims=True) for part in amplitudes))
        for part, given in zip(state, amplitudes, strict=True):
            part[:, : given.shape[1]] = given / norm
    return Split(*(part.reshape((batch,) + (2,) * n) for part in state))


def evolve(
    n: int, instructions: Sequence[Instruction], weights: Tensor, amplitudes: Split | None, features: Tensor | None
) -> Split:
    """Final states (B, 2, ..., 2); every input has a batch axis."""
    given = [a for a in (weights, features, *(amplitudes or ())) if a is not None]
    batch = next((len(a) for a in given if len(a) != 1), 1)
    state = prepared(n, amplitudes, batch, np.result_type(np.float64, *given))
    tables = {"weight": weights, "feature": features}
    for instruction in instructions:
        angles = []
        for source, value, scale, shift in instruction.angles:
            table = tables.get(source)
            angles.append(np.array([value]) if table is None else scale * table[:, int(value)] + shift)
        if instruction.gate == "unitary":
            contract(state, instruction)
        elif instruction.gate == "pauli_rot":
            turn_by_word(state, instruction, angles[0])
        elif instruction != EMBEDDING:
            apply(state, instruction.gate, (), instruction.qubits, angles)
    return state


def on_word(state: Split, word: str) -> Split:
    """A product of Paulis on a state."""
    moved = Split(state.re.copy(), state.im.copy())
    for factor in word.split():
        if factor != "I":
            apply(moved, factor[0].lower(), (), (int(factor[1:]),), ())
    return moved


def on_observable(state: Split, observable: Observable) -> Split:
    """A weighted sum of words on a state."""
    moved = [(c, on_word(state, word)) for word, c in coefficients(observable).items()]
    return Split(*(sum(c * m[k] for c, m in moved) + 0 * state.re for k in (0, 1)))


def inner(a: Split, b: Split) -> Tensor:
    """The real part of <a|b>, (B,)."""
    return (a.re * b.re + a.im * b.im).reshape(len(a.re), -1).sum(axis=1)


def measured(
    n: int,
    state: Split,
    qubits: Sequence[int] | None = None,
    observables: Sequence[Observable] | None = None,
    variance: Sequence[Observable] | None = None,
    statevector: bool = False,
) -> tuple[Tensor, ...]:
    """The outputs, real; a state vector as its two parts."""
    batch = len(state.re)
    if statevector:
        return tuple(part.reshape(batch, -1) for part in state)
    if observables is not None:
        return (np.stack([inner(state, on_observable(state, o)) for o in observables], axis=1),)
    if variance is not None:
        images = [on_observable(state, o) for o in variance]
        return (np.stack([inner(image, image) - inner(state, image) ** 2 for image in images], axis=1),)
    kept = list(range(n)) if qubits is None else list(qubits)
    summed = tuple(1 + q for q in range(n) if q not in kept)
    marginal = (state.re**2 + state.im**2).sum(axis=summed)  # the kept axes, in ascending order
    order = [0] + [1 + sorted(kept).index(q) for q in kept]
    return (np.transpose(marginal, order).reshape(batch, -1),)


def split(amplitudes: Tensor | None) -> Split | None:
    return None if amplitudes is None else Split(amplitudes.real.astype(float), amplitudes.imag.astype(float))


def outputs(n: int, instructions: Sequence[Instruction], point: Inputs, **measure: Any) -> Tensor:
    """The outputs (B, ...) of `dense.readout`, by the same options; every input has a batch axis."""
    state = evolve(n, instructions, point.weights, split(point.amplitudes), point.features)
    parts = measured(n, state, **measure)
    return parts[0] if len(parts) == 1 else parts[0] + 1j * parts[1]


def directional_derivative(
    n: int, instructions: Sequence[Instruction], point: Inputs, direction: Inputs, **measure: Any
) -> Tensor:
    """d outputs along a direction (its absent inputs stand still), by one complex step: no subtraction cancels."""

    def moved(start: Tensor | None, along: Tensor | None) -> Any:
        return None if start is None else start + 0j if along is None else start + 1j * STEP * along

    amplitudes = None
    if point.amplitudes is not None:
        along = split(direction.amplitudes) or (None, None)
        amplitudes = Split(*(moved(p, d) for p, d in zip(split(point.amplitudes) or (), along, strict=True)))
    weights, features = moved(point.weights, direction.weights), moved(point.features, direction.features)
    parts = measured(n, evolve(n, instructions, weights, amplitudes, features), **measure)
    slopes = [part.imag / STEP for part in parts]
    return slopes[0] if len(slopes) == 1 else slopes[0] + 1j * slopes[1]
