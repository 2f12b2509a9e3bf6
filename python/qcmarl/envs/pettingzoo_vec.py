"""Any PettingZoo parallel environment with discrete actions behind the contract of `base`.

Found by name in PettingZoo and mpe2, or made by a function of the user's. Episodes are played one after another in the
calling thread: right, not fast.
"""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from qcmarl.envs.base import Floats, as_integer
from qcmarl.envs.kept import PlayedVec
from qcmarl.hints import did_you_mean

PACKAGES = ("pettingzoo.butterfly", "pettingzoo.sisl", "pettingzoo.atari", "mpe2")
"""Where names are looked for, in this order."""

_NO_OP = 0


class VecPettingZoo(PlayedVec):
    """`n_envs` copies of one PettingZoo parallel environment.

    Observations are flattened and padded with zeros to the longest; images (uint8, of three axes) are averaged over
    their colours and over squares of `shrink` pixels, and divided by 255. The state is the environment's own, treated
    alike, or all observations where it has none. Masks are read from the observations or infos under "action_mask"; an
    agent that has left is dead and has action 0 alone. The reward is the mean of those given in a step. An episode is
    over when nobody is left: truncated if anyone was in the last step, terminated otherwise. It is won where an
    agent's info says so under "battle_won"; `tells_wins` from the first info that has the word.

    Args:
        source: a name such as "simple_spread_v3", or a function that makes a `pettingzoo.ParallelEnv`.
        n_envs: copies, at least 1.
        episode_limit: steps after which an episode is cut off; None: the environment's own `max_cycles`.
        shrink: pixels along a side of the squares that images are averaged over, at least 1.
        options: further arguments of the environment.

    Raises:
        ValueError: for an unknown name, other than discrete actions, or a limit that must be given; TypeError for a
            number that is no integer; ModuleNotFoundError for a package that is missing, with the remedy.

    Source: Terry et al., PettingZoo: Gym for Multi-Agent Reinforcement Learning, 2021.
    """

    max_return = float("nan")

    def __init__(
        self,
        source: str | Callable[..., Any],
        n_envs: int,
        *,
        episode_limit: int | None = None,
        shrink: int = 8,
        **options: Any,
    ) -> None:
        self.n_envs = as_integer(n_envs, "n_envs", 1)
        self._shrink = as_integer(shrink, "shrink", 1)
        make = _maker(source) if isinstance(source, str) else source
        self.name = f"pettingzoo:{source if isinstance(source, str) else getattr(source, '__name__', 'own')}"
        self._envs = [make(**options) for _ in range(self.n_envs)]
        self.agents: list[str] = list(self._envs[0].possible_agents)
        self.n_agents = len(self.agents)
        self.episode_limit = self._limit(episode_limit)
        self._actions = np.array([self._n_actions(agent) for agent in self.agents])
        self.n_actions = int(self._actions.max())
        self._looks: list[dict[str, Any]] = [{} for _ in range(self.n_envs)]
        self._infos: list[dict[str, Any]] = [{} for _ in range(self.n_envs)]
        self.tells_wins = False
        self._measure()
        self._allocate()

    def _begin(self, index: int, seed: int | None) -> None:
        self._looks[index], self._infos[index] = self._envs[index].reset(seed=seed)
        self._show(index)

    def _play(self, index: int, actions: list[int]) -> None:
        env = self._envs[index]
        numbers = {agent: number for number, agent in enumerate(self.agents)}
        chosen = {agent: actions[numbers[agent]] + int(env.action_space(agent).start) for agent in env.agents}
        looks, rewards, terminations, truncations, infos = env.step(chosen)
        self._looks[index], self._infos[index] = looks, infos
        self._show(index)
        reward = float(np.mean([rewards[agent] for agent in chosen]))
        over = not env.agents or all(terminations[agent] or truncations[agent] for agent in env.agents)
        late = self._lengths[index] + 1 >= self.episode_limit
        cut = any(truncations.values()) if over else bool(late)
        told = [bool(info["battle_won"]) for info in infos.values() if "battle_won" in info]
        self.tells_wins |= bool(told)
        won = any(told)
        self._record(index, reward, over and not cut, cut, won and over)

    def _show(self, index: int) -> None:
        """Write what the agents present see; the others are dead. At its end an episode shows who was there last."""
        step, looks = self._step, self._looks[index]
        present = self._envs[index].agents or list(looks)
        step.obs[index], step.avail[index], step.alive[index] = 0, False, False
        step.avail[index, :, _NO_OP] = True
        for number, agent in enumerate(self.agents):
            if agent in present:
                look = self._flat(looks[agent])
                step.obs[index, number, : look.size] = look
                step.avail[index, number] = self._mask(index, agent, int(self._actions[number]))
                step.alive[index, number] = True
        step.state[index] = self._state(index)

    def _mask(self, index: int, agent: str, n_actions: int) -> npt.NDArray[np.bool_]:
        look, info = self._looks[index][agent], self._infos[index].get(agent, {})
        given = look.get("action_mask") if isinstance(look, dict) else None
        given = info.get("action_mask") if given is None else given
        mask = np.zeros(self.n_actions, bool)
        mask[:n_actions] = True if given is None else np.asarray(given) == 1
        return mask

    def _state(self, index: int) -> Floats:
        if not self._own_state:
            obs: Floats = self._step.obs[index]
            return obs.ravel()
        return self._flat(self._envs[index].state())

    def _flat(self, look: Any) -> Floats:
        array = np.asarray(look["observation"] if isinstance(look, dict) else look)
        if array.dtype == np.uint8 and array.ndim == 3:
            array = _averaged(array, self._shrink)
        return array.astype(np.float32).ravel()

    def _measure(self) -> None:
        """Read the sizes off a first episode, which is not played."""
        env = self._envs[0]
        looks, _ = env.reset(seed=0)
        self.obs_size = max(self._flat(look).size for look in looks.values())
        try:
            self.state_size, self._own_state = self._flat(env.state()).size, True
        except (NotImplementedError, AttributeError):
            self.state_size, self._own_state = self.n_agents * self.obs_size, False

    def _n_actions(self, agent: str) -> int:
        from gymnasium.spaces import Discrete

        space = self._envs[0].action_space(agent)
        if not isinstance(space, Discrete):
            raise ValueError(f"{self.name}: the actions of {agent} are {space}, must be Discrete")
        return int(space.n)

    def _limit(self, given: int | None) -> int:
        if given is not None:
            return as_integer(given, "episode_limit", 1)
        env = self._envs[0].unwrapped
        for holder in (env, getattr(env, "env", None)):
            limit = getattr(holder, "max_cycles", None)
            if limit is not None:
                return int(limit)
        raise ValueError(f"{self.name} does not say after how many steps it ends: give episode_limit")


