"""The algorithms, one file each; `ALGORITHMS` is all that the rest of the package knows of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from qcmarl.algos import mappo, qc_mappo
from qcmarl.buffer import Sizes
from qcmarl.config import PPOConfig
from qcmarl.policies import Policy
from qcmarl.ppo import PPO


class Algorithm(NamedTuple):
    """How to configure and build one algorithm."""

    config: type[PPOConfig]
    resolve: Callable[[Any, str], PPOConfig]
    """(config, environment's name) to a configuration with nothing left open; raises ValueError."""
    build_policy: Callable[[Any, Sizes], Policy]
    build: Callable[..., PPO]
    """(config, environments, seed) to a learner at step 0."""


ALGORITHMS = {
    "mappo": Algorithm(mappo.MAPPOConfig, mappo.resolve, mappo.build_policy, mappo.MAPPO),
    "qc-mappo": Algorithm(qc_mappo.QCMAPPOConfig, qc_mappo.resolve, qc_mappo.build_policy, qc_mappo.QCMAPPO),
}
