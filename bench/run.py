"""Times qcsim beside its rivals and stores the result: python bench/run.py --help.

`reference`, `complex`, `single`, `large` and `noisy` are contests on one circuit each, `scaling` is the reference
circuit over many sizes for picture.py, `global` the same with and without a global channel, `training` is the engine
inside a torch training loop. Answers are asserted first.
"""

from __future__ import annotations

import argparse
import json
import re
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import machine
from contest import Workers, beside, compete, workers
from rivals import FAMILIES, HAND_WRITTEN, LIBRARIES
from work import Work

LAYERS = 4
SUBJECTS: dict[str, list[Work]] = {
    "reference": [Work("reference", n, LAYERS, batch) for n, batch in {8: 1024, 9: 1024, 10: 1024, 12: 256}.items()],
    "complex": [Work("complex", 8, LAYERS, 1024)],
    "single": [Work("reference", 9, LAYERS, 1)],
    "large": [Work("large", n, LAYERS, 1) for n in (20, 22, 24)],
    "noisy": [Work("noisy", n, LAYERS, batch) for n, batch in ((6, 1024), (6, 256), (8, 64))],
    "global": [Work("global", 9, LAYERS, 1024)],
    "scaling": [Work("reference", n, LAYERS, min(1024, 2 ** (20 - n))) for n in (4, 6, 8, 9, 10, 12, 14)],
}


def standing(row: dict[str, Any], threads: int) -> dict[str, Any]:
    """Who the best rivals are, how far qcsim is ahead of them, and its share of the machine."""
    times = row["microseconds_per_sample"]

    def best(families: Any) -> str | None:
        return min(
            (name for name in times if times[name]["family"] in families), key=lambda k: times[k]["min"], default=None
        )

    ours = best(["ours"])
    found: dict[str, Any] = {"ours": ours}
    if ours is None:
        return found
    for what, families in {"hand_written": HAND_WRITTEN, "library": LIBRARIES}.items():
        rival = best(families)
        if rival is not None:
            found[what] = {
                "name": rival,
                "ratio_of_minima": times[rival]["min"] / times[ours]["min"],
                "ratio_of_medians": times[rival]["median"] / times[ours]["median"],
            }
    if row["dtype"] == "float32":
        rate = row["limits"]["multiply_adds_per_second"] * threads
        found["share_of_multiply_adds"] = row["multiply_adds"] / (times[ours]["min"] * 1e-6) / rate
    return found


def measure(
    stable: Workers, subject: str, work: Work, threads: int, options: argparse.Namespace
) -> list[dict[str, Any]]:
    """The rows of one circuit, one per mode, with the limits of the same core measured before and after."""
    ours = stable.get("ours", threads)
    before = ours.ask("call", module="machine", function="limits")
    rows = compete(stable, work, options.modes, options.families, threads, options.rounds, without=options.without)
    after = ours.ask("call", module="machine", function="limits")
    found = {key: value if isinstance(value, str) else max(value, after[key]) for key, value in before.items()}
    for row in rows:
        row |= {"subject": subject, "limits": found, "multiply_adds": work.multiply_adds[row["mode"]]}
        row["standing"] = standing(row, threads)
    return rows


def report(row: dict[str, Any]) -> str:
    """A few lines for people."""
    work = Work(*(row[field] for field in Work._fields))
    lines = [f"{row['mode']}: {work.title}, {row['threads']} thread(s)"]
    for name, t in sorted(row["microseconds_per_sample"].items(), key=lambda item: item[1]["min"]):
        lines.append(
            f"  {name:42s} {t['min']:12.2f} min {t['median']:12.2f} median {t['cpu_min']:12.2f} cpu  us/sample"
        )
    place = row["standing"]
    for what in ("hand_written", "library"):
        if what in place:
            lines.append(f"  {place[what]['ratio_of_minima']:.2f}x {place[what]['name']}")
    if "share_of_multiply_adds" in place:
        lines.append(f"  {place['share_of_multiply_adds']:.0%} of the multiply-adds of the machine")
    if row["mode"] == "step":
        lines += [f"  ({name}: {note})" for name, note in row["notes"].items()]
    return "\n".join(lines)


