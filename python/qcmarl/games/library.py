"""Games by name, one function each with its source. Called by `envs.game`, the command `qcmarl game` and users."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from qcmarl.games import graphs
from qcmarl.games.file import ENDINGS, load
from qcmarl.games.game import Bools, Floats, Game
from qcmarl.hints import did_you_mean

MOST_PLAYERS = 10
"""Of a GHZ game: its table has 4^n numbers."""


def chsh() -> Game:
    """CHSH: uniform bits x and y; won where a xor b = x and y. Classical 3/4, quantum cos^2(pi / 8).

    Source: Clauser, Horne, Shimony and Holt 1969, doi:10.1103/PhysRevLett.23.880; as a game: Cleve, Hoyer, Toner and
    Watrous 2004, arXiv:quant-ph/0404076.
    """
    x, y, a, b = np.indices((2, 2, 2, 2))
    return Game.from_table("chsh", (a ^ b) == (x & y))


def ghz(players: int = 3) -> Game:
    """Mermin's parity game for n >= 3 players: bits with an even sum, all such equally likely; won where the answers'
    sum is even if the questions' sum is 0 modulo 4, and odd if it is 2. Classical 1/2 + 2^-ceil(n/2), quantum 1.

    For three players the questions are 000, 011, 101 and 110, and the answers' parity must be that of x or y or z.

    Source: Mermin 1990, doi:10.1103/PhysRevLett.65.1838; this form and the classical value: Brassard, Broadbent and
    Tapp 2004, arXiv:quant-ph/0408052.

    Raises:
        ValueError: fewer than 3 players or more than 10.
    """
    if not 3 <= players <= MOST_PLAYERS:
        raise ValueError(f"ghz has {players} players; it needs 3..{MOST_PLAYERS}")
    asked = np.indices((2,) * players).sum(0)
    even = asked % 2 == 0
    wanted = (asked // 2 % 2).reshape(asked.shape + (1,) * players)
    answered = np.indices((2,) * players).sum(0) % 2
    name = "ghz" if players == 3 else f"ghz-{players}"
    return Game(name, even / even.sum(), (answered == wanted).astype(float))


def magic_square() -> Game:
    """The magic square: the first player fills a row of three bits with an even sum, the second a column with an odd
    sum, both drawn evenly; won where they agree on the common cell. Classical 8/9, quantum 1.

    Each has four answers, the fillings of the right parity in the order of their binary numbers.

    Source: Mermin 1990, doi:10.1103/PhysRevLett.65.3373, and Peres 1990, doi:10.1016/0375-9601(90)90172-K; as a game:
    Aravind 2002, arXiv:quant-ph/0206070.
    """
    rows, columns = (np.array([list(map(int, filling)) for filling in own]) for own in FILLINGS["magic-square"])
    # Of the row's filling a counts the cell in column y, of the column's filling b that in row x.
    agree = rows.T[None, :, :, None] == columns.T[:, None, None, :]
    return Game.from_table("magic-square", agree)


def rendezvous(adjacency: Any, name: str = "rendezvous", stay: bool = False, distinct: bool = False) -> Game:
    """Two players at vertices of a graph that do not see each other move once; won where they meet.

    Questions and answers are vertices. Starts are independent and uniform, or uniform over different ones.

    Args:
        adjacency: (V, V), symmetric, 1 where two vertices are neighbours; the diagonal is not looked at.
        name: of the game.
        stay: a player may also stay where he is.
        distinct: the players start at different vertices.

    Returns:
        the game.

    Raises:
        ValueError: a matrix of another kind, or a vertex that cannot be left.

    Source: Mironowicz 2022, arXiv:2207.14404; Viola and Mironowicz 2023, arXiv:2311.11817.

    >>> rendezvous([[0, 1], [1, 0]], stay=True).answers
    (2, 2)
    """
    neighbours = _neighbours(adjacency)
    vertices = len(neighbours)
    allowed = neighbours | (np.eye(vertices, dtype=bool) & stay)
    if not allowed.any(1).all():
        raise ValueError(f"vertex {int(allowed.any(1).argmin())} has no neighbour to move to; take stay=True")
    law: Floats = np.ones((vertices, vertices)) - (np.eye(vertices) * distinct)
    meet = np.broadcast_to(np.eye(vertices), (vertices,) * 4)
    return Game(name, law / max(law.sum(), 1), meet, (allowed, allowed))


def _neighbours(adjacency: Any) -> Bools:
    matrix = np.asarray(adjacency)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not 2 <= len(matrix) <= graphs.MOST_VERTICES:
        raise ValueError(f"adjacency has shape {matrix.shape}; it is (V, V) with V in 2..{graphs.MOST_VERTICES}")
    if not np.isin(matrix, (0, 1)).all() or (matrix != matrix.T).any():
        raise ValueError("adjacency must be symmetric, of 0 and 1: the graph has no directions and no weights")
    neighbours: Bools = (matrix != 0) & ~np.eye(len(matrix), dtype=bool)
    return neighbours


def _meeting(graph: str, stay: bool, distinct: bool) -> Game:
    name = f"rendezvous-{graph}" + "-stay" * stay + "-distinct" * distinct
    return rendezvous(graphs.named(graph), name, stay, distinct)


FIXED: dict[str, Callable[[], Game]] = {"chsh": chsh, "ghz": ghz, "magic-square": magic_square}
GRAPHS = ("k3", "k4", "c4", "c5", "c6", *graphs.CUBIC)

NAMES = (*FIXED, "ghz-4", "ghz-5", *(f"rendezvous-{graph}" for graph in GRAPHS))
"""Names to choose from. Others of the same form exist: ghz-N for N players; rendezvous-GRAPH for any complete graph kN
and any cycle cN; and behind a graph -stay (a player may stay), -distinct (different starts), or both."""
FILLINGS = {"magic-square": (("000", "011", "101", "110"), ("001", "010", "100", "111"))}
"""Of games whose answers are not numbers: what the answers of each player are."""


def make(name: str) -> Game:
    """A game by its name, or from a file that ends in .json or .npz.

    Args:
        name: of `NAMES` or of their form, such as "chsh", "ghz-6", "rendezvous-c7-stay", or "path/to/mine.json".

    Returns:
        the game.

    Raises:
        ValueError: for an unknown name, with the options and the likeliest meant; a file that holds no game.
        OSError: a file that cannot be read.

    >>> make("rendezvous-c5").questions
    (5, 5)
    """
    if Path(name).suffix:
        return load(name)
    if name in FIXED:
        return FIXED[name]()
    if match := re.fullmatch(r"ghz-(\d{1,3})", name):
        return ghz(int(match[1]))
    if match := re.fullmatch(r"rendezvous-(\w+)((-stay)?(-distinct)?|-distinct-stay)", name):
        return _meeting(match[1], "-stay" in match[2], "-distinct" in match[2])
    raise ValueError(f"unknown game '{name}'; {_options(name)}")


def _options(name: str) -> str:
    variants = [n + tail for n in NAMES if n.startswith("rendezvous") for tail in ("-stay", "-distinct")]
    hint = did_you_mean(name.lower(), (*NAMES, *variants), quote="'")
    return (
        f"games: {', '.join(NAMES)}; also ghz-N, rendezvous-kN and -cN, and rendezvous-GRAPH-stay and -distinct; "
        f"or a file of your own that ends in {' or '.join(ENDINGS)}{hint}"
    )
