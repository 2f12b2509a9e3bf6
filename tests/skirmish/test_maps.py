"""The map table: sizes, spawns, names."""

from __future__ import annotations

import numpy as np
import pytest
from placing import MARINE_MAPS

from qcmarl import _skirmish
from qcmarl.envs import VecSkirmish
from qcmarl.envs.skirmish import MAPS, UNIT_TYPES

SIZES = {  # n, enemies, actions, obs, state, limit, type bits, reward of a clean win before scaling
    "3m": (3, 3, 9, 30, 48, 60, 0, 365),
    "8m": (8, 8, 14, 80, 168, 120, 0, 640),
    "5m_vs_6m": (5, 6, 12, 55, 98, 70, 0, 530),
    "8m_vs_9m": (8, 9, 15, 85, 179, 120, 0, 695),
    "25m": (25, 25, 31, 250, 950, 150, 0, 1575),
    "10m_vs_11m": (10, 11, 17, 105, 243, 150, 0, 805),
    "27m_vs_30m": (27, 30, 36, 285, 1170, 180, 0, 1850),
    "MMM": (10, 10, 16, 160, 290, 150, 3, 1015),
    "MMM2": (10, 12, 18, 176, 322, 180, 3, 1205),
    "2s3z": (5, 5, 11, 80, 120, 120, 2, 1020),
    "3s5z": (8, 8, 14, 128, 216, 150, 2, 1510),
    "3s5z_vs_3s6z": (8, 9, 15, 136, 230, 170, 2, 1670),
    "3s_vs_3z": (3, 3, 9, 36, 54, 150, 0, 680),
    "3s_vs_4z": (3, 4, 10, 42, 61, 200, 0, 840),
    "3s_vs_5z": (3, 5, 11, 48, 68, 250, 0, 1000),
    "1c3s5z": (9, 9, 15, 162, 270, 180, 3, 1870),
    "2m_vs_1z": (2, 1, 7, 16, 26, 150, 0, 360),
    "corridor": (6, 24, 30, 156, 282, 400, 0, 1280),
    "6h_vs_8z": (6, 8, 14, 78, 140, 150, 0, 1480),
    "2s_vs_1sc": (2, 1, 7, 17, 27, 300, 0, 510),
    "so_many_baneling": (7, 32, 38, 202, 397, 100, 0, 1480),
    "bane_vs_bane": (24, 24, 30, 336, 984, 200, 2, 1260),
    "2c_vs_64zg": (2, 64, 70, 332, 342, 400, 0, 3080),
}
KINDS = (
    "marine",
    "marauder",
    "medivac",
    "stalker",
    "zealot",
    "colossus",
    "zergling",
    "baneling",
    "hydralisk",
    "spine_crawler",
)


def test_the_table_holds_smacs_maps_and_their_units() -> None:
    assert len(MAPS) == 23
    assert set(MAPS) == set(SIZES)
    assert UNIT_TYPES == KINDS


@pytest.mark.parametrize("name", SIZES)
def test_sizes_are_smacs(name: str) -> None:
    n, n_enemies, n_actions, obs, state, limit, type_bits, reward = SIZES[name]
    env = VecSkirmish(name, 2, n_threads=1)
    assert (env.n_agents, env.n_enemies, env.n_actions) == (n, n_enemies, n_actions)
    assert (env.obs_size, env.state_size, env.episode_limit) == (obs, state, limit)
    assert (env.type_bits, env.max_reward) == (type_bits, reward)
    assert _skirmish.map_info(name)["max_reward"] == reward
    assert env.max_return == 20
    step = env.reset(seed=3)
    assert step.obs.shape == (2, n, obs)
    assert step.state.shape == (2, state)
    assert step.avail.shape == (2, n, n_actions)
    assert step.alive.shape == (2, n)
    assert [array.dtype for array in step[:-1]] == ["f4", "f4", "?", "?", "f4", "?", "?"]


@pytest.mark.parametrize("name", SIZES)
def test_sizes_follow_from_smacs_formulas(name: str) -> None:
    n, n_enemies, n_actions, obs, state, _, bits, _ = SIZES[name]
    table = VecSkirmish(name, 1, n_threads=1).units()
    ally, enemy = (bits + int((table["shield"][table["team"] == team] > 0).any()) for team in (0, 1))
    assert n_actions == 6 + n_enemies
    assert obs == 4 + n_enemies * (5 + enemy) + (n - 1) * (5 + ally) + (1 + ally)
    assert state == n * (4 + ally) + n_enemies * (3 + enemy) + n * n_actions


@pytest.mark.parametrize("name", SIZES)
def test_everybody_stands_free_and_unhurt_at_the_start(name: str) -> None:
    env = VecSkirmish(name, 1, n_threads=1)
    table = env.units()
    kinds = [env.unit_kinds[index] for index in table["type"]]
    assert table["hp"].tolist() == [kind.hp for kind in kinds]
    assert table["shield"].tolist() == [kind.shield for kind in kinds]
    assert table["energy"].tolist() == [kind.energy for kind in kinds]
    assert (table["cooldown"] == 0).all()
    gaps = np.hypot(table["x"][:, None] - table["x"], table["y"][:, None] - table["y"]).astype(float)
    radii = np.array([max(kind.radius, kind.separation) for kind in kinds])
    free = gaps >= radii[:, None] + radii - 1e-5
    assert (free | np.eye(len(table), dtype=bool)).all()
    for x, y, radius in zip(table["x"], table["y"], radii, strict=True):
        for dx, dy in ((0, 0), (radius, 0), (-radius, 0), (0, radius), (0, -radius)):
            assert env.map.terrain[31 - int(y + dy)][int(x + dx)] == "."


@pytest.mark.parametrize("name", MARINE_MAPS)
def test_sides_stand_around_their_points(name: str) -> None:
    table = VecSkirmish(name, 1, n_threads=1).units()
    for team, point in ((0, (9, 16)), (1, (23, 16))):
        own = table[table["team"] == team]
        places = np.stack([own["x"], own["y"]], axis=1).astype(float)
        assert np.abs(places - point).max() < 2


@pytest.mark.parametrize("name", SIZES)
def test_agent_ids_go_by_name_of_kind_then_from_left_to_right_and_upwards(name: str) -> None:
    env = VecSkirmish(name, 1, n_threads=1)
    allies = env.units()[: env.n_agents]
    names = [env.unit_kinds[index].name for index in allies["type"]]
    places = list(zip(names, allies["x"], allies["y"], strict=True))
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
