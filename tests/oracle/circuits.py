"""Random circuits with their inputs for the tests, reproducible from one integer, and their translation into qcsim.

`Case` holds plain instructions for the oracle; `build` writes the same circuit through the public builder methods.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from oracle import dense
from oracle.dense import EMBEDDING, PARAMETERS, WIDTHS, Angle, Array, Instruction, Observable

if TYPE_CHECKING:
    import qcsim

REAL_GATES = ["ry", "x", "z", "h", "cnot", "cz", "swap", "ch", "cry", "toffoli", "fredkin", "mcx", "mcz", "unitary"]
ALL_GATES = list(WIDTHS)


@dataclass(frozen=True)
class Case:
    """One random circuit and one batch of inputs; `str` tells the seed that makes it again."""

    seed: int
    n: int
    instructions: list[Instruction]
    weights: Array
    amplitudes: Array | None
    features: Array | None
    qubits: tuple[int, ...] | None
    observables: tuple[Observable, ...]

    def __str__(self) -> str:
        return f"random_case(seed={self.seed}), n={self.n}, {[(i.gate, i.qubits, i.angles) for i in self.instructions]}"

    @property
    def inputs(self) -> dict[str, Any]:
        """The keyword arguments of a call, weights apart."""
        return {"amplitudes": self.amplitudes, "features": self.features}

    @property
    def point(self) -> dense.Inputs:
        """All inputs in double precision, with a batch axis."""
        return dense.batched(self.weights, **self.inputs)

    @property
    def measures(self) -> list[dict[str, Any]]:
        """The readouts of `qcsim.vjp`: a marginal and expectations."""
        return [{"qubits": self.qubits}, {"observables": self.observables}]

    @property
    def all_measures(self) -> list[dict[str, Any]]:
        """Every kind of readout."""
        return [*self.measures, {"variance": self.observables}, {"statevector": True}]

    def cast(self, dtype: Any) -> Case:
        """The same case with inputs of another precision (the oracle then reads the rounded numbers)."""
        given = {name: getattr(self, name) for name in ("weights", "amplitudes", "features")}
        kinds = {
            name: np.result_type(dtype, np.complex64) if np.iscomplexobj(a) else dtype for name, a in given.items()
        }
        return replace(self, **{name: a.astype(kinds[name]) for name, a in given.items() if a is not None})

    def circuit(self) -> qcsim.Circuit:
        """The circuit as qcsim sees it."""
        return build(self.n, self.instructions)


# Into qcsim -----------------------------------------------------------------------------------------------------------


def build(n: int, instructions: Sequence[Instruction]) -> qcsim.Circuit:
    """Writes instructions through the builder methods of `qcsim.Circuit`."""
    import qcsim

    circuit = qcsim.Circuit(n)
    for instruction in instructions:
        add(circuit, instruction)
    return circuit


def add(circuit: qcsim.Circuit, instruction: Instruction) -> None:
    """One gate by its builder method."""
    name, qubits, angles, matrix, word = instruction
    method = getattr(circuit, name)
    if name == "unitary":
        method(np.array(matrix), *qubits)
    elif name == "mcx":
        method(qubits[:-1], qubits[-1])
    elif name == "mcz":
        method(qubits)
    elif name == "pauli_rot":
        method(word, qubits, **keywords(angles[0]))
    elif all(angle == dense.weight(circuit.n_weights + k) for k, angle in enumerate(angles)):
        method(*qubits)  # without angles, or the next weights, which are the default
    elif len(angles) == 1:
        method(*qubits, **keywords(angles[0]))
    else:
        method(*qubits, angles=tuple(expression(angle) for angle in angles))


def keywords(angle: Angle) -> dict[str, Any]:
    """The keyword arguments of a gate of one angle."""
    if angle.source == "constant":
        return {"angle": angle.value}
    affine = {
        name: value for name, value, usual in (("scale", angle.scale, 1), ("shift", angle.shift, 0)) if value != usual
    }
    return {angle.source: int(angle.value), **affine}


def expression(angle: Angle) -> Any:
    """The angle as a value: a number, or `scale * qcsim.weight(k) + shift`."""
    import qcsim

    if angle.source == "constant":
        return angle.value
    plain = {"weight": qcsim.weight, "feature": qcsim.feature}[angle.source](int(angle.value))
    return plain if angle[2:] == (1, 0) else angle.scale * plain + angle.shift


# At random ------------------------------------------------------------------------------------------------------------


def random_unitary(rng: np.random.Generator, k: int, real: bool) -> Array:
    """A (2^k, 2^k) matrix drawn evenly from the orthogonal or the unitary group."""
    raw = rng.normal(size=(2**k, 2**k)) + (0 if real else 1j * rng.normal(size=(2**k, 2**k)))
    q, r = np.linalg.qr(raw)
    return q * (np.diag(r) / np.abs(np.diag(r)))


def random_amplitudes(rng: np.random.Generator, shape: tuple[int, ...], real: bool) -> Array:
    """Gaussian numbers, of any phase unless real."""
    return rng.normal(size=shape) + (0 if real else 1j * rng.normal(size=shape))


def random_angle(rng: np.random.Generator, weights: int, features: int) -> Angle:
    """A new or an earlier weight, a new or an earlier feature, or a constant; some are scaled and shifted."""
    kind = rng.choice(["new", "shared", "feature", "constant"], p=[0.5, 0.15, 0.2, 0.15])
    if kind == "constant":
        return dense.constant(float(rng.uniform(-7, 7)))
    affine = (float(rng.uniform(-2, 2)), float(rng.uniform(-3, 3))) if rng.random() < 0.25 else (1.0, 0.0)
    if kind == "feature":
        return Angle("feature", int(rng.integers(features + 1)), *affine)
    return Angle("weight", weights if kind == "new" or weights == 0 else int(rng.integers(weights)), *affine)


def random_gate(
    rng: np.random.Generator, n: int, names: Sequence[str], weights: int = 0, features: int = 0, real: bool = False
) -> Instruction:
    """One of the named gates that fit n qubits, on any ordered choice of different qubits."""
    name = str(rng.choice([name for name in names if WIDTHS[name] <= n and (name != "mcx" or n > 1)]))
    width = WIDTHS[name] or int(rng.integers(2 if name == "mcx" else 1, min(n, 3 if name == "unitary" else n) + 1))
    qubits = tuple(int(q) for q in rng.choice(n, width, replace=False))
    if name == "unitary":
        return dense.unitary(random_unitary(rng, width, real), *qubits)
    angles: list[Angle] = []
    word = "".join(rng.choice(list("XYZ"), width)) if name == "pauli_rot" else ""
    for _ in range(PARAMETERS.get(name, len(word) > 0)):
        angles.append(random_angle(rng, weights, features))
        weights = max(weights, dense.n_columns([Instruction(name, (), tuple(angles))], "weight"))
        features = max(features, dense.n_columns([Instruction(name, (), tuple(angles))], "feature"))
    return Instruction(name, qubits, tuple(angles), word=word)


def random_instructions(
    rng: np.random.Generator, n: int, length: int, embed: bool, real: bool = False
) -> list[Instruction]:
    """A mix of the gates, a third of them rotations that take weights."""
    names, turning = (REAL_GATES, ["ry", "cry"]) if real else (ALL_GATES, [*PARAMETERS, "pauli_rot"])
    program: list[Instruction] = [EMBEDDING] if embed else []
    for _ in range(length):
        columns = [dense.n_columns(program, source) for source in ("weight", "feature")]
        program.append(random_gate(rng, n, turning if rng.random() < 0.33 else names, *columns, real))
    return program


def random_word(rng: np.random.Generator, n: int) -> str:
    """A product of Paulis on some of the qubits, in any order."""
    chosen = rng.choice(n, int(rng.integers(1, n + 1)), replace=False)
    return " ".join(f"{rng.choice(list('XYZ'))}{q}" for q in chosen)


def random_observables(rng: np.random.Generator, n: int) -> tuple[Observable, ...]:
    """One to three words or weighted sums of words, now and then with the identity."""
    found: list[Observable] = []
    for _ in range(int(rng.integers(1, 4))):
        words = {random_word(rng, n) for _ in range(int(rng.integers(1, 5)))}
        found.append(random_word(rng, n))
        if rng.random() < 0.4:
            words |= {"I"} if rng.random() < 0.3 else set()
            found[-1] = {word: float(rng.normal()) for word in sorted(words)}
    return tuple(found)


def random_case(
    seed: int,
    n: int | None = None,
    batch: int | None = None,
    length: int | None = None,
    real: bool | None = None,
    embed: bool | None = None,
) -> Case:
    """Everything of one test from one integer.

    About a third of the cases have weights per sample. Two in five are real (real gates, real amplitudes); of the
    others that embed amplitudes, half embed complex ones.
    """
    rng = np.random.default_rng(seed)
    n = int(rng.choice(np.arange(1, 9), p=[0.1, 0.15, 0.17, 0.17, 0.16, 0.13, 0.07, 0.05])) if n is None else n
    batch = int(rng.integers(1, 5)) if batch is None else batch
    real = bool(rng.random() < 0.4) if real is None else real
    embed = bool(rng.random() < 0.6) if embed is None else embed
    program = random_instructions(rng, n, int(rng.integers(1, 3 * n + 6)) if length is None else length, embed, real)
    features = dense.n_columns(program, "feature")
    columns = dense.n_columns(program, "weight")
    per_sample = bool(rng.random() < 0.35)
    weights = rng.uniform(-4, 4, (batch, columns) if per_sample else columns)
    width = int(rng.integers(1, 2**n + 1)) if rng.random() < 0.5 else 2**n
    amplitudes = random_amplitudes(rng, (batch, width), real or bool(rng.random() < 0.5))
    kept = rng.choice(n, int(rng.integers(1, n + 1)), replace=False)
    return Case(
        seed=seed,
        n=n,
        instructions=program,
        weights=weights,
        amplitudes=amplitudes * 10 ** rng.uniform(-3, 3) if embed else None,
        features=rng.uniform(-4, 4, (batch, features)) if features else None,
        qubits=None if rng.random() < 0.4 else tuple(int(q) for q in kept),
        observables=random_observables(rng, n),
    )


def random_batch(seed: int, batch: int, n: int | None = None, **options: Any) -> Case:
    """A random case whose batch axis is real: one that reads amplitudes or features."""
    case = random_case(seed, n=n, batch=batch, **options)
    while case.amplitudes is None and case.features is None:
        seed += 100_000
        case = random_case(seed, n=n, batch=batch, **options)
    return case


def reference_case(
    n: int, batch: int, layers: int = 2, dtype: Any = np.float64, seed: int = 0, **replaced: Any
) -> Case:
    """The hardware-efficient circuit with random weights and amplitudes; `replaced` overrides fields."""
    rng = np.random.default_rng(seed)
    case = Case(
        seed=seed,
        n=n,
        instructions=dense.hardware_efficient(n, layers),
        weights=rng.uniform(-np.pi, np.pi, layers * n).astype(dtype),
        amplitudes=rng.normal(size=(batch, 2**n)).astype(dtype),
        features=None,
        qubits=None,
        observables=("Z0",),
    )
    return replace(case, **replaced)


def rows(case: Case, index: Any) -> Case:
    """The same case with some rows of its batch; an integer takes one sample without a batch axis."""
    taken = {name: None if a is None else a[index] for name, a in case.inputs.items()}
    return replace(case, weights=case.weights[index] if case.weights.ndim == 2 else case.weights, **taken)


def as_complex(case: Case) -> Case:
    """The same circuit after an RZ by a feature that is zero, so that nobody can tell that its state stays real."""
    column = dense.n_columns(case.instructions, "feature")
    at = 1 if EMBEDDING in case.instructions else 0
    program = [*case.instructions[:at], dense.gate("rz", 0, dense.feature(column)), *case.instructions[at:]]
    single = dense.is_single(case.weights, **case.inputs)
    features = np.zeros(1 if single else (case.point.size, 1), case.weights.dtype)
    if case.features is not None:
        features = np.concatenate([case.features, features], axis=-1)
    return replace(case, instructions=program, features=features)
