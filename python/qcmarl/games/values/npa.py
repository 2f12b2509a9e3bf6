"""Upper bounds of the quantum value of two-player games: the hierarchy of Navascues, Pironio and Acin.

arXiv:quant-ph/0607119 and arXiv:0803.4290. Whatever state and measurements, the matrix of <u^dagger v> over words u, v
of the players' projectors is positive; a payoff is linear in its entries. Words are reduced by E E = E, by E E' = 0 for
two answers to one question, and by the players' operators commuting. Payoffs are real, so real symmetric matrices are
enough: the mean of a matrix and its conjugate belongs to as good a strategy.
"""

from __future__ import annotations

import itertools
from typing import Literal, NamedTuple, get_args

import numpy as np

from qcmarl.games.game import Bools, Floats, Game
from qcmarl.games.values.sdp import Program, solve

Level = Literal["1", "1+AB", "2"]
"""Words of at most one projector; besides, of one of each player's; of at most two, whosever they are."""
MOST_WORDS = 130
"""Of a matrix of moments: some minutes and 2 GiB."""

Operator = tuple[int, int]
"""Question and answer of a projector."""
Half = tuple[Operator, ...]
"""Product of one player's projectors, reduced."""


class Word(NamedTuple):
    """A product of projectors, the players' parts apart, as they commute."""

    first: Half
    second: Half


class NPA(NamedTuple):
    """An upper bound of the quantum value."""

    bound: float
    """Proven from the dual solution, to the accuracy of double precision."""
    words: int
    """Size of the matrix of moments."""


def npa(game: Game, level: Level = "1+AB") -> NPA:
    """An upper bound of what two players win with any state of any dimension.

    Args:
        game: of two players.
        level: 1, 1+AB or 2: the higher, the tighter and the slower.

    Returns:
        the bound.

    Raises:
        ValueError: not two players, an unknown level, or more than 130 words.
        ModuleNotFoundError: the solver is not installed; says how to install it.
        ArithmeticError: the solver gave up.
    """
    if game.players != 2:
        raise ValueError(f"{game.name} has {game.players} players; this hierarchy is for two")
    if level not in get_args(Level):
        raise ValueError(f"level is '{level}'; it is one of {', '.join(get_args(Level))}")
    words = words_of(game, level)
    if len(words) > MOST_WORDS:
        raise ValueError(f"level {level} of {game.name} has {len(words)} words; at most {MOST_WORDS} can be handled")
    constant, program = _program(game, words)
    return NPA(constant + solve(program).bound, len(words))


def words_of(game: Game, level: Level) -> list[Word]:
    """The words of a level, the empty one first, then those of one projector: the first player's, then the second's."""
    first, second = (operators(mask) for mask in game.allowed)
    words = [Word((), ()), *(Word((e,), ()) for e in first), *(Word((), (f,)) for f in second)]
    if level == "1":
        return words
    words += [Word((e,), (f,)) for e in first for f in second]
    if level == "2":
        words += [Word((e, f), ()) for e, f in itertools.permutations(first, 2) if e[0] != f[0]]
        words += [Word((), (e, f)) for e, f in itertools.permutations(second, 2) if e[0] != f[0]]
    return words


def operators(allowed: Bools) -> list[Operator]:
    """The projectors of a player: of each question all allowed answers but the last, which makes the identity."""
    return [(int(x), int(a)) for x, row in enumerate(allowed) for a in np.flatnonzero(row)[:-1]]


def moment(u: Word, v: Word) -> Word | None:
    """The word of <u^dagger v>, the same for a product and its reverse; None where it is 0."""
    halves = [reduced((*reversed(left), *right)) for left, right in zip(u, v, strict=True)]
    if halves[0] is None or halves[1] is None:
        return None
    word = Word(halves[0], halves[1])
    return min(word, Word(word.first[::-1], word.second[::-1]))


def reduced(product: Half) -> Half | None:
    """A product of one player's projectors without repetitions; None where it is 0."""
    kept: list[Operator] = []
    for operator in product:
        if kept and kept[-1] == operator:
            continue
        if kept and kept[-1][0] == operator[0]:
            return None
        kept.append(operator)
    return tuple(kept)


def _program(game: Game, words: list[Word]) -> tuple[float, Program]:
    """The payoff of the empty word, and the program over all other moments."""
    numbers: dict[Word, int] = {}
    places = np.full((len(words), len(words)), -1)
    for row, column in zip(*np.triu_indices(len(words)), strict=True):
        word = moment(words[row], words[column])
        if word is not None and word != words[0]:
            places[row, column] = places[column, row] = numbers.setdefault(word, len(numbers))
    constant = np.zeros(places.shape)
    constant[0, 0] = 1
    payoffs = _payoffs(game)
    objective = np.zeros(len(numbers))
    single = [words[0], *(word for word in words if len(word.first) + len(word.second) == 1)]
    first, second = ([w for w in single if not w[other]] for other in (1, 0))
    for (i, u), (j, v) in itertools.product(enumerate(first), enumerate(second)):
        if i or j:
            objective[numbers[Word(u.first, v.second)]] += payoffs[i, j]
    return float(payoffs[0, 0]), Program(objective, constant, places)


def _payoffs(game: Game) -> Floats:
    """(1 + operators, 1 + operators) coefficients of <E F> in the value, the identity first."""
    first, second = (_expanded(mask) for mask in game.allowed)
    weights = game.weights.transpose(0, 2, 1, 3).reshape(len(first), len(second))
    payoffs: Floats = first.T @ weights @ second
    return payoffs


def _expanded(allowed: Bools) -> Floats:
    """(X A, 1 + operators) every effect in terms of the identity and the projectors."""
    listed = operators(allowed)
    table = np.zeros((*allowed.shape, 1 + len(listed)))
    for number, (x, a) in enumerate(listed, 1):
        table[x, a, number] = 1
    for x, row in enumerate(allowed):
        last = np.flatnonzero(row)[-1]
        table[x, last] = -table[x].sum(0)
        table[x, last, 0] = 1
    return table.reshape(-1, 1 + len(listed))
