"""Hermitian D x D matrices as D^2 real numbers, so that Born's rule is a dot product. Called by `states` and
`measurements`."""

from __future__ import annotations

import torch
from torch import Tensor


def basis(dimension: int) -> Tensor:
    """(D^2, D, D) complex128 Hermitian matrices with tr(B_i B_j) = [i = j], the first I / sqrt(D).

    For D = 2 they are I, X, Y, Z over sqrt 2: the coordinates are Bloch's. Else those of Gell-Mann (generalised).
    """
    ket = torch.eye(dimension, dtype=torch.complex128)
    found = [ket / dimension**0.5]
    for k in range(1, dimension):
        for j in range(k):
            upper = torch.outer(ket[j], ket[k])
            found += [(upper + upper.T) / 2**0.5, -1j * (upper - upper.T) / 2**0.5]
        diagonal = torch.cat([torch.ones(k), torch.tensor([-float(k)]), torch.zeros(dimension - k - 1)])
        found.append(torch.diag(diagonal.to(torch.complex128) / (k * (k + 1)) ** 0.5))
    return torch.stack(found)


def reader(dimension: int) -> Tensor:
    """(2 D^2, D^2) float32: what turns real and imaginary parts of a matrix, row by row, into coordinates."""
    rows = basis(dimension).flatten(1).T  # tr(B E) = sum of conj(B_jk) E_jk for a Hermitian B
    return torch.stack([rows.real, rows.imag], 1).flatten(0, 1).float()


def coordinates(matrices: Tensor, read: Tensor) -> Tensor:
    """(..., D^2) float32 coordinates tr(B E) of Hermitian matrices E (..., D, D) complex64; `read` is a `reader`."""
    return torch.view_as_real(matrices.contiguous()).flatten(-3) @ read


def unit(dimension: int) -> Tensor:
    """(D^2,) float32 coordinates of the identity: (sqrt D, 0, 0, ..)."""
    return torch.cat([torch.tensor([dimension**0.5]), torch.zeros(dimension**2 - 1)])


def shared(ket: Tensor, matrices: Tensor) -> Tensor:
    """(D^2, .., D^2) float32 tensor of a pure state, an axis for each agent: tr(rho B_i x B_j x ..).

    Args:
        ket: (D, .., D) complex64, an axis for each agent, of norm 1.
        matrices: (D^2, D, D) complex64, the basis.
    """
    agents = ket.dim()
    # rho with axes (j_1, k_1, .., j_n, k_n), and each pair of axes in turn replaced by one of coordinates at the end.
    order = [axis for i in range(agents) for axis in (i, agents + i)]
    rho = torch.tensordot(ket, ket.conj(), 0).permute(order)
    for _ in range(agents):
        rho = torch.tensordot(rho, matrices, ([0, 1], [2, 1]))
    found: Tensor = rho.real.float()
    return found
