"""Where jobs are done: processes of this machine (here) or of a Ray cluster (`cluster`). Driven by `runner`."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from qcmarl.studies.jobs import Job, log_file, result_file

LAST_LINES = 12
"""Of a failed job's log that are shown."""
ONE_THREAD = {name: "1" for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
"""Each process computes with one thread, so that `jobs` processes share `jobs` cores fairly."""
PATIENCE = 60.0
"""Seconds in which an interrupted process must have saved."""


class Outcome(NamedTuple):
    """How a job ended."""

    job: Job
    code: int
    """0: its result is written; negative: killed by that signal."""
    said: str
    """The last lines of its log."""


class Pool(Protocol):
    """A place for jobs."""

    capacity: int
    """Jobs that may run at once."""
    running: Sequence[Job]

    def start(self, job: Job, at_once: int) -> None:
        """Begins a job; `at_once` is how many there will be beside each other."""

    def ended(self) -> list[Outcome]:
        """The jobs that ended since the last call; waits for nothing."""

    def interrupt(self) -> None:
        """Asks all jobs to save and to end."""

    def close(self) -> None:
        """Gives everything back; what still runs is ended."""


@dataclass
class _Process:
    job: Job
    popen: subprocess.Popen[bytes]


class LocalPool:
    """Processes of this machine.

    Args:
        out: folder of the study.
        capacity: processes at once (>= 1).
        inherited: file descriptors that the processes hold open too, such as the lock of the folder.
    """

    def __init__(self, out: Path, capacity: int, inherited: Sequence[int] = ()) -> None:
        self.capacity = capacity
        self._out, self._inherited = out, tuple(inherited)
        self._processes: list[_Process] = []

    @property
    def running(self) -> list[Job]:
        """Jobs that have begun and not ended."""
        return [p.job for p in self._processes]

    def start(self, job: Job, at_once: int) -> None:
        """Begins a job in a process of its own session, so that Ctrl-C reaches it through `interrupt` only."""
        log = log_file(self._out, job.name)
        log.parent.mkdir(parents=True, exist_ok=True)
        result = result_file(self._out, job.name)
        module = [sys.executable, "-m", "qcmarl.studies.worker"]
        with log.open("ab") as file:
            popen = subprocess.Popen(
                [*module, job.as_json(), str(self._out), str(at_once), str(result)],
                stdin=subprocess.PIPE,
                stdout=file,
                stderr=file,
                env={**os.environ, **ONE_THREAD},
                start_new_session=True,
                pass_fds=self._inherited,
            )
        self._processes.append(_Process(job, popen))

    def ended(self) -> list[Outcome]:
        """The jobs that ended since the last call."""
        done = [p for p in self._processes if p.popen.poll() is not None]
        self._processes = [p for p in self._processes if p not in done]
        return [self._outcome(p) for p in done]

    def _outcome(self, process: _Process) -> Outcome:
        code = process.popen.wait()
        assert process.popen.stdin is not None
        process.popen.stdin.close()
        return Outcome(process.job, code, last_lines(log_file(self._out, process.job.name)))

    def interrupt(self) -> None:
        """Sends SIGINT to every process."""
        for process in self._processes:
            process.popen.send_signal(signal.SIGINT)

    def close(self) -> None:
        """Ends what still runs, with time to save."""
        for process in self._processes:
            process.popen.terminate()
        for process in self._processes:
            try:
                process.popen.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.popen.kill()
            self._outcome(process)
        self._processes = []


def last_lines(log: Path) -> str:
    """The end of a log."""
    text = log.read_text(errors="replace") if log.is_file() else ""
    return "\n".join(text.rstrip().splitlines()[-LAST_LINES:])


def describe(outcome: Outcome) -> str:
    """Why a job has no result, in words."""
    if outcome.code < 0:
        return f"killed by {signal.Signals(-outcome.code).name}"
    return f"ended with code {outcome.code}"


def open_pool(out: Path, jobs: int, ray: str | None, inherited: Sequence[int]) -> Any:
    """Processes here, or on a cluster where an address is given."""
    if ray is None:
        return LocalPool(out, jobs, inherited)
    from qcmarl.studies.cluster import RayPool

    return RayPool(out, ray, jobs)
