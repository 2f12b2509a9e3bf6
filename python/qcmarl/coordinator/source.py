"""The device that the agents share, simulated: it holds the shared state, and gives each party its own outcome. Run by
`processes`.

It is asked by one party at a time, in any order, and sees a party's measurement only: no observation, no action. What
it tells one party is drawn given what it told those before. By Born's rule the order is without effect on the law of
all outcomes, and the law of one party's is the same whatever the others measure, or if they measure nothing.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from qcmarl import checkpoint
from qcmarl.coordinator.actors import own_generator
from qcmarl.coordinator.coordinates import basis, unit
from qcmarl.coordinator.states import QuantumState, Resource
from qcmarl.laws.born import contracted, picked
from qcmarl.laws.table import drawn

KIND = "source"
TOLERANCE = 1e-5
"""How far effects may be from positive ones that add up to the identity: they come in single precision."""
MOST_OPEN = 64
"""Batches that some parties have measured and others not."""


def save(path: Path, resource: Resource) -> None:
    """Writes what the agents share, noise included: whole, or not at all."""
    dimension = resource.dimension if isinstance(resource, QuantumState) else None
    checkpoint.save(path, {"kind": KIND, "state": resource().detach().clone(), "dimension": dimension})


def load(path: Path, seed: int = 0) -> OutcomeSource:
    """The device of a file that `save` wrote.

    Raises:
        ValueError: no such file, it is damaged, or it holds something else.
    """
    content = checkpoint.load(path, plain=True)
    if content.pop("kind", None) != KIND or content.keys() != {"state", "dimension"}:
        raise ValueError(f"{path} holds no shared state of this version")
    return OutcomeSource(content["state"], content["dimension"], seed)


class OutcomeSource:
    """Copies of a shared state, handed out in batches: the k-th time that a party asks, it measures its parts of the
    k-th batch.

    Args:
        state: (V, .., V), an axis for each of the n parties: coordinates, as a `Resource` gives them.
        dimension: D of a party's part of a quantum state; None: the state is that of a random number with V values,
            which the parties are told.
        seed: of what is drawn. The same questions in the same order get the same answers.
    """

    def __init__(self, state: Tensor, dimension: int | None, seed: int = 0) -> None:
        self.parties, self.dimension, self.size = state.dim(), dimension, state.shape[0]
        self._state = state.double()
        whole = torch.ones(self.size) if dimension is None else unit(dimension)
        self._unit = whole.double()
        self._asked = [0] * self.parties
        self._open: dict[int, _Batch] = {}
        self._generators = [own_generator(seed, party) for party in range(self.parties)]

    def outcome(self, party: int, setting: Tensor | int) -> Tensor:
        """Measures a party's parts of its next batch.

        Args:
            party: 0..n-1.
            setting: (B, K, V) effects of its measurement in each of B rounds; of a random number B.

        Returns:
            (B,) int64 outcomes, 0..K-1, or values of the number, 0..V-1. The same number is told to all.

        Raises:
            ValueError: no such party, another number of rounds than a party asked for before, something that is no
                measurement, or a party far ahead of the others.
        """
        if not 0 <= party < self.parties:
            raise ValueError(f"party {party} is outside 0..{self.parties - 1}")
        effects = self._effects(setting)
        number, rounds = self._asked[party], len(effects)
        batch = self._open.get(number)
        if batch is None:
            if len(self._open) == MOST_OPEN:
                raise ValueError(f"party {party} is {MOST_OPEN} batches ahead of another; it must wait for it")
            batch = self._open[number] = _Batch(self._state, self._unit, rounds)
        if batch.rounds != rounds:
            raise ValueError(f"party {party} measures {rounds} rounds; the others of this batch {batch.rounds}")
        found = batch.measured(party, effects, self._generators[party])
        self._asked[party] += 1
        if not batch.left:
            del self._open[number]
        return found

    def _effects(self, setting: Tensor | int) -> Tensor:
        """(B, K, V) float64."""
        if self.dimension is None:
            if not isinstance(setting, int):
                raise ValueError("a random number is not measured; ask for a number of rounds")
            return torch.eye(self.size, dtype=torch.double).expand(setting, -1, -1)
        if isinstance(setting, int) or setting.dim() != 3 or setting.shape[2] != self.size:
            shape = setting if isinstance(setting, int) else tuple(setting.shape)
            raise ValueError(f"the setting is {shape}; it must be effects (B, K, {self.size})")
        effects = setting.double()
        check_measurement(effects, self.dimension)
        return effects


class _Batch:
    """B copies of the state; those parts that were measured are gone."""

    def __init__(self, state: Tensor, whole: Tensor, rounds: int) -> None:
        self.rounds, self.left = rounds, list(range(state.dim()))
        self._unit, self._reached = whole, state.unsqueeze(0)

    def measured(self, party: int, effects: Tensor, generator: torch.Generator) -> Tensor:
        """(B,) outcomes of a party that has not measured yet; the others' parts are left as these leave them."""
        reached = self._reached.movedim(1 + self.left.index(party), 1)
        alone = reached
        while alone.dim() > 2:
            alone = alone @ self._unit
        p = torch.einsum("bkv,bv->bk", effects, alone.expand(self.rounds, -1)).clamp_min(0.0)
        found = drawn(p, generator)
        after = contracted(reached, picked(effects, found))
        likelihood = p.gather(1, found.unsqueeze(1)).view(-1, *[1] * (after.dim() - 1))
        self._reached = after / likelihood
        self.left.remove(party)
        return found


def check_measurement(effects: Tensor, dimension: int) -> None:
    """Raises ValueError unless effects (B, K, D^2) float64 are positive and add up to the identity, within
    `TOLERANCE`."""
    whole = unit(dimension).double()
    excess = (effects.sum(1) - whole).abs().max().item() if effects.numel() else 0.0
    if not excess <= TOLERANCE:  # a NaN is none
        raise ValueError(f"effects miss the identity by {excess:.2g}; they must add up to it within {TOLERANCE:g}")
    matrices = torch.tensordot(effects.to(torch.complex128), basis(dimension), 1)
    least = torch.linalg.eigvalsh(matrices).min().item() if effects.numel() else 0.0
    if not least >= -TOLERANCE:
        raise ValueError(f"an effect has the eigenvalue {least:.2g}; none may be below -{TOLERANCE:g}")
