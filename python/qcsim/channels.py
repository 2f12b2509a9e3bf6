"""Channels as values: what noise does, apart from where it acts. ``Circuit.channel`` and ``Circuit.with_noise`` place
them; the engine checks their rates. Rates are numbers without a unit unless an attribute says otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from qcsim import _core
from qcsim.instruction import Instruction
from qcsim.integers import integer
from qcsim.kraus import Operators, kraus_of
from qcsim.reals import real

_LARGEST_TWIRL = 4  # qubits; 4^k operators of 4^k numbers each


class Channel:
    """What all channels have in common; made by its subclasses.

    Attributes:
        name: of the instruction, and of the engine's channel.

    Example:
        >>> import qcsim
        >>> isinstance(qcsim.BitFlip(0.1), qcsim.Channel), qcsim.BitFlip(0.1).rates
        (True, (0.1,))
    """

    name: ClassVar[str]

    @property
    def rates(self) -> tuple[float, ...]:
        """The numbers of the instruction."""
        return astuple(self)  # type: ignore[call-overload, no-any-return]

    @property
    def width(self) -> int | None:
        """The number of qubits that it acts on; None: as many as it is given."""
        return 1

    def instruction(self, qubits: Sequence[int]) -> Instruction:
        """The channel on some qubits."""
        return Instruction(self.name, tuple(qubits), rates=self.rates)

    def kraus(self) -> Operators:
        """Its Kraus operators K_k, with ``rho -> sum_k K_k rho K_k^H``.

        Returns:
            (m, 2^k, 2^k) complex128 for k qubits, the first the most significant bit; those that vanish left out.

        Raises:
            ValueError: for a readout error, which acts on outcomes and not on states.

        Example:
            >>> import qcsim
            >>> qcsim.BitFlip(0.36).kraus().real
            array([[[0.8, 0. ],
                    [0. , 0.8]],
            <BLANKLINE>
                   [[0. , 0.6],
                    [0.6, 0. ]]])
        """
        return kraus_of(self.name, 1, self.rates)

    def _checked(self, n_qubits: int = 1) -> None:
        """The engine's check: an instruction that it takes is a channel."""
        for field, value in zip(fields(self), self.rates, strict=False):  # type: ignore[arg-type]
            if getattr(value, "requires_grad", False):
                raise ValueError(f"{field.name} of {type(self).__name__} requires a gradient, and rates are constants; "
                                 "detach it")  # fmt: skip
            object.__setattr__(self, field.name, real(f"{field.name} of {type(self).__name__}", value))
        self.instruction(range(n_qubits)).append_to(_core.Circuit(n_qubits))


@dataclass(frozen=True)
class Depolarizing(Channel):
    """Depolarizing of one or two qubits, ``rho -> (1 - e) rho + e I/2^k (x) Tr_k rho``.

    Attributes:
        rate: e, within 0 .. 4^k/(4^k - 1); 1 leaves nothing of the qubits' state.
        n_qubits: k, 1 or 2; None: as many as it is placed on, those of a gate jointly.

    Example:
        >>> import qcsim
        >>> qcsim.expval(qcsim.Circuit(1).channel(qcsim.Depolarizing(0.1), [0]), None, ["Z0"]).round(3)
        array([0.9])
    """

    name: ClassVar[str] = "depolarizing"
    rate: float
    n_qubits: int | None = None

    def __post_init__(self) -> None:
        if self.n_qubits is not None and integer("n_qubits of Depolarizing", self.n_qubits, "1 or 2") not in (1, 2):
            raise ValueError(f"n_qubits of Depolarizing is {self.n_qubits}; it must be 1 or 2, or None for as many as "
                             "it is placed on (GlobalDepolarizing acts on all)")  # fmt: skip
        self._checked(self.n_qubits or 1)

    @property
    def rates(self) -> tuple[float, ...]:
        """The numbers of the instruction."""
        return (self.rate,)

    @property
    def width(self) -> int | None:
        """The number of qubits that it acts on; None: as many as it is given."""
        return self.n_qubits

    def kraus(self, n_qubits: int | None = None) -> Operators:
        """Its Kraus operators, (m, 2^k, 2^k) complex128: multiples of the Pauli words.

        Args:
            n_qubits: k where the channel leaves it open, 1 to 4.
        """
        if self.n_qubits is not None and n_qubits not in (None, self.n_qubits):
            raise ValueError(f"n_qubits is {n_qubits}; this channel acts on {self.n_qubits}: leave it out")
        return _twirl(self.rate, self.n_qubits or n_qubits)


