"""The exact quantum value of XOR games: two players, a bit each, and a payoff that depends on the bits' sum alone.

Tsirelson: the correlations <A_x B_y> of quantum players are the inner products of unit vectors u_x and v_y, so the
value is a semidefinite program. Cirel'son 1980, doi:10.1007/BF00417500; Cleve, Hoyer, Toner and Watrous 2004,
arXiv:quant-ph/0404076.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from qcmarl.games.game import Floats, Game
from qcmarl.games.values.sdp import Program, solve

PRECISION = 1e-6
"""How far the vectors' value may stay below the proven bound, for payoffs of 0 and 1; others in proportion."""


class XorValue(NamedTuple):
    """The quantum value, from below and from above."""

    value: float
    """Of the vectors: quantum players reach it."""
    bound: float
    """Of the dual program: nobody with entanglement exceeds it. At most 1e-6 times the largest payoff above `value`."""
    correlations: Floats
    """(X, Y) <A_x B_y> of the optimal players, -1..1."""


def is_xor(game: Game) -> bool:
    """Whether a game is an XOR game: two players with two allowed answers each, of which the sum modulo 2 pays."""
    if game.players != 2 or game.answers != (2, 2) or not game.joint_allowed.all():
        return False
    payoff = game.payoff
    return bool((payoff[..., 0, 0] == payoff[..., 1, 1]).all() and (payoff[..., 0, 1] == payoff[..., 1, 0]).all())


def xor_value(game: Game) -> XorValue:
    """The quantum value of an XOR game.

    Value = sum over x, y of law(x, y) (equal + different) / 2 + law(x, y) (equal - different) / 2 <u_x, v_y>.

    Args:
        game: of two players, payoffs of equal and of different bits.

    Returns:
        value, proven bound, and correlations.

    Raises:
        ValueError: the game is no XOR game.
        ModuleNotFoundError: the solver is not installed; says how to install it.
        ArithmeticError: the two sides do not meet.
    """
    if not is_xor(game):
        raise ValueError(
            f"{game.name} is no XOR game: two players, two answers each, payoffs of the answers' sum alone"
        )
    equal, different = game.weights[..., 0, 0], game.weights[..., 0, 1]
    even, gain = (equal + different).sum() / 2, (equal - different) / 2
    solved = solve(_program(gain))
    first = game.questions[0]
    correlations = _gram(solved.unknowns, sum(game.questions))[:first, first:]
    value, bound = float(even + (gain * correlations).sum()), float(even + solved.bound)
    if not 0 <= bound - value + 1e-12 * game.scale <= PRECISION * game.scale:
        raise ArithmeticError(
            f"the value of {game.name} is between {value:.9f} and {bound:.9f}; the solver was too coarse"
        )
    return XorValue(value, bound, correlations)


def _program(gain: Floats) -> Program:
    """Over Gram matrices of all u_x, then all v_y, with ones on the diagonal."""
    first, size = len(gain), sum(gain.shape)
    row, column = np.triu_indices(size, 1)
    places = np.full((size, size), -1)
    places[row, column] = places[column, row] = np.arange(len(row))
    cross = np.zeros((size, size))
    cross[:first, first:] = gain
    return Program(cross[row, column], np.eye(size), places)


def _gram(unknowns: Floats, size: int) -> Floats:
    """(size, size) Gram matrix of unit vectors: what was found, made positive and scaled."""
    matrix = np.eye(size)
    row, column = np.triu_indices(size, 1)
    matrix[row, column] = matrix[column, row] = unknowns
    values, vectors = np.linalg.eigh(matrix)
    half = vectors * np.sqrt(values.clip(0))
    half /= np.linalg.norm(half, axis=1, keepdims=True)
    gram: Floats = half @ half.T
    return gram
