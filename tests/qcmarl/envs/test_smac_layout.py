"""The installed SMAC package judges skirmish: shown the same units, it sees, allows and pays the same, step by step.

Every unit table of a skirmish battle is given to the package's own `init_units`, `update_units`, `get_obs`,
`get_state`, `get_avail_actions` and `reward_battle`.
"""

from __future__ import annotations

import importlib.util
import os
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from qcmarl.envs import Skirmish
from qcmarl.envs.skirmish import MAPS, UNIT_TYPES

pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("pysc2") is None, reason="SMAC is not installed"),
    pytest.mark.filterwarnings("ignore"),  # the package's own
]

FULL_HP = {
    "marine": 45,
    "marauder": 125,
    "medivac": 150,
    "stalker": 80,
    "zealot": 100,
    "colossus": 200,
    "zergling": 35,
    "baneling": 30,
    "hydralisk": 80,
    "spine_crawler": 300,
}
ENEMY_IDS = {
    "marine": 48,
    "marauder": 51,
    "medivac": 54,
    "stalker": 74,
    "zealot": 73,
    "colossus": 4,
    "zergling": 105,
    "baneling": 9,
    "hydralisk": 107,
    "spine_crawler": 98,
}
"""StarCraft II's numbers of the units."""
FIRST_ALLY_ID = 1970
ALLY_ORDER = {
    "stalkers_and_zealots": ("stalker", "zealot"),
    "colossi_stalkers_zealots": ("colossus", "stalker", "zealot"),
    "MMM": ("marauder", "marine", "medivac"),
    "bane": ("baneling", "zergling"),
}
"""In which order the maps' own units are numbered."""
ARENA = {"3m", "8m", "25m", "5m_vs_6m", "8m_vs_9m", "10m_vs_11m", "27m_vs_30m", "MMM", "MMM2"}
ARENA |= {"2s3z", "3s5z", "3s5z_vs_3s6z", "1c3s5z"}
"""Maps whose walkable cells are known: the rows 8 to 23."""
WALKS = slice(2, 6)


class Judge:
    """The package's `StarCraft2Env`, shown unit tables instead of a game."""

    def __init__(self, name: str) -> None:
        from smac.env import StarCraft2Env

        self.env = env = StarCraft2Env(map_name=name)
        env.map_x = env.map_y = env.max_distance_x = env.max_distance_y = 32
        env.pathing_grid = np.zeros((32, 32), bool)
        env.pathing_grid[:, 8:24] = True
        order = ALLY_ORDER.get(env.map_type, ())
        self.ally_ids = {kind: FIRST_ALLY_ID + number for number, kind in enumerate(order)}

    def begin(self, table: np.ndarray) -> None:
        env = self.env
        env.death_tracker_ally, env.death_tracker_enemy = np.zeros(env.n_agents), np.zeros(env.n_enemies)
        env.last_action = np.zeros((env.n_agents, env.n_actions))
        self.show(table)
        env.init_units()
        env._episode_count = 1  # or the enemies' health would be counted again

    def show(self, table: np.ndarray) -> None:
        units = [self._unit(number, row) for number, row in enumerate(table) if row["alive"]]
        raw = SimpleNamespace(units=units)
        self.env._obs = SimpleNamespace(observation=SimpleNamespace(raw_data=raw))

    def step(self, table: np.ndarray, actions: list[int]) -> tuple[float, int | None]:
        env = self.env
        env.last_action = np.eye(env.n_actions)[actions]
        self.show(table)
        code = env.update_units()
        reward = env.reward_battle() + (env.reward_win if code == 1 else 0)
        return reward / (env.max_reward / env.reward_scale_rate), code

    def _unit(self, number: int, row: Any) -> Any:
        kind, enemy = UNIT_TYPES[row["type"]], bool(row["team"])
        return SimpleNamespace(
            tag=number,
            owner=1 + enemy,
            unit_type=ENEMY_IDS[kind] if enemy else self.ally_ids.get(kind, FIRST_ALLY_ID),
            pos=SimpleNamespace(x=float(row["x"]), y=float(row["y"])),
            health=float(row["hp"]),
            health_max=float(FULL_HP[kind]),
            shield=float(row["shield"]),
            shield_max={"stalker": 80.0, "zealot": 50.0, "colossus": 150.0}.get(kind, 0.0),
            energy=float(row["energy"]) if "energy" in row.dtype.names else 0.0,
            weapon_cooldown=float(row["cooldown"]),
        )


def agree(env: Skirmish, judge: Judge, walks_too: bool) -> None:
    obs, avail = np.array(env.get_obs()), np.array(env.get_avail_actions())
    their_obs, their_avail = np.array(judge.env.get_obs()), np.array(judge.env.get_avail_actions())
    if not walks_too:
        their_obs[:, :4], their_avail[:, WALKS] = obs[:, :4], avail[:, WALKS]
    assert np.array_equal(avail, their_avail)
    np.testing.assert_allclose(obs, their_obs, atol=2e-6)
    np.testing.assert_allclose(env.get_state(), judge.env.get_state(), atol=2e-6)


def close_in(env: Skirmish, rng: np.random.Generator) -> list[int]:
    """Mostly attack where one can, else mostly go on to where the enemies are: battles with something to see."""
    delta = env.units()["x"][env.n_agents :].mean() - env.units()["x"][: env.n_agents].mean()
    actions = []
    for mask in env.get_avail_actions():
        options = np.flatnonzero(mask)
        attacks, ahead = options[options >= 6], 4 if delta > 0 else 5
        if len(attacks) and rng.random() < 0.8:
            options = attacks
        elif mask[ahead] and rng.random() < 0.6:
            options = np.array([ahead])
        actions.append(int(rng.choice(options)))
    return actions


@pytest.mark.parametrize("name", MAPS)
def test_smac_sees_allows_and_pays_the_same(name: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SC2PATH", os.fspath(tmp_path))
    env, judge, rng = Skirmish(name, seed=1, continuing_episode=True), Judge(name), np.random.default_rng(1)
    for _ in range(3):
        env.reset()
        judge.begin(env.units())
        agree(env, judge, name in ARENA)
        over = False
        while not over:
            actions = close_in(env, rng)
            reward, over, info = env.step(actions)
            their_reward, code = judge.step(env.units(), actions)
            agree(env, judge, name in ARENA)
            assert reward == pytest.approx(their_reward, abs=1e-4)
            assert over == (code is not None or "episode_limit" in info)
            assert info["battle_won"] == (code == 1)
