"""A run's directory: config.json, metrics.jsonl, checkpoint.pt, best.pt, TensorBoard events.

Called by `run` (writing), by `cli` and `report` (reading). A run exists from its first checkpoint on: what a start cut
short left behind is written over. Lines of metrics.jsonl after the last checkpoint are dropped on resume, so that the
file is the one an uninterrupted run writes. One process writes at a time: it holds a lock on metrics.jsonl.
"""

from __future__ import annotations

import json
import math
import os
import platform
import subprocess
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch

from qcmarl import checkpoint
from qcmarl.config import EARLIER
from qcmarl.envs.place import Place, map_file
from qcmarl.locks import taken
from qcmarl.quantum import engine_description

CONFIG, METRICS, CHECKPOINT, BEST = "config.json", "metrics.jsonl", "checkpoint.pt", "best.pt"
Which = Literal["last", "best"]
"""Weights of a run: where it is now, or at its best evaluation."""
CHECKPOINTS: dict[Which, str] = {"last": CHECKPOINT, "best": BEST}
DECIDING = ("algo", "run", "algorithm")
"""Parts of config.json that decide the course of a run; the others only describe it."""
ON_CPU = {"device": "cpu"}
"""Where a run is of which config.json says nothing."""
INFINITE = {"inf": math.inf, "-inf": -math.inf}
"""How config.json writes what JSON has no number for."""


def create(
    directory: Path,
    config: Mapping[str, Any],
    where: Mapping[str, str] = ON_CPU,
    map_table: Mapping[str, Any] | None = None,
) -> MetricsFile:
    """Makes the directory of a new run and writes its configuration.

    Args:
        directory: of the run.
        config: its deciding parts.
        where: the device it begins on, `device.described`.
        map_table: the map where the environment is named by a file, which may change later; it decides too.

    Returns:
        the run's metrics, empty and locked.

    Raises:
        ValueError: a run is there already or being written, or the path cannot be a directory.
    """
    if directory.exists() and not directory.is_dir():
        raise ValueError(f"run directory {directory} is a file")
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"run directory {directory} cannot be made: {error.strerror}") from None
    metrics = MetricsFile(directory)
    try:
        _refuse_a_run(directory)
        (directory / BEST).unlink(missing_ok=True)
        first = session(0)
        kept = {} if map_table is None else {"map": map_table}
        about = {"build": first["build"], "git": first["git"], "devices": [{"env_steps": 0, **where}]}
        _write_config(directory, {**config, **kept, **about, "sessions": [first]})
    except BaseException:
        metrics.close()
        raise
    return metrics


def _write_config(directory: Path, config: Mapping[str, Any]) -> None:
    checkpoint.replace_file(directory / CONFIG, (as_json(config, indent=2) + "\n").encode())


def last_device(directory: Path) -> dict[str, str]:
    """The device that a run was on last; runs without the entry were on the CPU.

    Raises:
        ValueError: as `read_config`.
    """
    devices = read_config(directory).get("devices") or [ON_CPU]
    return {name: value for name, value in devices[-1].items() if name != "env_steps"}


def note_device(directory: Path, env_steps: int, where: Mapping[str, str]) -> None:
    """Writes down that a run goes on on another device, after so many steps."""
    config = read_config(directory)
    config["devices"] = [*(config.get("devices") or [{"env_steps": 0, **ON_CPU}]), {"env_steps": env_steps, **where}]
    _write_config(directory, config)


def session(env_steps: int) -> dict[str, Any]:
    """What a process that goes on from this step is made of, and when it began."""
    return {
        "env_steps": env_steps,
        "when": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "git": git_hash(),
        "build": engine_description(),
        "versions": {"python": platform.python_version(), "numpy": np.__version__, "torch": torch.__version__},
        "platform": platform.platform(),
    }


def note_session(directory: Path, now: Mapping[str, Any], map_table: Mapping[str, Any] | None) -> list[str]:
    """Writes down that another process goes on with a run.

    Args:
        directory: of the run.
        now: `session`.
        map_table: kept from now on where the run is older than that.

    Returns:
        what is not as it was in the session before, with both values; of older runs as far as they tell.
    """
    config = read_config(directory)
    sessions = config.get("sessions") or [{"env_steps": 0, **{k: config[k] for k in ("git", "build") if k in config}}]
    kept = {"map": map_table} if map_table is not None and "map" not in config else {}
    _write_config(directory, {**config, **kept, "sessions": [*sessions, now]})
    before, after = _program(sessions[-1]), _program(now)
    changed = [name for name in after if before.get(name, after[name]) != after[name]]
    return [f"{name} {before[name]}, now {after[name]}" for name in changed]


def note_steps(directory: Path, steps: int) -> None:
    """Writes down that a run is to have so many steps."""
    config = read_config(directory)
    _write_config(directory, {**config, "run": {**config["run"], "steps": steps}})


def _program(one: Mapping[str, Any]) -> dict[str, Any]:
    """What may change bits, by name; the number of threads does not."""
    build = {k: v for k, v in (one.get("build") or {}).items() if k != "threads"}
    version = {"qcsim": build.pop("version")} if "version" in build else {}
    commit = {"commit": one["git"]} if "git" in one else {}
    system = {"platform": one["platform"]} if "platform" in one else {}
    return {**commit, **version, **build, **(one.get("versions") or {}), **system}


