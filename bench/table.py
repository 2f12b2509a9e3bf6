"""Renders stored results as Markdown: python bench/table.py bench/results/reference-*.json

With --update FILE it rewrites what stands between the lines `<!-- bench:SUBJECT -->` and `<!-- /bench:SUBJECT -->` for
each subject that the file has marks of, so that no figure in a document is typed by hand.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

from card import table as on_a_card
from rivals import FAMILIES

TITLES = {"step": "forward + backward", "forward": "forward"}
UNITS = {"large": (1e-3, "Milliseconds a run")}  # others: microseconds a sample
RATIOS = {"hand_written": "ahead of the best hand-written program", "library": "ahead of the fastest library"}


def number(value: float) -> str:
    """Three significant digits without an exponent."""
    return f"{value:.3g}" if value < 1000 else f"{value:.0f}"


def contestants(row: dict[str, Any], brief: bool) -> dict[str, float]:
    """Shortest times by name; in brief, of every family only its fastest, under the family's name."""
    times = row["microseconds_per_sample"]
    if not brief:
        return {name: t["min"] for name, t in times.items()}
    fastest: dict[str, float] = {}
    for t in times.values():
        label = FAMILIES[t["family"]]
        fastest[label] = min(t["min"], fastest.get(label, t["min"]))
    return fastest


def column(row: dict[str, Any]) -> str:
    return f"{row['n']} qubits" if row["kind"] == "large" else f"{row['n']} qubits, B = {row['batch']}"


def table(rows: list[dict[str, Any]], mode: str, threads: int, brief: bool = False) -> str:
    """One Markdown table: contestants down, sizes across, shortest times."""
    chosen = sorted(
        (r for r in rows if (r["mode"], r["threads"]) == (mode, threads)), key=lambda r: (r["n"], r["batch"])
    )
    scale, _ = UNITS.get(chosen[0]["subject"], (1.0, ""))
    cells = [contestants(row, brief) for row in chosen]
    order = {label: place for place, label in enumerate(FAMILIES.values())}
    names = list(dict.fromkeys(name for column_of in cells for name in column_of))
    names.sort(key=lambda name: (order[name],) if brief else (not name.startswith("qcsim"),))
    thread = "1 thread" if threads == 1 else f"{threads} threads"
    heads = [f"{TITLES[mode]}, {thread}", *(column(row) for row in chosen)]
    lines = ["| " + " | ".join(heads) + " |", "|---|" + "---|" * len(chosen)]
    for name in names:
        texts = [number(scale * times[name]) if name in times else "-" for times in cells]
        shown = f"**{name}**" if name.startswith("qcsim") else name
        lines.append(f"| {shown} | " + " | ".join(texts) + " |")
    for what, words in RATIOS.items():
        if any(what in row["standing"] for row in chosen):
            found = [row["standing"].get(what) for row in chosen]
            texts = [f"x{ratio['ratio_of_minima']:.1f}" if ratio else "-" for ratio in found]
            lines.append(f"| {words} | " + " | ".join(texts) + " |")
    # Of a U3 the engine does less than the gate by gate sweep that is counted: its share would say nothing.
    shares = [row["standing"].get("share_of_multiply_adds") for row in chosen if row["kind"] != "complex"]
    if shares and all(share is not None for share in shares):
        lines.append(
            "| share of the machine's multiply-adds | " + " | ".join(f"{share:.0%}" for share in shares) + " |"
        )
    return "\n".join(lines)


def training(result: dict[str, Any]) -> str:
    """The table of the training loop."""
    found = result["training"]
    lines = [
        f"| {found['qubits']} qubits, B = {found['batch']}, torch on {found['torch_threads']} threads "
        "| engine on 1 thread | on 2 threads | ratio |",
        "|---|---|---|---|",
    ]
    for what, words in {"engine": "in the engine", "step": "the whole step"}.items():
        one, two = (found[f"{what}_milliseconds"][threads]["min"] for threads in "12")
        lines.append(f"| {words}, ms | {number(one)} | {number(two)} | x{one / two:.2f} |")
    return "\n".join(lines)


def qnode(result: dict[str, Any]) -> str:
    """The table of a QNode on several devices."""
    found = result["qnode"]
    wide, single = ({row["dtype"]: row for row in found["rows"]}[dtype] for dtype in ("float64", "float32"))
    lines = [
        f"| {found['qubits']} qubits, {found['layers']} layers, B = {wide['batch']}, 1 thread "
        "| float32, ms | ahead of default.qubit | float64, ms | ahead of default.qubit |",
        "|---|---|---|---|---|",
    ]
    for name in wide["milliseconds"]:
        cells = []
        for row in (single, wide):
            cells += [number(row["milliseconds"][name]["min"]), f"x{row['default_qubit_over'][name]:.1f}"]
        shown = f"**{name}**" if name.startswith("qcsim") else name
        lines.append(f"| {shown} | " + " | ".join(cells) + " |")
    slow = found["lightning"]
    lines.append(
        f"| lightning.qubit, one sample instead of {wide['batch']} | - | - | {number(1e3 * slow['seconds'])} | - |"
    )
    return "\n".join(lines)


