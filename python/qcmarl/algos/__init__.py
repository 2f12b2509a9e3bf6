"""The algorithms, one file each; `ALGORITHMS` is all that the rest of the package knows of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

from qcmarl.algos import attention_mappo, g2anet, mappo, qc_mappo, tarmac
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
    "attention-mappo": Algorithm(
        "central",
        attention_mappo.AttentionMAPPOConfig,
        attention_mappo.resolve,
        attention_mappo.build_policy,
        attention_mappo.AttentionMAPPO,
    ),
    "g2anet": Algorithm("communication", g2anet.G2ANetConfig, g2anet.resolve, g2anet.build_policy, g2anet.G2ANet),
    "tarmac": Algorithm("communication", tarmac.TarMACConfig, tarmac.resolve, tarmac.build_policy, tarmac.TarMAC),
    "qc-mappo": Algorithm("central", qc_mappo.QCMAPPOConfig, qc_mappo.resolve, qc_mappo.build_policy, qc_mappo.QCMAPPO),
}
