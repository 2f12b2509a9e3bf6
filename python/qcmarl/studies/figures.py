"""The figures of the reports, as PNG and SVG. Called by `reports` and by `qcmarl report`.

Files depend on the numbers alone: the same results give the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from qcmarl.studies import statistics
from qcmarl.studies.arms import ARMS
from qcmarl.studies.records import GREEDY, SAMPLED, Bundle, Group
from qcmarl.studies.statistics import Interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI = 150
KINDS = (("greedy", GREEDY), ("sampled", SAMPLED))
COLOURS = ("#0b62a4", "#d95f02", "#2a9d55", "#c2247c", "#6a51a3", "#8c564b", "#17a2b8", "#b8860b", "#555555", "#e7298a")
"""One an arm; from the eleventh on they come again with other lines and markers."""
LINES, MARKERS = ("-", "--", ":", "-."), ("o", "s", "^", "D")
LIMITS = (-0.03, 1.03)
GAPS = ("greedy", "sampled", "over training")
"""What gaps over the number of agents are of."""
OWN = ("mappo", "attention-mappo", "qmix", "qc-factored", "linear")
"""Arms that have the same colour in every figure."""
FEWEST = 3
"""Seeds that a band is drawn for; fewer are drawn one by one."""
LEVELS: tuple[dict[str, Any], ...] = ({"color": "black", "linestyle": "--"}, {"color": "black", "linestyle": "-"})
"""How horizontal lines are told apart."""


class Panel(NamedTuple):
    """One pair of axes of learning curves."""

    title: str
    metric: str
    label: str | None = None
    """Of the vertical axis; None: what the whole figure is of. Panels that differ in it or in their limits have axes of
    their own."""
    levels: Mapping[str, float] = {}
    """Horizontal lines by what they mean."""
    limits: tuple[float | None, float | None] = LIMITS
    bounds: tuple[float, float] = (0.0, 1.0)
    """What the values, and so their bands, cannot leave."""


WIN_RATES = tuple(Panel(name, metric) for name, metric in KINDS)


def style(i: int) -> dict[str, Any]:
    """Colour, line and marker of the i-th arm."""
    turn = i // len(COLOURS)
    return {"color": COLOURS[i % len(COLOURS)], "linestyle": LINES[turn % 4], "marker": MARKERS[turn % 4]}


def styles(titles: Sequence[str]) -> list[dict[str, Any]]:
    """Of each arm of a figure; those of `OWN` have their own, the others what is left, in their order."""
    own = {ARMS[name].title: i for i, name in enumerate(OWN)}
    taken = {own[title] for title in titles if title in own}
    free = (i for i in range(len(titles) + len(OWN)) if i not in taken)
    return [style(own[title] if title in own else next(free)) for title in titles]


def save(figure: Figure, stem: Path) -> None:
    """Writes STEM.png and STEM.svg; their folder is made."""
    from matplotlib import rc_context  # only a report pays for the import

    stem.parent.mkdir(parents=True, exist_ok=True)
    with rc_context({"svg.hashsalt": "qcmarl", "svg.fonttype": "path"}):
        figure.savefig(stem.with_name(stem.name + ".png"), dpi=DPI, metadata={"Software": None})
        figure.savefig(stem.with_name(stem.name + ".svg"), metadata={"Date": None})


def row_of_axes(columns: int, height: float, legend: int = 0, share: bool = True) -> tuple[Figure, Sequence[Axes]]:
    """A row of axes with room for a legend of so many lines below."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.5 * columns, height + 0.2 * legend), layout="constrained")
    axes = figure.subplots(1, columns, sharey=share, squeeze=False)[0]
    for axis in axes:
        axis.grid(alpha=0.3)
        axis.spines[["top", "right"]].set_visible(False)
    return figure, list(axes)


def _spoken(value: float, position: float | None = None) -> str:
    """A number of steps or minutes in few characters: 500k, 1.5M."""
    for unit, letter in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= unit:
            return f"{value / unit:g}{letter}"
    return f"{value:g}"


def _plain_log(axis: Axes, which: Literal["x", "y"]) -> None:
    """A logarithmic axis with enough ticks for a range of a factor of two, in plain numbers."""
    from matplotlib.ticker import LogLocator, NullFormatter

    axis.set(**{f"{which}scale": "log"})
    one = axis.xaxis if which == "x" else axis.yaxis
    one.set_major_locator(LogLocator(subs=(1.0, 1.5, 2.0, 3.0, 5.0, 7.0)))
    one.set_major_formatter(_spoken)
    one.set_minor_formatter(NullFormatter())


