"""The classical value of a game: the best that players with shared random bits can do, which deterministic ones reach.

All strategies of all players but one are tried, with the best response of the last; where they are too many, a
mixed-integer linear program takes over.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from qcmarl.games.game import Bools, Floats, Game
from qcmarl.games.values.polytope import classical_by_program
from qcmarl.games.values.strategies import Answers, deterministic

MOST_WORK = 4e9
"""Additions of the enumeration, some ten seconds; beyond, the program is taken."""
ROUNDING = 1e-9
"""A program's bound that is above its strategy by no more than this, times the largest payoff, is the strategy's
value."""
MOST_AT_ONCE = 1 << 22
"""Numbers of the tables of all strategies side by side, 32 MiB."""
Method = Literal["auto", "enumerate", "program"]
Responses = npt.NDArray[np.int64]


class Classical(NamedTuple):
    """The best deterministic strategy that was found, and what none exceeds."""

    value: float
    """Of `answers`."""
    bound: float
    """No classical strategy is worth more; equal to `value` but where a program ran out of time."""
    answers: Answers
    """Of each player (X_i,): the answer to each question."""


def classical(game: Game, method: Method = "auto", seconds: float = 60.0) -> Classical:
    """The classical value.

    Args:
        game: of any number of players.
        method: enumerate (always exact, time grows with the number of strategies), program (`polytope`), or auto: the
            first where it takes seconds.
        seconds: given to the program (> 0).

    Returns:
        value and strategy, and a proven bound.

    >>> from qcmarl.games import make
    >>> classical(make("chsh")).value
    0.75
    """
    if method not in ("auto", "enumerate", "program"):
        raise ValueError(f"method is '{method}'; it is auto, enumerate or program")
    if method == "program" or (method == "auto" and _work(game) > MOST_WORK):
        return _programmed(game, seconds)
    answers = enumerated(game)
    value = game.value(deterministic(game, answers))
    return Classical(value, value, answers)


def _programmed(game: Game, seconds: float) -> Classical:
    """What the program proves, and the better of its strategy and of one by best responses: cut short, it may hold a
    poor one."""
    found, bound = classical_by_program(game, seconds)
    candidates = [by_responses(game), *([] if found is None else [found])]
    answers = max(candidates, key=lambda tried: game.value(deterministic(game, tried)))
    value = game.value(deterministic(game, answers))
    bound = min(bound, game.max_payoff)
    return Classical(value, bound if bound > value + ROUNDING * game.scale else value, answers)


def by_responses(game: Game, starts: int = 200, seed: int = 0) -> Answers:
    """The best of random strategies in which one player after another gives a best response until none can improve."""
    rng = np.random.default_rng(seed)
    best, kept = -math.inf, None
    for _ in range(starts):
        answers = [np.array([rng.choice(np.flatnonzero(row)) for row in mask]) for mask in game.allowed]
        value = _settled(game, answers)
        if value > best:
            best, kept = value, answers
    assert kept is not None
    return tuple(kept)


def _settled(game: Game, answers: list[Responses]) -> float:
    """Gives best responses in turn, in place, until the value stays; returns it."""
    before, value = -math.inf, -math.inf
    while value > before + ROUNDING * game.scale or value == -math.inf:
        before = value
        for player, mask in enumerate(game.allowed):
            scores = np.where(mask, _scores(game, answers, player), -np.inf)
            answers[player] = scores.argmax(1)
            value = float(scores.max(1).sum())
    return value


def _scores(game: Game, answers: Sequence[Responses], player: int) -> Floats:
    """(X, A) what each answer of a player earns, the others' being given."""
    others = [p for p in range(game.players) if p != player]
    order = [*others, player, *(game.players + p for p in (*others, player))]
    scores = game.weights.transpose(order)
    for left, other in zip(range(len(others), 0, -1), others, strict=True):
        scores = _given_first(scores, answers[other], left + 1)
    return scores


def _given_first(weights: Floats, answers: Responses, players: int) -> Floats:
    """Weights of the other players, where the first one of so many answers like this."""
    rest: Floats = np.moveaxis(weights, players, 1)[np.arange(len(answers)), answers].sum(0)
    return rest


def enumerated(game: Game) -> Answers:
    """The best answers of all players, by trying out those of all but the one with the most strategies."""
    counts = [_strategies(mask) for mask in game.allowed]
    order = sorted(range(game.players), key=counts.__getitem__)
    weights = game.weights.transpose([*order, *(game.players + player for player in order)])
    found = _best(weights, [game.allowed[player] for player in order])[1]
    return tuple(found[order.index(player)] for player in range(game.players))


