"""The value normaliser against its arithmetic."""

import pytest
import torch

from qcmarl.value_norm import ValueNorm


def test_the_first_batch_alone_decides_the_first_statistics():
    norm = ValueNorm(0.99)
    norm.update(torch.tensor([1.0, 3.0]))
    mean, deviation = norm.statistics()
    assert float(mean) == pytest.approx(2.0)
    assert float(deviation) == pytest.approx(1.0)


def test_two_batches_are_weighted_by_decay_and_freed_of_the_start():
    norm = ValueNorm(0.9)
    norm.update(torch.tensor([1.0, 3.0]))
    norm.update(torch.tensor([10.0, 14.0]))
    weight = 0.9 * 0.1 + 0.1
    mean = (0.9 * 0.1 * 2 + 0.1 * 12) / weight
    square = (0.9 * 0.1 * 5 + 0.1 * 148) / weight
    assert [float(s) for s in norm.statistics()] == pytest.approx([mean, (square - mean**2) ** 0.5])


def test_the_deviation_has_a_floor():
    norm = ValueNorm(0.9)
    norm.update(torch.full((4,), 5.0))
    assert float(norm.statistics()[1]) == pytest.approx(0.1)


def test_nothing_is_changed_before_the_first_batch():
    assert ValueNorm(0.9).normalise(torch.tensor([3.0])).tolist() == [3.0]


def test_denormalise_undoes_normalise():
    norm = ValueNorm(0.9)
    norm.update(torch.tensor([1.0, 3.0, 8.0]))
    x = torch.tensor([-2.0, 0.0, 7.0])
    assert norm.denormalise(norm.normalise(x)).tolist() == pytest.approx(x.tolist(), abs=1e-6)
