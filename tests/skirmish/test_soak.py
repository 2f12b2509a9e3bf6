"""A hundred thousand random steps in which nothing impossible may happen."""

from __future__ import annotations

import numpy as np
import pytest

from qcmarl.envs import Step, VecSkirmish
from qcmarl.envs.scripted import random
from qcmarl.envs.skirmish import MAPS


def check(env: VecSkirmish, step: Step) -> None:
    n, n_enemies = env.n_agents, env.n_enemies
    ended = step.terminated | step.truncated
    assert np.isfinite(step.obs).all()
    assert np.abs(step.obs).max() <= 1
    allies = step.state[:, : 4 * n].reshape(-1, n, 4)
    enemies = step.state[:, 4 * n : 4 * n + 3 * n_enemies].reshape(-1, n_enemies, 3)
    for hp, places in ((allies[..., 0], allies[..., 2:]), (enemies[..., 0], enemies[..., 1:])):
        assert ((hp >= 0) & (hp <= 1)).all()
        shots = hp * 45 / 6
        whole = np.isclose(shots, np.round(shots - 0.5) + 0.5, atol=1e-4) | (hp == 0)
        assert whole.all()  # 45 less a number of sixes, or dead
        assert (np.abs(places[..., 0]) <= (16 - 0.375) / 32 + 1e-6).all()
        assert (np.abs(places[..., 1]) <= (8 - 0.375) / 32 + 1e-6).all()
        assert (places[hp == 0] == 0).all()
    assert ((allies[..., 1] >= 0) & (allies[..., 1] <= 16 / 15)).all()
    assert np.array_equal(step.alive, allies[..., 0] > 0)
    assert step.alive.any(1).all()
    assert (enemies[..., 0] > 0).any(1).all()
    assert step.avail.any(-1).all()
    assert np.array_equal(step.avail[..., 0], ~step.alive)
    assert np.array_equal(step.avail[..., 1], step.alive)
    assert not step.avail[..., 6:][np.broadcast_to(enemies[:, None, :, 0] == 0, step.avail[..., 6:].shape)].any()
    assert (step.reward >= 0).all()
    assert not (step.terminated & step.truncated).any()
    assert not (step.info["battle_won"] & ~step.terminated).any()
    assert (step.info["episode_return"] <= 20 + 1e-4).all()
    assert ((step.info["episode_length"] >= 1) & (step.info["episode_length"] <= env.episode_limit)).all()
    assert np.array_equal(step.truncated, ended & ~step.terminated)
    assert (step.info["episode_length"][step.truncated] == env.episode_limit).all()


@pytest.mark.parametrize("name", MAPS)
def test_random_battles_keep_every_invariant(name: str) -> None:
    env = VecSkirmish(name, 200, n_threads=2)
    rng = np.random.default_rng(0)
    step = env.reset(seed=123)
    episodes = 0
    for _ in range(130):
        step = env.step(random(env, step, rng))
        check(env, step)
        episodes += int((step.terminated | step.truncated).sum())
    assert episodes > 200
