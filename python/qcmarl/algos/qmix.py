"""QMIX: the value of a joint action is a monotone function, made from the state, of the agents' values of their own.

Rashid et al. 2018, arXiv:1803.11485. Each agent acts on its own observation (with its last action and its id); the
state is read in training only, by the mixer. The learner is `qcmarl.value.learner`; this file is the configuration, the
agents and the mixer. See docs/algorithms/qmix.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from qcmarl.buffer import Sizes
from qcmarl.device import HOST
from qcmarl.rollout import sizes_of
from qcmarl.value.config import QConfig, resolve_q
from qcmarl.value.learner import QLearner
from qcmarl.value.mixing import MonotonicMixer
from qcmarl.value.policies import ValuePolicy, build_values

if TYPE_CHECKING:
    from qcmarl.envs import VecEnv


@dataclass(frozen=True)
class QMIXConfig(QConfig):
    """QMIX: values of agents that a monotone network mixes."""

    mixer: int = 32
    """Hidden units of the mixer (>= 1)."""
    hypernet: int = 64
    """Hidden units of the networks that give the mixer's weights (>= 1)."""


def resolve(config: QMIXConfig, env_name: str) -> QMIXConfig:
    """Fills in what was left open; raises ValueError where the configuration contradicts itself."""
    for name in ("mixer", "hypernet"):
        if getattr(config, name) < 1:
            raise ValueError(f"{name} is {getattr(config, name)}; it must be at least 1")
    return resolve_q(config)


def build_policy(config: QMIXConfig, sizes: Sizes) -> ValuePolicy:
    """The agents, freshly initialised from torch's global generator."""
    return build_values(sizes, config.hidden, bool(config.recurrent))


class QMIX(QLearner):
    """The learner with a monotone mixer.

    Args:
        config: resolved.
        env: training environments.
        seed: of everything random.
        threads: used by the updates.
        device: of the networks.
    """

    def __init__(
        self, config: QMIXConfig, env: VecEnv, seed: int, threads: int = 1, device: torch.device = HOST
    ) -> None:
        sizes = sizes_of(env)
        mixer = MonotonicMixer(sizes.state, sizes.agents, config.mixer, config.hypernet)
        super().__init__(config, build_policy(config, sizes), mixer, env, seed, threads, device)
