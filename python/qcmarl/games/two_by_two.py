"""The quantum optimum of rounds with two players, two questions and two answers each, many rounds at once.

Called by `queueing_bounds`, which has one round for every backlog and step. NumPy only. A round is a table of weights
[x, y, a, b], probability of the questions times payoff. Local strategies are left to the caller: a round whose optimum
is local is solved as well as the grid of directions happens to hold it, unless its payoff depends on a xor b alone.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

PARITY = np.array([[1.0, -1.0], [-1.0, 1.0]])
"""[a, b]: (-1)^(a xor b)."""
PARITY_OF_AND = np.array([[1.0, 1.0], [1.0, -1.0]])
"""[x, y]: (-1)^(x and y), what CHSH asks the answers' parity to be."""
DIRECTIONS = 17
"""Directions, 0 to pi, that a player's second measurement is tried in where the payoff is of no parity; the ceiling is
then above the value by about 1 / 200 of the payoff's range at most."""


def best(weights: Floats) -> tuple[Floats, Floats]:
    """The best quantum strategies found, exactly the best where the payoff depends on a xor b alone.

    Args:
        weights: (K, x, y, a, b).

    Returns:
        (K,) their values, and (K, x, y, a, b) p(a, b given x, y).

    >>> chsh = (1 + PARITY_OF_AND[..., None, None] * PARITY) / 2
    >>> round(float(best(chsh[None] / 4)[0][0]), 6)
    0.853553
    """
    return _xor(weights) if _is_xor(weights) else _on_circle(weights)


def ceiling(weights: Floats) -> Floats:
    """(K,) certified: the larger of this and the best local strategy's value is exceeded by no quantum strategy, of
    whatever state, dimension and measurements, for rounds (K, x, y, a, b)."""
    return _xor(weights)[0] if _is_xor(weights) else _on_corners(weights)


def _is_xor(weights: Floats) -> bool:
    """Whether the payoff depends on the answers' parity alone."""
    return bool(np.abs(weights - weights[..., ::-1, ::-1]).max() < 1e-12 * max(1.0, np.abs(weights).max()))


def _xor(weights: Floats) -> tuple[Floats, Floats]:
    """The exact quantum optimum of rounds (K, x, y, a, b) whose payoff depends on a xor b.

    By Tsirelson (1980, doi:10.1007/BF00417500) the correlators are inner products of unit vectors, and those are
    reached with a maximally entangled pair of qubits where one side has two. With u the product of the first player's
    two, the second's best ones give sum_y sqrt(c_0y^2 + c_1y^2 + 2 c_0y c_1y u): concave in u, so its largest is at
    -1, at 1, or where its slope is 0.
    """
    c = (weights * PARITY).sum((3, 4)) / 4
    squares, products = (c**2).sum(1), 2 * c[:, 0] * c[:, 1]
    candidates = np.stack([np.full(len(c), -1.0), np.ones(len(c)), _flat_point(squares, products)], 1)
    lengths = np.sqrt(np.maximum(squares[:, None] + products[:, None] * candidates[..., None], 0)).sum(-1)
    u = np.take_along_axis(candidates, lengths.argmax(1)[:, None], 1)[:, 0]
    first = np.stack([np.stack([np.ones_like(u), 0 * u], -1), np.stack([u, np.sqrt(1 - u**2)], -1)], 1)
    second = np.einsum("kxy,kxd->kyd", c, first)
    norm = np.linalg.norm(second, axis=-1, keepdims=True)
    second = np.where(norm > 0, second / np.where(norm > 0, norm, 1), np.array([1.0, 0.0]))
    strategy = even(np.einsum("kxd,kyd->kxy", first, second))
    return weights.sum((1, 2, 3, 4)) / 4 + lengths.max(1), strategy


