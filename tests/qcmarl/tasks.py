"""Games of one step with known optima, with the face of `qcmarl.envs.VecEnv`: every algorithm must solve those that its
way of execution allows, and no other.

`matrix_game`: a reward for every joint action. `relay_game`: the first agent is shown a symbol, the last must name it:
1 for agents that tell each other, 1 / symbols for agents that do not.
"""

from types import SimpleNamespace

import numpy as np

CLIMBING = np.array([[11.0, -30.0, 0.0], [-30.0, 7.0, 6.0], [0.0, 0.0, 5.0]]) / 11
"""Claus and Boutilier's climbing game, its optimum 1: independent learners settle for 5 or 7 of 11."""
EASY = np.array([[8.0, 3.0, 2.0], [3.0, 4.0, 1.0], [2.0, 1.0, 0.0]]) / 8
"""Its best joint action is also the best answer to a random partner."""


class OneStepGame:
    """Shows a symbol to the first of n agents; the reward is `rewards[symbol, a_1, ..., a_n]`, the state the symbol."""

    tells_wins = normalises = True

    def __init__(self, rewards, n_envs=32):
        self._rewards = np.asarray(rewards, np.float32)
        self.symbols, *actions = self._rewards.shape
        self.n_agents, self.n_actions = len(actions), actions[0] + 1
        assert set(actions) == {actions[0]}
        self.name, self.n_envs, self.episode_limit = "toy:one-step", n_envs, 1
        self.obs_size = self.state_size = self.symbols
        self.max_return = float(self._rewards.max())

    def reset(self, seed=0):
        self._rng = np.random.default_rng(seed)
        self._draw()
        nothing = np.zeros(self.n_envs, np.float32)
        return self._see(nothing, nothing > 0)

    def step(self, actions):
        actions = np.asarray(actions)
        assert (actions > 0).all()
        assert (actions < self.n_actions).all()
        reward = self._rewards[(self._symbol, *(actions.T - 1))]
        self._draw()
        return self._see(reward, np.ones(self.n_envs, bool))

    def last_step(self):
        return self._last

    def state_dict(self):
        return {"rng": self._rng.bit_generator.state, "symbol": self._symbol.copy(), "reward": self._last.reward.copy()}

    def load_state_dict(self, state):
        self._rng = np.random.default_rng()
        self._rng.bit_generator.state = state["rng"]
        self._symbol = state["symbol"].copy()
        self._see(state["reward"], np.ones(self.n_envs, bool))

    def close(self):
        pass

    def _draw(self):
        self._symbol = self._rng.integers(self.symbols, size=self.n_envs)

    def _see(self, reward, ended):
        state = np.eye(self.symbols, dtype=np.float32)[self._symbol]
        obs = np.zeros((self.n_envs, self.n_agents, self.symbols), np.float32)
        obs[:, 0] = state
        avail = np.ones((self.n_envs, self.n_agents, self.n_actions), bool)
        avail[..., 0] = False  # the action of the dead
        info = {
            "battle_won": ended & (reward > self.max_return - 1e-6),
            "episode_return": reward.copy(),
            "episode_length": np.ones(self.n_envs, np.int32),
            "final_obs": obs,
            "final_state": state,
            "final_avail": avail,
        }
        alive = np.ones((self.n_envs, self.n_agents), bool)
        no = np.zeros(self.n_envs, bool)
        self._last = SimpleNamespace(
            obs=obs, state=state, avail=avail, alive=alive, reward=reward, terminated=ended, truncated=no, info=info
        )
        return self._last


def matrix_game(payoff, n_envs=32):
    """No symbol to tell of; the reward is payoff[a_1, ..., a_n]."""
    return OneStepGame(np.asarray(payoff)[None], n_envs)


def relay_game(symbols=3, n_agents=2, n_envs=32):
    """1 where the last agent names what only the first one sees."""
    rewards = np.zeros((symbols, *[symbols] * n_agents), np.float32)
    for symbol in range(symbols):
        rewards[symbol, ..., symbol] = 1.0
    return OneStepGame(rewards, n_envs)


def greedy_return(learner, env, episodes=200, seed=5):
    """Mean return of the learner's policy, played greedily."""
    from qcmarl.evaluate import play

    return float(play(learner.policy, env, episodes, 0, seed).episode_return.mean())
