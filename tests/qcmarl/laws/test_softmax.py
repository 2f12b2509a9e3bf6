"""The softmax of the laws, against torch's."""

import pytest
import torch

from qcmarl.laws.softmax import exponential, masked_softmax


def case(dtype=torch.float64):
    generator = torch.Generator().manual_seed(3)
    logits = 5 * torch.randn(40, 7, generator=generator, dtype=dtype)
    avail = torch.rand(40, 7, generator=generator) < 0.5
    avail[:, 2] = True
    return logits, avail


def reference(logits, avail):
    return torch.log_softmax(logits.masked_fill(~avail, -torch.inf), -1)


def test_available_entries_are_those_of_torch_and_the_others_exactly_0():
    logits, avail = case()
    log_p, p = masked_softmax(logits, avail)
    assert torch.allclose(log_p[avail], reference(logits, avail)[avail], atol=1e-12)
    assert torch.allclose(p, reference(logits, avail).exp(), atol=1e-12)
    assert (p[~avail] == 0).all()
    assert (log_p[~avail] < -1e9).all()


@pytest.mark.parametrize("shift", [-1e4, 1e4])
def test_large_logits_overflow_nowhere(shift):
    logits, avail = case(torch.float32)
    log_p, p = masked_softmax(logits + shift, avail)
    assert torch.isfinite(log_p).all()
    assert torch.allclose(p.sum(-1), torch.ones(40), atol=1e-5)


def test_the_gradient_is_that_of_finite_differences_and_0_where_nothing_is_available():
    logits, avail = case()
    logits.requires_grad_()
    held = torch.where(avail, 1.0, 0.0).double()
    assert torch.autograd.gradcheck(lambda x: tuple(y * held for y in masked_softmax(x, avail)), (logits,))
    log_p, p = masked_softmax(logits, avail)
    (slope,) = torch.autograd.grad((log_p * p).sum() + log_p.sum(), logits)
    assert (slope[~avail] == 0).all()


def test_the_entropy_has_the_gradient_of_torchs_softmax():
    logits = case()[0].requires_grad_()
    log_p, p = masked_softmax(logits, torch.ones(40, 7, dtype=torch.bool))
    (slope,) = torch.autograd.grad((p * log_p).sum(), logits)
    (expected,) = torch.autograd.grad(torch.special.entr(torch.softmax(logits, -1)).sum().neg(), logits)
    assert torch.allclose(slope, expected, atol=1e-10)


def test_the_exponential_is_exact_far_below_0():
    x = torch.tensor([0.0, -1.0, 2.5, -80.0, -1e10])
    assert torch.allclose(exponential(x), x.exp(), rtol=1e-5)
    assert exponential(x)[-1] == 0
