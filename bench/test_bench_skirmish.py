"""Speed of the battles: environment steps a second with observations, state and masks written.

Run with `pytest bench/test_bench_skirmish.py`. Goal: 8m_vs_9m at 150 000 steps a second on one thread of 2.6 GHz, 64
battles, random legal actions (the shape a learner uses). No rival runs here: the Python implementations of the same
rules do 28 to 96 steps a second.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from qcmarl.envs import VecSkirmish
from qcmarl.envs.scripted import POLICIES
from qcmarl.envs.skirmish import MAPS

BATCH, STEPS = 64, 200


def record(env: VecSkirmish, policy: str) -> tuple[list[npt.NDArray[np.int64]], npt.NDArray[np.float32]]:
    """The actions of a policy over STEPS steps from seed 0, and the rewards they earn."""
    rng = np.random.default_rng(0)
    step = env.reset(0)
    actions, rewards = [], []
    for _ in range(STEPS):
        actions.append(POLICIES[policy](env, step, rng))
        rewards.append(env.step(actions[-1]).reward.copy())
    return actions, np.array(rewards)


def replay(env: VecSkirmish, actions: list[npt.NDArray[np.int64]]) -> None:
    env.reset(0)
    for chosen in actions:
        env.step(chosen)


def assert_battles_alone_earn_the_same(
    name: str, actions: list[npt.NDArray[np.int64]], rewards: npt.NDArray[np.float32]
) -> None:
    for battle in (0, BATCH - 1):
        alone = VecSkirmish(name, 1, n_threads=1, first_battle=battle)
        alone.reset(0)
        earned = [float(alone.step(chosen[battle : battle + 1]).reward[0]) for chosen in actions]
        assert earned == rewards[:, battle].tolist()


@pytest.mark.parametrize("n_threads", [1, 2])
@pytest.mark.parametrize("policy", ["random", "nearest"])
@pytest.mark.parametrize("name", MAPS)
def test_steps(benchmark: Any, name: str, policy: str, n_threads: int) -> None:
    env = VecSkirmish(name, BATCH, n_threads=n_threads)
    actions, rewards = record(env, policy)
    assert rewards.sum() > 0
    assert_battles_alone_earn_the_same(name, actions, rewards)
    benchmark.group = f"{name}, {policy} actions"
    benchmark(replay, env, actions)
    if benchmark.stats:  # none under --benchmark-disable
        benchmark.extra_info["steps_per_second"] = round(BATCH * STEPS / benchmark.stats.stats.median)
