"""The tables of skirmish battles: kinds of units, maps, and SMAC's oddities; a new map is a few lines of these.

Called by `qcmarl.envs.skirmish` and by users. Lengths are in cells, times in game loops (16 to a second, 8 to an
environment step), y grows northwards on a square of 32 x 32 cells.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

from qcmarl import _skirmish

_Table = TypeVar("_Table", "Group", "UnitKind", "SkirmishMap")

CELLS = 32
"""The side of a map."""
HALL: tuple[str, ...] = tuple(("." if 8 <= y < 24 else "#") * CELLS for y in reversed(range(CELLS)))
"""The ground of most of SMAC's maps: the rows y = 8..23 are open."""
FIELD: tuple[str, ...] = ("." * CELLS,) * CELLS
"""Open everywhere."""


@dataclass(frozen=True)
class UnitKind:
    """One kind of unit. `unit("marine")` gives the library's; `dataclasses.replace` makes another of it."""

    name: str
    hp: float
    shield: float = 0.0
    """Falls before hp, unarmoured; comes back by 2 a second after 10 seconds without damage."""
    armour: float = 0.0
    """Off every hit on hp; half a point goes through at least."""
    hp_regeneration: float = 0.0
    """hp per loop."""
    damage: float = 0.0
    """Per hit."""
    bonus: float = 0.0
    """Added against bodies with an attribute of `bonus_against`."""
    bonus_against: tuple[str, ...] = ()
    hits: int = 1
    """Per shot, 1 or 2."""
    hit_gap: float = 0.0
    """Loops between the hits of a shot."""
    period: float = 16.0
    """Loops between the starts of two shots, before the random delay from [-1, 2)."""
    damage_point: float = 0.0
    """Loops from the start of a shot to its damage."""
    range: float = 0.0
    """Reach, edge to edge."""
    slop: float = 1.0
    """A shot under way may be finished this much beyond the range."""
    hold: float = 0.0
    """Between shots, one who is engaged stands and shoots this much beyond the range; 0: it closes in."""
    scan: float = 5.0
    """How far enemies look for somebody to shoot at, edge to edge."""
    blast: float = 0.0
    """The damage falls on all foes within this distance, when the unit dies."""
    sweep: float = 0.0
    """The damage falls on all foes on a line across the target, this long to each side."""
    suicide: bool = False
    """Shoots by dying."""
    ground_only: bool = False
    """Cannot hit the air layer."""
    heal: float = 0.0
    """hp per loop given to a biological friend, instead of a weapon."""
    energy: float = 0.0
    """At the start."""
    energy_max: float = 0.0
    energy_regeneration: float = 0.0
    """Per loop."""
    energy_per_hp: float = 0.0
    """What healing costs."""
    speed: float = 0.0
    """Cells per loop, at most 1."""
    radius: float = 0.5
    """Of the body, where ranges begin and end."""
    separation: float = 0.5
    """Of the body, for collisions and walls."""
    layer: str = "ground"
    """"ground"; "stilts" (crosses cliffs) or "air" (minds no terrain). Bodies collide within a layer only."""
    attributes: tuple[str, ...] = ()
    """Some of "light", "armoured", "biological"."""
    cooldown_scale: float = 15.0
    """What the state divides the cooldown (of healers the energy) by."""


@dataclass(frozen=True)
class Group:
    """`count` units of a kind that start around one point."""

    kind: str
    count: int
    at: tuple[float, float]


@dataclass(frozen=True)
class Oddities:
    """Peculiarities of SMAC, reproduced by default; False turns one off."""

    absolute_reward: bool = True
    """The reward is a magnitude, so that what enemies regain in a step beyond what they lose, by shields that come
    back, healing or regeneration, counts as a gain. Off: it counts as a loss."""
    heal_flags: bool = True
    """A healer's "attackable" flag about enemy i tells whether it may heal ally i. Off: it is 0."""
    swapped_type_bits: bool = True
    """Where only stalkers and zealots fight, the two type bits of enemies are swapped. Off: as those of allies."""
    ground_masks: bool = True
    """Walks of those who fly or cross cliffs are masked by the ground too. Off: by where they can be."""
    truncated_edge: bool = True
    """A coordinate in (-1, 0) belongs to cell 0. Off: it is outside the map."""
    lone_healers_decide: bool = True
    """Allies of whom only healers are left have lost, and so have enemies down to one healer. Off: only the dead
    have."""


