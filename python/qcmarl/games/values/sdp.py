"""Semidefinite programs over a matrix that is linear in unknowns within -1..1, with a bound that is proven whatever the
solver's accuracy. Called by `xor` and `npa`.

The solver is Clarabel (the extra `solvers`), an interior-point method; it is imported when it is needed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from qcmarl.games.game import Floats

if TYPE_CHECKING:
    from scipy.sparse import csc_array

ROUNDS = 16
"""Of projections behind the solver: the magic square's bound comes to a third of its distance from 1."""


class Program(NamedTuple):
    """Maximise c . g over g where F_0 + sum_k g_k F_k is positive; every such g must lie within -1..1."""

    objective: Floats
    """c, (K,)."""
    constant: Floats
    """F_0, (m, m) symmetric."""
    places: npt.NDArray[np.int64]
    """(m, m) symmetric: which unknown stands at each entry, F_k being 1 there; -1 where none does."""


class Solved(NamedTuple):
    """What the solver found, and what is certain."""

    unknowns: Floats
    """g, (K,), to the solver's accuracy."""
    bound: float
    """No g that fits exceeds this: weak duality, with what the dual solution misses added."""


def solve(program: Program) -> Solved:
    """Solves a program.

    Raises:
        ModuleNotFoundError: Clarabel is not installed; says how to install it.
        ArithmeticError: the solver gave up.
    """
    clarabel = solver()
    from scipy.sparse import csc_array

    matrix = _triangles(program)
    count = len(program.objective)
    # The solver's accuracy is absolute: payoffs of thousands would be solved to thousandths.
    scale = np.abs(program.objective).max(initial=0) or 1.0
    settings = clarabel.DefaultSettings()
    settings.verbose, settings.max_threads = False, 1
    cones = [clarabel.PSDTriangleConeT(len(program.constant))]
    found = clarabel.DefaultSolver(
        csc_array((count, count)), -program.objective / scale, -matrix, _triangle(program.constant), cones, settings
    ).solve()
    if str(found.status) not in ("Solved", "AlmostSolved"):
        raise ArithmeticError(f"the semidefinite program was not solved: {found.status}")
    dual = scale * _square(np.array(found.z), len(program.constant))
    return Solved(np.array(found.x), tightened(program, dual))


def proven_bound(program: Program, dual: Floats) -> float:
    """An upper bound of the program from any symmetric matrix, the tighter the nearer it is to the dual optimum.

    Z is its positive part. With r_k = -c_k - <F_k, Z>, for every g that fits: c . g = <F_0, Z> - <F_0 + sum_k g_k F_k,
    Z> - r . g <= <F_0, Z> + sum_k |r_k|.

    Args:
        program: K unknowns.
        dual: (m, m).
    """
    return _bound(program, *_positive(program, dual))


def tightened(program: Program, dual: Floats) -> float:
    """The best of the proven bounds of a dual solution and of what becomes of it in rounds of two projections: the r_k
    that the solver left are taken out of Z's entries, which costs it a little positivity, and so on.

    Args:
        program: K unknowns.
        dual: (m, m).
    """
    known = program.places >= 0
    unknowns = program.places[known]
    entries = np.bincount(unknowns, minlength=len(program.objective))
    bounds = []
    for _ in range(ROUNDS):
        dual, missed = _positive(program, dual)
        bounds.append(_bound(program, dual, missed))
        dual[known] -= (missed / entries)[unknowns]
    return min(bounds)


def _bound(program: Program, positive: Floats, missed: Floats) -> float:
    """Of what `_positive` gives."""
    return float((program.constant * positive).sum() + np.abs(missed).sum())


def _positive(program: Program, dual: Floats) -> tuple[Floats, Floats]:
    """The positive part of a matrix, (m, m), and -r, (K,)."""
    values, vectors = np.linalg.eigh((dual + dual.T) / 2)
    positive: Floats = (vectors * values.clip(0)) @ vectors.T
    known = program.places >= 0
    products = np.bincount(program.places[known], positive[known], len(program.objective))
    return positive, program.objective + products


def solver() -> Any:
    """The module of the solver; ModuleNotFoundError, with the remedy, where it is absent."""
    try:
        import clarabel
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "semidefinite programs need the solver Clarabel: pip install clarabel", name="clarabel"
        ) from None
    return clarabel


def _triangles(program: Program) -> csc_array:
    """(m (m + 1) / 2, K) the F_k as `_triangle` writes them."""
    from scipy.sparse import coo_array

    columns = _triangle(program.places.astype(float), scale=False).astype(np.int64)
    rows = np.flatnonzero(columns >= 0)
    scales = _triangle(np.ones(program.places.shape))[rows]
    return coo_array((scales, (rows, columns[rows])), shape=(len(columns), len(program.objective))).tocsc()


def _triangle(matrix: Floats, scale: bool = True) -> Floats:
    """(m (m + 1) / 2,) upper triangle column by column, what is off the diagonal times sqrt 2: products stay."""
    column, row = np.tril_indices(len(matrix))
    entries: Floats = matrix[row, column] * np.where((row == column) | (not scale), 1.0, 2**0.5)
    return entries


def _square(triangle: Floats, size: int) -> Floats:
    """(m, m) symmetric from what `_triangle` gives."""
    column, row = np.tril_indices(size)
    matrix: Floats = np.zeros((size, size))
    matrix[row, column] = matrix[column, row] = triangle / np.where(row == column, 1.0, 2**0.5)
    return matrix
