"""What a study is by default: parts, each some arms trained on some maps. The table of studies is `catalogue`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """Arms that are trained on maps, and what is played with them afterwards."""

    maps: tuple[str, ...]
    """Of the family that is asked for, or in full (family:name), whatever is asked for."""
    seeds: int
    arms: tuple[str, ...]
    smoke_arms: tuple[str, ...]
    smoke_maps: tuple[str, ...] = ("3m",)
    smoke_seeds: int = 2
    plays: tuple[str, ...] = ()
    """Those of the arms that are played under noises once they are trained."""
    noises: tuple[str, ...] = ()
    smoke_noises: tuple[str, ...] = ()
    fixed: bool = False
    """It makes sense with its own maps and arms alone: those that are asked for pick among them."""

    @property
    def families(self) -> tuple[str, ...]:
        """The families that its maps are named with; none where they are of the family that is asked for."""
        return tuple(dict.fromkeys(name.partition(":")[0] for name in self.maps if ":" in name))


@dataclass(frozen=True)
class Study:
    """One study as it runs by default."""

    title: str
    parts: tuple[Part, ...] = ()
