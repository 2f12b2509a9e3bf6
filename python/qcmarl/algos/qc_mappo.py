"""QC-MAPPO: MAPPO whose actor holds one quantum circuit, shared by all agents.

Each agent's observation is encoded to a latent of d numbers; the latents of all agents together are the amplitudes of
ceil(log2(n d)) qubits; after layers of RY and a ring of CNOTs the qubits are measured, and a readout turns the
probabilities into a law of actions. The learner is `qcmarl.ppo`; this file is the configuration, the actor and what
is logged of the circuit. See docs/algorithms/qc-mappo.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import torch

from qcmarl.buffer import Sizes
from qcmarl.config import PPOConfig, resolve_ppo
from qcmarl.device import HOST
from qcmarl.diagnostics import reading_metrics
from qcmarl.laws.register import register_qubits
from qcmarl.mixers import qubits_for
from qcmarl.nets import NARROWEST, Trunk
from qcmarl.policies import FactoredPolicy, MixingPolicy, OutcomePolicy, RegisterPolicy
from qcmarl.ppo import PPO
from qcmarl.quantum import (
    LAWS,
    NUMBERS,
    Circuit,
    Kind,
    Readout,
    build_mixer,
    check_kernels,
    check_kind,
    checked_noise,
    stopwatch,
)
from qcmarl.rollout import sizes_of

if TYPE_CHECKING:
    from qcmarl.envs import VecEnv

MOST_TABLES = 512
"""Observations whose joint law is written out at once by the diagnostics, up to 65536 numbers each."""


OUTCOME_QUBITS = 4
"""Measured by default where the outcome is shared."""


@dataclass(frozen=True)
class QCMAPPOConfig(PPOConfig):
    """QC-MAPPO: all agents' latents pass through one circuit."""

    readout: Readout = "factored"
    """From probabilities to actions: a linear head per agent; one measured outcome that all agents share; or qubits of
    its own for every agent, which hold its action."""
    circuit: Kind = "quantum"
    """What mixes the latents: the circuit; the circuit without CNOTs; one of random angles that are never trained; any
    rotation of the amplitudes; a linear layer of the same shape; a hidden layer, or a wider encoder, of as many
    parameters as the circuit and its head; or the embedding measured as it is."""
    latent: int = 64
    """d, numbers per agent that enter the circuit (>= 3: LayerNorm leaves of two a sign)."""
    layers: int = 4
    """Layers of RY and CNOT ring (>= 0; with none the embedding is measured as it is)."""
    angle_lr: float = 5e-3
    """Adam's step for the circuit's angles, radians."""
    gradient: Literal["adjoint", "parameter-shift"] = "adjoint"
    """How the angles' gradients are computed: parameter-shift is what a real device can do, and far slower."""
    noise: str | None = None
    """What follows each CNOT: NAME:RATE of global-depolarizing, depolarizing, bit-flip, phase-flip, bit-phase-flip,
    amplitude-damping; default: nothing ('none'). All but the first cost a density matrix per sample."""
    shots: int | None = None
    """N, measurements per reading of the factored readout, drawn at play and in updates (>= 1); default: exact
    probabilities."""
    measured_qubits: int | Literal["all"] | None = None
    """k, qubits that are measured, 2^k outcomes; default: 4 for the outcome readout; for the factored one all but the
    last 3, yet 6 where there are as many. The register readout measures its register."""
    coupling_scale: float = 0.3
    """Standard deviation of the first W, the shift of the logits by the outcome (outcome readout)."""


def resolve(config: QCMAPPOConfig, env_name: str) -> QCMAPPOConfig:
    """Fills in what was left open; raises ValueError where the configuration contradicts itself."""
    config = resolve_ppo(config, env_name, joint_law=config.readout != "factored")
    for name, least in (("latent", NARROWEST), ("layers", 0)):
        if getattr(config, name) < least:
            raise ValueError(f"{name} is {getattr(config, name)}; it must be at least {least}")
    check_kind(config.circuit, config.readout, config.layers)
    check_shots(config)
    measured = checked_measured(config)
    if not 0 < config.angle_lr < math.inf:
        raise ValueError(f"angle_lr is {config.angle_lr}; it must be positive and finite")
    if not math.isfinite(config.coupling_scale):
        raise ValueError(f"coupling_scale is {config.coupling_scale}; it must be finite")
    noise = checked_noise(config.noise, config.circuit, config.layers)
    return replace(config, measured_qubits=measured, noise=noise)


def check_shots(config: QCMAPPOConfig) -> None:
    """Raises ValueError where shots are too few, or would be drawn from no law, or change nothing."""
    if config.shots is None:
        return
    if config.shots < 1:
        raise ValueError(f"shots is {config.shots}; it must be at least 1")
    if config.readout != "factored":
        raise ValueError(f"shots is {config.shots}; readout '{config.readout}' acts on one shot as it is")
    if config.circuit not in LAWS:
        raise ValueError(
            f"shots is {config.shots}; circuit '{config.circuit}' measures nothing: it must be one of {', '.join(LAWS)}"
        )


def checked_measured(config: QCMAPPOConfig) -> int | Literal["all"] | None:
    """k as it was given; raises ValueError where it is out of range or not for the readout to choose."""
    measured = config.measured_qubits
    if measured is None:
        return None
    if config.readout == "register" and measured != "all":
        raise ValueError(
            f"measured_qubits is {measured}; readout 'register' measures ceil(log2 A) qubits for each agent"
        )
    if measured != "all" and measured < 1:
        raise ValueError(f"measured_qubits is {measured}; it must be at least 1, or 'all'")
    return measured


