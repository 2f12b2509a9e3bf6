"""The algorithms, one file each; `ALGORITHMS` is all that the rest of the package knows of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from qcmarl.algos import mappo, qc_mappo, qmix, vdn
from qcmarl.buffer import Sizes
from qcmarl.learner import Learner, LearnerConfig
from qcmarl.policies import Policy

Execution = Literal["local", "communication", "central"]
"""What an agent's action may depend on at play: its own observations; messages of the others too; or whatever anybody
sees."""


class Algorithm(NamedTuple):
    """How to configure and build one algorithm."""

    execution: Execution
    config: type[Any]
    """A frozen dataclass, a `LearnerConfig`."""
    resolve: Callable[[Any, str], LearnerConfig]
    """(config, environment's name) to a configuration with nothing left open; raises ValueError."""
    build_policy: Callable[[Any, Sizes], Policy]
    build: Callable[..., Learner]
    """(config, environments, seed, threads) to a learner at step 0."""


ALGORITHMS = {
    "mappo": Algorithm("local", mappo.MAPPOConfig, mappo.resolve, mappo.build_policy, mappo.MAPPO),
    "qc-mappo": Algorithm("central", qc_mappo.QCMAPPOConfig, qc_mappo.resolve, qc_mappo.build_policy, qc_mappo.QCMAPPO),
    "qmix": Algorithm("local", qmix.QMIXConfig, qmix.resolve, qmix.build_policy, qmix.QMIX),
    "vdn": Algorithm("local", vdn.VDNConfig, vdn.resolve, vdn.build_policy, vdn.VDN),
}
