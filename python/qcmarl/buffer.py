"""Storage of one rollout, and its cutting into minibatches.

Filled by `rollout.Collector`, read by `ppo` and `diagnostics`. Samples are addressed as `t * B + b`; a minibatch is a
tensor of such addresses (L, C): L = 1 for feed-forward policies, L consecutive steps of C sequences for recurrent
ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from qcmarl.laws import Inputs


class Sizes(NamedTuple):
    """Sizes of an environment as the networks see it."""

    agents: int
    actions: int
    features: int
    """F: observation, last action, agent id."""
    state: int
    """S: state, and the share of the episode's time that is used."""


class Cut(NamedTuple):
    """Where a time limit cut K episodes, and what was seen there last."""

    t: int
    where: Tensor
    """(K,) environments."""
    state: Tensor
    """(K, S)."""
    x: Tensor
    """(K, n, F)."""


class Rollout:
    """T steps of B environments, overwritten by every collection.

    Args:
        steps: T.
        envs: B.
        sizes: of the environment.
        joint: whether log-probabilities are those of the joint action.
        memory: H, 0 for feed-forward policies.
    """

    def __init__(self, steps: int, envs: int, sizes: Sizes, joint: bool, memory: int) -> None:
        self.steps, self.envs, self.sizes, self.memory = steps, envs, sizes, memory
        shape, agents = (steps, envs), (steps, envs, sizes.agents)
        self.x = torch.zeros(steps + 1, envs, sizes.agents, sizes.features)
        self.state = torch.zeros(steps + 1, envs, sizes.state)
        self.avail = torch.zeros(*agents, sizes.actions, dtype=torch.bool)
        self.alive = torch.zeros(*agents, dtype=torch.bool)
        self.actions = torch.zeros(*agents, dtype=torch.int64)
        self.log_prob = torch.zeros(shape if joint else agents)
        self.start = torch.zeros(shape, dtype=torch.bool)
        self.hidden = torch.zeros(*agents, memory)
        self.reward = torch.zeros(shape)
        self.terminated = torch.zeros(shape, dtype=torch.bool)
        self.truncated = torch.zeros(shape, dtype=torch.bool)
        self.cuts: list[Cut] = []

    def inputs(self, samples: Tensor) -> Inputs:
        """What the policy reads at the given samples.

        Args:
            samples: (L, C) addresses.

        Returns:
            inputs of L * C samples.
        """
        flat = samples.flatten()
        agents = self.sizes.agents
        alive = self.alive.flatten(0, 1)[flat].flatten()
        rows = alive.nonzero().squeeze(1)
        avail = self.avail.flatten(0, 1).index_select(0, flat)
        if self.memory == 0:
            where = flat.index_select(0, rows // agents) * agents + rows % agents
            return Inputs(self.x.flatten(0, 2).index_select(0, where), avail, rows)
        x = self.x.flatten(0, 1).index_select(0, flat).view(len(samples), -1, self.sizes.features)
        start = self.start.flatten()[samples].repeat_interleave(agents, dim=1)
        hidden = self.hidden.flatten(0, 1).index_select(0, samples[0]).flatten(0, 1)
        return Inputs(x, avail, rows, start, hidden)

    def whole(self) -> Tensor:
        """Addresses of all samples as one batch: (1, T * B), or (T, B) for a recurrent policy."""
        samples = torch.arange(self.steps * self.envs)
        return samples.view(1, -1) if self.memory == 0 else samples.view(self.steps, self.envs)

    def minibatches(self, count: int, chunk: int, generator: torch.Generator) -> Iterator[Tensor]:
        """Every sample once, in `count` random parts of nearly equal size.

        Args:
            count: number of minibatches.
            chunk: L; feed-forward policies are given 1.
            generator: the source of the order.

        Yields:
            addresses (L, C).
        """
        starts = torch.arange(0, self.steps, chunk).unsqueeze(1) * self.envs + torch.arange(self.envs)
        starts = starts.flatten()
        order = starts[torch.randperm(len(starts), generator=generator)]
        within = torch.arange(chunk).unsqueeze(1) * self.envs
        for part in order.tensor_split(count):
            yield part + within
