"""Maps and units of a user's own, in Python and in TOML."""

from __future__ import annotations

import pickle
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qcmarl.envs import Group, Skirmish, SkirmishMap, UnitKind, VecSkirmish, builtin_map, load_map, unit
from qcmarl.envs.scripted import random
from qcmarl.envs.skirmish import MAPS
from qcmarl.envs.skirmish_maps import FIELD

DUEL = SkirmishMap("duel", (Group("stalker", 1, (9, 16)),), (Group("zealot", 2, (23, 16)),), limit=100)
TOML = """
limit = 90
march = "hunt"
allies = [{ kind = "marine", count = 2, at = [9, 16] }, { kind = "sniper", count = 1, at = [9, 12] }]
goal = [[9, 12], [9, 16]]

[[enemies]]
kind = "zealot"
count = 3
at = [23, 16]

[[units]]
like = "marine"
name = "sniper"
range = 8.0
attributes = ["light"]
"""

needs_toml = pytest.mark.skipif(sys.version_info < (3, 11), reason="TOML needs Python 3.11")


def test_a_map_is_a_few_lines() -> None:
    env = VecSkirmish(DUEL, 4, n_threads=1)
    assert (env.name, env.n_agents, env.n_enemies, env.episode_limit) == ("skirmish:duel", 1, 2, 100)
    assert env.obs_size == 4 + 2 * (5 + 1) + (1 + 1)
    assert env.state_size == (4 + 1) + 2 * (3 + 1) + 8
    assert env.max_reward == 2 * (150 + 10) + 200
    rng = np.random.default_rng(0)
    for _ in range(120):
        env.step(random(env, env.last_step(), rng))


@pytest.mark.parametrize("name", MAPS)
def test_a_map_read_and_given_back_is_the_same_map(name: str) -> None:
    table = builtin_map(name)
    own = VecSkirmish(replace(table, name="own"), 2, n_threads=1)
    given = VecSkirmish(name, 2, n_threads=1)
    assert pickle.loads(pickle.dumps(table)) == table
    rng = np.random.default_rng(0)
    for _ in range(20):
        actions = random(given, given.last_step(), rng)
        own.step(actions)
        given.step(actions)
        assert np.array_equal(own.last_step().state, given.last_step().state)


def test_a_kind_of_ones_own_comes_after_the_librarys_and_may_replace_one() -> None:
    giant = replace(unit("marine"), name="giant", hp=500)
    weak = replace(unit("zealot"), hp=1)
    table = replace(DUEL, allies=[Group("giant", 1, (9, 16))], units=[giant, weak])
    env = VecSkirmish(table, 1, n_threads=1)
    assert env.unit_kinds[-1] == giant
    assert env.units()["hp"].tolist() == [500, 1, 1]
    assert env.units()["type"][0] == 10


def test_kinds_mix_freely_and_types_are_told_apart_in_order_of_name() -> None:
    table = replace(DUEL, allies=[Group("zealot", 1, (9, 16)), Group("hydralisk", 1, (9, 16))], terrain=FIELD)
    env = VecSkirmish(table, 1, n_threads=1)
    assert env.type_bits == 2
    state = env.last_step().state[0]
    assert state[:7].tolist()[4:] == [0, 1, 0]  # hydralisk: no shield
    assert state[7:14].tolist()[4:] == [1, 0, 1]  # zealot: full shield


@needs_toml
def test_a_map_in_toml_is_the_map_in_python(tmp_path: Path) -> None:
    path = tmp_path / "ambush.toml"
    path.write_text(TOML)
    sniper = replace(unit("marine"), name="sniper", range=8.0, attributes=("light",))
    expected = SkirmishMap(
        "ambush",
        (Group("marine", 2, (9, 16)), Group("sniper", 1, (9, 12))),
        (Group("zealot", 3, (23, 16)),),
        limit=90,
        march="hunt",
        goal=((9, 12), (9, 16)),
        units=(sniper,),
    )
    assert load_map(path) == expected
    assert VecSkirmish(path, 1, n_threads=1).name == "skirmish:ambush"
    assert Skirmish(str(path)).n_agents == 3


