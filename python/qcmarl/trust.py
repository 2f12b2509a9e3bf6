"""The trust region: how far an actor may move from the one that collected its rollout. Called by `ppo`.

Nothing here asks the device for a number; what depends on one is decided there.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

JUMP, FAR = 0.7, 2.0
"""A step out of the region is taken back if it alone added more than JUMP times the target to the KL, or led beyond FAR
times the target. Where a team learns fast, usual steps add up to 0.6 and lead up to 1.4 times the target: they stay."""
SMALLER, LARGER, SMALLEST = 0.5, 1.1, 1 / 64
"""What steps are multiplied by after a rollout of which one was taken back, and after any other; and the least that
they become. Without this an actor whose law is steep may have every step taken back, for good."""


class TrustRegion:
    """Says before each step whether the actor is still near, and takes back a step that led far away.

    Args:
        parameters: what the actor's optimiser moves.
        target: largest KL from the actor that collected the rollout, nats.
        undo: take steps back.
        perturbed: the actor is random by itself, so that the KL before the first step is not 0; it does not count.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], target: float, undo: bool, perturbed: bool) -> None:
        self.target, self.undo = target, undo
        self.share = 1.0
        """Of its learning rates that the actor steps by on the next rollout."""
        self._perturbed = perturbed
        self._parameters = [parameter.detach() for parameter in parameters]
        self._before = [parameter.clone() for parameter in self._parameters] if undo else []
        self.begin()

    def begin(self) -> None:
        """A new rollout, collected by the actor as it stands."""
        device = self._parameters[0].device
        self._near = torch.ones((), dtype=torch.bool, device=device)
        self.undone = torch.zeros((), dtype=torch.bool, device=device)
        """Whether a step of this rollout was taken back, a bool scalar."""
        if self.undo:
            torch._foreach_copy_(self._before, self._parameters)
        self._own: Tensor | None = None
        self._moved = torch.zeros((), device=device)

    def near(self, kl: Tensor) -> Tensor:
        """Whether the actor has been near all the time. Call before each step, and after the last if steps are undone.

        Args:
            kl: a scalar, mean KL of the actor as it stands.

        Returns:
            a bool scalar.
        """
        if self._own is None:
            self._own = kl if self._perturbed else torch.zeros_like(kl)
        moved = kl - self._own
        if self.undo:
            step = moved - self._moved
            usual = (moved <= self.target) | (step <= JUMP * self.target) & (moved <= FAR * self.target)
            self._take_back(self._near & ~usual)
            self._moved = moved
        self._near = self._near & (moved <= self.target)
        return self._near

    def _take_back(self, where: Tensor) -> None:
        """Undoes the step since the last call if `where` says so."""
        for parameter, before in zip(self._parameters, self._before, strict=True):
            parameter.copy_(torch.where(where, before, parameter))
        torch._foreach_copy_(self._before, self._parameters)
        self.undone = self.undone | where

    def adapt(self, undone: bool) -> None:
        """Sets `share` by whether a step was taken back."""
        self.share = max(self.share * SMALLER, SMALLEST) if undone else min(self.share * LARGER, 1.0)
