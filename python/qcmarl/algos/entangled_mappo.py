"""Entangled MAPPO: agents that cannot talk measure their parts of a shared state, as their own observations tell them.

After Gardiner et al. 2026, arXiv:2602.08965: policies that are measurements, learned from the reward alone. Their
construction is not public; this one is ours. Execution is local: whatever an agent does, the others' actions keep their
law. With `--resource shared-randomness` or `product` the same agents share a random number, or nothing. The learner is
`qcmarl.ppo` with the ratio of the joint action; this file is the configuration and the actor. See
docs/algorithms/entangled-mappo.md.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import torch

from qcmarl.buffer import Sizes
from qcmarl.config import PPOConfig, resolve_ppo
from qcmarl.coordinator import EntangledPolicy
from qcmarl.coordinator.measurements import POVM, Gates, LookUp, Measurement, Projective
from qcmarl.coordinator.measurements import Kind as MeasurementKind
from qcmarl.coordinator.policy import LocalActor
from qcmarl.coordinator.states import Name, QuantumState, Resource, SharedRandomness
from qcmarl.device import HOST
from qcmarl.diagnostics import law_metrics
from qcmarl.ppo import PPO
from qcmarl.quantum import check_kernels
from qcmarl.rollout import sizes_of

if TYPE_CHECKING:
    from qcmarl.envs import VecEnv

Kind = Literal["entangled", "shared-randomness", "product"]
LOOKED_AT = 256
"""Observations behind the total correlation that is logged."""


@dataclass(frozen=True)
class EntangledMAPPOConfig(PPOConfig):
    """Entangled MAPPO: what the agents share, and how they measure it."""

    resource: Kind = "entangled"
    """What the agents share: an entangled state, a random number, or nothing (each its own qubit)."""
    state: Name | None = None
    """The entangled state; default: ghz, sum over j of |jj..j>, for two qubits phi+. learned: amplitudes of its own."""
    dimension: int = 2
    """D, of each agent's part of a quantum state (>= 2)."""
    measurement: MeasurementKind = "projective"
    """projective: rotate and read out qubits, D outcomes; povm: any measurement, `outcomes` outcomes."""
    gates: Gates = "rotations"
    """Gates of a projective measurement: RZ and RY, or RY alone (measurements in one plane)."""
    outcomes: int | None = None
    """K, outcomes of a POVM, or of a look-up of the shared random number (>= 2); default: D, of a look-up 2."""
    latent: int = 4
    """L, values of the random number of shared-randomness (>= 1)."""
    identical: bool = False
    """The agents are not told who they are: equal observations, equal measurements."""
    noise: str | None = None
    """visibility:V, the state mixed with white noise of weight 1 - V; or depolarizing:E, each part replaced by noise
    with probability E before it is measured."""


def resolve(config: EntangledMAPPOConfig, env_name: str) -> EntangledMAPPOConfig:
    """Fills in what was left open; raises ValueError where the configuration contradicts itself."""
    config = resolve_ppo(config, env_name, joint_law=True)
    for name, least in (("dimension", 2), ("outcomes", 2), ("latent", 1)):
        value = getattr(config, name)
        if value is not None and value < least:
            raise ValueError(f"{name} is {value}; it must be at least {least}")
    if config.state is not None and config.resource != "entangled":
        raise ValueError(f"state '{config.state}' is for resource 'entangled'; resource is '{config.resource}'")
    # Set to their defaults they are let pass: that is how stored configurations have them.
    looks_up, default = config.resource == "shared-randomness", EntangledMAPPOConfig()
    if looks_up and config.dimension != default.dimension:
        raise ValueError(
            f"dimension {config.dimension} is of a quantum state; resource 'shared-randomness' has none (latent is the "
            "number of its values, outcomes that of a look-up)"
        )
    if not looks_up and config.latent != default.latent:
        raise ValueError(
            f"latent {config.latent} is for resource 'shared-randomness'; resource is '{config.resource}' (dimension "
            "is the size of its parts)"
        )
    _check_measured(config)
    noise = checked_noise(config.noise)
    if noise is not None and config.resource == "shared-randomness":
        raise ValueError(f"noise '{noise}' acts on a quantum state; resource 'shared-randomness' has none")
    return replace(config, noise=noise)


def _check_measured(config: EntangledMAPPOConfig) -> None:
    """Raises ValueError for settings of a measurement that is not made."""
    looks_up, projective = config.resource == "shared-randomness", config.measurement == "projective"
    if looks_up and not projective:
        raise ValueError(
            f"measurement '{config.measurement}' needs a quantum state; resource 'shared-randomness' has none"
        )
    if config.gates != "rotations" and (looks_up or not projective):
        raise ValueError(f"gates '{config.gates}' are of projective measurements; there is none here")
    if config.outcomes is not None and projective and not looks_up:
        raise ValueError(
            f"a projective measurement has dimension = {config.dimension} outcomes, so outcomes must be left open; "
            "measurement 'povm' has any number"
        )


def checked_noise(noise: str | None) -> str | None:
    """The noise, None where it is "none"; raises ValueError where it cannot be read."""
    if noise is None or noise == "none":
        return None
    strength(noise)
    return noise


def strength(noise: str | None) -> dict[str, float]:
    """`visibility` or `depolarizing` of a text NAME:NUMBER; raises ValueError where it cannot be read."""
    if noise is None:
        return {}
    name, _, number = noise.partition(":")
    try:
        value = float(number)
    except ValueError:
        value = float("nan")
    if name not in ("visibility", "depolarizing") or not 0 <= value <= 1:
        raise ValueError(
            f"noise '{noise}' cannot be read; write visibility:V or depolarizing:E with a number within 0..1"
        )
    return {name: value}


def build_policy(config: EntangledMAPPOConfig, sizes: Sizes) -> EntangledPolicy:
    """The actor, freshly initialised from torch's global generator; raises ValueError for an agent alone."""
    if sizes.agents < 2:
        raise ValueError("entangled-mappo is for agents who share a state; this environment has 1, and 2 are needed")
    resource = _resource(config, sizes.agents)  # first: it refuses what does not fit into memory
    ids = sizes.agents if config.identical else 0
    actor = LocalActor(sizes.features, sizes.actions, config.hidden, _measurement(config), ids)
    return EntangledPolicy(resource, actor)


def _resource(config: EntangledMAPPOConfig, agents: int) -> Resource:
    if config.resource == "shared-randomness":
        return SharedRandomness(agents, config.latent)
    name = "product" if config.resource == "product" else config.state or "ghz"
    return QuantumState(name, agents, config.dimension, **strength(config.noise))


def _measurement(config: EntangledMAPPOConfig) -> Measurement:
    outcomes = config.outcomes or config.dimension
    if config.resource == "shared-randomness":
        return LookUp(config.latent, outcomes)
    if config.measurement == "povm":
        return POVM(config.dimension, outcomes)
    return Projective(config.dimension, config.gates)


class EntangledMAPPO(PPO):
    """The learner with agents that measure what they share.

    Args:
        config: resolved.
        env: training environments.
        seed: of everything random.
        threads: used by the updates.
        device: of the networks.
    """

    def __init__(
        self, config: EntangledMAPPOConfig, env: VecEnv, seed: int, threads: int = 1, device: torch.device = HOST
    ) -> None:
        policy = build_policy(config, sizes_of(env))
        check_kernels(policy, device)
        super().__init__(config, policy, env, seed, threads, device)

    def diagnostics(self, generator: torch.Generator) -> dict[str, float]:
        """The total correlation of the joint law, on the last rollout."""
        return law_metrics(self.policy, self.rollout, generator, LOOKED_AT)