@dataclass(frozen=True)
class GlobalDepolarizing(Channel):
    """Depolarizing of all n qubits at once, ``rho -> (1 - e) rho + e I/2^n``. Costs nothing at run time.

    Attributes:
        rate: e, within 0 .. 4^n/(4^n - 1); 1 leaves nothing of the state.

    Example:
        >>> import qcsim
        >>> qcsim.probabilities(qcsim.Circuit(2).channel(qcsim.GlobalDepolarizing(0.2))).round(3)
        array([0.85, 0.05, 0.05, 0.05])
    """

    name: ClassVar[str] = "depolarizing"
    rate: float

    def __post_init__(self) -> None:
        self._checked()

    @property
    def width(self) -> int | None:
        """The number of qubits that it acts on; 0 stands for all."""
        return 0

    def kraus(self, n_qubits: int | None = None) -> Operators:
        """Its Kraus operators, (4^n, 2^n, 2^n) complex128: multiples of the Pauli words.

        Args:
            n_qubits: n, 1 to 4.
        """
        return _twirl(self.rate, n_qubits)


@dataclass(frozen=True)
class BitFlip(Channel):
    """X with a probability.

    Attributes:
        p: the probability, within 0 .. 1.

    Example:
        >>> import qcsim
        >>> qcsim.probabilities(qcsim.Circuit(1).channel(qcsim.BitFlip(0.1), [0])).round(3)
        array([0.9, 0.1])
    """

    name: ClassVar[str] = "bit_flip"
    p: float

    def __post_init__(self) -> None:
        self._checked()


@dataclass(frozen=True)
class PhaseFlip(Channel):
    """Z with a probability.

    Attributes:
        p: the probability, within 0 .. 1.

    Example:
        >>> import qcsim
        >>> qcsim.expval(qcsim.Circuit(1).h(0).channel(qcsim.PhaseFlip(0.1), [0]), None, ["X0"]).round(3)
        array([0.8])
    """

    name: ClassVar[str] = "phase_flip"
    p: float

    def __post_init__(self) -> None:
        self._checked()


@dataclass(frozen=True)
class BitPhaseFlip(Channel):
    """Y with a probability.

    Attributes:
        p: the probability, within 0 .. 1.

    Example:
        >>> import qcsim
        >>> qcsim.probabilities(qcsim.Circuit(1).channel(qcsim.BitPhaseFlip(0.1), [0])).round(3)
        array([0.9, 0.1])
    """

    name: ClassVar[str] = "bit_phase_flip"
    p: float

    def __post_init__(self) -> None:
        self._checked()


@dataclass(frozen=True)
class PauliChannel(Channel):
    """X, Y and Z with probabilities of their own.

    Attributes:
        px: probability of X, 0 or more.
        py: probability of Y, 0 or more.
        pz: probability of Z, 0 or more; their sum is at most 1.

    Example:
        >>> import qcsim
        >>> qcsim.probabilities(qcsim.Circuit(1).channel(qcsim.PauliChannel(0.1, 0.05, 0.2), [0])).round(3)
        array([0.85, 0.15])
    """

    name: ClassVar[str] = "pauli"
    px: float
    py: float
    pz: float

    def __post_init__(self) -> None:
        self._checked()


@dataclass(frozen=True)
class AmplitudeDamping(Channel):
    """Decay towards equilibrium: generalized amplitude damping (Nielsen and Chuang, 8.3.5).

    Attributes:
        gamma: the share of the way, within 0 .. 1.
        excited: population of |1> in equilibrium, within 0 .. 1; 0: zero temperature.

    Example:
        >>> import qcsim
        >>> qcsim.probabilities(qcsim.Circuit(1).x(0).channel(qcsim.AmplitudeDamping(0.3), [0])).round(3)
        array([0.3, 0.7])
    """

    name: ClassVar[str] = "amplitude_damping"
    gamma: float
    excited: float = 0.0

    def __post_init__(self) -> None:
        self._checked()


@dataclass(frozen=True)
class PhaseDamping(Channel):
    """Coherences times ``sqrt(1 - rate)``.

    Attributes:
        rate: within 0 .. 1.

    Example:
        >>> import qcsim
        >>> qcsim.expval(qcsim.Circuit(1).h(0).channel(qcsim.PhaseDamping(0.36), [0]), None, ["X0"]).round(3)
        array([0.8])
    """

    name: ClassVar[str] = "phase_damping"
    rate: float

    def __post_init__(self) -> None:
        self._checked()


@dataclass(frozen=True)
class ThermalRelaxation(Channel):
    """A qubit left alone: coherences times ``e^{-time/t2}``, and ``<Z>`` relaxes with ``e^{-time/t1}``.

    Attributes:
        t1: relaxation time, above 0.
        t2: dephasing time in the same unit, above 0, at most 2 t1.
        time: how long, in the same unit, 0 or more.
        excited: population of |1> in equilibrium, within 0 .. 1.

    Example:
        >>> import numpy as np, qcsim
        >>> half_life = qcsim.ThermalRelaxation(t1=50.0, t2=70.0, time=50.0 * np.log(2.0))
        >>> qcsim.probabilities(qcsim.Circuit(1).x(0).channel(half_life, [0])).round(3)
        array([0.5, 0.5])
    """

    name: ClassVar[str] = "thermal_relaxation"
    t1: float
    t2: float
    time: float
    excited: float = 0.0

    def __post_init__(self) -> None:
        self._checked()


