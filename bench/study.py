"""Tables of stored studies for the documents: python bench/study.py docs/results/study README.md docs/results.md

Rewrites what stands between the marks `<!-- bench:study-MAP-TABLE -->` of each document, where TABLE is one of
`main`, `quality`, `steps`, `use` and `goal`, and `<!-- bench:entanglement-TABLE -->`, TABLE one of `games` and
`queue`, from the results below DIRECTORY/results; and `<!-- bench:report-noise -->` from the full report, which
`qcmarl study --report-only` writes before.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from table import updated

from qcmarl.studies import pages, tables
from qcmarl.studies.arms import ARMS
from qcmarl.studies.catalogue import TRAINED_UNDER_NOISE
from qcmarl.studies.entanglement import parts, references
from qcmarl.studies.entanglement import tables as entangled
from qcmarl.studies.entanglement.arms import ENTANGLED, RESOURCES
from qcmarl.studies.entanglement.report import QUEUE_METRICS
from qcmarl.studies.records import Group, groups_of

MARK = re.compile(r"<!-- bench:(study-(\w+)-(\w+)) -->")
ENTANGLEMENT = re.compile(r"<!-- bench:(entanglement-(games|queue)) -->")
NOISE = "report-noise"
MAIN = ("mappo", "attention-mappo", "qmix", "qc-factored", "qc-outcome", "linear", "no-circuit", "no-cnot", "frozen")
SHORT = ("arm", "execution", "ratio, clip", "seeds", "greedy: mean [95 %]", "sampled: mean [95 %]", "p, deployed")
SPEED = ("over training", "p, over training")
OTHER_STEPS = ("mappo-undo", "qc-undo", "qc-narrow")
"""Arms that differ in how the actor steps, and in its width; they have a table of their own."""
Tabled = Callable[[Sequence[Group]], tables.Table]
Groups = Mapping[str, Mapping[str, Group]]
"""By environment and arm."""


def quality(groups: Sequence[Group]) -> tables.Table:
    """Win rates after training and over it, each with its test."""
    return picked(tables.quality(groups), (*SHORT, *SPEED))


def picked(table: tables.Table, names: Sequence[str]) -> tables.Table:
    """Some columns of a table."""
    columns, rows = table
    where = [columns.index(name) for name in names]
    return list(names), [[row[i] for i in where] for row in rows]


def main_quality(groups: Sequence[Group]) -> tables.Table:
    """The same of the arms that say most; corrected for all of them, so that both tables have the same p."""
    columns, rows = quality(groups)
    return columns, [row for group, row in zip(groups, rows, strict=True) if group.arm in MAIN]


def steps(groups: Sequence[Group]) -> tables.Table:
    """How the actor steps: win rates and falls."""
    columns, rows = picked(
        tables.quality(groups), ("arm", "ratio, clip", "seeds", "sampled: mean [95 %]", "over training")
    )
    goal = tables.time_to_goal(groups)
    more, beside = picked(goal, [name for name in goal[0] if "0.8" in name or "fell" in name or "steps until" in name])
    return [*columns, *more], [row + other for row, other in zip(rows, beside, strict=True)]


def compared(groups: Mapping[str, Group], table: str) -> list[Group]:
    """The arms of a table, of those of a map."""
    if table == "steps":
        return [groups[name] for name in ("mappo", "qc-factored", *OTHER_STEPS) if name in groups]
    return [group for name, group in groups.items() if name not in (*TRAINED_UNDER_NOISE, *OTHER_STEPS)]


TABLES: dict[str, Tabled] = {
    "main": main_quality,
    "steps": steps,
    "quality": quality,
    "use": tables.use_of_circuit,
    "goal": tables.time_to_goal,
}


def games(groups: Groups) -> str:
    """What was learned in each game, by what the agents share, between the values that theory knows."""
    rows, drawn_from = [], []
    for env in parts.GAMES:
        arms, values = groups[env], references.values_of(env)
        assert values is not None
        learned = [entangled.mean(entangled.greedy(arms[arm])) for arm in RESOURCES]
        rows.append(
            [env, f"{values.classical:.4f}", *learned, f"{values.quantum:.4f}", entangled.seconds(arms[ENTANGLED])]
        )
        drawn_from += [arms[arm] for arm in RESOURCES]
    titles = [drawn_from[i].title for i in range(len(RESOURCES))]
    columns = ["game", "best classical", *titles, "quantum", "seconds a seed"]
    made = f"{drawn_from[0].seeds} seeds, {drawn_from[0].steps:,} rounds; {tables.origin(drawn_from)}."
    return f"{pages.table(columns, rows)}\n\n{made}"


def queue(groups: Groups) -> str:
    """What was learned in the queue, and the certified bounds."""
    (env,) = parts.QUEUES
    bounds, arms = references.queue_bounds(env), [groups[env][arm] for arm in RESOURCES]
    metrics = {name: QUEUE_METRICS[name] for name in ("return", "throughput", "waiting time")}
    rows = [
        ["classical policy of the largest return (certified)", *(f"{bounds[name].classical:.4f}" for name in metrics)]
    ]
    rows += [[arm.title, *(entangled.mean(arm.final(metric)) for metric in metrics.values())] for arm in arms]
    rows += [
        ["entangled policy of the largest return (certified)", *(f"{bounds[name].quantum:.4f}" for name in metrics)]
    ]
    made = f"{arms[0].seeds} seeds, {arms[0].steps:,} steps; {tables.origin(arms)}."
    return f"{pages.table(['policy', *metrics], rows)}\n\n{made}"


def noise(directory: Path) -> str:
    """The sampled win rates over noise, as the full report has them."""
    page = (directory / "report" / "noise.md").read_text()
    section = page.split("### Win rate, sampled\n\n", 1)[1]
    return "\n\n".join(section.split("\n\n", 2)[:2])


def read(directory: Path) -> dict[str, dict[str, Group]]:
    """Groups by environment and arm, arms in their own order."""
    files = sorted((directory / "results").rglob("*.json"))
    found: dict[str, dict[str, Any]] = {str(file): json.loads(file.read_text()) for file in files}
    groups = groups_of(found)
    return {env: {name: arms[name] for name in ARMS if name in arms} for env, arms in groups.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path, help="of the study: its results are read")
    parser.add_argument("documents", type=Path, nargs="+", help="Markdown files that are rewritten")
    options = parser.parse_args()
    groups = read(options.directory)
    for path in options.documents:
        document = path.read_text()
        for subject, map_name, table in MARK.findall(document):
            chosen = compared(groups[f"skirmish:{map_name}"], table)
            text = f"{pages.table(*TABLES[table](chosen))}\n\n{tables.sources(chosen)}"
            document = updated(document, text, subject)
        for subject, table in ENTANGLEMENT.findall(document):
            document = updated(document, {"games": games, "queue": queue}[table](groups), subject)
        if f"<!-- bench:{NOISE} -->" in document:
            document = updated(document, noise(options.directory), NOISE)
        path.write_text(document)


if __name__ == "__main__":
    main()
