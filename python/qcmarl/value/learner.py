"""Q-learning for teams from a memory of episodes: the learner that VDN and QMIX share.

Built by the files in `algos`, driven by `run`. Environments are played epsilon-greedily; after so many finished
episodes a batch of whole episodes is drawn from the memory and one step is made towards TD(lambda) targets, in which
the network itself picks the actions and an older copy of it says what they are worth. Everything random comes from one
generator, on a GPU from two; `state_dict` is complete, memory included. The device is asked for actions, once a step,
and for the numbers of an iteration.
"""

from __future__ import annotations

import copy
import math
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor, nn

from qcmarl.device import HOST, Randomness, on_host, upload
from qcmarl.parallel import PartedGradient
from qcmarl.returns import gae
from qcmarl.rollout import Player, RecentEpisodes
from qcmarl.value.config import QConfig
from qcmarl.value.policies import ValuePolicy
from qcmarl.value.replay import Memory, Packed

if TYPE_CHECKING:
    from qcmarl.envs import VecEnv

PART = 6400
"""A batch is differentiated in an even number of parts of about so many rows (steps times agents) at most."""
PART_OF_GPU = 1 << 20
"""The same on a GPU, for its memory alone."""


class Batch(NamedTuple):
    """N samples of C episodes as the networks read them, on their device but for `packed`."""

    packed: Packed
    x: Tensor
    """(R, F) features of the living agents; (N * n, F) of all for a recurrent actor."""
    rows: Tensor
    """(R,) `sample * n + agent` of each living agent."""
    avail: Tensor
    """(R, A) bool, of the living agents."""
    state: Tensor
    """(N, S) what the mixer reads."""
    actions: Tensor
    """(R,) int64, of the living agents."""


