"""`python -m qcmarl.studies.worker JOB OUT AT-ONCE RESULT`: does one job in a process of its own and writes its result.

Started by `pools`. The job is JSON; the result goes to the file RESULT. Standard input is held open by whoever started
the process: when it closes, that one is dead, and the work is stopped as by SIGTERM, so that no run is ever orphaned.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from qcmarl import checkpoint, rundir
from qcmarl.algos import ALGORITHMS
from qcmarl.run import Run, RunConfig
from qcmarl.studies import distill, machine, results, timing
from qcmarl.studies.jobs import Job, run_directory


class Stopped(Exception):
    """The training was stopped by a signal, after it had saved."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def main(arguments: list[str]) -> int:
    """Does the job; returns 0, or 128 + the number of the signal that stopped it."""
    text, out, at_once, result = arguments
    _end_with_the_starter()
    job = Job.from_json(text)
    try:
        made = WORK[job.kind](job, Path(out), int(at_once))
    except Stopped as stop:
        return 128 + stop.number
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    results.write(Path(result), made)
    return 0


def _end_with_the_starter() -> None:
    def wait() -> None:
        os.read(sys.stdin.fileno(), 1)  # not sys.stdin.read(), whose lock a process cannot end with
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()


def train(job: Job, out: Path, at_once: int) -> dict[str, Any]:
    """A run from where it stands to its end, and what is measured on it then."""
    return distill.distill(job, trained(job, out), at_once)


def trained(job: Job, out: Path) -> Path:
    """The directory of the job's run, trained to its end: a finished one is left as it is, a begun one goes on.

    Raises:
        Stopped: by a signal.
    """
    assert job.run is not None
    directory = run_directory(out, job.run)
    config = job.settings["config"]
    begun = (directory / rundir.CHECKPOINT).exists()
    if begun:
        kept = json.loads(rundir.as_json(rundir.read_config(directory)))
        different = results.differences({"config": {part: kept[part] for part in rundir.DECIDING}}, {"config": config})
        if different:
            raise ValueError(f"{directory} is a run of another configuration; different: {', '.join(different)}")
    if begun and _steps_done(directory) >= job.settings["config"]["run"]["steps"]:
        return directory
    algorithm = ALGORITHMS[config["algo"]].config(**rundir.with_infinite(config["algorithm"]))
    run = Run(config["algo"], RunConfig(**config["run"]), algorithm, directory, begun, threads=1, quiet=True)
    stopped = run.train()
    if stopped:
        raise Stopped(stopped)
    return directory


def _steps_done(directory: Path) -> int:
    steps: int = checkpoint.load(directory / rundir.CHECKPOINT)["learner"]["env_steps"]
    return steps


def noise(job: Job, out: Path, at_once: int) -> dict[str, Any]:
    """A trained run played under every noise in turn; it is trained first where it is not there."""
    directory = trained(job, out)
    rates = {n: distill.final_rates(directory, job.settings["final"], n)[1] for n in job.settings["noises"]}
    return {
        "settings": job.settings,
        "commit": rundir.git_hash(),
        "final": distill.rounded(rates),
        "time": {"processor": machine.processor(), "at_once": at_once},
    }


def time_blocks(job: Job, out: Path, at_once: int) -> dict[str, Any]:
    """Training speeds in turns."""
    return {
        "settings": job.settings,
        "commit": rundir.git_hash(),
        "time": {**timing.measure(**job.settings), "processor": machine.processor(), "cores": machine.cores()},
    }


def module(job: Job, out: Path, at_once: int) -> dict[str, Any]:
    """A study that is a module of its own: `qcmarl.studies.NAME.run(folder, smoke)` writes NAME.md and its figures."""
    name = job.settings["module"]
    folder = out / name
    folder.mkdir(parents=True, exist_ok=True)
    importlib.import_module(f"qcmarl.studies.{name}").run(folder, job.settings["smoke"])
    return {"settings": job.settings, "commit": rundir.git_hash(), "time": {"processor": machine.processor()}}


WORK: dict[str, Callable[[Job, Path, int], dict[str, Any]]] = {
    "train": train,
    "noise": noise,
    "timing": time_blocks,
    "module": module,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
