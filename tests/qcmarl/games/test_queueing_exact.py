"""Exact rates of learned policies in the queueing task: what they are asked, and what they earn when they play."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from qcmarl import evaluate as evaluation
from qcmarl.algos import ALGORITHMS
from qcmarl.envs.queue import VecQueue
from qcmarl.evaluate import play, win_rates
from qcmarl.games.queueing import Queue, evaluate, tables
from qcmarl.games.queueing_bounds import best
from qcmarl.games.queueing_exact import _features, is_exact, rates, strategies
from qcmarl.laws import IndependentLaw, Inputs
from qcmarl.policies import Policy
from qcmarl.rollout import Player, sizes_of


def trained_at_random(algo: str, env: VecQueue, sharpness: float = 1.0, **options: Any) -> Policy:
    """An actor as it is made, its weights blown up: decided, and different in every state."""
    torch.manual_seed(1)
    entry = ALGORITHMS[algo]
    policy = entry.build_policy(entry.resolve(entry.config(**options), env.name), sizes_of(env))
    with torch.no_grad():
        for name, parameter in policy.named_parameters():
            if "head" in name:
                parameter.mul_(sharpness)
    return policy


class Habit(Policy):
    """Everyone goes where it did not go last, at the start to server 0."""

    def __init__(self, env: VecQueue) -> None:
        super().__init__()
        self._last = slice(env.obs_size, env.obs_size + 2)

    def forward(self, inputs: Inputs) -> tuple[IndependentLaw, None]:
        raw = inputs.x[:, self._last]  # normalised, so the one that was done is the larger
        went = raw[:, 0] > raw[:, 1]
        start = raw[:, 0] == raw[:, 1]
        logits = torch.stack([~went | start, went], 1).float() * 50
        return IndependentLaw(logits, inputs), None


@pytest.mark.parametrize("sees", ["all", "own", "nothing"])
def test_actors_are_asked_what_they_are_shown_at_play(sees: Any) -> None:
    env = VecQueue(Queue(lines="own", capacity=3, horizon=7), 16, sees=sees)
    player = Player(trained_at_random("mappo", env), env)
    step, generator = env.reset(seed=0), torch.Generator().manual_seed(0)
    last = np.zeros(16, np.int64)
    for _ in range(9):
        shown = player.features(step)
        assert torch.equal(shown, _features(env, last, env._where, env._types))
        actions = player.act(step, shown, generator).actions.numpy()
        step = env.step(actions)
        player.observe(step)
        last = np.where(step.truncated, 0, 1 + actions @ [2, 1])


@pytest.mark.parametrize(
    ("algo", "options"),
    [("mappo", {}), ("entangled-mappo", {}), ("tarmac", {}), ("autoregressive-mappo", {}), ("qc-mappo", {"latent": 8})],
)
def test_a_policy_earns_at_play_what_is_computed(algo: str, options: dict[str, Any]) -> None:
    env = VecQueue("2x2", 800, horizon=20, capacity=4)
    policy = trained_at_random(algo, env, sharpness=200.0, **options)
    exact = rates(policy, env)
    kinds = {"": (800, 0), "_sampled": (0, 800)} if algo in ("mappo", "tarmac", "qc-mappo") else {"_sampled": (0, 800)}
    for tail, (greedy, sampled) in kinds.items():
        earned = play(policy, env, greedy, sampled, seed=3).episode_return
        assert abs(earned.mean() - exact[f"eval/return{tail}"]) <= 4 * earned.std() / np.sqrt(800)


def test_habits_count() -> None:
    env = VecQueue(Queue(lines="own", capacity=1, service=1.0, horizon=2), 2)
    assert rates(Habit(env), env)["eval/throughput"] == pytest.approx(1)  # 1 and 3/4 where both stay with server 0


def test_greedy_choices_of_independent_agents_are_certain_and_below_the_classical_bound() -> None:
    env = VecQueue("2x2", 2)
    policy = trained_at_random("mappo", env)
    greedy, sampled = strategies(policy, env)
    assert set(np.unique(greedy)) == {0, 1}
    assert sampled.sum(-1) == pytest.approx(1)
    assert greedy.shape == sampled.shape == (5, *tables(env.model).reward.shape)
    exact = rates(policy, env)
    assert exact["eval/return"] == evaluate(env.model, greedy).episode_return <= best(env.model, "classical").ceiling
    assert exact["eval/win_rate"] == exact["eval/throughput"] > exact["eval/win_rate_sampled"]


def test_a_law_may_say_what_it_is_with_greedy_local_choices() -> None:
    env = VecQueue("2x2", 2)
    policy = trained_at_random("mappo", env)

    class Decisive(IndependentLaw):
        def decisive(self) -> IndependentLaw:
            return IndependentLaw(torch.tensor([50.0, 0.0]).expand(len(self.log_probs), 2), self._inputs)

    class Wrapped(Policy):
        def forward(self, inputs: Inputs) -> tuple[IndependentLaw, Tensor | None]:
            return Decisive(policy(inputs)[0].log_probs, inputs), None

    greedy, sampled = strategies(Wrapped(), env)
    assert greedy[..., 0] == pytest.approx(1)
    assert sampled == pytest.approx(strategies(policy, env)[1])


def test_evaluations_there_have_no_sampling_error() -> None:
    env = VecQueue("2x2", 4)
    policy = trained_at_random("mappo", env)
    assert win_rates(policy, env, 2, seed=0) == win_rates(policy, env, 2, seed=1) == rates(policy, env)


def test_an_actor_with_a_memory_is_played() -> None:
    env = VecQueue("2x2", 4)
    policy = trained_at_random("mappo", env, recurrent=True)
    assert not is_exact(policy, env)
    assert "eval/throughput" not in win_rates(policy, env, 2, seed=0)


def test_played_and_computed_win_rates_are_one_quantity() -> None:
    """The share of the packets that are taken up: 1024 episodes, within 5 standard errors."""
    env = VecQueue("2x2", 128, capacity=4)
    policy = trained_at_random("mappo", env)
    won = evaluation.play(policy, env, 0, 1024, seed=0).won
    assert won.mean() == pytest.approx(rates(policy, env)["eval/throughput_sampled"], abs=5 * won.std() / 32)
    assert won.std() / 32 < 0.01


def test_computed_rates_are_told_apart_from_played_ones() -> None:
    """`qcmarl eval` gives played win rates an error of sampling, and computed ones none."""
    env = VecQueue("2x2", 2)
    assert evaluation.is_exact(trained_at_random("mappo", env), env)
    assert not evaluation.is_exact(trained_at_random("mappo", env, recurrent=True), env)
