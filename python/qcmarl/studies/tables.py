"""The tables of the reports, as columns and rows of text. Called by `reports` and by `qcmarl report`.

Every table of trained arms says how they execute, how many seeds and steps they had, and their ratio and clip range;
the line below it says which commit and which processor it comes from.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from qcmarl.studies import statistics
from qcmarl.studies.arms import ARMS
from qcmarl.studies.records import FALLEN, GOAL, GREEDY, SAMPLED, Group
from qcmarl.studies.statistics import Comparison, Interval, Values

Table = tuple[list[str], list[list[str]]]
"""Columns and rows."""
BLIND = {"mean reading": "eval/win_rate_mean_law_sampled", "shuffled reading": "eval/win_rate_shuffled_sampled"}
"""Sampled win rates with a circuit that does not see the observation."""
USE = {
    "total correlation, nats": "policy/total_correlation",
    "its error": "policy/total_correlation_se",
    "information, nats": "policy/outcome_information",
}
"""Logged at the last evaluation in training."""
SIGNIFICANT = 0.05


def number(value: float, digits: int = 2) -> str:
    """A number, or a dash for NaN."""
    return "-" if math.isnan(value) else f"{round(value, digits) + 0.0:.{digits}f}"  # no minus before zeros


def estimate(interval: Interval, digits: int = 2) -> str:
    """0.71 [0.66, 0.76]; without the bounds where there are none."""
    text = number(interval.estimate, digits)
    if math.isnan(interval.low):
        return text
    return f"{text} [{number(interval.low, digits)}, {number(interval.high, digits)}]"


def p_value(value: float) -> str:
    """A p-value to two digits; small ones as a bound."""
    return "-" if math.isnan(value) else "< 0.001" if value < 0.001 else f"{value:.2g}"


def mean_of(values: Values | None) -> str:
    """Mean and interval; a dash where there are none."""
    return "-" if values is None else estimate(statistics.mean_interval(values))


def rates_of(values: Values | None) -> str:
    """Mean and interval of win rates; a dash where there are none."""
    return "-" if values is None else estimate(statistics.rate_interval(values))


def iqm_of(values: Values | None) -> str:
    """Interquartile mean and interval; a dash where there are none."""
    return "-" if values is None else estimate(statistics.iqm_interval([values]))


def clipping(algorithm: Mapping[str, Any]) -> str:
    """Ratio and clip range; a dash for what has none."""
    return f"{algorithm['ratio']}, {algorithm['clip']:g}" if algorithm.get("ratio") else "-"


def _final(group: Group, metric: str) -> Values:
    values = group.final(metric)
    assert values is not None
    return values


def comparisons(
    groups: Sequence[Group], metric: str | None = None, measure: Callable[[Group, str], Values] = _final
) -> list[Comparison | None]:
    """Every group against the first, which itself has none.

    Args:
        groups: at least one.
        metric: win rate that is compared; None: as `alike` has it.
        measure: of a group and a win rate to (S,) values.
    """
    of = [metric or alike(group, groups[0]) for group in groups[1:]]
    pairs = [(measure(group, m), measure(groups[0], m)) for group, m in zip(groups[1:], of, strict=True)]
    return [None, *statistics.compare(pairs)]


def alike(group: Group, other: Group) -> str:
    """The win rate that two groups are compared by: as one would deploy them, and greedily if one of them is."""
    return GREEDY if GREEDY in (group.deployed, other.deployed) else SAMPLED


def quality(groups: Sequence[Group]) -> Table:
    """Win rates after training.

    Args:
        groups: of one environment; the others are tested against the first.
    """
    columns = ["arm", "execution", "ratio, clip", "seeds", "steps", "greedy: mean [95 %]", "sampled: mean [95 %]"]
    columns += ["deployed: IQM [95 %]", "over training", "p, greedy", "p, deployed", "p, over training", "P(better)"]
    tests = zip(
        comparisons(groups, GREEDY), comparisons(groups), comparisons(groups, None, Group.over_training), strict=True
    )
    rows = []
    for group, (greedy, deployed, trained) in zip(groups, tests, strict=True):
        cells = [group.title, ARMS[group.arm].execution, clipping(group.algorithm), str(group.seeds)]
        cells += [f"{group.steps:,}", rates_of(group.final(GREEDY)), rates_of(group.final(SAMPLED))]
        cells += [iqm_of(group.final(group.deployed)), rates_of(group.over_training())]
        if greedy is None or deployed is None or trained is None:
            cells += [""] * 4
        else:
            cells += [p_value(found.p) for found in (greedy, deployed, trained)] + [number(deployed.improvement)]
        rows.append(cells)
    return columns, rows


def use_of_circuit(groups: Sequence[Group]) -> Table:
    """What a joint law or a circuit is used for: win rates with a reading that knows nothing of the observation, total
    correlation, information. Arms that have none of it are left out."""
    columns = ["arm", "execution", "ratio, clip", "seeds", "steps", "sampled, as trained", *BLIND, *USE]
    rows = []
    for group in groups:
        replaced = [group.final(metric, some=True) for metric in BLIND.values()]
        logged = [group.last(metric) for metric in USE.values()]
        if any(values is not None for values in (*replaced, *logged)):
            cells = [group.title, ARMS[group.arm].execution, clipping(group.algorithm), str(group.seeds)]
            cells += [f"{group.steps:,}", rates_of(group.final(SAMPLED))]
            cells += [_of_some(values, group.seeds) for values in replaced]
            rows.append([*cells, *("-" if v is None else f"{np.mean(v):.2g}" for v in logged)])
    return columns, rows


def _of_some(values: Values | None, seeds: int) -> str:
    """As `rates_of`; says how many seeds it is of where they are not all."""
    return rates_of(values) + ("" if values is None or len(values) == seeds else f" ({len(values)} of {seeds} seeds)")


def cost(groups: Sequence[Group]) -> Table:
    """Sizes and times.

    Args:
        groups: of one environment; times are compared with the first's.
    """
    columns = [
        "arm",
        "execution",
        "ratio, clip",
        "seeds",
        "steps",
        "parameters of the actor",
        "of the mixer",
        "minutes: median [range]",
    ]
    columns += ["times the first", "steps/s", "processes at once", "where the time goes"]
    first = np.median(groups[0].minutes())
    rows = []
    for group in groups:
        sizes, minutes = group.results[0]["parameters"], group.minutes()
        cells = [group.title, ARMS[group.arm].execution, clipping(group.algorithm), str(group.seeds)]
        cells += [f"{group.steps:,}", f"{sizes['actor']:,}", f"{sizes['mixer']:,}" if "mixer" in sizes else "-"]
        cells += [estimate(_spread(minutes), 1), number(float(np.median(minutes) / first))]
        cells += [f"{np.median(group.time_of('env_steps_per_second')):,.0f}", span(group.time_of("at_once"))]
        cells += [", ".join(f"{name} {share:.0%}" for name, share in group.shares().items())]
        rows.append(cells)
    return columns, rows


def _spread(values: Any) -> Interval:
    """Median and range: times of a machine that was busy elsewhere for a while make a mean worthless."""
    return Interval(float(np.median(values)), float(np.min(values)), float(np.max(values)))


def span(values: Any) -> str:
    """2-5, or 2 where all are."""
    low, high = int(min(values)), int(max(values))
    return str(low) if low == high else f"{low}-{high}"


def time_to_goal(groups: Sequence[Group]) -> Table:
    """How long until an evaluation in training, of the arm as one would deploy it, wins 0.8 of its battles."""
    columns = ["arm", "execution", "ratio, clip", "seeds", "steps", f"seeds that reach {GOAL:g}"]
    columns += [f"of them fell below {FALLEN:g} again", "million steps until then: mean [95 %]"]
    columns += ["minutes until then: median [range]"]
    rows = []
    for group in groups:
        reached = group.reached()
        cells = [group.title, ARMS[group.arm].execution, clipping(group.algorithm), str(group.seeds)]
        cells += [f"{group.steps:,}", f"{len(reached)} of {group.seeds}"]
        if reached:
            steps, minutes = np.array(reached).T
            cells += [str(group.fallen()), estimate(statistics.mean_interval(steps / 1e6, 0.0))]
            cells += [estimate(_spread(minutes), 1)]
        else:
            cells += ["-", "-", "-"]
        rows.append(cells)
    return columns, rows


def verdict(groups: Sequence[Group]) -> str:
    """What the tests say, in a sentence."""
    if len(groups) < 2:
        return ""
    first = groups[0].title
    single = [group.title for group in groups[1:] if group.seeds < 2]
    if groups[0].seeds < 2 or len(single) == len(groups) - 1:
        return f"With one seed there is no test against {first}."
    untested = f" With one seed there is no test of {', '.join(single)}." if single else ""
    differ = []
    for group, found in zip(groups, comparisons(groups), strict=True):
        if found is not None and found.p < SIGNIFICANT:
            ours, theirs = (np.mean(_final(g, alike(group, groups[0]))) for g in (group, groups[0]))
            word = "above" if ours > theirs else "below"
            differ.append(f"{group.title} ({word}, p {p_value(found.p)})")
    level = f"from that of {first} at the 5 % level (Welch, Holm)"
    if not differ:
        return f"No arm's win rate as deployed differs {level}.{untested}"
    return f"Win rates as deployed that differ {level}: {', '.join(differ)}.{untested}"


def sources(groups: Sequence[Group]) -> str:
    """Commits and processors behind the numbers, and what the battles were."""
    battles = sorted({result["settings"]["final"]["battles"] for group in groups for result in group.results})
    played = "/".join(map(str, battles))
    return f"{groups[0].env}; {played} battles of each kind after training; {origin(groups)}."


def origin(groups: Sequence[Group]) -> str:
    """Commits and processors behind the numbers."""
    results = [result for group in groups for result in group.results]
    commits = sorted(
        {str(result["commit"])[:10] + ("+" if str(result["commit"]).endswith("+") else "") for result in results}
    )
    processors = sorted({result["time"]["processor"] for result in results})
    return f"commit {', '.join(commits)}; {', '.join(processors)}"
