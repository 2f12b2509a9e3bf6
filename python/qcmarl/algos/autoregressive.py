"""Autoregressive MAPPO: MAPPO whose agents choose in turn, each knowing what those before it chose.

The joint law is written as a product of conditionals, pi(a) = prod_i pi_i(a_i given o, a_1 .. a_{i-1}), so that it can
be any law whatever its correlation, without a circuit and with few parameters: a control of QC-MAPPO. Like it, it reads
every observation: execution is central. The factorisation is that of the multi-agent transformer (Wen et al. 2022,
arXiv:2205.14953); the networks are an encoder and one hidden layer. The learner is `qcmarl.ppo`; this file is the
configuration and the actor. See docs/algorithms/autoregressive-mappo.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from qcmarl.buffer import Sizes
from qcmarl.config import PPOConfig, resolve_ppo
from qcmarl.device import HOST
from qcmarl.diagnostics import law_metrics
from qcmarl.laws import Inputs, Law
from qcmarl.laws.chain import ChainLaw
from qcmarl.nets import HEAD_GAIN, Trunk, linear
from qcmarl.policies import Policy
from qcmarl.ppo import PPO
from qcmarl.rollout import sizes_of

if TYPE_CHECKING:
    from qcmarl.envs import VecEnv

TOLD = 0.3
"""Standard deviation of what an action tells at first; what is seen has entries of size 1."""
LOOKED_AT = 256
"""Observations behind the total correlation that is logged; estimating it takes 0.4 s with eight agents."""


@dataclass(frozen=True)
class AutoregressiveMAPPOConfig(PPOConfig):
    """Autoregressive MAPPO: the agents choose in turn, in the order of their ids."""


def resolve(config: AutoregressiveMAPPOConfig, env_name: str) -> AutoregressiveMAPPOConfig:
    """Fills in what was left open; raises ValueError where the configuration contradicts itself."""
    return resolve_ppo(config, env_name, joint_law=True)


class AutoregressivePolicy(Policy):
    """An encoder per agent (shared weights), what the team sees, what was chosen so far, and one hidden layer.

    Args:
        features: F.
        agents: n.
        actions: A.
        hidden: H, width of all layers.
    """

    joint = True

    def __init__(self, features: int, agents: int, actions: int, hidden: int) -> None:
        super().__init__()
        gain = nn.init.calculate_gain("relu")
        self.encoder = Trunk(features, (hidden, hidden))
        self.own = linear(hidden, hidden, gain)
        self.team = linear(agents * hidden, hidden, gain)
        self.told = nn.Parameter(torch.randn(agents, actions, hidden) * TOLD)
        self.head = linear(hidden, actions, HEAD_GAIN)

    def forward(self, inputs: Inputs) -> tuple[Law, Tensor | None]:
        """A chain law; the dead see nothing and do their only action."""
        living: Tensor = self.encoder(inputs.x)
        everyone = living.new_zeros(inputs.samples * inputs.agents, living.shape[-1])
        latents = everyone.index_add(0, inputs.rows, living).view(inputs.samples, inputs.agents, -1)
        seen = self.own(latents) + self.team(latents.flatten(1)).unsqueeze(1)
        return ChainLaw(seen, self.told, self.head, inputs.avail), None


def build_policy(config: AutoregressiveMAPPOConfig, sizes: Sizes) -> AutoregressivePolicy:
    """The actor, freshly initialised from torch's global generator."""
    return AutoregressivePolicy(sizes.features, sizes.agents, sizes.actions, config.hidden)


class AutoregressiveMAPPO(PPO):
    """The learner with the autoregressive actor.

    Args:
        config: resolved.
        env: training environments.
        seed: of everything random.
        threads: used by the updates.
        device: of the networks.
    """

    def __init__(
        self, config: AutoregressiveMAPPOConfig, env: VecEnv, seed: int, threads: int = 1, device: torch.device = HOST
    ) -> None:
        super().__init__(config, build_policy(config, sizes_of(env)), env, seed, threads, device)

    def diagnostics(self, generator: torch.Generator) -> dict[str, float]:
        """The total correlation of the joint law, on the last rollout."""
        return law_metrics(self.policy, self.rollout, generator, LOOKED_AT)