@needs_toml
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("limit = ", "ambush.toml is no TOML"),
        ("limit = 3", "map 'ambush': there are no allies"),
        (TOML.replace("march", "marsh"), "map: unknown key 'marsh'; the keys are name, allies, enemies, limit"),
        (TOML.replace("limit = 90", ""), "map: 'limit' is missing"),
        (TOML.replace("count = 3\n", ""), "enemies: 'count' is missing"),
        (TOML.replace('like = "marine"', 'like = "marin"'), "unknown unit type 'marin': the types are marine"),
        (TOML.replace("[[enemies]]", "[enemies]"), r"enemies must be tables, written \[\[enemies\]\]"),
        (TOML.replace("range = 8.0", "reach = 8.0"), "units: unknown key 'reach'; the keys are name, hp"),
    ],
)
def test_a_bad_file_is_refused_by_name(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "ambush.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        VecSkirmish(path, 1)


def kind(**fields: Any) -> UnitKind:
    return replace(unit("stalker"), **fields)


@pytest.mark.parametrize(
    ("fields", "error", "message"),
    [
        ({"allies": ()}, ValueError, "map 'duel': there are no allies"),
        ({"name": ""}, ValueError, "the name is empty"),
        ({"name": 3}, TypeError, "name must be str, not 3"),
        ({"limit": 0}, ValueError, "the limit is 0 steps, must be at least 1"),
        ({"limit": 1.5}, TypeError, "limit must be int, not 1.5"),
        ({"march": "run"}, ValueError, "unknown march 'run'; the options are point, hunt, stay"),
        ({"goal": (9, 3)}, ValueError, r"the goal \(9.*, 3.*\) is not open ground"),
        ({"goal": 9}, TypeError, r"goal must be a pair \(x, y\), not 9"),
        ({"allies": [("marine", 1, (9, 16))]}, TypeError, "allies must be Group, not"),
        ({"allies": [Group("marin", 1, (9, 16))]}, ValueError, "unknown unit type 'marin'; the types are marine, "),
        ({"allies": [Group("marine", 0, (9, 16))]}, ValueError, r"allies: 0 of 'marine', must be 1\.\.128"),
        ({"allies": [Group("marine", 127, (9, 16))]}, ValueError, "there are 129 units, at most 128 can fight"),
        ({"allies": [Group("colossus", 120, (9, 16))]}, ValueError, "the ground has room for .* of the 120 units"),
        ({"allies": [Group("marine", 1, (9, 3))]}, ValueError, "allies: 'marine' starts at .* not open ground"),
        ({"allies": [Group("marine", 1, "ab")]}, TypeError, r"allies: at must be a pair \(x, y\), not 'ab'"),
        ({"terrain": ["." * 32] * 31}, ValueError, "the terrain has 31 rows, must have 32"),
        ({"terrain": ["." * 31] * 32}, ValueError, r"terrain row 0 is '\.*', must be 32 of '\.' \(open\)"),
        ({"terrain": ["x" * 32] * 32}, ValueError, "terrain row 0 is 'x*', must be 32 of"),
        ({"terrain": ["#" * 32] * 32}, ValueError, "the terrain has no open cell"),
        ({"units": [kind(hp=0)]}, ValueError, "unit type 'stalker': hp is 0.0.*, must be finite and at least 1"),
        ({"units": [kind(hp="x")]}, TypeError, "unit kind 'stalker': hp must be a number, not 'x'"),
        ({"units": [kind(hp=float("nan"))]}, ValueError, "hp is -?nan, must be finite"),
        ({"units": [kind(speed=-1)]}, ValueError, "speed is -1.0.*, must be finite and at least 0"),
        ({"units": [kind(speed=2)]}, ValueError, "speed is 2.0.* cells a loop, must be at most 1"),
        ({"units": [kind(period=0)]}, ValueError, "period is 0.0.*, must be finite and at least 2"),
        ({"units": [kind(hits=3)]}, ValueError, "hits is 3, must be 1 or 2"),
        ({"units": [kind(layer="sea")]}, ValueError, "unknown layer 'sea'; the options are ground, stilts, air"),
        ({"units": [kind(attributes=("big",))]}, ValueError, "unknown attribute 'big'; the options are light, "),
        ({"units": [kind(suicide=True)]}, ValueError, "a suicide weapon needs a blast"),
        ({"units": [kind(heal=1)]}, ValueError, "a unit either heals or does damage"),
        ({"units": [kind(damage_point=30)]}, ValueError, "damage_point must be less than period"),
        ({"units": [kind(name="a"), kind(name="a")]}, ValueError, "two kinds of unit are named 'a'"),
        ({"units": [3]}, TypeError, "units must be UnitKind, not 3"),
    ],
)
def test_a_bad_map_is_refused(fields: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        VecSkirmish(replace(DUEL, **fields), 1)


def test_tables_of_the_library_are_found_by_name() -> None:
    with pytest.raises(ValueError, match="unknown map '9m': the maps are 3m, 8m"):
        builtin_map("9m")
    with pytest.raises(ValueError, match="unknown unit type 'marin': the types are marine, marauder"):
        unit("marin")
    with pytest.raises(OSError, match="nowhere"):
        load_map("nowhere.toml")
