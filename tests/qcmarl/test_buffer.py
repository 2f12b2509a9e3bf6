"""Minibatches and what a policy is given of them."""

import pytest
import torch

from qcmarl.buffer import Rollout, Sizes

SIZES = Sizes(agents=2, actions=3, features=4, state=5)
GENERATOR = torch.Generator().manual_seed(1)


def filled(memory=0):
    rollout = Rollout(6, 3, SIZES, joint=False, memory=memory)
    rollout.x.copy_(torch.arange(rollout.x.numel()).view_as(rollout.x))
    rollout.hidden.copy_(torch.arange(rollout.hidden.numel()).view_as(rollout.hidden))
    rollout.alive.copy_(torch.rand(6, 3, 2, generator=GENERATOR) < 0.6)
    rollout.avail.copy_(torch.rand(6, 3, 2, 3, generator=GENERATOR) < 0.5)
    return rollout


@pytest.mark.parametrize(("count", "chunk"), [(1, 1), (4, 1), (2, 3), (3, 6)])
def test_an_epoch_visits_every_sample_once(count, chunk):
    batches = list(filled().minibatches(count, chunk, GENERATOR))
    assert len(batches) == count
    assert sorted(torch.cat([b.flatten() for b in batches]).tolist()) == list(range(18))


def test_a_chunk_is_consecutive_steps_of_one_environment():
    for batch in filled().minibatches(2, 3, GENERATOR):
        assert (batch[1:] - batch[:-1] == 3).all()
        assert (batch[0] // 3 % 3 == 0).all()


def test_feed_forward_policies_are_given_the_living_only():
    rollout = filled()
    samples = torch.tensor([[7, 2, 11]])
    inputs = rollout.inputs(samples)
    alive, x = rollout.alive.view(18, 2), rollout.x[:-1].view(18, 2, 4)
    expected = [(k, m, i) for k, m in enumerate((7, 2, 11)) for i in range(2) if alive[m, i]]
    assert inputs.rows.tolist() == [2 * k + i for k, _, i in expected]
    assert torch.equal(inputs.x, torch.stack([x[m, i] for _, m, i in expected]))
    assert torch.equal(inputs.avail, rollout.avail.view(18, 2, 3)[[7, 2, 11]])


def test_recurrent_policies_are_given_sequences_and_the_memory_before_them():
    rollout = filled(memory=2)
    samples = torch.tensor([[0, 10], [3, 13], [6, 16]])  # steps 0-2 of environment 0, steps 3-5 of environment 1
    inputs = rollout.inputs(samples)
    assert inputs.x.shape == (3, 4, 4)
    assert torch.equal(inputs.x[1, 2:], rollout.x[4, 1])
    assert torch.equal(inputs.hidden, torch.cat([rollout.hidden[0, 0], rollout.hidden[3, 1]]))
    assert inputs.avail.shape == (6, 2, 3)
