"""A run's directory: config.json, metrics.jsonl, checkpoint.pt, TensorBoard events.

Called by `run` (writing), by `cli` and `report` (reading). Lines of metrics.jsonl after the last checkpoint are
dropped on resume, so that the file is the one an uninterrupted run writes.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qcmarl import checkpoint
from qcmarl.quantum import engine_description

CONFIG, METRICS, CHECKPOINT = "config.json", "metrics.jsonl", "checkpoint.pt"
DECIDING = ("algo", "run", "algorithm")
"""Parts of config.json that decide the course of a run; the others only describe it."""


def create(directory: Path, config: Mapping[str, Any]) -> None:
    """Makes the directory of a new run and writes its configuration.

    Raises:
        ValueError: a run is there already, or the path is a file.
    """
    if directory.exists() and not directory.is_dir():
        raise ValueError(f"run directory {directory} is a file")
    if (directory / CONFIG).exists() or (directory / METRICS).exists():
        raise ValueError(f"run directory {directory} is in use; continue it with --resume, or choose another --run-dir")
    directory.mkdir(parents=True, exist_ok=True)
    described = {**config, "build": engine_description(), "git": git_hash()}
    checkpoint.replace_file(directory / CONFIG, (json.dumps(described, indent=2) + "\n").encode())


def read_config(directory: Path) -> dict[str, Any]:
    """The configuration of a run.

    Raises:
        ValueError: there is no run in `directory`.
    """
    path = directory / CONFIG
    if not path.is_file():
        raise ValueError(f"{directory} holds no run: there is no {CONFIG} in it")
    try:
        config: dict[str, Any] = json.loads(path.read_text())
    except json.JSONDecodeError as error:
        raise ValueError(f"{path} is not valid JSON: {error}") from None
    return config


def differences(kept: Mapping[str, Any], given: Mapping[str, Any]) -> list[str]:
    """Names of the deciding fields in which two configurations differ, with both values."""
    found = []
    for part in DECIDING:
        a, b = kept.get(part), given.get(part)
        if not isinstance(a, Mapping) or not isinstance(b, Mapping):
            found += [f"{part} ({a!r}, now {b!r})"] if a != b else []
            continue
        for name in sorted({*a, *b}):
            if a.get(name) != b.get(name):
                found.append(f"{name} ({a.get(name)!r}, now {b.get(name)!r})")
    return found


def read_metrics(directory: Path) -> list[dict[str, Any]]:
    """The lines of metrics.jsonl; a last line cut short is left out."""
    path = directory / METRICS
    if not path.is_file():
        raise ValueError(f"{directory} holds no {METRICS}")
    complete = path.read_text().split("\n")[:-1]
    return [json.loads(line) for line in complete]


class MetricsFile:
    """Appends lines to metrics.jsonl.

    Args:
        directory: of the run.
        keep: bytes of the file to keep; what follows them is dropped.
    """

    def __init__(self, directory: Path, keep: int = 0) -> None:
        path = directory / METRICS
        path.touch()
        if path.stat().st_size < keep:
            raise ValueError(f"{path} has lost lines: {path.stat().st_size} bytes where the checkpoint knows of {keep}")
        os.truncate(path, keep)
        self._file = path.open("a")

    def write(self, line: Mapping[str, Any]) -> None:
        """One line, handed to the system at once."""
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()

    def position(self) -> int:
        """Bytes written so far, which are on the disk when this returns."""
        os.fsync(self._file.fileno())
        return self._file.tell()

    def close(self) -> None:
        """Closes the file."""
        self._file.close()


def git_hash() -> str | None:
    """Commit of the source tree that this package is run from; None for an installed one."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=5)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None
