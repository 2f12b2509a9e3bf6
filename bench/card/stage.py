"""Runs the families one after the other, each in a process: what one takes, breaks or sets is no concern of the next.

Called by gpu.py. The card's memory is free between them, and a family that hangs is ended when its time is over.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from card import FAMILIES, OURS
from card.family import Setting

BENCH = Path(__file__).resolve().parents[1]
SHARE = 0.4  # of the time left that a family may use
GRACE = 30.0  # seconds to finish the row that was begun


def environment() -> dict[str, str]:
    """Where the processes find this folder, and quiet libraries."""
    paths = [str(BENCH), *filter(None, [os.environ.get("PYTHONPATH")])]
    quiet = {"PYTHONWARNINGS": "ignore", "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONUNBUFFERED": "1"}
    return {**os.environ, **quiet, "PYTHONPATH": os.pathsep.join(paths)}


def measured(families: Sequence[str], setting: Setting) -> Iterator[dict[str, Any]]:
    """The rows of some families, within the setting's seconds for all; what no time was left for is a row too."""
    ends = time.monotonic() + setting.seconds
    for name in families:
        left = ends - time.monotonic()
        if left <= 0 and name not in OURS:
            yield {"kind": "left out", "family": name, "contestant": FAMILIES[name], "why": "no time left"}
            continue
        yield from rows(name, setting._replace(seconds=max(left if name in OURS else SHARE * left, 1.0)))


def rows(name: str, setting: Setting) -> list[dict[str, Any]]:
    """The rows of one family; if its process broke, the last says how."""
    with tempfile.TemporaryDirectory() as folder:
        path, log = Path(folder) / "rows.jsonl", Path(folder) / "log"
        path.touch()
        with log.open("w") as said:
            why = ended(command(name, setting, path), setting.seconds + GRACE, said)
        found = [json.loads(line) for line in path.read_text().splitlines()]
        if why:
            said = log.read_text().strip().splitlines()[-1:]
            found.append(
                {"kind": "failed", "family": name, "contestant": FAMILIES[name], "why": ": ".join([why, *said])}
            )
        return found


def command(name: str, setting: Setting, path: Path) -> list[str]:
    """What measures a family."""
    return [sys.executable, "-m", "card.family", name, json.dumps(setting._asdict()), str(path)]


def ended(command: Sequence[str], seconds: float, log: Any) -> str:
    """Runs a command to its end; empty, or what went wrong."""
    try:
        status = subprocess.run(command, env=environment(), stdout=log, stderr=log, timeout=seconds).returncode
    except subprocess.TimeoutExpired:
        return f"ended after {seconds:.0f} s"
    return f"its process ended with status {status}" if status else ""


def is_sound(found: Sequence[dict[str, Any]], families: Sequence[str]) -> bool:
    """Whether all of ours that was asked for was measured and right; a rival may fail, or not be here."""
    ours = [row for row in found if row["family"] in OURS]
    measured_ones = {row["family"] for row in ours if row["kind"] == "times"}
    return not any(row["kind"] == "failed" for row in ours) and measured_ones >= set(families) & set(OURS)
