"""Tapes with shots: the outcomes of each basis are drawn by the engine, PennyLane makes its results of them.

Measurements that share a basis share the shots; each further basis is measured with as many of its own, as on a device.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pennylane as qml
from pennylane import measurements as mps
from pennylane import ops

from qcsim.measurements import DensityMatrix, Samples, Statevector
from qcsim.pennylane.inputs import Inputs
from qcsim.pennylane.observables import WireSum, WireWord, is_live, wire_sum
from qcsim.pennylane.recipe import Expand, Options
from qcsim.pennylane.structure import Base, Layout, rotated
from qcsim.verbs import measure

_LARGEST_SEED = 2**31 - 1
# What turns the eigenbasis of a letter into that of Z.
_TURNS: dict[str | None, Callable[[Any], list[Any]]] = {
    None: lambda wire: [],
    "X": lambda wire: [ops.Hadamard(wire)],
    "Y": lambda wire: [ops.adjoint(ops.S(wire)), ops.Hadamard(wire)],
    "Z": lambda wire: [],
}


class Basis(NamedTuple):
    """A circuit that ends in a basis, the wires that are read and the qubits that they are."""

    circuit: Any
    wires: Any
    qubits: tuple[int, ...]


class Share(NamedTuple):
    """A measurement, or a word of it, in the basis that it is read from."""

    basis: int
    word: WireWord | None  # None: PennyLane reads the measurement from the outcomes
    factor: float


class Sampler(NamedTuple):
    """What is run for a tape with shots of one structure."""

    layout: Layout
    base: Base
    options: Options
    bases: tuple[Basis, ...]
    shares: tuple[tuple[Share, ...] | None, ...]  # of each measurement; None: it draws from the state itself


def make_sampler(tape: Any, base: Base, options: Options, expand: Expand) -> Sampler:
    """The bases that the measurements of a tape are read in."""
    groups = _Groups()
    shares = tuple([_shares(mp, tape, groups) for mp in tape.measurements])
    return Sampler(base.layout, base, options, groups.bases(base, expand), shares)


def sampled(tape: Any, sampler: Sampler, given: Inputs, rng: np.random.Generator) -> Any:
    """The results of a tape with shots, nested as PennyLane has it: shot vector, measurement, batch."""
    drawn = [_outcomes(basis, sampler, given, tape.shots.total_shots, rng) for basis in sampler.bases]
    state = _state(sampler, given) if None in sampler.shares else None
    parts = []
    for low, high in tape.shots.bins():
        results = []
        for mp, shares in zip(tape.measurements, sampler.shares, strict=True):
            if shares is None:
                results.append(_from_state(mp, sampler, state, high - low, rng))
            else:
                results.append(_from_outcomes(mp, shares, sampler, drawn, slice(low, high)))
        parts.append(results[0] if len(results) == 1 else tuple(results))
    return tuple(parts) if tape.shots.has_partitioned_shots else parts[0]


# Bases ----------------------------------------------------------------------------------------------------------------


class _Groups:
    """Bases in the making: of Pauli letters on wires, and of rotations that stand alone."""

    def __init__(self) -> None:
        self.letters: list[dict[Any, str | None]] = []  # None: read in any basis
        self.rotations: dict[int, tuple[list[Any], Any]] = {}

    def of_word(self, word: WireWord, wires: Sequence[Any] = ()) -> int:
        """The first basis that a word fits in; further wires are read there too."""
        wanted = {**dict.fromkeys(wires), **dict(word)}
        for number, letters in enumerate(self.letters):
            if number not in self.rotations and all(letters.get(wire) in (None, letter) for wire, letter in word):
                letters.update((wire, letters.get(wire) or letter) for wire, letter in wanted.items())
                return number
        self.letters.append(wanted)
        return len(self.letters) - 1

    def of_rotations(self, gates: list[Any], wires: Any) -> int:
        """A basis of its own."""
        self.letters.append({})
        self.rotations[len(self.letters) - 1] = gates, wires
        return len(self.letters) - 1

    def bases(self, base: Base, expand: Expand) -> tuple[Basis, ...]:
        """The circuits that end in them."""
        made = []
        for number in range(len(self.letters)):
            gates, wires = self._turned(number)
            circuit = rotated(base, expand(gates)) if gates else base.circuit
            made.append(Basis(circuit, wires, tuple(base.qubit_of[wire] for wire in wires)))
        return tuple(made)

    def _turned(self, number: int) -> tuple[list[Any], Any]:
        """The rotations of a basis, and the wires that are read in it."""
        if number in self.rotations:
            return self.rotations[number]
        letters = self.letters[number]
        with qml.QueuingManager.stop_recording():
            gates = [gate for wire, letter in letters.items() for gate in _TURNS[letter](wire)]
        return gates, qml.wires.Wires(list(letters))


def _shares(mp: Any, tape: Any, groups: _Groups) -> tuple[Share, ...] | None:
    if isinstance(mp, (mps.ClassicalShadowMP, mps.ShadowExpvalMP)):
        return None
    if mp.obs is None:
        labels = mp.wires.labels or tape.wires.labels
        return (Share(groups.of_word(tuple((wire, "Z") for wire in labels)), None, 1.0),)
    terms = None if is_live(mp.obs) else wire_sum(mp.obs)
    if terms is not None and len(terms) == 1 and mp.obs.pauli_rep is not None and terms[0][1]:
        return (Share(groups.of_word(terms[0][1], mp.wires.labels), None, 1.0),)
    if terms is not None and isinstance(mp, mps.ExpectationMP) and _is_sum(mp.obs):
        return _of_terms(terms, groups)
    return (Share(groups.of_rotations(list(mp.diagonalizing_gates()), mp.wires), None, 1.0),)


def _is_sum(obs: Any) -> bool:
    return obs.pauli_rep is not None or not obs.has_diagonalizing_gates


def _of_terms(terms: WireSum, groups: _Groups) -> tuple[Share, ...]:
    return tuple(Share(groups.of_word(word) if word else -1, word, factor) for factor, word in terms)


# Outcomes -------------------------------------------------------------------------------------------------------------


def _outcomes(basis: Basis, sampler: Sampler, given: Inputs, shots: int, rng: np.random.Generator) -> Any:
    """Bits (shots, wires) or (B, shots, wires)."""
    seed = int(rng.integers(_LARGEST_SEED))
    wanted = [Samples(shots, seed, basis.qubits)]
    (drawn,) = _measured(basis.circuit, sampler, given, wanted)
    places = np.arange(len(basis.qubits) - 1, -1, -1)
    return (drawn[..., None] >> places) & 1


def _measured(circuit: Any, sampler: Sampler, given: Inputs, wanted: Sequence[Any]) -> tuple[Any, ...]:
    options = sampler.options
    return measure(circuit, given.weights, wanted, given.amplitudes, given.features, method=options.method,
                   num_threads=options.num_threads)  # fmt: skip


def _from_outcomes(mp: Any, shares: tuple[Share, ...], sampler: Sampler, drawn: Sequence[Any], part: slice) -> Any:
    if shares[0].word is None:
        basis = sampler.bases[shares[0].basis]
        return mp.process_samples(drawn[shares[0].basis][..., part, :], basis.wires)
    return sum(share.factor * _mean(share, sampler, drawn, part) for share in shares)


def _mean(share: Share, sampler: Sampler, drawn: Sequence[Any], part: slice) -> Any:
    """Of the sign of a word; the identity is 1."""
    if not share.word:
        return np.float64(1.0)
    wires = sampler.bases[share.basis].wires
    bits = drawn[share.basis][..., part, [wires.index(wire) for wire, _ in share.word]]
    return (1.0 - 2.0 * (bits.sum(-1) & 1)).mean(-1)


def _state(sampler: Sampler, given: Inputs) -> Any:
    wanted = DensityMatrix() if sampler.options.mixed else Statevector()
    return _measured(sampler.base.circuit, sampler, given, [wanted])[0]


def _from_state(mp: Any, sampler: Sampler, state: Any, shots: int, rng: np.random.Generator) -> Any:
    draw = mp.process_density_matrix_with_shots if sampler.options.mixed else mp.process_state_with_shots
    return draw(
        state.reshape((2,) * (state.size.bit_length() - 1)), qml.wires.Wires(sampler.base.wires), shots, rng=rng
    )
