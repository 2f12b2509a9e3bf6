"""Random circuits with their inputs for the tests, reproducible from one integer, and their translation into qcsim.

`Case` holds plain instructions for the oracle; `build` writes the same circuit through the public builder methods.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from oracle import dense
from oracle.dense import Array, Instruction

if TYPE_CHECKING:
    import qcsim


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
    observables: tuple[str, ...]

    def __str__(self) -> str:
        return f"random_case(seed={self.seed}), n={self.n}, {self.instructions}"

    @property
    def inputs(self) -> dict[str, Any]:
        """The keyword arguments of a call, weights apart."""
        return {"amplitudes": self.amplitudes, "features": self.features}

    @property
    def measures(self) -> list[dict[str, Any]]:
        """Both readouts: a marginal and expectations."""
        return [{"qubits": self.qubits}, {"observables": self.observables}]

    def cast(self, dtype: Any) -> Case:
        """The same case with inputs of another precision (the oracle then reads the rounded numbers)."""
        given = {name: getattr(self, name) for name in ("weights", "amplitudes", "features")}
        return replace(self, **{name: array.astype(dtype) for name, array in given.items() if array is not None})

    def circuit(self) -> qcsim.Circuit:
        """The circuit as qcsim sees it."""
        return build(self.n, self.instructions)


def build(n: int, instructions: Sequence[Instruction]) -> qcsim.Circuit:
    """Writes instructions through the builder methods of `qcsim.Circuit`."""
    import qcsim

    circuit = qcsim.Circuit(n)
    for name, *arguments in instructions:
        if name == "ry":
            qubit, source, value = arguments
            fresh = source == "weight" and value == circuit.n_weights
            circuit.ry(qubit, **({} if fresh else {source: value}))
        else:
            getattr(circuit, str(name))(*arguments)
    return circuit


def random_rotation(rng: np.random.Generator, n: int, weights: int, features: int) -> Instruction:
    """RY with a new or an earlier weight, a new or an earlier feature, or a constant."""
    qubit = int(rng.integers(n))
    kind = rng.choice(["new", "shared", "feature", "angle"], p=[0.5, 0.15, 0.2, 0.15])
    if kind == "angle":
        return ("ry", qubit, "angle", float(rng.uniform(-7, 7)))
    if kind == "feature":
        return ("ry", qubit, "feature", int(rng.integers(features + 1)))
    return ("ry", qubit, "weight", weights if kind == "new" or weights == 0 else int(rng.integers(weights)))


def random_instructions(rng: np.random.Generator, n: int, length: int, embed: bool) -> list[Instruction]:
    """A mix of all gates; two-qubit gates on any ordered pair."""
    program: list[Instruction] = [("amplitude_embedding",)] if embed else []
    for _ in range(length):
        name = rng.choice(["ry", "x", "cnot", "swap"], p=[0.5, 0.08, 0.32, 0.1]) if n > 1 else rng.choice(["ry", "x"])
        if name == "ry":
            program.append(random_rotation(rng, n, dense.n_weights(program), dense.n_features(program)))
        elif name == "x":
            program.append(("x", int(rng.integers(n))))
        else:
            a, b = (int(q) for q in rng.choice(n, 2, replace=False))
            program.append((str(name), a, b))
    return program


def random_observables(rng: np.random.Generator, n: int) -> tuple[str, ...]:
    """One to three products of Z over random distinct qubits."""
    subsets = [rng.choice(n, int(rng.integers(1, n + 1)), replace=False) for _ in range(int(rng.integers(1, 4)))]
    return tuple(" ".join(f"Z{q}" for q in subset) for subset in subsets)


def random_case(seed: int, n: int | None = None, batch: int | None = None, length: int | None = None) -> Case:
    """Everything of one test from one integer; about a third of the cases have weights per sample."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 11)) if n is None else n
    batch = int(rng.integers(1, 5)) if batch is None else batch
    embed = bool(rng.random() < 0.6)
    program = random_instructions(rng, n, int(rng.integers(1, 4 * n + 6)) if length is None else length, embed)
    features = dense.n_features(program)
    per_sample = bool(rng.random() < 0.35)
    weights = rng.uniform(-4, 4, (batch, dense.n_weights(program)) if per_sample else dense.n_weights(program))
    width = int(rng.integers(1, 2**n + 1)) if rng.random() < 0.5 else 2**n
    kept = rng.choice(n, int(rng.integers(1, n + 1)), replace=False)
    return Case(
        seed=seed,
        n=n,
        instructions=program,
        weights=weights,
        amplitudes=rng.normal(size=(batch, width)) * 10 ** rng.uniform(-3, 3) if embed else None,
        features=rng.uniform(-4, 4, (batch, features)) if features else None,
        qubits=None if rng.random() < 0.4 else tuple(int(q) for q in kept),
        observables=random_observables(rng, n),
    )


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