def kept_place(directory: Path) -> Place:
    """Where a run takes place, with the map that it keeps; older runs keep none, and its file is read as it is now.

    Raises:
        ValueError: as `read_config`, a damaged map, or none that can be read.
    """
    config = read_config(directory)
    env, table = config["run"].get("env"), config.get("map")
    if not isinstance(env, str):
        raise ValueError(f"{directory / CONFIG}: env is {env!r}; it must be the name of an environment")
    if table is not None:
        try:
            return Place.kept(env, table)
        except (ValueError, TypeError, AttributeError) as error:
            raise ValueError(f"{directory / CONFIG}: map: {error}") from None
    try:
        return Place.read(env)
    except OSError as error:
        raise ValueError(
            f"{directory} was trained on {map_file(env)} and keeps no copy of it, and the file cannot be read from "
            f"here ({error.strerror}); run the command where that path leads to it"
        ) from None


def _refuse_a_run(directory: Path) -> None:
    if (directory / CHECKPOINT).exists():
        raise ValueError(f"run directory {directory} is in use; continue it with --resume, or choose another --run-dir")
    if (directory / METRICS).stat().st_size:
        raise ValueError(f"run directory {directory} has metrics but no {CHECKPOINT}; choose another --run-dir")


def read_config(directory: Path) -> dict[str, Any]:
    """The configuration of a run.

    Raises:
        ValueError: there is no run in `directory`, or its config.json is not one that `create` writes.
    """
    path = directory / CONFIG
    if not path.is_file():
        raise ValueError(f"{directory} holds no run: there is no {CONFIG} in it")
    try:
        config = json.loads(path.read_text())
    except ValueError as error:
        raise ValueError(f"{path} is not valid JSON: {error}") from None
    kinds = dict(zip(DECIDING, (str, dict, dict), strict=True))
    if not isinstance(config, dict) or not all(isinstance(config.get(part), kind) for part, kind in kinds.items()):
        raise ValueError(f"{path} is not a run's configuration: it must have {', '.join(DECIDING)}")
    return {**config, **{part: with_infinite(config[part]) for part in ("run", "algorithm")}}


def with_infinite(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings as JSON has them, with the infinite numbers that it lacks."""
    return {name: INFINITE.get(v, v) if isinstance(v, str) else v for name, v in settings.items()}


def as_json(values: Mapping[str, Any], indent: int | None = None) -> str:
    """JSON, which has no infinite numbers: they become the strings "inf" and "-inf", nested ones too."""
    return json.dumps(finite(values), indent=indent, allow_nan=False)


def finite(value: Any) -> Any:
    """The same with "inf" and "-inf" for infinite numbers in mappings."""
    if isinstance(value, Mapping):
        return {name: finite(v) for name, v in value.items()}
    return str(value) if isinstance(value, float) and math.isinf(value) else value


def differences(kept: Mapping[str, Any], given: Mapping[str, Any]) -> list[str]:
    """Names of the deciding fields in which two configurations differ, with both values."""
    found = []
    for part in DECIDING:
        a, b = kept.get(part), given.get(part)
        if not isinstance(a, Mapping) or not isinstance(b, Mapping):
            found += [f"{part} ({a!r}, now {b!r})"] if a != b else []
            continue
        for name in sorted({*a, *b}):
            before = a.get(name, EARLIER.get(name))
            if before != b.get(name):
                found.append(f"{name} ({before!r}, now {b.get(name)!r})")
    return found


def read_metrics(directory: Path) -> list[dict[str, Any]]:
    """The lines of metrics.jsonl, None where a number was not finite; a last line cut short is left out.

    Raises:
        ValueError: there is no such file, or a line is damaged.
    """
    path = directory / METRICS
    if not path.is_file():
        raise ValueError(f"{directory} holds no {METRICS}")
    complete = path.read_text().split("\n")[:-1]
    try:
        return [json.loads(line) for line in complete]
    except ValueError as error:
        raise ValueError(f"{path} is damaged: {error}") from None


class MetricsFile:
    """Appends lines to metrics.jsonl, and keeps other processes from doing so until it is closed.

    Args:
        directory: of the run.

    Raises:
        ValueError: another process holds the file.
    """

    def __init__(self, directory: Path) -> None:
        self._path = directory / METRICS
        self._file = self._path.open("a")
        if not taken(self._file):
            self._file.close()
            raise ValueError(f"run directory {directory} is being written by another process")

    def keep(self, size: int) -> None:
        """Drops what follows the first `size` bytes; raises ValueError where there are fewer."""
        found = self._path.stat().st_size
        if found < size:
            raise ValueError(f"{self._path} has lost lines: {found} bytes where the checkpoint knows of {size}")
        os.truncate(self._path, size)

    def write(self, line: Mapping[str, Any]) -> None:
        """One line, handed to the system at once; numbers that are not finite become null."""
        finite = {name: None if isinstance(v, float) and not math.isfinite(v) else v for name, v in line.items()}
        self._file.write(json.dumps(finite, allow_nan=False) + "\n")
        self._file.flush()

    def position(self) -> int:
        """Bytes written so far, which are on the disk when this returns."""
        os.fsync(self._file.fileno())
        return self._file.tell()

    def close(self) -> None:
        """Closes the file."""
        self._file.close()


def git_hash(file: Path = Path(__file__)) -> str | None:
    """Commit of the source tree that `file` belongs to, with "+" where tracked files were changed since.

    Returns:
        None where the file is not tracked: an installed package may lie in a repository that is not its own.
    """
    file = file.resolve()
    if _git(file.parent, "ls-files", "--error-unmatch", file.name) is None:
        return None
    commit = _git(file.parent, "rev-parse", "HEAD")
    changes = _git(file.parent, "status", "--porcelain", "--untracked-files=no")
    return commit and commit + ("+" if changes else "")


def _git(folder: Path, *arguments: str) -> str | None:
    """What git says; None where it fails or is missing."""
    command = ["git", "-C", str(folder), *arguments]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=5)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None
