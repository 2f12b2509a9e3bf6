"""Arrays and books of a batch whose episodes are played elsewhere, one by one, and cannot be saved.

The base of `VecSmac`, `VecPettingZoo` and `VecGymnasium`: they say what each episode showed, this keeps the `Step`, the
returns and lengths, and a state that can be checkpointed. On entry of `_record` the row of an episode shows its last
look.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt

from qcmarl.envs.actions import available_actions
from qcmarl.envs.base import Integers, Step, VecEnv, as_integer

_FORMAT = 1
LARGEST_SEED = 2**64 - 1


class KeptVec(VecEnv):
    """A `VecEnv` that fills its arrays row by row; see the file's head."""

    _step: Step
    _seed: int | None = None
    _lost = False
    _resumes = 0
    """How often the episodes under way were lost since the beginning."""

    def last_step(self) -> Step:
        """Give the `Step` of the last call again (also after `load_state_dict`); RuntimeError before any."""
        if self._seed is None:
            raise RuntimeError("no episode has begun: call reset() first")
        return self._step

    def state_dict(self) -> dict[str, Any]:
        """Copy the last `Step` and the counts. The episodes themselves cannot be saved: see `load_state_dict`."""
        self.last_step()
        arrays = {key: array.copy() for key, array in self._arrays().items()}
        return {
            "format": _FORMAT,
            "name": self.name,
            "n_envs": self.n_envs,
            "seed": self._seed,
            "resumes": self._resumes,
            "arrays": arrays,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on after `state_dict`: the episodes under way then are lost, and the next step ends them as truncated.

        Raises:
            ValueError: for a state of another environment, batch or format; nothing has changed then.
        """
        if not isinstance(state, dict):
            raise TypeError(f"a saved environment is a dict as state_dict() gives it, not {type(state).__name__}")
        for key, value in {"format": _FORMAT, "name": self.name, "n_envs": self.n_envs}.items():
            if state.get(key) != value:
                raise ValueError(f"the saved environment has {key}={state.get(key)!r}, this one {value!r}")
        saved = state.get("arrays", {})
        for key, array in self._arrays().items():
            if key not in saved or saved[key].shape != array.shape:
                raise ValueError(f"the saved array {key!r} is missing or not of the shape {array.shape}")
        for key, array in self._arrays().items():
            array[:] = saved[key]
        self._seed, self._lost, self._resumes = state["seed"], True, state.get("resumes", 0) + 1

    def _allocate(self) -> None:
        """Make the arrays; the sizes are known."""
        envs, agents, actions = self.n_envs, self.n_agents, self.n_actions
        obs = np.zeros((envs, agents, self.obs_size), np.float32)
        state = np.zeros((envs, self.state_size), np.float32)
        avail = np.zeros((envs, agents, actions), bool)
        info: dict[str, Any] = {
            "battle_won": np.zeros(envs, bool),
            "episode_return": np.zeros(envs, np.float32),
            "episode_length": np.zeros(envs, np.int32),
            "final_obs": obs.copy(),
            "final_state": state.copy(),
            "final_avail": avail.copy(),
        }
        alive, reward = np.zeros((envs, agents), bool), np.zeros(envs, np.float32)
        self._step = Step(obs, state, avail, alive, reward, np.zeros(envs, bool), np.zeros(envs, bool), info)
        self._returns = np.zeros(envs, np.float32)
        self._lengths = np.zeros(envs, np.int32)

    def _open_books(self, seed: int) -> None:
        """Every episode is about to begin anew."""
        self._seed, self._lost, self._resumes = seed, False, 0
        step = self._step
        kept = (step.info["battle_won"], step.info["episode_return"], step.info["episode_length"])
        for array in (step.reward, step.terminated, step.truncated, *kept, self._returns, self._lengths):
            array[:] = 0

    def _record(self, index: int, reward: float, terminated: bool, truncated: bool, won: bool) -> None:
        """What a step did to an episode; where that ended, its last look is kept."""
        step = self._step
        step.reward[index], step.terminated[index], step.truncated[index] = reward, terminated, truncated
        step.info["battle_won"][index] = won
        if terminated or truncated:
            for key in ("obs", "state", "avail"):
                step.info[f"final_{key}"][index] = getattr(step, key)[index]

    def _record_loss(self, index: int) -> None:
        """An episode that cannot go on is cut off where it was last seen."""
        self._record(index, 0.0, terminated=False, truncated=True, won=False)

    def _close_books(self) -> list[int]:
        """All rows of a step are recorded; give the episodes that ended."""
        step = self._step
        self._returns += step.reward
        self._lengths += 1
        step.info["episode_return"][:], step.info["episode_length"][:] = self._returns, self._lengths
        ended = np.flatnonzero(step.terminated | step.truncated)
        self._returns[ended] = self._lengths[ended] = 0
        return [int(index) for index in ended]

    def _arrays(self) -> dict[str, npt.NDArray[Any]]:
        own = {key: getattr(self._step, key) for key in Step._fields if key != "info"}
        return own | self._step.info | {"returns": self._returns, "lengths": self._lengths}


class PlayedVec(KeptVec):
    """One whose episodes are objects of another library, played one after another in the calling thread."""

    _envs: list[Any]

    def reset(self, seed: int = 0) -> Step:
        """Start every episode anew, each with a seed that follows from `seed` (0..2^64-1)."""
        self._open_books(as_integer(seed, "seed", 0, LARGEST_SEED))
        for index in range(self.n_envs):
            self._begin(index, drawn_seed(seed, index))
        return self._step

    def step(self, actions: Integers) -> Step:
        """Play one step of every episode.

        Args:
            actions: (B, n) of any integer dtype; 0 for those who have left.

        Raises:
            ValueError: for an action that is not available or a wrong shape; nothing has moved then.
            TypeError: for actions that are no integers.
        """
        chosen, lost = available_actions(actions, self.last_step().avail), self._lost
        self._lost = False
        for index, row in enumerate(chosen.tolist()):
            if lost:
                self._record_loss(index)
            else:
                self._play(index, row)
        for index in self._close_books():
            self._begin(index, drawn_seed(self._seed or 0, index, self._resumes) if lost else None)
        return self._step

    def close(self) -> None:
        """Close the environments."""
        for env in self._envs:
            env.close()

    @abstractmethod
    def _begin(self, index: int, seed: int | None) -> None:
        """Start an episode, going on with its random numbers where no seed is given, and show its first look."""

    @abstractmethod
    def _play(self, index: int, actions: list[int]) -> None:
        """Play a step of an episode, show what came of it, and `_record` it."""


def drawn_seed(*words: int) -> int:
    """A seed of 31 bits for one of many, unrelated for different words."""
    return int(np.random.SeedSequence(words).generate_state(1)[0] >> 1)
