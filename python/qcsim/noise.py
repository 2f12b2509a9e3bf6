"""The builder methods of a circuit that add noise, and ``with_noise``, which puts a channel behind gates.

A channel stands among the gates and acts where it stands; a readout error belongs to the measurement. What each channel
does is in channels.py.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from qcsim import _core
from qcsim.channels import (
    AmplitudeDamping,
    BitFlip,
    BitPhaseFlip,
    Channel,
    Depolarizing,
    GlobalDepolarizing,
    Kraus,
    PauliChannel,
    PhaseDamping,
    PhaseFlip,
    ReadoutError,
    ThermalRelaxation,
)
from qcsim.gates import listed
from qcsim.instruction import Instruction
from qcsim.integers import counted

if TYPE_CHECKING:
    from typing_extensions import Self

_GROUPS = ("one-qubit", "two-qubit", "all")
_OPTIONS = "the options are 'one-qubit', 'two-qubit', 'all', the name of a gate such as 'cnot', and a list of these"


class Noise:
    """What adds a channel to a circuit; :class:`qcsim.Circuit` is one. Every method returns the circuit."""

    __slots__ = ()

    def channel(self, channel: Channel, qubits: Sequence[int] | None = None) -> Self:
        """Add a channel that is given as a value.

        Args:
            channel: such as ``qcsim.AmplitudeDamping(0.1)``.
            qubits: where it acts, the first the most significant bit of its matrices. None: on all at once if it is
                :class:`qcsim.GlobalDepolarizing`, on each qubit for itself if it acts on one.

        Raises:
            ValueError: if the qubits do not fit.
            TypeError: for something that is no channel.

        Example:
            >>> import qcsim
            >>> print(qcsim.Circuit(2).h(0).channel(qcsim.PhaseDamping(0.1)))
            q0: ────H────PD(0.1)─
            q1: ─PD(0.1)─────────
        """
        if not isinstance(channel, Channel):
            raise TypeError(f"channel is {channel!r} of type {type(channel).__name__}; it must be a channel such as "
                            "qcsim.AmplitudeDamping(0.1)")  # fmt: skip
        width = channel.width
        if width == 0 and qubits is not None:
            raise ValueError(f"qubits is {qubits!r}; GlobalDepolarizing acts on all: leave them out")
        if width != 1:
            self._place(channel, () if qubits is None else listed("qubits", qubits))
            return self
        # Each qubit for itself; a mistake in a later one must not leave the earlier ones behind.
        places = self._checked(range(self.n_qubits) if qubits is None else listed("qubits", qubits))
        if qubits is not None and len(places) != 1 and not isinstance(channel, ReadoutError):
            raise ValueError(f"{channel.name} acts on 1 qubit, got {len(places)}; None puts it on each qubit")
        self._in_range(places)
        for place in places:
            self._place(channel, (place,))
        return self

    def depolarizing(self, rate: float, qubits: Sequence[int] | None = None) -> Self:
        """Depolarizing, ``rho -> (1 - e) rho + e I/2^k (x) Tr_k rho``, of ``[q]``, ``[q, r]`` jointly or None: all."""
        if qubits is None:
            return self.channel(GlobalDepolarizing(rate))
        self._place(Depolarizing(rate), listed("qubits", qubits))
        return self

    def bit_flip(self, p: float, qubit: int) -> Self:
        """X with probability ``p``."""
        return self.channel(BitFlip(p), (qubit,))

    def phase_flip(self, p: float, qubit: int) -> Self:
        """Z with probability ``p``."""
        return self.channel(PhaseFlip(p), (qubit,))

    def bit_phase_flip(self, p: float, qubit: int) -> Self:
        """Y with probability ``p``."""
        return self.channel(BitPhaseFlip(p), (qubit,))

    def pauli_channel(self, px: float, py: float, pz: float, qubit: int) -> Self:
        """X, Y and Z with probabilities ``px``, ``py`` and ``pz``."""
        return self.channel(PauliChannel(px, py, pz), (qubit,))

    def amplitude_damping(self, gamma: float, qubit: int, excited: float = 0.0) -> Self:
        """Decay by the share ``gamma`` towards the mixture with ``excited`` of |1>."""
        return self.channel(AmplitudeDamping(gamma, excited), (qubit,))

    def phase_damping(self, rate: float, qubit: int) -> Self:
        """Coherences times ``sqrt(1 - rate)``."""
        return self.channel(PhaseDamping(rate), (qubit,))

    def thermal_relaxation(self, qubit: int, *, t1: float, t2: float, time: float, excited: float = 0.0) -> Self:
        """Coherences times ``e^{-time/t2}``, populations relax with ``e^{-time/t1}``; times in one unit."""
        return self.channel(ThermalRelaxation(t1, t2, time, excited), (qubit,))

    def kraus(self, matrices: Any, *qubits: int) -> Self:
        """Any channel, given as Kraus matrices (m, 2^k, 2^k) on k = 1 or 2 qubits."""
        self._place(Kraus(matrices), qubits)
        return self

    def readout_error(self, p01: float, p10: float | None = None, qubits: Sequence[int] | None = None) -> Self:
        """Misread bits: 1 for 0 with ``p01``, 0 for 1 with ``p10`` (None: ``p01``), of ``qubits`` (None: all)."""
        return self.channel(ReadoutError(p01, p10), qubits)

    def with_noise(self, *, after: str | Iterable[str], channel: Channel) -> Self:
        """A new circuit with a channel behind gates.

        A channel on one qubit goes on each qubit of the gate, one on two qubits on both of a gate on two,
        ``Depolarizing(rate)`` on the one or two qubits of the gate jointly, :class:`qcsim.GlobalDepolarizing` once on
        all.

        Args:
            after: a gate's name, a list of names, ``"one-qubit"``, ``"two-qubit"`` or ``"all"`` gates.
            channel: what to put there, such as ``qcsim.Depolarizing(0.01)``.

        Returns:
            The new circuit; an equal one, with a warning, if no gate of the circuit is among those named: it would be
            free of noise without a word. Of a circuit without any gate that is no surprise: a loop over depths may
            begin at 0.

        Raises:
            ValueError: for an unknown gate, or one whose qubits do not fit the channel.
            TypeError: for something that is no channel.

        Example:
            >>> import qcsim
            >>> print(qcsim.Circuit(2).ry(0).cnot(0, 1).with_noise(after="cnot", channel=qcsim.BitFlip(0.01)))
            q0: ─RY(w0)─●─BF(0.01)─
            q1: ────────X─BF(0.01)─
        """
        if not isinstance(channel, Channel) or isinstance(channel, ReadoutError):
            raise TypeError(f"channel is {channel!r}; behind gates stands a channel such as qcsim.BitFlip(0.01), and "
                            "readout_error() puts errors into the measurement")  # fmt: skip
        names = _names(after)
        gates = [gate for gate in self.instructions if not gate.is_channel]
        if gates and not any(_chosen(gate, names) for gate in gates):
            warnings.warn(_nothing_hit(after, gates), UserWarning, stacklevel=2)
        fresh = self._emptied()
        for gate in self.instructions:
            fresh._add(gate)
            if not gate.is_channel and _chosen(gate, names):
                for place in _behind(gate, channel):
                    fresh._add(place)
        return fresh

    # Inside ----------------------------------------------------------------------------------------------------------

    @property
    def n_qubits(self) -> int:
        """Number of qubits."""
        raise NotImplementedError

    @property
    def instructions(self) -> tuple[Instruction, ...]:
        """The gates and channels in order."""
        raise NotImplementedError

    def _add(self, instruction: Instruction) -> None:
        raise NotImplementedError

    def _emptied(self) -> Self:
        """A circuit with the same input and no gates."""
        raise NotImplementedError

    def _checked(self, qubits: Sequence[int]) -> tuple[int, ...]:
        raise NotImplementedError

    def _in_range(self, qubits: Sequence[int]) -> None:
        for qubit in qubits:
            if not 0 <= qubit < self.n_qubits:
                raise ValueError(f"qubit {qubit} is outside 0..{self.n_qubits - 1} for a {self.n_qubits}-qubit circuit")
        if len(set(qubits)) != len(qubits):
            raise ValueError(f"qubits is {list(qubits)}; they must be different")

    def _place(self, channel: Channel, qubits: Sequence[int]) -> None:
        places = self._checked(qubits)
        if channel.width is None and len(places) not in (1, 2):
            raise ValueError(f"Depolarizing acts on 1 or 2 qubits, got {len(places)}; depolarizing(rate) and "
                             "GlobalDepolarizing act on all")  # fmt: skip
        if channel.width and len(places) != channel.width:
            raise ValueError(f"{channel.name} acts on {counted(channel.width, 'qubit')} here, got {len(places)}")
        self._add(channel.instruction(places))


def _names(after: Any) -> tuple[str, ...]:
    names = (after,) if isinstance(after, str) else tuple(after) if isinstance(after, Iterable) else (after,)
    known = (*_GROUPS, *_core.gate_names())
    if not names:
        raise ValueError(f"after is {after!r}, which names no gate; {_OPTIONS}")
    for name in names:
        if name not in known:
            raise ValueError(f"after is {name!r}; {_OPTIONS}")
    return names


def _nothing_hit(after: Any, gates: Sequence[Instruction]) -> str:
    """What is said where the noise would go nowhere."""
    has = ", ".join(dict.fromkeys(gate.gate for gate in gates))
    return f"after is {after!r}, and no gate of this circuit is that, so no noise is added: it has {has}; {_OPTIONS}"


def _chosen(gate: Instruction, names: Sequence[str]) -> bool:
    group = {1: "one-qubit", 2: "two-qubit"}.get(len(gate.qubits))
    return gate.gate in names or "all" in names or group in names


def _behind(gate: Instruction, channel: Channel) -> Iterator[Instruction]:
    n, width = len(gate.qubits), channel.width
    if width == 0:
        yield channel.instruction(())
    elif width == 1:
        yield from (channel.instruction((qubit,)) for qubit in gate.qubits)
    elif n in (1, 2) if width is None else n == width:
        yield channel.instruction(gate.qubits)
    else:
        fits = "1 or 2 qubits" if width is None else "2 qubits"
        raise ValueError(f"{type(channel).__name__} goes behind gates on {fits}, and {gate.gate} acts on {n}; "
                         "a channel on one qubit goes behind any")  # fmt: skip
