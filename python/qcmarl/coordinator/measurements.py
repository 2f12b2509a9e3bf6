"""Local measurements as differentiable functions of an agent's settings.

A measurement turns P real settings, which a network makes from the agent's observation, into K effects in the
coordinates of the resource. They add up to the unit whatever the settings are, by construction.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from qcmarl.coordinator.coordinates import coordinates, reader
from qcmarl.quantum import LocalUnitaries

Kind = Literal["projective", "povm"]
Gates = Literal["rotations", "ry"]
RIDGE = 1e-6
"""Share of the identity in every unnormalised effect: the sum of them can be divided by, wherever the network is."""


class Measurement(nn.Module):
    """From settings (..., P) to effects (..., K, V)."""

    settings: int
    """P."""
    outcomes: int
    """K."""
    recipe: dict[str, Any]
    """Plain values that `made` makes the same measurement of."""
    _read: Tensor

    def forward(self, settings: Tensor) -> Tensor:
        """(..., K, V) effects."""
        raise NotImplementedError

    def decisive(self, effects: Tensor) -> Tensor:
        """(..., K, V) effects of an agent who leaves nothing to chance that is its own to choose: a measured outcome is
        not."""
        return effects


class Projective(Measurement):
    """Rotate the qubits by a circuit whose angles are the settings, then read them out: K = D = 2^m outcomes.

    Args:
        dimension: D, a power of 2.
        gates: "rotations": RZ and RY, every measurement of a qubit; "ry": RY alone, those in one plane. With more than
            one qubit, layers of them with rings of CNOTs between.

    Raises:
        ValueError: D is no power of 2.
    """

    def __init__(self, dimension: int, gates: Gates = "rotations") -> None:
        super().__init__()
        qubits = dimension.bit_length() - 1
        if dimension < 2 or 1 << qubits != dimension:
            raise ValueError(
                f"dimension is {dimension}; projective measurements rotate qubits, so it must be 2, 4, 8, .."
            )
        self.unitaries = LocalUnitaries(qubits, gates)
        self.settings, self.outcomes = self.unitaries.angles, dimension
        self.recipe = {"kind": "projective", "dimension": dimension, "gates": gates}
        self.register_buffer("_read", reader(dimension), persistent=False)

    def forward(self, settings: Tensor) -> Tensor:
        """E_k = U^dagger |k><k| U."""
        u = self.unitaries(settings.flatten(0, -2))
        effects = u.conj().unsqueeze(-1) * u.unsqueeze(-2)
        return coordinates(effects, self._read).view(*settings.shape[:-1], self.outcomes, -1)


class POVM(Measurement):
    """Any measurement of K outcomes: E_k = C^-1 (A_k^dagger A_k + r I / K) C^-dagger, which adds up to I, with
    C C^dagger = r I + sum_k A_k^dagger A_k.

    Args:
        dimension: D.
        outcomes: K (>= 2).
    """

    def __init__(self, dimension: int, outcomes: int) -> None:
        super().__init__()
        self.dimension, self.outcomes = dimension, outcomes
        self.settings = outcomes * dimension * dimension * 2
        self.recipe = {"kind": "povm", "dimension": dimension, "outcomes": outcomes}
        self.register_buffer("_read", reader(dimension), persistent=False)

    def forward(self, settings: Tensor) -> Tensor:
        """Effects by Cholesky's factor of the sum: no eigenvectors, whose gradients blow up where values meet.

        In double precision: the sum's condition may reach 1 / `RIDGE`, and in single precision effects then miss the
        unit by a tenth, which is a channel between the agents.
        """
        d, k = self.dimension, self.outcomes
        a = torch.view_as_complex(settings.double().reshape(-1, k, d, d, 2))
        positive = a.mH @ a
        scale = positive.diagonal(dim1=-2, dim2=-1).real.sum((-2, -1)) / d
        ridge = (RIDGE * (scale + 1e-12)).view(-1, 1, 1) * torch.eye(d, dtype=torch.double, device=scale.device)
        positive = positive + (ridge / k).unsqueeze(1)
        c = torch.linalg.cholesky(positive.sum(1)).unsqueeze(1)
        half = torch.linalg.solve_triangular(c, positive, upper=False)
        effects = torch.linalg.solve_triangular(c, half.mH, upper=False).to(torch.complex64)
        return coordinates(effects, self._read).view(*settings.shape[:-1], k, -1)


class LookUp(Measurement):
    """A classical agent that knows the shared random number: a law of K outcomes for each of its L values.

    Args:
        latent: L.
        outcomes: K.
    """

    def __init__(self, latent: int, outcomes: int) -> None:
        super().__init__()
        self.latent, self.outcomes, self.settings = latent, outcomes, latent * outcomes
        self.recipe = {"kind": "look-up", "latent": latent, "outcomes": outcomes}

    def forward(self, settings: Tensor) -> Tensor:
        """Entry l of effect k is the probability of k where the number is l."""
        return F.softmax(settings.view(*settings.shape[:-1], self.outcomes, self.latent), -2)

    def decisive(self, effects: Tensor) -> Tensor:
        """The likeliest outcome at each value of the number, for certain."""
        return F.one_hot(effects.argmax(-2), self.outcomes).to(effects.dtype).transpose(-1, -2)


KINDS: dict[str, type[Measurement]] = {"projective": Projective, "povm": POVM, "look-up": LookUp}


def made(recipe: Mapping[str, Any]) -> Measurement:
    """The measurement of a `Measurement.recipe`."""
    return KINDS[recipe["kind"]](**{name: value for name, value in recipe.items() if name != "kind"})
