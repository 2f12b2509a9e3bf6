"""Linear programs over all laws of answers that let no player signal to the others: the no-signalling value, and the
classical one.

The constraints: p(a given x) >= 0 adds up to 1 at each joint question, and summed over player i's answer it does not
depend on player i's question. scipy (HiGHS) is imported when a program is solved.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from qcmarl.games.game import Floats, Game
from qcmarl.games.values.strategies import Answers

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Columns = npt.NDArray[np.int64]
"""(N, 2 n) joint question and joint answer of each variable."""


class NoSignalling(NamedTuple):
    """The best law that lets nobody signal."""

    value: float
    """Proven from the dual solution: no such law is worth more."""
    strategy: Floats
    """p(a given x), (X_1, ..., X_n, A_1, ..., A_n), to the solver's accuracy."""


def no_signalling(game: Game) -> NoSignalling:
    """The no-signalling value: no players without communication, whatever they share, exceed it.

    Args:
        game: of any number of players.

    Returns:
        value and law.

    Raises:
        ArithmeticError: the program was not solved.

    Source: Barrett et al. 2005, arXiv:quant-ph/0404097, for the polytope.

    >>> from qcmarl.games import make
    >>> round(no_signalling(make("chsh")).value, 6)
    1.0
    """
    from scipy.optimize import linprog

    columns = np.argwhere(game.joint_allowed)
    matrix, total = _constraints(game, columns)
    objective = _objective(game, columns)
    scale = _scale(objective)
    found = linprog(-objective / scale, A_eq=matrix, b_eq=total, method="highs")
    if found.status != 0:
        raise ArithmeticError(f"the no-signalling program of {game.name} was not solved: {found.message}")
    p: Floats = np.zeros(game.payoff.shape)
    p[tuple(columns.T)] = found.x.clip(0)
    return NoSignalling(_proven_bound(game, columns, -scale * found.eqlin.marginals), p)


def _proven_bound(game: Game, columns: Columns, dual: Floats) -> float:
    """An upper bound of the no-signalling value from any multipliers y, the tighter the nearer they are to the optimum.

    With r = c - y A, every law p that fits is worth c . p = y . b + r . p, and r . p is at most the sum over the joint
    questions of the largest r of their answers, since p adds up to 1 at each of them.
    """
    matrix, total = _constraints(game, columns)
    missing = _objective(game, columns) - matrix.T @ dual
    most = np.full(game.law.size, -np.inf)
    np.maximum.at(most, np.ravel_multi_index(columns[:, : game.players].T, game.questions), missing)
    return float(dual @ total + most.sum())


