"""Functions of the eigenvalues of density matrices, NumPy and torch alike, and their slopes.

Called by states and, for torch, by spectral_gradients. A slope is the Hermitian matrix f' with df = Re tr(f' d rho). It
needs no derivative of an eigenvector, which does not exist where eigenvalues meet. B is the batch, D the dimension.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from qcsim.array_kinds import library
from qcsim.state_arrays import dagger, tolerance


class Overlap(NamedTuple):
    """The fidelities of two batches of density matrices, and what their slopes are made of."""

    fidelities: Any  # (B,)
    slope_a: Any  # (B, D, D)
    slope_b: Any  # (B, D, D)


def entropies(matrices: Any) -> Any:
    """(B, D, D) density matrices to (B,) entropies ``-tr(rho log rho)``, nats."""
    values = library(matrices).linalg.eigvalsh(_hermitian(matrices))
    return _entropies(values, matrices)


def entropies_and_slopes(matrices: Any) -> tuple[Any, Any]:
    """(B, D, D) to (B,) entropies and their (B, D, D) slopes ``-(log rho + 1)``.

    The logarithm of an eigenvalue below the machine epsilon is that of epsilon: where the state keeps its rank, the
    slope there is multiplied by 0, and where it does not, the true slope is infinite.
    """
    values, vectors = library(matrices).linalg.eigh(_hermitian(matrices))
    floored = values.clip(library(matrices).finfo(values.dtype).eps)
    slopes = _composed(vectors, -(library(matrices).log(floored) + 1))
    return _entropies(values, matrices), slopes


def overlap(a: Any, b: Any) -> Overlap:
    """(B, D, D) twice to fidelities ``F = (tr |sqrt(a) sqrt(b)|)^2`` with their slopes.

    With the singular values ``sqrt(a) sqrt(b) = U S V^H`` the slope of tr S is ``sqrt(a) U S^-1 U^H sqrt(a) / 2`` in b
    and ``sqrt(b) V S^-1 V^H sqrt(b) / 2`` in a: no root is differentiated.
    """
    root_a, root_b = _roots(a), _roots(b)
    u, s, vh = library(a).linalg.svd(root_a @ root_b, full_matrices=False)
    total = s.sum(-1)
    ratios = _ratios(s, total[:, None])
    slope_a = root_b @ _composed(dagger(vh), ratios) @ root_b
    slope_b = root_a @ _composed(u, ratios) @ root_a
    return Overlap(total * total, slope_a, slope_b)


def _ratios(s: Any, total: Any) -> Any:
    """(B, D) of ``tr S / S``, 0 where S is 0; 1 everywhere where all of S is, which is the limit for a pure state."""
    module = library(s)
    kept = s > _noise(s)
    none = ~kept.any(-1)[:, None]
    quotients = total / module.where(kept, s, module.ones_like(s))
    return module.where(kept, quotients, module.where(none, module.ones_like(s), module.zeros_like(s)))


def _roots(matrices: Any) -> Any:
    """Square roots; an eigenvalue that rounding may have made is 0, for its root would be large."""
    module = library(matrices)
    values, vectors = module.linalg.eigh(_hermitian(matrices))
    _check(values, matrices)
    kept = values > _noise(values)
    return _composed(vectors, module.where(kept, values, module.zeros_like(values)) ** 0.5)


def _noise(values: Any) -> float:
    """What rounding makes of a 0 among D eigenvalues or singular values that are at most 1."""
    return float(values.shape[-1] * library(values).finfo(values.dtype).eps)


def _entropies(values: Any, matrices: Any) -> Any:
    _check(values, matrices)
    tiny = library(values).finfo(values.dtype).tiny
    return (values.clip(0) * library(values).log(1 / values.clip(tiny))).sum(-1).clip(0)


def _check(values: Any, matrices: Any) -> None:
    if values.shape[0] and float(values.min()) < -tolerance(matrices):
        raise ValueError(f"a density matrix has the eigenvalue {float(values.min()):.6g}; none may be negative")


def _hermitian(matrices: Any) -> Any:
    return (matrices + dagger(matrices)) / 2


def _composed(vectors: Any, values: Any) -> Any:
    """``V diag(values) V^H``."""
    return (vectors * values[..., None, :]) @ dagger(vectors)
