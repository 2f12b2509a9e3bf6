"""Proximal policy optimisation for teams: the learner that MAPPO and QC-MAPPO share.

Built by the files in `algos`, driven by `run`. One iteration is: collect a rollout, compute returns, a few epochs of
clipped updates of the actor and of the central critic. Everything random comes from one generator, on a GPU from two;
`state_dict` is complete. An update asks the device for numbers once, at its end: what depends on them before, such as
whether the actor still learns, is decided there.
"""

from __future__ import annotations

import copy
import math
import time
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import torch
from torch import Tensor, nn

from qcmarl.buffer import Rollout, Sizes
from qcmarl.config import PPOConfig
from qcmarl.device import HOST, Randomness, on_host, upload
from qcmarl.losses import approximate_kl, clipped_policy_loss, clipped_value_loss
from qcmarl.nets import Critic
from qcmarl.parallel import PartedGradient
from qcmarl.perturbation import Perturbation
from qcmarl.policies import Policy
from qcmarl.returns import explained_variance, gae, normalise_advantages
from qcmarl.rollout import Collector, sizes_of
from qcmarl.trust import TrustRegion
from qcmarl.value_norm import ValueNorm

if TYPE_CHECKING:
    from qcmarl.envs import VecEnv

PART = 6400
"""At most so many rows (samples times agents) are differentiated at once, and a minibatch has an even number of parts,
for two threads (one part if it is a single sequence). Larger parts leave the second-level cache; with 400 samples of 3
agents torch's price per operation is a fifth of the time."""
PART_OF_GPU = 1 << 20
"""The same on a GPU, for its memory alone."""


class Targets(NamedTuple):
    """What a rollout is regressed on, flattened to samples; V is () for a team's critic, (n,) for one per agent. On the
    device but for `living`."""

    advantages: Tensor
    """(T * B, *V) normalised; (T * B), the mean over the living, where the ratio is joint."""
    returns: Tensor
    """(T * B, *V) in the normaliser's units."""
    values: Tensor
    """(T * B, *V) predictions before the update, same units."""
    living: Tensor
    """(T * B) number of living agents, on the host."""
    explained: Tensor
    """Explained variance of the critic, a scalar."""


class Sums(NamedTuple):
    """Sums over minibatches; `entries` is what the ratio is counted by, living agents or samples."""

    kl: float
    clipped: float
    entries: float
    entropy: float
    living: float
    value_loss: float