def price(result: dict[str, Any]) -> str:
    """The table of what a global channel costs."""
    rows = result["price"]
    first = rows[0]
    lines = [
        f"| {first['n']} qubits, B = {first['batch']}, e = {first['rate']:g} | without noise | with it | ratio |",
        "|---|---|---|---|",
    ]
    for row in rows:
        threads = "1 thread" if row["threads"] == 1 else f"{row['threads']} threads"
        without, noisy = (row["microseconds_per_sample"][label]["min"] for label in ("noiseless", "noisy"))
        ratio = f"x{row['ratio_of_minima']:.2f}"
        lines.append(f"| {TITLES[row['mode']]}, {threads} | {number(without)} | {number(noisy)} | {ratio} |")
    return "\n".join(lines)


def primitives(result: dict[str, Any]) -> str:
    """The table of Qiskit's primitives."""
    rows = result["primitives"]
    names = list(rows[0]["milliseconds"])
    others = [name for name in names if name != "qcsim"]
    heads = ["one PUB, 1 thread", "qubits", "parameter values", *names, *(f"ahead of {name}" for name in others)]
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for row in rows:
        times = {name: t["min"] for name, t in row["milliseconds"].items()}
        ratios = [f"x{number(times[name] / times['qcsim'])}" for name in others]
        cells = [row["title"], str(row["n"]), str(row["values"]), *(number(times[name]) for name in names), *ratios]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def origin(result: dict[str, Any]) -> str:
    """What was measured on, in one paragraph."""
    machine = result["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    where = f"{machine['processor']}, {machine['qcsim']['isa']}, {machine['qcsim']['compiler']}, {versions}"
    if "rows" not in result:
        units = {"price": "Microseconds a sample, the", "primitives": "Milliseconds from run to result, the"}
        unit = next((words for key, words in units.items() if key in result), "The")
        when = f"commit {machine['commit']}, {result['date'][:10]}"
        return f"{unit} shortest of several interleaved rounds. {where}, {when}."
    first = result["rows"][0]
    _, unit = UNITS.get(first["subject"], (1.0, "Microseconds a sample"))
    limits = first["limits"]
    return (
        f"{unit}, the shortest of {result['rounds']} interleaved rounds; {first['layers']} layers, {first['dtype']}. "
        f"One core does {limits['multiply_adds_per_second'] / 1e9:.1f} G multiply-adds a second "
        f"({limits['multiply_adds_by']}). "
        f"{where}, commit {machine['commit']}, {result['date'][:10]}."
    )


def render(result: dict[str, Any], brief: bool = False) -> str:
    """All tables of one stored result, with what it was measured on."""
    if result["subject"] == "cuda":
        return f"```text\n{on_a_card.text(result)}\n```\n\nCommit {result['machine']['commit']}, {result['date'][:10]}."
    if "training" in result:
        return f"{training(result)}\n\n{origin(result)}"
    if "qnode" in result:
        return f"{qnode(result)}\n\n{origin(result)}"
    if "price" in result:
        return f"{price(result)}\n\n{origin(result)}"
    if "primitives" in result:
        return f"{primitives(result)}\n\n{origin(result)}"
    rows = result["rows"]
    pairs = list(dict.fromkeys((row["mode"], row["threads"]) for row in rows))
    order = sorted(pairs, key=lambda pair: (pair[1], pair[0] != "step"))
    return "\n\n".join([*(table(rows, *pair, brief) for pair in order), origin(result)])


def marks(subject: str) -> tuple[str, str]:
    return f"<!-- bench:{subject} -->", f"<!-- /bench:{subject} -->"


def updated(document: str, text: str, subject: str = "reference") -> str:
    """The document with `text` between the marks of a subject.

    Raises:
        ValueError: if the document does not hold both marks once, in order.
    """
    begin, end = marks(subject)
    pattern = re.compile(re.escape(begin) + r".*?" + re.escape(end), re.DOTALL)
    if len(pattern.findall(document)) != 1:
        raise ValueError(f"the document must hold {begin} ... {end} exactly once")
    return pattern.sub(lambda _: f"{begin}\n{text}\n{end}", document)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, nargs="+", help="JSON files written by run.py --store")
    parser.add_argument("--brief", action="store_true", help="one line for each family: its fastest contestant")
    parser.add_argument("--update", type=Path, metavar="FILE", help="put the tables between the marks of this file")
    options = parser.parse_args()
    texts = {}
    for path in options.results:
        result = json.loads(path.read_text())
        texts[result["subject"]] = render(result, options.brief)
    if options.update is None:
        print("\n\n".join(texts.values()))
        return
    document = options.update.read_text()
    here = {subject: text for subject, text in texts.items() if marks(subject)[0] in document}
    if not here:
        parser.error(f"{options.update} has no marks such as {marks(next(iter(texts)))[0]}")
    for subject, text in here.items():
        document = updated(document, text, subject)
    options.update.write_text(document)


if __name__ == "__main__":
    main()