class Qubits(NamedTuple):
    """Sizes of the circuit."""

    all: int
    """q"""
    measured: int
    """k"""


def qubits_of(config: QCMAPPOConfig, sizes: Sizes) -> Qubits:
    """As many qubits as the latents need, or the register; raises ValueError where fewer are there than measured.

    The head of the factored readout would cost more than the circuit if it read all 2^q outcomes (8m_vs_9m: a run takes
    1.37 times MAPPO's time instead of 1.1), so by default the last three qubits are left alone.
    """
    needed = qubits_for(sizes.agents * config.latent)
    if config.readout == "register":
        register = register_qubits(sizes.agents, sizes.actions)
        return Qubits(max(needed, register), register)
    measured = config.measured_qubits
    if measured is None:
        return Qubits(needed, min(needed, OUTCOME_QUBITS if config.readout == "outcome" else max(6, needed - 3)))
    if measured == "all":
        return Qubits(needed, needed)
    if measured > needed:
        raise ValueError(
            f"measured_qubits is {measured}; {sizes.agents} agents of {config.latent} numbers make {needed} qubits"
        )
    return Qubits(needed, measured)


def build_policy(config: QCMAPPOConfig, sizes: Sizes) -> MixingPolicy:
    """The actor, freshly initialised from torch's global generator."""
    qubits, measured = qubits_of(config, sizes)
    team = (sizes.agents, sizes.actions)
    widths = matched(config, sizes, qubits, measured)
    amplitudes = sizes.agents * widths.latent
    mixer = build_mixer(
        config.circuit,
        config.readout,
        amplitudes,
        config.layers,
        measured,
        config.gradient,
        config.noise,
        qubits,
        widths.mixer,
    )
    encoder = Trunk(sizes.features, (widths.encoder, widths.latent))
    if config.readout == "factored":
        readings = {"mlp": widths.mixer, "wide": amplitudes}.get(config.circuit, 1 << measured)
        return FactoredPolicy(encoder, mixer, *team, readings, 1 << (qubits - measured), config.shots)
    if config.readout == "register":
        return RegisterPolicy(encoder, mixer)
    return OutcomePolicy(
        encoder, mixer, config.latent, *team, outcomes=1 << measured, coupling_scale=config.coupling_scale
    )


class Widths(NamedTuple):
    """Widths of the actor's layers."""

    encoder: int
    """Hidden units of the encoder."""
    latent: int
    """Units of the encoder's last layer."""
    mixer: int = 0
    """Units of the layer that 'mlp' has in place of the circuit."""


def matched(config: QCMAPPOConfig, sizes: Sizes, qubits: int, measured: int) -> Widths:
    """The smallest widths with which 'mlp' and 'wide' have at least the parameters of the actor with the circuit.

    With W units in the encoder and d numbers for each agent, the encoder is (F + 1) W + (W + 1) d numbers, circuit and
    head of the factored readout L q + (2^k + 1) n A. In both controls the latents of all agents are as many as the
    outcomes, d' = min(d, 2^k / n) for each. The hidden layer of 'mlp' with h units and its head are
    (n d' + 1) h + (h + 1) n A; 'wide' has a head of (n d' + 1) n A and puts the rest into the encoder. Neither h
    nor d' is below 3.
    """
    width, latent, features = config.hidden, config.latent, sizes.features
    if config.circuit not in NUMBERS:
        return Widths(width, latent)
    outputs = sizes.agents * sizes.actions
    total = (features + 1) * width + (width + 1) * latent + config.layers * qubits + ((1 << measured) + 1) * outputs
    each = max(NARROWEST, min(latent, (1 << measured) // sizes.agents))
    latents = sizes.agents * each
    if config.circuit == "wide":
        rest = total - each - (latents + 1) * outputs
        return Widths(max(1, math.ceil(rest / (features + 1 + each))), each)
    rest = total - (features + 1) * width - (width + 1) * each - outputs
    return Widths(width, each, max(NARROWEST, math.ceil(rest / (latents + 1 + outputs))))


class QCMAPPO(PPO):
    """The learner with QC-MAPPO's actor; the circuit's angles have a learning rate of their own.

    Args:
        config: resolved.
        env: training environments.
        seed: of everything random.
        threads: used by the updates.
        device: of the networks.
    """

    policy: MixingPolicy

    def __init__(
        self, config: QCMAPPOConfig, env: VecEnv, seed: int, threads: int = 1, device: torch.device = HOST
    ) -> None:
        policy = build_policy(config, sizes_of(env))
        check_kernels(policy, device)
        super().__init__(config, policy, env, seed, threads, device, groups=parameter_groups(policy, config))
        self.seconds["circuit"] = 0.0
        self._overlap = 0.0

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
        return parts / math.ceil(parts / self.threads)

    def diagnostics(self, generator: torch.Generator) -> dict[str, float]:
        """Is the circuit used? Total correlation of the law, entropy and information of the outcome, on the last
        rollout."""
        most = MOST_TABLES if isinstance(self.policy, RegisterPolicy) else None
        return reading_metrics(self.policy, self.rollout, generator, most)


def parameter_groups(policy: MixingPolicy, config: QCMAPPOConfig) -> list[dict[str, Any]]:
    """Angles at `angle_lr` and without weight decay, which would pull them to no rotation; everything else at `lr`."""
    angles = [angle for m in policy.modules() if isinstance(m, Circuit) for angle in m.angles()]
    others = [p for p in policy.parameters() if not any(p is a for a in angles)]
    groups: list[dict[str, Any]] = [{"params": others}]
    if angles:
        groups.append({"params": angles, "lr": config.angle_lr, "weight_decay": 0.0})
    return groups
