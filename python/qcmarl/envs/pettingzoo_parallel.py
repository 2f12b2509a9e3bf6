"""The PettingZoo face of an environment. Made by `parallel_env`; the only module that needs PettingZoo to be imported.

What is decided here: masks stand in the observation (or in the infos), the dead leave `agents`, the reward is the
team's, and an action that is not available is played as the first that is.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium import spaces
from pettingzoo import ParallelEnv

from qcmarl.envs.picture import draw
from qcmarl.envs.single import Sight, Single

Observation = Any
"""{"observation": (O,) float32, "action_mask": (A,) int8}, or the first alone with masks="info"."""

MASKS = ("observation", "info")
UNAVAILABLE = ("replace", "refuse")
RENDER_MODES = (None, "rgb_array")


class ParallelBattle(ParallelEnv[str, Observation, int]):  # type: ignore[misc] # PettingZoo carries no types
    """One battle as a PettingZoo `ParallelEnv`; see `parallel_env` for the arguments.

    As usual with PettingZoo, a copy or a pickle is an environment of the same arguments that has not begun.
    """

    def __init__(
        self,
        identifier: Any,
        single: Single,
        masks: str,
        unavailable: str,
        render_mode: str | None,
        options: dict[str, Any],
    ) -> None:
        _check("masks", masks, MASKS)
        _check("unavailable", unavailable, UNAVAILABLE)
        _check("render_mode", render_mode, RENDER_MODES)
        self._single, self._masks, self._refuse = single, masks, unavailable == "refuse"
        self._identifier = identifier
        self._arguments = {"masks": masks, "unavailable": unavailable, "render_mode": render_mode, **options}
        self.render_mode = render_mode
        self.metadata: dict[str, Any] = {
            "name": single.name,
            "render_modes": ["rgb_array"],
            "render_fps": 4,
            "is_parallelizable": True,
        }
        self.possible_agents = list(single.names)
        self.agents: list[str] = []
        self._id = {name: number for number, name in enumerate(self.possible_agents)}
        self.observation_spaces = {name: self._observation_space() for name in self.possible_agents}
        self.action_spaces = {name: spaces.Discrete(single.n_actions) for name in self.possible_agents}
        self.state_space = spaces.Box(-np.inf, np.inf, (single.state_size,), np.float32)
        self._sight: Sight | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the arguments."""
        return _again, (self._identifier, self._arguments)

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        """Give the space of an agent's observations, always the same object."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Discrete:
        """Give the space of an agent's actions, always the same object."""
        return self.action_spaces[agent]

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Observation], dict[str, dict[str, Any]]]:
        """Begin a battle.

        Args:
            seed: 0..2^64-1, equal seeds give equal battles under equal actions; None: the next battle of the same
                course, which begins as if by seed 0.
            options: ignored.

        Returns:
            Observations and infos by agent.
        """
        self._sight = self._single.begin(seed)
        self.agents = list(self.possible_agents)
        return self._observations(self.agents), self._infos(self.agents, set())

    def step(
        self, actions: dict[str, Any]
    ) -> tuple[dict[str, Observation], dict[str, float], dict[str, bool], dict[str, bool], dict[str, dict[str, Any]]]:
        """Play a step.

        Args:
            actions: an integer for every agent in `agents`; those of the dead, which some libraries send, are ignored.

        Returns:
            Observations, rewards, terminations, truncations and infos of those who were in `agents` before. An agent
            that died is terminated; at the end of the battle all are terminated, or truncated at the step limit.

        Raises:
            ValueError: for an agent missing or unknown, an action outside its space or, with unavailable="refuse",
                one that is not available; TypeError for one that is no integer; RuntimeError before `reset`.
        """
        present, sight = self.agents, self._seen()
        chosen, replaced = self._chosen(actions, sight)
        if not present:
            return {}, {}, {}, {}, {}
        self._sight = sight = self._single.step(chosen)
        dead = {name for name in present if not sight.alive[self._id[name]]}
        terminated = {name: sight.terminated or name in dead for name in present}
        truncated = {name: sight.truncated and name not in dead for name in present}
        self.agents = [name for name in present if not (terminated[name] or truncated[name])]
        rewards = dict.fromkeys(present, sight.reward)
        return self._observations(present), rewards, terminated, truncated, self._infos(present, replaced)

    def state(self) -> npt.NDArray[np.float32]:
        """Copy the global state (S,) float32; RuntimeError before `reset`."""
        return self._seen().state.copy()

    def render(self) -> npt.NDArray[np.uint8] | None:
        """Draw the battle, (256, 256, 3) uint8; None without a `render_mode`.

        Raises:
            ValueError: for a family without a unit table.
        """
        if self.render_mode is None:
            return None
        self._seen()
        return draw(self._single.units())

    def close(self) -> None:
        """Give back what is held."""
        self._single.close()

    def _seen(self) -> Sight:
        if self._sight is None:
            raise RuntimeError("no battle has begun: call reset() first")
        return self._sight

    def _observation_space(self) -> spaces.Space[Any]:
        look = spaces.Box(-1.0, 1.0, (self._single.obs_size,), np.float32)
        if self._masks == "info":
            return look
        return spaces.Dict({"observation": look, "action_mask": spaces.Box(0, 1, (self._single.n_actions,), np.int8)})

    def _observations(self, names: list[str]) -> dict[str, Observation]:
        sight = self._seen()
        looks = {name: sight.obs[self._id[name]] for name in names}
        if self._masks == "info":
            return looks
        return {name: {"observation": look, "action_mask": self._mask(name)} for name, look in looks.items()}

    def _infos(self, names: list[str], replaced: set[str]) -> dict[str, dict[str, Any]]:
        won = self._seen().battle_won
        infos: dict[str, dict[str, Any]] = {
            name: {"battle_won": won, "action_replaced": name in replaced} for name in names
        }
        if self._masks == "info":
            for name in names:
                infos[name]["action_mask"] = self._mask(name)
        return infos

    def _mask(self, name: str) -> npt.NDArray[np.int8]:
        mask: npt.NDArray[np.bool_] = self._seen().avail[self._id[name]]
        return mask.astype(np.int8)

    def _chosen(self, actions: dict[str, Any], sight: Sight) -> tuple[list[int], set[str]]:
        """An available action of everyone, the dead included, and whose were replaced."""
        if not set(self.agents) <= set(actions) <= set(self.possible_agents):
            raise ValueError(f"actions are given for {sorted(actions)}, must be for the living: {self.agents}")
        chosen: list[int] = sight.avail.argmax(-1).tolist()
        replaced = set()
        for name in self.agents:
            number = self._id[name]
            action = _as_action(name, actions[name], sight.avail.shape[1])
            if sight.avail[number, action]:
                chosen[number] = action
            elif self._refuse:
                options = ", ".join(map(str, np.flatnonzero(sight.avail[number])))
                raise ValueError(f"{name}: action {action} is not available; available: {options}")
            else:
                replaced.add(name)
        return chosen, replaced


def _again(identifier: Any, arguments: dict[str, Any]) -> ParallelBattle:
    from qcmarl.envs.parallel import parallel_env

    return parallel_env(identifier, **arguments)


def _as_action(name: str, given: Any, n_actions: int) -> int:
    try:
        action = operator.index(given)
    except TypeError:
        raise TypeError(f"{name}: an action is an integer, not {given!r}") from None
    if not 0 <= action < n_actions:
        raise ValueError(f"{name}: action {action} is outside 0..{n_actions - 1}")
    return action


def _check(name: str, value: object, options: tuple[object, ...]) -> None:
    if value not in options:
        raise ValueError(f"{name} is {value!r}; the options are {', '.join(map(repr, options))}")
