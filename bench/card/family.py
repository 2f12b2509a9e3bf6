"""A process of its own for a family: python -m card.family NAME SETTING ROWS, called by stage.py in bench/.

Every row is written as soon as it is measured, a JSON object a line, so that nothing is lost if the time runs out.
"""

from __future__ import annotations

import functools
import importlib
import json
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from rivals import Unsupported
from work import Work

from card import Absent, small
from card.entry import release, row


class Setting(NamedTuple):
    """What is measured. JSON carries it to the processes.

    Attributes:
        rehearsal: on the host, where no time means anything.
        sizes: [qubits, batch], in the order in which they are measured.
        small: [qubits, batch] of a learner's minibatch.
        layers: of the circuit.
        seconds: for this family.
    """

    rehearsal: bool
    sizes: list[list[int]]
    small: list[int]
    layers: int
    seconds: float

    def work(self, size: list[int]) -> Work:
        return Work("reference", size[0], self.layers, size[1])


def rows(name: str, setting: Setting) -> Iterator[dict[str, Any]]:
    """What is measured of a family, or why it is not; each row says its kind."""
    began = time.perf_counter()
    try:
        family = importlib.import_module(f"card.{name}")
        library = family.library(setting.rehearsal)
    except ModuleNotFoundError as error:
        yield {"kind": "absent", "why": f"{error.name} is not installed"}
        return
    except (Absent, ImportError) as error:
        yield {"kind": "absent", "why": str(error)}
        return
    if hasattr(family, "facts"):
        yield {"kind": "facts", **family.facts(library)}
    for kind, contestant, work, measure in plan(family, library, setting):
        about = {"kind": kind, "contestant": contestant, "n": work.n, "batch": work.batch}
        if kind == "times" and time.perf_counter() - began > setting.seconds:
            yield {**about, "kind": "left out", "why": "no time left"}
            continue
        yield {**about, **outcome(measure)}
        release(library)


def plan(family: Any, library: Any, setting: Setting) -> Iterator[tuple[str, str, Work, Callable[[], Any]]]:
    """(kind, contestant, work, what gives the row), in order: size after size, then the small batch.

    A call that cannot be captured may break what comes after it in its process, so graphs are last.
    """
    for size in setting.sizes:
        work = setting.work(size)
        for name, contestant in family.CONTESTANTS.items():
            yield "times", name, work, functools.partial(row, contestant, library, work)
    work = setting.work(setting.small)
    for name in getattr(family, "IN_GRAPHS", ()):
        yield "small", name, work, functools.partial(small.row, family.CONTESTANTS[name], library, work)


def outcome(measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """A row, or in the words of who refused or failed why there is none."""
    try:
        return measure()
    except Unsupported as reason:
        return {"kind": "left out", "why": str(reason)}
    except Exception as error:  # a rival may raise anything
        words = str(error).strip().splitlines() or [""]
        return {"kind": "failed", "why": f"{type(error).__name__}: {words[0]}"}


def main(name: str, setting: str, path: str) -> None:
    """Measure, and write the rows as they come."""
    import torch

    chosen = Setting(**json.loads(setting))
    if chosen.rehearsal:
        torch.set_num_threads(1)
    with open(path, "a") as lines:
        for found in rows(name, chosen):
            print(json.dumps({**found, "family": name}), file=lines, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
