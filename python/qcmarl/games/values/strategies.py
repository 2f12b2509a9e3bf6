"""Strategies as tables p(a given x): of players who answer deterministically, and of players who measure a state.

Called by the solvers beside it, which give certificates in these terms.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from qcmarl.games.game import Floats, Game

Answers = tuple[npt.NDArray[np.int64], ...]
"""Of each player (X_i,): the answer to each question."""
Complex = npt.NDArray[np.complex128]
EXACT = 1e-9
"""How far measurements may be from adding up to the identity, and states and they from being positive."""


def deterministic(game: Game, answers: Answers) -> Floats:
    """p(a given x) of players who answer each question always alike, (X_1, ..., X_n, A_1, ..., A_n)."""
    p: Floats = np.zeros(game.payoff.shape)
    grid = np.indices(game.questions)
    p[(*grid, *(given[asked] for given, asked in zip(answers, grid, strict=True)))] = 1
    return p


class QuantumStrategy(NamedTuple):
    """A shared state, what each player measures, and what that is worth."""

    value: float
    """Expected payoff, from the state and the measurements by the Born rule."""
    state: Complex
    """(D^n, D^n) density matrix, the first player's part the most significant."""
    measurements: tuple[Complex, ...]
    """Of each player (X_i, A_i, D, D): positive, adding up to the identity for each question; 0 where the answer is not
    allowed."""


def certified(game: Game, state: Complex, measurements: Sequence[Complex]) -> QuantumStrategy:
    """The strategy with its value computed, once it has been seen to be one.

    Args:
        game: that is played.
        state: (D^n, D^n) density matrix.
        measurements: of each player (X_i, A_i, D, D).

    Returns:
        the strategy.

    Raises:
        ArithmeticError: the state or a measurement is none, by more than 1e-9.
    """
    _check_positive(state[None], "state")
    if abs(state.trace() - 1) > EXACT:
        raise ArithmeticError(f"the state has trace {state.trace().real:.12g}; a state has 1")
    for player, effects in enumerate(measurements):
        _check_positive(effects, f"measurement of player {player}")
        gap = np.abs(effects.sum(1) - np.eye(effects.shape[-1])).max()
        if gap > EXACT:
            raise ArithmeticError(f"a measurement of player {player} misses the identity by {gap:.1e}; at most 1e-9")
    return QuantumStrategy(game.value(born(state, measurements)), state, tuple(measurements))


def born(state: Complex, measurements: Sequence[Complex]) -> Floats:
    """p(a given x) = tr[state (M^1_{a_1, x_1} x ... x M^n_{a_n, x_n})], contracted player by player.

    Args:
        state: (D^n, D^n) density matrix.
        measurements: of each player (X_i, A_i, D, D).

    Returns:
        (X_1, ..., X_n, A_1, ..., A_n).
    """
    players = len(measurements)
    table = pairs(state, [effects.shape[-1] for effects in measurements])
    for effects in measurements:
        flat = effects.reshape(-1, effects.shape[-1] ** 2)
        table = np.tensordot(table, flat, (0, 1))
    shapes = [effects.shape[:2] for effects in measurements]
    table = table.reshape([size for shape in shapes for size in shape])
    p: Floats = table.transpose([*range(0, 2 * players, 2), *range(1, 2 * players, 2)]).real
    return p


def pairs(state: Complex, dimensions: Sequence[int]) -> Complex:
    """(..., D_1^2, ..., D_n^2) from (..., D, D): of each player the column of the state, then its row, in one axis, so
    that the product with measurements flattened row by row, summed, is the trace."""
    players, batch = len(dimensions), state.shape[:-2]
    tensor = state.reshape(*batch, *dimensions, *dimensions)
    first = len(batch)
    order = [axis for player in range(players) for axis in (first + players + player, first + player)]
    return tensor.transpose(*range(first), *order).reshape(*batch, *(d * d for d in dimensions))


def density(state: npt.ArrayLike, players: int, dimension: int) -> Complex:
    """(D^n, D^n) density matrix from a vector (D^n,) or a matrix; raises ValueError where it is none."""
    given = np.asarray(state, np.complex128)
    size = math.prod([dimension] * players)
    if given.shape not in ((size,), (size, size)):
        raise ValueError(f"state has shape {given.shape}; for {players} players it is ({size},) or ({size}, {size})")
    matrix: Complex = np.outer(given, given.conj()) if given.ndim == 1 else given
    hermitian = np.abs(matrix - matrix.conj().T).max() <= EXACT
    if not hermitian or abs(matrix.trace() - 1) > EXACT or np.linalg.eigvalsh(matrix).min() < -EXACT:
        raise ValueError(f"state has trace {matrix.trace():.6g}; a state is positive and has trace 1, a vector norm 1")
    return matrix


def _check_positive(matrices: Complex, what: str) -> None:
    if np.abs(matrices - matrices.conj().swapaxes(-1, -2)).max() > EXACT:
        raise ArithmeticError(f"the {what} is not Hermitian")
    try:  # sooner than eigenvalues: there is a Cholesky factor where all of them are above -EXACT
        np.linalg.cholesky(matrices + EXACT * np.eye(matrices.shape[-1]))
        return
    except np.linalg.LinAlgError:
        least = np.linalg.eigvalsh(matrices).min()
    if least < -EXACT:
        raise ArithmeticError(f"the {what} has the eigenvalue {least:.1e}; at least -1e-9")
