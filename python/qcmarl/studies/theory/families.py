"""Families of correlated policies of n agents with two actions each, as joint laws (2^n,), and their generators.

Agent 0 is the most significant bit. Each is given its observation, which is left out. Called by `parameters`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

import qcsim

Floats = npt.NDArray[np.float64]


def copied_coin(agents: int, generator: np.random.Generator) -> Floats:
    """All do the same, one of two things: TC = (n - 1) ln 2. Not random."""
    law = np.zeros(1 << agents)
    law[[0, -1]] = 0.5
    return law


def one_of_them(agents: int, generator: np.random.Generator) -> Floats:
    """Exactly one agent, whichever, acts: TC = n h(1/n) - ln n. Not random."""
    law = np.zeros(1 << agents)
    law[1 << np.arange(agents)] = 1 / agents
    return law


def even_parity(agents: int, generator: np.random.Generator) -> Floats:
    """Uniform over the strings with an even number of ones: TC = ln 2, and any n - 1 agents are independent. Not
    random."""
    weight = np.array([code.bit_count() for code in range(1 << agents)])
    return np.where(weight % 2, 0.0, 2.0 ** (1 - agents))


def mixture(agents: int, generator: np.random.Generator, components: int = 4) -> Floats:
    """A random mixture of four products."""
    weights, ones = generator.dirichlet(np.ones(components)), generator.beta(0.5, 0.5, (components, agents))
    law = weights[:, None]
    for one in ones.T:
        law = (law[:, :, None] * np.stack([1 - one, one], 1)[:, None, :]).reshape(components, -1)
    return np.asarray(law.sum(0))


def circuit(agents: int, generator: np.random.Generator, layers: int = 2) -> Floats:
    """Born's law of the hardware-efficient circuit at |0...0> with random angles, two layers."""
    ansatz = born_circuit(agents, layers)
    return np.asarray(qcsim.probabilities(ansatz, generator.uniform(-np.pi, np.pi, ansatz.n_weights)))


def commuting(agents: int, generator: np.random.Generator) -> Floats:
    """Born's law of an IQP circuit: Hadamards, random RZ on each qubit and RZZ on each pair, Hadamards."""
    iqp = qcsim.Circuit(agents)
    for qubit in range(agents):
        iqp.h(qubit)
    for first in range(agents):
        iqp.rz(first)
        for second in range(first + 1, agents):
            iqp.rzz(first, second)
    for qubit in range(agents):
        iqp.h(qubit)
    return np.asarray(qcsim.probabilities(iqp, generator.uniform(-np.pi, np.pi, iqp.n_weights)))


def generic(agents: int, generator: np.random.Generator) -> Floats:
    """Any law at all: uniform on the simplex, 2^n - 1 free numbers."""
    return generator.dirichlet(np.ones(1 << agents))


def born_circuit(agents: int, layers: int) -> qcsim.Circuit:
    """Layers of RY and the ring of CNOTs at |0...0>, one qubit an agent: the reference circuit without an input."""
    ansatz = qcsim.Circuit(agents)
    for _ in range(layers):
        for qubit in range(agents):
            ansatz.ry(qubit)
        ansatz.ring()
    return ansatz


FAMILIES: dict[str, Callable[[int, np.random.Generator], Floats]] = {
    "copied coin": copied_coin,
    "one of them": one_of_them,
    "even parity": even_parity,
    "random mixture": mixture,
    "random circuit": circuit,
    "random IQP": commuting,
    "generic": generic,
}
RANDOM = ("random mixture", "random circuit", "random IQP", "generic")
"""Families of which each draw is another law."""
