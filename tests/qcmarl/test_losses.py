"""The terms of PPO by hand."""

import math

import pytest
import torch

from qcmarl.losses import approximate_kl, clipped_policy_loss, clipped_value_loss


@pytest.mark.parametrize(
    ("ratio", "advantage", "loss"),
    [
        (1.1, 2.0, -2.2),  # within the range
        (1.5, 2.0, -2.4),  # a gain counts up to the clip
        (0.5, 2.0, -1.0),  # a loss of a good action counts in full
        (1.5, -2.0, 3.0),  # more of a bad action counts in full
        (0.5, -2.0, 1.6),  # less of it counts up to the clip
    ],
)
def test_policy_loss_is_the_pessimistic_one(ratio, advantage, loss):
    found = clipped_policy_loss(torch.tensor([math.log(ratio)]), torch.tensor([advantage]), 0.2)
    assert found.item() == pytest.approx(loss)


def test_a_clipped_gain_has_no_gradient():
    log_ratio = torch.tensor([math.log(1.5)], requires_grad=True)
    clipped_policy_loss(log_ratio, torch.tensor([1.0]), 0.2).sum().backward()
    assert log_ratio.grad.item() == 0.0


@pytest.mark.parametrize(
    ("value", "old", "target", "loss"),
    [
        (1.1, 1.0, 3.0, 0.5 * 1.9**2),  # within the range: the plain loss
        (2.0, 1.0, 3.0, 0.5 * 1.8**2),  # too far towards the target: the held value, 1.2
        (0.0, 1.0, 3.0, 0.5 * 3.0**2),  # away from it: the plain loss
        (0.0, 0.0, 30.0, 10 * (30 - 5)),  # beyond delta the loss is a line
    ],
)
def test_value_loss_is_the_larger_of_free_and_held(value, old, target, loss):
    found = clipped_value_loss(*(torch.tensor([x]) for x in (value, old, target)), clip=0.2, delta=10.0)
    assert found.item() == pytest.approx(loss, rel=1e-5)


def test_the_kl_estimate_is_zero_without_change_and_positive_otherwise():
    assert approximate_kl(torch.zeros(3)).tolist() == [0, 0, 0]
    assert (approximate_kl(torch.tensor([-0.3, 0.2])) > 0).all()


def test_the_kl_estimate_is_unbiased():
    old, new = torch.tensor([0.2, 0.8]), torch.tensor([0.4, 0.6])
    exact = (old * (old / new).log()).sum()
    assert (old * approximate_kl((new / old).log())).sum().item() == pytest.approx(exact.item(), rel=1e-5)
