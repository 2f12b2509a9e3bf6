"""Attention in teams: against torch's own, and exact for the dead."""

import pytest
import torch
import torch.nn.functional as F

from qcmarl.attention import Teams, attend, attention_weights
from qcmarl.laws import Inputs

ALIVE = torch.tensor([[1, 1, 1, 1], [1, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0]], dtype=torch.bool)


def teams(alive=ALIVE):
    rows = alive.flatten().nonzero().squeeze(1)
    return Teams(Inputs(torch.zeros(len(rows), 1), torch.ones(*alive.shape, 2, dtype=torch.bool), rows))


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float32)


@pytest.mark.parametrize("alive", [ALIVE, torch.ones(2, 3, dtype=torch.bool)])
def test_the_living_sit_at_their_places_and_come_back_as_they_were(alive):
    living = random(int(alive.sum()), 5)
    grid = teams(alive).seated(living)
    assert torch.equal(grid[alive], living)
    assert not grid[~alive].any()
    assert torch.equal(teams(alive).rows(grid), living)
    assert torch.equal(teams(alive).alive, alive)


@pytest.mark.parametrize("to_oneself", [True, False])
def test_attention_is_that_of_torch_over_those_who_may_answer(to_oneself):
    queries, keys, values = random(3, 4, 4, 6)[:, :2].unbind()
    mask = ALIVE[:2].unsqueeze(1).expand(-1, 4, -1)
    if not to_oneself:
        mask = mask & ~torch.eye(4, dtype=torch.bool)
    expected = F.scaled_dot_product_attention(queries, keys, values, attn_mask=mask)
    found = attend(queries, keys, values, teams(ALIVE[:2]).answering(to_oneself))
    torch.testing.assert_close(found, expected)


def test_two_agents_share_by_the_logistic_function_of_their_scores():
    query, keys = torch.tensor([[[2.0], [0.0]]]), torch.tensor([[[3.0], [1.0]]])
    weights, total = attention_weights(query, keys, torch.zeros(1, 1, 2))
    expected = torch.tensor([[[4.0, -4.0], [0.0, 0.0]]]).sigmoid()  # scores of the first agent are 6 and 2
    torch.testing.assert_close(weights / total, expected)


def test_the_dead_weigh_exactly_nothing_whatever_the_scores():
    weights, _ = attention_weights(random(4, 4, 2) * 50, random(4, 4, 2, seed=1) * 50, teams().answering())
    assert (weights.transpose(1, 2)[:3][~ALIVE[:3]] == 0).all()
    assert (weights >= 0).all()


def test_scores_that_would_overflow_do_not():
    huge = torch.full((1, 2, 1), 1e4)
    torch.testing.assert_close(attend(huge, huge, torch.tensor([[[1.0], [3.0]]]), torch.zeros(1, 1, 2)), huge * 2e-4)


def test_gradients_are_those_of_finite_differences():
    queries, keys, values = (x.double().requires_grad_() for x in random(3, 2, 4, 2).unbind())
    answering = teams(ALIVE[:2]).answering(to_oneself=False).double()
    assert torch.autograd.gradcheck(attend, (queries, keys, values, answering))


def test_where_nobody_answers_all_weigh_the_same_and_gradients_are_finite():
    queries, keys, values = (x.requires_grad_() for x in random(3, 4, 4, 2).unbind())
    answers = attend(queries, keys, values, teams().answering())
    torch.testing.assert_close(answers[3], values[3].mean(0).expand(4, -1))
    assert all(torch.isfinite(g).all() for g in torch.autograd.grad(answers.sum(), [queries, keys, values]))
