"""Evaluation: which battles count, and what the mean law is."""

import numpy as np
import pytest
import torch
from learners import mappo, qc_mappo
from toy import LampGame

from qcmarl.diagnostics import reading_metrics
from qcmarl.evaluate import ReadingMean, fixed_reading, play, quotas, win_rates
from qcmarl.laws import IndependentLaw, entropy
from qcmarl.policies import Policy


class UnevenGame(LampGame):
    """Environment i's battles last i + 1 steps, and are won where i is odd."""

    def step(self, actions):
        step = super().step(actions)
        ended = self._time == np.arange(1, self.n_envs + 1)
        info = {
            "battle_won": ended & (np.arange(self.n_envs) % 2 == 1),
            "episode_return": np.arange(self.n_envs, dtype=np.float32),
            "episode_length": self._time.copy(),
        }
        self._time[ended] = 0
        return self._see(step.reward, ended, info)


def uneven(envs):
    return UnevenGame(envs, limit=100, death=100)


def some_policy():
    return mappo().policy


def test_short_battles_do_not_count_more_often():
    found = play(some_policy(), uneven(4), greedy_battles=0, sampled_battles=8, seed=1)
    assert sorted(found.length.tolist()) == [1, 1, 2, 2, 3, 3, 4, 4]
    assert found.won.mean() == 0.5


def test_half_of_the_environments_play_greedily():
    found = play(some_policy(), uneven(4), greedy_battles=4, sampled_battles=2, seed=1)
    assert sorted(found.length[found.greedy].tolist()) == [1, 1, 2, 2]
    assert sorted(found.length[~found.greedy].tolist()) == [3, 4]


def test_a_remainder_goes_to_the_first_environments():
    assert quotas(7, 3).tolist() == [3, 2, 2]
    assert quotas(2, 4).tolist() == [1, 1, 0, 0]


def test_the_same_seed_gives_the_same_battles():
    rates = [win_rates(some_policy(), LampGame(6), 9, seed=4) for _ in range(2)]
    assert rates[0] == rates[1]


class Greedy(Policy):
    """Prefers the lamp that is shown, but only just."""

    def forward(self, inputs):
        return IndependentLaw(torch.cat([torch.zeros(len(inputs.x), 1), inputs.x[:, :3] * 1e-3], 1), inputs), None


def test_greedy_and_sampled_are_told_apart():
    rates = win_rates(Greedy(), LampGame(8), 40, seed=0)
    assert rates["eval/win_rate"] == 1.0
    assert rates["eval/return"] == 5.0
    assert rates["eval/win_rate_sampled"] < 0.6


@pytest.mark.parametrize("options", [{}, {"readout": "outcome"}, {"circuit": "linear"}])
def test_the_mean_law_is_the_mean_over_the_steps_that_count(options):
    policy = qc_mappo(**options).policy
    seen = []
    handle = policy.mixer.register_forward_hook(lambda module, args, output: seen.append(output.clone()))
    mean = ReadingMean(policy)
    play(policy, uneven(3), 0, 3, seed=1, mean=mean)
    handle.remove()
    assert len(seen) == 3
    expected = torch.cat([seen[0], seen[1][1:], seen[2][2:]]).mean(0)
    assert torch.allclose(mean.close(), expected, atol=1e-6)


def test_the_mean_law_is_played_and_taken_out_again():
    policy = qc_mappo(readout="outcome").policy
    rates = win_rates(policy, LampGame(6), 6, seed=4)
    assert {"eval/win_rate_mean_law", "eval/win_rate_mean_law_sampled"} <= rates.keys()
    assert policy.fixed_reading is None
    with fixed_reading(policy, torch.ones(16) / 16):
        assert policy.fixed_reading is not None
    assert "eval/win_rate_mean_law" not in win_rates(some_policy(), LampGame(6), 6, seed=4)


def test_the_circuit_is_reported_on():
    learner = qc_mappo(readout="outcome", coupling_scale=3.0)
    learner.iterate()
    found = reading_metrics(learner.policy, learner.rollout, torch.Generator().manual_seed(0))
    law, _ = learner.policy(learner.rollout.inputs(learner.rollout.whole()))
    assert found["policy/total_correlation"] > 4 * found["policy/total_correlation_se"] > 0
    assert found["policy/outcome_entropy"] == pytest.approx(entropy(law.p).mean().item(), rel=1e-5)
    assert found["policy/outcome_information"] > 0


def test_a_factored_law_has_no_total_correlation_by_construction():
    learner = qc_mappo()
    learner.iterate()
    found = learner.diagnostics(torch.Generator())
    assert found["policy/total_correlation"] == 0
    assert 0 < found["policy/outcome_entropy"] < 5 * 0.6932


def test_the_entropy_of_certainty_is_zero_and_of_a_uniform_law_the_logarithm():
    assert entropy(torch.tensor([[1.0, 0.0], [0.5, 0.5]])).tolist() == pytest.approx([0, 0.693147], abs=1e-6)
