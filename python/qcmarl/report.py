"""`qcmarl report`: a table over runs with mean and spread over the seeds, and a picture of their learning curves.
Called by `cli`.

Runs that differ in nothing but the seed form a group. Only lines with an evaluation are read.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from qcmarl import rundir

PLAIN_WIDTH = 160
"""Columns of a table that goes to a file or a pipe."""
PICTURES = (".png", ".pdf", ".svg")
METRIC = "eval/win_rate"
_MISSING = object()
COLUMNS = {
    "greedy": "eval/win_rate",
    "sampled": "eval/win_rate_sampled",
    "mean law": "eval/win_rate_mean_law",
    "return": "eval/return",
}


@dataclass(frozen=True)
class Curve:
    """One run's evaluations."""

    directory: Path
    config: Mapping[str, Any]
    lines: Sequence[Mapping[str, float]]
    seconds: float

    def values(self, metric: str) -> npt.NDArray[np.float64]:
        """The metric at each evaluation; NaN where it was not logged."""
        return np.array([line.get(metric, np.nan) for line in self.lines], float)

    @property
    def steps(self) -> npt.NDArray[np.int64]:
        """Environment steps of each evaluation."""
        return np.array([line["env_steps"] for line in self.lines], np.int64)


def read(directory: Path) -> Curve:
    """One run; raises ValueError where nothing was evaluated yet."""
    config, lines = rundir.read_config(directory), rundir.read_metrics(directory)
    evaluated = [line for line in lines if METRIC in line]
    if not evaluated:
        raise ValueError(f"{directory} has no evaluation yet")
    return Curve(directory, config, evaluated, lines[-1]["wall_seconds"])


def grouped(curves: Sequence[Curve]) -> dict[str, list[Curve]]:
    """Runs that differ in their seed only, under a name that tells the groups apart."""
    groups: dict[str, list[Curve]] = {}
    for curve in curves:
        run = {k: v for k, v in curve.config["run"].items() if k != "seed"}
        groups.setdefault(
            json.dumps([curve.config["algo"], run, curve.config["algorithm"]], sort_keys=True), []
        ).append(curve)
    members = list(groups.values())
    settings = [_settings(group[0]) for group in members]
    varied = _varied(settings)
    named: dict[str, list[Curve]] = {}
    for own, group in zip(settings, members, strict=True):
        title = _title(own, varied)
        alike = sum(1 for name in named if name == title or name.startswith(f"{title} ["))
        named[f"{title} [{alike + 1}]" if alike else title] = group
    return named


def _title(settings: Mapping[str, Any], varied: Mapping[str, set[str]]) -> str:
    """Algorithm, environment, and what varies among the runs of this algorithm; "missing" for a setting it lacks."""
    names = sorted(varied[settings["algo"]] - {"algo", "env"})
    notes = ", ".join(f"{name}={settings.get(name, 'missing')}" for name in names)
    return f"{settings['algo']} {settings['env']}" + (f" ({notes})" if notes else "")


def _varied(settings: Sequence[Mapping[str, Any]]) -> dict[str, set[str]]:
    """By algorithm, the names that have different values: among its own groups, where having none is a value too, or
    between it and another algorithm that has the name."""
    names = {name for group in settings for name in group}
    between = {name for name in names if len({repr(group[name]) for group in settings if name in group}) > 1}
    varied = {}
    for algo in {group["algo"] for group in settings}:
        own = [group for group in settings if group["algo"] == algo]
        among = {name for name in names if len({repr(group.get(name, _MISSING)) for group in own}) > 1}
        varied[algo] = among | {name for name in between if any(name in group for group in own)}
    return varied


def _settings(curve: Curve) -> dict[str, Any]:
    run = {k: v for k, v in curve.config["run"].items() if k != "seed"}
    return {"algo": curve.config["algo"], **run, **curve.config["algorithm"]}


