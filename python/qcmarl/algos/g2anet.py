"""G2ANet: agents decide whom to listen to, then how much, trained by proximal policy optimisation.

Liu et al. 2020, arXiv:1911.10715. Hard attention: a recurrent layer goes in both directions over an agent's partners
and opens or closes the edge to each; soft attention weighs what comes over the open edges. The paper samples edges
(Gumbel-softmax); here an edge is open where it is likelier open than not, with the gradient of its probability
(straight-through), so that the law of actions is a function of the observations and PPO's ratio is exact. The learner
is `qcmarl.ppo`; this file is the configuration, the actor and what is logged. See docs/algorithms/g2anet.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from qcmarl.attention import Teams, attention_weights
from qcmarl.buffer import Sizes
from qcmarl.config import PPOConfig, resolve_ppo
from qcmarl.device import HOST
from qcmarl.laws import IndependentLaw, Inputs, Law
from qcmarl.nets import HEAD_GAIN, Trunk, linear
from qcmarl.policies import Policy
from qcmarl.ppo import PPO
from qcmarl.rollout import sizes_of

if TYPE_CHECKING:
    from qcmarl.envs import VecEnv

OPEN = 0.5
"""Offset of an edge's first logit: at first every edge is open, narrowly. A run that began undecided (0) had opened
them all after 60 k steps of skirmish:8m_vs_9m."""
HOLD = 1e4
"""Logit of the update gate at a dead partner: the gate is exactly 1, and memory passes by unchanged."""


@dataclass(frozen=True)
class G2ANetConfig(PPOConfig):
    """G2ANet: hard attention decides who is heard, soft attention how much."""

    edge_width: int = 16
    """Memory of the recurrent layer in each direction (>= 1); the paper's code has 64, at many times the cost."""
    attention: int = 32
    """Numbers of a query, a key and a value of soft attention (>= 1); common re-implementations."""


def resolve(config: G2ANetConfig, env_name: str) -> G2ANetConfig:
    """Fills in what was left open; raises ValueError where the configuration contradicts itself."""
    config = resolve_ppo(config, env_name, joint_law=False)
    for name in ("edge_width", "attention"):
        if getattr(config, name) < 1:
            raise ValueError(f"{name} is {getattr(config, name)}; it must be at least 1")
    return config


class HardAttention(nn.Module):
    """Which edges are open: a GRU goes round the other agents, i + 1, i + 2, ... and i - 1, i - 2, ..., at once.

    Its input at partner j is (h_i, h_j); the linear map of it is a sum of two, one for each agent instead of each pair.
    At a dead partner memory stays as it is, so that the dead might as well not be there.

    Args:
        latent: numbers of h.
        width: W, memory in each direction.
    """

    hold: Tensor

    def __init__(self, latent: int, width: int) -> None:
        super().__init__()
        self.width = width
        self.own = linear(latent, 6 * width)
        self.partner = linear(latent, 6 * width)
        self.recurrent = nn.Parameter(torch.empty(2, width, 3 * width))
        self.recurrent_bias = nn.Parameter(torch.zeros(2, 1, 3 * width))
        for direction in self.recurrent.data:
            nn.init.orthogonal_(direction)
        self.edge = linear(2 * width, 1, HEAD_GAIN)
        nn.init.constant_(self.edge.bias, OPEN)
        hold = torch.zeros(3 * width)
        hold[width : 2 * width] = HOLD
        self.register_buffer("hold", hold, persistent=False)

    def forward(self, latents: Tensor, inputs: Inputs, teams: Teams) -> Tensor:
        """(R, latent) of the living to logits (R, n) of hearing each agent; those of oneself and the dead are void."""
        agents, everyone = teams.agents, teams.samples * teams.agents
        own = self.own(latents).view(len(latents), 2, -1).transpose(0, 1)
        partner = teams.seated(self.partner(latents)).view(everyone, 2, -1).transpose(0, 1)
        partner = (partner + ~teams.alive.view(-1, 1) * self.hold).flatten(0, 1)
        agent = inputs.rows % agents
        first = inputs.rows - agent
        memory, memories = latents.new_zeros(2, len(latents), self.width), []
        for step in range(1, agents):
            after, before = first + (agent + step) % agents, first + (agent - step) % agents + everyone
            met = partner.index_select(0, torch.cat([after, before])).view_as(own)
            memory = self._cell(own + met, memory)
            memories.append(memory)
        evidence = torch.stack(memories) @ self.edge.weight.view(2, self.width, 1)
        by_offset = evidence[:, 0] + evidence.flip(0)[:, 1] + self.edge.bias
        offset = (torch.arange(agents, device=agent.device) - agent.unsqueeze(1)) % agents
        logits = F.pad(by_offset.squeeze(-1).t(), (1, 0))  # (R, n) by distance round the circle
        return logits.gather(1, offset)

    def _cell(self, x: Tensor, memory: Tensor) -> Tensor:
        """One step of the GRU in both directions: (2, R, 3 W) and (2, R, W) to (2, R, W)."""
        from_memory = torch.baddbmm(self.recurrent_bias, memory, self.recurrent)
        reset_x, update_x, new_x = x.chunk(3, -1)
        reset_memory, update_memory, new_memory = from_memory.chunk(3, -1)
        reset, update = torch.sigmoid(reset_x + reset_memory), torch.sigmoid(update_x + update_memory)
        return torch.lerp(torch.tanh(new_x + reset * new_memory), memory, update)