def classical_by_program(game: Game, seconds: float) -> tuple[Answers | None, float]:
    """The best deterministic answers by a mixed-integer linear program.

    Where all players but one answer deterministically and nobody signals, the law is a mixture of deterministic ones:
    so it is enough that the marginals of all but one are integers.

    Args:
        game: of any number of players.
        seconds: after which the search ends.

    Returns:
        the best answers found, None where that was too little time for any; and what no classical strategy exceeds.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import block_array, eye_array

    columns = np.argwhere(game.joint_allowed)
    matrix, total = _constraints(game, columns)
    sums, integral = _marginals(game, columns)
    count = len(integral)
    objective = _objective(game, columns)
    scale = _scale(objective)
    # Variables: the law, then the marginals, which are tied to it.
    both = block_array([[matrix, None], [sums, -eye_array(count)]]).tocsr()
    right = np.concatenate([total, np.zeros(count)])
    found = milp(
        np.concatenate([-objective / scale, np.zeros(count)]),
        integrality=np.concatenate([np.zeros(len(columns)), integral]),
        bounds=Bounds(0, 1),
        constraints=LinearConstraint(both, right, right),
        options={"mip_rel_gap": 0.0, "time_limit": seconds},
    )
    if found.x is None:
        proven = found.get("mip_dual_bound")
        return None, game.max_payoff if proven is None else -scale * float(proven)
    # A lone player's program has no integers, and is solved without bounds.
    bound = found.fun if found.mip_dual_bound is None else found.mip_dual_bound
    return _most_probable(game, found.x[len(columns) :]), -scale * float(bound)


def _objective(game: Game, columns: Columns) -> Floats:
    weights: Floats = game.weights[tuple(columns.T)]
    return weights


def _scale(objective: Floats) -> float:
    """What an objective is divided by: the accuracy of solvers is absolute."""
    return float(np.abs(objective).max()) or 1.0


def _constraints(game: Game, columns: Columns) -> tuple[csr_array, Floats]:
    """A (M, N) and b (M,) of A p = b: normalisation, then what forbids each player to signal."""
    from scipy.sparse import coo_array, vstack

    joint = np.ravel_multi_index(columns[:, : game.players].T, game.questions)
    rows = game.law.size
    ones = np.ones(len(columns))
    normalised = coo_array((ones, (joint, np.arange(len(columns)))), shape=(rows, len(columns)))
    silent = [_silence(game, columns, player) for player in range(game.players)]
    matrix = vstack([normalised, *silent]).tocsr()
    return matrix, np.concatenate([np.ones(rows), np.zeros(matrix.shape[0] - rows)])


def _silence(game: Game, columns: Columns, player: int) -> Any:
    """Rows that make the others' law the same for a player's questions k and k + 1, for every k."""
    from scipy.sparse import coo_array

    asked = columns[:, player]
    kept = [axis for axis in range(2 * game.players) if axis not in (player, game.players + player)]
    sizes = [(*game.questions, *game.answers)[axis] for axis in kept]
    others = np.ravel_multi_index(columns[:, kept].T, sizes) if kept else np.zeros(len(columns), np.int64)
    upper, lower = asked < game.questions[player] - 1, asked > 0
    stride = int(np.prod(sizes))
    rows = np.concatenate([(asked * stride + others)[upper], ((asked - 1) * stride + others)[lower]])
    signs = np.concatenate([np.ones(upper.sum()), -np.ones(lower.sum())])
    variables = np.concatenate([np.flatnonzero(upper), np.flatnonzero(lower)])
    used, rows = np.unique(rows, return_inverse=True)
    return coo_array((signs, (rows, variables)), shape=(len(used), len(columns)))


def _marginals(game: Game, columns: Columns) -> tuple[Any, Floats]:
    """(Q, N) sums that give each player's law of answers, at the others' first questions; and (Q,) 1 where they must be
    integers: of all players but the one with the most strategies. Q is the sum of X_i A_i."""
    from scipy.sparse import coo_array

    sizes = [x * a for x, a in zip(game.questions, game.answers, strict=True)]
    offsets = np.cumsum([0, *sizes])
    rows, variables = [], []
    for player in range(game.players):
        others = np.delete(columns[:, : game.players], player, axis=1)
        where = np.flatnonzero((others == 0).all(1))
        own = columns[where, player] * game.answers[player] + columns[where, game.players + player]
        rows.append(offsets[player] + own)
        variables.append(where)
    entries = (np.concatenate(rows), np.concatenate(variables))
    sums = coo_array((np.ones(len(entries[0])), entries), shape=(offsets[-1], len(columns)))
    strategies = [np.log(mask.sum(1)).sum() for mask in game.allowed]
    free = int(np.argmax(strategies))
    integral: Floats = np.ones(offsets[-1])
    integral[offsets[free] : offsets[free + 1]] = 0
    return sums, integral


def _most_probable(game: Game, marginals: Floats) -> Answers:
    """Of each player's law of answers; of the player whose law is free, every answer in it is a best one."""
    sizes = [x * a for x, a in zip(game.questions, game.answers, strict=True)]
    parts = np.split(marginals, np.cumsum(sizes)[:-1])
    shapes = zip(game.questions, game.answers, strict=True)
    return tuple(part.reshape(shape).argmax(1) for part, shape in zip(parts, shapes, strict=True))
