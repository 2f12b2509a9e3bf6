"""The ground of a map as recordings write it. Called by `play`."""

from __future__ import annotations

from qcmarl.envs import VecSkirmish


def rows(env: VecSkirmish) -> list[str]:
    """The cells, a string per row, y = 0 first: "." open, "#" blocked, "^" a cliff that only some cross."""
    return list(reversed(env.map.terrain))
