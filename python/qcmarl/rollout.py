"""Playing: features of the agents, acting in a batch of environments, collecting a rollout.

`Player` is shared by `Collector` (training) and `evaluate`. Observations are copied before the next step of the
environment. Environments are on the host, the policy may be on a GPU: a step takes observations, masks and addresses
there, and waits once, for the actions.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from qcmarl.buffer import Cut, Rollout, Sizes
from qcmarl.device import device_of, on_host, upload
from qcmarl.envs.base import won
from qcmarl.laws import Inputs, Law
from qcmarl.nets import normalised
from qcmarl.policies import Policy

if TYPE_CHECKING:
    from qcmarl.envs import Step, VecEnv
    from qcmarl.envs.base import Floats

WINDOW = 100
"""Finished episodes over which training's win rate and return are averaged."""


def sizes_of(env: VecEnv) -> Sizes:
    """The sizes that the networks of an environment need."""
    features = env.obs_size + env.n_actions + env.n_agents
    return Sizes(env.n_agents, env.n_actions, features, env.state_size + 1)


def agent_features(obs: Tensor, last: Tensor, own: Tensor) -> Tensor:
    """(..., F) normalised features of agents: observations (..., O), one-hot last actions (..., A) and ids (..., n)."""
    return normalised(torch.cat([obs, last, own], -1))


class Acted(NamedTuple):
    """What a player saw and did at one step."""

    inputs: Inputs
    law: Law
    actions: Tensor
    """(B, n) int64."""


class Player:
    """A policy at play in B environments: it remembers last actions, memories and the age of each episode.

    Features of an agent: its observation, its last action (one-hot, zero at the start of an episode), its id
    (one-hot), normalised where the environment `normalises`.

    Args:
        policy: the actor.
        env: for its sizes, and whether it normalises.
    """

    def __init__(self, policy: Policy, env: VecEnv) -> None:
        self.policy, self.sizes, self.limit = policy, sizes_of(env), env.episode_limit
        envs, (agents, actions, features, _) = env.n_envs, self.sizes
        self._obs_size = env.obs_size
        self.scaled: Callable[[Tensor], Tensor] = normalised if env.normalises else torch.clone
        """Features (..., F), the agents' or the critic's, as the networks read them; never the ones given."""
        self.device = device_of(policy)
        self._raw = torch.zeros(envs, agents, features, device=self.device)
        self._raw[..., features - agents :] = torch.eye(agents, device=self.device)
        self._last = self._raw[..., env.obs_size : env.obs_size + actions]
        self.hidden = torch.zeros(envs, agents, policy.memory, device=self.device)
        self.start = torch.ones(envs, dtype=torch.bool)
        self.age = torch.zeros(envs)

    def features(self, step: Step) -> Tensor:
        """(B, n, F) features of all agents at the current step."""
        self._raw[..., : self._obs_size] = upload(torch.from_numpy(step.obs), self.device)
        return self.scaled(self._raw)

    def final_features(self, obs: Floats, where: Tensor) -> Tensor:
        """(K, n, F) features in environments `where` (K,), on the host, of agents who see `obs` (B, n, O) after they
        acted."""
        raw = self._raw[upload(where, self.device)]
        raw[..., : self._obs_size] = upload(torch.from_numpy(obs)[where], self.device)
        return self.scaled(raw)

    def state(self, step: Step) -> Tensor:
        """(B, S) what the critic reads: the state and the share of the episode's time that is used, normalised as the
        features are; on the host."""
        return self.critic_features(torch.from_numpy(step.state), self.age)

    def critic_features(self, state: Tensor, age: Tensor) -> Tensor:
        """(K, S) from states (K, S - 1) and ages (K,) in steps."""
        return self.scaled(torch.cat([state, (age / self.limit).unsqueeze(-1)], -1))

    def act(self, step: Step, x: Tensor, generator: torch.Generator, greedy: Tensor | None = None) -> Acted:
        """Draws the actions of one step and remembers them.

        Args:
            step: the current step of the environment.
            x: (B, n, F) from `features`.
            generator: the source of randomness, of the policy's device.
            greedy: (B,) bool, environments where the greedy action is taken, on that device; None: nowhere.

        Returns:
            what was seen and done.
        """
        rows = upload(torch.from_numpy(step.alive).flatten().nonzero().squeeze(1), self.device)
        avail = upload(torch.from_numpy(step.avail).clone(), self.device)
        if self.policy.memory == 0:
            inputs = Inputs(x.flatten(0, 1).index_select(0, rows), avail, rows)
        else:
            start = upload(self.start.repeat_interleave(self.sizes.agents).unsqueeze(0), self.device)
            inputs = Inputs(x.flatten(0, 1).unsqueeze(0), avail, rows, start, self.hidden.flatten(0, 1))
        law, hidden = self.policy(inputs._replace(generator=generator))
        if hidden is not None:
            self.hidden = hidden.view_as(self.hidden)
        actions = law.sample(generator)
        if greedy is not None:
            actions = torch.where(greedy.unsqueeze(-1), law.mode(generator), actions)
        self._last.zero_().scatter_(2, actions.unsqueeze(-1), 1.0)
        return Acted(inputs, law, actions)

    def observe(self, step: Step) -> None:
        """Forgets what belonged to the episodes that this step ended."""
        ended = torch.from_numpy(step.terminated | step.truncated)
        self.age = torch.where(ended, 0.0, self.age + 1)
        self.start = ended
        if bool(ended.any()):
            where = upload(ended.nonzero().squeeze(1), self.device)
            self._last[where] = 0.0
            self.hidden[where] = 0.0

    def state_dict(self) -> dict[str, Tensor]:
        """Everything remembered, copied to the host."""
        remembered = {"last": self._last, "hidden": self.hidden, "start": self.start, "age": self.age}
        return {name: on_host(x.clone()) for name, x in remembered.items()}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Goes back to what `state_dict` gave."""
        self._last.copy_(state["last"])
        self.hidden = state["hidden"].to(self.device, copy=True)
        self.start, self.age = state["start"].clone(), state["age"].clone()


class RecentEpisodes:
    """The latest `WINDOW` episodes that ended in training.

    Args:
        env: where they are played.
    """

    KINDS = (
        ("wins", "battle_won", "train/win_rate"),
        ("returns", "episode_return", "train/return"),
        ("lengths", "episode_length", "train/episode_length"),
    )
    """Name of a window, of what the environment tells, and of what is logged."""

    def __init__(self, env: VecEnv) -> None:
        self._env = env
        self._windows: dict[str, deque[float]] = {name: deque(maxlen=WINDOW) for name, _, _ in self.KINDS}

    def note(self, step: Step) -> None:
        """Takes up the episodes that this step ended."""
        ended = np.flatnonzero(step.terminated | step.truncated)
        if len(ended):
            said = {**step.info, "battle_won": won(step.info)}
            for name, told, _ in self.KINDS:
                self._windows[name].extend(said[told][ended].astype(float).tolist())

    def metrics(self) -> dict[str, float]:
        """Their means, `train/...`; nothing before the first one, and no win rate where nobody tells who wins."""
        kinds = [kind for kind in self.KINDS if self._env.tells_wins or kind[0] != "wins"]
        windows = ((logged, self._windows[name]) for name, _, logged in kinds)
        return {logged: sum(window) / len(window) for logged, window in windows if window}

    def state_dict(self) -> dict[str, list[float]]:
        """The windows, copied."""
        return {name: list(window) for name, window in self._windows.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes back to what `state_dict` gave; other entries are left alone."""
        for name, window in self._windows.items():
            window.clear()
            window.extend(state[name])


