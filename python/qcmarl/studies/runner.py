"""The queue: which jobs have results, which are done now, side by side, and what became of them. Called by `command`.

A study may be killed at any moment: a finished result is never made again, a begun run goes on from its checkpoint.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TextIO

from qcmarl.locks import taken
from qcmarl.run import interruptions
from qcmarl.studies import results
from qcmarl.studies.board import Board
from qcmarl.studies.jobs import Job
from qcmarl.studies.pools import Outcome, Pool, describe, open_pool

INTERVAL = 0.1
"""Seconds between looks at the processes."""
LOCK = ".lock"
LOCK_PATIENCE = 60.0
"""Seconds that processes of a study that was killed have to save and end."""


class Ended(NamedTuple):
    """What became of the jobs."""

    failed: list[Outcome]
    signal: int
    """Number of the signal that stopped the study; 0: it came to its end."""


def missing(jobs: Sequence[Job], places: Sequence[Path]) -> list[Job]:
    """The jobs without a result.

    Raises:
        ValueError: a result was made under other settings, or is damaged.
    """
    return [job for job in jobs if results.find(job, places) is None]


@contextlib.contextmanager
def locked(out: Path) -> Iterator[TextIO]:
    """Holds the study's folder for this process and for those that it starts.

    Raises:
        ValueError: another study works in it; or it cannot be made.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
        file = (out / LOCK).open("w")
    except OSError as error:
        raise ValueError(f"the folder {out} cannot be used: {error.strerror}") from None
    with file:
        deadline = time.monotonic() + LOCK_PATIENCE
        while not taken(file):
            if time.monotonic() > deadline:
                raise ValueError(f"another study is at work in {out}; choose another --out, or wait for its end")
            time.sleep(INTERVAL)
        yield file


@contextlib.contextmanager
def opened(out: Path, capacity: int, ray: str | None) -> Iterator[Pool]:
    """A place for jobs, in a folder that is held as long.

    Args:
        out: folder of the study.
        capacity: processes at once.
        ray: address of a cluster; None: processes here.

    Raises:
        ValueError: the folder cannot be used, another study works there, or there is no such cluster.
    """
    with locked(out) as lock, contextlib.closing(open_pool(out, capacity, ray, [lock.fileno()])) as pool:
        yield pool


def work(jobs: Sequence[Job], found: int, out: Path, pool: Pool, quiet: bool) -> Ended:
    """Does the jobs.

    Args:
        jobs: those without a result, in order.
        found: how many had one.
        out: folder of the study.
        pool: where they are done.
        quiet: show no progress.

    Returns:
        which failed, and the signal that stopped it.
    """
    with interruptions() as signals, Board(out, jobs, found, quiet) as board:
        return _drive(list(jobs), pool, board, signals)


def _drive(waiting: list[Job], pool: Pool, board: Board, signals: list[int]) -> Ended:
    failed: list[Outcome] = []
    at_once = min(pool.capacity, len(waiting))
    told = False
    while (waiting and not signals) or pool.running:
        if signals and not told:
            told = True
            board.say("stopping: every run saves; the same command goes on")
            pool.interrupt()
        while not signals and waiting and _may_begin(waiting[0], pool):
            pool.start(waiting.pop(0), at_once)
        time.sleep(INTERVAL)
        for outcome in pool.ended():
            if outcome.code and not signals:
                failed.append(outcome)
            board.ended(outcome.job, "done" if outcome.code == 0 else "saved" if signals else describe(outcome))
        board.look(pool.running)
    return Ended(failed, signals[0] if signals else 0)


def _may_begin(job: Job, pool: Pool) -> bool:
    """Whether there is room, and what the job must wait for has ended."""
    if len(pool.running) >= pool.capacity or any(other.alone for other in pool.running):
        return False
    return not pool.running or (not job.alone and all(other.phase == job.phase for other in pool.running))
