"""QC-MAPPO: MAPPO whose actor holds one quantum circuit, shared by all agents.

Each agent's observation is encoded to a latent of d numbers; the latents of all agents together are the amplitudes of
ceil(log2(n d)) qubits; after layers of RY and a ring of CNOTs the qubits are measured, and a readout turns the
probabilities into a law of actions. The learner is `qcmarl.ppo`; this file is the configuration, the actor and what
is logged of the circuit. See docs/algorithms/qc-mappo.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import torch

from qcmarl.buffer import Sizes
from qcmarl.config import PPOConfig, resolve_ppo
from qcmarl.diagnostics import reading_metrics
from qcmarl.nets import Trunk
from qcmarl.policies import FactoredPolicy, MixingPolicy, OutcomePolicy
from qcmarl.ppo import PPO
from qcmarl.quantum import Circuit, build_mixer, checked_noise, qubits_for, stopwatch
from qcmarl.rollout import sizes_of

if TYPE_CHECKING:
    from qcmarl.envs import VecEnv


@dataclass(frozen=True)
class QCMAPPOConfig(PPOConfig):
    """QC-MAPPO: all agents' latents pass through one circuit."""

    readout: Literal["factored", "outcome"] = "factored"
    """From probabilities to actions: a linear head per agent, or one measured outcome that all agents share."""
    circuit: Literal["quantum", "linear", "none"] = "quantum"
    """What mixes the latents: the circuit, a linear layer of the same shape (the control), or the embedding measured
    as it is."""
    latent: int = 64
    """d, numbers per agent that enter the circuit (>= 1)."""
    layers: int = 4
    """Layers of RY and CNOT ring (>= 1)."""
    angle_lr: float = 5e-3
    """Adam's step for the circuit's angles, radians."""
    gradient: Literal["adjoint", "parameter-shift"] = "adjoint"
    """How the angles' gradients are computed: parameter-shift is what a real device can do, and far slower."""
    noise: str | None = None
    """What follows each CNOT: NAME:RATE of global-depolarizing, depolarizing, bit-flip, phase-flip, bit-phase-flip,
    amplitude-damping; default: nothing ('none'). All but the first cost a density matrix per sample."""
    measured_qubits: int | Literal["all"] | None = None
    """k, qubits that are measured, 2^k outcomes; default: all for the factored readout, 4 for the outcome readout."""
    coupling_scale: float = 0.3
    """Standard deviation of the first W, the shift of the logits by the outcome (outcome readout)."""


def resolve(config: QCMAPPOConfig, env_name: str) -> QCMAPPOConfig:
    """Fills in what was left open; raises ValueError where the configuration contradicts itself."""
    config = resolve_ppo(config, env_name, joint_law=config.readout == "outcome")
    for name in ("latent", "layers"):
        if getattr(config, name) < 1:
            raise ValueError(f"{name} is {getattr(config, name)}; it must be at least 1")
    measured = config.measured_qubits
    if measured is None:
        measured = "all" if config.readout == "factored" else 4
    if measured != "all" and measured < 1:
        raise ValueError(f"measured_qubits is {measured}; it must be at least 1, or 'all'")
    if not config.angle_lr > 0:
        raise ValueError(f"angle_lr is {config.angle_lr}; it must be positive")
    if not math.isfinite(config.coupling_scale):
        raise ValueError(f"coupling_scale is {config.coupling_scale}; it must be finite")
    return replace(config, measured_qubits=measured, noise=checked_noise(config.noise, config.circuit))


def build_policy(config: QCMAPPOConfig, sizes: Sizes) -> MixingPolicy:
    """The actor, freshly initialised from torch's global generator."""
    assert config.measured_qubits is not None
    amplitudes = sizes.agents * config.latent
    qubits = qubits_for(amplitudes)
    measured = qubits if config.measured_qubits == "all" else config.measured_qubits
    if measured > qubits:
        raise ValueError(
            f"measured_qubits is {measured}; {sizes.agents} agents of {config.latent} numbers make {qubits} qubits"
        )
    mixer = build_mixer(
        config.circuit, config.readout, amplitudes, config.layers, measured, config.gradient, config.noise
    )
    encoder = Trunk(sizes.features, (config.hidden, config.latent))
    team = (sizes.agents, sizes.actions)
    if config.readout == "factored":
        return FactoredPolicy(encoder, mixer, *team, readings=1 << measured, summed=1 << (qubits - measured))
    return OutcomePolicy(
        encoder, mixer, config.latent, *team, outcomes=1 << measured, coupling_scale=config.coupling_scale
    )


class QCMAPPO(PPO):
    """The learner with QC-MAPPO's actor; the circuit's angles have a learning rate of their own.

    Args:
        config: resolved.
        env: training environments.
        seed: of everything random.
        threads: used by the updates.
    """

    policy: MixingPolicy

    def __init__(self, config: QCMAPPOConfig, env: VecEnv, seed: int, threads: int = 1) -> None:
        policy = build_policy(config, sizes_of(env))
        super().__init__(config, policy, env, seed, threads, groups=parameter_groups(policy, config))
        self.seconds["circuit"] = 0.0
        self._threads, self._overlap = threads, 0.0

    def iterate(self) -> dict[str, float]:
        """Collects one rollout and learns from it, timing the circuit: where threads run it at once, their mean
        counts."""
        with stopwatch() as watch:
            metrics = super().iterate()
        self.seconds["circuit"] += watch.seconds - self._overlap
        return metrics

    def update(self) -> dict[str, float]:
        """The epochs of one rollout."""
        with stopwatch() as watch:
            metrics = super().update()
        self._overlap = watch.seconds * (1 - 1 / self._at_once())
        return metrics

    def _at_once(self) -> float:
        """Parts of a minibatch that are differentiated at once, in the mean over the turns that they take."""
        samples = math.ceil(self.config.n_envs * self.config.rollout_steps / self.config.minibatches)
        parts = self.parts(samples, samples)
        return parts / math.ceil(parts / self._threads)

    def diagnostics(self, generator: torch.Generator) -> dict[str, float]:
        """Is the circuit used? Total correlation of the law, entropy and information of the outcome, on the last
        rollout."""
        return reading_metrics(self.policy, self.rollout, generator)


def parameter_groups(policy: MixingPolicy, config: QCMAPPOConfig) -> list[dict[str, Any]]:
    """Angles at `angle_lr`, everything else at `lr`."""
    angles = [m.layer.weights for m in policy.modules() if isinstance(m, Circuit)]
    others = [p for p in policy.parameters() if not any(p is a for a in angles)]
    groups: list[dict[str, Any]] = [{"params": others}]
    if angles:
        groups.append({"params": angles, "lr": config.angle_lr})
    return groups
