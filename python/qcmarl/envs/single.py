"""One battle at a time, seen the same way whatever plays it: what the PettingZoo face stands on.

`SingleSkirmish` stops where a battle ends, so that its last moment can be drawn; `SingleVec` is a batch of one of any
family. Called by `pettingzoo_parallel`.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from qcmarl.envs.base import Bools, Floats, VecEnv
from qcmarl.envs.skirmish import UNIT_TYPES, Skirmish


class Sight(NamedTuple):
    """What one battle shows after a step; the arrays are copies."""

    obs: Floats
    """(n, O) float32."""
    state: Floats
    """(S,) float32."""
    avail: Bools
    """(n, A) bool."""
    alive: Bools
    """(n,) bool."""
    reward: float
    terminated: bool
    truncated: bool
    battle_won: bool


class Single(Protocol):
    """One battle at a time."""

    name: str
    """`family:name`."""
    names: list[str]
    """Of the agents, by id."""
    n_actions: int
    obs_size: int
    state_size: int

    def begin(self, seed: int | None) -> Sight:
        """Begin a battle: the first that follows from the seed, or, with None, the next."""

    def step(self, actions: list[int]) -> Sight:
        """Play a step with an available action of every agent."""

    def units(self) -> npt.NDArray[np.void]:
        """The unit table; ValueError where the family has none."""

    def close(self) -> None:
        """Give back what is held."""


class SingleSkirmish:
    """Battles of one map of `skirmish`; agents are named after their unit, marine_0, marine_1, ..."""

    def __init__(self, map_name: Any, **options: Any) -> None:
        self._map, self._options = map_name, options
        self._env = self._make(0)
        self.name = f"skirmish:{self._env.map_name}"
        self.n_actions = self._env.n_actions
        self.obs_size, self.state_size = self._env.get_obs_size(), self._env.get_state_size()
        own = getattr(getattr(self._env, "map", None), "units", ())  # a map may bring kinds of its own
        kinds = (*UNIT_TYPES, *(kind.name for kind in own))
        self.names = _numbered([kinds[unit["type"]] for unit in self._env.units()[: self._env.n_agents]])

    def begin(self, seed: int | None) -> Sight:
        """Begin a battle."""
        if seed is not None:
            self._env = self._make(seed)
        self._env.reset()
        return self._sight(0.0, False, {})

    def step(self, actions: list[int]) -> Sight:
        """Play a step."""
        return self._sight(*self._env.step(actions))

    def units(self) -> npt.NDArray[np.void]:
        """Copy the unit table."""
        return self._env.units()

    def close(self) -> None:
        """Do nothing: there is nothing to give back."""

    def _make(self, seed: int) -> Skirmish:
        return Skirmish(self._map, seed, continuing_episode=True, **self._options)

    def _sight(self, reward: float, over: bool, info: dict[str, Any]) -> Sight:
        env = self._env
        cut = bool(info.get("episode_limit", False))
        won = bool(info.get("battle_won", False))
        alive = env.units()["alive"][: env.n_agents]
        avail = np.array(env.get_avail_actions()) == 1
        return Sight(np.stack(env.get_obs()), env.get_state(), avail, alive, reward, over and not cut, cut, won)


class SingleVec:
    """A batch of one; agents are named agent_0, agent_1, ..."""

    def __init__(self, env: VecEnv) -> None:
        if env.n_envs != 1:
            raise ValueError(f"the batch has {env.n_envs} environments, must have 1")
        self._env, self.name = env, env.name
        self.n_actions, self.obs_size, self.state_size = env.n_actions, env.obs_size, env.state_size
        self.names = [f"agent_{i}" for i in range(env.n_agents)]
        self._fresh = False
        self._seeds: np.random.Generator | None = None

    def begin(self, seed: int | None) -> Sight:
        """Begin a battle; with None the one that began by itself when the last ended, or one of a drawn seed."""
        if seed is not None or self._seeds is None:
            self._seeds = np.random.default_rng(seed or 0)
            self._env.reset(seed or 0)
        elif not self._fresh:
            self._env.reset(int(self._seeds.integers(2**63)))
        self._fresh = True
        step = self._env.last_step()
        return _sight_of(step.obs, step.state, step.avail, step.alive)

    def step(self, actions: list[int]) -> Sight:
        """Play a step."""
        step = self._env.step(np.array([actions]))
        self._fresh = bool(step.terminated[0] or step.truncated[0])
        if self._fresh:
            obs, state, avail = (step.info[f"final_{key}"] for key in ("obs", "state", "avail"))
            # Who lived at the end is not kept; the living may do more than the no-op.
            alive: Bools = np.any(avail[..., 1:], axis=-1)
            sight = _sight_of(obs, state, avail, alive)
        else:
            sight = _sight_of(step.obs, step.state, step.avail, step.alive)
        return sight._replace(
            reward=float(step.reward[0]),
            terminated=bool(step.terminated[0]),
            truncated=bool(step.truncated[0]),
            battle_won=bool(step.info["battle_won"][0]),
        )

    def units(self) -> npt.NDArray[np.void]:
        """Refuse: there is no unit table."""
        raise ValueError(f"{self._env.name} has no unit table to draw; skirmish has")

    def close(self) -> None:
        """Close the batch."""
        self._env.close()


def _numbered(kinds: list[str]) -> list[str]:
    """Each with the number of those of its kind before it."""
    seen: Counter[str] = Counter()
    names = []
    for kind in kinds:
        names.append(f"{kind}_{seen[kind]}")
        seen[kind] += 1
    return names


def _sight_of(obs: Floats, state: Floats, avail: Bools, alive: Bools) -> Sight:
    return Sight(obs[0].copy(), state[0].copy(), avail[0].copy(), alive[0].copy(), 0.0, False, False, False)
