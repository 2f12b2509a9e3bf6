"""What games are worth: to players with shared random bits, with entanglement, with anything that does not signal.

scipy and the solver of semidefinite programs (`pip install clarabel`) are imported when they are needed.
"""

from qcmarl.games.values.classical import Classical, classical
from qcmarl.games.values.npa import NPA, npa
from qcmarl.games.values.polytope import NoSignalling, no_signalling
from qcmarl.games.values.see_saw import see_saw
from qcmarl.games.values.strategies import QuantumStrategy, born, deterministic
from qcmarl.games.values.summary import Summary, summary
from qcmarl.games.values.xor import XorValue, is_xor, xor_value

__all__ = [
    "NPA",
    "Classical",
    "NoSignalling",
    "QuantumStrategy",
    "Summary",
    "XorValue",
    "born",
    "classical",
    "deterministic",
    "is_xor",
    "no_signalling",
    "npa",
    "see_saw",
    "summary",
    "xor_value",
]
