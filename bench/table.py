"""Renders stored results as the README's tables: python bench/table.py bench/results/reference-*.json

With --update FILE it rewrites what stands between the lines `<!-- bench:reference -->` and `<!-- /bench:reference -->`,
so that no figure in a document is typed by hand.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

TITLES = {"step": "forward + backward", "forward": "forward"}


def number(value: float) -> str:
    """Three significant digits without an exponent."""
    return f"{value:.3g}" if value < 1000 else f"{value:.0f}"


def table(rows: list[dict[str, Any]], mode: str, threads: int) -> str:
    """One Markdown table: contestants down, sizes across, microseconds per sample (minimum)."""
    chosen = sorted((r for r in rows if (r["mode"], r["threads"]) == (mode, threads)), key=lambda r: r["qubits"])
    names = list(dict.fromkeys(name for row in chosen for name in row["microseconds_per_sample"]))
    columns = [f"{row['qubits']} qubits, B = {row['batch']}" for row in chosen]
    thread = "1 thread" if threads == 1 else f"{threads} threads"
    lines = [f"| {TITLES[mode]}, {thread} | " + " | ".join(columns) + " |", "|---|" + "---|" * len(columns)]
    for name in names:
        cells = [row["microseconds_per_sample"].get(name) for row in chosen]
        texts = ["-" if cell is None else number(cell["min"]) for cell in cells]
        shown = f"**{name}**" if name == "qcsim" else f"torch: {name}"
        lines.append(f"| {shown} | " + " | ".join(texts) + " |")
    lines.append(
        "| qcsim against the best of them | " + " | ".join(f"x{r['ratio_of_minima']:.1f}" for r in chosen) + " |"
    )
    return "\n".join(lines)


def render(result: dict[str, Any]) -> str:
    """All tables of one stored result, with what it was measured on."""
    rows, machine = result["rows"], result["machine"]
    pairs = list(dict.fromkeys((row["mode"], row["threads"]) for row in rows))
    order = sorted(pairs, key=lambda pair: (pair[1], pair[0] != "step"))
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    footer = (
        f"Microseconds per sample, the shortest of {result['rounds']} interleaved rounds; {result['work']}. "
        f"{machine['processor']}, {machine['qcsim']['isa']}, {machine['qcsim']['compiler']}, {versions}, "
        f"commit {machine['commit']}, {result['date'][:10]}."
    )
    return "\n\n".join([*(table(rows, *pair) for pair in order), footer])


def updated(document: str, text: str, subject: str = "reference") -> str:
    """The document with `text` between the marks of a subject.

    Raises:
        ValueError: if the document does not hold both marks once, in order.
    """
    begin, end = f"<!-- bench:{subject} -->", f"<!-- /bench:{subject} -->"
    pattern = re.compile(re.escape(begin) + r".*?" + re.escape(end), re.DOTALL)
    if len(pattern.findall(document)) != 1:
        raise ValueError(f"the document must hold {begin} ... {end} exactly once")
    return pattern.sub(lambda _: f"{begin}\n{text}\n{end}", document)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, nargs="+", help="JSON files written by reference.py --store")
    parser.add_argument("--update", type=Path, metavar="FILE", help="put the tables between the marks of this file")
    options = parser.parse_args()
    text = "\n\n".join(render(json.loads(path.read_text())) for path in options.results)
    if options.update:
        options.update.write_text(updated(options.update.read_text(), text))
    else:
        print(text)


if __name__ == "__main__":
    main()