def _averaged(image: npt.NDArray[np.uint8], side: int) -> Floats:
    """(H, W, C) uint8 to (ceil(H / side), ceil(W / side)) float32 in 0..1; edge pixels are repeated to fill squares."""
    grey = image.mean(-1, dtype=np.float32) / np.float32(255)
    rows, columns = (-length % side for length in grey.shape)
    grey = np.pad(grey, ((0, rows), (0, columns)), mode="edge")
    averaged: Floats = grey.reshape(grey.shape[0] // side, side, -1, side).mean((1, 3))
    return averaged


def _maker(name: str) -> Callable[..., Any]:
    """The `parallel_env` of the module of that name."""
    if importlib.util.find_spec("pettingzoo") is None:
        raise ModuleNotFoundError(f"pettingzoo:{name} needs PettingZoo: pip install pettingzoo")
    for package in PACKAGES:
        if name in _modules(package):
            return _imported(package, name)
    known = [module for package in PACKAGES for module in _modules(package)]
    hint = did_you_mean(name, known, cutoff=0.5, quote="'")
    more = "" if _modules("mpe2") else "; simple_spread_v3 and its like come with pip install mpe2"
    raise ValueError(f"unknown environment 'pettingzoo:{name}'; known are {', '.join(known)}{hint}{more}")


def _imported(package: str, name: str) -> Callable[..., Any]:
    try:
        module = importlib.import_module(f"{package}.{name}")
    except ModuleNotFoundError as error:
        group = package.rpartition(".")[2]
        raise ModuleNotFoundError(
            f"pettingzoo:{name} needs {error.name}: pip install 'pettingzoo[{group}]'", name=error.name
        ) from error
    make: Callable[..., Any] | None = getattr(module, "parallel_env", None)
    if make is None:
        raise ValueError(f"pettingzoo:{name} is played in turns only; it must have a parallel_env")
    return make


def _modules(package: str) -> list[str]:
    """The environments of a package, by version-ended name; none where it is not installed."""
    try:
        spec = importlib.util.find_spec(package)
    except ModuleNotFoundError:
        return []
    folders = list(spec.submodule_search_locations or ()) if spec is not None else []
    return [module.name for module in pkgutil.iter_modules(folders) if "_v" in module.name and not module.ispkg]
