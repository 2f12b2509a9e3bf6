"""QC-MAPPO trained for a short while: environment steps a second, and the circuit's share of the time.

`qcmarl train` runs as a user runs it; after some seconds it is told to stop, and its own metrics are read.
"""

from __future__ import annotations

import json
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from card.stage import environment

METRICS = {"env_steps_per_second": "time/env_steps_per_second", "circuit_share": "time/circuit_share"}
WARM = 3  # iterations that are not counted
STARTING = 60.0  # seconds until the first iteration is over, at most
STOPPING = 30.0  # seconds to save and end


def command(env: str, device: str, folder: Path) -> list[str]:
    """A run that would take forever. The CPU is where a run goes that names no device."""
    options = {"algo": "qc-mappo", "env": env, "seed": "0", "steps": "1_000_000_000", "run-dir": str(folder)}
    if device != "cpu":
        options["device"] = device
    given = [word for name, value in options.items() for word in (f"--{name}", value)]
    return [sys.executable, "-m", "qcmarl", "train", *given, "--quiet"]


def summary(lines: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Medians over the iterations after the first few; none if there were no more."""
    kept = lines[WARM:]
    if not kept:
        return {"failed": f"{len(lines)} iterations in all; more than {WARM} are needed"}
    return {name: statistics.median(line[metric] for line in kept) for name, metric in METRICS.items()} | {
        "iterations": len(kept)
    }


def trained(env: str, device: str, seconds: float) -> dict[str, Any]:
    """One run of about so many seconds after its first iteration."""
    about = {"env": env, "device": device, "seconds": seconds}
    with tempfile.TemporaryDirectory() as folder:
        run, log = Path(folder) / "run", Path(folder) / "log"
        with log.open("w") as words:
            process = subprocess.Popen(command(env, device, run), env=environment(), stdout=words, stderr=words)
            try:
                wait(process, run / "metrics.jsonl", seconds)
            finally:
                stop(process)
        metrics = run / "metrics.jsonl"
        if not metrics.exists():
            said = log.read_text().strip().splitlines()
            return {**about, "failed": said[-1] if said else f"it ended with status {process.returncode}"}
        return {**about, **summary([json.loads(line) for line in metrics.read_text().splitlines()])}


def wait(process: subprocess.Popen[bytes], metrics: Path, seconds: float) -> None:
    """Until the run has been at it for so long, or has ended, or does not get going."""
    ends = time.monotonic() + STARTING
    while process.poll() is None and time.monotonic() < ends and not (metrics.exists() and metrics.stat().st_size):
        time.sleep(0.1)
    ends = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < ends:
        time.sleep(0.1)


def stop(process: subprocess.Popen[bytes]) -> None:
    """As Ctrl-C does; by force if that does not help."""
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    try:
        process.wait(timeout=STOPPING)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
