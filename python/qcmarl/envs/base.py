"""The contract of every environment: a batch of episodes stepped together over preallocated arrays.

Called by the rollout, the evaluation and the games; implemented by one module per family. Axis letters: B episodes
side by side, n agents, A actions, O observation size, S state size. An environment guarantees that the arrays of a
`Step` are its own, valid until its next call, and that they outlive it while somebody holds them.
"""

from __future__ import annotations

import operator
from abc import ABC, abstractmethod
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.integer[Any]]


class Step(NamedTuple):
    """What a batch of environments shows after `reset` or `step`.

    A finished episode restarts inside `step`: `obs`, `state`, `avail` and `alive` are then those of the fresh episode,
    while `reward`, `terminated`, `truncated` and `info` belong to the step just made.
    """

    obs: Floats
    """(B, n, O) float32: what each agent sees."""
    state: Floats
    """(B, S) float32: what a central critic sees."""
    avail: Bools
    """(B, n, A) bool: the actions each agent may take; a dead agent has the no-op alone."""
    alive: Bools
    """(B, n) bool."""
    reward: Floats
    """(B,) float32, shared by the agents."""
    terminated: Bools
    """(B,) bool: the episode ended by the rules of the game."""
    truncated: Bools
    """(B,) bool: the episode was cut off by its time limit."""
    info: dict[str, npt.NDArray[Any]]
    """`battle_won` (B,) bool, true only where an episode ended in this step; `episode_return` (B,) float32 and
    `episode_length` (B,) int32 of the episode that ended, or is running; `final_obs`, `final_state` and `final_avail`,
    shaped as their namesakes: the last look of the latest episode that ended (zeros before)."""


def won(info: dict[str, npt.NDArray[Any]]) -> npt.NDArray[np.float64]:
    """(B,) what win rates are the mean of, where an episode ended: 1 for one that was won, else 0; of a queue the share
    of its packets that were taken up."""
    return info.get("throughput", info["battle_won"]).astype(np.float64)


class VecEnv(ABC):
    """B episodes of one environment stepped together; finished ones restart by themselves."""

    name: str
    """`family:name`, as `make` takes it."""
    n_envs: int
    n_agents: int
    n_actions: int
    obs_size: int
    state_size: int
    episode_limit: int
    """Steps after which an episode is cut off."""
    max_return: float
    """The return of a flawless episode."""
    tells_wins: bool = True
    """Whether `battle_won` means anything: some environments say nothing of the kind."""
    normalises: bool = True
    """Whether learners scale what an agent sees to mean 0 and variance 1 over its own numbers, as MAPPO does. Where
    these are few, what is left of them is too little to act on."""

    @abstractmethod
    def reset(self, seed: int = 0) -> Step:
        """Start every episode anew; the same seed gives the same course of events under the same actions."""

    @abstractmethod
    def step(self, actions: Integers) -> Step:
        """Play one step of every episode with actions (B, n) of any integer dtype; all must be available."""

    @abstractmethod
    def last_step(self) -> Step:
        """Give the `Step` of the last call again (also after `load_state_dict`)."""

    @abstractmethod
    def state_dict(self) -> dict[str, Any]:
        """Copy everything that decides the future and the last `Step`; picklable."""

    @abstractmethod
    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue, bit for bit, where `state_dict` was taken."""

    def close(self) -> None:  # noqa: B027 - most environments hold nothing to give back
        """Give back what the environment holds; arrays already handed out stay valid."""


def as_integer(value: object, name: str, low: int, high: int | None = None) -> int:
    """Read an integer argument within `low..high`, or say what is wrong with it.

    Raises TypeError for a value that is no integer, ValueError for one out of range.
    """
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{name} must be an integer, not {value!r}") from None
    if number < low or (high is not None and number > high):
        rule = f"at least {low}" if high is None else f"in {low}..{high}"
        raise ValueError(f"{name} is {number}, must be {rule}")
    return number
