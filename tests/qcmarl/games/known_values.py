"""Games with known values, for the tests of the solvers.

Classical and quantum values of CHSH, of Mermin's parity games and of the magic square are closed forms of the
publications that `qcmarl.games.library` names; the classical values of rendezvous are fractions of equally likely
pairs of starts. Quantum values of rendezvous, reached with systems of dimension D, are written as the numbers that a
see-saw and the hierarchy of Navascues, Pironio and Acin enclose to 1e-6.
"""

from math import cos, pi, sqrt
from typing import NamedTuple

import numpy as np


class Known(NamedTuple):
    classical: float
    quantum: float
    dimension: int = 2


VALUES = {
    "chsh": Known(3 / 4, cos(pi / 8) ** 2),
    "ghz": Known(3 / 4, 1.0),
    "ghz-4": Known(3 / 4, 1.0),
    "ghz-5": Known(5 / 8, 1.0),
    "magic-square": Known(8 / 9, 1.0, dimension=4),
    "rendezvous-k3": Known(5 / 9, 7 / 12),
    "rendezvous-c4": Known(1 / 2, 1 / 2),
    "rendezvous-c5": Known(9 / 25, (13 + sqrt(5)) / 40),
    "rendezvous-c6": Known(10 / 36, 7 / 24),
    "rendezvous-k4": Known(10 / 16, 209 / 324, dimension=3),
    "rendezvous-c4-stay": Known(10 / 16, 209 / 324, dimension=3),
    "rendezvous-c4-stay-distinct": Known(1 / 2, 8 / 15, dimension=3),
    "rendezvous-k3-distinct": Known(1 / 2, 1 / 2),
}


def odd_cycle(n):
    """The odd-cycle game: the first player is asked a vertex of a ring, the second the same or the next; they answer
    alike to the same and differently to neighbours. Classical 1 - 1 / (2 n), quantum cos^2(pi / (4 n)) (Cleve et al.
    2004, arXiv:quant-ph/0404076)."""
    from qcmarl.games import Game

    law = (np.eye(n) + np.roll(np.eye(n), 1, 1)) / (2 * n)
    alike = np.broadcast_to(np.eye(2), (n, n, 2, 2))
    same = np.eye(n, dtype=bool)[..., None, None]
    return Game(f"odd-cycle-{n}", law, np.where(same, alike, 1 - alike))


def random_game(seed, questions, answers):
    """Payoffs within -1..1, a random law, and random masks with at least one answer to each question."""
    from qcmarl.games import Game

    rng = np.random.default_rng(seed)
    law = rng.random(questions)
    allowed = [rng.random(shape) < 0.7 for shape in zip(questions, answers, strict=True)]
    for mask in allowed:
        mask[np.arange(len(mask)), rng.integers(mask.shape[1], size=len(mask))] = True
    return Game("random", law / law.sum(), rng.uniform(-1, 1, (*questions, *answers)), tuple(allowed))
