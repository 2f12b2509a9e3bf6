"""`qcmarl report`: tables over runs with means, intervals and tests over the seeds, and their learning curves. Called
by `cli`.

Runs that differ in nothing but the seed form a group. Environments are reported one by one: what is compared, and
corrected for, was trained in the same one. Only lines with an evaluation are read.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
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
METRIC, RETURN = "eval/win_rate", "eval/return"
RETURNS = (("greedy return", RETURN), ("sampled return", "eval/return_sampled"))
"""What is drawn and tested where no episode is won."""
MEANS = "last evaluation that all seeds have: mean [95 % interval] over the seeds"
TESTS = "the same, interquartile mean [95 % bootstrap], and Welch's test against {}, corrected by Holm"
_MISSING = object()
COLUMNS = {
    "greedy": "eval/win_rate",
    "sampled": "eval/win_rate_sampled",
    "mean law": "eval/win_rate_mean_law",
    "return": RETURN,
}
COLUMNS_OF_RETURNS = {"return": RETURN, "return, sampled": "eval/return_sampled"}


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
    evaluated = [line for line in lines if METRIC in line or RETURN in line]
    if not evaluated:
        raise ValueError(f"{directory} has no evaluation yet")
    return Curve(directory, config, evaluated, lines[-1]["wall_seconds"])


def read_all(directories: Sequence[Path]) -> tuple[list[Curve], list[str]]:
    """Runs, each once however often it is named, and a line about each folder that is passed over.

    Raises:
        ValueError: there is no run with an evaluation among them.
    """
    once: dict[Path, Path] = {}
    for directory in directories:
        once.setdefault(directory.resolve(), directory)
    curves, passed = [], []
    for directory in once.values():
        try:
            curves.append(read(directory))
        except ValueError as error:
            passed.append(str(error))
    if not curves:
        raise ValueError(passed[0])
    return curves, passed


def by_environment(curves: Sequence[Curve]) -> dict[str, list[Curve]]:
    """Runs by where they were trained; maps that have a name in common and differ are told apart by their content."""
    names: dict[str, dict[str, list[Curve]]] = {}
    for curve in curves:
        table = curve.config.get("map")
        mark = "" if table is None else hashlib.sha256(json.dumps(table, sort_keys=True).encode()).hexdigest()[:8]
        names.setdefault(curve.config["run"]["env"], {}).setdefault(mark, []).append(curve)
    return {
        name if len(marks) == 1 else f"{name} (map {mark or 'not kept'})": own
        for name, marks in names.items()
        for mark, own in marks.items()
    }


def grouped(curves: Sequence[Curve]) -> dict[str, list[Curve]]:
    """Runs that differ in their seed only, under a name that tells the groups apart.

    Raises:
        ValueError: two of a group have one seed, so that they are no two samples.
    """
    groups: dict[str, list[Curve]] = {}
    for curve in curves:
        # A run that was made longer is evaluated as often as it was before.
        run = {k: v for k, v in curve.config["run"].items() if k not in ("seed", "eval_every")}
        groups.setdefault(
            json.dumps([curve.config["algo"], run, curve.config["algorithm"]], sort_keys=True), []
        ).append(curve)
    members = list(groups.values())
    for group in members:
        _check_seeds(group)
    settings = [_settings(group[0]) for group in members]
    varied = _varied(settings)
    named: dict[str, list[Curve]] = {}
    for own, group in zip(settings, members, strict=True):
        title = _title(own, varied)
        alike = sum(1 for name in named if name == title or name.startswith(f"{title} ["))
        named[f"{title} [{alike + 1}]" if alike else title] = group
    return named


def _check_seeds(group: Sequence[Curve]) -> None:
    seen: dict[Any, Path] = {}
    for curve in group:
        seed = curve.config["run"].get("seed")
        if seed in seen:
            raise ValueError(
                f"{seen[seed]} and {curve.directory} have the same settings and the same seed, {seed}: they do not "
                "count as two runs; leave one out"
            )
        seen[seed] = curve.directory


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
            Markdown and one in HTML. Where there are several environments each has a picture, named after it too.
        against: the group that the others in its environment are tested against: its name, the beginning of it, or a
            part of it, which no other has; None: the first.

    Raises:
        ValueError: no directory with an evaluated run, two runs of one group and seed, seeds that share no evaluation
            step, no such group, another kind of picture, or a folder that cannot be made.
    """
    if picture.suffix.lower() not in PICTURES:
        raise ValueError(f"output is {picture}; its name must end in one of {', '.join(PICTURES)}")
    curves, passed = read_all(directories)
    places = chosen({env: grouped(own) for env, own in by_environment(curves).items()}, against)
    shown = {env: _tables(groups) for env, groups in places.items()}
    try:
        picture.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"the folder of {picture} cannot be made: {error.strerror}") from None
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = PLAIN_WIDTH
    for line in passed:
        console.print(f"passed over: {line}", soft_wrap=True)
    blocks: list[str] = []
    for env, groups in places.items():
        drawn = picture if len(places) == 1 else picture.with_stem(f"{picture.stem}-{_for_files(env)}")
        for title, (columns, rows) in shown[env].items():
            headed = title if len(places) == 1 else f"{env}: {title}"
            _print(console, headed, columns, rows)
            blocks += [headed, pages.table(columns, rows)]
        draw(groups, drawn)
        blocks.append(pages.picture(drawn.with_suffix(".png").name, "Learning curves"))
        console.print(f"learning curves: {drawn}", soft_wrap=True)
    page = pages.write(picture.parent, picture.stem, "Runs", blocks)[1]
    console.print(f"page: {page}", soft_wrap=True)


