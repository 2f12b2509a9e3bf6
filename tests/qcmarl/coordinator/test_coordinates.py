"""Hermitian matrices as real numbers."""

import pytest
import torch

from qcmarl.coordinator.coordinates import basis, coordinates, reader, unit


@pytest.mark.parametrize("dimension", [2, 3, 4])
def test_the_basis_is_hermitian_and_orthonormal(dimension):
    matrices = basis(dimension)
    assert torch.equal(matrices, matrices.mH)
    overlaps = torch.einsum("ajk,bkj->ab", matrices, matrices)
    assert torch.allclose(overlaps, torch.eye(dimension**2, dtype=overlaps.dtype), atol=1e-12)


def test_for_a_qubit_they_are_blochs():
    x, y, z = (
        torch.tensor(m, dtype=torch.complex64) for m in ([[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]])
    )
    state = (torch.eye(2) + 0.3 * x - 0.5 * y + 0.2 * z) / 2
    expected = torch.tensor([1, 0.3, -0.5, 0.2]) / 2**0.5
    assert torch.allclose(coordinates(state, reader(2)), expected, atol=1e-6)


@pytest.mark.parametrize("dimension", [2, 3])
def test_traces_are_dot_products(dimension):
    a, b = (m + m.mH for m in torch.randn(2, 7, dimension, dimension, dtype=torch.complex64))
    read = reader(dimension)
    dot = (coordinates(a, read) * coordinates(b, read)).sum(-1)
    assert torch.allclose(dot, torch.einsum("sjk,skj->s", a, b).real, atol=1e-4)
    assert torch.allclose(coordinates(torch.eye(dimension).to(a.dtype), read), unit(dimension), atol=1e-6)
