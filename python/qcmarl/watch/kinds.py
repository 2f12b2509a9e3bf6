"""What is drawn of each type of unit. Called by `play`; a type that is not listed here is drawn too."""

from __future__ import annotations

from collections.abc import Sequence

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


def describe(names: Sequence[str], present: Sequence[str]) -> list[UnitKind]:
    """All types, indexed as `names`; the marks tell those of `present` apart."""
    letters = marks(present)
    return [
        UnitKind(
            name=name,
            mark=letters.get(name, name[:2].title()),
            radius=RADII.get(name.lower().replace(" ", "_"), USUAL_RADIUS),
            heals=name.lower() in HEALERS,
        )
        for name in names
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
