"""`qcmarl report`: tables over runs with means, intervals and tests over the seeds, and their learning curves. Called
by `cli`.

Runs that differ in nothing but the seed form a group. Only lines with an evaluation are read.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from qcmarl import rundir
from qcmarl.studies import figures, pages, records, statistics, tables
from qcmarl.studies.figures import KINDS

PLAIN_WIDTH = 160
"""Columns of a table that goes to a file or a pipe."""
PICTURES = (".png", ".pdf", ".svg")
METRIC = "eval/win_rate"
MEANS = "last evaluation that all seeds have: mean [95 % interval] over the seeds"
TESTS = "the same, interquartile mean [95 % bootstrap], and Welch's test against {}, corrected by Holm"
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
    """One run; raises ValueError where there is none or nothing was evaluated yet."""
    if (directory / "results").is_dir():
        raise ValueError(f"{directory} is a study's folder: qcmarl study STUDY --report-only --out {directory}")
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


def report(directories: Sequence[Path], picture: Path, against: str | None = None) -> None:
    """Prints the tables and writes the curves, and both together as pages.

    Args:
        directories: of runs.
        picture: file to write, png, pdf or svg; its folder is made. PNG and SVG are written beside it, and a page in
            Markdown and one in HTML.
        against: the group that the others are tested against: its name, the beginning of it, or a part of it, which no
            other has; None: the first.

    Raises:
        ValueError: a directory without a run or without an evaluation, seeds that share no evaluation step, no such
            group, another kind of picture, or a folder that cannot be made.
    """
    if picture.suffix.lower() not in PICTURES:
        raise ValueError(f"output is {picture}; its name must end in one of {', '.join(PICTURES)}")
    groups = reordered(grouped([read(directory) for directory in directories]), against)
    shown = {MEANS: _means(groups), TESTS.format(next(iter(groups))): _tests(groups)}
    try:
        picture.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"the folder of {picture} cannot be made: {error.strerror}") from None
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = PLAIN_WIDTH
    for title, (columns, rows) in shown.items():
        _print(console, title, columns, rows)
    draw(groups, picture)
    blocks = [block for title, (columns, rows) in shown.items() for block in (title, pages.table(columns, rows))]
    curves = pages.picture(picture.with_suffix(".png").name, "Learning curves")
    page = pages.write(picture.parent, picture.stem, "Runs", [*blocks, curves])[1]
    console.print(f"learning curves: {picture}\npage: {page}", soft_wrap=True)


def reordered(groups: dict[str, list[Curve]], against: str | None) -> dict[str, list[Curve]]:
    """The groups with the one that the others are tested against in front; raises ValueError where that is unclear."""
    if against is None:
        return groups
    alike: Sequence[Callable[[str], bool]] = (against.__eq__, lambda n: n.startswith(against), lambda n: against in n)
    named = next((found for rule in alike if (found := [name for name in groups if rule(name)])), [])
    if len(named) != 1:
        raise ValueError(f"against is '{against}', which names {len(named)} groups; they are {', '.join(groups)}")
    return {named[0]: groups[named[0]], **groups}


def _print(console: Console, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, justify="left" if column == columns[0] else "right")
    for row in rows:
        table.add_row(*row)
    console.print(table)


def _means(groups: Mapping[str, Sequence[Curve]]) -> tables.Table:
    """Means over the seeds and how fast the runs were."""
    columns = ["runs", "seeds", "steps", *COLUMNS, "steps/s"]
    return columns, [[title, str(len(group)), _steps_cell(group), *_cells(group)] for title, group in groups.items()]


def _tests(groups: Mapping[str, Sequence[Curve]]) -> tables.Table:
    """Interquartile means, and tests against the first group."""
    columns, cells = ["runs"], {title: [title] for title in groups}
    for name, metric in KINDS:
        columns += [f"{name}, IQM [95 %]", "p", "P(better)"]
        values = [_last(group, metric) for group in groups.values()]
        compared = [None, *statistics.compare([(own, values[0]) for own in values[1:]])]
        for row, own, found in zip(cells.values(), values, compared, strict=True):
            tested = ["", ""] if found is None else [tables.p_value(found.p), tables.number(found.improvement)]
            row += ["-", "", ""] if np.isnan(own).any() else [tables.iqm_of(own), *tested]
    return columns, list(cells.values())


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


def _last(group: Sequence[Curve], metric: str) -> npt.NDArray[np.float64]:
    """(S,) the metric at the last evaluation that all seeds have."""
    step = common_steps(group)[-1]
    return np.array([c.values(metric)[c.steps == step][-1] for c in group])


def _cells(group: Sequence[Curve]) -> list[str]:
    cells = []
    for metric in COLUMNS.values():
        last = _last(group, metric)
        cells.append("-" if np.isnan(last).any() else tables.mean_of(last))
    return [*cells, f"{np.mean([c.steps[-1] / c.seconds for c in group]):,.0f}"]


def draw(groups: Mapping[str, Sequence[Curve]], picture: Path) -> None:
    """Greedy and sampled win rates over environment steps, with 95 % bands over the seeds; also as PNG and SVG."""
    bundles = [_bundle(title, group) for title, group in groups.items()]
    figure = figures.curves(bundles, "win rate")
    figures.save(figure, picture.with_suffix(""))
    if picture.suffix not in (".png", ".svg"):
        figure.savefig(picture)


def _bundle(title: str, group: Sequence[Curve]) -> records.Bundle:
    steps = common_steps(group)
    values = {m: np.array([c.values(m)[np.isin(c.steps, steps)] for c in group]) for _, m in KINDS}
    return records.Bundle(title, steps, values)


def print_evaluation(
    directory: Path, battles: int, metrics: Mapping[str, float], noise: str | None = None, exact: bool = False
) -> None:
    """The table of `qcmarl eval`; `noise` where it was chosen for this evaluation; `exact` where nothing but shuffled
    readings was played."""
    under = "" if noise is None else f", noise {noise}"
    how = "exact rates" if exact else f"{battles} battles of each kind"
    table = Table(title=f"{directory}, {how}{under}", title_justify="left")
    table.add_column("")
    table.add_column("value", justify="right")
    for name, value in metrics.items():
        table.add_row(
            name, _rate(value, battles, exact and "shuffled" not in name) if "win_rate" in name else f"{value:,.10g}"
        )
    Console(highlight=False).print(table)


def _rate(value: float, battles: int, exact: bool) -> str:
    return f"{value:.6f}" if exact else f"{value:.3f} ± {(value * (1 - value) / battles) ** 0.5:.3f}"
