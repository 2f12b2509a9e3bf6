"""The map table: sizes, spawns, names."""

from __future__ import annotations

import numpy as np
import pytest

from qcmarl import _skirmish
from qcmarl.envs import VecSkirmish
from qcmarl.envs.skirmish import MAPS, UNIT_TYPES

SIZES = {  # n, enemies, actions, obs, state, limit, reward of a clean win before scaling
    "3m": (3, 3, 9, 30, 48, 60, 365),
    "8m": (8, 8, 14, 80, 168, 120, 640),
    "5m_vs_6m": (5, 6, 12, 55, 98, 70, 530),
    "8m_vs_9m": (8, 9, 15, 85, 179, 120, 695),
}


def test_the_table_holds_these_maps() -> None:
    assert set(MAPS) == set(SIZES)
    assert UNIT_TYPES == ("marine",)


@pytest.mark.parametrize("name", SIZES)
def test_sizes_are_smacs(name: str) -> None:
    n, n_enemies, n_actions, obs, state, limit, reward = SIZES[name]
    env = VecSkirmish(name, 2, n_threads=1)
    assert (env.n_agents, env.n_enemies, env.n_actions) == (n, n_enemies, n_actions)
    assert (env.obs_size, env.state_size, env.episode_limit) == (obs, state, limit)
    assert _skirmish.map_info(name)["max_reward"] == reward
    assert env.max_return == 20
    step = env.reset(seed=3)
    assert step.obs.shape == (2, n, obs)
    assert step.state.shape == (2, state)
    assert step.avail.shape == (2, n, n_actions)
    assert step.alive.shape == (2, n)
    assert [array.dtype for array in step[:-1]] == ["f4", "f4", "?", "?", "f4", "?", "?"]


@pytest.mark.parametrize("name", SIZES)
def test_sides_stand_around_their_points_without_touching(name: str) -> None:
    env = VecSkirmish(name, 1, n_threads=1)
    table = env.units()
    assert (table["hp"] == 45).all()
    assert (table["cooldown"] == 0).all()
    for team, point in ((0, (9, 16)), (1, (23, 16))):
        own = table[table["team"] == team]
        places = np.stack([own["x"], own["y"]], axis=1).astype(float)
        gaps = np.linalg.norm(places[:, None] - places[None], axis=-1)[~np.eye(len(own), dtype=bool)]
        assert gaps.min() >= 0.75
        assert np.abs(places - point).max() < 2


@pytest.mark.parametrize("name", SIZES)
def test_agent_ids_go_by_place_from_left_to_right_and_upwards(name: str) -> None:
    table = VecSkirmish(name, 1, n_threads=1).units()
    allies = table[table["team"] == 0]
    places = list(zip(allies["x"], allies["y"], strict=True))
    assert places == sorted(places)


def test_sides_of_equal_number_mirror_each_other() -> None:
    table = VecSkirmish("8m", 1, n_threads=1).units()
    places = {(round(32 - float(row["x"]), 4), round(float(row["y"]), 4)) for row in table[:8]}
    assert places == {(round(float(row["x"]), 4), round(float(row["y"]), 4)) for row in table[8:]}


def test_an_unknown_map_is_refused_with_the_options() -> None:
    with pytest.raises(ValueError, match="unknown map '9m': the maps are 3m, 8m, 5m_vs_6m, 8m_vs_9m"):
        VecSkirmish("9m", 1)
    with pytest.raises(TypeError, match="map_name must be a string, not 3"):
        VecSkirmish(3, 1)  # type: ignore[arg-type]