@dataclass(frozen=True)
class SkirmishMap:
    """A map. `builtin_map("3m")` gives one of SMAC's; `dataclasses.replace` makes another of it.

    >>> duel = SkirmishMap("duel", (Group("stalker", 1, (9, 16)),), (Group("zealot", 2, (23, 16)),), limit=100)
    >>> duel.terrain[0], duel.terrain[16]
    ('################################', '................................')
    """

    name: str
    allies: tuple[Group, ...]
    """The agents; their ids go by name of kind, then x, then y at the start."""
    enemies: tuple[Group, ...]
    limit: int
    """Steps of an episode."""
    march: str = "point"
    """What the enemies do while they see nobody: attack-move to a "point", "hunt" the nearest ally, or "stay"."""
    goal: tuple[float, float] | tuple[tuple[float, float], tuple[float, float]] | None = None
    """The point, or two between which it is drawn anew in each episode; None: where the first allies start."""
    terrain: tuple[str, ...] = HALL
    """32 rows of 32 letters, the northernmost first: "." open, "#" blocked, "^" a cliff that only stilts cross."""
    units: tuple[UnitKind, ...] = ()
    """Kinds of this map's own; they come on top of the library's or replace those of their name."""

    def __post_init__(self) -> None:
        for field in ("allies", "enemies", "terrain", "units"):
            object.__setattr__(self, field, tuple(getattr(self, field)))

    def native(self, oddities: Oddities | None = None) -> _skirmish.Map:
        """Check the map and give the library's own form of it.

        Raises:
            ValueError: for a map that cannot be played; TypeError for a field of a wrong kind.
        """
        return _skirmish.Map(
            {
                "name": _checked(self.name, str, "name"),
                "allies": [_group(group, "allies") for group in self.allies],
                "enemies": [_group(group, "enemies") for group in self.enemies],
                "limit": _checked(self.limit, int, "limit"),
                "march": _checked(self.march, str, "march"),
                "goal": self._goal(),
                "terrain": [_checked(row, str, "terrain row") for row in self.terrain],
                "units": [_kind(kind) for kind in self.units],
                "oddities": dataclasses.asdict(_checked(oddities or Oddities(), Oddities, "oddities")),
            }
        )

    def _goal(self) -> tuple[tuple[float, float], tuple[float, float]]:
        if self.goal is None:
            here = _point(self.allies[0].at, "allies: at") if self.allies else (16.0, 16.0)
            return here, here
        if isinstance(self.goal, tuple) and len(self.goal) == 2 and all(isinstance(end, tuple) for end in self.goal):
            return _point(self.goal[0], "goal"), _point(self.goal[1], "goal")
        here = _point(self.goal, "goal")
        return here, here


def unit(name: str) -> UnitKind:
    """Give one of the library's kinds of unit.

    Raises:
        ValueError: for an unknown name, with the options.

    >>> unit("marine").hp
    45.0
    """
    return UnitKind(**_skirmish.unit_type(_checked(name, str, "a unit kind's name")))


def builtin_map(name: str) -> SkirmishMap:
    """Give one of SMAC's maps as a table.

    Raises:
        ValueError: for an unknown name, with the options.

    >>> len(builtin_map("corridor").enemies)
    1
    """
    table = dict(_skirmish.map_table(_checked(name, str, "a map's name")))
    table.pop("oddities")
    for side in ("allies", "enemies"):
        table[side] = tuple(Group(*row) for row in table[side])
    if table["goal"][0] == table["goal"][1]:
        table["goal"] = table["goal"][0]
    return SkirmishMap(**table)


