"""A cooperative game of a few lines whose optimum is known, with the face of `qcmarl.envs.VecEnv`.

Each agent is shown one of A - 1 lamps and earns 1 / n for pressing it; action 0 is the rest that only the dead are left
with, and the lamp after the shown one is locked. From step `death` on the last agent is dead, and its share is earned
for free. After `limit` steps the episode ends: for good, or by a time limit. The best return is `limit`; it counts as
won where more than 80 % of that was earned.
"""

from types import SimpleNamespace

import numpy as np


class LampGame:
    tells_wins = normalises = True

    def __init__(self, n_envs=8, n_agents=3, lamps=3, limit=5, death=3, timeout=False):
        self.name, self.n_envs, self.n_agents, self.n_actions = "toy:lamps", n_envs, n_agents, lamps + 1
        self.obs_size, self.state_size, self.episode_limit = lamps, lamps * n_agents, limit
        self.max_return = float(limit)
        self.lamps, self.death, self.timeout = lamps, death, timeout
        self.steps_taken = 0

    def reset(self, seed):
        self._rng = np.random.default_rng(seed)
        self._time = np.zeros(self.n_envs, np.int32)
        self._return = np.zeros(self.n_envs, np.float32)
        self._shown = self._draw()
        return self._see(np.zeros(self.n_envs, np.float32), np.zeros(self.n_envs, bool), {})

    def step(self, actions):
        actions = np.asarray(actions)
        assert self._avail()[np.arange(self.n_envs)[:, None], np.arange(self.n_agents), actions].all()
        self.steps_taken += 1
        right = (actions - 1 == self._shown) | ~self._alive()
        reward = right.mean(1).astype(np.float32)
        self._time += 1
        self._return += reward
        ended = self._time == self.episode_limit
        self._shown = self._draw()
        info = {
            "battle_won": ended & (self._return > 0.8 * self.max_return),
            "episode_return": self._return.copy(),
            "episode_length": self._time.copy(),
            "final_state": self._state(),
            "final_obs": self._obs(),
            "final_avail": self._avail(),
        }
        self._time[ended] = 0
        self._return[ended] = 0
        return self._see(reward, ended, info)

    def last_step(self):
        return self._last

    def state_dict(self):
        return {
            "rng": self._rng.bit_generator.state,
            "arrays": [self._time.copy(), self._return.copy(), self._shown.copy()],
            "step": (self._last.reward.copy(), self._last.terminated | self._last.truncated),
        }

    def load_state_dict(self, state):
        self._rng = np.random.default_rng()
        self._rng.bit_generator.state = state["rng"]
        self._time, self._return, self._shown = (a.copy() for a in state["arrays"])
        self._see(*state["step"], {})

    def close(self):
        pass

    def _draw(self):
        return self._rng.integers(self.lamps, size=(self.n_envs, self.n_agents))

    def _alive(self):
        alive = np.ones((self.n_envs, self.n_agents), bool)
        alive[self._time >= self.death, -1] = False
        return alive

    def _avail(self):
        alive = self._alive()
        avail = np.repeat(alive[..., None], self.n_actions, -1)
        avail[..., 0] = ~alive
        np.put_along_axis(avail, (self._shown + 1)[..., None] % self.lamps + 1, False, -1)
        return avail

    def _state(self):
        return np.eye(self.lamps, dtype=np.float32)[self._shown].reshape(self.n_envs, -1)

    def _obs(self):
        return self._state().reshape(self.n_envs, self.n_agents, -1) * self._alive()[..., None]

    def _see(self, reward, ended, info):
        no = np.zeros(self.n_envs, bool)
        state = self._state()
        self._last = SimpleNamespace(
            obs=self._obs(),
            state=state,
            avail=self._avail(),
            alive=self._alive(),
            reward=reward,
            terminated=no if self.timeout else ended,
            truncated=ended if self.timeout else no,
            info=info,
        )
        return self._last
