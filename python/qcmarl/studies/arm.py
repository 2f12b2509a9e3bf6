"""One way to train: an algorithm, what differs from its defaults, and where it fits. The table of them is `arms`."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from qcmarl.algos import ALGORITHMS, Play
from qcmarl.config import PPOConfig
from qcmarl.envs import registry
from qcmarl.learner import LearnerConfig

JOINT = {"ratio": "joint", "clip": 0.2, "joint_weights": "living", "undo_step": False}
"""What every PPO arm is compared under; the last two are what the stored results were made with, not the defaults."""
ROLLOUT = 3200
"""Environment steps of a PPO rollout, however many environments there are."""


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
    by_env: Mapping[str, Mapping[str, Any]] | None = None
    """Settings by family, and by environment (family:name) where they differ from the family's. It fits no family that
    is not in it; None: it fits all, with the same settings."""

    @property
    def execution(self) -> str:
        """local, communication or central: what an agent's action may depend on at play."""
        return ALGORITHMS[self.algo].execution

    @property
    def deployed(self) -> Play:
        """How one would play what was learned."""
        return ALGORITHMS[self.algo].deployed

    def resolve(self, env: str) -> LearnerConfig:
        """The algorithm's configuration with nothing left open.

        Args:
            env: family:name.

        Raises:
            ValueError: this version lacks the algorithm or one of the settings, or the arm does not fit the map.
        """
        family, map_name = self._place(env)
        if self.maps is not None and map_name not in self.maps:
            raise ValueError(f"arm '{self.name}' is for {', '.join(self.maps)}, not for {map_name}")
        if self.by_env is not None and family not in self.by_env:
            families = ", ".join(name for name in self.by_env if ":" not in name)
            raise ValueError(f"arm '{self.name}' is for {families}, not for {family}")
        if self.algo not in ALGORITHMS:
            known = ", ".join(ALGORITHMS)
            raise ValueError(f"arm '{self.name}' needs the algorithm '{self.algo}'; the algorithms are {known}")
        kind = ALGORITHMS[self.algo].config
        there = self.by_env or {}
        overrides = {**there.get(family, {}), **there.get(env, {}), **self.overrides}
        self._check_settings(kind, overrides)
        settings = {**_few_games(kind, family), **overrides}
        try:
            return ALGORITHMS[self.algo].resolve(kind(**settings), env)
        except ValueError as error:
            raise ValueError(f"arm '{self.name}': {error}") from None

    def _place(self, env: str) -> tuple[str, str]:
        try:
            return registry.resolve(env)
        except ValueError as error:
            raise ValueError(f"arm '{self.name}': {error}") from None

    def _check_settings(self, kind: type[Any], overrides: Mapping[str, Any]) -> None:
        known, hints = {f.name for f in dataclasses.fields(kind)}, typing.get_type_hints(kind)
        for name, value in overrides.items():
            if name not in known:
                raise ValueError(f"arm '{self.name}' needs the setting '{name}' of {self.algo}, which has none")
            choices = _choices(hints[name])
            if isinstance(value, str) and choices and value not in choices:
                options = ", ".join(map(str, choices))
                raise ValueError(f"arm '{self.name}' needs {name} '{value}' of {self.algo}; there are {options}")


def _few_games(kind: type[Any], family: str) -> dict[str, int]:
    """Fewer environments and longer rollouts where each environment is a game."""
    games = registry.FAMILIES[family].few
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
