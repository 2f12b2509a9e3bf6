"""What a run shows while it trains: a live bar on a terminal, plain lines elsewhere; and the summary at its end.

Called by `run`. Nothing here influences the run.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Table

PLAIN_INTERVAL = 15.0
"""Seconds between plain lines, besides one at each evaluation."""


def clock(seconds: float) -> str:
    """Seconds as h:mm:ss."""
    if not math.isfinite(seconds):
        return "-:--:--"
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


def percent(value: float | None) -> str:
    """A share as a percentage; a dash for None."""
    return "  - " if value is None else f"{100 * value:3.0f}%"


def earned(value: float | None) -> str:
    """A return in a few characters; a dash for None."""
    return "-" if value is None else f"{value:.4g}"


class Display:
    """Shows the progress of one run; a context manager.

    Args:
        total: environment steps of the whole run.
        done: environment steps made before this process.
        quiet: show nothing.
    """

    def __init__(self, total: int, done: int, quiet: bool = False) -> None:
        self._total, self._first = total, done
        self._console = Console(quiet=quiet, highlight=False)
        self._began = time.perf_counter()
        self._printed = self._began
        self._evaluated: float | None = None
        self._earned: float | None = None
        self._bar: Progress | None = None
        if self._console.is_terminal and not quiet:
            columns = ("{task.percentage:3.0f}%", BarColumn(None), "{task.fields[text]}")
            self._bar = Progress(
                *(TextColumn(c) if isinstance(c, str) else c for c in columns), console=self._console, expand=True
            )
            self._task = self._bar.add_task("", total=total, completed=done, text="")

    def __enter__(self) -> Display:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def update(self, line: Mapping[str, float]) -> None:
        """Takes in one line of metrics."""
        evaluated = "eval/win_rate" in line or "eval/return" in line
        self._evaluated = line.get("eval/win_rate", self._evaluated)
        self._earned = line.get("eval/return", self._earned)
        text = self._text(line)
        if self._bar is not None:
            self._bar.update(self._task, completed=min(line["env_steps"], self._total), text=text)
        elif evaluated or time.perf_counter() - self._printed > PLAIN_INTERVAL:
            self._printed = time.perf_counter()
            self._console.print(text, soft_wrap=True)

    def _text(self, line: Mapping[str, float]) -> str:
        steps = line["env_steps"]
        speed = (steps - self._first) / (time.perf_counter() - self._began)
        left = (self._total - steps) / speed if speed > 0 else math.inf
        train, evaluated = percent(line.get("train/win_rate")), percent(self._evaluated)
        if self._evaluated is None and self._earned is not None:  # nothing is won there
            train, evaluated = earned(line.get("train/return")), f"return {earned(self._earned)}"
        return f"{steps:>11,.0f} steps  {speed:6,.0f}/s  train {train}  eval {evaluated}  left {clock(max(left, 0.0))}"

    def message(self, text: str) -> None:
        """Prints a line beside the bar."""
        self._console.print(text, soft_wrap=True)

    def summary(self, title: str, rows: Mapping[str, str]) -> None:
        """Prints the table that ends a run."""
        table = Table(title=title, show_header=False, title_justify="left")
        for name, value in rows.items():
            table.add_row(name, value, end_section=False)
        self._console.print(table)
