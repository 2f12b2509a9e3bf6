"""`StarCraft2Env` with SMAC's own signatures and habits, and battles that follow a script.

Of the habits these are kept: the game starts at the first reset and again if that is repeated before a battle has
ended, counting the enemies' hp twice; a game that dies gives (0, True, {}); the time limit is marked in the info only
with `continuing_episode`; an unavailable action is an assertion.

The script is a dict: `log`, a file that is told what happens; `wins_at`, the step of the win; `deaths`, step by agent;
`trouble`, by the number of the launch of one game: what happens (crash, exit, hang, reset) and at which step.
"""

import os
import time
from pathlib import Path

import numpy as np


class StarCraft2Env:
    def __init__(
        self,
        map_name="8m",
        seed=None,
        continuing_episode=False,
        difficulty="7",
        reward_sparse=False,
        reward_scale=True,
        reward_scale_rate=20,
        replay_dir="",
        replay_prefix="",
        script=None,
    ):
        assert map_name == "3m"
        self.map_name, self._seed, self.difficulty = map_name, seed, difficulty
        self.continuing_episode = continuing_episode
        self.reward_sparse, self.reward_scale, self.reward_scale_rate = reward_sparse, reward_scale, reward_scale_rate
        self.replay_dir, self.replay_prefix = replay_dir, replay_prefix
        self.n_agents, self.n_enemies, self.n_actions, self.episode_limit = 3, 3, 9, 60
        self.max_reward = 3 * 10 + 200
        self.script = {"wins_at": 5, "deaths": {}, "trouble": {}} | (script or {})
        self._episode_count = self._episode_steps = 0
        self._running = False

    def _tell(self, event):
        if "log" in self.script:
            with Path(self.script["log"]).open("a") as file:
                file.write(f"{self.replay_prefix} {event}\n")

    def _launch(self):
        self._tell(f"launch seed={self._seed} pid={os.getpid()}")
        self._running = True
        told = Path(self.script["log"]).read_text().splitlines() if "log" in self.script else []
        self._launches = sum(line.startswith(f"{self.replay_prefix} launch") for line in told)
        if self._trouble() == ("reset", 0):
            raise ConnectionError("the websocket is gone")

    def _trouble(self):
        return self.script["trouble"].get((self.replay_prefix, self._launches))

    def reset(self):
        self._episode_steps = 0
        if self._episode_count == 0:
            self._launch()
            self.max_reward += 3 * 45
        self._tell("reset")
        return self.get_obs(), self.get_state()

    def step(self, actions):
        for agent, action in enumerate(actions):
            assert type(action) is int
            assert self.get_avail_agent_actions(agent)[action] == 1, f"Agent {agent} cannot perform action {action}"
        kind, when = self._trouble() or ("", 0)
        if kind and self._episode_steps + 1 == when:
            if kind == "crash":
                return 0, True, {}
            if kind == "exit":
                os._exit(3)
            time.sleep(1000)
        self._episode_steps += 1
        won = self._episode_steps == self.script["wins_at"]
        over = won or self._episode_steps >= self.episode_limit
        info = {"battle_won": won, "dead_allies": 0, "dead_enemies": 3 * won}
        if over and not won and self.continuing_episode:
            info["episode_limit"] = True
        self._episode_count += over
        return (1 + 200 * won) / (self.max_reward / self.reward_scale_rate), over, info

    def get_obs(self):
        look = [np.zeros(30) for _ in range(3)]
        for agent, row in enumerate(look):
            if self._alive(agent):
                row[:3] = self._episode_count, self._episode_steps, agent
        return look

    def get_state(self):
        state = np.zeros(48, dtype=np.float32)
        state[:2] = self._episode_count, self._episode_steps
        return state

    def _alive(self, agent):
        return self._episode_steps < self.script["deaths"].get(agent, 1000)

    def get_avail_agent_actions(self, agent):
        return [0, 1, 1, 1, 1, 1, 0, 0, 0] if self._alive(agent) else [1] + 8 * [0]

    def get_avail_actions(self):
        return [self.get_avail_agent_actions(agent) for agent in range(3)]

    def get_env_info(self):
        return {"state_shape": 48, "obs_shape": 30, "n_actions": 9, "n_agents": 3, "episode_limit": 60}

    def save_replay(self):
        assert self._running
        self._tell(f"replay {self.replay_dir}")

    def close(self):
        if self._running:
            self._tell("close")
        self._running = False