def price(stable: Workers, noisy: Work, threads: int, options: argparse.Namespace) -> list[dict[str, Any]]:
    """What a global channel costs: the circuit with it and without it in turns, one row per mode."""
    works = {"noiseless": noisy._replace(kind="reference"), "noisy": noisy}
    rows = []
    for mode in options.modes:
        times = beside(stable, works, mode, threads, options.rounds)
        ratio = times["noisy"]["min"] / times["noiseless"]["min"]
        row = {"mode": mode, **noisy._asdict(), "rate": noisy.rate, "threads": threads}
        rows.append({**row, "microseconds_per_sample": times, "ratio_of_minima": ratio})
    return rows


def report_price(row: dict[str, Any]) -> str:
    without, noisy = (row["microseconds_per_sample"][label]["min"] for label in ("noiseless", "noisy"))
    return (
        f"{row['mode']}: {row['n']} qubits, batch {row['batch']}, {row['threads']} thread(s): {without:.3f} us/sample, "
        f"with a global channel {noisy:.3f}: {row['ratio_of_minima']:.3f}x"
    )


def report_training(result: dict[str, Any]) -> str:
    one, two = (result["engine_milliseconds"][threads]["min"] for threads in "12")
    return (
        f"training: {result['qubits']} qubits, batch {result['batch']}: {one:.2f} ms a step in the engine on 1 thread, "
        f"{two:.2f} on 2: {result['engine_ratio_of_minima']:.2f}x"
    )


def store(subject: str, body: dict[str, Any], folder: Path) -> Path:
    """Writes one JSON file named after the subject, the processor and the day."""
    folder.mkdir(parents=True, exist_ok=True)
    about = {"subject": subject, "date": datetime.now(timezone.utc).isoformat(timespec="seconds")}
    result = {**about, "machine": machine.describe(), **body}
    slug = re.sub(r"[^a-z0-9]+", "-", result["machine"]["processor"].lower()).strip("-")
    path = folder / f"{subject}-{slug}-{result['date'][:10]}.json"
    path.write_text(json.dumps(result, indent=1) + "\n")
    return path


def chosen(subject: str, options: argparse.Namespace) -> list[Work]:
    """The circuits of a subject, with the sizes and batch that were asked for."""
    works = SUBJECTS[subject]
    if options.qubits is not None:
        sized = {work.n: work for work in works}
        works = [sized.get(n, works[0]._replace(n=n)) for n in options.qubits]
    if options.batch is not None:
        works = [work._replace(batch=options.batch) for work in works]
    return [work._replace(dtype=options.dtype) for work in works]


def arguments(given: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("subjects", nargs="+", choices=[*SUBJECTS, "training"], help="what to measure")
    parser.add_argument("--threads", type=int, nargs="+", default=[1], help="thread counts (default: %(default)s)")
    parser.add_argument("--modes", nargs="+", choices=["step", "forward"], default=["step", "forward"])
    parser.add_argument("--families", nargs="+", choices=list(FAMILIES), default=list(FAMILIES), help="default: all")
    parser.add_argument(
        "--without",
        nargs="*",
        default=[],
        metavar="WORD",
        help="leave out contestants named so, e.g. torch.compile (a minute for every size)",
    )
    parser.add_argument("--qubits", type=int, nargs="+", help="sizes in place of the subject's own")
    parser.add_argument("--batch", type=int, help="samples in place of the subject's own")
    parser.add_argument("--dtype", choices=["float32", "float64"], default="float32", help="default: %(default)s")
    parser.add_argument("--rounds", type=int, default=7, help="timed rounds (default: %(default)s)")
    parser.add_argument("--store", type=Path, metavar="FOLDER", help="write JSON there, e.g. bench/results")
    return parser.parse_args(given)


def main(given: list[str] | None = None) -> None:
    options = arguments(given)
    with workers() as stable:
        for subject in options.subjects:
            body: dict[str, Any]
            if subject == "training":
                body = {"training": stable.get("ours", 2).ask("call", module="training", function="measure")}
                print(report_training(body["training"]), flush=True)
            elif subject == "global":
                body = {"rounds": options.rounds, "price": []}
                for threads in options.threads:
                    for work in chosen(subject, options):
                        body["price"] += price(stable, work, threads, options)
                print("\n".join(report_price(row) for row in body["price"]), flush=True)
            else:
                body = {"rounds": options.rounds, "rows": []}
                for threads in options.threads:
                    for work in chosen(subject, options):
                        for row in measure(stable, subject, work, threads, options):
                            body["rows"].append(row)
                            print(report(row), flush=True)
            if options.store:
                print(store(subject, body, options.store))


if __name__ == "__main__":
    main()
