"""The arms of the studies by name: an algorithm, what differs from its defaults, and how it executes.

Used by `plan` and by the reports. Within a comparison all PPO arms have the same observations, the same joint ratio
and the same clip range; only `mappo-published` has those of the published recipe.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from qcmarl.algos import ALGORITHMS
from qcmarl.config import PPOConfig
from qcmarl.envs.registry import FAMILIES
from qcmarl.hints import did_you_mean
from qcmarl.learner import LearnerConfig

JOINT = {"ratio": "joint", "clip": 0.2}
"""What every PPO arm is compared under."""
ROLLOUT = 3200
"""Environment steps of a PPO rollout, however many environments there are."""
GLOBAL, LOCAL = "global-depolarizing", "depolarizing"
RATES = ("1e-4", "1e-3", "1e-2", "5e-2")
"""Noise per CNOT in the noise study."""


@dataclass(frozen=True)
class Arm:
    """One way to train."""

    name: str
    """In file names and on the command line."""
    title: str
    """In tables and figures."""
    algo: str
    overrides: Mapping[str, Any] = field(default_factory=dict)
    """Settings of the algorithm that differ from its defaults."""
    maps: tuple[str, ...] | None = None
    """The only maps that it fits; None: all."""
    share_of_steps: float = 1.0
    """Of the steps that the other arms train for: less where a step costs far more."""

    @property
    def execution(self) -> str:
        """local, communication or central: what an agent's action may depend on at play."""
        return ALGORITHMS[self.algo].execution

    def resolve(self, env: str) -> LearnerConfig:
        """The algorithm's configuration with nothing left open.

        Args:
            env: family:name.

        Raises:
            ValueError: this version lacks the algorithm or one of the settings, or the arm does not fit the map.
        """
        map_name = env.partition(":")[2]
        if self.maps is not None and map_name not in self.maps:
            raise ValueError(f"arm '{self.name}' is for {', '.join(self.maps)}, not for {map_name}")
        if self.algo not in ALGORITHMS:
            known = ", ".join(ALGORITHMS)
            raise ValueError(f"arm '{self.name}' needs the algorithm '{self.algo}'; the algorithms are {known}")
        kind = ALGORITHMS[self.algo].config
        self._check_settings(kind)
        settings = {**_few_games(kind, env.partition(":")[0]), **self.overrides}
        try:
            return ALGORITHMS[self.algo].resolve(kind(**settings), env)
        except ValueError as error:
            raise ValueError(f"arm '{self.name}': {error}") from None

    def _check_settings(self, kind: type[Any]) -> None:
        known, hints = {f.name for f in dataclasses.fields(kind)}, typing.get_type_hints(kind)
        for name, value in self.overrides.items():
            if name not in known:
                raise ValueError(f"arm '{self.name}' needs the setting '{name}' of {self.algo}, which has none")
            choices = _choices(hints[name])
            if isinstance(value, str) and choices and value not in choices:
                options = ", ".join(map(str, choices))
                raise ValueError(f"arm '{self.name}' needs {name} '{value}' of {self.algo}; there are {options}")