class PPO:
    """The learner: environments, actor, critic, their optimisers and what is random.

    Args:
        config: resolved.
        policy: the actor.
        env: training environments; reset here.
        seed: of the environments, of the actions and of the minibatches.
        threads: used by the updates; results do not depend on it. A GPU is led by one.
        device: of the networks; the policy is moved there.
        groups: parameter groups of the actor's optimiser; default: all at `lr`.
        chunk: L, steps of a recurrent chunk; 1 for a feed-forward policy.
    """

    def __init__(
        self,
        config: PPOConfig,
        policy: Policy,
        env: VecEnv,
        seed: int,
        threads: int = 1,
        device: torch.device = HOST,
        groups: list[dict[str, Any]] | None = None,
        chunk: int = 1,
    ) -> None:
        assert config.clip is not None
        assert config.ratio is not None
        assert config.rollout_steps % chunk == 0
        sizes = sizes_of(env)
        self.config, self.policy, self.chunk, self.device = config, policy.to(device), chunk, device
        self.threads = threads if device.type == "cpu" else 1
        self.clip, self.joint = config.clip, config.ratio == "joint"
        self.critic = Critic(critic_inputs(sizes, config.critic), config.critic_hidden).to(device)
        self.value_norm = ValueNorm(config.value_decay).to(device)
        self.randomness = Randomness(seed, device)
        self.rollout = Rollout(config.rollout_steps, config.n_envs, sizes, self.joint, policy.memory, device)
        self.collector = Collector(policy, env, self.rollout, self.randomness.draws, seed, self.joint)
        actor_groups = groups or [{"params": list(policy.parameters())}]
        self.actor_adam = torch.optim.AdamW(
            actor_groups, lr=config.lr, eps=1e-5, weight_decay=config.weight_decay, fused=True
        )
        self.critic_adam = torch.optim.Adam(self.critic.parameters(), lr=config.lr, eps=1e-5, fused=True)
        self._first_lrs = [[group["lr"] for group in adam.param_groups] for adam in (self.actor_adam, self.critic_adam)]
        self._entropy = config.entropy
        self.perturbation = Perturbation(config, policy)
        assert config.target_kl is not None
        self.trust = TrustRegion(policy.parameters(), config.target_kl, config.undo_step, self.perturbation.active)
        self._gradient = PartedGradient([*policy.parameters(), *self.critic.parameters()], self.threads)
        self.env_steps = 0
        self.seconds = {"environment": 0.0, "acting": 0.0, "update": 0.0}

    @property
    def generator(self) -> torch.Generator:
        """What decides the order of minibatches, on the host; on the CPU the source of the actions too."""
        return self.randomness.order

    def iterate(self) -> dict[str, float]:
        """Collects one rollout and learns from it.

        Returns:
            metrics of the iteration, `train/...`.
        """
        began, in_env = time.perf_counter(), self.collector.environment_seconds
        self.collector.collect()
        collected, in_env = time.perf_counter(), self.collector.environment_seconds - in_env
        self._set_steps()
        metrics = self.update()
        self.seconds["environment"] += in_env
        self.seconds["acting"] += collected - began - in_env
        self.seconds["update"] += time.perf_counter() - collected
        self.env_steps += self.config.n_envs * self.config.rollout_steps
        return {**self.collector.episodes.metrics(), **metrics}

    def _set_steps(self) -> None:
        """Sets entropy bonus and learning rates to what the schedule says after the steps made so far, and the actor's
        rate to what the trust region says."""
        config = self.config
        passed = 0.0 if config.anneal is None else min(1.0, self.env_steps / config.anneal)
        if config.entropy_final is not None:
            self._entropy = config.entropy + passed * (config.entropy_final - config.entropy)
        left = 1.0 if config.lr_final is None else 1 + passed * (config.lr_final / config.lr - 1)
        for adam, lrs, share in zip(
            (self.actor_adam, self.critic_adam), self._first_lrs, (self.trust.share, 1.0), strict=True
        ):
            for group, lr in zip(adam.param_groups, lrs, strict=True):
                group["lr"] = lr * left * share

    def update(self) -> dict[str, float]:
        """The epochs of one rollout."""
        targets = self._targets()
        self.trust.begin()
        total, largest_norm, actor_steps = (
            torch.zeros(shape, device=self.device) for shape in (len(Sums._fields), (), ())
        )
        steps = 0
        for _ in range(self.config.epochs):
            for samples in self.rollout.minibatches(self.config.minibatches, self.chunk, self.generator):
                sums = self._differentiate(samples, targets)
                kl, _, entries, *_ = sums.double()
                norm, moved = self._step(self.trust.near(kl / entries))
                largest_norm = torch.maximum(largest_norm, norm)
                total += sums
                steps += 1
                actor_steps += moved
        if self.trust.undo:
            self._after_last_step(samples, targets)
        *sums_of_all, norm, moves, explained, undone = torch.stack(
            [*total, largest_norm, actor_steps, targets.explained, self.trust.undone]
        ).tolist()
        named = Sums(*sums_of_all)
        caution = {}
        if self.trust.undo:
            caution = {"train/undone_step": undone, "train/actor_lr_share": self.trust.share}
            self.trust.adapt(bool(undone))
        return {
            "train/approx_kl": named.kl / named.entries,
            "train/clip_fraction": named.clipped / named.entries,
            "train/entropy": named.entropy / named.living,
            "train/gradient_norm": norm,
            "train/actor_steps": moves / steps,
            **caution,
            "train/value_loss": named.value_loss / steps,
            "train/explained_variance": explained,
        }

    @torch.no_grad()
    def _after_last_step(self, samples: Tensor, targets: Targets) -> None:
        """Lets the last step be taken back too, by a part of the last minibatch."""
        self.perturbation.begin(self.randomness.order)
        part = samples.tensor_split(self.parts(samples.numel(), samples.shape[1]), dim=1)[0]
        kl, _, entries, *_ = self._policy_loss(part, targets)[1]
        self.trust.near(kl.double() / entries.double())

    def _step(self, actor_learns: Tensor) -> tuple[Tensor, Tensor]:
        """Clips the gradients and moves the critic, and the actor if it may and its gradient is finite: without a trust
        region a ratio may exceed all numbers. Returns the norm of the actor's gradient, and whether it moved."""
        nn.utils.clip_grad_norm_(self.critic.parameters(), self.config.grad_clip)
        self.critic_adam.step()
        norm = nn.utils.clip_grad_norm_(self.policy.parameters(), self.config.grad_clip)
        moves = actor_learns & norm.isfinite()
        # A fused optimiser looks here, on the device, whether to leave everything as it is.
        self.actor_adam.found_inf = (~moves).float()  # type: ignore[attr-defined]
        self.actor_adam.step()
        return norm, moves

    @torch.no_grad()
    def _targets(self) -> Targets:
        rollout, norm = self.rollout, self.value_norm
        predictions = self.critic(self._seen(rollout.state, rollout.x))
        values = norm.denormalise(predictions)
        shape = values[:-1].shape
        reward = spread(rollout.reward, shape)
        ended = spread(rollout.terminated | rollout.truncated, shape)
        advantages, returns = gae(reward, values, ended, self._final_values(shape), self.config.gamma, self.config.lam)
        norm.update(returns)
        living = rollout.told.alive.sum(-1).float()
        return Targets(
            self._normalised(advantages, upload(living, self.device)).flatten(0, 1),
            norm.normalise(returns).flatten(0, 1),
            predictions[:-1].flatten(0, 1),
            living.flatten(),
            explained_variance(values[:-1], returns),
        )

    def _normalised(self, advantages: Tensor, living: Tensor) -> Tensor:
        """Advantages (T, B, *V) with mean 0 and variance 1 by the weights that they have in the loss: those of the
        living, or, for a joint ratio, of the samples (T, B), each with the mean over its living."""
        weights = torch.ones_like(living) if self.joint and self.config.joint_weights == "samples" else living
        if advantages.dim() == 2:
            return normalise_advantages(advantages, weights)
        alive = self.rollout.alive.float()
        if not self.joint:
            return normalise_advantages(advantages, alive)
        return normalise_advantages((advantages * alive).sum(-1) / living.clamp_min(1), weights)

    def _seen(self, state: Tensor, x: Tensor) -> Tensor:
        """What the critic reads of states (..., S) and agents' features (..., n, F)."""
        match self.config.critic:
            case "state":
                return state
            case "agent":
                return torch.cat([state.unsqueeze(-2).expand(*x.shape[:-1], -1), x], -1)
            case "local":
                return x

    @torch.no_grad()
    def _final_values(self, shape: torch.Size) -> Tensor:
        final = torch.zeros(shape, device=self.device)
        if self.config.timeout == "bootstrap":
            for cut in self.rollout.cuts:
                final[cut.t, cut.where] = self.value_norm.denormalise(self.critic(self._seen(cut.state, cut.x)))
        return final

    def _differentiate(self, samples: Tensor, targets: Targets) -> Tensor:
        """Gradients of actor and critic on a minibatch of samples (L, C), on the host; returns `Sums`."""
        self.perturbation.begin(self.randomness.order)
        count = samples.numel()
        n_values = count * targets.returns[0].numel()
        entries = float(count) if self.joint else float(targets.living[samples].sum())

        def loss(part: Tensor) -> tuple[Tensor, Tensor]:
            policy_loss, policy_sums = self._policy_loss(part, targets)
            value_loss = self._value_loss(upload(part.flatten(), self.device), targets) / n_values
            return policy_loss / entries + value_loss, torch.stack([*policy_sums, value_loss.detach()])

        return self._gradient(loss, samples.tensor_split(self.parts(count, samples.shape[1]), dim=1))

    def parts(self, samples: int, sequences: int) -> int:
        """Parts that a minibatch of so many samples, in so many sequences, is differentiated in; none is empty."""
        rows = samples * self.rollout.sizes.agents
        parts = 2 * math.ceil(rows / (2 * PART)) if self.device.type == "cpu" else math.ceil(rows / PART_OF_GPU)
        return min(parts, sequences)

    def _policy_loss(self, samples: Tensor, targets: Targets) -> tuple[Tensor, list[Tensor]]:
        """Clipped loss less the entropy bonus, summed over the entries: samples for a joint ratio, living agents
        otherwise."""
        inputs, flat = self.rollout.inputs(samples), upload(samples.flatten(), self.device)
        law = self.perturbation.law(inputs, samples)
        log_prob = law.log_prob(self.rollout.actions.flatten(0, 1).index_select(0, flat))
        advantages = targets.advantages[flat]
        old = self.rollout.log_prob.flatten(0, 1).index_select(0, flat)
        sample_of_row = inputs.rows // inputs.agents
        if not self.joint:
            advantages = advantages[sample_of_row] if advantages.dim() == 1 else advantages.flatten()[inputs.rows]
            old = old.flatten()[inputs.rows]
        elif not law.joint:
            log_prob = torch.zeros_like(old).index_add(0, sample_of_row, log_prob)
        log_ratio = log_prob - old
        entropy = law.entropy_sum()
        loss = clipped_policy_loss(log_ratio, advantages, self.clip).sum() - self._entropy * entropy
        with torch.no_grad():
            clipped = ((log_ratio.exp() - 1).abs() > self.clip).float().sum()
            kl = approximate_kl(log_ratio).sum()
            counted, living = (kl.new_full((), len(which)) for which in (log_ratio, inputs.rows))
        return loss, [kl, clipped, counted, entropy.detach(), living]

    def _value_loss(self, flat: Tensor, targets: Targets) -> Tensor:
        """Clipped value loss summed over the values; those of dead agents count, their team goes on earning."""
        state, x = self.rollout.state.flatten(0, 1).index_select(0, flat), self.rollout.x.flatten(0, 1)
        values = self.critic(self._seen(state, x if self.config.critic == "state" else x.index_select(0, flat)))
        old, returns = targets.values[flat], targets.returns[flat]
        return clipped_value_loss(values, old, returns, self.config.value_clip, self.config.huber).sum()

    def diagnostics(self, generator: torch.Generator) -> dict[str, float]:
        """What an algorithm wants to say about its policy on the last rollout; nothing unless overridden."""
        return {}

    def close(self) -> None:
        """Ends threads and environments."""
        self._gradient.close()
        self.collector.env.close()

    def state_dict(self) -> dict[str, Any]:
        """Everything that the next iteration depends on, copied to the host."""
        state = {
            "policy": self.policy.state_dict(),
            "critic": self.critic.state_dict(),
            "value_norm": self.value_norm.state_dict(),
            "actor_adam": self.actor_adam.state_dict(),
            "critic_adam": self.critic_adam.state_dict(),
            "generator": self.randomness.get_state(),
            "collector": self.collector.state_dict(),
            "env_steps": self.env_steps,
            "actor_lr_share": self.trust.share,
            "seconds": self.seconds,
        }
        return copy.deepcopy(on_host(state))

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on from what `state_dict` gave."""
        for name in ("policy", "critic", "value_norm", "actor_adam", "critic_adam", "collector"):
            getattr(self, name).load_state_dict(state[name])
        self.randomness.set_state(state["generator"])
        self.env_steps, self.trust.share = state["env_steps"], state.get("actor_lr_share", 1.0)
        self.seconds.update(state["seconds"])


def critic_inputs(sizes: Sizes, critic: Literal["state", "agent", "local"]) -> int:
    """Features that the critic of a configuration reads."""
    return {"state": sizes.state, "agent": sizes.state + sizes.features, "local": sizes.features}[critic]


def spread(x: Tensor, shape: torch.Size) -> Tensor:
    """(T, B) repeated to the shape of the values, (T, B) or (T, B, n)."""
    return x.view(*x.shape, *[1] * (len(shape) - 2)).expand(shape)
