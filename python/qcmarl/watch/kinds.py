"""What is drawn of each type of unit. Called by `play`."""

from __future__ import annotations

from collections.abc import Sequence

from qcmarl.envs import VecSkirmish
from qcmarl.watch.recording import UnitKind


def describe(env: VecSkirmish) -> list[UnitKind]:
    """All types of an environment, indexed as its unit tables do; the marks tell those apart that are there."""
    present = dict.fromkeys(env.unit_kinds[kind].name for kind in env.units(0)["type"])
    letters = marks(list(present))
    return [
        UnitKind(
            name=kind.name,
            mark=letters.get(kind.name, kind.name[:2].title()),
            radius=round(float(kind.radius), 4),
            heals=kind.heal > 0,
        )
        for kind in env.unit_kinds
    ]


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
