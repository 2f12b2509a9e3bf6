"""The algorithms, one file each; `ALGORITHMS` is all that the rest of the package knows of them."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any, Literal, NamedTuple

from qcmarl.algos import (
    attention_mappo,
    autoregressive,
    entangled_mappo,
    g2anet,
    ippo,
    mappo,
    qc_mappo,
    qmix,
    tarmac,
    vdn,
)
from qcmarl.buffer import Sizes
from qcmarl.learner import Learner, LearnerConfig
from qcmarl.policies import Policy

Execution = Literal["local", "communication", "central"]
"""What an agent's action may depend on at play: its own observations; messages of the others too; or whatever anybody
sees."""
Play = Literal["sampled", "greedy"]
"""Actions drawn from the law, or its most probable ones."""


class Algorithm(NamedTuple):
    """How to configure and build one algorithm."""

    execution: Execution
    config: type[Any]
    """A frozen dataclass, a `LearnerConfig`."""
    resolve: Callable[[Any, str], LearnerConfig]
    """(config, environment's name) to a configuration with nothing left open; raises ValueError."""
    build_policy: Callable[[Any, Sizes], Policy]
    build: Callable[..., Learner]
    """(config, environments, seed, threads, device) to a learner at step 0."""
    deployed: Play = "sampled"
    """How one would play what was learned: a law that holds exploration besides is played greedily."""


def _algorithm(execution: Execution, module: ModuleType, name: str, deployed: Play = "sampled") -> Algorithm:
    """The algorithm of a file, whose learner is called `name` and its configuration `nameConfig`."""
    learner, config = getattr(module, name), getattr(module, f"{name}Config")
    return Algorithm(execution, config, module.resolve, module.build_policy, learner, deployed)


ALGORITHMS = {
    "mappo": _algorithm("local", mappo, "MAPPO"),
    "ippo": _algorithm("local", ippo, "IPPO"),
    "attention-mappo": _algorithm("central", attention_mappo, "AttentionMAPPO"),
    "g2anet": _algorithm("communication", g2anet, "G2ANet"),
    "tarmac": _algorithm("communication", tarmac, "TarMAC"),
    "qmix": _algorithm("local", qmix, "QMIX", "greedy"),
    "vdn": _algorithm("local", vdn, "VDN", "greedy"),
    "qc-mappo": _algorithm("central", qc_mappo, "QCMAPPO"),
    "entangled-mappo": _algorithm("local", entangled_mappo, "EntangledMAPPO"),
    "autoregressive-mappo": _algorithm("central", autoregressive, "AutoregressiveMAPPO"),
}
