"""Laws of joint actions, one file each: made by `policies` and `algos`, used by `rollout`, `evaluate`, `ppo` and
`diagnostics`."""

from qcmarl.laws.chain import ChainLaw
from qcmarl.laws.independent import IndependentLaw
from qcmarl.laws.law import TINY, Correlation, Inputs, JointLaw, Law, entropy, first_available, mean_and_error
from qcmarl.laws.outcome import OutcomeLaw
from qcmarl.laws.register import RegisterLaw
from qcmarl.laws.table import TableLaw

__all__ = [
    "TINY",
    "ChainLaw",
    "Correlation",
    "IndependentLaw",
    "Inputs",
    "JointLaw",
    "Law",
    "OutcomeLaw",
    "RegisterLaw",
    "TableLaw",
    "entropy",
    "first_available",
    "mean_and_error",
]
