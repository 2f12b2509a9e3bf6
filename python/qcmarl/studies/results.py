"""Results: small JSON files, written whole or not at all, one for each job that is done.

Written by `worker`, by way of `runner`; read by the reports. A result holds the settings it was made under, and is
never made again under the same ones, even where the run's directory is gone. Everything that a clock decides stands
under "time", so that the rest is the same whenever and wherever a study is interrupted.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from qcmarl import checkpoint, rundir
from qcmarl.algos import ALGORITHMS
from qcmarl.config import earlier
from qcmarl.studies.jobs import Job, result_file

_ABSENT = object()


class OtherSettings(ValueError):
    """A result of this name was made under other settings."""


def find(job: Job, places: Sequence[Path]) -> dict[str, Any] | None:
    """The finished result of a job.

    Args:
        job: whose.
        places: folders with a `results` folder in them, the first one that has the result counts.

    Returns:
        None where it is still to be made.

    Raises:
        OtherSettings: it is there, but made under other settings; says which.
        ValueError: it is damaged.
    """
    for place in places:
        path = result_file(place, job.name)
        if path.is_file():
            result = read(path)
            different = differences(result["settings"], job.settings)
            if different:
                raise OtherSettings(
                    f"{path} was made under other settings; different: {', '.join(different)}."
                    " Choose another --out, or move it away"
                )
            return result
    return None


def read(path: Path) -> dict[str, Any]:
    """One result; raises ValueError where it is not one."""
    try:
        result = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} is not a result: {error}") from None
    if not isinstance(result, dict) or not isinstance(result.get("settings"), dict):
        raise ValueError(f"{path} is not a result: it has no settings")
    return result


def write(path: Path, result: Mapping[str, Any]) -> None:
    """Replaces a result by another one; a crash leaves the old or the new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    checkpoint.replace_file(path, as_text(result).encode())


def as_text(result: Mapping[str, Any]) -> str:
    """JSON with a line for each part, so that differences can be read."""
    parts = (f"{json.dumps(name)}: {json.dumps(value, allow_nan=False)}" for name, value in result.items())
    return "{\n" + ",\n".join(parts) + "\n}\n"


def differences(kept: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """Names of the settings in which two results differ, with both values; nested ones by their own name.

    A setting of an algorithm that is younger than the result counts there as what it was before, which is its default
    unless `EARLIER` says otherwise.
    """
    defaults = _defaults(wanted.get("config"))
    return _differences(kept, wanted, defaults)


def _differences(kept: Mapping[str, Any], wanted: Mapping[str, Any], defaults: Mapping[str, Any]) -> list[str]:
    found = []
    for name in sorted({*kept, *wanted}):
        a, b = kept.get(name, _ABSENT), wanted.get(name, _ABSENT)
        if a is _ABSENT:
            a = defaults.get(name, _ABSENT)
        if isinstance(a, Mapping) and isinstance(b, Mapping):
            found += _differences(a, b, defaults)
        elif a is _ABSENT or b is _ABSENT or a != b:
            found.append(f"{name} ({_spoken(a)}, now {_spoken(b)})")
    return found


def _spoken(value: Any) -> str:
    return "missing" if value is _ABSENT else repr(value)


def _defaults(config: Any) -> Mapping[str, Any]:
    """The algorithm's own values of its settings, as they stand in a result."""
    if not isinstance(config, Mapping) or config.get("algo") not in ALGORITHMS:
        return {}
    algorithm = ALGORITHMS[config["algo"]]
    resolved: Any = algorithm.resolve(algorithm.config(), config["run"]["env"])
    defaults: dict[str, Any] = json.loads(rundir.as_json(dataclasses.asdict(resolved)))
    return {**defaults, **earlier(defaults)}
