"""The figures of the study that no other one has: Bell states, and winning probabilities over noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from qcmarl.studies import figures, statistics
from qcmarl.studies.entanglement import theory
from qcmarl.studies.statistics import Interval

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = npt.NDArray[np.float64]
CHSH_LIMITS = (0.45, 0.9)


class Bar(NamedTuple):
    """One arm of the comparison of Bell states."""

    title: str
    values: Array
    """(S,) one a seed."""
    largest: float
    """What theory allows."""


def bell_states(panels: Mapping[str, Sequence[Bar]], what: str) -> Figure:
    """Winning probabilities by state, a panel for each kind of agents, with what theory allows.

    Args:
        panels: bars by the panel's title, at least one each; a title of a bar has the same colour in all.
        what: is drawn.
    """
    figure, axes = figures.row_of_axes(len(panels), 3.6, 1)
    figure.set_figwidth(1.5 + 3.4 * len(panels))
    titles = list(dict.fromkeys(bar.title for bars in panels.values() for bar in bars))
    for axis, (title, bars) in zip(axes, panels.items(), strict=True):
        for i, bar in enumerate(bars):
            _bar(axis, i, bar, figures.style(titles.index(bar.title))["color"])
        axis.axhline(theory.CLASSICAL, **figures.LEVELS[0], linewidth=0.9, label="best classical")
        axis.set(title=title, ylim=CHSH_LIMITS, xlim=(-0.6, max(len(bars), 3) - 0.4))
        axis.set_xticks(range(len(bars)), [bar.title.replace(" ", "\n") for bar in bars])
        axis.grid(visible=False, axis="x")
    axes[0].set_ylabel(what)
    figures.legend_below(figure, axes[0], 3)
    return figure


def _bar(axis: Axes, i: int, bar: Bar, colour: str) -> None:
    middle, low, high = statistics.mean_interval(bar.values)
    axis.bar(i, middle, width=0.7, color=colour, alpha=0.35)
    if not np.isnan(low):
        axis.plot([i, i], np.clip([low, high], 0, 1), color=colour, linewidth=2)
    spread = np.linspace(-0.2, 0.2, len(bar.values)) if len(bar.values) > 1 else np.zeros(1)
    first = i == 0
    axis.plot(i + spread, bar.values, "o", color=colour, markersize=3.5, label="a seed" if first else None)
    label = "largest by theory" if first else None
    axis.plot([i - 0.42, i + 0.42], [bar.largest] * 2, color="black", linewidth=1.6, label=label)


class Line(NamedTuple):
    """One way to meet noise."""

    title: str
    points: Sequence[tuple[float, Interval]]
    """(rate, winning probability), in any order."""
    joined: bool
    """Whether the points are of the same runs."""


class NoisePanel(NamedTuple):
    """One kind of noise."""

    title: str
    label: str
    """Of the horizontal axis."""
    law: Callable[[float], float]
    """What theory allows, by rate."""
    critical: float
    """Rate at which the advantage dies."""
    limits: tuple[float, float]
    lines: Sequence[Line]


def over_noise(panels: Sequence[NoisePanel], what: str) -> Figure:
    """Winning probabilities over noise beside what theory allows, a panel for each kind.

    Args:
        panels: kinds of noise.
        what: is drawn.
    """
    figure, axes = figures.row_of_axes(len(panels), 3.8, 2)
    for axis, panel in zip(axes, panels, strict=True):
        rates = np.linspace(*panel.limits, 201)
        axis.plot(rates, [panel.law(rate) for rate in rates], color="black", linewidth=1.2, label="largest by theory")
        axis.axhline(theory.CLASSICAL, **figures.LEVELS[0], linewidth=0.9, label="best classical")
        axis.axvline(panel.critical, color="black", linestyle=":", linewidth=0.9, label="advantage ends, by theory")
        for i, line in enumerate(panel.lines):
            _points(axis, line, i)
        axis.set(title=panel.title, xlabel=panel.label)
    axes[0].set_ylabel(what)
    figures.legend_below(figure, axes[0], 5)
    return figure


def _points(axis: Axes, line: Line, i: int) -> None:
    found = sorted(line.points)
    middle, low, high = np.array([interval for _, interval in found]).T
    look = {**figures.style(i), "linestyle": "-" if line.joined else "none", "marker": figures.MARKERS[i]}
    error = np.nan_to_num([middle - low, high - middle])
    rates = [rate for rate, _ in found]
    axis.errorbar(rates, middle, error, **look, label=line.title, capsize=3, markersize=4.5, linewidth=1.4)
