"""MAPPO: proximal policy optimisation with one actor shared by the agents and a central critic.

Yu et al. 2022, arXiv:2103.01955. Each agent acts on its own observation (with its last action and its id); the critic
reads the state. The learner is `qcmarl.ppo`; this file is the configuration. See docs/algorithms/mappo.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from qcmarl.buffer import Sizes
from qcmarl.config import LocalPPOConfig, resolve_local
from qcmarl.device import HOST
from qcmarl.policies import Policy, local_policy
from qcmarl.ppo import PPO
from qcmarl.rollout import sizes_of

if TYPE_CHECKING:
    from qcmarl.envs import VecEnv


@dataclass(frozen=True)
class MAPPOConfig(LocalPPOConfig):
    """MAPPO: a shared actor per agent, a central critic."""


def resolve(config: MAPPOConfig, env_name: str) -> MAPPOConfig:
    """Fills in what was left open; raises ValueError where the configuration contradicts itself."""
    return resolve_local(config, env_name)


def build_policy(config: MAPPOConfig, sizes: Sizes) -> Policy:
    """The actor, freshly initialised from torch's global generator."""
    return local_policy(config.recurrent, sizes, config.hidden)


class MAPPO(PPO):
    """The learner with MAPPO's actor.

    Args:
        config: resolved.
        env: training environments.
        seed: of everything random.
        threads: used by the updates.
        device: of the networks.
    """

    def __init__(
        self, config: MAPPOConfig, env: VecEnv, seed: int, threads: int = 1, device: torch.device = HOST
    ) -> None:
        policy = build_policy(config, sizes_of(env))
        super().__init__(config, policy, env, seed, threads, device, chunk=config.chunk if config.recurrent else 1)
