"""Actors that value actions: what they take, how often at random, the same values step by step as along episodes."""

import pytest
import torch

from qcmarl.laws import Inputs
from qcmarl.value.policies import EpsilonGreedyLaw, FeedForwardValues, RecurrentValues

AVAIL = torch.tensor([[[False, True, True, False], [True, False, False, False], [True, True, True, True]]])
"""One sample of three agents; the second is dead."""
ROWS = torch.tensor([0, 2])
VALUES = torch.tensor([[9.0, 1.0, 2.0, 9.0], [0.0, -1.0, -2.0, -3.0]])


def law(epsilon, values=VALUES):
    return EpsilonGreedyLaw(values, Inputs(torch.zeros(2, 1), AVAIL, ROWS), torch.tensor(epsilon))


def test_the_law_is_epsilon_over_the_available_actions_and_the_rest_on_the_best():
    expected = torch.tensor([[0.0, 0.1, 0.9, 0.0], [0.85, 0.05, 0.05, 0.05]])
    assert torch.allclose(law(0.2).log_probs.exp(), expected, atol=1e-6)


@pytest.mark.parametrize("epsilon", [0.0, 0.2, 1.0])
def test_an_unavailable_action_has_probability_exactly_zero_and_is_never_taken(epsilon):
    found = law(epsilon)
    assert (found.log_probs.exp()[~AVAIL[0, ROWS]] == 0).all()
    generator = torch.Generator().manual_seed(0)
    for _ in range(200):
        assert AVAIL.gather(2, found.sample(generator).unsqueeze(2)).all()


@pytest.mark.parametrize("epsilon", [0.0, 0.2, 1.0])
def test_the_greedy_action_is_the_best_available_one_whatever_epsilon(epsilon):
    assert law(epsilon).mode(torch.Generator()).tolist() == [[2, 0, 0]]


def test_draws_have_the_laws_frequencies():
    generator = torch.Generator().manual_seed(0)
    drawn = torch.stack([law(0.2).sample(generator)[0] for _ in range(2000)])
    assert (drawn[:, 0] == 2).float().mean() == pytest.approx(0.9, abs=0.03)
    assert (drawn[:, 2] == 0).float().mean() == pytest.approx(0.85, abs=0.03)
    assert (drawn[:, 1] == 0).all()


def test_without_epsilon_the_entropy_is_zero():
    assert float(law(0.0).entropy_sum()) == 0


@pytest.mark.parametrize("kind", [FeedForwardValues, RecurrentValues])
def test_values_along_episodes_equal_those_met_step_by_step(kind):
    torch.manual_seed(0)
    agents, lengths, features = 2, [4, 2], 5
    policy = kind(features, 3, 6)
    policy.epsilon.fill_(0.0)
    widths = [2, 2, 1, 1]
    x = [torch.randn(width * agents, features) for width in widths]
    everyone = torch.arange(sum(lengths) * agents)
    together = policy.values(torch.cat(x), everyone, widths).split([w * agents for w in widths])
    for episode, length in enumerate(lengths):
        hidden = torch.randn(agents, policy.memory)  # left over from an earlier episode
        for t in range(length):
            mine = slice(episode * agents, (episode + 1) * agents)
            start = torch.full((1, agents), t == 0)
            avail = torch.ones(1, agents, 3, dtype=torch.bool)
            seen = x[t][mine] if policy.memory == 0 else x[t][mine].unsqueeze(0)
            found, hidden = policy(Inputs(seen, avail, torch.arange(agents), start, hidden))
            assert found.mode(torch.Generator())[0].tolist() == together[t][mine].argmax(1).tolist()
        if policy.memory:
            assert torch.allclose(policy.head(hidden), together[length - 1][mine], atol=1e-6)


def test_a_checkpoint_keeps_epsilon():
    policy = FeedForwardValues(3, 2, 4)
    policy.epsilon.fill_(0.3)
    other = FeedForwardValues(3, 2, 4)
    other.load_state_dict(policy.state_dict())
    assert float(other.epsilon) == pytest.approx(0.3)
