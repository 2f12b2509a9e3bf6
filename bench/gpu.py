"""Times our kernels and our face on a GPU beside rivals on the same card: python bench/gpu.py [--store bench/results]

Every answer is compared with the CPU engine's before it is timed. What must be shown on a card stands last in the table
and in the JSON: the share of the copy bandwidth, the ratio to the best torch rival, a learner's minibatch in one graph
replay, and QC-MAPPO's training. `--rehearse` goes through all of it on a machine without a GPU; its times mean nothing.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import machine
from card import FAMILIES
from card.family import Setting
from card.goals import goals
from card.stage import is_sound, measured
from card.table import text
from card.training import trained

SIZES = [[9, 1 << 18], [10, 1 << 17], [8, 1 << 18], [12, 1 << 15], [6, 1 << 20]]  # in the order of measuring
SMALL = [9, 32]
LAYERS = 4
TRAINED = "skirmish:8m_vs_9m"
TRAIN_START = 20.0  # seconds that a run needs besides
RESULTS = Path(__file__).resolve().parent / "results"


def options_of(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rehearse", action="store_true", help="without a GPU: tiny sizes on the host")
    parser.add_argument("--store", type=Path, metavar="FOLDER", help="write JSON there")
    parser.add_argument("--seconds", type=float, default=300.0, help="for everything (default: %(default)s)")
    parser.add_argument(
        "--train-seconds", type=float, default=30.0, help="for each run of QC-MAPPO; 0: none (default: %(default)s)"
    )
    parser.add_argument("--families", nargs="+", choices=FAMILIES, default=list(FAMILIES), metavar="NAME",
                        help=f"of {', '.join(FAMILIES)}")  # fmt: skip
    parser.add_argument("--qubits", type=int, nargs="+", metavar="N", help="these sizes alone")
    parser.add_argument("--everyone", action="store_true", help="print all contestants, not each family's fastest")
    options = parser.parse_args(arguments)
    if options.rehearse and options.store is not None and options.store.resolve() == RESULTS:
        parser.error(f"a rehearsal is no result: store it elsewhere than in {options.store}")
    return options


def setting(options: argparse.Namespace) -> Setting:
    """What is measured, and the seconds that training leaves for it."""
    sizes = [[3, 9]] if options.rehearse else SIZES
    if options.qubits:
        sizes = [size for size in sizes if size[0] in options.qubits]
    training = sum(TRAIN_START + train_seconds(options) for _ in devices(options))
    left = max(options.seconds - training, options.seconds / 2)
    return Setting(options.rehearse, sizes, [3, 4] if options.rehearse else SMALL, LAYERS, left)


def train_seconds(options: argparse.Namespace) -> float:
    """Of each run of QC-MAPPO: not more than a tenth of the whole."""
    return float(min(options.train_seconds, options.seconds / 10))


def devices(options: argparse.Namespace) -> tuple[str, ...]:
    """Where QC-MAPPO is trained."""
    if options.train_seconds <= 0:
        return ()
    return ("cpu",) if options.rehearse else ("cuda", "cpu")


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Everything but the training, telling on stderr how far it is."""
    began, chosen, rows = time.monotonic(), setting(options), []
    for row in measured(options.families, chosen):
        rows.append(row)
        if row["kind"] == "facts":
            print(f"{row['device']['name']}: {row['copy_gb_per_s']:.0f} GB/s", file=sys.stderr)
    print(f"{len(rows)} rows after {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    facts = next(
        (row for row in rows if row["kind"] == "facts"), {"device": {"name": "unknown"}, "copy_gb_per_s": None}
    )
    return {
        "subject": "cuda",
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "machine": machine.describe(),
        "device": facts["device"],
        "copy_gb_per_s": facts["copy_gb_per_s"],
        "setting": chosen._asdict(),
        "rows": [row for row in rows if row["kind"] != "facts"],
        "training": [],
        "must_show": goals(rows, facts["copy_gb_per_s"]),
    }


def store(found: dict[str, Any], folder: Path) -> Path:
    """Writes one JSON file, named after the card and the day."""
    folder.mkdir(parents=True, exist_ok=True)
    slug = re.sub(r"[^a-z0-9]+", "-", found["device"]["name"].lower()).strip("-")
    path = folder / f"cuda-{slug}-{found['date'][:10]}.json"
    path.write_text(json.dumps(found, indent=1) + "\n")
    return path


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 0, or 1 if something of ours was wrong or could not be measured."""
    options = options_of(arguments)
    found = measure(options)
    if options.store is not None:  # before the training too, should the time run out
        store(found, options.store)
    env = "skirmish:3m" if options.rehearse else TRAINED
    found["training"] = [trained(env, device, train_seconds(options)) for device in devices(options)]
    print(text(found, options.everyone))
    if options.store is not None:
        print(f"\n{store(found, options.store)}")
    trained_all = not any("failed" in run for run in found["training"])
    return 0 if trained_all and is_sound(found["rows"], options.families) else 1


if __name__ == "__main__":
    sys.exit(main())
