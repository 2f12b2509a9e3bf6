"""What is random within an actor while it is updated: dropout, noise on its features, shots of its circuit.

Called by `ppo`. Every part of a minibatch draws from a generator of its own, whose seed follows from one number of the
learner's generator and from the part's first sample: the draws depend neither on threads nor on their order, and a
resumed run repeats them. Where nothing is random nothing is drawn.
"""

from __future__ import annotations

import torch
from torch import Tensor

from qcmarl.config import PPOConfig
from qcmarl.laws import Inputs, Law
from qcmarl.nets import dropping_out
from qcmarl.policies import Policy


class Perturbation:
    """The random side of an actor's updates.

    Args:
        config: its `dropout` and `input_noise`.
        policy: the actor; it may draw for itself.
    """

    def __init__(self, config: PPOConfig, policy: Policy) -> None:
        self._policy, self._dropout, self._noise = policy, config.dropout, config.input_noise
        self.active = config.dropout > 0 or config.input_noise > 0 or policy.draws
        """Whether anything is random."""
        self._seed = 0

    def begin(self, generator: torch.Generator) -> None:
        """A new minibatch: one number of `generator` decides all that is random in it."""
        if self.active:
            self._seed = int(torch.randint(1 << 62, (), generator=generator))

    def law(self, inputs: Inputs, samples: Tensor) -> Law:
        """The actor's law at a part of the minibatch, with what is random in it.

        Args:
            inputs: of the part.
            samples: (L, C) its addresses, on the host.
        """
        if not self.active:
            return self._policy(inputs)[0]  # type: ignore[no-any-return]
        generator = torch.Generator(inputs.x.device).manual_seed(self._seed + int(samples[0, 0]))
        x = inputs.x
        if self._noise > 0:
            x = x + self._noise * torch.randn(x.shape, generator=generator, device=x.device)
        with dropping_out(self._dropout, generator):
            law: Law = self._policy(inputs._replace(x=x, generator=generator))[0]
        return law
