"""What a recording's step shows: units between two frames, who aims at whom, who is hit. Called by `paint`.

The page reads the same things in its own language (assets/model.js); a test compares the two.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from qcmarl.watch.recording import Episode, Frame, Recording, UnitKind

FIRST_TARGET = 6
"""Number of the first action that has a target."""


class Line(NamedTuple):
    """An arrow from one unit to another."""

    start: int
    end: int
    verb: str
    """"attack" or "heal"; "aim": the enemy's own target; "guess": an enemy whose target is not recorded fired, and this
    is the nearest ally that was hit."""


class Shown(NamedTuple):
    """A unit at some moment between two frames."""

    x: float
    y: float
    hp: float
    shield: float
    alive: bool


class Box(NamedTuple):
    """A part of the map, cells."""

    left: float
    bottom: float
    right: float
    top: float


class Scene:
    """One battle of a recording.

    Args:
        recording: it is in.
        number: of the battle, from 0.
    """

    def __init__(self, recording: Recording, number: int) -> None:
        self.recording, self.episode = recording, recording["episodes"][number]
        self.agents = recording["n_agents"]
        self.units = range(self.agents + recording["n_enemies"])
        self._column = {name: i for i, name in enumerate(recording["fields"])}

    def get(self, frame: Frame, unit: int, name: str) -> float:
        """A number of a unit's row."""
        return frame["units"][unit][self._column[name]]

    def kind(self, unit: int) -> UnitKind:
        """The type of a unit."""
        return self.recording["kinds"][int(self.get(self.episode["frames"][0], unit, "type"))]

    def full(self, unit: int, name: str) -> float:
        """What a unit has at most: what it begins with."""
        return self.get(self.episode["frames"][0], unit, name)

    def health(self, frame: Frame, unit: int) -> float:
        """Hp and shield."""
        return self.get(frame, unit, "hp") + self.get(frame, unit, "shield")

    def is_hit(self, step: int, unit: int) -> bool:
        """Does the unit lose health in this step?"""
        frames = self.episode["frames"]
        return step + 1 < len(frames) and self.health(frames[step + 1], unit) < self.health(frames[step], unit)

    def has_fired(self, step: int, unit: int) -> bool:
        """Is the unit's cooldown longer after this step than before?"""
        frames = self.episode["frames"]
        return step + 1 < len(frames) and self.get(frames[step + 1], unit, "cooldown") > self.get(
            frames[step], unit, "cooldown"
        )

    def lines(self, step: int) -> list[Line]:
        """Orders of the allies in this step, then what the enemies aim at."""
        frame = self.episode["frames"][step]
        if frame["actions"] is None:
            return []
        found = []
        for agent, action in enumerate(frame["actions"]):
            slot = action - FIRST_TARGET
            if slot >= 0 and self.kind(agent)["heals"]:
                found.append(Line(agent, slot, "heal"))
            elif slot >= 0:
                found.append(Line(agent, self.agents + slot, "attack"))
        return found + (self._aims(step) if "target" in self._column else self._guesses(step))

    def _aims(self, step: int) -> list[Line]:
        """Who the enemies shoot at or heal as the step begins or, where that is nobody, as it ends."""
        found, (now, later) = [], self.episode["frames"][step : step + 2]
        for enemy in self.units[self.agents :]:
            ends = [int(self.get(frame, enemy, "target")) for frame in (now, later) if self.get(frame, enemy, "alive")]
            end = next((end for end in ends if end >= 0 and self.get(now, end, "alive")), None)
            if end is not None:
                found.append(Line(enemy, end, "heal" if self.kind(enemy)["heals"] else "aim"))
        return found

    def _guesses(self, step: int) -> list[Line]:
        """Who the enemies that fired may have shot at."""
        frame = self.episode["frames"][step]
        hit = [ally for ally in self.units[: self.agents] if self.is_hit(step, ally)]
        fired = [enemy for enemy in self.units[self.agents :] if hit and self.has_fired(step, enemy)]
        return [Line(enemy, min(hit, key=lambda ally: self._distance(frame, enemy, ally)), "guess") for enemy in fired]

    def _distance(self, frame: Frame, a: int, b: int) -> float:
        return math.dist(*((self.get(frame, unit, "x"), self.get(frame, unit, "y")) for unit in (a, b)))

    def shown(self, step: int, share: float, unit: int) -> Shown:
        """A unit `share` of the way from one frame to the next; who dies in between stays where it stood."""
        frames = self.episode["frames"]
        now, later = frames[step], frames[min(step + 1, len(frames) - 1)]

        def mixed(name: str, moving: bool = True) -> float:
            here = self.get(now, unit, name)
            return here + share * (self.get(later, unit, name) - here) * moving

        lives = bool(self.get(later, unit, "alive"))
        alive = bool(self.get(now, unit, "alive"))
        return Shown(mixed("x", lives), mixed("y", lives), mixed("hp"), mixed("shield"), alive)


def fight_box(recording: Recording, margin: float) -> Box:
    """Everywhere that living units stand in any of the battles, and `margin` cells around."""
    x, y, alive = (recording["fields"].index(name) for name in ("x", "y", "alive"))
    places = [(row[x], row[y]) for e in recording["episodes"] for row in _living(e, alive)]
    xs, ys = zip(*places, strict=True)
    return Box(min(xs) - margin, min(ys) - margin, max(xs) + margin, max(ys) + margin)


def _living(episode: Episode, alive: int) -> list[list[float]]:
    return [row for frame in episode["frames"] for row in frame["units"] if row[alive]]
