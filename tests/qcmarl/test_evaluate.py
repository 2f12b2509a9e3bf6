"""Evaluation: which battles count, and what the mean law is."""

import numpy as np
import pytest
import torch
from learners import mappo, qc_mappo
from toy import LampGame

from qcmarl.diagnostics import reading_metrics
from qcmarl.evaluate import ReadingMean, ReadingPool, fixed_reading, play, quotas, win_rates
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
    play(policy, uneven(3), 0, 3, seed=1, listeners=[mean])
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


# Readings of other observations ---------------------------------------------------------------------------------------


def heard(numbers, rows=2000, width=4):
    """A pool that heard rows 0, 1, 2, ... in parts of 10, each `width` times its number."""
    pool = ReadingPool(qc_mappo().policy, seed=3, numbers=numbers)
    for part in torch.arange(rows).view(-1, 10, 1).expand(-1, -1, width).float():
        pool.take(part)
    return pool.close()


def test_a_pool_keeps_everything_while_there_is_room():
    assert torch.equal(heard(10**6, rows=50)[:, 0], torch.arange(50.0))


def test_a_pool_keeps_an_even_sample_of_all_that_was_heard():
    kept = heard(4 * 400)
    assert kept.shape == (400, 4)
    assert len(kept[:, 0].unique()) == 400
    standard = (2000**2 / 12 / 400) ** 0.5
    assert kept[:, 0].mean().item() == pytest.approx(999.5, abs=4 * standard)
    assert len(heard(1)) == 1


def test_a_pool_hears_only_the_steps_that_count():
    policy = qc_mappo().policy
    seen, pool = [], ReadingPool(policy, seed=0)
    handle = policy.mixer.register_forward_hook(lambda module, args, output: seen.append(output.clone()))
    play(policy, uneven(3), 0, 3, seed=1, listeners=[pool])
    handle.remove()
    assert torch.equal(pool.close(), torch.cat([seen[0], seen[1][1:], seen[2][2:]]))


def test_shuffled_readings_come_evenly_from_the_pool_whatever_is_seen():
    policy = qc_mappo(readout="outcome").policy
    latents = torch.randn(3000, 3, 8)
    pool = torch.eye(16)[:4]
    with fixed_reading(policy, pool):
        drawn = policy.read(latents, torch.Generator().manual_seed(0))
        again = policy.read(latents, torch.Generator().manual_seed(0))
    assert torch.equal(drawn, again)
    counts = drawn.sum(0)
    assert (counts[4:] == 0).all()
    assert ((counts[:4] - 750).abs() < 4 * (3000 * 3 / 16) ** 0.5).all()


def test_what_replaces_a_reading_is_measured_with_the_shots_of_the_policy():
    policy = qc_mappo(shots=10).policy
    with fixed_reading(policy, torch.full((32,), 1 / 32)):
        counts = policy.read(torch.randn(5, 3, 8), torch.Generator().manual_seed(0)) * 10
    assert torch.allclose(counts, counts.round(), atol=1e-4)
    assert (counts.round() != 10 / 32).all()


@pytest.mark.parametrize(
    "options", [{}, {"readout": "outcome"}, {"circuit": "linear"}, {"circuit": "mlp"}, {"circuit": "frozen"}]
)
def test_both_replacements_are_played_and_taken_out_again(options):
    policy = qc_mappo(**options).policy
    rates = win_rates(policy, LampGame(6), 6, seed=4, shuffled=True)
    names = {f"eval/win_rate_{name}{kind}" for name in ("mean_law", "shuffled") for kind in ("", "_sampled")}
    assert names <= rates.keys()
    assert policy.fixed_reading is None
    assert win_rates(policy, LampGame(6), 6, seed=4, shuffled=True) == rates
    plain = win_rates(policy, LampGame(6), 6, seed=4, mean_law=False)
    assert plain.items() <= rates.items()
    assert not names & plain.keys()


def test_a_team_that_reads_its_circuit_loses_by_a_shuffle_and_by_the_mean():
    learner = qc_mappo(LampGame(32), n_envs=32, lr=5e-3, latent=16)
    for _ in range(40):
        learner.iterate()
    rates = win_rates(learner.policy, LampGame(16), 60, seed=4, shuffled=True)
    assert rates["eval/win_rate"] > 0.9
    assert rates["eval/win_rate_mean_law"] < 0.5
    assert rates["eval/win_rate_shuffled"] < 0.5


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
