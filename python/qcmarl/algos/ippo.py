"""IPPO: proximal policy optimisation of agents that learn by themselves, with shared weights.

de Witt et al. 2020, arXiv:2011.09533. Actor and critic of an agent read its own observation (with its last action and
its id) and nothing else. The learner is `qcmarl.ppo`; this file is the configuration. See docs/algorithms/ippo.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

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
class IPPOConfig(LocalPPOConfig):
    """IPPO: a shared actor and a shared critic per agent, both local."""

    critic: Literal["state", "agent", "local"] = "local"
    """What a value is of; IPPO's own observation, or, for comparison, as in MAPPO."""


def resolve(config: IPPOConfig, env_name: str) -> IPPOConfig:
    """Fills in what was left open; raises ValueError where the configuration contradicts itself."""
    return resolve_local(config, env_name)


def build_policy(config: IPPOConfig, sizes: Sizes) -> Policy:
    """The actor, freshly initialised from torch's global generator."""
    return local_policy(config.recurrent, sizes, config.hidden)


class IPPO(PPO):
    """The learner with IPPO's actor.

    Args:
        config: resolved.
        env: training environments.
        seed: of everything random.
        threads: used by the updates.
        device: of the networks.
    """

    def __init__(
        self, config: IPPOConfig, env: VecEnv, seed: int, threads: int = 1, device: torch.device = HOST
    ) -> None:
        policy = build_policy(config, sizes_of(env))
        super().__init__(config, policy, env, seed, threads, device, chunk=config.chunk if config.recurrent else 1)
