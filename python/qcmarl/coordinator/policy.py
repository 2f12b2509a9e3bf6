"""The actor: each agent chooses a measurement from its own observation, and acts on what it finds. Built by
`algos.entangled_mappo`."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from qcmarl.coordinator.measurements import Measurement
from qcmarl.coordinator.states import Resource
from qcmarl.laws import Inputs, Law
from qcmarl.laws.born import BornLaw
from qcmarl.laws.softmax import masked_softmax
from qcmarl.nets import Trunk, linear
from qcmarl.policies import Policy

SETTING_GAIN = 1.0
"""Gain of the layer that makes the settings: the first measurements differ from observation to observation."""
ADVICE_GAIN = 0.01
FOLLOWED = 3.0
"""Logit by which an agent first prefers the action that its outcome names: a measurement that nobody heeds would have
no gradient, nor would an actor whose outcome says nothing."""


class LocalActor(nn.Module):
    """What one agent carries: from its own features to a measurement, and from its outcome to an action.

    Args:
        features: F.
        actions: A.
        hidden: width of the trunk's two layers.
        measurement: of K outcomes.
        ids: n, entries at the end of the features that say who the agent is, where it is not to know; else 0.
    """

    def __init__(self, features: int, actions: int, hidden: int, measurement: Measurement, ids: int = 0) -> None:
        super().__init__()
        self.measurement, self.actions, self._ids, self.identical = measurement, actions, ids, ids > 0
        self.trunk = Trunk(features, (hidden, hidden))
        self.settings = linear(hidden, measurement.settings, SETTING_GAIN)
        self.advice = linear(hidden, measurement.outcomes * actions, ADVICE_GAIN)

    def forward(self, x: Tensor, avail: Tensor) -> tuple[Tensor, Tensor]:
        """From what the agent sees alone.

        Args:
            x: (R, F) normalised features.
            avail: (R, A) bool.

        Returns:
            effects (R, K, V) of its measurement, and the law (R, K, A) of its action at each outcome.
        """
        if self._ids:
            x = torch.cat([x[:, : -self._ids], torch.zeros_like(x[:, -self._ids :])], -1)
        latents = self.trunk(x)
        logits = self.advice(latents).view(len(x), -1, self.actions) + FOLLOWED * named(
            avail, self.measurement.outcomes
        )
        return self.measurement(self.settings(latents)), masked_softmax(logits, avail.unsqueeze(1).expand_as(logits))[1]


def named(avail: Tensor, outcomes: int) -> Tensor:
    """(R, K, A) one-hot: outcome k names the k-th available action, counted round where there are fewer than K."""
    place = avail.cumsum(-1) - 1
    count = avail.sum(-1, keepdim=True)
    wanted = torch.arange(outcomes, device=avail.device) % count
    return ((place.unsqueeze(1) == wanted.unsqueeze(2)) & avail.unsqueeze(1)).float()


class EntangledPolicy(Policy):
    """A shared resource and the agents' local actors, whose weights are shared.

    An agent's action is its measurement's outcome and a draw given it: together a measurement with an effect
    sum over k of pi(a given o, k) E_k(o) for each action, so that the law of the joint action is exact, and no outcome
    need be remembered.

    Args:
        resource: what the agents share.
        actor: of every agent.
    """

    joint = True

    def __init__(self, resource: Resource, actor: LocalActor) -> None:
        super().__init__()
        self.resource, self.actor = resource, actor

    def forward(self, inputs: Inputs) -> tuple[Law, Tensor | None]:
        """A Born law; the dead, who have one action, measure nothing."""
        avail = inputs.avail.flatten(0, 1)
        everyone = inputs.x.new_zeros(len(avail), inputs.x.shape[-1]).index_copy(0, inputs.rows, inputs.x)
        effects, choice = self.actor(everyone, avail)
        shape = (inputs.samples, inputs.agents, self.actor.actions, -1)

        def folded(law: Tensor, measured: Tensor) -> Tensor:
            return torch.einsum("rka,rkv->rav", law, measured).view(shape)

        def decisive() -> Tensor:
            decided = F.one_hot(choice.argmax(-1), self.actor.actions).to(choice.dtype)
            return folded(decided, self.actor.measurement.decisive(effects))

        return BornLaw(self.resource(), self.resource.unit, folded(choice, effects), decisive), None