def _best(weights: Floats, allowed: list[Bools]) -> tuple[float, list[Responses]]:
    """Value and answers of the players of weights (X_1, ..., X_k, A_1, ..., A_k)."""
    if len(allowed) == 1:
        scores = np.where(allowed[0], weights, -np.inf)
        return float(scores.max(1).sum()), [scores.argmax(1)]
    if len(allowed) == 2:
        return _best_of_two(weights, allowed[0], allowed[1])
    if _size_at_once(allowed) <= MOST_AT_ONCE:
        return _best_at_once(weights, allowed)
    tried = (_with_first(weights, answers, allowed) for answers in _answers(allowed[0]))
    return max(tried, key=lambda found: found[0])


def _size_at_once(allowed: Sequence[Bools]) -> int:
    """Numbers of the largest table of `_best_at_once`."""
    done = [math.prod(_strategies(mask) for mask in allowed[:count]) for count in range(len(allowed))]
    left = [math.prod(mask.size for mask in allowed[count:]) for count in range(len(allowed))]
    return max(d * n for d, n in zip(done, left, strict=True))


def _best_at_once(weights: Floats, allowed: list[Bools]) -> tuple[float, list[Responses]]:
    """As `_best`, all strategies of all players but the last side by side: of many small tables the calls would be most
    of the time."""
    tried = [np.array(list(_answers(mask)), np.int64) for mask in allowed[:-1]]
    table = weights[None]
    for answers, left in zip(tried, range(len(allowed), 1, -1), strict=True):
        chosen = np.eye(table.shape[left + 1])[answers]
        given = np.tensordot(table, chosen, ((1, left + 1), (1, 2)))
        table = np.moveaxis(given, -1, 1).reshape(-1, *given.shape[1:-1])
    scores = table + np.where(allowed[-1], 0.0, -np.inf)
    values = scores.max(2).sum(1)
    best = int(values.argmax())
    places = np.unravel_index(best, [len(answers) for answers in tried])
    others = [answers[place] for answers, place in zip(tried, places, strict=True)]
    return float(values[best]), [*others, scores[best].argmax(1)]


def _with_first(weights: Floats, answers: Responses, allowed: list[Bools]) -> tuple[float, list[Responses]]:
    """Value and answers where the first player's are given."""
    value, others = _best(_given_first(weights, answers, len(allowed)), allowed[1:])
    return value, [answers, *others]


def _best_of_two(weights: Floats, first: Bools, second: Bools) -> tuple[float, list[Responses]]:
    """Of weights (X, Y, A, B): all strategies of the first player against the second's best response.

    Scores (Y, B) are sums over the first player's questions; those of each half of them are made once, and every
    strategy is one addition of two such tables.
    """
    half = len(first) // 2
    parts = [_halves(weights[:half], first[:half]), _halves(weights[half:], first[half:])]
    (outer, outer_scores), (inner, inner_scores) = sorted(parts, key=lambda part: len(part[0]))
    barred = np.where(second, 0.0, -np.inf)
    best, where = -math.inf, (0, 0)
    for i, scores in enumerate(outer_scores):
        values = (inner_scores + (scores + barred)).max(2).sum(1)
        j = int(values.argmax())
        if values[j] > best:
            best, where = float(values[j]), (i, j)
    chosen = [outer[where[0]], inner[where[1]]]
    answers = np.concatenate(chosen if outer is parts[0][0] else chosen[::-1])
    scores = outer_scores[where[0]] + inner_scores[where[1]] + barred
    return best, [answers, scores.argmax(1)]


def _halves(weights: Floats, allowed: Bools) -> tuple[Responses, Floats]:
    """All answers (S, X) to some of the first player's questions, and the second's scores (S, Y, B) given them."""
    answers = np.array(list(_answers(allowed)), np.int64)
    by_answer = weights.transpose(0, 2, 1, 3)
    scores = np.zeros((len(answers), *weights.shape[1::2]))
    for question, table in enumerate(by_answer):
        scores += table[answers[:, question]]
    return answers, scores


def _answers(allowed: Bools) -> Iterator[Responses]:
    """Every way (X,) to answer all questions."""
    for answers in itertools.product(*(np.flatnonzero(row) for row in allowed)):
        yield np.array(answers, np.int64)


def _strategies(allowed: Bools) -> int:
    return math.prod(allowed.sum(1).tolist())


def _work(game: Game) -> float:
    """Additions of the enumeration: joint strategies of all players but one, times questions and answers of that one;
    of games with three players and more, unless they are tried at once, the price of a call of NumPy, some thousand
    additions, for most of them."""
    counts = sorted(_strategies(mask) for mask in game.allowed)
    size = max(x * a for x, a in zip(game.questions, game.answers, strict=True))
    calls = math.prod(counts[:-2]) * 20_000
    return float(math.prod(counts[:-1])) * size + (calls if game.players > 2 else 0)
