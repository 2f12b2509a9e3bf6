"""Random noisy circuits for the tests, reproducible from one integer, and their translation into qcsim.

A `NoisyCase` is a `Case` with channels among its gates: check.py compares it with noisy.py, the rest of its helpers
(`rows`, `as_complex`, `cast`) serve it as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from oracle import circuits, dense, noisy
from oracle.circuits import Case, random_case
from oracle.dense import EMBEDDING, Array
from oracle.noisy import Channel, Item

if TYPE_CHECKING:
    import qcsim

ONE_QUBIT = ["bit_flip", "phase_flip", "bit_phase_flip", "pauli", "amplitude_damping", "phase_damping"]
LOCAL = [*ONE_QUBIT, "thermal_relaxation", "depolarizing", "kraus"]
ALL_CHANNELS = [*LOCAL, "global", "readout_error"]
MIXTURES = ["bit_flip", "phase_flip", "bit_phase_flip", "pauli", "depolarizing"]  # of unitaries, weights fixed


@dataclass(frozen=True)
class NoisyCase(Case):
    """One random noisy circuit and one batch of inputs."""

    def __str__(self) -> str:
        items = [(i.gate, i.qubits, i.angles or getattr(i, "rates", ())) for i in self.instructions]
        return f"random_noisy_case(seed={self.seed}), n={self.n}, {items}"

    @property
    def all_measures(self) -> list[dict[str, Any]]:
        """Every kind of readout of a density matrix."""
        return [*self.measures, {"variance": self.observables}, {"density": self.qubits}]

    def circuit(self) -> qcsim.Circuit:
        """The circuit as qcsim sees it."""
        return build(self.n, self.instructions)


# Into qcsim -----------------------------------------------------------------------------------------------------------


def build(n: int, instructions: Sequence[Item]) -> qcsim.Circuit:
    """Writes gates and channels through the builder methods of `qcsim.Circuit`."""
    circuit = circuits.build(n, instructions[:0])
    for item in instructions:
        if isinstance(item, Channel):
            add_channel(circuit, item)
        else:
            circuits.add(circuit, item)
    return circuit


def add_channel(circuit: qcsim.Circuit, item: Channel) -> None:
    """One channel by its builder method."""
    name, qubits, rates, _ = item
    if name == "depolarizing":
        circuit.depolarizing(*rates, qubits=list(qubits) or None)
    elif name == "readout_error":
        circuit.readout_error(*rates, qubits=list(qubits))
    elif name == "kraus":
        circuit.kraus(np.array(item.matrices), *qubits)
    elif name == "pauli":
        circuit.pauli_channel(*rates, *qubits)
    elif name == "amplitude_damping":
        circuit.amplitude_damping(rates[0], *qubits, excited=rates[1])
    elif name == "thermal_relaxation":
        circuit.thermal_relaxation(*qubits, **dict(zip(("t1", "t2", "time", "excited"), rates, strict=True)))
    else:
        getattr(circuit, name)(*rates, *qubits)


# At random ------------------------------------------------------------------------------------------------------------


def random_kraus(rng: np.random.Generator, k: int, m: int, real: bool) -> Array:
    """(m, 2^k, 2^k) matrices of a channel: the blocks of a random isometry."""
    raw = rng.normal(size=(m * 2**k, 2**k)) + (0 if real else 1j * rng.normal(size=(m * 2**k, 2**k)))
    return np.linalg.qr(raw)[0].reshape(m, 2**k, 2**k)


def largest_depolarizing(k: int) -> float:
    """Of k qubits: all words of Paulis but the identity alike."""
    return 4**k / (4**k - 1)


def random_rates(rng: np.random.Generator, name: str, k: int) -> list[float]:
    """Rates of a channel on k qubits; one in six is extreme."""
    level = float(rng.choice([0.0, 1.0])) if rng.random() < 1 / 6 else float(rng.uniform(0, 1))
    if name == "depolarizing":
        return [level * largest_depolarizing(k)]
    if name == "pauli":
        return [float(p) for p in level * rng.dirichlet(np.ones(3))]
    if name == "amplitude_damping":
        return [level, float(rng.choice([0.0, 1.0, rng.uniform()], p=[0.4, 0.1, 0.5]))]
    if name == "thermal_relaxation":
        t1 = float(rng.uniform(0.5, 100))
        t2 = 2 * t1 * (1.0 if rng.random() < 0.2 else float(rng.uniform(0.1, 1)))
        return [t1, t2, 2 * level * t1, float(rng.choice([0.0, rng.uniform()]))]
    return [level]


def random_channel(
    rng: np.random.Generator, n: int, names: Sequence[str] = ALL_CHANNELS, real: bool = False
) -> Channel:
    """One of the named channels on any choice of different qubits."""
    name = str(rng.choice(names))
    if name == "global":
        return noisy.channel("depolarizing", [], *random_rates(rng, "depolarizing", n))
    k = int(rng.integers(1, min(n, 2) + 1)) if name in ("depolarizing", "kraus") else 1
    qubits = [int(q) for q in rng.choice(n, k, replace=False)]
    if name == "kraus":
        return noisy.kraus_channel(random_kraus(rng, k, int(rng.integers(1, 5)), real), *qubits)
    if name == "readout_error":
        return noisy.channel(name, qubits, *rng.uniform(0, 1, 2))
    return noisy.channel(name, qubits, *random_rates(rng, name, k))


def with_channels(case: Case, rng: np.random.Generator, count: int, names: Sequence[str], real: bool) -> NoisyCase:
    """The case with channels at random positions, behind the embedding."""
    program: list[Item] = list(case.instructions)
    for _ in range(count):
        at = int(rng.integers(EMBEDDING in program[:1], len(program) + 1))
        program.insert(at, random_channel(rng, case.n, names, real))
    given = {field.name: getattr(case, field.name) for field in fields(case)}
    return NoisyCase(**{**given, "instructions": program})


def random_noisy_case(
    seed: int,
    n: int | None = None,
    count: int | None = None,
    names: Sequence[str] = ALL_CHANNELS,
    real: bool | None = None,
    **options: Any,
) -> NoisyCase:
    """Everything of one test from one integer: `random_case` of 1 to 5 qubits with one to five channels."""
    rng = np.random.default_rng([seed, 1])
    n = int(rng.choice(np.arange(1, 6), p=[0.15, 0.25, 0.3, 0.2, 0.1])) if n is None else n
    real = bool(rng.random() < 0.4) if real is None else real
    case = random_case(seed, n=n, real=real, **options)
    return with_channels(case, rng, int(rng.integers(1, 6)) if count is None else count, names, real)


def noisy_batch(seed: int, batch: int, n: int | None = None, **options: Any) -> NoisyCase:
    """A random noisy case whose batch axis is real: one that reads amplitudes or features."""
    case = random_noisy_case(seed, n=n, batch=batch, **options)
    while case.amplitudes is None and case.features is None:
        seed += 100_000
        case = random_noisy_case(seed, n=n, batch=batch, **options)
    return case


def random_input(rng: np.random.Generator, n: int) -> tuple[Array, Array]:
    """A random vector of Gaussian amplitudes (2^n,) and its density matrix (2^n, 2^n)."""
    amplitudes = circuits.random_amplitudes(rng, (2**n,), False)
    psi = amplitudes / np.linalg.norm(amplitudes)
    return amplitudes, np.outer(psi, psi.conj())


def after(item: Channel, rho: Array) -> Array:
    """What the oracle makes of a density matrix (2^n, 2^n) by one channel."""
    n = len(rho).bit_length() - 1
    return noisy.forwards(item, noisy.operators(n, item, []), rho[None])[0]


def only(item: Item, n: int) -> Any:
    """A circuit of qcsim of the embedding and one item."""
    return build(n, [EMBEDDING, item])


def without_noise(case: Case) -> Case:
    """The gates alone, for dense.py."""
    given = {field.name: getattr(case, field.name) for field in fields(case)}
    gates = [item for item in case.instructions if isinstance(item, dense.Instruction)]
    return Case(**{**given, "instructions": gates})
