"""Circuits: what a user writes.

A circuit is a list of gates and channels, validated as it grows, and a value: equal circuits are equal, and one that
has been run or hashed is frozen, so that it can be a key. The engine's object lives inside; this face adds types, names
and words. The methods that add gates are in gates.py, those that add noise in noise.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, overload

from qcsim import _core, drawing, serialise
from qcsim.angles import Angle, as_angle, feature, weight
from qcsim.gates import Gates, listed
from qcsim.instruction import Instruction, depth, instructions
from qcsim.integers import counted, integer
from qcsim.misreading import NoiseSummary, summary_of
from qcsim.noise import Noise
from qcsim.other_names import Listed, point_to

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from qcsim.measurements import Reading

_KEPT_READOUTS = 64
Values = Mapping[int, Angle | float] | Sequence[Angle | float]


class Circuit(Gates, Noise, metaclass=Listed):
    """A quantum circuit on ``n_qubits`` qubits, built gate by gate.

    Qubit 0 is the most significant bit of a basis index. Every builder method returns the circuit. A gate takes its
    angle (radians) from the next trainable weight (the default), from a given one (``weight=k``, which may be shared),
    from a per-sample feature (``feature=k``), or is given a constant (``angle=0.3``) or an expression
    (``angle=2 * qcsim.weight(0) + 0.3``).

    Args:
        n_qubits: number of qubits, 1 to 28.

    Raises:
        ValueError: for a number of qubits, a qubit or an index outside its range.

    Example:
        >>> import qcsim
        >>> bell = qcsim.Circuit(2).ry(0).cnot(0, 1)
        >>> print(bell)
        q0: ─RY(w0)─●─
        q1: ────────X─
        >>> bell.n_weights
        1
    """

    __slots__ = ("_all_qubits", "_core", "_device_programs", "_frozen", "_noise", "_programs", "_readouts")

    def __init__(self, n_qubits: int) -> None:
        self._core = _core.Circuit(integer("n_qubits", n_qubits, f"1..{_core.MAX_QUBITS}"))
        self._frozen = False
        self._noise: NoiseSummary | None = None  # until asked for
        self._all_qubits = tuple(range(self._core.n_qubits))
        self._programs: dict[tuple[bool, str], _core.Compiled] = {}  # by whether amplitudes are complex, and method
        self._readouts: dict[Any, tuple[_core.Compiled, _core.Readout]] = {}
        self._device_programs: dict[Any, Any] = {}

    def amplitude_embedding(self) -> Circuit:
        """Start from amplitudes given at run time, zero-padded at the tail and normalised; first and once."""
        self._writable().embed_amplitudes()
        return self

    def ring(self) -> Circuit:
        """Add ``CNOT(i, (i+1) mod n)`` for i = 0 .. n-1 in that order; one qubit has no ring, two apply both."""
        n = self.n_qubits
        for qubit in range(n if n > 1 else 0):
            self.cnot(qubit, (qubit + 1) % n)
        return self

    # What it is ------------------------------------------------------------------------------------------------------

    @property
    def n_qubits(self) -> int:
        """Number of qubits."""
        return len(self._all_qubits)

    @property
    def all_qubits(self) -> tuple[int, ...]:
        """``(0, 1, ..., n_qubits - 1)``: what is measured if no one says."""
        return self._all_qubits

    @property
    def n_weights(self) -> int:
        """Number of trainable weights: one more than the largest index used."""
        return self._core.n_weights

    @property
    def n_features(self) -> int:
        """Number of per-sample features: one more than the largest index used."""
        return self._core.n_features

    @property
    def n_gates(self) -> int:
        """Number of gates and channels, the same as ``len(circuit)``."""
        return self._core.n_instructions

    @property
    def embeds_amplitudes(self) -> bool:
        """Whether the input state is given as amplitudes; otherwise it is |0...0>."""
        return self._core.embeds_amplitudes

    @property
    def instructions(self) -> tuple[Instruction, ...]:
        """The gates and channels in order, each with its name, qubits, angles, matrix and rates."""
        return instructions(self._core)

    def depth(self) -> int:
        """The number of moments if every gate runs as soon as its qubits are free; noise takes none.

        Example:
            >>> import qcsim
            >>> qcsim.Circuit(3).h(0).cnot(0, 1).cnot(1, 2).x(0).depth()
            3
        """
        return depth(self.instructions, self.n_qubits)

    def gate_counts(self) -> dict[str, int]:
        """How often each gate and channel occurs, by name in the order of first use.

        Example:
            >>> import qcsim
            >>> qcsim.Circuit(2).h(0).h(1).cz(0, 1).gate_counts()
            {'h': 2, 'cz': 1}
        """
        counts: dict[str, int] = {}
        for gate, *_ in self._core.instructions:
            counts[gate] = counts.get(gate, 0) + 1
        return counts

    # What can be made of it ------------------------------------------------------------------------------------------

    def copy(self) -> Circuit:
        """An equal circuit that can be added to, whether or not this one is frozen."""
        twin = Circuit.__new__(Circuit)
        twin._core = self._core.copy()
        twin._frozen = False
        twin._noise = self._noise
        twin._all_qubits = self._all_qubits
        twin._programs = {}
        twin._readouts = {}
        twin._device_programs = {}
        return twin

    def then(self, other: Circuit, *, qubits: Sequence[int] | None = None, fresh_weights: bool = False) -> Circuit:
        """A new circuit: this one, then another.

        Args:
            other: what follows. It may not embed amplitudes unless this circuit is empty.
            qubits: where its qubits 0, 1, ... go; None: to the same numbers, with as many qubits as here.
            fresh_weights: whether its weights are new ones, counted on from ``self.n_weights``; by default its weight k
                is the weight k of this circuit. Features are shared in any case.

        Returns:
            The joined circuit; ``a + b`` is ``a.then(b)``.

        Raises:
            ValueError: if the qubits do not fit, for an amplitude embedding after gates, or for depolarizing of all
                qubits of a smaller circuit, which is not that of all here.

        Example:
            >>> import qcsim
            >>> block = qcsim.Circuit(2).ry(0).cnot(0, 1)
            >>> print(block.then(block, fresh_weights=True))
            q0: ─RY(w0)─●─RY(w1)─●─
            q1: ────────X────────X─
        """
        if not isinstance(other, Circuit):
            raise TypeError(f"only a circuit can follow a circuit, got {other!r} of type {type(other).__name__}")
        places = _places(self.n_qubits, other.n_qubits, qubits)
        if other.embeds_amplitudes and (len(self) or self.embeds_amplitudes or places != tuple(range(self.n_qubits))):
            raise ValueError("the circuit that follows embeds amplitudes, which sets the input state; only the first "
                             "circuit can do so")  # fmt: skip
        if fresh_weights:
            other = other.assign(weights=[weight(self.n_weights + k) for k in range(other.n_weights)])
        moved = [_moved(gate, places, self.n_qubits) for gate in other.instructions]
        joined = self.copy()
        if other.embeds_amplitudes:
            joined.amplitude_embedding()
        for gate in moved:
            joined._add(gate)
        return joined

    def __add__(self, other: Circuit) -> Circuit:
        return self.then(other) if isinstance(other, Circuit) else NotImplemented

    def inverse(self) -> Circuit:
        """The circuit that undoes this one: inverse gates in reverse order, with the same weights and features.

        Raises:
            ValueError: for a circuit that embeds amplitudes or has noise, which no gate can undo.

        Example:
            >>> import qcsim
            >>> print(qcsim.Circuit(1).s(0).ry(0).inverse())
            q0: ─RY(-w0)─S†─
        """
        if self.embeds_amplitudes:
            raise ValueError("this circuit embeds amplitudes, which sets the input state and has no inverse; "
                             "invert a circuit of its gates alone")  # fmt: skip
        noisy = [gate.gate for gate in self.instructions if gate.is_channel]
        if noisy:
            raise ValueError(f"this circuit has noise ({noisy[0]}), which no gate undoes; invert a circuit without it")
        return _built(self.n_qubits, False, [gate.inverse() for gate in reversed(self.instructions)])

    def assign(self, *, weights: Values | None = None, features: Values | None = None) -> Circuit:
        """A new circuit with numbers or expressions in place of weights and features.

        Args:
            weights: one value for each weight, or a mapping from some of them; radians, or expressions such as
                ``qcsim.feature(0)``.
            features: the same for features.

        Returns:
            The new circuit. Weights and features that stay keep their numbers.

        Raises:
            ValueError: for a wrong number of values, or an index that the circuit does not have.

        Example:
            >>> import qcsim
            >>> print(qcsim.Circuit(2).ry(0).rz(1).assign(weights={0: 0.5}))
            q0: ─RY(0.5)─
            q1: ─RZ(w1)──
        """
        values = {
            **_values("weight", weight, weights, self.n_weights),
            **_values("feature", feature, features, self.n_features),
        }
        gates = [gate._replace(angles=tuple(_replaced(a, values) for a in gate.angles)) for gate in self.instructions]
        return _built(self.n_qubits, self.embeds_amplitudes, gates)

    def to_json(self) -> str:
        """The circuit as JSON text, one gate a line, every number exact.

        Example:
            >>> import qcsim
            >>> circuit = qcsim.Circuit(2).ry(0).cnot(0, 1)
            >>> print(circuit.to_json())
            {"format": "qcsim.circuit", "version": 1, "n_qubits": 2, "amplitude_embedding": false, "gates": [
            {"gate": "ry", "qubits": [0], "angles": [{"weight": 0}]},
            {"gate": "cnot", "qubits": [0, 1]}
            ]}
            >>> qcsim.Circuit.from_json(circuit.to_json()) == circuit
            True
        """
        return serialise.to_json(self.n_qubits, self.embeds_amplitudes, self.instructions)

    @classmethod
    def from_json(cls, text: str) -> Circuit:
        """The circuit of a text that :meth:`to_json` wrote.

        Raises:
            ValueError: if the text is no JSON, no circuit, or a circuit that could not have been built.
            TypeError: if it is no text, or holds another kind of thing where a number belongs.
        """
        return _built(*serialise.from_json(text))

    @overload
    def draw(self, style: Literal["text"] = "text", *, width: int | None = None) -> str: ...
    @overload
    def draw(self, style: Literal["mpl"], *, width: int | None = None) -> Figure: ...
    def draw(self, style: str = "text", *, width: int | None = None) -> str | Figure:
        """A drawing, one line a qubit, gates packed to the left; long circuits go on in further rows.

        Args:
            style: ``"text"`` or ``"mpl"`` (a matplotlib Figure, for notebooks and papers).
            width: where rows end: after so many characters of text (None: the width of the terminal), or inches of a
                figure (None: 11); 0: never.

        Returns:
            The text, or a ``matplotlib.figure.Figure`` (``figure.savefig("circuit.pdf")`` writes it).

        Raises:
            ValueError: for an unknown style or a negative width.
            ModuleNotFoundError: if ``"mpl"`` is asked for and matplotlib is not installed.

        Example:
            >>> import qcsim
            >>> print(qcsim.Circuit(2).h(0).crz(0, 1, feature=0).draw(width=0))
            q0: ─H───●────
            q1: ───RZ(f0)─
        """
        if width is not None and integer("width", width, "0 or more") < 0:
            raise ValueError(f"width is {width}; it must be 0 or more, 0 for one row")
        return drawing.draw(self.n_qubits, self.embeds_amplitudes, self.instructions, style, width)

    def __len__(self) -> int:
        return self.n_gates

    def __bool__(self) -> bool:
        return True  # a circuit without gates is a circuit

    def __str__(self) -> str:
        return self.draw()

    def __repr__(self) -> str:
        noisy = sum(gate.is_channel for gate in self.instructions)
        parts = [
            counted(self.n_qubits, "qubit"),
            counted(len(self), "gate") + (f" ({noisy} of noise)" if noisy else ""),
            counted(self.n_weights, "weight"),
            *([counted(self.n_features, "feature")] if self.n_features else []),
            *(["amplitude_embedding"] if self.embeds_amplitudes else []),
        ]
        return f"<Circuit: {', '.join(parts)}>"

    def __eq__(self, other: object) -> bool:
        return self._key() == other._key() if isinstance(other, Circuit) else NotImplemented

    def __hash__(self) -> int:
        self._frozen = True
        return hash(self._key())

    def __dir__(self) -> list[str]:
        return dir(type(self))

    def __copy__(self) -> Circuit:
        return self.copy()

    def __deepcopy__(self, memo: dict[int, Any]) -> Circuit:
        return self.copy()

    def __reduce__(self) -> tuple[Any, ...]:
        return Circuit.from_json, (self.to_json(),)

    # Inside ----------------------------------------------------------------------------------------------------------

    @property
    def noise_summary(self) -> NoiseSummary:
        """Its noise in short, found once."""
        found = self._noise
        if found is None:
            found = self._noise = summary_of(self._core)
        return found

    def _compiled(
        self, readings: tuple[Reading, ...], complex_input: bool, method: str = "statevector"
    ) -> tuple[_core.Compiled, _core.Readout]:
        """The compiled program and what to read from its final state; freezes the circuit."""
        key = (readings, complex_input, method)
        found = self._readouts.get(key)
        if found is None:
            self._frozen = True
            way = (complex_input, method)
            if way not in self._programs:
                self._programs[way] = _core.Compiled(self._core, complex_input, method)
            found = self._programs[way], _readout(self._programs[way], readings)
            if len(self._readouts) >= _KEPT_READOUTS:
                self._readouts.clear()  # one step, whatever other threads do
            self._readouts[key] = found
        return found

    def _device_program(self, key: Any, make: Callable[[], Any]) -> Any:
        """What was made of the circuit for a GPU, once for each key; freezes the circuit."""
        found = self._device_programs.get(key)
        if found is None:
            found = make()
            if len(self._device_programs) >= _KEPT_READOUTS:
                self._device_programs.clear()
            self._device_programs[key] = found
        return found

    def _key(self) -> tuple[Any, ...]:
        return (self.n_qubits, self.embeds_amplitudes, tuple(self._core.instructions))

    def _writable(self) -> _core.Circuit:
        if self._frozen:
            raise ValueError("this circuit has been run or hashed and is frozen; add gates to circuit.copy()")
        return self._core

    def _add(self, instruction: Instruction) -> None:
        instruction.append_to(self._writable())
        self._noise = None

    def _emptied(self) -> Circuit:
        return _built(self.n_qubits, self.embeds_amplitudes, [])


point_to(Circuit)


def _readout(program: _core.Compiled, readings: tuple[Reading, ...]) -> _core.Readout:
    readout = _core.Readout(program)
    for reading in readings:
        if reading[0] == "probabilities":
            readout.add_probabilities(reading[1])
        elif reading[0] == "expval":
            readout.add_expectations(reading[1])
        elif reading[0] == "density":
            readout.add_density(reading[1])
        else:
            readout.add_state()
    return readout


def _built(n_qubits: int, embeds: bool, gates: Sequence[Instruction]) -> Circuit:
    circuit = Circuit(n_qubits)
    if embeds:
        circuit.amplitude_embedding()
    for gate in gates:
        circuit._add(gate)
    return circuit


def _places(n_qubits: int, n_placed: int, qubits: Any) -> tuple[int, ...]:
    """Where the qubits of a circuit on ``n_placed`` qubits go among ``n_qubits``."""
    if qubits is None and n_placed != n_qubits:
        raise ValueError(f"a circuit on {n_placed} qubits after one on {n_qubits}; "
                         "say where its qubits go: then(other, qubits=[...])")  # fmt: skip
    allowed = f"0..{n_qubits - 1}"
    chosen = range(n_qubits) if qubits is None else listed("qubits", qubits)
    places = tuple(integer("a place of qubits", place, allowed) for place in chosen)
    if len(places) != n_placed:
        raise ValueError(f"qubits has {len(places)} places; the circuit that follows has {n_placed} qubits")
    if len(set(places)) != len(places):
        raise ValueError(f"qubits is {list(places)}; the places must be different")
    for place in places:
        if not 0 <= place < n_qubits:
            raise ValueError(f"qubits has place {place}; it must be in {allowed} of a {n_qubits}-qubit circuit")
    return places


def _moved(gate: Instruction, places: Sequence[int], n_qubits: int) -> Instruction:
    """A gate of a circuit whose qubits go to these places among ``n_qubits``."""
    if gate.gate != "depolarizing" or gate.qubits or len(places) == n_qubits:
        return gate._replace(qubits=tuple(places[qubit] for qubit in gate.qubits))
    if len(places) > 2:
        raise ValueError(f"the circuit that follows depolarizes all of its {len(places)} qubits, which are not all of "
                         f"the {n_qubits} here; only depolarizing of 1, 2 or all qubits is known")  # fmt: skip
    return gate._replace(qubits=tuple(places))


def _values(name: str, source: Any, given: Any, expected: int) -> dict[tuple[Any, int], Angle]:
    """The new angle of each weight or feature that has one."""
    if given is None:
        return {}
    if isinstance(given, Mapping):
        pairs = list(given.items())
    elif hasattr(given, "__getitem__") and not isinstance(given, str):
        if len(given) != expected:
            raise ValueError(f"{len(given)} {name}s were given; this circuit has {expected}: "
                             "to assign some of them give a mapping")  # fmt: skip
        pairs = list(enumerate(given))
    else:
        raise TypeError(f"{name}s is a {type(given).__name__}; it must be a sequence or a mapping such as {{0: 0.3}}")
    values = {}
    for key, value in pairs:
        index = integer(name, key, f"0..{expected - 1}")
        if not 0 <= index < expected:
            raise ValueError(f"{name} {index} is not in this circuit; it has {expected} {name}s")
        old = source(index)
        values[old.source, index] = as_angle(value, f"the value of {name} {index}")
    return values


def _replaced(angle: Angle, values: Mapping[tuple[Any, int], Angle]) -> Angle:
    new = values.get((angle.source, angle.index))
    return angle if new is None else new.affine(angle.scale, angle.shift)