def legend_below(figure: Figure, axis: Axes, count: int) -> None:
    figure.legend(*axis.get_legend_handles_labels(), loc="outside lower center", ncols=min(count, 3), fontsize="small")


def legend_rows(count: int) -> int:
    return -(-count // 3) + 1


def curves(
    bundles: Sequence[Bundle],
    title: str,
    centre: Literal["mean", "IQM"] = "mean",
    panels: Sequence[Panel] = WIN_RATES,
    what: str = "win rate",
    seeds: bool = False,
) -> Figure:
    """Learning curves over environment steps with 95 % bands over the seeds: greedy and sampled win rates by default.

    Args:
        bundles: one an arm.
        title: of the figure.
        centre: the mean with Student's interval, or the interquartile mean with a bootstrap's.
        panels: what is drawn side by side.
        what: is drawn, in words.
        seeds: draw a thin line for each seed too.
    """
    own = any((panel.label, panel.limits) != (panels[0].label, panels[0].limits) for panel in panels)
    levels = {name: value for panel in panels for name, value in panel.levels.items()}
    figure, axes = row_of_axes(len(panels), 3.8, legend_rows(len(bundles) + len(levels)), share=not own)
    interval = statistics.mean_interval if centre == "mean" else lambda values: statistics.iqm_interval([values], 500)
    for axis, panel in zip(axes, panels, strict=True):
        for one, look in zip(bundles, styles([one.title for one in bundles]), strict=True):
            if panel.metric in one.values:
                points = [interval(column) for column in one.values[panel.metric].T]
                _curve(axis, one, panel, look, points, seeds)
        for name, value in panel.levels.items():
            axis.axhline(value, **LEVELS[list(levels).index(name) % len(LEVELS)], linewidth=1.1, label=name)
        axis.set(xlabel="environment steps", title=panel.title, ylim=panel.limits)
        if own:
            axis.set_ylabel(f"{panel.label or what}, {centre} and 95 %")
        axis.xaxis.set_major_formatter(_spoken)
    if not own:
        axes[0].set_ylabel(f"{what}, {centre} and 95 % interval")
    figure.suptitle(title)
    legend_below(figure, axes[0], len(bundles) + len(levels))
    return figure


def _curve(
    axis: Axes, one: Bundle, panel: Panel, look: Mapping[str, Any], points: Sequence[Interval], thin: bool
) -> None:
    middle, low, high = np.array(points).T
    values = one.values[panel.metric]
    few = 1 < len(values) < FEWEST
    single = {"marker": look["marker"]} if len(one.steps) == 1 else {}
    axis.plot(
        one.steps,
        middle,
        color=look["color"],
        linestyle=look["linestyle"],
        label=f"{one.title} ({values.shape[0]})",
        linewidth=1.8 if len(values) >= FEWEST else 1.2,
        **single,
    )
    if thin or few:
        axis.plot(one.steps, values.T, color=look["color"], linewidth=0.5, alpha=0.35)
    if few:
        return
    low, high = np.clip(low, *panel.bounds), np.clip(high, *panel.bounds)
    axis.fill_between(one.steps, low, high, color=look["color"], alpha=0.13, linewidth=0)


def bars(groups: Sequence[Group], title: str) -> Figure:
    """Win rates after training: the mean, its 95 % interval, and a point for each seed."""
    figure, axes = row_of_axes(2, 1.3 + 0.36 * len(groups))
    looks = styles([group.title for group in groups])
    for axis, (name, metric) in zip(axes, KINDS, strict=True):
        for i, group in enumerate(groups):
            values = group.final(metric)
            assert values is not None
            middle, low, high = statistics.mean_interval(values)
            colour = looks[i]["color"]
            axis.barh(i, middle, height=0.62, color=colour, alpha=0.35)
            if not np.isnan(low):
                axis.plot(np.clip([low, high], 0, 1), [i, i], color=colour, linewidth=2)
            spread = np.linspace(-0.2, 0.2, len(values)) if len(values) > 1 else np.zeros(1)
            axis.plot(values, i + spread, "o", color=colour, markersize=3.5)
        axis.set(xlabel="win rate after training", title=name, xlim=LIMITS, ylim=(len(groups) - 0.4, -0.6))
        axis.set_yticks(range(len(groups)), [f"{g.title} ({g.seeds})" for g in groups])
    figure.suptitle(title)
    return figure


def time_against_quality(groups: Sequence[Group], title: str) -> Figure:
    """Win rate after training, as deployed, over minutes of wall time: a point a seed, a larger one for the medians."""
    figure, (axis,) = row_of_axes(1, 4.2, legend_rows(len(groups)))
    figure.set_figwidth(7.5)
    for group, look in zip(groups, styles([group.title for group in groups]), strict=True):
        values, minutes = group.final(group.deployed), group.minutes()
        assert values is not None
        points = {"color": look["color"], "marker": look["marker"], "linestyle": "none"}
        axis.plot(minutes, values, **points, markersize=3.5, alpha=0.5)
        axis.plot(np.median(minutes), np.median(values), **points, markersize=8, label=f"{group.title} ({group.seeds})")
    axis.set(xlabel="minutes of wall time (log)", ylabel="win rate after training, as deployed", ylim=LIMITS)
    _plain_log(axis, "x")
    figure.suptitle(title)
    legend_below(figure, axis, len(groups))
    return figure


def gap_over_agents(gaps: Mapping[str, Sequence[tuple[int, Mapping[str, Interval]]]], against: str) -> Figure:
    """Differences of win rates after training over the number of agents, with 95 % intervals.

    Args:
        gaps: by arm's title, (agents, by what of `GAPS` the difference) in ascending order.
        against: title of what is subtracted.
    """
    figure, axes = row_of_axes(len(GAPS), 3.8, legend_rows(len(gaps)))
    looks = styles(list(gaps))
    for axis, name in zip(axes, GAPS, strict=True):
        for i, (title, points) in enumerate(gaps.items()):
            shift = 1 + 0.03 * (i - (len(gaps) - 1) / 2)
            agents = np.array([n for n, _ in points]) * shift
            middle, low, high = np.array([by[name] for _, by in points]).T
            look = looks[i]
            axis.errorbar(agents, middle, [middle - low, high - middle], **look, label=title, capsize=3, markersize=5)
        axis.axhline(0, color="black", linewidth=0.8)
        ticks = sorted({n for points in gaps.values() for n, _ in points})
        axis.set(xlabel="agents (log)", title=name, xscale="log")
        axis.set_xticks(ticks, [str(t) for t in ticks])
        axis.set_xticks([], minor=True)
    axes[0].set_ylabel(f"win rate less that of {against}")
    legend_below(figure, axes[0], len(gaps))
    return figure


def over_noise(lines: Mapping[str, Mapping[str, Sequence[tuple[float, Interval]]]], level: Interval | None) -> Figure:
    """Win rate over the rate of noise, a panel for each kind of noise.

    Args:
        lines: by panel, by title, (rate, win rate and interval) in ascending order; rate 0 is drawn at the left edge.
        level: win rate of MAPPO, which has no circuit; None: not drawn.
    """
    names = list(dict.fromkeys(title for panel in lines.values() for title in panel))
    figure, axes = row_of_axes(len(lines), 3.8, legend_rows(len(names) + 1))
    for axis, (panel, curves_) in zip(axes, lines.items(), strict=True):
        for title, points in curves_.items():
            look = style(names.index(title))
            rates = [rate or 3e-5 for rate, _ in points]
            middle, low, high = np.array([interval for _, interval in points]).T
            look["linestyle"] = "--" if "trained" in title else "-"
            axis.errorbar(rates, middle, [middle - low, high - middle], **look, label=title, capsize=3, markersize=5)
        if level is not None:
            axis.axhline(level.estimate, color="black", linestyle=":", label="MAPPO, no circuit")
        axis.set(xlabel="noise per CNOT (0 at the left edge)", title=panel, xscale="log", ylim=(-0.05, 1.05))
    axes[0].set_ylabel("win rate, sampled, mean and 95 % interval")
    legend_below(figure, axes[0], len(names) + 1)
    return figure


def cost_over_agents(costs: Mapping[str, Sequence[tuple[int, float]]]) -> Figure:
    """Microseconds of training per environment step over the number of agents, by arm."""
    figure, (axis,) = row_of_axes(1, 4.0, legend_rows(len(costs)))
    figure.set_figwidth(7.5)
    for (title, points), look in zip(costs.items(), styles(list(costs)), strict=True):
        agents, micros = zip(*points, strict=True)
        axis.plot(agents, micros, **look, label=title, markersize=5)
    ticks = sorted({n for points in costs.values() for n, _ in points})
    axis.set(xlabel="agents (log)", ylabel="µs of training per environment step (log)", xscale="log")
    _plain_log(axis, "y")
    axis.set_xticks(ticks, [str(t) for t in ticks])
    axis.set_xticks([], minor=True)
    legend_below(figure, axis, len(costs))
    return figure
