"""Gymnasium and MiniGrid environments with discrete actions behind the contract of `base`, for a team of one agent.

Found by name, or made by a function of the user's. Episodes are played one after another in the calling thread: right,
not fast.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt

from qcmarl.envs.base import Floats, as_integer
from qcmarl.envs.kept import PlayedVec
from qcmarl.hints import did_you_mean

THEIRS = ("MiniGrid-", "BabyAI-")
"""How MiniGrid's names begin."""
UNLIMITED = 1000
"""Steps of an episode in an environment that names no limit."""
DRAWN = 32
"""Rooms that are looked at for the longest limit."""


class VecGymnasium(PlayedVec):
    """`n_envs` copies of one Gymnasium environment.

    Observations are flattened as `gymnasium.spaces.flatten` does it, a discrete one to a one among zeros; nothing is
    scaled, here or by the learners. The state is the observation. Masks are read from the infos under "action_mask". An
    episode is won where its last info says so under "is_success"; `tells_wins` from the first info that has the word.

    Args:
        source: a name such as "CartPole-v1", or a function that makes a `gymnasium.Env`.
        n_envs: copies, at least 1.
        episode_limit: steps after which an episode is cut off; None: the environment's own limit, or 1000 where it has
            none.
        options: further arguments of the environment.

    Raises:
        ValueError: for a name that Gymnasium does not know or no longer has, other than discrete actions, or
            observations that cannot be flattened; TypeError for a number that is no integer; ModuleNotFoundError for a
            package that is missing, with the remedy.

    Source: Towers et al., Gymnasium: A Standard Interface for Reinforcement Learning Environments, 2024.
    """

    family = "gymnasium"
    max_return = float("nan")
    n_agents = 1
    tells_wins = False
    normalises = False

    def __init__(
        self, source: str | Callable[..., Any], n_envs: int, *, episode_limit: int | None = None, **options: Any
    ) -> None:
        self.n_envs = as_integer(n_envs, "n_envs", 1)
        self.name = f"{self.family}:{source if isinstance(source, str) else getattr(source, '__name__', 'own')}"
        self._space: Any
        self._envs = [self._made(source, options) for _ in range(self.n_envs)]
        self._read_spaces()
        with explained(self.name):
            self._envs[0].reset(seed=0)  # some find only now that a package is missing
        self.episode_limit = as_integer(self._limit() if episode_limit is None else episode_limit, "episode_limit", 1)
        self._allocate()

    def _made(self, source: str | Callable[..., Any], options: Mapping[str, Any]) -> Any:
        return source(**options) if callable(source) else made(self.name, source, options)

    def _read_spaces(self) -> None:
        from gymnasium.spaces import Discrete, utils

        actions, looks = self._envs[0].action_space, self._envs[0].observation_space
        if not isinstance(actions, Discrete):
            raise ValueError(f"{self.name}: the actions are {actions}, must be Discrete")
        if not _is_flattenable(looks):
            raise ValueError(f"{self.name}: the observations are {looks}, which do not flatten to numbers")
        self.n_actions, self._first = int(actions.n), int(actions.start)
        self._space, self._flatten = looks, utils.flatten
        self.obs_size = self.state_size = int(utils.flatdim(looks))

    def _begin(self, index: int, seed: int | None) -> None:
        look, info = self._envs[index].reset(seed=seed)
        self._show(index, look, info)

    def _play(self, index: int, actions: list[int]) -> None:
        look, reward, terminated, truncated, info = self._envs[index].step(actions[0] + self._first)
        self._show(index, look, info)
        late = bool(self._lengths[index] + 1 >= self.episode_limit)
        won = self._won(float(reward), bool(terminated), info)
        over = bool(terminated or truncated or late)
        self._record(index, float(reward), bool(terminated), over and not terminated, over and won)

    def _won(self, reward: float, terminated: bool, info: Mapping[str, Any]) -> bool:
        """Whether an episode that ends with this step is won."""
        self.tells_wins |= "is_success" in info
        return bool(info.get("is_success", False))

    def _show(self, index: int, look: Any, info: Mapping[str, Any]) -> None:
        step = self._step
        seen: Floats = np.asarray(self._flatten(self._space, look), np.float32)
        step.obs[index, 0], step.state[index] = seen, seen
        step.avail[index, 0] = self._mask(info)
        step.alive[index] = True

    def _mask(self, info: Mapping[str, Any]) -> npt.NDArray[np.bool_]:
        given = info.get("action_mask")
        return np.ones(self.n_actions, bool) if given is None else np.asarray(given) == 1

    def _limit(self) -> int:
        """The environment's own limit, which a wrapper keeps."""
        try:
            limit = self._envs[0].get_wrapper_attr("_max_episode_steps")
        except AttributeError:
            return UNLIMITED
        return UNLIMITED if limit is None else int(limit)