class Collector:
    """Fills rollouts from one batch of environments that goes on from rollout to rollout.

    Args:
        policy: the actor.
        env: the environments; reset here.
        rollout: filled by `collect`.
        generator: the source of the actions.
        seed: of the environments.
        joint: store the log-probability of the joint action.
    """

    def __init__(
        self, policy: Policy, env: VecEnv, rollout: Rollout, generator: torch.Generator, seed: int, joint: bool
    ) -> None:
        self.env, self.rollout, self.joint = env, rollout, joint
        self._generator = generator
        self._player = Player(policy, env)
        self._step = env.reset(seed)
        self.episodes = RecentEpisodes(env)
        self.environment_seconds = 0.0

    @torch.inference_mode()
    def collect(self) -> None:
        """Plays T steps in every environment into the rollout."""
        self.rollout.cuts.clear()
        for t in range(self.rollout.steps):
            self._play(t)
        self.rollout.told.state[self.rollout.steps] = self._player.state(self._step)
        self.rollout.x[self.rollout.steps] = self._player.features(self._step)
        self.rollout.arrive()

    def _play(self, t: int) -> None:
        out, told, player, step = self.rollout, self.rollout.told, self._player, self._step
        x = player.features(step)
        out.x[t], told.state[t] = x, player.state(step)
        told.start[t], out.hidden[t] = player.start, player.hidden
        told.alive[t] = torch.from_numpy(step.alive)
        acted = player.act(step, x, self._generator)
        out.avail[t], out.actions[t] = acted.inputs.avail, acted.actions
        out.log_prob[t] = self._log_prob(acted)
        ages, chosen = player.age, acted.actions.cpu().numpy()
        began = time.perf_counter()
        self._step = self.env.step(chosen)
        self.environment_seconds += time.perf_counter() - began
        told.reward[t] = torch.from_numpy(self._step.reward)
        told.terminated[t] = torch.from_numpy(self._step.terminated)
        told.truncated[t] = torch.from_numpy(self._step.truncated)
        self._note_cuts(t, ages + 1)
        player.observe(self._step)
        self.episodes.note(self._step)

    def _log_prob(self, acted: Acted) -> Tensor:
        log_prob = acted.law.log_prob(acted.actions)
        if acted.law.joint:
            return log_prob
        agents = log_prob.new_zeros(acted.actions.shape)
        agents.view(-1)[acted.inputs.rows] = log_prob
        return agents.sum(-1) if self.joint else agents

    def _note_cuts(self, t: int, ages: Tensor) -> None:
        """Keeps what was last seen of episodes that the time limit cut; called while last actions are remembered."""
        step = self._step
        cut = np.flatnonzero(step.truncated & ~step.terminated)
        if not len(cut):
            return
        where = torch.from_numpy(cut)
        state = self._player.critic_features(torch.from_numpy(step.info["final_state"][cut]), ages[where])
        x = self._player.final_features(step.info["final_obs"], where)
        self.rollout.cuts.append(Cut(t, upload(where, x.device), upload(state, x.device), x))

    def state_dict(self) -> dict[str, Any]:
        """The environments and everything remembered between rollouts."""
        return {
            "env": self.env.state_dict(),
            "player": self._player.state_dict(),
            **self.episodes.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Goes on from what `state_dict` gave."""
        self.env.load_state_dict(state["env"])
        self._step = self.env.last_step()
        self._player.load_state_dict(state["player"])
        self.episodes.load_state_dict(state)
