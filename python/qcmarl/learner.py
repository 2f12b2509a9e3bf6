"""What a run drives: the face of every learner, on-policy or from a memory of episodes.

Implemented by `ppo` and by the files in `algos`; called by `run`. A learner owns its environments, its networks and
everything random, so that `state_dict` decides the rest of its life.
"""

from __future__ import annotations

from typing import Any, Protocol

import torch

from qcmarl.policies import Policy


class LearnerConfig(Protocol):
    """What a run needs to know of an algorithm's configuration, a frozen dataclass."""

    @property
    def n_envs(self) -> int:
        """B, environments played at once (>= 1)."""


class Learner(Protocol):
    """One algorithm at work in its environments."""

    env_steps: int
    """Environment steps made so far."""
    seconds: dict[str, float]
    """Time spent so far, by what it was spent on."""

    @property
    def policy(self) -> Policy:
        """The actor as it stands; `build_policy` makes one of the same shape for its weights to be read into."""

    def iterate(self) -> dict[str, float]:
        """Plays a while and learns from it; returns what is logged, `train/...`."""

    def diagnostics(self, generator: torch.Generator) -> dict[str, float]:
        """What the algorithm says of its policy at an evaluation, `policy/...`; changes nothing.

        Args:
            generator: of the learner's device.
        """

    def state_dict(self) -> dict[str, Any]:
        """Everything that the next iteration depends on, copied to the host; must hold `policy` and `env_steps`."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on from what `state_dict` gave."""

    def close(self) -> None:
        """Ends threads and environments."""
