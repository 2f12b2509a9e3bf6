"""Who plays in a recording: a scripted policy, or the actor of a run. Called by `play` and by the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import torch

from qcmarl import evaluation, rundir
from qcmarl.envs import Step, VecSkirmish
from qcmarl.envs.scripted import Policy as Script
from qcmarl.envs.scripted import named
from qcmarl.laws import IndependentLaw, OutcomeLaw
from qcmarl.laws.chain import ChainLaw
from qcmarl.laws.table import TableLaw
from qcmarl.policies import Policy
from qcmarl.rollout import Acted, Player
from qcmarl.run import kept_settings


class Choice(NamedTuple):
    """What a player does in one step of one battle."""

    actions: npt.NDArray[np.int64]
    """(n,)"""
    probabilities: npt.NDArray[np.float64] | None
    """(n, A) of each agent's actions, 1 for the no-op of the dead; None where the player draws from no known law."""


class Watched(Protocol):
    """A player of one battle after another."""

    name: str
    """In words, for the recording."""

    def begin(self, seed: int) -> None:
        """Before the first battle: what is random from here on is decided by `seed`."""

    def choose(self, step: Step) -> Choice:
        """Act in the one battle that `step` (B = 1) shows."""

    def observe(self, step: Step) -> None:
        """Takes in what came of it."""


class Scripted:
    """A scripted policy.

    Args:
        name: one of `qcmarl.envs.scripted.POLICIES`.
        env: of one battle.

    Raises:
        ValueError: there is no such policy.
    """

    def __init__(self, name: str, env: VecSkirmish) -> None:
        self.name = name
        self._script: Script = named(name)
        self._env = env

    def begin(self, seed: int) -> None:
        """Seeds the draws."""
        self._rng = np.random.default_rng(seed)

    def choose(self, step: Step) -> Choice:
        """What the script says."""
        return Choice(self._script(self._env, step, self._rng)[0], None)

    def observe(self, step: Step) -> None:
        """Nothing: scripts remember nothing."""


class Trained:
    """The actor of a run.

    Args:
        directory: of the run.
        env: of one battle, in the environment that the run was trained in.
        greedy: take the most probable actions; else draw.
        which: its last checkpoint, or that of its best evaluation.

    Raises:
        ValueError: there is no run, no checkpoint, a damaged one, or the run was trained elsewhere.
    """

    def __init__(self, directory: Path, env: VecSkirmish, greedy: bool, which: rundir.Which = "last") -> None:
        algo, run, _ = kept_settings(directory)
        place = rundir.kept_place(directory)
        if run.env != env.name if place.map is None else place.map != env.map:
            raise ValueError(f"{directory} was trained in {run.env}; it cannot play {env.name}")
        trained = evaluation.load(directory, 1, mean_law=False, threads=1, which=which)
        trained.env.close()
        self.name = f"{algo}, {'greedy' if greedy else 'sampled'}, after {trained.env_steps:,} steps"
        self._policy: Policy = trained.policy
        self._env = env
        self._greedy = torch.tensor([greedy])

    def begin(self, seed: int) -> None:
        """Forgets earlier battles and seeds the draws."""
        self._player = Player(self._policy, self._env)
        self._generator = torch.Generator().manual_seed(seed)

    @torch.inference_mode()
    def choose(self, step: Step) -> Choice:
        """What the actor does, and the law it chose from."""
        acted = self._player.act(step, self._player.features(step), self._generator, self._greedy)
        return Choice(acted.actions[0].numpy().copy(), agent_probabilities(acted))

    @torch.inference_mode()
    def observe(self, step: Step) -> None:
        """Forgets what belonged to a battle that ended."""
        self._player.observe(step)


def agent_probabilities(acted: Acted) -> npt.NDArray[np.float64] | None:
    """(n, A) of each agent's own action in the first sample, whatever the others do; None for another kind of law.

    Where the law is joint these are its marginals; where the agents choose in turn, what each chose from, given those
    before it.
    """
    avail, law = acted.inputs.avail[0], acted.law
    found: Any = torch.zeros(avail.shape, dtype=torch.float64)
    if isinstance(law, IndependentLaw):
        found[acted.inputs.rows] = law.log_probs.exp().double()
    elif isinstance(law, OutcomeLaw | TableLaw):
        found += law.marginals()[:, 0].double()
    elif isinstance(law, ChainLaw):
        found += law.conditionals(acted.actions)[1][0].double()
    else:
        return None
    dead = found.sum(-1) == 0
    found[dead, 0] = 1.0
    array: npt.NDArray[np.float64] = found.numpy()
    return array
