"""One agent by itself: what it carries, and what it does with it. Made by `export`, run by `processes`.

An actor is told its own observation and its own outcome. There is nothing of the others in it, and no path to them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from qcmarl import checkpoint
from qcmarl.coordinator.measurements import made
from qcmarl.coordinator.policy import EntangledPolicy, LocalActor
from qcmarl.laws.table import drawn
from qcmarl.rollout import agent_features

KIND = "actor"


class Carried(NamedTuple):
    """All that decides what an agent does: plain values, and a copy of the weights, which the agents share."""

    agent: int
    """i: which part of what is shared is its own; unless the agents are identical, also who it is told it is."""
    agents: int
    """n."""
    obs_size: int
    """O."""
    actions: int
    """A."""
    hidden: int
    """Width of the trunk."""
    identical: bool
    """The agents are not told who they are."""
    measurement: dict[str, Any]
    """Its recipe."""
    weights: dict[str, Tensor]
    """Of a `LocalActor`."""


def carried_by(policy: EntangledPolicy, agents: int, obs_size: int) -> list[Carried]:
    """What each agent of a team takes with it.

    Args:
        policy: of the team.
        agents: n.
        obs_size: O.
    """
    actor = policy.actor
    hidden = actor.settings.in_features
    recipe = actor.measurement.recipe
    return [
        Carried(i, agents, obs_size, actor.actions, hidden, actor.identical, dict(recipe), _copied(actor))
        for i in range(agents)
    ]


def _copied(actor: LocalActor) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in actor.state_dict().items()}


def save(path: Path, carried: Carried) -> None:
    """Writes an agent's file: whole, or not at all."""
    checkpoint.save(path, {"kind": KIND, **carried._asdict()})


def load(path: Path, seed: int = 0, greedy: bool = True) -> Actor:
    """An agent from its file.

    Args:
        path: what `save` wrote.
        seed: of its draws.
        greedy: as for `Actor`.

    Raises:
        ValueError: no such file, it is damaged, or it holds something else.
    """
    content = checkpoint.load(path, plain=True)
    if content.pop("kind", None) != KIND or content.keys() != set(Carried._fields):
        raise ValueError(f"{path} holds no actor of this version")
    try:
        return Actor(Carried(**content), seed, greedy)
    except RuntimeError:
        raise ValueError(f"{path} holds weights that do not fit its sizes") from None


def own_seed(seed: int, *path: int) -> int:
    """A seed for one of many, 0..2^32-1, unrelated to the others' and telling nothing of `seed`; `path` says whose."""
    return int(np.random.SeedSequence([seed, *path]).generate_state(1)[0])


def own_generator(seed: int, *path: int) -> torch.Generator:
    """A generator from `own_seed`."""
    return torch.Generator().manual_seed(own_seed(seed, *path))


class Actor:
    """An agent that plays B episodes at once.

    A round has two calls: `setting`, from its own observation to its measurement, then `act`, from its own outcome to
    its action. It remembers its own last actions, which are among its features.

    Args:
        carried: all that it knows.
        seed: of its draws; the agents' are unrelated.
        greedy: it takes the likeliest action, and, where it looks a shared number up, the likeliest outcome; else it
            draws.
    """

    def __init__(self, carried: Carried, seed: int = 0, greedy: bool = True) -> None:
        c = self.carried = carried
        features = c.obs_size + c.actions + c.agents
        measurement = made(c.measurement)
        self._network = LocalActor(features, c.actions, c.hidden, measurement, c.agents if c.identical else 0)
        self._network.load_state_dict(c.weights)
        self.looks_up = c.measurement["kind"] == "look-up"
        """What it shares is a number: it measures nothing, and is told the number."""
        self.values = c.measurement["latent"] if self.looks_up else measurement.outcomes
        """How many outcomes there are to be told: K of a measurement, or L values of the number."""
        self._greedy, self._generator = greedy, own_generator(seed, c.agent)
        self._last = torch.zeros(0, c.actions)
        self._asked: tuple[Tensor, Tensor] | None = None

    @torch.inference_mode()
    def setting(
        self,
        obs: npt.NDArray[np.float32],
        avail: npt.NDArray[np.bool_],
        start: npt.NDArray[np.bool_] | None = None,
    ) -> Tensor:
        """Chooses a measurement.

        Args:
            obs: (B, O) float32, what the agent sees.
            avail: (B, A) bool, at least one of each row.
            start: (B,) bool, where an episode begins, so that there is no last action; None: everywhere.

        Returns:
            (B, K, V) float32 effects; of an agent that looks a number up, V = L and entry l is its law where the number
            is l, which is for itself alone.

        Raises:
            ValueError: other shapes, a row of avail that allows nothing, or episodes that go on without having begun.
        """
        x = torch.as_tensor(obs, dtype=torch.float32)
        allowed = torch.as_tensor(avail, dtype=torch.bool)
        rounds = len(x)
        wanted = ((rounds, self.carried.obs_size), (rounds, self.carried.actions))
        if (x.shape, allowed.shape) != wanted:
            raise ValueError(f"obs is {tuple(x.shape)}, avail {tuple(allowed.shape)}; they must be {wanted}")
        if not allowed.any(1).all():
            row = int(allowed.any(1).int().argmin())
            raise ValueError(f"row {row} of avail allows no action; each row allows at least one")
        last = self._remembered(rounds, start)
        own = F.one_hot(torch.tensor(self.carried.agent), self.carried.agents).expand(rounds, -1)
        self._asked = self._network(agent_features(x, last, own), allowed)
        return self._asked[0]

    @torch.inference_mode()
    def act(self, outcome: npt.NDArray[np.int64] | Tensor) -> Tensor:
        """Acts on what was found.

        Args:
            outcome: (B,) integers: of the measurement that was just chosen, 0..K-1, or the shared number, 0..L-1.

        Returns:
            (B,) int64 actions.

        Raises:
            RuntimeError: no measurement was chosen since the last action.
            ValueError: another shape, or an outcome that there is not.
        """
        if self._asked is None:
            raise RuntimeError("no measurement was chosen: call setting() before each act()")
        effects, choice = self._asked
        found = torch.as_tensor(outcome)
        if found.shape != effects.shape[:1] or ((found < 0) | (found >= self.values)).any():
            raise ValueError(
                f"outcomes of shape {tuple(found.shape)} within {found.min()}..{found.max()}; they are "
                f"{len(effects)} numbers within 0..{self.values - 1}"
            )
        rows = torch.arange(len(effects))
        if self.looks_up:
            found = self._decided(effects[rows, :, found])
        actions: Tensor = self._decided(choice[rows, found])
        self._last = F.one_hot(actions, self.carried.actions).float()
        self._asked = None
        return actions

    def _remembered(self, rounds: int, start: npt.NDArray[np.bool_] | None) -> Tensor:
        if start is None:
            return torch.zeros(rounds, self.carried.actions)
        begun = torch.as_tensor(start, dtype=torch.bool)
        if begun.shape != (rounds,):
            raise ValueError(f"start is {tuple(begun.shape)}; it must be {(rounds,)}")
        if begun.all():
            return torch.zeros(rounds, self.carried.actions)
        if len(self._last) != rounds:
            raise ValueError(f"{rounds} episodes, some of which go on; {len(self._last)} were played before")
        return self._last.masked_fill(begun.unsqueeze(1), 0.0)

    def _decided(self, law: Tensor) -> Tensor:
        """(B,) from laws (B, K)."""
        if self._greedy:
            return law.argmax(-1)
        return drawn(law, self._generator)
