"""``EstimatorV2``: Qiskit's estimator primitive, all parameter values of a PUB in one call of the engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from qiskit.primitives import (
    BaseEstimatorV2,
    DataBin,
    PrimitiveJob,
    PrimitiveResult,
    PubResult,
)
from qiskit.primitives.containers.estimator_pub import EstimatorPub

from qcsim.interop.pub import Prepared, prepared, reading_of
from qcsim.pauli import Word, text_of
from qcsim.verbs import expval

Floats: TypeAlias = NDArray[np.float64]
# Letters of Qiskit's observables as sums of Paulis: projectors on the eigenstates of Z, X and Y.
_LETTERS = {
    **{letter: ((1.0, letter),) for letter in "IXYZ"},
    **{plus: ((0.5, "I"), (0.5, letter)) for plus, letter in ("0Z", "+X", "rY")},
    **{minus: ((0.5, "I"), (-0.5, letter)) for minus, letter in ("1Z", "-X", "lY")},
}
_WASTE = 4  # how many times what is asked for may be computed to have it from one call


class EstimatorV2(BaseEstimatorV2):
    """Expectations of observables, exact, with the interface of ``qiskit.primitives.StatevectorEstimator``.

    Args:
        default_precision: standard deviation of a normal error that is added where a PUB or ``run`` gives none; 0: the
            exact value.
        seed: of that error; a number (each ``run`` begins anew with it), a ``numpy.random.Generator`` or None.
        num_threads: threads to use; None: as for :func:`qcsim.expval`.

    Raises:
        ValueError: in ``result()``, for circuits that :func:`qcsim.interop.from_qiskit` refuses; yet angles may be any
            expression of the parameters here.

    Example:
        >>> from qiskit import QuantumCircuit
        >>> from qiskit.circuit import Parameter
        >>> bell = QuantumCircuit(2)
        >>> _ = bell.ry(Parameter("t"), 0), bell.cx(0, 1)
        >>> result = EstimatorV2().run([(bell, ["ZI", "XX"], [[0.0], [np.pi / 2]])]).result()
        >>> result[0].data.evs.round(6)
        array([1., 1.])
    """

    def __init__(
        self,
        *,
        default_precision: float = 0.0,
        seed: np.random.Generator | int | None = None,
        num_threads: int | None = None,
    ) -> None:
        self._default_precision = default_precision
        self._seed = seed
        self._num_threads = num_threads

    @property
    def default_precision(self) -> float:
        """The precision where none is given."""
        return self._default_precision

    @property
    def seed(self) -> np.random.Generator | int | None:
        """The seed of the normal error."""
        return self._seed

    def run(self, pubs: Iterable[Any], *, precision: float | None = None) -> PrimitiveJob:
        """Start a job.

        Args:
            pubs: ``(circuit, observables, parameter values, precision)``, the last two optional; the shapes of
                observables and parameter values broadcast against each other.
            precision: for PUBs without one of their own.

        Returns:
            A ``PrimitiveJob``, whose ``result()`` holds for each PUB ``data.evs`` and ``data.stds`` (the precision) in
            the broadcast shape.
        """
        wanted = self._default_precision if precision is None else precision
        job = PrimitiveJob(self._run, [EstimatorPub.coerce(pub, wanted) for pub in pubs])
        job._submit()
        return job

    def _run(self, pubs: Sequence[Any]) -> PrimitiveResult:
        rng = np.random.default_rng(self._seed)
        return PrimitiveResult([self._run_pub(pub, rng) for pub in pubs], metadata={"version": 2})

    def _run_pub(self, pub: Any, rng: np.random.Generator) -> PubResult:
        values = self._expectations(pub)
        if pub.precision:
            values = np.asarray(rng.normal(values, pub.precision))
        data = DataBin(evs=values, stds=np.full(values.shape, pub.precision or 0.0), shape=values.shape)
        metadata = {"target_precision": pub.precision, "circuit_metadata": pub.circuit.metadata}
        return PubResult(data, metadata=metadata)

    def _expectations(self, pub: Any) -> Floats:
        """In the broadcast shape of parameter values and observables."""
        reading = reading_of(pub.circuit)
        if reading.read.measured:
            raise ValueError("the circuit has measurements, and an estimator measures by itself; leave them out: "
                             "circuit.remove_final_measurements()")  # fmt: skip
        observables, which = _distinct(pub.observables)
        sums = [_sum(observable) for observable in observables]
        ready = prepared(reading, pub, {qubit for terms in sums for word in terms for qubit, _ in word})
        rows = np.arange(len(ready.features)).reshape(pub.parameter_values.shape)
        rows, which = np.broadcast_arrays(rows, which)
        found = np.empty(rows.shape)
        if len(ready.features) * len(sums) <= _WASTE * found.size:
            found[...] = self._table(ready, sums)[rows, which]
            return found
        for place, terms in enumerate(sums):  # observables and values go in pairs: a table would be mostly idle
            here = which == place
            asked, back = np.unique(rows[here], return_inverse=True)
            some = ready._replace(features=ready.features[asked])
            found[here] = self._table(some, [terms])[back.ravel(), 0]
        return found

    def _table(self, ready: Prepared, sums: Sequence[Mapping[Word, float]]) -> Floats:
        """(R, K) expectations of all observables in all rows."""
        words = list(dict.fromkeys(word for terms in sums for word in terms))
        places = {word: place for place, word in enumerate(words)}
        factors = np.zeros((len(words), len(sums)))
        for column, terms in enumerate(sums):
            for word, factor in terms.items():
                factors[places[word], column] = factor
        texts = [text_of(tuple((ready.place[qubit], letter) for qubit, letter in word)) for word in words]
        table = np.empty((len(ready.features), len(sums)))
        for rows, features in ready.blocks(len(words)):
            table[rows] = expval(ready.circuit, None, texts, features=features, num_threads=self._num_threads) @ factors
        return table


def _distinct(array: Any) -> tuple[list[dict[str, float]], NDArray[np.intp]]:
    """The different observables of an array, and which of them stands at each place."""
    listed = np.asarray(array)
    numbers: dict[frozenset[tuple[str, float]], int] = {}
    which = [numbers.setdefault(frozenset(each.items()), len(numbers)) for each in listed.ravel()]
    return [dict(key) for key in numbers], np.array(which, np.intp).reshape(listed.shape)


def _sum(observable: Mapping[str, float]) -> dict[Word, float]:
    """An observable of Qiskit, text of letters with qubit 0 last, by Pauli words on its qubits."""
    found: dict[Word, float] = {}
    for text, coefficient in observable.items():
        places = [(qubit, letter) for qubit, letter in enumerate(reversed(text)) if letter != "I"]
        for choice in product(*(_LETTERS[letter] for _, letter in places)):
            factor = float(np.prod([part for part, _ in choice]))
            word = tuple((qubit, new) for (qubit, _), (_, new) in zip(places, choice, strict=True) if new != "I")
            found[word] = found.get(word, 0.0) + coefficient * factor
    return found
