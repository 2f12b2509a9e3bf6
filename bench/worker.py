"""A process of its own for a family of contestants: threads and core are set before any library is imported.

Started by contest.py as `python worker.py FAMILY DESCRIPTOR`; one JSON object a line comes in and one goes out. Prints
of libraries go to the error stream, so that they cannot break the conversation.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
from pathlib import Path
from typing import Any, TextIO

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))

from rivals import Unsupported
from work import Answers, Program, Work, assert_answers, inputs


class Stable:
    """The contestants of one family that are ready to run, by (name, work)."""

    def __init__(self, family: str) -> None:
        self.makers = importlib.import_module(f"rivals.{family}").MAKERS
        self.ready: dict[tuple[str, Work], Program] = {}
        self.facts: dict[tuple[str, Work], dict[str, Any]] = {}

    def make(self, name: str, work: list[Any], truth: str) -> dict[str, Any]:
        """Builds a contestant, checks its answers, and says what one call takes and covers."""
        circuit = Work(*work)
        if (name, circuit) in self.facts:
            return self.facts[name, circuit]
        start = time.perf_counter()
        try:
            program = self.makers[name](circuit, inputs(circuit))
        except Unsupported as reason:
            return {"unsupported": str(reason)}
        with np.load(truth) as arrays:
            right = Answers(arrays["outputs"], arrays["by_weights"], arrays.get("by_samples"))
        if not right.by_weights.size:  # too large for the gradients of most
            program = program._replace(step=None)
        assert_answers(name, program, circuit, right)
        self.ready[name, circuit] = program
        self.facts[name, circuit] = {
            "samples": program.samples,
            "modes": ["forward"] if program.step is None else ["forward", "step"],
            "note": program.note,
            "ready_after": time.perf_counter() - start,
        }
        return self.facts[name, circuit]

    def run(self, name: str, work: list[Any], mode: str, least: float, warm: float) -> dict[str, Any]:
        """Calls until `least` seconds are over; [wall, process CPU] seconds of one call on average.

        Untimed calls of `warm` seconds come first: the core has slept while others ran, and a call of a millisecond
        would be timed on a cold cache and a low clock, one of a hundred milliseconds not.
        """
        call = getattr(self.ready[name, Work(*work)], mode)
        start = time.perf_counter()
        while time.perf_counter() - start < warm:
            call()
        calls, wall, cpu = 0, time.perf_counter(), time.process_time()
        while True:
            call()
            calls += 1
            spent = time.perf_counter() - wall
            if spent >= least:
                return {"wall": spent / calls, "cpu": (time.process_time() - cpu) / calls, "calls": calls}

    def call(self, module: str, function: str, **arguments: Any) -> dict[str, Any]:
        """A measurement of another kind, on the cores of this worker."""
        result: dict[str, Any] = getattr(importlib.import_module(module), function)(**arguments)
        return result

    def drop(self) -> dict[str, Any]:
        self.ready.clear()
        self.facts.clear()
        return {}


def serve(family: str, lines: TextIO, out: TextIO) -> None:
    """Answers every line with one line; an exception is an answer too."""
    stable: Stable | None = None
    for line in lines:
        command = json.loads(line)
        try:
            stable = stable or Stable(family)
            answer = getattr(stable, command.pop("do"))(**command)
        except ModuleNotFoundError as error:
            answer = {"missing": error.name}
        except Exception as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=out, flush=True)


if __name__ == "__main__":
    with open(int(sys.argv[2]), "w") as replies:
        serve(sys.argv[1], sys.stdin, replies)
