"""TarMAC: agents that address their messages by what they are about, trained by proximal policy optimisation.

Das et al. 2019, arXiv:1810.11187. Every living agent sends a signature and a value, and asks with a query; what it
hears is the values, weighted by how well their signatures fit its query. Here the rounds take place within a step and
agents have no memory of their own; the paper has a GRU, hears a step later, and learns with an actor-critic. The
learner is `qcmarl.ppo`; this file is the configuration, the actor and what is logged. See docs/algorithms/tarmac.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from qcmarl.attention import Teams, attend, attention_weights
from qcmarl.buffer import Sizes
from qcmarl.config import PPOConfig, resolve_ppo
from qcmarl.device import HOST
from qcmarl.laws import IndependentLaw, Inputs, Law
from qcmarl.nets import HEAD_GAIN, Trunk, dropped, linear, normalised
from qcmarl.policies import Policy
from qcmarl.ppo import PPO
from qcmarl.rollout import sizes_of

if TYPE_CHECKING:
    from qcmarl.envs import VecEnv


@dataclass(frozen=True)
class TarMACConfig(PPOConfig):
    """TarMAC: targeted messages between agents of `hidden` numbers each."""

    rounds: int = 1
    """Rounds of messages within a step (>= 1); arXiv:1810.11187 has 1 and 2."""
    signature: int = 16
    """Numbers of a signature and of a query (>= 1); arXiv:1810.11187, section 4."""
    value: int = 32
    """Numbers of a message's content (>= 1); arXiv:1810.11187, section 4."""


def resolve(config: TarMACConfig, env_name: str) -> TarMACConfig:
    """Fills in what was left open; raises ValueError where the configuration contradicts itself."""
    config = resolve_ppo(config, env_name, joint_law=False)
    for name in ("rounds", "signature", "value"):
        if getattr(config, name) < 1:
            raise ValueError(f"{name} is {getattr(config, name)}; it must be at least 1")
    return config


class TarMACPolicy(Policy):
    """A trunk of two layers, rounds of messages, logits; weights are shared by the agents and by the rounds.

    Args:
        features: F.
        actions: A.
        config: resolved.
    """

    def __init__(self, features: int, actions: int, config: TarMACConfig) -> None:
        super().__init__()
        self.rounds = config.rounds
        self.signature = config.signature
        self.trunk = Trunk(features, (config.hidden, config.hidden))
        self.message = linear(config.hidden, 2 * config.signature + config.value)
        self.update = linear(config.hidden + config.value, config.hidden, nn.init.calculate_gain("tanh"))
        self.head = linear(config.hidden, actions, HEAD_GAIN)

    def forward(self, inputs: Inputs) -> tuple[Law, Tensor | None]:
        """An independent law."""
        teams = Teams(inputs)
        state, answering = self.trunk(inputs.x), teams.answering()
        for _ in range(self.rounds):
            heard = teams.rows(attend(*self._spoken(state, teams), answering))
            state = dropped(torch.tanh(self.update(torch.cat([state, heard], -1))))
        return IndependentLaw(self.head(normalised(state)), inputs), None

    def attention_to_others(self, inputs: Inputs) -> Tensor:
        """(R,) what the others' messages weigh, of 1, for each living agent in the first round."""
        teams = Teams(inputs)
        queries, signatures, _ = self._spoken(self.trunk(inputs.x), teams)
        weights, total = attention_weights(queries, signatures, teams.answering())
        own = weights.diagonal(dim1=1, dim2=2).unsqueeze(-1)
        return 1 - teams.rows(own / total).squeeze(-1)

    def _spoken(self, state: Tensor, teams: Teams) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, signatures and values (M, n, ...) of agents in the given state (R, H)."""
        spoken, s = teams.seated(self.message(state)), self.signature
        return spoken[..., :s], spoken[..., s : 2 * s], spoken[..., 2 * s :]


def build_policy(config: TarMACConfig, sizes: Sizes) -> TarMACPolicy:
    """The actor, freshly initialised from torch's global generator."""
    return TarMACPolicy(sizes.features, sizes.actions, config)


class TarMAC(PPO):
    """The learner with TarMAC's actor.

    Args:
        config: resolved.
        env: training environments.
        seed: of everything random.
        threads: used by the updates.
        device: of the networks.
    """

    policy: TarMACPolicy

    def __init__(
        self, config: TarMACConfig, env: VecEnv, seed: int, threads: int = 1, device: torch.device = HOST
    ) -> None:
        super().__init__(config, build_policy(config, sizes_of(env)), env, seed, threads, device)

    @torch.no_grad()
    def diagnostics(self, generator: torch.Generator) -> dict[str, float]:
        """How much of what agents hear is from others, on the last rollout."""
        inputs = self.rollout.inputs(self.rollout.whole())
        return {"policy/attention_to_others": float(self.policy.attention_to_others(inputs).mean())}
