"""VDN: the value of a joint action is the sum of the values that the agents give to their own.

Sunehag et al. 2018, arXiv:1706.05296. Each agent acts on its own observation (with its last action and its id). The
learner is `qcmarl.value.learner`; this file is the configuration and the agents. See docs/algorithms/vdn.md.
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
from qcmarl.value.mixing import SumMixer
from qcmarl.value.policies import ValuePolicy, build_values

if TYPE_CHECKING:
    from qcmarl.envs import VecEnv


@dataclass(frozen=True)
class VDNConfig(QConfig):
    """VDN: values of agents that add up."""


def resolve(config: VDNConfig, env_name: str) -> VDNConfig:
    """Fills in what was left open; raises ValueError where the configuration contradicts itself."""
    return resolve_q(config)


def build_policy(config: VDNConfig, sizes: Sizes) -> ValuePolicy:
    """The agents, freshly initialised from torch's global generator."""
    return build_values(sizes, config.hidden, bool(config.recurrent))


class VDN(QLearner):
    """The learner with a sum.

    Args:
        config: resolved.
        env: training environments.
        seed: of everything random.
        threads: used by the updates.
        device: of the networks.
    """

    def __init__(
        self, config: VDNConfig, env: VecEnv, seed: int, threads: int = 1, device: torch.device = HOST
    ) -> None:
        super().__init__(config, build_policy(config, sizes_of(env)), SumMixer(), env, seed, threads, device)
