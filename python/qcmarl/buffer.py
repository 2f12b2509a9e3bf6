"""Storage of one rollout, and its cutting into minibatches.

Filled by `rollout.Collector`, read by `ppo` and `diagnostics`. Samples are addressed as `t * B + b`; a minibatch is a
tensor of such addresses (L, C): L = 1 for feed-forward policies, L consecutive steps of C sequences for recurrent
ones. Addresses are made on the host, which so knows how many agents live in a minibatch without asking the device.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from qcmarl.device import HOST, pinned, upload
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


class Told(NamedTuple):
    """What environments say in T steps."""

    state: Tensor
    """(T + 1, B, S)."""
    alive: Tensor
    """(T, B, n) bool."""
    start: Tensor
    """(T, B) bool."""
    reward: Tensor
    """(T, B)."""
    terminated: Tensor
    """(T, B) bool."""
    truncated: Tensor
    """(T, B) bool."""


class Rollout:
    """T steps of B environments, overwritten by every collection.

    What the environments say lies on the host, `told`, and goes to the device in one go when the rollout is full; what
    acting has brought to the device already stays there.

    Args:
        steps: T.
        envs: B.
        sizes: of the environment.
        joint: whether log-probabilities are those of the joint action.
        memory: H, 0 for feed-forward policies.
        device: of the networks.
    """

    def __init__(
        self, steps: int, envs: int, sizes: Sizes, joint: bool, memory: int, device: torch.device = HOST
    ) -> None:
        self.steps, self.envs, self.sizes, self.memory, self.device = steps, envs, sizes, memory, device
        shape, agents = (steps, envs), (steps, envs, sizes.agents)
        self.x = torch.zeros(steps + 1, envs, sizes.agents, sizes.features, device=device)
        self.avail = torch.zeros(*agents, sizes.actions, dtype=torch.bool, device=device)
        self.actions = torch.zeros(*agents, dtype=torch.int64, device=device)
        self.log_prob = torch.zeros(shape if joint else agents, device=device)
        self.hidden = torch.zeros(*agents, memory, device=device)
        self.told = Told(
            state=pinned(steps + 1, envs, sizes.state, device=device),
            alive=pinned(*agents, dtype=torch.bool, device=device),
            start=pinned(*shape, dtype=torch.bool, device=device),
            reward=pinned(*shape, device=device),
            terminated=pinned(*shape, dtype=torch.bool, device=device),
            truncated=pinned(*shape, dtype=torch.bool, device=device),
        )
        there = self.told if device.type == "cpu" else Told(*(torch.zeros_like(x, device=device) for x in self.told))
        self.state, self.alive, self.start, self.reward, self.terminated, self.truncated = self._there = there
        self.cuts: list[Cut] = []

    def arrive(self) -> None:
        """Brings what was told to the device, once the rollout is full."""
        if self._there is not self.told:
            for there, told in zip(self._there, self.told, strict=True):
                there.copy_(told, non_blocking=True)

    def inputs(self, samples: Tensor) -> Inputs:
        """What the policy reads at the given samples.

        Args:
            samples: (L, C) addresses, on the host.

        Returns:
            inputs of L * C samples.
        """
        flat, agents, device = samples.flatten(), self.sizes.agents, self.device
        alive = self.told.alive.flatten(0, 1)[flat].flatten()
        rows = alive.nonzero().squeeze(1)
        there = upload(flat, device)
        avail = self.avail.flatten(0, 1).index_select(0, there)
        if self.memory == 0:
            where = upload(flat.index_select(0, rows // agents) * agents + rows % agents, device)
            return Inputs(self.x.flatten(0, 2).index_select(0, where), avail, upload(rows, device))
        x = self.x.flatten(0, 1).index_select(0, there).view(len(samples), -1, self.sizes.features)
        start = self.told.start.flatten()[samples].repeat_interleave(agents, dim=1)
        hidden = self.hidden.flatten(0, 1).index_select(0, there[: samples.shape[1]]).flatten(0, 1)
        return Inputs(x, avail, upload(rows, device), upload(start, device), hidden)

    def whole(self) -> Tensor:
        """Addresses of all samples as one batch: (1, T * B), or (T, B) for a recurrent policy."""
        samples = torch.arange(self.steps * self.envs)
        return samples.view(1, -1) if self.memory == 0 else samples.view(self.steps, self.envs)

    def minibatches(self, count: int, chunk: int, generator: torch.Generator) -> Iterator[Tensor]:
        """Every sample once, in `count` random parts of nearly equal size.

        Args:
            count: number of minibatches.
            chunk: L; feed-forward policies are given 1.
            generator: the source of the order, of the host.

        Yields:
            addresses (L, C).
        """
        starts = torch.arange(0, self.steps, chunk).unsqueeze(1) * self.envs + torch.arange(self.envs)
        starts = starts.flatten()
        order = starts[torch.randperm(len(starts), generator=generator)]
        within = torch.arange(chunk).unsqueeze(1) * self.envs
        for part in order.tensor_split(count):
            yield part + within
