"""CHSH under noise, in the study's page: where the advantage ends, played and trained."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from qcmarl.studies import pages, statistics
from qcmarl.studies.entanglement import drawing, tables, theory
from qcmarl.studies.entanglement.arms import ENTANGLED, RATES, VISIBILITIES, noisy
from qcmarl.studies.entanglement.crossing import Crossing, crossing, departure, over_seeds
from qcmarl.studies.entanglement.parts import CHSH
from qcmarl.studies.entanglement.words import WHAT, sources
from qcmarl.studies.records import GREEDY, Group, played
from qcmarl.studies.tables import estimate

if TYPE_CHECKING:
    from qcmarl.studies.reports import Report

Curve = Mapping[float, float]
"""Winning probability of one seed by rate of noise."""
Find = Callable[[drawing.Array, drawing.Array, float], float]
"""Of visibilities from the best on, winning probabilities there, and a level: where it is met."""


@dataclass(frozen=True)
class Kind:
    """One kind of noise."""

    channel: str
    """As the settings name it."""
    title: str
    label: str
    """Of the axis."""
    law: Callable[[float], float]
    """What theory allows, by rate."""
    critical: float
    """Rate at which the advantage ends, by theory."""
    clean: float
    """Rate at which there is no noise."""
    limits: tuple[float, float]
    """Rates that are drawn."""
    trained: tuple[str, ...]
    """Rates that are trained under."""
    visibility: Callable[[float], float]
    """Of the state that the measurements meet, by rate: winning probabilities are linear in it."""
    rate: Callable[[float], float]
    """Its inverse."""

    def rate_of(self, noise: str) -> float | None:
        """The rate in a setting; None where it is of another kind."""
        channel, _, rate = noise.partition(":")
        return self.clean if noise == "none" else float(rate) if channel == self.channel else None

    def place(self, curve: Curve, find: Find) -> float:
        """The rate at which a curve meets the classical value; NaN where it does not."""
        rates = sorted(curve, key=self.visibility, reverse=True)
        x, y = ([f(rate) for rate in rates] for f in (self.visibility, curve.__getitem__))
        return self.rate(find(np.array(x), np.array(y), theory.CLASSICAL))


KINDS = (
    Kind(
        "visibility",
        "visibility of the state",
        "visibility v of v |Φ+⟩⟨Φ+| + (1 − v) I/4",
        theory.under_visibility,
        theory.CRITICAL_VISIBILITY,
        1.0,
        (0.5, 1.0),
        VISIBILITIES,
        lambda v: v,
        lambda v: v,
    ),
    Kind(
        "depolarizing",
        "local depolarizing before measurement",
        "rate e of each agent's part",
        theory.under_depolarizing,
        theory.CRITICAL_RATE,
        0.0,
        (0.0, 0.3),
        RATES,
        lambda e: (1 - e) ** 2,
        lambda v: 1 - math.sqrt(max(v, 0.0)),
    ),
)
MEANS = (
    "Theory: no policy wins more than max(3/4, 1/2 + v √2 / 4), which leaves the classical 3/4 at v = 1/√2; local "
    "depolarizing of both parts is a visibility of (1 − e)². *Played*: policies that were trained without noise meet "
    "it; the place where they cross 3/4 is found seed by seed, by interpolation that is linear in the visibility, as "
    "their winning probability is. *Trained*: trained and played under it; the place is where the line through a "
    "seed's values above 3/4, over the visibility, comes down to it. Beyond it the best is to measure nothing and to "
    "win 3/4; what was learned there is in the table."
)


def noise(report: Report, study: str) -> list[str]:
    """Figure, crossings and tables."""
    arms = {arm: group for arm, group in report.groups.get(CHSH, {}).items() if arm in report.choice.arms_of(study)}
    runs = played(report.results, CHSH, ENTANGLED)
    panels, places = [], {}
    for kind in KINDS:
        lines = []
        curves = [_played(run, kind) for run in runs]
        if curves:
            lines.append(_line("trained without noise, played under it", curves, True))
            places[f"{kind.title}, played"] = _place(curves, kind, crossing)
        curves = _trained(arms, kind)
        if curves and len(curves[0]) > 1:
            lines.append(_line("trained under it", curves, False))
            places[f"{kind.title}, trained"] = _place(curves, kind, departure)
        if lines:
            panels.append(drawing.NoisePanel(kind.title, kind.label, kind.law, kind.critical, kind.limits, lines))
    if not panels:
        return []
    figure = report.figure(f"{study}-noise", drawing.over_noise(panels, WHAT), "CHSH over noise")
    blocks = ["## Noise on CHSH", MEANS, figure, *map(_said, places, places.values())]
    blocks += [pages.table(*tables.crossings(places)), sources(list(arms.values()))]
    return blocks + [block for panel in panels for block in (f"### Over {panel.title}", _table(panel))]


def _played(run: Mapping[str, Any], kind: Kind) -> Curve:
    rates = {name: kind.rate_of(name) for name in run["final"]}
    return {rate: run["final"][name][GREEDY] for name, rate in rates.items() if rate is not None}


def _trained(arms: Mapping[str, Group], kind: Kind) -> list[Curve]:
    """Of the seeds that were trained under all the rates that any was, in order."""
    names = {kind.clean: ENTANGLED, **{float(rate): noisy(kind.channel, rate) for rate in kind.trained}}
    groups = {rate: arms[name] for rate, name in names.items() if name in arms}
    if not groups.keys() - {kind.clean}:
        return []
    seeds = min(group.seeds for group in groups.values())
    finals = {rate: group.final(GREEDY) for rate, group in groups.items()}
    return [{rate: float(values[i]) for rate, values in finals.items() if values is not None} for i in range(seeds)]


def _place(curves: Sequence[Curve], kind: Kind, find: Find) -> tuple[Crossing, float]:
    return over_seeds([kind.place(curve, find) for curve in curves]), kind.critical


def _line(title: str, curves: Sequence[Curve], joined: bool) -> drawing.Line:
    rates = sorted(set.intersection(*(set(curve) for curve in curves)))
    points = [(rate, statistics.mean_interval([curve[rate] for curve in curves])) for rate in rates]
    return drawing.Line(f"{title} ({len(curves)})", points, joined)


def _said(name: str, found: tuple[Crossing, float]) -> str:
    place, expected = found
    if math.isnan(place.found.estimate):
        return f"{name}: no seed crosses the classical value."
    where = estimate(place.found, tables.DIGITS)
    return (
        f"{name}: {place.seeds} of {place.of} seeds cross the classical value, at {where}; theory says {expected:.4f},"
        f" {abs(place.found.estimate - expected):.4f} away."
    )


def _table(panel: drawing.NoisePanel) -> str:
    lines = [dict(line.points) for line in panel.lines]
    rows = []
    for rate in sorted({rate for line in lines for rate in line}):
        cells = [estimate(line[rate], tables.DIGITS) if rate in line else "-" for line in lines]
        rows.append([f"{rate:g}", *cells, f"{panel.law(rate):.4f}"])
    return pages.table(["rate", *(line.title for line in panel.lines), "largest by theory"], rows)