def report(directories: Sequence[Path], picture: Path) -> None:
    """Prints the table and writes the picture.

    Args:
        directories: of runs.
        picture: file to write, png, pdf or svg; its folder is made.

    Raises:
        ValueError: a directory without a run or without an evaluation, seeds that share no evaluation step, or another
            kind of picture, or a folder that cannot be made.
    """
    if picture.suffix.lower() not in PICTURES:
        raise ValueError(f"output is {picture}; its name must end in one of {', '.join(PICTURES)}")
    groups = grouped([read(directory) for directory in directories])
    try:
        picture.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"the folder of {picture} cannot be made: {error.strerror}") from None
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = PLAIN_WIDTH
    table = Table(
        title="last evaluation that all seeds have: mean ± standard deviation over the seeds", title_justify="left"
    )
    for column in ("runs", "seeds", "steps", *COLUMNS, "steps/s"):
        table.add_column(column, justify="left" if column == "runs" else "right")
    for title, group in groups.items():
        table.add_row(title, str(len(group)), _steps_cell(group), *_cells(group))
    console.print(table)
    draw(groups, picture)
    console.print(f"learning curves: {picture}", soft_wrap=True)


def common_steps(group: Sequence[Curve]) -> npt.NDArray[np.int64]:
    """Environment steps at which every run of the group was evaluated, ascending; at least one.

    Raises:
        ValueError: there are none.
    """
    steps = functools.reduce(np.intersect1d, [curve.steps for curve in group])
    if not len(steps):
        names = ", ".join(str(curve.directory) for curve in group)
        raise ValueError(f"{names} differ in their seed only, yet were never evaluated after the same number of steps")
    return steps


def _steps_cell(group: Sequence[Curve]) -> str:
    """The steps of the numbers beside it, and how far the longest run has come where that is further."""
    common, longest = common_steps(group)[-1], max(curve.steps[-1] for curve in group)
    return f"{common:,}" + (f" (of {longest:,})" if longest > common else "")


def _cells(group: Sequence[Curve]) -> list[str]:
    cells, step = [], common_steps(group)[-1]
    for metric in COLUMNS.values():
        last = np.array([c.values(metric)[c.steps == step][-1] for c in group])
        spread = f" ± {last.std(ddof=1):.2f}" if len(last) > 1 else ""
        cells.append("-" if np.isnan(last).any() else f"{last.mean():.2f}{spread}")
    return [*cells, f"{np.mean([c.steps[-1] / c.seconds for c in group]):,.0f}"]


def draw(groups: Mapping[str, Sequence[Curve]], picture: Path) -> None:
    """Greedy and sampled win rates over environment steps: a thin line per seed, a thick one for their mean."""
    from matplotlib.figure import Figure  # only a report pays for the import

    figure = Figure(figsize=(11, 3.9 + 0.22 * len(groups)), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    for axis, metric, title in zip(axes, (METRIC, "eval/win_rate_sampled"), ("greedy", "sampled"), strict=True):
        for i, (name, group) in enumerate(groups.items()):
            for curve in group:
                axis.plot(curve.steps, curve.values(metric), color=f"C{i % 10}", linewidth=0.6, alpha=0.5)
            axis.plot(*mean_curve(group, metric), color=f"C{i % 10}", linewidth=2, label=f"{name}, {len(group)} seeds")
        axis.set(xlabel="environment steps", title=f"win rate, {title}", ylim=(-0.02, 1.02))
        axis.grid(alpha=0.3)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", fontsize="small")
    figure.savefig(picture, dpi=150)


def mean_curve(group: Sequence[Curve], metric: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float64]]:
    """Mean over the seeds at the steps at which all were evaluated."""
    steps = common_steps(group)
    return steps, np.mean([c.values(metric)[np.isin(c.steps, steps)] for c in group], axis=0)


def print_evaluation(directory: Path, battles: int, metrics: Mapping[str, float], noise: str | None = None) -> None:
    """The table of `qcmarl eval`; `noise` where it was chosen for this evaluation."""
    under = "" if noise is None else f", noise {noise}"
    table = Table(title=f"{directory}, {battles} battles of each kind{under}", title_justify="left")
    table.add_column("")
    table.add_column("value", justify="right")
    for name, value in metrics.items():
        error = (value * (1 - value) / battles) ** 0.5
        table.add_row(name, f"{value:.3f} ± {error:.3f}" if "win_rate" in name else f"{value:,.10g}")
    Console(highlight=False).print(table)
