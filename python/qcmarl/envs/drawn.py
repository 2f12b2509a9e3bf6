"""What environments have in common whose rules are NumPy and whose chance is one source: `VecGame` and `VecQueue`.

They say how a step looks; this keeps it, and the state that can be checkpointed.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np

from qcmarl.envs.base import Bools, Floats, Step, VecEnv, as_integer


class DrawnVec(VecEnv):
    """A `VecEnv` that saves and resumes bit for bit; see the file's head."""

    _kept: ClassVar[tuple[str, ...]]
    """Names of the arrays that decide the future, with the source of randomness."""
    _step: Step
    _rng: np.random.Generator | None = None

    def last_step(self) -> Step:
        """Give the `Step` of the last call again (also after `load_state_dict`); RuntimeError before any."""
        if self._rng is None:
            raise RuntimeError("no episode has begun: call reset() first")
        return self._step

    def state_dict(self) -> dict[str, Any]:
        """Copy everything that decides the future and the last `Step`; RuntimeError before `reset`."""
        step = self.last_step()
        assert self._rng is not None
        arrays = {name: getattr(self, name).copy() for name in self._kept}
        shown = {"reward": step.reward.copy(), "ended": step.terminated | step.truncated}
        info = {name: array.copy() for name, array in step.info.items()}
        return {**self._identity(), "rng": self._rng.bit_generator.state, "arrays": arrays, **shown, "info": info}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue, bit for bit, where `state_dict` was taken; ValueError for a state of other rules or another batch,
        and nothing has changed then."""
        for key, value in self._identity().items():
            if state.get(key) != value:
                raise ValueError(f"the saved environment has {key}={state.get(key)!r}, this one {value!r}")
        self._rng = np.random.default_rng()
        self._rng.bit_generator.state = state["rng"]
        for name in self._kept:
            setattr(self, name, state["arrays"][name].copy())
        info = {name: array.copy() for name, array in state["info"].items()}
        self._show(state["reward"].copy(), state["ended"].copy(), info)

    @abstractmethod
    def _identity(self) -> dict[str, Any]:
        """What a saved environment must have in common with this one."""

    @abstractmethod
    def _show(self, reward: Floats, ended: Bools, info: dict[str, Any]) -> Step:
        """Make the step of the episodes as they are; `reward` and `info` are of the step just made, and `ended` says
        where it was the last one of its episode."""

    def _seed(self, seed: int) -> None:
        self._rng = np.random.default_rng(as_integer(seed, "seed", 0))

    def _never_ended(self) -> dict[str, Any]:
        """The last look of episodes where none has ended."""
        envs, agents = self.n_envs, self.n_agents
        return {
            "final_obs": np.zeros((envs, agents, self.obs_size), np.float32),
            "final_state": np.zeros((envs, self.state_size), np.float32),
            "final_avail": np.zeros((envs, agents, self.n_actions), bool),
        }
