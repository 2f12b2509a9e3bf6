"""Mixers: the sum is additive, QMIX's is monotone in every agent's value and is the formula of its paper."""

import pytest
import torch

from qcmarl.value.mixing import MonotonicMixer, SumMixer


@pytest.fixture
def mixer():
    torch.manual_seed(0)
    return MonotonicMixer(state=5, agents=3, width=8, hidden=6)


def test_the_sum_adds_the_agents_and_does_not_see_the_state():
    values = torch.tensor([[1.0, -2.0, 4.0], [0.5, 0.0, 0.0]])
    assert SumMixer()(values, torch.randn(2, 5)).tolist() == [3.0, 0.5]
    assert SumMixer()(values, torch.full((2, 5), torch.nan)).tolist() == [3.0, 0.5]
    assert not list(SumMixer().parameters())


def test_the_mixers_slope_in_every_agents_value_is_never_negative(mixer):
    values = (10 * torch.randn(500, 3)).requires_grad_()
    total = mixer(values, 3 * torch.randn(500, 5))
    (slope,) = torch.autograd.grad(total.sum(), values)
    assert (slope >= 0).all()
    assert (slope > 0).any(0).all()


def test_the_offset_may_have_any_sign_and_slope_in_the_state(mixer):
    none = torch.zeros(500, 3)
    total = mixer(none, 3 * torch.randn(500, 5))
    assert total.min() < 0 < total.max() or total.std() > 0.01


def test_the_mixer_is_the_papers_formula(mixer):
    values, state = torch.randn(4, 3), torch.randn(4, 5)
    total = mixer(values, state)
    first = state @ mixer.first.weight.T + mixer.first.bias
    for k in range(4):
        to_inner, to_outer, to_offset, bias = first[k].split([6, 6, 8, 8])
        inner = (mixer.inner_weight.weight @ to_inner.relu() + mixer.inner_weight.bias).abs().reshape(3, 8)
        outer = (mixer.outer_weight.weight @ to_outer.relu() + mixer.outer_weight.bias).abs()
        before = values[k] @ inner + bias
        hidden = torch.where(before > 0, before, before.exp() - 1)
        offset = mixer.offset.weight @ to_offset.relu() + mixer.offset.bias
        assert total[k].item() == pytest.approx((hidden @ outer + offset).item(), abs=1e-5)


def test_the_best_joint_action_is_the_agents_best_actions(mixer):
    per_action = torch.randn(3, 4)
    state = torch.randn(1, 5).expand(64, -1)
    joint = torch.cartesian_prod(*[torch.arange(4)] * 3)
    total = mixer(per_action[torch.arange(3), joint], state)
    assert joint[total.argmax()].tolist() == per_action.argmax(1).tolist()
