"""MAPPO: proximal policy optimisation with one actor shared by the agents and a central critic.

Yu et al. 2022, arXiv:2103.01955. Each agent acts on its own observation (with its last action and its id); the critic
reads the state. The learner is `qcmarl.ppo`; this file is the configuration and the actor. See
docs/algorithms/mappo.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from qcmarl.buffer import Sizes
from qcmarl.config import PPOConfig, check_minibatches, resolve_ppo
from qcmarl.policies import LocalPolicy, Policy, RecurrentPolicy
from qcmarl.ppo import PPO
from qcmarl.rollout import sizes_of

if TYPE_CHECKING:
    from qcmarl.envs import VecEnv


@dataclass(frozen=True)
class MAPPOConfig(PPOConfig):
    """MAPPO: a shared actor per agent, a central critic."""

    recurrent: bool = False
    """Give each agent a GRU over its own history."""
    chunk: int = 10
    """Steps of a sequence that the GRU is trained on; divides `rollout_steps`. Only with `recurrent`."""


def resolve(config: MAPPOConfig, env_name: str) -> MAPPOConfig:
    """Fills in what was left open; raises ValueError where the configuration contradicts itself."""
    config = resolve_ppo(config, env_name, joint_law=False)
    if config.recurrent and (config.chunk < 1 or config.rollout_steps % config.chunk):
        raise ValueError(f"chunk is {config.chunk}; it must divide rollout_steps = {config.rollout_steps}")
    if config.recurrent:
        check_minibatches(config, config.chunk)
    return config


def build_policy(config: MAPPOConfig, sizes: Sizes) -> Policy:
    """The actor, freshly initialised from torch's global generator."""
    actor = RecurrentPolicy if config.recurrent else LocalPolicy
    return actor(sizes.features, sizes.actions, config.hidden)


class MAPPO(PPO):
    """The learner with MAPPO's actor.

    Args:
        config: resolved.
        env: training environments.
        seed: of everything random.
        threads: used by the updates.
    """

    def __init__(self, config: MAPPOConfig, env: VecEnv, seed: int, threads: int = 1) -> None:
        policy = build_policy(config, sizes_of(env))
        super().__init__(config, policy, env, seed, threads, chunk=config.chunk if config.recurrent else 1)