def _for_files(env: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", env).strip("-")


def _tables(groups: Mapping[str, Sequence[Curve]]) -> dict[str, tables.Table]:
    """The tables of one environment by their titles."""
    return {MEANS: _means(groups), TESTS.format(next(iter(groups))): _tests(groups)}


def chosen(places: dict[str, dict[str, list[Curve]]], against: str | None) -> dict[str, dict[str, list[Curve]]]:
    """In each environment the group in front that the others are tested against; where an environment has no such
    group, and another has one, its first. Raises ValueError as `reordered`."""
    if against is None or len(places) == 1:
        return {env: reordered(groups, against) for env, groups in places.items()}
    having = {env: named(groups, against) for env, groups in places.items()}
    if not any(having.values()):
        every = ", ".join(name for groups in places.values() for name in groups)
        raise ValueError(f"against is '{against}', which names 0 groups; they are {every}")
    return {env: reordered(groups, against if having[env] else None) for env, groups in places.items()}


def named(groups: Mapping[str, Sequence[Curve]], against: str) -> list[str]:
    """The groups whose name it is, else those whose name begins with it, else those that have it in their name."""
    alike: Sequence[Callable[[str], bool]] = (against.__eq__, lambda n: n.startswith(against), lambda n: against in n)
    return next((found for rule in alike if (found := [name for name in groups if rule(name)])), [])


def reordered(groups: dict[str, list[Curve]], against: str | None) -> dict[str, list[Curve]]:
    """The groups with the one that the others are tested against in front; raises ValueError where that is unclear."""
    if against is None:
        return groups
    found = named(groups, against)
    if len(found) != 1:
        raise ValueError(f"against is '{against}', which names {len(found)} groups; they are {', '.join(groups)}")
    return {found[0]: groups[found[0]], **groups}


def _print(console: Console, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, justify="left" if column == columns[0] else "right")
    for row in rows:
        table.add_row(*row)
    console.print(table)


def _means(groups: Mapping[str, Sequence[Curve]]) -> tables.Table:
    """Means over the seeds and how fast the runs were."""
    shown = COLUMNS if _has_wins(groups) else COLUMNS_OF_RETURNS
    columns = ["runs", "seeds", "steps", *shown, "steps/s"]
    rows = [[title, str(len(own)), _steps_cell(own), *_cells(own, shown.values())] for title, own in groups.items()]
    return columns, rows


def _has_wins(groups: Mapping[str, Sequence[Curve]]) -> bool:
    """Whether any run knows a win rate; in some environments nothing is won."""
    return any(METRIC in line for group in groups.values() for curve in group for line in curve.lines)


def _kinds(groups: Mapping[str, Sequence[Curve]]) -> Sequence[tuple[str, str]]:
    return KINDS if _has_wins(groups) else RETURNS


def _tests(groups: Mapping[str, Sequence[Curve]]) -> tables.Table:
    """Interquartile means, and tests against the first group."""
    columns, cells = ["runs"], {title: [title] for title in groups}
    for name, metric in _kinds(groups):
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


def _cells(group: Sequence[Curve], metrics: Iterable[str] = tuple(COLUMNS.values())) -> list[str]:
    cells = []
    for metric in metrics:
        last = _last(group, metric)
        cells.append("-" if np.isnan(last).any() else tables.mean_of(last))
    return [*cells, f"{np.mean([c.steps[-1] / c.seconds for c in group]):,.0f}"]


def draw(groups: Mapping[str, Sequence[Curve]], picture: Path) -> None:
    """Greedy and sampled win rates over environment steps, or returns where nothing is won, with 95 % bands over the
    seeds; also as PNG and SVG."""
    kinds = _kinds(groups)
    bundles = [_bundle(title, group, kinds) for title, group in groups.items()]
    if kinds is KINDS:
        figure = figures.curves(bundles, "win rate")
    else:
        free = [figures.Panel(n, m, limits=(None, None), bounds=(-np.inf, np.inf)) for n, m in kinds]
        figure = figures.curves(bundles, "return", panels=free, what="return")
    figures.save(figure, picture.with_suffix(""))
    if picture.suffix not in (".png", ".svg"):
        figure.savefig(picture)


def _bundle(title: str, group: Sequence[Curve], kinds: Sequence[tuple[str, str]] = KINDS) -> records.Bundle:
    steps = common_steps(group)
    values = {m: np.array([c.values(m)[np.isin(c.steps, steps)] for c in group]) for _, m in kinds}
    return records.Bundle(title, steps, values)
