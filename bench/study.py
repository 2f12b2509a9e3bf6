"""Tables of stored studies for the documents: python bench/study.py docs/results/study README.md docs/results.md

Rewrites what stands between the marks `<!-- bench:study-MAP-TABLE -->` of each document, where TABLE is one of
`quality`, `use` and `goal`, from the results below DIRECTORY/results. The full reports: `qcmarl study --report-only`.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from table import updated

from qcmarl.studies import pages, tables
from qcmarl.studies.arms import ARMS
from qcmarl.studies.records import Group, groups_of

MARK = re.compile(r"<!-- bench:(study-(\w+)-(\w+)) -->")
SHORT = ("arm", "execution", "ratio, clip", "seeds", "greedy: mean [95 %]", "sampled: mean [95 %]", "over training")
Tabled = Callable[[Sequence[Group]], tables.Table]


def quality(groups: Sequence[Group]) -> tables.Table:
    """Win rates after training and over it, and the test of the sampled ones."""
    return picked(tables.quality(groups), (*SHORT, "p, sampled"))


def picked(table: tables.Table, names: Sequence[str]) -> tables.Table:
    """Some columns of a table."""
    columns, rows = table
    where = [columns.index(name) for name in names]
    return list(names), [[row[i] for i in where] for row in rows]


TABLES: dict[str, Tabled] = {"quality": quality, "use": tables.use_of_circuit, "goal": tables.time_to_goal}


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
            chosen = list(groups[f"skirmish:{map_name}"].values())
            text = f"{pages.table(*TABLES[table](chosen))}\n\n{tables.sources(chosen)}"
            document = updated(document, text, subject)
        path.write_text(document)


if __name__ == "__main__":
    main()
