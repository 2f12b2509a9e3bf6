"""What a study is made of: jobs, each a process of its own that writes one result. Plain data that crosses processes.

Made by `plan`, done by `worker`, driven by `runner`. A job is known by its result's path; two jobs of one path are the
same job.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Literal

Kind = Literal["train", "noise", "timing", "module"]


@dataclass(frozen=True)
class Job:
    """One result to be made.

    A later `phase` begins when the earlier ones are done; a job that is `alone` has the machine for itself.
    """

    kind: Kind
    name: str
    """Path of the result below `results`, without its ending."""
    settings: dict[str, Any]
    """What decides the result; a finished result with other settings is refused."""
    steps: int = 0
    """Environment steps of training in it, for the progress shown."""
    run: str | None = None
    """Path of the run directory below `runs`, where there is one."""
    phase: int = 0
    alone: bool = False

    def as_json(self) -> str:
        """For a command line."""
        return json.dumps(dataclasses.asdict(self))

    @staticmethod
    def from_json(text: str) -> Job:
        """What `as_json` wrote."""
        return Job(**json.loads(text))


def place(env: str, arm: str, seed: int) -> str:
    """ENV/ARM/SEED as a relative path; ':' and separators within the environment's name become '-'."""
    folder = env.translate({ord(c): "-" for c in ":/\\"})
    return str(PurePosixPath(folder, arm, str(seed)))


def result_file(out: Path, name: str) -> Path:
    """Where the result of a job lies below `out`."""
    return out / "results" / f"{name}.json"


def run_directory(out: Path, run: str) -> Path:
    """Where a run trains below `out`."""
    return out / "runs" / run


def log_file(out: Path, name: str) -> Path:
    """Where what a job's process prints goes."""
    return out / "logs" / f"{name}.log"
