"""Returns and advantages against arithmetic written out by hand."""

import pytest
import torch

from qcmarl.returns import explained_variance, gae, normalise_advantages

GAMMA, LAM = 0.9, 0.5


def column(*values):
    return torch.tensor(values).unsqueeze(1)


def test_advantages_of_a_running_episode_are_discounted_sums_of_errors():
    advantages, returns = gae(
        column(1.0, 2.0), column(3.0, 4.0, 5.0), column(False, False), column(0.0, 0.0), GAMMA, LAM
    )
    second = 2 + 0.9 * 5 - 4
    first = 1 + 0.9 * 4 - 3 + 0.45 * second
    assert advantages.flatten().tolist() == pytest.approx([first, second])
    assert returns.flatten().tolist() == pytest.approx([first + 3, second + 4])


def test_an_episodes_end_cuts_the_bootstrap_and_the_next_episodes_rewards():
    advantages, _ = gae(
        column(1.0, 2.0, 7.0), column(3.0, 4.0, 6.0, 8.0), column(False, True, False), column(0.0, 0.0, 0.0), GAMMA, LAM
    )
    second = 2 - 4
    first = 1 + 0.9 * 4 - 3 + 0.45 * second
    assert advantages.flatten().tolist() == pytest.approx([first, second, 7 + 0.9 * 8 - 6])


def test_a_time_limit_does_not_cut_the_bootstrap():
    advantages, _ = gae(
        column(1.0, 2.0, 7.0),
        column(3.0, 4.0, 6.0, 8.0),
        column(False, True, False),
        column(0.0, 10.0, 0.0),
        GAMMA,
        LAM,
    )
    second = 2 + 0.9 * 10 - 4
    first = 1 + 0.9 * 4 - 3 + 0.45 * second
    assert advantages.flatten().tolist()[:2] == pytest.approx([first, second])


def test_with_lambda_one_a_return_is_the_discounted_sum_of_rewards():
    rewards = torch.tensor([[1.0], [2.0], [4.0]])
    _, returns = gae(rewards, torch.randn(4, 1), column(False, False, True), torch.zeros(3, 1), GAMMA, 1.0)
    assert returns.flatten().tolist() == pytest.approx([1 + 0.9 * 2 + 0.81 * 4, 2 + 0.9 * 4, 4])


def test_environments_do_not_mix():
    generator = torch.Generator().manual_seed(3)
    rewards, values, final = (torch.randn(k, 4, generator=generator) for k in (6, 7, 6))
    ended = torch.rand(6, 4, generator=generator) < 0.3
    together, _ = gae(rewards, values, ended, final, GAMMA, LAM)
    for b in range(4):
        one, _ = gae(*(x[:, b : b + 1] for x in (rewards, values, ended, final)), GAMMA, LAM)
        assert torch.equal(together[:, b : b + 1], one)


def test_every_living_agent_counts_once_in_the_normalisation():
    advantages, weights = torch.tensor([1.0, 5.0]), torch.tensor([3.0, 1.0])
    mean = (3 * 1 + 5) / 4
    deviation = ((3 * (1 - mean) ** 2 + (5 - mean) ** 2) / 4) ** 0.5
    expected = [(1 - mean) / (deviation + 1e-5), (5 - mean) / (deviation + 1e-5)]
    assert normalise_advantages(advantages, weights).tolist() == pytest.approx(expected)


def test_explained_variance_is_one_for_a_perfect_critic_and_zero_for_a_constant():
    returns = torch.tensor([1.0, 2.0, 4.0])
    assert float(explained_variance(returns, returns)) == pytest.approx(1.0)
    assert float(explained_variance(torch.full((3,), 9.0), returns)) == pytest.approx(0.0, abs=1e-6)
