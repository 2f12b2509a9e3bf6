"""All values of one game, each with what proves it. Called by `games.command` and users."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from qcmarl.games.game import Game
from qcmarl.games.values.classical import Classical, classical
from qcmarl.games.values.npa import Level, npa, words_of
from qcmarl.games.values.polytope import no_signalling
from qcmarl.games.values.see_saw import MOST_ENTRIES, most_starts, see_saw
from qcmarl.games.values.strategies import QuantumStrategy
from qcmarl.games.values.xor import is_xor, xor_value

CLOSED = 1e-6
"""Bounds this close to each other, in proportion to the largest payoff, are not worked on any more."""
MOST_VARIABLES = {"two": 20_000, "more": 2048}
"""Of the no-signalling program of so many players, which then takes seconds; 4096 of six players take 15 s."""
MOST_WORDS: dict[Level, int] = {"1": 130, "1+AB": 100}
"""At which a level of the hierarchy takes half a minute."""


class Bound(NamedTuple):
    """Nobody of a kind exceeds it."""

    value: float
    by: str
    """What proves it, in words."""


class Summary(NamedTuple):
    """Values of a game: classical <= quantum_value <= quantum_bound <= no_signalling."""

    classical: Classical
    quantum: QuantumStrategy
    """The best strategy found with entanglement."""
    quantum_bound: Bound
    no_signalling: Bound

    @property
    def quantum_value(self) -> float:
        """The best that is known to be reached with entanglement: what needs none can be done with it too."""
        return max(self.quantum.value, self.classical.value)


def summary(game: Game, dimension: int = 4, starts: int = 20, seed: int = 0) -> Summary:
    """All values of a game.

    Args:
        game: of any number of players.
        dimension: D up to which entangled systems are tried, 2, 3, ..., as long as the bounds are apart (>= 2).
        starts: random starts of each see-saw (>= 1), fewer where memory holds no more.
        seed: of the starts.

    Returns:
        the values. Without the solver of semidefinite programs the quantum bound is the no-signalling one.

    Raises:
        ValueError: a number out of range, or a game beyond memory even with D = 2 and one start.
    """
    if dimension < 2:
        raise ValueError(f"dimension is {dimension}; it must be at least 2")
    silent = _silent_bound(game)
    bounds = _quantum_bounds(game)
    bound = min(next(bounds, silent), silent)
    local = classical(game)
    found = _search(game, dimension, starts, seed, bound.value)
    for tighter in bounds if bound.value > max(found.value, local.value) + CLOSED * game.scale else ():
        bound = min(bound, tighter)
    return Summary(local, found, bound, silent)


def _search(game: Game, dimension: int, starts: int, seed: int, enough: float) -> QuantumStrategy:
    """The best see-saw of dimensions 2, 3, ..., until one reaches `enough`."""
    best = see_saw(game, 2, min(starts, most_starts(game, 2)), seed, enough=enough)
    for d in range(3, dimension + 1):
        if best.value >= enough - CLOSED * game.scale or d ** (2 * game.players) > MOST_ENTRIES:
            break
        found = see_saw(game, d, min(starts, most_starts(game, d)), seed, enough=enough)
        best = found if found.value > best.value + CLOSED * game.scale else best
    return best


def _silent_bound(game: Game) -> Bound:
    if game.joint_allowed.sum() <= MOST_VARIABLES["two" if game.players <= 2 else "more"]:
        return Bound(no_signalling(game).value, "linear program")
    return Bound(game.max_payoff, "largest payoff")


def _quantum_bounds(game: Game) -> Iterator[Bound]:
    """Upper bounds that can be had, the quickest first; none without the solver, none after one that it gives up."""
    try:
        if is_xor(game):
            yield Bound(xor_value(game).bound, "semidefinite program of XOR games")
            return
        for level in MOST_WORDS if game.players == 2 else ():
            if len(words_of(game, level)) <= MOST_WORDS[level]:
                yield Bound(npa(game, level).bound, f"NPA hierarchy, level {level}")
    except (ModuleNotFoundError, ArithmeticError):
        return