class VecMiniGrid(VecGymnasium):
    """`n_envs` copies of one MiniGrid environment.

    An observation is the picture that the agent sees, three numbers a cell (object, colour, state) as they are; mission
    and direction are left out. An episode is won where it ends by its rules with a reward above 0, as MiniGrid rewards
    nothing but success.

    Args, errors: as `VecGymnasium`; names such as "MiniGrid-Empty-5x5-v0".

    Source: Chevalier-Boisvert et al., Minigrid & Miniworld, 2023.
    """

    family = "minigrid"
    tells_wins = True

    def _made(self, source: str | Callable[..., Any], options: Mapping[str, Any]) -> Any:
        if importlib.util.find_spec("minigrid") is None:
            raise ModuleNotFoundError(f"{self.name} needs MiniGrid: pip install minigrid")
        import minigrid  # noqa: F401 - registers the names
        from minigrid.wrappers import ImgObsWrapper

        if isinstance(source, str) and not source.startswith(THEIRS):
            hint = _nearest(source, THEIRS) or f"; names begin with {' or '.join(THEIRS)}"
            raise ValueError(f"'{self.name}' is none of MiniGrid's{hint}")
        env, wrapper = super()._made(source, options), ImgObsWrapper
        spaces = getattr(env.observation_space, "spaces", {})
        return wrapper(env) if "image" in spaces else env  # type: ignore[no-untyped-call]

    def _limit(self) -> int:
        """The largest that is seen: some rooms choose their own anew, and cut themselves off at it."""
        env, found = self._envs[0], []
        for seed in range(DRAWN):
            env.reset(seed=seed)
            found.append(int(getattr(env.unwrapped, "max_steps", 0)))
        return max(found) or super()._limit()

    def _won(self, reward: float, terminated: bool, info: Mapping[str, Any]) -> bool:
        return terminated and reward > 0


def made(name: str, source: str, options: Mapping[str, Any]) -> Any:
    """`gymnasium.make`, with errors that say what to do.

    Args:
        name: in messages.
        source: Gymnasium's name of it.
        options: further arguments.
    """
    if importlib.util.find_spec("gymnasium") is None:
        raise ModuleNotFoundError(f"{name} needs Gymnasium: pip install gymnasium")
    import gymnasium

    with explained(name):
        try:
            return gymnasium.make(source, disable_env_checker=True, **options)
        except gymnasium.error.UnregisteredEnv:
            other = f"minigrid:{source}"
            hint = f" (did you mean '{other}'?)" if source.startswith(THEIRS) and name != other else _nearest(source)
            raise ValueError(f"unknown environment '{name}'{hint}") from None


@contextmanager
def explained(name: str) -> Iterator[None]:
    """Says of Gymnasium's errors inside what they are about: ModuleNotFoundError for a package, else ValueError."""
    from gymnasium.error import DependencyNotInstalled, Error

    try:
        yield
    except (DependencyNotInstalled, ImportError) as error:
        raise ModuleNotFoundError(f"{name}: {error}") from error
    except Error as error:
        raise ValueError(f"{name}: {error}") from error


def _is_flattenable(space: Any) -> bool:
    try:
        return bool(space.is_np_flattenable)
    except NotImplementedError:  # a space of the environment's own
        return False


def _nearest(source: str, beginnings: tuple[str, ...] = ("",)) -> str:
    """The registered name that may have been meant, of those that begin so."""
    import gymnasium

    names = [name for name in gymnasium.registry if name.startswith(beginnings)]
    return did_you_mean(source, names, cutoff=0.5, quote="'")
