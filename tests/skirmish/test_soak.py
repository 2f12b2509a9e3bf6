"""Random steps on every map in which nothing impossible may happen: a hundred thousand, or a million with -m slow."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from placing import MARINE_MAPS

from qcmarl.envs import Step, UnitKind, VecSkirmish
from qcmarl.envs.scripted import random
from qcmarl.envs.skirmish import MAPS


def sides(env: VecSkirmish, step: Step) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """The rows of the allies (B, n, F) and of the enemies (B, E, G) in the state."""
    split = env.n_agents * env.ally_state_size
    end = split + env.n_enemies * env.enemy_state_size
    allies = step.state[:, :split].reshape(-1, env.n_agents, env.ally_state_size)
    return allies, step.state[:, split:end].reshape(-1, env.n_enemies, env.enemy_state_size)


def check_units(env: VecSkirmish, step: Step) -> None:
    allies, enemies = sides(env, step)
    tops = {kind.name: (kind.period + 2) / kind.cooldown_scale for kind in env.unit_kinds}
    assert ((allies[..., 1] >= 0) & (allies[..., 1] <= max(tops.values()))).all()
    assert np.array_equal(step.alive, allies[..., 0] > 0)
    assert (enemies[..., 0] > 0).any(1).all()
    for rows, first in ((allies, 2), (enemies, 1)):
        hp, places, more = rows[..., 0], rows[..., first : first + 2], rows[..., first + 2 :]
        assert ((hp >= 0) & (hp <= 1)).all()
        assert (np.abs(places) <= 0.5).all()
        assert (rows[hp == 0] == 0).all()
        assert ((more >= 0) & (more <= 1)).all()
        if env.type_bits:
            assert (more[..., -env.type_bits :].sum(-1) == (hp > 0)).all()
    can_target = step.avail[..., 6 : 6 + env.n_enemies]
    healers = np.array([env.unit_kinds[index].heal > 0 for index in env.units()["type"][: env.n_agents]])
    assert not can_target[:, ~healers][
        np.broadcast_to(enemies[:, None, :, 0] == 0, can_target[:, ~healers].shape)
    ].any()


def check_ground(env: VecSkirmish, index: int) -> None:
    table = env.units(index)
    table = table[table["alive"]]
    for x, y, index in zip(table["x"], table["y"], table["type"], strict=True):
        passable = {"ground": ".", "stilts": ".^", "air": ".#^"}[env.unit_kinds[index].layer]
        assert env.map.terrain[31 - min(int(y), 31)][min(int(x), 31)] in passable


def check(env: VecSkirmish, step: Step) -> None:
    ended = step.terminated | step.truncated
    assert np.isfinite(step.obs).all()
    assert np.abs(step.obs).max() <= 1
    check_units(env, step)
    check_ground(env, int(step.info["episode_length"].sum()) % env.n_envs)
    assert step.alive.any(1).all()
    assert step.avail.any(-1).all()
    assert np.array_equal(step.avail[..., 0], ~step.alive)
    assert np.array_equal(step.avail[..., 1], step.alive)
    assert (step.reward >= 0).all()
    assert not (step.terminated & step.truncated).any()
    assert not (step.info["battle_won"] & ~step.terminated).any()
    if not any(kind.shield or kind.hp_regeneration or kind.heal for kind in fighting(env)):
        assert (step.info["episode_return"] <= 20 + 1e-4).all()
    assert ((step.info["episode_length"] >= 1) & (step.info["episode_length"] <= env.episode_limit)).all()
    assert np.array_equal(step.truncated, ended & ~step.terminated)
    assert (step.info["episode_length"][step.truncated] == env.episode_limit).all()


def fighting(env: VecSkirmish) -> list[UnitKind]:
    return [env.unit_kinds[index] for index in env.units()["type"][env.n_agents :]]


def soak(name: str, batch: int, steps: int) -> int:
    """Episodes that ended."""
    env = VecSkirmish(name, batch, n_threads=2)
    rng = np.random.default_rng(0)
    step = env.reset(seed=123)
    episodes = 0
    for _ in range(steps):
        step = env.step(random(env, step, rng))
        check(env, step)
        episodes += int((step.terminated | step.truncated).sum())
    return episodes


@pytest.mark.parametrize("name", MAPS)
def test_random_battles_keep_every_invariant(name: str) -> None:
    assert soak(name, 40, 110) > 20


@pytest.mark.slow
@pytest.mark.parametrize("name", MAPS)
def test_a_million_random_steps_keep_every_invariant(name: str) -> None:
    assert soak(name, 500, 2000) > 2000


@pytest.mark.parametrize("name", MARINE_MAPS)
def test_marines_lose_six_hp_at_a_time(name: str) -> None:
    env = VecSkirmish(name, 100, n_threads=2)
    rng = np.random.default_rng(0)
    step = env.reset(seed=5)
    for _ in range(60):
        step = env.step(random(env, step, rng))
        for rows in sides(env, step):
            lost = (45 - rows[..., 0] * 45) / 6
            assert (np.isclose(lost, np.round(lost), atol=1e-4) | (rows[..., 0] == 0)).all()
