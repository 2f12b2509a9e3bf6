"""How long each environment of the study is trained on, and what every arm there has in common: the one place to tune.

Read by `arms` and by the studies' `plan`. The entropy bonus and its schedule are the same for all arms, the classical
ones too; only what is trained without entropy differs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Budget:
    """Of one environment, or of a family."""

    steps: int
    """Environment steps of a run."""
    smoke_steps: int
    """The same of a smoke test."""
    settings: Mapping[str, Any]
    """Of the algorithm: rollouts, learning rate, entropy bonus and what they are brought to over `anneal` steps."""


def _budget(steps: int, smoke_steps: int, n_envs: int, rollout_steps: int) -> Budget:
    """Found on CHSH, GHZ, the rendezvous and the queue: the entropy bonus goes to nothing and the learning rate to a
    fiftieth over nine tenths of the steps."""
    return Budget(
        steps,
        smoke_steps,
        {
            "n_envs": n_envs,
            "rollout_steps": rollout_steps,
            "lr": 1e-3,
            "lr_final": 2e-5,
            "entropy": 0.02,
            "entropy_final": 0.0,
            "anneal": steps * 9 // 10,
        },
    )


BUDGETS = {"game": _budget(96_000, 6_400, 320, 10), "queue": _budget(400_000, 9_600, 64, 50)}
"""By family, or by environment (family:name) where one needs another."""

NO_ENTROPY = {"entropy": 0.0, "entropy_final": 0.0}
"""What is trained without the bonus."""
