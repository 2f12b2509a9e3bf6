"""What all parts of the study's page say alike."""

from __future__ import annotations

from collections.abc import Sequence

from qcmarl.studies.records import Group
from qcmarl.studies.tables import origin

WHAT = "winning probability"
HOW = (
    "Games of one round and queues, played by agents who see their own question only and cannot communicate. "
    "*Entangled*, *shared randomness* and *product state* are one algorithm, `entangled-mappo`, that differs in what "
    "the agents share; *independent agents* are MAPPO; *communication* is Attention-MAPPO, which is told all "
    "questions: an upper bound, not a rival. All have the same entropy bonus on the same schedule. Numbers after "
    "training are exact: computed from the policy's law at every joint question, so that intervals (Student, 95 %) "
    "are over the seeds alone. Greedy: each agent's own choices are its likeliest ones, while what was measured or "
    "drawn in common stays random; as drawn: the law as it was trained."
)


def sources(groups: Sequence[Group]) -> str:
    """Environment, commits and processors behind the numbers."""
    return f"{groups[0].env}; {origin(groups)}."
