"""Small teams with random weights: every resource, every kind of measurement, noise, 2 and 3 agents."""

import torch

from qcmarl.algos.entangled_mappo import EntangledMAPPOConfig, build_policy, resolve
from qcmarl.buffer import Sizes
from qcmarl.laws import Inputs

OBS, ACTIONS = 4, 3
POVM = {"measurement": "povm"}
KINDS = {
    "bell": (2, {}),
    "bell, one plane": (2, {"gates": "ry"}),
    "bell, identical": (2, {"identical": True}),
    "bell, white noise": (2, {"state": "psi-", "noise": "visibility:0.8"}),
    "two qubits each": (2, {"dimension": 4}),
    "two real qubits each": (2, {"dimension": 4, "gates": "ry"}),
    "learned": (2, {"state": "learned", "dimension": 4}),
    "povm of 2": (2, {**POVM}),
    "povm of 3": (2, {**POVM, "outcomes": 3, "noise": "depolarizing:0.1"}),
    "qutrits": (2, {**POVM, "dimension": 3}),
    "ghz": (3, {}),
    "ghz, noise": (3, {"noise": "depolarizing:0.2"}),
    "ghz, povm": (3, {**POVM, "outcomes": 3}),
    "ghz, learned": (3, {"state": "learned"}),
    "product": (3, {"resource": "product"}),
    "shared number": (2, {"resource": "shared-randomness"}),
    "shared number of 3": (3, {"resource": "shared-randomness", "outcomes": 3, "latent": 3}),
}


def team(kind, obs=OBS, actions=ACTIONS, seed=0):
    """(policy, n); advice that is no longer all but one-hot, so that every number counts."""
    agents, options = KINDS[kind]
    torch.manual_seed(seed)
    config = resolve(EntangledMAPPOConfig(hidden=16, **options), "game:toy")
    policy = build_policy(config, Sizes(agents, actions, obs + actions + agents, 1))
    torch.nn.init.normal_(policy.actor.advice.weight, std=0.4)
    return policy, agents


def looks(agents, samples, seed=1):
    """Features (M, n, F) and what may be done (M, n, A), some of it not."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(samples, agents, OBS + ACTIONS + agents, generator=generator)
    avail = torch.rand(samples, agents, ACTIONS, generator=generator) < 0.7
    avail[..., 1] = True
    return x, avail


def law_of(policy, x, avail):
    """The law where everybody lives."""
    return policy(Inputs(x.flatten(0, 1), avail, torch.arange(x.shape[0] * x.shape[1])))[0]
