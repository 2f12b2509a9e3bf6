"""What is run for a tape and where its results are found: circuits and plans made once, for all tapes of a structure.

Called by the devices; inputs.py fills a recipe with the numbers of a tape, results.py reads what comes out.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

from pennylane import measurements as mps

from qcsim.circuit import Circuit
from qcsim.measurements import DensityMatrix, Expval, Measurement, Probabilities, Statevector, Variance
from qcsim.pauli import PauliSum
from qcsim.pennylane.gates import UnsupportedOperation
from qcsim.pennylane.observables import WireSum, is_live, on_qubits, spectrum_sum, wire_sum, words
from qcsim.pennylane.structure import Base, Layout, rotated, rotations_key, signature
from qcsim.simulate import Plan, make_plan

Kind: TypeAlias = Literal["expval", "words", "variance", "moments", "probabilities", "density", "amplitudes", "state"]
Expand: TypeAlias = Callable[[Sequence[Any]], Sequence[Any]]  # operations into supported ones

_KEPT = 128


class Options(NamedTuple):
    """What a device asks of every run."""

    mixed: bool
    num_threads: int | None
    method: str
    readout_error: float | None


class Answer(NamedTuple):
    """Where a measurement of the tape finds its numbers.

    Attributes:
        kind: how they become its result.
        plan: which of the recipe's plans.
        item: which of the plan's measurements.
        columns: of that measurement.
        order: of qubits, where a state is asked for in an order that is not the circuit's.
    """

    kind: Kind
    plan: int
    item: int
    columns: slice
    order: tuple[int, ...] = ()


class Recipe(NamedTuple):
    """What is run for the tapes of one structure: a plan for each basis that is not a matter of Pauli words."""

    wires: tuple[Any, ...]  # the label of each qubit
    layout: Layout
    plans: tuple[Plan, ...]
    answers: tuple[Answer, ...]


class Recipes:
    """What was made for tapes, by their structure: the last that were used."""

    def __init__(self, make: Callable[[Any], Any]) -> None:
        self._make = make
        self._known: OrderedDict[Hashable, Any] = OrderedDict()

    def of(self, tape: Any) -> Any:
        """What a tape whose operations are supported is run by."""
        key = signature(tape)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._make(tape)
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return found

    def knows(self, tape: Any) -> bool:
        """Whether a tape needs no look before it runs."""
        try:
            return signature(tape) in self._known
        except UnsupportedOperation:
            return False


def make_recipe(tape: Any, base: Base, options: Options, expand: Expand) -> Recipe:
    """The recipe of an analytic tape whose operations are supported.

    Args:
        tape: what to run.
        base: its circuit.
        options: of the device.
        expand: decomposes the rotations of a measurement into operations that are supported.
    """
    drafts = _Drafts(base)
    found = [_answer(mp, tape, drafts, options.mixed, expand) for mp in tape.measurements]
    plans = [
        make_plan(draft.circuit, draft.measurements(), "adjoint", options.num_threads, options.method)
        for draft in drafts.listed
    ]
    answers = tuple([answer._replace(item=drafts.listed[answer.plan].item(answer)) for answer in found])
    return Recipe(base.wires, base.layout, tuple(plans), answers)


class _Draft:
    """What will be measured of one circuit: all expectations as one measurement, all variances as one, others."""

    def __init__(self, circuit: Circuit) -> None:
        self.circuit = circuit
        self.expectations: list[PauliSum] = []
        self.variances: list[PauliSum] = []
        self.others: list[Measurement] = []

    def add(self, other: Measurement) -> int:
        """Where among the others it stands."""
        if other not in self.others:
            self.others.append(other)
        return self.others.index(other)

    def measurements(self) -> tuple[Measurement, ...]:
        """In the order of the plan."""
        means = (Expval(self.expectations),) if self.expectations else ()
        spreads = (Variance(self.variances),) if self.variances else ()
        return (*means, *spreads, *self.others)

    def item(self, answer: Answer) -> int:
        """The number in that order of an answer whose item counts from the first of its kind."""
        if answer.kind in ("expval", "words", "moments"):
            return 0
        before = bool(self.expectations)
        return before if answer.kind == "variance" else before + bool(self.variances) + answer.item


class _Drafts:
    """A draft for each basis that rotations lead to; the first is that of the circuit itself."""

    def __init__(self, base: Base) -> None:
        self.base = base
        self.listed: list[_Draft] = []
        self._numbers: dict[Hashable, int] = {}

    def number(self, rotations: Sequence[Any] = ()) -> int:
        """Which draft has these rotations behind the circuit."""
        key = rotations_key(rotations)
        if key not in self._numbers:
            self._numbers[key] = len(self.listed)
            self.listed.append(_Draft(rotated(self.base, rotations) if rotations else self.base.circuit))
        return self._numbers[key]


def _answer(mp: Any, tape: Any, drafts: _Drafts, mixed: bool, expand: Expand) -> Answer:
    sums = _sums(mp)
    if sums is not None:
        kind, terms = sums
        number = drafts.number()
        draft = drafts.listed[number]
        named = [on_qubits(each, drafts.base.qubit_of) for each in terms]
        if kind == "variance" and drafts.base.layout.scaled:  # squares and means grow with different powers of the norm
            kind, named = "moments", [named[0], named[0] * named[0]]
        listed = draft.variances if kind == "variance" else draft.expectations
        first = len(listed)
        listed.extend(named)
        return Answer(kind, number, 0, slice(first, len(listed)))
    number = drafts.number(expand(mp.diagonalizing_gates()))
    qubits = tuple(drafts.base.qubit_of[wire] for wire in mp.wires.labels or tape.wires.labels)
    kind, measured = _other(mp, qubits, mixed)
    order = qubits if kind == "amplitudes" else ()
    return Answer(kind, number, drafts.listed[number].add(measured), slice(None), order)


def _sums(mp: Any) -> tuple[Kind, tuple[WireSum, ...]] | None:
    """The sums of Pauli words that a measurement is the expectation or the variance of, if it is one."""
    if not isinstance(mp, (mps.ExpectationMP, mps.VarianceMP)):
        return None
    kind: Kind = "expval" if isinstance(mp, mps.ExpectationMP) else "variance"
    if mp.obs is None:
        terms = spectrum_sum(mp.eigvals(), mp.wires.labels)
    elif is_live(mp.obs):
        live = words(mp.obs) if kind == "expval" else None
        return None if live is None else ("words", tuple(((1.0, word),) for word in live))
    else:
        terms = wire_sum(mp.obs)
    return None if terms is None else (kind, (terms,))


def _other(mp: Any, qubits: tuple[int, ...], mixed: bool) -> tuple[Kind, Measurement]:
    if isinstance(mp, mps.ProbabilityMP):
        return "probabilities", Probabilities(qubits)
    if isinstance(mp, mps.DensityMatrixMP) or (mixed and isinstance(mp, mps.StateMP)):
        return "density", DensityMatrix(qubits)
    if isinstance(mp, mps.StateMP):
        return "amplitudes", Statevector()
    return "state", DensityMatrix() if mixed else Statevector()