def _flat_point(squares: Floats, products: Floats) -> Floats:
    """(K,) u in -1..1 where the sum of sqrt(squares_y + products_y u) has slope 0; 1 where there is no such.

    p_0 / sqrt(s_0 + p_0 u) = -p_1 / sqrt(s_1 + p_1 u), squared and solved.
    """
    (s0, s1), (p0, p1) = squares.T, products.T
    below = p0 * p1 * (p0 - p1)
    opposite = (p0 * p1 < 0) & (below != 0)
    u = (p1**2 * s0 - p0**2 * s1) / np.where(opposite, below, 1)
    inside: Floats = np.where(opposite, np.clip(u, -1, 1), 1.0)
    return inside


def even(correlators: Floats) -> Floats:
    """(K, x, y, a, b) with even marginals and E[(-1)^(a + b)] = correlators (K, x, y)."""
    strategy: Floats = (1 + PARITY * correlators[..., None, None]) / 4
    return strategy


def _on_circle(weights: Floats) -> tuple[Floats, Floats]:
    """What `best` returns, by two qubits.

    By Jordan's lemma every quantum strategy is a mixture of local ones and of real states of two qubits with real
    projective measurements. Each player's first measurement is Z; its second, u = (cos, sin) in the plane of Z and X,
    is tried at `DIRECTIONS` angles of 0 to pi. The state is the best eigenvector of the Bell operator.

    Source: Jordan 1875, doi:10.24033/bsmf.90; Masanes 2006, doi:10.1103/PhysRevLett.97.050503.
    """
    value, strategy = np.full(len(weights), -np.inf), np.zeros_like(weights)
    for first, second in itertools.product(_directions(np.linspace(0, np.pi, DIRECTIONS)), repeat=2):
        values, vectors = np.linalg.eigh(_bell_operator(weights, first, second))
        better = values[:, -1] > value
        value = np.where(better, values[:, -1], value)
        state = vectors[better, :, -1].reshape(-1, 2, 2)
        strategy[better] = np.einsum(
            "kij,xail,ybjm,klm->kxyab", state, _projectors(first), _projectors(second), state, optimize=True
        )
    return value, strategy


def _on_corners(weights: Floats) -> Floats:
    """(K,) bounds of what `_on_circle` looks for, from above.

    The largest eigenvalue of the Bell operator is convex in either player's u, so over the corners of a polygon around
    the half circle it is at least what it is on the circle.
    """
    step = np.pi / (DIRECTIONS - 1)
    tips = _directions((np.arange(DIRECTIONS - 1) + 0.5) * step) / np.cos(step / 2)
    corners = np.concatenate([tips, _directions(np.array([0.0, np.pi]))])
    ceiling = np.full(len(weights), -np.inf)
    for first, second in itertools.product(corners, repeat=2):
        ceiling = np.maximum(ceiling, np.linalg.eigvalsh(_bell_operator(weights, first, second))[:, -1])
    return ceiling


def _directions(angles: npt.NDArray[Any]) -> Floats:
    """(..., 2) cosines and sines."""
    return np.stack([np.cos(angles), np.sin(angles)], -1)


def _projectors(u: Floats) -> Floats:
    """(x, a, 2, 2) (1 + (-1)^a M_x) / 2 with M_0 = Z and M_1 = u_0 Z + u_1 X."""
    z, x = np.diag([1.0, -1.0]), np.array([[0.0, 1.0], [1.0, 0.0]])
    measured = np.stack([z, u[0] * z + u[1] * x])
    found: Floats = (np.eye(2) + np.array([1, -1])[None, :, None, None] * measured[:, None]) / 2
    return found


def _bell_operator(weights: Floats, first: Floats, second: Floats) -> Floats:
    """(K, 4, 4) sum of weights times projectors."""
    a, b = _projectors(first), _projectors(second)
    operator = np.einsum("kxyab,xail,ybjm->kijlm", weights, a, b, optimize=True)
    matrix: Floats = operator.reshape(-1, 4, 4)
    return matrix
