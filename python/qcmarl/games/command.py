"""`qcmarl game`: what a game is worth, as a table. Called by `cli`."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass

import tyro
from rich.console import Console
from rich.table import Table

from qcmarl.games.game import Game
from qcmarl.games.library import FILLINGS, make
from qcmarl.games.values import Summary, summary
from qcmarl.games.values.see_saw import most_starts

LEAST = 0.01
"""Payoff below which six decimals would say little."""


@dataclass(frozen=True)
class GameOptions:
    """What a game is worth to players with shared random bits, with entanglement, and with anything that does not
    signal; and the best strategy with shared random bits."""

    name: tyro.conf.Positional[str]
    """chsh, ghz, magic-square, rendezvous-c5, ..., or a file that ends in .json or .npz."""
    dimension: int = 4
    """Largest dimension of each player's system that is tried (>= 2)."""
    starts: int = 20
    """Random starts of each search for a quantum strategy (>= 1)."""
    seed: int = 0
    """Seed of these starts (>= 0)."""


@dataclass(frozen=True)
class Prepared:
    """A game and how it is looked at; made by `prepare`."""

    game: Game
    options: GameOptions


def prepare(options: GameOptions) -> Prepared:
    """The game that was asked for; raises ValueError or OSError for a user's mistake."""
    for name, least in (("dimension", 2), ("starts", 1), ("seed", 0)):
        if getattr(options, name) < least:
            raise ValueError(f"{name} is {getattr(options, name)}; it must be at least {least}")
    game = make(options.name)
    most_starts(game, 2)
    return Prepared(game, options)


def show(prepared: Prepared) -> None:
    """Computes the values and prints them."""
    console, game, options = Console(highlight=False), prepared.game, prepared.options
    with console.status(f"values of {game.name}"):
        found = summary(game, options.dimension, options.starts, options.seed)
    console.print(_values(game, found))
    console.print(_strategy(game, found, FILLINGS.get(options.name)))
    if importlib.util.find_spec("clarabel") is None:
        console.print("tighter bounds of quantum players need a solver: pip install clarabel")


def _values(game: Game, found: Summary) -> Table:
    what = "probability of winning" if game.is_win_game else "expected payoff"
    table = Table(title=f"{game.name}: {game.players} players, {what}", title_justify="left")
    for column in ("players share", "value", "found by"):
        table.add_column(column, justify="right" if column == "value" else "left")
    local, dimension = found.classical, found.quantum.measurements[0].shape[-1]
    proven = local.bound <= local.value
    table.add_row(
        "random bits" if proven else "random bits, at least", _number(local.value, game.scale), "best strategy"
    )
    if not proven:
        table.add_row("random bits, at most", _number(local.bound, game.scale), "mixed-integer program, cut short")
    needless = found.quantum_value > found.quantum.value
    by = "no entanglement" if needless else f"see-saw, dimension {dimension}"
    table.add_row("entanglement, at least", _number(found.quantum_value, game.scale), by)
    table.add_row("entanglement, at most", _number(found.quantum_bound.value, game.scale), found.quantum_bound.by)
    table.add_row("all that does not signal", _number(found.no_signalling.value, game.scale), found.no_signalling.by)
    return table


def _strategy(game: Game, found: Summary, words: Sequence[Sequence[str]] | None) -> Table:
    """With the words for each player's answers, where those are not numbers."""
    table = Table(title="best answers with shared random bits", title_justify="left")
    table.add_column("question", justify="right")
    for player in range(game.players):
        table.add_column(f"player {player}", justify="right")
    for question in range(max(game.questions)):
        given = [int(a[question]) if question < len(a) else None for a in found.classical.answers]
        cells = [_answer(answer, words[player] if words else None) for player, answer in enumerate(given)]
        table.add_row(str(question), *cells)
    return table


def _answer(answer: int | None, words: Sequence[str] | None) -> str:
    return "" if answer is None else words[answer] if words else str(answer)


def _number(value: float, scale: float) -> str:
    return f"{value:.6f}" if scale >= LEAST else f"{value:.6e}"
