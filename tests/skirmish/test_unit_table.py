"""Reading and placing units by hand."""

from __future__ import annotations

import numpy as np
import pytest

from qcmarl.envs import VecSkirmish
from qcmarl.envs.skirmish import UNIT_DTYPE


@pytest.fixture
def env() -> VecSkirmish:
    return VecSkirmish("3m", 2, n_threads=1)


def test_the_table_names_its_columns(env: VecSkirmish) -> None:
    assert UNIT_DTYPE.names == ("team", "type", "x", "y", "hp", "shield", "cooldown", "alive", "energy", "target")
    assert env.units().dtype == UNIT_DTYPE
    assert env.units()["team"].tolist() == [0, 0, 0, 1, 1, 1]


def test_a_table_is_a_copy(env: VecSkirmish) -> None:
    env.units()["hp"] = 0
    assert (env.units()["hp"] == 45).all()


def test_placing_touches_one_battle_alone(env: VecSkirmish) -> None:
    table = env.units(1)
    table["y"] += 1
    other = env.last_step().state[0].copy()
    step = env.set_units(1, table)
    assert (env.units(1) == table).all()
    assert np.array_equal(step.state[0], other)
    assert not np.array_equal(step.state[1], other)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("x", -0.1, r"unit 0: place \(-0.1.*\) is outside the arena x 0..32, y 8..24"),
        ("y", 7.9, "outside the arena"),
        ("x", np.nan, "outside the arena"),
        ("hp", 46, "unit 0: hp is 46.0.*, must be in 0..45"),
        ("hp", -1, "must be in 0..45"),
        ("hp", np.nan, "must be in 0..45"),
        ("hp", 0, "unit 0: alive must say whether hp > 0"),
        ("shield", 1, "unit 0: shield is 1.0.*, must be 0 for marine"),
        ("cooldown", -1, "unit 0: cooldown is -1.0.*, must be in 0..15.77"),
        ("cooldown", np.inf, "must be in 0..15.77"),
        ("team", 1, "unit 0: team is 1, must be 0"),
        ("type", 5, "unit 0: type is 5, must be that of marine"),
    ],
)
def test_an_impossible_unit_is_refused(env: VecSkirmish, column: str, value: float, message: str) -> None:
    before = env.units()
    table = env.units()
    table[column][0] = value
    with pytest.raises(ValueError, match=message):
        env.set_units(0, table)
    assert (env.units() == before).all()


def test_an_impossible_table_is_refused(env: VecSkirmish) -> None:
    table = env.units()
    with pytest.raises(ValueError, match="the table has 5 rows; 3m has 6 units"):
        env.set_units(0, table[:5])
    with pytest.raises(TypeError, match="a unit table is an array of"):
        env.set_units(0, np.zeros(6))
    with pytest.raises(ValueError, match="one axis"):
        env.set_units(0, table[None])
    table["hp"][:3] = 0
    table["alive"][:3] = False
    with pytest.raises(ValueError, match="each side needs a living unit"):
        env.set_units(0, table)


@pytest.mark.parametrize("index", [-1, 2])
def test_a_battle_that_is_not_there_is_refused(env: VecSkirmish, index: int) -> None:
    with pytest.raises(ValueError, match=rf"index is {index}, must be in 0\.\.1"):
        env.units(index)
    with pytest.raises(ValueError, match=rf"index is {index}, must be in 0\.\.1"):
        env.set_units(index, env.units())