class G2ANetPolicy(Policy):
    """A trunk of two layers, hard and soft attention, logits from an agent's own state and what it heard.

    Args:
        features: F.
        actions: A.
        config: resolved.
    """

    def __init__(self, features: int, actions: int, config: G2ANetConfig) -> None:
        super().__init__()
        self.trunk = Trunk(features, (config.hidden, config.hidden))
        self.hard = HardAttention(config.hidden, config.edge_width)
        self.soft = linear(config.hidden, 3 * config.attention)
        self.head = linear(config.hidden + config.attention, actions, HEAD_GAIN)

    def forward(self, inputs: Inputs) -> tuple[Law, Tensor | None]:
        """An independent law."""
        teams, state = Teams(inputs), self.trunk(inputs.x)
        queries, keys, values = teams.seated(self.soft(state)).chunk(3, -1)
        weights, total = attention_weights(queries, keys, teams.answering(to_oneself=False))
        edges = straight_through(self.hard(state, inputs, teams))
        heard = torch.bmm(weights * teams.seated(edges), F.relu(values)) / total
        logits = self.head(torch.cat([state, teams.rows(heard)], -1))
        return IndependentLaw(logits, inputs), None

    def open_edges(self, inputs: Inputs) -> Tensor:
        """Share of the edges between living agents that are open, a scalar; NaN where there is no such edge."""
        teams = Teams(inputs)
        listening = teams.rows(teams.answering(to_oneself=False)) == 0
        logits: Tensor = self.hard(self.trunk(inputs.x), inputs, teams)
        return (logits > 0)[listening].float().mean()


def straight_through(logits: Tensor) -> Tensor:
    """1 where the logit is positive, else 0; the gradient is that of the logistic function."""
    probability = torch.sigmoid(logits)
    return (logits > 0).to(logits.dtype) + (probability - probability.detach())


def build_policy(config: G2ANetConfig, sizes: Sizes) -> G2ANetPolicy:
    """The actor, freshly initialised from torch's global generator; raises ValueError for an agent alone."""
    if sizes.agents < 2:
        raise ValueError("g2anet draws edges between agents; this environment has 1 agent, and 2 or more are needed")
    return G2ANetPolicy(sizes.features, sizes.actions, config)


class G2ANet(PPO):
    """The learner with G2ANet's actor.

    Args:
        config: resolved.
        env: training environments.
        seed: of everything random.
        threads: used by the updates.
        device: of the networks.
    """

    policy: G2ANetPolicy

    def __init__(
        self, config: G2ANetConfig, env: VecEnv, seed: int, threads: int = 1, device: torch.device = HOST
    ) -> None:
        super().__init__(config, build_policy(config, sizes_of(env)), env, seed, threads, device)

    @torch.no_grad()
    def diagnostics(self, generator: torch.Generator) -> dict[str, float]:
        """How dense the graph is, on every eighth sample of the last rollout."""
        inputs = self.rollout.inputs(self.rollout.whole()[:, ::8])
        return {"policy/open_edges": float(self.policy.open_edges(inputs))}