@dataclass(frozen=True)
class Kraus(Channel):
    """Any channel on one or two qubits, ``rho -> sum_k K_k rho K_k^H``.

    Attributes:
        matrices: the K_k, (m, 2^k, 2^k) real or complex, m within 1 .. 64; ``sum_k K_k^H K_k = 1`` within 1e-6. Kept
            as nested tuples.

    Example:
        >>> import numpy as np, qcsim
        >>> reset = qcsim.Kraus([[[1, 0], [0, 0]], [[0, 1], [0, 0]]])
        >>> qcsim.probabilities(qcsim.Circuit(1).h(0).channel(reset, [0])).round(3)
        array([1., 0.])
    """

    name: ClassVar[str] = "kraus"
    matrices: Any

    def __post_init__(self) -> None:
        entries = _operators(self.matrices)
        kept = tuple(tuple(tuple(row) for row in matrix) for matrix in entries.tolist())
        object.__setattr__(self, "matrices", kept)
        n_qubits = entries.shape[-1] // 2
        self.instruction(range(n_qubits)).append_to(_core.Circuit(n_qubits))

    @property
    def rates(self) -> tuple[float, ...]:
        """None: its numbers are matrices."""
        return ()

    @property
    def width(self) -> int | None:
        """The number of qubits that it acts on."""
        return len(self.matrices[0]) // 2

    def instruction(self, qubits: Sequence[int]) -> Instruction:
        """The channel on some qubits."""
        entries = tuple(entry for matrix in self.matrices for row in matrix for entry in row)
        return Instruction(self.name, tuple(qubits), matrix=entries)

    def kraus(self) -> Operators:
        """The operators as an array, (m, 2^k, 2^k) complex128."""
        return np.array(self.matrices, np.complex128)


@dataclass(frozen=True)
class ReadoutError(Channel):
    """A measured bit misread; it belongs to the measurement, wherever it stands in the circuit.

    Attributes:
        p01: probability to read 1 where the qubit is 0, within 0 .. 1.
        p10: probability to read 0 where the qubit is 1, within 0 .. 1; None: the same as p01.

    Example:
        >>> import qcsim
        >>> qcsim.probabilities(qcsim.Circuit(1).x(0).channel(qcsim.ReadoutError(0.01, 0.05), [0])).round(3)
        array([0.05, 0.95])
    """

    name: ClassVar[str] = "readout_error"
    p01: float
    p10: float | None = None

    def __post_init__(self) -> None:
        if self.p10 is None:
            object.__setattr__(self, "p10", self.p01)
        self._checked()

    def table(self) -> NDArray[np.float64]:
        """What is read, (2, 2): column j is the law of the bit read where the qubit is j."""
        low, high = self.rates
        return np.array([[1.0 - low, high], [low, 1.0 - high]])

    def kraus(self) -> Operators:
        """Refused: a readout error acts on outcomes, and has no Kraus operators; see :meth:`table`."""
        raise ValueError("a readout error acts on outcomes and has no Kraus operators; table() is its matrix")


def _twirl(rate: float, n_qubits: int | None) -> Operators:
    if n_qubits is None:
        raise ValueError(f"depolarizing of how many qubits? say kraus(n_qubits), 1 to {_LARGEST_TWIRL}")
    if not 1 <= integer("n_qubits", n_qubits, f"1..{_LARGEST_TWIRL}") <= _LARGEST_TWIRL:
        raise ValueError(f"n_qubits is {n_qubits}; the 4^n operators are written out for 1..{_LARGEST_TWIRL}")
    _core.Circuit(n_qubits).append("depolarizing", [], rates=[rate])
    return kraus_of("depolarizing", n_qubits, (rate,))


def _operators(matrices: Any) -> NDArray[np.complex128]:
    """Kraus matrices as an array (m, 2^k, 2^k)."""
    listed = matrices if isinstance(matrices, (list, tuple)) else (matrices,)
    if any(getattr(matrix, "requires_grad", False) for matrix in listed):
        raise ValueError("the matrices require a gradient, and a channel has none; use gates with weights")
    if hasattr(matrices, "resolve_conj"):  # a torch view may hold its conjugation as a flag that memory does not show
        matrices = matrices.resolve_conj().resolve_neg()
    try:
        entries = np.asarray(matrices, np.complex128)
    except (TypeError, ValueError):
        raise TypeError(f"the matrices of Kraus are a {type(matrices).__name__}; they must be square arrays of complex "
                        "numbers of one size") from None  # fmt: skip
    if entries.ndim != 3 or entries.shape[1:] not in ((2, 2), (4, 4)) or not len(entries):
        raise ValueError(f"the matrices of Kraus have shape {entries.shape}; it must be (m, 2, 2) for one qubit or "
                         "(m, 4, 4) for two")  # fmt: skip
    if not np.isfinite(entries).all():
        raise ValueError("a matrix of Kraus has an entry that is not finite; K^H K add up to 1")
    return entries