def _few_games(kind: type[Any], family: str) -> dict[str, int]:
    """Fewer environments and longer rollouts where each environment is a game."""
    games = FAMILIES[family].few
    if games is None:
        return {}
    longer = {"rollout_steps": ROLLOUT // games} if issubclass(kind, PPOConfig) else {}
    return {"n_envs": games, **longer}


def _choices(hint: Any) -> list[Any]:
    """The values of a Literal, also of one inside a union; empty where any string may stand."""
    if typing.get_origin(hint) is typing.Literal:
        return list(typing.get_args(hint))
    parts = typing.get_args(hint)
    return [] if str in parts else [value for part in parts for value in _choices(part)]


def noise_arm(readout: str, channel: str, rate: str) -> str:
    """Name of the arm that is trained under noise."""
    return f"qc-{readout}-{'global' if channel == GLOBAL else 'local'}-{rate}"


def _arms() -> list[Arm]:
    def ppo(name: str, title: str, algo: str = "mappo", **overrides: Any) -> Arm:
        return Arm(name, title, algo, {**JOINT, **overrides})

    def qc(name: str, title: str, readout: str = "factored", **overrides: Any) -> Arm:
        return ppo(name, title, "qc-mappo", readout=readout, **overrides)

    published = {
        "ratio": "agent",
        "clip": 0.05,
        "epochs": 15,
        "minibatches": 1,
        "n_envs": 8,
        "rollout_steps": 400,
        "grad_clip": 10.0,
        "target_kl": float("inf"),
        "recurrent": True,
        "critic": "agent",
    }
    return [
        ppo("mappo", "MAPPO"),
        ppo("ippo", "IPPO", "ippo"),
        ppo("attention-mappo", "Attention-MAPPO", "attention-mappo"),
        ppo("g2anet", "G2ANet", "g2anet"),
        ppo("tarmac", "TarMAC", "tarmac"),
        Arm("qmix", "QMIX", "qmix"),
        Arm("vdn", "VDN", "vdn"),
        qc("qc-factored", "QC-MAPPO, factored"),
        qc("qc-outcome", "QC-MAPPO, outcome", "outcome"),
        dataclasses.replace(qc("qc-register", "QC-MAPPO, register", "register"), maps=("3m",)),
        qc("linear", "linear layer for the circuit", circuit="linear"),
        qc("no-circuit", "embedding measured as it is", circuit="none"),
        qc("no-cnot", "circuit without CNOTs", circuit="no-cnot"),
        qc("frozen", "frozen random circuit", circuit="frozen"),
        qc("orthogonal", "orthogonal matrix for the circuit", circuit="orthogonal"),
        qc("mlp", "MLP of equal size", circuit="mlp"),
        qc("mixture", "shared-randomness mixture", "outcome", circuit="linear"),
        ppo("autoregressive", "autoregressive MAPPO", "autoregressive-mappo"),
        qc("depth-0", "QC-MAPPO, 0 layers", layers=0),
        qc("depth-1", "QC-MAPPO, 1 layer", layers=1),
        qc("depth-2", "QC-MAPPO, 2 layers", layers=2),
        qc("depth-8", "QC-MAPPO, 8 layers", layers=8),
        ppo("mappo-weight-decay", "MAPPO, weight decay 0.1", weight_decay=0.1),
        ppo("mappo-dropout", "MAPPO, dropout 0.1", dropout=0.1),
        ppo("mappo-input-noise", "MAPPO, input noise 0.1", input_noise=0.1),
        qc("qc-shots", "QC-MAPPO, 1024 shots", shots=1024),
        Arm("mappo-published", "MAPPO, published recipe", "mappo", published),
        *_noise_arms(),
    ]


def _noise_arms() -> list[Arm]:
    """QC-MAPPO trained under noise; local noise costs a density matrix per sample, so it gets a tenth of the steps."""
    arms = []
    for readout in ("factored", "outcome"):
        for channel, kind, share in ((GLOBAL, "global", 1.0), (LOCAL, "local", 0.1)):
            for rate in ("0", *RATES) if channel == LOCAL else RATES:
                noise = None if rate == "0" else f"{channel}:{rate}"
                overrides = {**JOINT, "readout": readout, "noise": noise}
                title = f"QC-MAPPO, {readout}, trained under {kind} noise {rate}"
                arms.append(Arm(noise_arm(readout, channel, rate), title, "qc-mappo", overrides, None, share))
    return arms


ARMS = {arm.name: arm for arm in _arms()}


def arm_named(name: str) -> Arm:
    """The arm; raises ValueError that names the nearest."""
    if name in ARMS:
        return ARMS[name]
    raise ValueError(f"unknown arm '{name}'{did_you_mean(name, ARMS)}; the arms are {', '.join(ARMS)}")
