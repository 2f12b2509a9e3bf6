"""The trust region: which steps end a rollout's learning, and which are taken back."""

import math

import pytest
import torch
from torch import nn

from qcmarl.trust import TrustRegion


def walked(kls, undo=True, perturbed=False, target=1.0):
    """Says the KL before each step and after the last; each step adds 1. Returns what was said, and where it ended."""
    parameter = nn.Parameter(torch.zeros(2))
    trust = TrustRegion([parameter], target, undo, perturbed)
    near = []
    for kl in kls:
        near.append(bool(trust.near(torch.tensor(kl, dtype=torch.float64))))
        if near[-1]:
            parameter.data += 1
    return near, parameter[0].item(), bool(trust.undone)


def test_within_the_region_nothing_is_taken_back():
    assert walked([0.0, 0.5, 1.0]) == ([True, True, True], 3, False)


def test_a_step_that_leaves_at_one_go_is_taken_back():
    assert walked([0.0, 0.3, 1.1]) == ([True, True, False], 1, True)


def test_small_steps_that_leave_together_stay():
    assert walked([0.0, 0.5, 0.9, 1.3]) == ([True, True, True, False], 3, False)


def test_nothing_beyond_twice_the_target_stays():
    assert walked([0.0, 1.0, 1.69]) == ([True, True, False], 2, False)
    assert walked([0.0, 1.0, 1.71]) == ([True, True, False], 1, True)
    assert walked([0.0, 0.9, 1.5, 2.1]) == ([True, True, False, False], 2, False)


def test_after_the_first_step_out_nothing_more_is_taken_back():
    assert walked([0.0, 5.0, 7.0, 0.0]) == ([True, False, False, False], 0, True)


@pytest.mark.parametrize("kl", [math.nan, math.inf])
def test_a_kl_that_is_no_number_is_far(kl):
    assert walked([0.0, kl]) == ([True, False], 0, True)


def test_without_undo_the_step_out_stays():
    assert walked([0.0, 0.3, 5.0], undo=False) == ([True, True, False], 2, False)


def test_an_infinite_target_holds_everything():
    assert walked([0.0, 1e9, math.inf], target=math.inf) == ([True, True, True], 3, False)


def test_what_an_actor_that_is_random_has_before_its_first_step_does_not_count():
    assert walked([3.0, 3.2, 3.9], perturbed=True) == ([True, True, True], 3, False)
    assert walked([3.0, 3.2, 4.1], perturbed=True) == ([True, True, False], 1, True)


def test_what_was_loaded_since_is_what_a_rollout_begins_with():
    parameter = nn.Parameter(torch.zeros(1))
    trust = TrustRegion([parameter], 1.0, undo=True, perturbed=False)
    parameter.data += 3
    trust.begin()
    assert not trust.near(torch.tensor(torch.nan))
    assert parameter.item() == 3


def test_a_new_rollout_begins_near():
    parameter = nn.Parameter(torch.zeros(1))
    trust = TrustRegion([parameter], 1.0, undo=True, perturbed=False)
    assert trust.near(torch.tensor(0.0))
    assert not trust.near(torch.tensor(3.0))
    trust.begin()
    assert not trust.undone
    assert trust.near(torch.tensor(0.0))


def test_steps_shrink_after_one_was_taken_back_and_grow_again():
    trust = TrustRegion([nn.Parameter(torch.zeros(1))], 1.0, undo=True, perturbed=False)
    shares = []
    for undone in [True] * 8 + [False] * 46:
        trust.adapt(undone)
        shares.append(trust.share)
    assert shares[:8] == [1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 32, 1 / 64, 1 / 64, 1 / 64]
    assert shares[8] == pytest.approx(1.1 / 64)
    assert shares[8 + 42] == pytest.approx(1.1**43 / 64)
    assert shares[8 + 43 :] == [1, 1, 1]  # 1.1^44 = 66.3
