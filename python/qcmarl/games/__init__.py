"""Non-local games: tables of questions, answers and payoffs, games by name, and in `values` what they are worth.

NumPy only; what needs scipy or a solver imports it when it is called. `exact` (which needs torch) says what a learned
policy wins.
"""

from qcmarl.games.file import load
from qcmarl.games.game import Game
from qcmarl.games.library import NAMES, make, rendezvous

__all__ = ["NAMES", "Game", "load", "make", "rendezvous"]
