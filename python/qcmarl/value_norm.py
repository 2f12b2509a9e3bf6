"""Running mean and variance of the returns; the critic works in these units.

Called by `ppo`: the returns of a rollout enter once, before its epochs.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

VARIANCE_FLOOR = 1e-2


class ValueNorm(nn.Module):
    """Exponential averages of x and x^2, freed of the bias of their start at zero.

    After k updates with decay b the averages are divided by 1 - b^k.

    Args:
        decay: b, 0..1, per update.
    """

    def __init__(self, decay: float) -> None:
        super().__init__()
        self.decay = decay
        self.register_buffer("first", torch.zeros((), dtype=torch.float64))
        self.register_buffer("second", torch.zeros((), dtype=torch.float64))
        self.register_buffer("weight", torch.zeros((), dtype=torch.float64))
        self.first: Tensor
        self.second: Tensor
        self.weight: Tensor

    def update(self, x: Tensor) -> None:
        """Takes in a batch of returns of any shape."""
        x = x.double()
        self.first.mul_(self.decay).add_((1 - self.decay) * x.mean())
        self.second.mul_(self.decay).add_((1 - self.decay) * x.square().mean())
        self.weight.mul_(self.decay).add_(1 - self.decay)

    def statistics(self) -> tuple[Tensor, Tensor]:
        """Mean and standard deviation, scalars; 0 and 1 before the first update."""
        none = self.weight == 0
        mean = torch.where(none, 0.0, self.first / self.weight)
        variance = (self.second / self.weight - mean.square()).clamp_min(VARIANCE_FLOOR)
        return mean.float(), torch.where(none, 1.0, variance.sqrt()).float()

    def normalise(self, x: Tensor) -> Tensor:
        """Returns to the critic's units."""
        mean, deviation = self.statistics()
        return (x - mean) / deviation

    def denormalise(self, x: Tensor) -> Tensor:
        """The critic's units to returns."""
        mean, deviation = self.statistics()
        return x * deviation + mean
