"""What is drawn of each type of unit. Called by `play`; a type that is not listed here is drawn too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from qcmarl.envs import VecSkirmish
from qcmarl.envs.skirmish import UNIT_TYPES
from qcmarl.watch.recording import UnitKind

RADII = {
    "marine": 0.375,
    "marauder": 0.5625,
    "medivac": 0.75,
    "stalker": 0.625,
    "zealot": 0.5,
    "colossus": 1.0,
    "zergling": 0.375,
    "baneling": 0.375,
    "hydralisk": 0.625,
    "spine_crawler": 0.875,
}
"""Of bodies, cells; StarCraft II's base campaign data (Wings of Liberty)."""
USUAL_RADIUS = 0.5
"""Of a type that is not listed."""
HEALERS = ("medivac",)


def describe(env: VecSkirmish) -> list[UnitKind]:
    """All types of an environment, indexed as its unit tables do; the marks tell those apart that are there.

    An environment with `unit_kinds` is asked for names, radii and healers, any other for names alone.
    """
    told = getattr(env, "unit_kinds", None) or [_usual(name) for name in UNIT_TYPES]
    present = dict.fromkeys(told[kind].name for kind in env.units(0)["type"])
    letters = marks(list(present))
    return [
        UnitKind(
            name=kind.name,
            mark=letters.get(kind.name, kind.name[:2].title()),
            radius=round(float(kind.radius), 4),
            heals=kind.heal > 0,
        )
        for kind in told
    ]


class _Kind(NamedTuple):
    name: str
    radius: float
    heal: float


def _usual(name: str) -> _Kind:
    return _Kind(name, RADII.get(name, USUAL_RADIUS), float(name in HEALERS))


def marks(names: Sequence[str]) -> dict[str, str]:
    """One letter each, or two where several types begin alike.

    >>> marks(["zealot", "stalker"])
    {'zealot': 'Z', 'stalker': 'S'}
    >>> marks(["marauder", "marine", "medivac"])
    {'marauder': 'Ma', 'marine': 'Mr', 'medivac': 'Me'}
    """
    found: dict[str, str] = {}
    for name in names:
        first = name[0].upper()
        alike = [other for other in names if other[0].upper() == first]
        options = [first] if len(alike) == 1 else [first + letter for letter in name[1:].lower() if letter.isalnum()]
        found[name] = next((mark for mark in options if mark not in found.values()), name.title())
    return found
