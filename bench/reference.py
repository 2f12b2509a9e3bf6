"""Times qcsim beside its rivals on the reference work and stores the result: python bench/reference.py --help.

All contestants run in one process, in turns (a round is one run of each), so that a slow spell of the machine hits
all of them; the answers are asserted first. Prints a table; --store writes JSON for table.py.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import machine
import torch
from workload import BATCH, LAYERS, Workload, assert_answers, contestants, forward, step, workload

MODES = {"step": step, "forward": forward}
SLOW = {"whole unitary": 10}  # left out above this number of qubits: seconds a call, and no contest


def timed_rounds(programs: dict[str, Any], work: Workload, mode: str, rounds: int) -> dict[str, list[list[float]]]:
    """For every contestant, [wall, process CPU] seconds of each round; the first, discarded round warms up."""
    times: dict[str, list[list[float]]] = {name: [] for name in programs}
    for turn in range(rounds + 1):
        for name, program in programs.items():
            wall, cpu = time.perf_counter(), time.process_time()
            MODES[mode](program, work)
            spent = [time.perf_counter() - wall, time.process_time() - cpu]
            if turn:
                times[name].append(spent)
    return times


def summary(times: list[list[float]], batch: int) -> dict[str, float]:
    """Microseconds per sample."""
    wall, cpu = ([1e6 * t / batch for t in column] for column in zip(*times, strict=True))
    return {"min": min(wall), "median": statistics.median(wall), "cpu_min": min(cpu)}


def measure(n: int, threads: int, mode: str, options: argparse.Namespace) -> dict[str, Any]:
    """One row of the result: every contestant at one size, thread count and mode."""
    torch.set_num_threads(threads)
    work = workload(n, options.batch)
    programs = contestants(n, compiled=options.compiled)
    programs = {name: program for name, program in programs.items() if n <= SLOW.get(name, n)}
    assert_answers(programs, work)
    batch = len(work.amplitudes)
    times = {name: summary(t, batch) for name, t in timed_rounds(programs, work, mode, options.rounds).items()}
    rate = machine.multiply_adds_per_second()
    best = min((name for name in times if name != "qcsim"), key=lambda name: times[name]["min"])
    return {
        "mode": mode,
        "qubits": n,
        "batch": batch,
        "layers": work.layers,
        "threads": threads,
        "microseconds_per_sample": times,
        "best_rival": best,
        "ratio_of_minima": times[best]["min"] / times["qcsim"]["min"],
        "ratio_of_medians": times[best]["median"] / times["qcsim"]["median"],
        "machine_multiply_adds_per_second": rate,
        "share_of_multiply_adds": work.multiply_adds[mode] / (times["qcsim"]["min"] * 1e-6) / rate,
    }


def report(row: dict[str, Any]) -> str:
    """A few lines for people."""
    title = f"{row['mode']}: {row['qubits']} qubits, batch {row['batch']}, {row['threads']} thread(s)"
    lines = [
        f"{title}: {row['ratio_of_minima']:.1f}x the best rival, {row['share_of_multiply_adds']:.0%} of the machine"
    ]
    for name, t in sorted(row["microseconds_per_sample"].items(), key=lambda item: item[1]["min"]):
        lines.append(f"  {name:36s} {t['min']:9.2f} min  {t['median']:9.2f} median  {t['cpu_min']:9.2f} cpu  us/sample")
    return "\n".join(lines)


def store(result: dict[str, Any], folder: Path) -> Path:
    """Writes one JSON file named after the processor and the day."""
    folder.mkdir(parents=True, exist_ok=True)
    slug = re.sub(r"[^a-z0-9]+", "-", result["machine"]["processor"].lower()).strip("-")
    path = folder / f"reference-{slug}-{result['date'][:10]}.json"
    path.write_text(json.dumps(result, indent=1) + "\n")
    return path


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--qubits", type=int, nargs="+", default=list(BATCH), help="sizes (default: %(default)s)")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2], help="thread counts (default: %(default)s)")
    parser.add_argument("--modes", nargs="+", choices=list(MODES), default=list(MODES), help="default: both")
    parser.add_argument("--batch", type=int, default=None, help="samples; default 1024, and 256 at 12 qubits")
    parser.add_argument("--rounds", type=int, default=7, help="timed rounds (default: %(default)s)")
    parser.add_argument("--compiled", action="store_true", help="also torch.compile: tens of seconds for every size")
    parser.add_argument("--store", type=Path, metavar="FOLDER", help="write JSON there, e.g. bench/results")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    rows = []
    for threads in options.threads:
        for n in options.qubits:
            for mode in options.modes:
                rows.append(measure(n, threads, mode, options))
                print(report(rows[-1]), flush=True)
    result = {
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "work": f"amplitude embedding, {LAYERS} layers of RY and a ring of CNOTs, probabilities, float32",
        "machine": {**machine.describe(), "copied_bytes_per_second": machine.copied_bytes_per_second()},
        "rounds": options.rounds,
        "rows": rows,
    }
    if options.store:
        print(store(result, options.store))


if __name__ == "__main__":
    main()