class QLearner:
    """The learner: environments, memory, agents, mixer, their older copies, an optimiser and what is random.

    Args:
        config: resolved.
        policy: the agents.
        mixer: (N, n) values and (N, S) states to (N,).
        env: training environments; reset here.
        seed: of the environments, of the actions and of the batches.
        threads: used by the updates; results do not depend on it. A GPU is led by one.
        device: of the networks, which are moved there, and of the memory.
    """

    def __init__(
        self,
        config: QConfig,
        policy: ValuePolicy,
        mixer: nn.Module,
        env: VecEnv,
        seed: int,
        threads: int = 1,
        device: torch.device = HOST,
    ) -> None:
        assert config.batch is not None
        assert config.learn_every is not None
        self.config, self.batch, self.learn_every = config, config.batch, config.learn_every
        self.policy, self.mixer, self.env, self.device = policy.to(device), mixer.to(device), env, device
        self.target_policy, self.target_mixer = copy.deepcopy(policy), copy.deepcopy(mixer)
        self.memory = Memory(env, config.memory, config.memory_megabytes, config.batch, device)
        self.randomness = Randomness(seed, device)
        self.parameters = [*policy.parameters(), *mixer.parameters()]
        self.optimiser = _optimiser(config, self.parameters)
        self._gradient = PartedGradient(self.parameters, threads if device.type == "cpu" else 1)
        self._player = Player(policy, env)
        self._step = env.reset(seed)
        self._recent = RecentEpisodes(env)
        self.episodes = 0
        """Episodes finished so far."""
        self.updates = 0
        """Updates made so far."""
        self.env_steps = 0
        self.seconds = {"environment": 0.0, "acting": 0.0, "update": 0.0}

    @property
    def generator(self) -> torch.Generator:
        """What decides which episodes are learnt from, on the host; on the CPU the source of the actions too."""
        return self.randomness.order

    def iterate(self) -> dict[str, float]:
        """Plays `rollout_steps` steps in every environment, and makes the updates that are due meanwhile.

        Returns:
            metrics of the iteration, `train/...`; those of updates only where one was made, and after the first episode
            those of episodes.
        """
        before = self.updates
        sums = torch.zeros(len(Sums._fields), device=self.device)
        for _ in range(self.config.rollout_steps):
            due = self._counted() // self.learn_every
            self._play()
            sums += self._learn(self._counted() // self.learn_every - due)
        metrics = {
            "train/epsilon": self.epsilon(),
            "train/updates": float(self.updates - before),
            "train/memory_episodes": float(len(self.memory)),
        }
        if self.updates > before:
            metrics.update(_averages(sums, self.updates - before))
        return {**self._recent.metrics(), **metrics}

    def epsilon(self) -> float:
        """Probability of a random action after the steps made so far."""
        config = self.config
        assert config.epsilon_steps is not None
        fallen = min(self.env_steps / config.epsilon_steps, 1.0)
        return config.epsilon_start + fallen * (config.epsilon_end - config.epsilon_start)

    @torch.inference_mode()
    def _play(self) -> None:
        """One step in every environment."""
        began = time.perf_counter()
        player, step = self._player, self._step
        self.policy.epsilon.fill_(self.epsilon())
        acted = player.act(step, player.features(step), self.randomness.draws)
        self.memory.see(step, acted.actions)
        chosen = acted.actions.cpu().numpy()
        stepped = time.perf_counter()
        self._step = self.env.step(chosen)
        answered = time.perf_counter()
        player.observe(self._step)
        self.episodes += self.memory.learn_of(self._step, self.config.timeout == "bootstrap")
        self._recent.note(self._step)
        self.env_steps += self.config.n_envs
        self.seconds["environment"] += answered - stepped
        self.seconds["acting"] += time.perf_counter() - answered + stepped - began

    def _counted(self) -> int:
        """What updates are counted by, so far."""
        return self.env_steps if self.config.unit == "steps" else self.episodes

    def _learn(self, due: int) -> Tensor:
        """So many updates, once the memory holds a batch; returns their `Sums`."""
        began, total = time.perf_counter(), torch.zeros(len(Sums._fields), device=self.device)
        for _ in range(due if len(self.memory) >= self.batch else 0):
            total += self._update()
        self.seconds["update"] += time.perf_counter() - began
        return total

    def _update(self) -> Tensor:
        """One step of the optimiser on a batch of episodes; returns `Sums`."""
        episodes = self.memory.draw(self.batch, self.randomness.order)
        steps = self.memory.steps(episodes)

        def loss(part: Tensor) -> tuple[Tensor, Tensor]:
            return self.loss(self.read(part), steps)

        sums = self._gradient(loss, episodes.tensor_split(min(self.parts(steps), len(episodes))))
        norm = nn.utils.clip_grad_norm_(self.parameters, self.config.grad_clip)
        self.optimiser.step()
        self.updates += 1
        assert self.config.target_every is not None
        if self.updates % self.config.target_every == 0:
            self.target_policy.load_state_dict(self.policy.state_dict())
            self.target_mixer.load_state_dict(self.mixer.state_dict())
        sums[Sums._fields.index("gradient_norm")] = norm
        return sums

    def parts(self, steps: int) -> int:
        """Parts that a batch of so many steps is differentiated in."""
        rows = steps * self.memory.agents
        return 2 * math.ceil(rows / (2 * PART)) if self.device.type == "cpu" else math.ceil(rows / PART_OF_GPU)

    def read(self, episodes: Tensor) -> Batch:
        """The given episodes (C,), indices into the memory's table, as the networks read them."""
        memory = self.memory
        packed = memory.pack(episodes)
        rows = upload(memory.alive(packed).flatten().nonzero().squeeze(1), self.device)
        state = memory.read("state", packed).float()
        return Batch(
            packed,
            self._features(packed, rows if self.policy.memory == 0 else None),
            rows,
            memory.read("avail", packed).flatten(0, 1).index_select(0, rows),
            self._player.critic_features(state, packed.there.age.float()),
            memory.read("actions", packed).flatten().index_select(0, rows).long(),
        )

    def _features(self, packed: Packed, rows: Tensor | None) -> Tensor:
        """As `Player.features`, of the given rows or of all."""
        agents, actions, features, _ = self._player.sizes
        obs = self.memory.read("obs", packed).flatten(0, 1)
        if rows is None:
            rows = torch.arange(len(obs), device=obs.device)
        raw = torch.zeros(len(rows), features, device=obs.device)
        raw[:, : self.env.obs_size] = obs.index_select(0, rows)
        identity = self.env.obs_size + actions + rows % agents
        last = self.memory.last_actions(packed).flatten().index_select(0, rows)
        last = torch.where(last < 0, identity, self.env.obs_size + last)
        return self._player.scaled(raw.scatter_(1, torch.stack([last, identity], 1), 1.0))

    def loss(self, batch: Batch, steps: int) -> tuple[Tensor, Tensor]:
        """Squared errors of the joint values, summed and divided by `steps`, and `Sums`."""
        values = self.policy.values(batch.x, batch.rows, batch.packed.widths)
        chosen = values.gather(1, batch.actions.unsqueeze(1)).squeeze(1)
        total = self.mixer(self._everyone(chosen, batch), batch.state)
        targets = self.targets(batch, values.detach())
        learnt = upload((~batch.packed.look).nonzero().squeeze(1), self.device)
        error = (total - targets)[learnt]
        loss = error.square().sum() / steps
        with torch.no_grad():
            means = [error.abs().sum() / steps, total[learnt].sum() / steps, targets[learnt].sum() / steps]
            sums = torch.stack([loss.detach(), *means, loss.new_zeros(())])
        return loss, sums

    @torch.no_grad()
    def targets(self, batch: Batch, values: Tensor) -> Tensor:
        """TD(lambda) targets of the joint values; at looks, which are not learnt from, their own value.

        y_t = r_t + gamma [(1 - lambda) V_{t+1} + lambda y_{t+1}], with V the older copy's value of the actions that
        are best by `values`.

        Args:
            batch: N samples.
            values: (R, A) of the network itself.

        Returns:
            (N,).
        """
        best = values.masked_fill(~batch.avail, -torch.inf).argmax(-1, keepdim=True)
        older = self.target_policy.values(batch.x, batch.rows, batch.packed.widths).gather(1, best).squeeze(1)
        following = self.target_mixer(self._everyone(older, batch), batch.state)
        assert self.config.lam is not None
        reward = self.memory.read("reward", batch.packed)
        return td_lambda(batch.packed, reward, following, self.config.gamma, self.config.lam)

    def _everyone(self, living: Tensor, batch: Batch) -> Tensor:
        """(N, n) from what the living agents have (R,); the dead have 0."""
        everyone = living.new_zeros(len(batch.packed.slots) * self.memory.agents)
        return everyone.index_add(0, batch.rows, living).view(-1, self.memory.agents)

    def diagnostics(self, generator: torch.Generator) -> dict[str, float]:
        """Nothing."""
        return {}

    def close(self) -> None:
        """Ends threads and environments."""
        self._gradient.close()
        self.env.close()

    def state_dict(self) -> dict[str, Any]:
        """Everything that the next iteration depends on, copied to the host."""
        modules = on_host({name: getattr(self, name).state_dict() for name in MODULES})
        return {
            **copy.deepcopy(modules),
            "memory": self.memory.state_dict(),
            "env": self.env.state_dict(),
            "player": self._player.state_dict(),
            "windows": self._recent.state_dict(),
            "generator": self.randomness.get_state(),
            "seconds": dict(self.seconds),
            **{name: getattr(self, name) for name in COUNTS},
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on from what `state_dict` gave."""
        for name in (*MODULES, "memory", "env"):
            getattr(self, name).load_state_dict(state[name])
        self._step = self.env.last_step()
        self._player.load_state_dict(state["player"])
        self._recent.load_state_dict(state["windows"])
        self.randomness.set_state(state["generator"])
        self.seconds.update(state["seconds"])
        for name in COUNTS:
            setattr(self, name, state[name])


MODULES = ("policy", "mixer", "target_policy", "target_mixer", "optimiser")
COUNTS = ("episodes", "updates", "env_steps")


class Sums(NamedTuple):
    """Sums over updates of means over the steps of a batch."""

    loss: float
    error: float
    value: float
    target: float
    gradient_norm: float


def _averages(sums: Tensor, updates: int) -> dict[str, float]:
    named = Sums(*(sums / updates).tolist())
    return {
        "train/loss": named.loss,
        "train/td_error": named.error,
        "train/value": named.value,
        "train/target": named.target,
        "train/gradient_norm": named.gradient_norm,
    }


def _optimiser(config: QConfig, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
    assert config.lr is not None
    if config.optimiser == "adam":
        return torch.optim.Adam(parameters, lr=config.lr, fused=True)
    return torch.optim.RMSprop(parameters, lr=config.lr, alpha=0.99, eps=1e-5)


def td_lambda(packed: Packed, reward: Tensor, following: Tensor, gamma: float, lam: float) -> Tensor:
    """TD(lambda) targets of whole episodes.

    y_t = r_t + gamma [(1 - lam) V_{t+1} + lam y_{t+1}]; at the last step y = r, or r + gamma V(last look) where a time
    limit cut the episode. (Peng's lambda returns: generalised advantages plus values.)

    Args:
        packed: N samples of C episodes.
        reward: (N,).
        following: V, (N,) value of each sample.
        gamma: discount, 0..1.
        lam: 0 (one step) .. 1 (Monte Carlo).

    Returns:
        (N,); at a look, its own value.
    """
    longest, episodes = packed.shape
    samples = torch.bincount(packed.column, minlength=episodes)
    was_cut = torch.zeros(episodes, dtype=torch.bool).index_fill_(0, packed.column[packed.look], True)
    steps, cut = (upload(x, reward.device) for x in (samples - was_cut.to(samples.dtype), was_cut))
    age, column, look = packed.there.age, packed.there.column, packed.there.look
    rewards = reward.new_zeros(longest, episodes)
    rewards[age, column] = reward
    values = reward.new_zeros(longest + 1, episodes)
    values[age, column] = following
    columns = torch.arange(episodes, device=reward.device)
    ended = torch.zeros(longest, episodes, dtype=torch.bool, device=reward.device)
    ended[steps - 1, columns] = True
    final = torch.zeros_like(rewards)
    final[steps - 1, columns] = values[steps, columns] * cut
    returns = gae(rewards, values, ended, final, gamma, lam)[1][age, column]
    return torch.where(look, following, returns)
