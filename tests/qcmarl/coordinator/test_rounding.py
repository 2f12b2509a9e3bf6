"""Where single precision would open a channel between agents, or make one do what it may not."""

import pytest
import torch

from qcmarl.coordinator.coordinates import unit
from qcmarl.coordinator.measurements import POVM
from qcmarl.laws.born import BornLaw


@pytest.mark.parametrize("noise", [0.0, 1e-3])
@pytest.mark.parametrize(("dimension", "outcomes"), [(2, 2), (2, 3), (4, 8)])
def test_a_povm_is_complete_where_all_its_matrices_have_one_row_space(dimension, outcomes, noise):
    """A_k = u_k v^dagger: the sum of A_k^dagger A_k is of rank one, its condition is that of the ridge."""
    generator = torch.Generator().manual_seed(0)
    draw = lambda *shape: torch.randn(200, *shape, dtype=torch.complex64, generator=generator)  # noqa: E731
    a = draw(outcomes, dimension, 1) @ draw(1, 1, dimension) + noise * draw(outcomes, dimension, dimension)
    effects = POVM(dimension, outcomes)(torch.view_as_real(a).reshape(200, -1))
    assert (effects.sum(1) - unit(dimension)).abs().max() < 1e-6


def test_what_is_not_available_is_never_done_even_where_rounding_leaves_nothing_else():
    """A state of rounding errors: every available action has a probability below 0, the unavailable one exactly 0."""
    effects = torch.zeros(1000, 2, 3, 4)
    effects[:, :, :2, 0] = 0.5**0.5
    law = BornLaw(torch.full((4, 4), -1e-9), unit(2), effects)
    assert law.sample(torch.Generator().manual_seed(0)).max() == 1
