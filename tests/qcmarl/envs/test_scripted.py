"""Scripted players: legal, and as strong as the rules should make them."""

from __future__ import annotations

import numpy as np
import pytest

from qcmarl.envs import VecSkirmish
from qcmarl.envs.scripted import POLICIES, play
from qcmarl.envs.skirmish import MAPS


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", MAPS)
def test_scripted_players_take_available_actions(name: str, policy: str) -> None:
    env = VecSkirmish(name, 16, n_threads=1)
    step, rng = env.reset(seed=1), np.random.default_rng(1)
    for _ in range(50):
        actions = POLICIES[policy](env, step, rng)
        assert np.take_along_axis(step.avail, actions[..., None], axis=-1).all()
        step = env.step(actions)


# The bands are wide around an independent earlier implementation of the same rules: 1.43, 1.96, 1.74 and 27, 34, 32.
@pytest.mark.parametrize(("name", "mean_return", "mean_length"), [("3m", 1.5, 25), ("8m_vs_9m", 1.97, 31)])
def test_random_play_earns_and_lasts_as_in_smaclite(name: str, mean_return: float, mean_length: float) -> None:
    result = play(VecSkirmish(name, 128, n_threads=2), POLICIES["random"], episodes=512)
    assert result["win_rate"] == 0
    assert result["return"] == pytest.approx(mean_return, rel=0.12)
    assert result["length"] == pytest.approx(mean_length, rel=0.12)


@pytest.mark.parametrize(
    ("name", "policy", "low", "high"),
    [
        ("3m", "focus-fire", 0.85, 1),
        ("3m", "nearest", 0.05, 0.6),
        ("8m", "focus-fire", 0.03, 0.3),
        ("8m", "nearest", 0, 0.05),
        ("5m_vs_6m", "focus-fire", 0, 0.01),
        ("8m_vs_9m", "focus-fire", 0, 0.01),
        ("8m_vs_9m", "nearest", 0, 0.01),
        ("3m", "hold", 0, 0.05),
        ("8m", "hold", 0, 0.01),
        ("8m_vs_9m", "hold", 0, 0.01),
    ],
)
def test_scripts_win_where_numbers_allow_it(name: str, policy: str, low: float, high: float) -> None:
    win_rate = play(VecSkirmish(name, 128, n_threads=2), POLICIES[policy], episodes=512)["win_rate"]
    assert low <= win_rate <= high


def test_play_counts_every_battle_of_the_batch_equally_often() -> None:
    env = VecSkirmish("3m", 8, n_threads=1)
    result = play(env, POLICIES["random"], episodes=20, seed=2)
    rng = np.random.default_rng(2)
    step = env.reset(2)
    lengths: list[list[int]] = [[] for _ in range(8)]
    while min(map(len, lengths)) < 3:
        step = env.step(POLICIES["random"](env, step, rng))
        for index in np.flatnonzero(step.terminated | step.truncated):
            lengths[index].append(int(step.info["episode_length"][index]))
    assert result["length"] == pytest.approx(np.mean([row[:3] for row in lengths]))
