"""Final win rates, speed and use of the circuit of finished runs: python bench/learning.py runs/8m9m/*

Plays many more battles with each run's last checkpoint than training did, prints one row for each group of runs that
differ in the seed only, and with --store keeps the figures of every run as JSON. --update FILE rewrites what stands
between the marks `<!-- bench:NAME -->` of a document, NAME being the stem of --store.
"""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path
from typing import Any

import machine
from table import updated

from qcmarl import rundir
from qcmarl.evaluation import evaluate_run

NAMES = {
    "mappo": "MAPPO",
    "quantum": "QC-MAPPO, {readout}",
    "linear": "linear layer in place of the circuit, {readout}",
    "none": "no circuit, {readout}",
}
RATES = {
    "greedy": "eval/win_rate",
    "sampled": "eval/win_rate_sampled",
    "greedy, mean law": "eval/win_rate_mean_law",
    "sampled, mean law": "eval/win_rate_mean_law_sampled",
}
LATE = 5
"""Evaluations at the end of a run whose mean tells a lasting win rate from a lucky or unlucky last checkpoint."""
SHARES = ("environment", "acting", "circuit", "update")


def measured(directory: Path, battles: int) -> dict[str, Any]:
    """The figures of one run."""
    config, lines = rundir.read_config(directory), rundir.read_metrics(directory)
    settings = config["algorithm"]
    rates = evaluate_run(directory, battles, mean_law="readout" in settings, seed=1_000_003, threads=1)
    last = lines[-1]
    return {
        "run": directory.name,
        "name": actor(config["algo"], settings),
        "env": config["run"]["env"],
        "ratio": settings["ratio"],
        "clip": settings["clip"],
        "seed": config["run"]["seed"],
        "env_steps": last["env_steps"],
        "wall_seconds": last["wall_seconds"],
        "shares": {share: weighted_share(lines, share) for share in SHARES},
        "first_steps_at_half": next((x["env_steps"] for x in lines if x.get("train/win_rate", 0) >= 0.5), None),
        "late_sampled": statistics.mean([x[RATES["sampled"]] for x in lines if RATES["sampled"] in x][-LATE:]),
        "total_correlation": next(
            (x["policy/total_correlation"] for x in reversed(lines) if "policy/total_correlation" in x), None
        ),
        **{name: rates[name] for name in RATES.values() if name in rates},
        "commit": config["git"],
    }


def actor(algo: str, settings: dict[str, Any]) -> str:
    """What acted, in words; the number of measured qubits where it is not the readout's default."""
    name = NAMES[settings.get("circuit", algo)].format(**settings)
    usual = {"factored": "all", "outcome": 4}.get(settings.get("readout", ""))
    measured_qubits = settings.get("measured_qubits", usual)
    return name if measured_qubits == usual else f"{name}, {measured_qubits} qubits measured"


def weighted_share(lines: list[dict[str, float]], share: str) -> float | None:
    """Share of the whole run's time from the shares of its iterations."""
    key = f"time/{share}_share"
    found = [(x[key], 1 / x["time/env_steps_per_second"]) for x in lines if key in x]
    return sum(a * b for a, b in found) / sum(b for _, b in found) if found else None


def spread(values: list[float]) -> str:
    """Mean and standard deviation over seeds."""
    deviation = f" ± {statistics.stdev(values):.2f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.2f}{deviation}"


def rendered(rows: list[dict[str, Any]], battles: int) -> str:
    """One Markdown row for each group."""
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["name"], row["ratio"], row["clip"]), []).append(row)
    head = [
        "actor",
        "ratio, clip",
        "seeds",
        *RATES,
        "sampled, late",
        "half won at",
        "steps/s",
        "environment / acting / update (circuit)",
    ]
    text = ["| " + " | ".join(head) + " |", "|---|---|" + "---|" * (len(head) - 2)]
    for (name, ratio, clip), group in groups.items():
        cells = [name, f"{ratio}, {clip:g}", str(len(group))]
        for rate in RATES.values():
            cells.append(spread([row[rate] for row in group]) if rate in group[0] else "-")
        cells.append(spread([row["late_sampled"] for row in group]))
        halves = [row["first_steps_at_half"] for row in group if row["first_steps_at_half"]]
        cells.append(f"{statistics.mean(halves) / 1e6:.2f} M" if len(halves) == len(group) else "not by all")
        cells.append(f"{statistics.mean(row['env_steps'] / row['wall_seconds'] for row in group):,.0f}")
        mean = {s: statistics.mean(row["shares"][s] or 0 for row in group) for s in SHARES}
        cells.append(f"{mean['environment']:.0%} / {mean['acting']:.0%} / {mean['update']:.0%} ({mean['circuit']:.0%})")
        text.append("| " + " | ".join(cells) + " |")
    steps = {row["env_steps"] for row in rows}
    text.append("")
    text.append(
        f"{rows[0]['env']}, {max(steps):,} environment steps; mean and standard deviation over seeds of the last "
        f"checkpoint's win rate in {battles} battles of each kind; late: of the last {LATE} evaluations in training. "
        f"{machine.processor()}."
    )
    return "\n".join(text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="+", help="run directories of one environment")
    parser.add_argument("--battles", type=int, default=512, help="of each kind and run")
    parser.add_argument("--store", type=Path, metavar="FILE", help="write the figures of every run there, as JSON")
    parser.add_argument("--update", type=Path, metavar="FILE", help="put the table between the marks of this document")
    options = parser.parse_args()
    rows = [measured(directory, options.battles) for directory in options.runs]
    text = rendered(rows, options.battles)
    print(text)
    if options.store:
        described = {"battles": options.battles, "processor": machine.processor(), "runs": rows}
        options.store.write_text(json.dumps(described, indent=1) + "\n")
    if options.update:
        document = options.update.read_text()
        options.update.write_text(updated(document, text, (options.store or Path("learning")).stem))


if __name__ == "__main__":
    main()
