"""Where a run takes place: an environment's name, and the map behind it where the name is a path.

A file can be edited or moved while a run lives, so a run keeps what it was trained on: `rundir` writes it down, and
`run`, `evaluation` and `watch` make their environments from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from qcmarl.envs import registry
from qcmarl.envs.base import VecEnv
from qcmarl.envs.skirmish_maps import SkirmishMap, load_map, map_from_table


@dataclass(frozen=True)
class Place:
    """An environment that does not change when a file does."""

    env: str
    """`family:name`."""
    map: SkirmishMap | None = None
    """What the file said, where the name is a path."""

    def make(self, n_envs: int, n_threads: int = 0) -> VecEnv:
        """Make a batch of it, as `registry.make`."""
        if self.map is None:
            return registry.make(self.env, n_envs, n_threads)
        return registry.FAMILIES[registry.resolve(self.env)[0]].make(self.map, n_envs, n_threads)

    def table(self) -> dict[str, Any] | None:
        """The map as `Place.kept` reads it; None where there is none."""
        return None if self.map is None else asdict(self.map)

    @classmethod
    def kept(cls, env: str, table: Mapping[str, Any]) -> Place:
        """The place of a run that wrote down its map; ValueError or TypeError where that is none."""
        return cls(env, map_from_table(table))

    @classmethod
    def read(cls, env: str) -> Place:
        """The place of this name; OSError, ValueError where its file cannot be read, is no map, or there is no such."""
        path = map_file(env)
        return cls(env, None if path is None else load_map(path))


def map_file(env: str) -> Path | None:
    """The file of an environment that is named by one; None elsewhere.

    >>> map_file("skirmish:maps/mine.toml").name, map_file("skirmish:3m")
    ('mine.toml', None)
    """
    family, name = registry.resolve(env)
    files = registry.FAMILIES[family].files
    return Path(name) if files and name.endswith(files) and name not in registry.FAMILIES[family].names else None


def short_name(env: str) -> str:
    """A name for folders.

    >>> short_name("skirmish:maps/mine.toml"), short_name("game:chsh")
    ('skirmish-mine', 'game-chsh')
    """
    path = map_file(env)
    return env.replace(":", "-") if path is None else f"{env.partition(':')[0]}-{path.stem}"
