"""Attention-MAPPO: MAPPO whose actor is a transformer encoder over the agents.

Every agent's features become a token; the tokens of the living read each other; each becomes logits. The agents draw
independently, but given what everybody sees: execution is central, as it is with QC-MAPPO, whose main rival this is. No
code for it is published; the nearest is the encoder of the multi-agent transformer (Wen et al. 2022, arXiv:2205.14953).
The learner is `qcmarl.ppo`; this file is the configuration and the
actor. See docs/algorithms/attention-mappo.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from qcmarl.attention import Teams, attend
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
class AttentionMAPPOConfig(PPOConfig):
    """Attention-MAPPO: a transformer encoder over the agents, tokens of `hidden` numbers."""

    layers: int = 1
    """Encoder layers (>= 1); 1 as in the code of arXiv:2205.14953."""
    heads: int = 4
    """Attention heads (>= 1); divides `hidden`."""
    expansion: int = 1
    """Width between the two linear maps after attention, in tokens (>= 1): 1 in the code of arXiv:2205.14953, 4 in
    arXiv:1706.03762."""


def resolve(config: AttentionMAPPOConfig, env_name: str) -> AttentionMAPPOConfig:
    """Fills in what was left open; raises ValueError where the configuration contradicts itself."""
    config = resolve_ppo(config, env_name, joint_law=False)
    for name in ("layers", "heads", "expansion"):
        if getattr(config, name) < 1:
            raise ValueError(f"{name} is {getattr(config, name)}; it must be at least 1")
    if config.hidden % config.heads:
        raise ValueError(f"heads is {config.heads}; it must divide hidden = {config.hidden}")
    return config


class EncoderLayer(nn.Module):
    """Attention over the living agents, then two linear maps, each added to what came in (pre-LN).

    Args:
        width: of a token.
        heads: divides `width`.
        expansion: width between the two linear maps, in tokens.
    """

    def __init__(self, width: int, heads: int, expansion: int) -> None:
        super().__init__()
        self.heads = heads
        self.ask = linear(width, 3 * width)
        self.answer = linear(width, width)
        self.widen = linear(width, expansion * width, nn.init.calculate_gain("relu"))
        self.narrow = linear(expansion * width, width)

    def forward(self, tokens: Tensor, teams: Teams, answering: Tensor) -> Tensor:
        """(R, width) tokens of the living to as many; `answering` (heads * M, 1, n) is for each head."""
        asked = teams.seated(self.ask(normalised(tokens)))
        heads = asked.view(teams.samples, teams.agents, 3, self.heads, -1).permute(2, 3, 0, 1, 4)
        queries, keys, values = heads.flatten(1, 2).unbind()
        answers = attend(queries, keys, values, answering)
        answers = answers.view(self.heads, teams.samples, teams.agents, -1).permute(1, 2, 0, 3).flatten(2)
        tokens = tokens + self.answer(teams.rows(answers))
        widened = dropped(F.relu_(self.widen(normalised(tokens))))
        output: Tensor = tokens + self.narrow(widened)
        return output


class AttentionPolicy(Policy):
    """Embedding, encoder layers, logits; the weights are shared by the agents.

    Args:
        features: F.
        actions: A.
        config: resolved.
    """

    def __init__(self, features: int, actions: int, config: AttentionMAPPOConfig) -> None:
        super().__init__()
        self.embedding = Trunk(features, (config.hidden,))
        self.layers = nn.ModuleList(
            EncoderLayer(config.hidden, config.heads, config.expansion) for _ in range(config.layers)
        )
        self.heads = config.heads
        self.head = linear(config.hidden, actions, HEAD_GAIN)

    def forward(self, inputs: Inputs) -> tuple[Law, Tensor | None]:
        """An independent law."""
        teams = Teams(inputs)
        answering = teams.answering().repeat(self.heads, 1, 1)
        tokens = self.embedding(inputs.x)
        for layer in self.layers:
            tokens = layer(tokens, teams, answering)
        return IndependentLaw(self.head(normalised(tokens)), inputs), None


def build_policy(config: AttentionMAPPOConfig, sizes: Sizes) -> AttentionPolicy:
    """The actor, freshly initialised from torch's global generator."""
    return AttentionPolicy(sizes.features, sizes.actions, config)


class AttentionMAPPO(PPO):
    """The learner with the transformer encoder as actor.

    Args:
        config: resolved.
        env: training environments.
        seed: of everything random.
        threads: used by the updates.
        device: of the networks.
    """

    def __init__(
        self, config: AttentionMAPPOConfig, env: VecEnv, seed: int, threads: int = 1, device: torch.device = HOST
    ) -> None:
        super().__init__(config, build_policy(config, sizes_of(env)), env, seed, threads, device)