def load_map(path: str | Path) -> SkirmishMap:
    """Read a map from a TOML file, whose keys are the fields of `SkirmishMap`, `Group` and `UnitKind`.

    A table of `units` may name one of the library's kinds as `like` and say only what differs; `terrain` may be one
    string of 32 lines.

    Raises:
        OSError: where the file cannot be read; ValueError for what is no TOML, or no map.
    """
    if sys.version_info < (3, 11):
        raise RuntimeError("maps in TOML need Python 3.11 or later; a SkirmishMap in Python does without")
    import tomllib

    try:
        table = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path} is no TOML: {error}") from None
    try:
        return map_from_table({"name": Path(path).stem, **table})
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path}: {error}") from None


def map_from_table(table: Mapping[str, Any]) -> SkirmishMap:
    """Give the map of a table as TOML and JSON have it, `dataclasses.asdict` of a `SkirmishMap` too: lists for tuples.

    Raises:
        ValueError: for what is no map; TypeError for a field of a wrong kind.

    >>> import dataclasses
    >>> map_from_table(dataclasses.asdict(builtin_map("3m"))) == builtin_map("3m")
    True
    """
    table = dict(table)
    for side in ("allies", "enemies"):
        table[side] = tuple(_from_keys(Group, row, side) for row in _tables(table.get(side, []), side))
    table["units"] = tuple(_unit_from_table(row) for row in _tables(table.get("units", []), "units"))
    if isinstance(table.get("terrain"), str):
        table["terrain"] = tuple(table["terrain"].split())
    return _from_keys(SkirmishMap, table, "map")


def _unit_from_table(row: Mapping[str, Any]) -> UnitKind:
    own = {key: value for key, value in row.items() if key != "like"}
    like = dataclasses.asdict(unit(row["like"])) if "like" in row else {}
    return _from_keys(UnitKind, {**like, **own}, "units")


def _tables(rows: Any, what: str) -> list[dict[str, Any]]:
    if not isinstance(rows, (list, tuple)) or not all(isinstance(row, dict) for row in rows):
        raise TypeError(f"{what} must be tables, written [[{what}]]")
    return list(rows)


def _nested_tuple(value: Any) -> Any:
    return tuple(_nested_tuple(item) for item in value) if isinstance(value, list) else value


def _from_keys(kind: type[_Table], row: Mapping[str, Any], what: str) -> _Table:
    fields = {field.name: field for field in dataclasses.fields(kind)}
    unknown = sorted(set(row) - set(fields))
    if unknown:
        raise ValueError(f"{what}: unknown key '{unknown[0]}'; the keys are {', '.join(fields)}")
    missing = [name for name, field in fields.items() if field.default is dataclasses.MISSING and name not in row]
    if missing:
        raise ValueError(f"{what}: '{missing[0]}' is missing")
    return kind(**{name: _nested_tuple(value) for name, value in row.items()})


def _checked(value: Any, kind: type[Any], what: str) -> Any:
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise TypeError(f"{what} must be {kind.__name__}, not {value!r}")
    return value


def _number(value: Any, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{what} must be a number, not {value!r}")
    return float(value)


def _point(value: Any, what: str) -> tuple[float, float]:
    if isinstance(value, str) or not isinstance(value, Iterable) or len(pair := tuple(value)) != 2:
        raise TypeError(f"{what} must be a pair (x, y), not {value!r}")
    return _number(pair[0], what), _number(pair[1], what)


def _group(group: Any, side: str) -> tuple[str, int, tuple[float, float]]:
    _checked(group, Group, side)
    kind = _checked(group.kind, str, f"{side}: kind")
    return kind, _checked(group.count, int, f"{side}: count"), _point(group.at, f"{side}: at")


def _kind(kind: Any) -> dict[str, Any]:
    _checked(kind, UnitKind, "units")
    fields: dict[str, Any] = {}
    for name, hint in get_type_hints(UnitKind).items():
        value, what = getattr(kind, name), f"unit kind {kind.name!r}: {name}"
        if hint is float:
            fields[name] = _number(value, what)
        elif get_args(hint):
            fields[name] = [_checked(item, str, what) for item in _checked(tuple(value), tuple, what)]
        else:
            fields[name] = _checked(value, hint, what)
    return fields
