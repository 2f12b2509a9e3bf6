"""The way back from a step that left the trust region. Called by `ppo`."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn


class LastStep:
    """Parameters as they were before their latest step.

    Args:
        parameters: what an optimiser moves.
    """

    def __init__(self, parameters: Iterable[nn.Parameter]) -> None:
        self._parameters = [parameter.detach() for parameter in parameters]
        self._before = [parameter.clone() for parameter in self._parameters]

    def remember(self) -> None:
        """Call before a step."""
        torch._foreach_copy_(self._before, self._parameters)

    def take_back(self, where: Tensor) -> None:
        """Undoes the steps since `remember` if `where`, a bool scalar on the parameters' device, says so; asks the
        device for nothing."""
        for parameter, before in zip(self._parameters, self._before, strict=True):
            parameter.copy_(torch.where(where, before, parameter))
