"""What a study shows while it runs: on a terminal a live table, elsewhere a line for each job that ends. Called by
`runner`."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from qcmarl import rundir
from qcmarl.progress import clock, percent
from qcmarl.studies.jobs import Job, run_directory

TAIL = 4096
"""Bytes at the end of metrics.jsonl that hold its last line."""
REFRESH = 0.5
"""Seconds between two looks at the running runs."""


class Board:
    """Shows the progress of a study; a context manager.

    Args:
        out: folder of the study.
        jobs: those that are to be done.
        found: results that were there before.
        quiet: show nothing.
    """

    def __init__(self, out: Path, jobs: Sequence[Job], found: int, quiet: bool = False) -> None:
        self._out, self._jobs, self._found = out, jobs, found
        self.console = Console(quiet=quiet, highlight=False)
        self._live = (
            Live(console=self.console, auto_refresh=False, transient=True)
            if self.console.is_terminal and not quiet
            else None
        )
        self._began, self._looked, self._ended = time.monotonic(), 0.0, 0
        self._steps_ended = 0
        self._steps_first: dict[str, int] = {}

    def __enter__(self) -> Board:
        self.say(f"{len(self._jobs)} jobs to do, {self._found} done before")
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def say(self, text: str) -> None:
        """Prints a line, above the table where there is one."""
        self.console.print(text, soft_wrap=True, markup=False)

    def ended(self, job: Job, how: str) -> None:
        """One job ended."""
        self._ended += 1
        self._steps_ended += job.steps - self._steps_first.get(job.name, 0)
        spent = clock(time.monotonic() - self._began)
        self.say(f"{spent}  {self._ended} of {len(self._jobs)}  {job.name}: {how}")

    def look(self, running: Sequence[Job]) -> None:
        """Looks at the running runs and shows where they are; seldom."""
        now = time.monotonic()
        if self._live is None or now - self._looked < REFRESH:
            return
        self._looked = now
        self._live.update(self._table(running), refresh=True)

    def _table(self, running: Sequence[Job]) -> Group:
        lines = {job.name: last_line(run_directory(self._out, job.run)) if job.run else {} for job in running}
        at = {job.name: int(lines[job.name].get("env_steps", 0)) for job in running if job.steps}
        for name, steps in at.items():
            self._steps_first.setdefault(name, steps)
        here = self._steps_ended + sum(steps - self._steps_first[name] for name, steps in at.items())
        speed = here / max(time.monotonic() - self._began, 1e-9)
        total = sum(job.steps for job in self._jobs)
        left = total - here - sum(self._steps_first.values())
        table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
        for job in running:
            line = lines[job.name]
            rate = percent(line.get("train/win_rate")).strip()
            where = f"{at[job.name]:,} of {job.steps:,}" if job.steps else job.kind
            table.add_row(job.name, where, f"train {rate}" if job.steps else "")
        remaining = clock(left / speed if speed else math.inf)
        head = f"{self._ended} of {len(self._jobs)} jobs  {speed:,.0f} steps/s  left {remaining}"
        bar = Table.grid()
        bar.add_row(ProgressBar(max(total, 1), max(total - left, 0), width=60))  # alone it would not end its line
        return Group(Text(head), bar, table)


def last_line(directory: Path) -> dict[str, float]:
    """The last whole line of a run's metrics; empty where there is none."""
    try:
        with (directory / rundir.METRICS).open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - TAIL))
            lines = file.read().split(b"\n")[:-1]
        found: dict[str, float] = json.loads(lines[-1])
    except (OSError, ValueError, IndexError):
        return {}
    return found
