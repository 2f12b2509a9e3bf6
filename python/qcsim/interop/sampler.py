"""``SamplerV2``: Qiskit's sampler primitive, all parameter values of a PUB in one call of the engine."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from qiskit.primitives import (
    BaseSamplerV2,
    BitArray,
    DataBin,
    PrimitiveJob,
    PrimitiveResult,
    SamplerPubResult,
)
from qiskit.primitives.containers.sampler_pub import SamplerPub

from qcsim.interop.pub import Prepared, prepared, reading_of
from qcsim.verbs import sample

Outcomes = NDArray[np.int64]


class SamplerV2(BaseSamplerV2):
    """Measured bits, with the interface of ``qiskit.primitives.StatevectorSampler``.

    Args:
        default_shots: where a PUB or ``run`` gives none.
        seed: a number (each ``run`` begins anew with it), a ``numpy.random.Generator`` or None. The draws do not depend
            on the number of threads; they are not those that Qiskit draws from the same seed.
        num_threads: threads to use; None: as for :func:`qcsim.sample`.

    Raises:
        ValueError: in ``result()``, for circuits that :func:`qcsim.interop.from_qiskit` refuses; yet angles may be any
            expression of the parameters here.

    Example:
        >>> from qiskit import QuantumCircuit
        >>> bell = QuantumCircuit(2)
        >>> _ = bell.h(0), bell.cx(0, 1), bell.measure_all()
        >>> bits = SamplerV2(seed=0).run([bell], shots=100).result()[0].data.meas
        >>> sorted(bits.get_counts())
        ['00', '11']
    """

    def __init__(
        self,
        *,
        default_shots: int = 1024,
        seed: np.random.Generator | int | None = None,
        num_threads: int | None = None,
    ) -> None:
        self._default_shots = default_shots
        self._seed = seed
        self._num_threads = num_threads

    @property
    def default_shots(self) -> int:
        """The shots where none are given."""
        return self._default_shots

    @property
    def seed(self) -> np.random.Generator | int | None:
        """The seed of the draws."""
        return self._seed

    def run(self, pubs: Iterable[Any], *, shots: int | None = None) -> PrimitiveJob:
        """Start a job.

        Args:
            pubs: circuits with measurements at the end, or ``(circuit, parameter values, shots)``, the last two
                optional.
            shots: for PUBs without their own.

        Returns:
            A ``PrimitiveJob``, whose ``result()`` holds for each PUB a ``BitArray`` of every classical register, in the
            shape of the parameter values. Bits that nothing is measured into are 0.
        """
        wanted = self._default_shots if shots is None else shots
        listed = [SamplerPub.coerce(pub, wanted) for pub in pubs]
        if any(not pub.circuit.cregs for pub in listed):
            warnings.warn("a circuit has no classical register, so its result is empty; add measurements: "
                          "circuit.measure_all()", UserWarning, stacklevel=2)  # fmt: skip
        job = PrimitiveJob(self._run, listed)
        job._submit()
        return job

    def _run(self, pubs: Sequence[Any]) -> PrimitiveResult:
        rng = np.random.default_rng(self._seed)
        return PrimitiveResult([self._run_pub(pub, rng) for pub in pubs], metadata={"version": 2})

    def _run_pub(self, pub: Any, rng: np.random.Generator) -> SamplerPubResult:
        reading = reading_of(pub.circuit)
        registers = _registers(pub.circuit, reading.read.measured)
        # The last bit first: the outcome of a circuit with one register, measured in full, is the register's number.
        order = list(dict.fromkeys(qubit for register in registers for qubit in register.qubits[::-1] if qubit >= 0))
        ready = prepared(reading, pub, order)
        drawn = self._drawn(ready, [ready.place[qubit] for qubit in order], pub.shots, rng)
        weights = {qubit: len(order) - 1 - place for place, qubit in enumerate(order)}
        shape = (*pub.parameter_values.shape, pub.shots)
        data = {}
        for register in registers:
            packed = _packed(drawn, register, weights, len(order))
            data[register.name] = BitArray(packed.reshape(*shape, packed.shape[-1]), len(register.qubits))
        metadata = {"shots": pub.shots, "circuit_metadata": pub.circuit.metadata}
        return SamplerPubResult(DataBin(**data, shape=pub.shape), metadata=metadata)

    def _drawn(self, ready: Prepared, qubits: list[int], shots: int, rng: np.random.Generator) -> Outcomes:
        """(R, shots) outcomes, the first of the qubits the most significant bit."""
        drawn = np.zeros((len(ready.features), shots), np.int64)
        if not qubits or not drawn.size:
            return drawn
        for rows, features in ready.blocks(2 ** len(qubits)):
            # Without features all rows are the same state: one run, as many draws.
            per_run = shots if features is not None else shots * (rows.stop - rows.start)
            options: dict[str, Any] = {"seed": int(rng.integers(2**31)), "num_threads": self._num_threads}
            found = sample(ready.circuit, features=features, shots=per_run, qubits=qubits, **options)
            drawn[rows] = found.reshape(-1, shots)
        return drawn


class _Register(NamedTuple):
    """A classical register: its name, and the qubit that each of its bits is read from, -1 for none."""

    name: str
    qubits: list[int]


def _registers(circuit: Any, measured: Mapping[int, int]) -> list[_Register]:
    places = {bit: place for place, bit in enumerate(circuit.clbits)}
    return [_Register(each.name, [measured.get(places[bit], -1) for bit in each]) for each in circuit.cregs]


def _packed(drawn: Outcomes, register: _Register, weights: Mapping[int, int], width: int) -> NDArray[np.uint8]:
    """(R, shots, bytes) the bits of a register, the last bit in front."""
    if 1 << width > drawn.size:
        return _bytes(drawn, register, weights)
    table = _bytes(np.arange(1 << width), register, weights)
    return table[drawn]


def _bytes(outcomes: Outcomes, register: _Register, weights: Mapping[int, int]) -> NDArray[np.uint8]:
    n_bytes = -(-len(register.qubits) // 8)
    packed = np.zeros((*outcomes.shape, n_bytes), np.uint8)
    for bit, qubit in enumerate(register.qubits):
        if qubit >= 0:
            value = (outcomes >> weights[qubit] & 1).astype(np.uint8)
            packed[..., n_bytes - 1 - bit // 8] |= value << (bit % 8)
    return packed
