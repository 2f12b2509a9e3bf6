"""Total correlation: the paper's estimator, sound ones, what each says of a policy, and where the first goes wrong.

`run` draws the page; `measure` says everything of one run.
"""

from __future__ import annotations

from qcmarl.studies.correlation.demonstration import run
from qcmarl.studies.correlation.estimators import (
    Counted,
    MonteCarlo,
    Null,
    count,
    entropy,
    exact,
    exact_bits,
    exact_mixture,
    exchangeable_bits,
    from_log_probs,
    miller_madow,
    mixture_joint,
    null_of,
    permutation_null,
    plug_in,
)
from qcmarl.studies.correlation.policies import Measured, measure, measure_policy

__all__ = [
    "Counted",
    "Measured",
    "MonteCarlo",
    "Null",
    "count",
    "entropy",
    "exact",
    "exact_bits",
    "exact_mixture",
    "exchangeable_bits",
    "from_log_probs",
    "measure",
    "measure_policy",
    "miller_madow",
    "mixture_joint",
    "null_of",
    "permutation_null",
    "plug_in",
    "run",
]
