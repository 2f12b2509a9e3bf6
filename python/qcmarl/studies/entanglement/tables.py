"""The tables of the study. Winning probabilities and returns are exact for each seed: intervals are over the seeds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from qcmarl.studies import statistics
from qcmarl.studies.arms import ARMS
from qcmarl.studies.entanglement.crossing import MARGIN, Crossing
from qcmarl.studies.records import GREEDY, SAMPLED, Array, Group
from qcmarl.studies.statistics import Values
from qcmarl.studies.tables import Table, estimate, number

DIGITS = 4


def mean(values: Values | None) -> str:
    """Mean and interval to four digits; a dash where there are none."""
    return "-" if values is None else estimate(statistics.mean_interval(values), DIGITS)


def chance(values: Values | None) -> str:
    """As `mean`, of probabilities: the interval ends at 0 and at 1, as a chance does."""
    if values is None:
        return "-"
    found = statistics.mean_interval(values)
    low, high = np.clip((found.low, found.high), 0, 1)  # NaN stays
    return estimate(found._replace(low=float(low), high=float(high)), DIGITS)


def share(values: Values, least: float) -> str:
    """How many values are at or above a bound, such as "9 of 10"; a dash for no bound."""
    return "-" if math.isnan(least) else f"{int(np.sum(np.asarray(values) >= least))} of {len(values)}"


def head(group: Group) -> list[str]:
    """The cells that begin every row: arm, execution, seeds, steps."""
    return [group.title, ARMS[group.arm].execution, str(group.seeds), f"{group.steps:,}"]


HEAD = ["arm", "execution", "seeds", "steps"]


def greedy(group: Group) -> Array:
    """(S,) winning probabilities after training, local choices greedy."""
    values = group.final(GREEDY)
    assert values is not None
    return values


def winning(groups: Sequence[Group], classical: float, reached: float) -> Table:
    """Winning probabilities after training in one game.

    Args:
        groups: its arms.
        classical: the best classical value; NaN where it is not known.
        reached: the probability that counts as the quantum value reached; NaN for none.
    """
    columns = [*HEAD, "greedy: mean [95 %]", "best seed", "as drawn: mean [95 %]", "above classical"]
    columns += [f"{reached:g} or more"] * (not math.isnan(reached)) + [_less(groups), "seconds a seed"]
    rows = []
    for group in groups:
        values = greedy(group)
        cells = [*head(group), chance(values), number(values.max(), DIGITS), chance(group.final(SAMPLED))]
        cells += [share(values, classical + MARGIN)]
        cells += [share(values, reached)] * (not math.isnan(reached))
        rows.append([*cells, _gap(groups[0], group, GREEDY), seconds(group)])
    return columns, rows


def _less(groups: Sequence[Group]) -> str:
    """Title of the column of `_gap`."""
    return f"{groups[0].title} less it"


def _gap(first: Group, group: Group, metric: str) -> str:
    """Difference of the means, with Welch's interval; empty for the first arm itself."""
    ours, theirs = first.final(metric), group.final(metric)
    if group is first or ours is None or theirs is None:
        return ""
    return estimate(statistics.difference_interval(ours, theirs), DIGITS)


def seconds(group: Group) -> str:
    """Wall time of a run, mean over the seeds."""
    return f"{group.time_of('wall_seconds').mean():.0f}"


def measured(groups: Sequence[Group], columns: Mapping[str, str], bound: float) -> Table:
    """Metrics after training.

    Args:
        groups: arms of one environment.
        columns: metric by column; the first one is what is compared.
        bound: of the first metric, the classical bound: the seeds above it are counted. NaN where none is known.
    """
    name, compared = next(iter(columns.items()))
    titles = [*HEAD, *(f"{title}: mean [95 %]" for title in columns), f"{name} above classical"]
    titles += [f"{name}, {_less(groups)}", "seconds a seed"]
    rows = []
    for group in groups:
        values = group.final(compared)
        cells = [*head(group), *(mean(group.final(metric)) for metric in columns.values())]
        cells += ["-" if values is None else share(values, math.nextafter(bound, math.inf))]
        rows.append([*cells, _gap(groups[0], group, compared), seconds(group)])
    return titles, rows


def crossings(found: Mapping[str, tuple[Crossing, float]]) -> Table:
    """Where the advantage ends.

    Args:
        found: by what was measured, the place and what theory says.
    """
    columns = ["noise", "measured: mean [95 %]", "seeds that cross", "theory", "difference"]
    rows = []
    for name, (place, expected) in found.items():
        difference = number(place.found.estimate - expected, DIGITS)
        crossed = f"{place.seeds} of {place.of}"
        rows.append([name, estimate(place.found, DIGITS), crossed, number(expected, DIGITS), difference])
    return columns, rows
