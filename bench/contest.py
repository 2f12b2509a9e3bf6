"""Runs contestants against each other: each family in its own process on the same pinned cores, in interleaved rounds.

One thread means one core: the worker is pinned before its libraries start, and they are told the number of threads too.
Only one worker works at a time, so a slow spell of the machine hits all of them.
"""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from rivals import CONTESTANTS, FAMILIES, meets
from work import Work, answers, inputs

HERE = Path(__file__).parent
LARGEST_GRADIENT = 20  # qubits: above, the tapes of most rivals outgrow the memory
PATIENCE = 8.0  # seconds a contestant may spend on one circuit and mode before it sits out the remaining rounds


class Failed(Exception):
    """A contestant gave a wrong answer or raised; the words are its own."""


class Refused(Exception):
    """A contestant cannot run the circuit; the words say what it lacks."""


class Absent(Exception):
    """A family whose package is not installed."""


def cores(threads: int) -> list[int]:
    """The last of the cores that this process may use: the first serve the rest of the system."""
    pinnable = hasattr(os, "sched_getaffinity")  # Linux; elsewhere only the libraries' own settings hold
    available = sorted(os.sched_getaffinity(0)) if pinnable else list(range(os.cpu_count() or 1))
    if threads > len(available):
        raise ValueError(f"threads is {threads}; this process may use {len(available)} cores")
    return available[-threads:]


def environment(threads: int) -> dict[str, str]:
    """What tells every library the number of threads."""
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "QCSIM_NUM_THREADS", "NPROC")
    told = dict.fromkeys(names, str(threads))
    eigen = "true" if threads > 1 else "false"
    flags = f"--xla_cpu_multi_thread_eigen={eigen}"
    quiet = {"JAX_PLATFORMS": "cpu", "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONWARNINGS": "ignore", "PYTHONUNBUFFERED": "1"}
    return {**os.environ, **told, **quiet, "XLA_FLAGS": flags, "TORCHINDUCTOR_COMPILE_THREADS": "1"}


class Worker:
    """The process of one family."""

    def __init__(self, family: str, threads: int, log: Any = subprocess.DEVNULL) -> None:
        read, write = os.pipe()
        chosen = cores(threads)
        self.process = subprocess.Popen(
            [sys.executable, str(HERE / "worker.py"), family, str(write)],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            env=environment(threads),
            pass_fds=[write],
            text=True,
            preexec_fn=(lambda: os.sched_setaffinity(0, chosen)) if hasattr(os, "sched_setaffinity") else None,
        )
        os.close(write)
        self.replies = os.fdopen(read)
        self.family = family

    def ask(self, do: str, **command: Any) -> dict[str, Any]:
        """One command, one answer.

        Raises:
            Absent: if the family's package is missing.
            Failed: if the command raised there.
        """
        assert self.process.stdin is not None
        print(json.dumps({"do": do, **command}), file=self.process.stdin, flush=True)
        line = self.replies.readline()
        if not line:
            raise Failed(f"the process ended with status {self.process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        if "missing" in answer:
            raise Absent(f"{FAMILIES[self.family]}: {answer['missing']} is not installed")
        if "error" in answer:
            raise Failed(answer["error"])
        return answer

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait(timeout=30)
        self.replies.close()


class Workers:
    """One worker per (family, threads), started at first use, closed together."""

    def __init__(self) -> None:
        self.running: dict[tuple[str, int], Worker] = {}
        self.folder = tempfile.TemporaryDirectory()
        self.truths: dict[Work, str] = {}

    def get(self, family: str, threads: int) -> Worker:
        key = (family, threads)
        if key not in self.running or self.running[key].process.poll() is not None:
            self.running[key] = Worker(family, threads)
        return self.running[key]

    def truth(self, work: Work) -> str:
        """The file with the right answers."""
        if work not in self.truths:
            right = answers(work, inputs(work), gradients=work.n <= LARGEST_GRADIENT)
            path = str(Path(self.folder.name) / f"{len(self.truths)}.npz")
            np.savez(path, **{name: array for name, array in right._asdict().items() if array is not None})
            self.truths[work] = path
        return self.truths[work]

    def close(self) -> None:
        for worker in self.running.values():
            worker.close()
        self.folder.cleanup()


@contextlib.contextmanager
def workers() -> Iterator[Workers]:
    stable = Workers()
    try:
        yield stable
    finally:
        stable.close()


class Entry:
    """A contestant that is ready and right, with its times so far."""

    def __init__(self, name: str, worker: Worker, work: Work, facts: dict[str, Any]) -> None:
        self.name, self.worker, self.work, self.facts = name, worker, work, facts
        self.times: dict[str, list[tuple[float, float]]] = {mode: [] for mode in facts["modes"]}

    def run(self, mode: str, least: float = 0.0, warm: float = 0.0) -> tuple[float, float]:
        """Wall and CPU seconds of one call."""
        reply = self.worker.ask("run", name=self.name, work=self.work, mode=mode, least=least, warm=warm)
        return reply["wall"], reply["cpu"]

    def summary(self, mode: str) -> dict[str, Any]:
        """Microseconds per sample."""
        wall, cpu = (
            [1e6 * t / self.facts["samples"] for t in column] for column in zip(*self.times[mode], strict=True)
        )
        return {
            "family": self.worker.family,
            "min": min(wall),
            "median": statistics.median(wall),
            "cpu_min": min(cpu),
            "rounds": len(wall),
            "samples": self.facts["samples"],
            "ready_after": self.facts["ready_after"],
        }


def prepare(stable: Workers, name: str, work: Work, threads: int) -> tuple[Entry, str]:
    """A contestant that has given the right answers, and what is to be said of it.

    Raises:
        Absent: if its package is missing.
        Refused: if it cannot run the circuit.
        Failed: if it gave a wrong answer or raised.
    """
    worker = stable.get(CONTESTANTS[name], threads)
    facts = worker.ask("make", name=name, work=work, truth=stable.truth(work))
    if "unsupported" in facts:
        raise Refused(facts["unsupported"])
    return Entry(name, worker, work, facts), facts["note"]


def enter(
    stable: Workers, work: Work, families: Iterable[str], threads: int, without: Iterable[str] = ()
) -> tuple[list[Entry], dict[str, str]]:
    """The contestants that can run the circuit, checked, less those `without` whose words; and why others cannot."""
    entries, notes = [], {}
    wanted = {family for family in families if meets(family, work.kind)}
    for name, family in CONTESTANTS.items():
        if family not in wanted or any(word in name for word in without):
            continue
        try:
            entry, note = prepare(stable, name, work, threads)
        except Absent as reason:
            notes[FAMILIES[family]] = str(reason)
            wanted.remove(family)
            continue
        except (Refused, Failed) as reason:
            entry, note = None, str(reason)
        if note:
            notes[name] = note[:500]
        if entry is not None:
            entries.append(entry)
    return entries, notes


def rounds(entries: list[Entry], mode: str, count: int, least: float = 3e-2) -> None:
    """Times everyone in turns after one discarded run; the slow sit out when their patience is spent."""
    spent = dict.fromkeys(entries, 0.0)
    for turn in range(count + 1):
        for entry in entries:
            if mode not in entry.times or (spent[entry] > PATIENCE and entry.times[mode]):
                continue
            warm = least if spent[entry] < PATIENCE / 4 else 0.0
            wall, cpu = entry.run(mode, least, warm)
            spent[entry] += max(wall, least) + (max(wall, least) if warm else 0.0)
            if turn or wall > PATIENCE:
                entry.times[mode].append((wall, cpu))


def beside(stable: Workers, works: dict[str, Work], mode: str, threads: int, count: int) -> dict[str, dict[str, Any]]:
    """qcsim on several circuits in turns: label -> microseconds a sample."""
    entries = [prepare(stable, "qcsim", work, threads)[0] for work in works.values()]
    rounds(entries, mode, count)
    return {label: entry.summary(mode) for label, entry in zip(works, entries, strict=True)}


def compete(
    stable: Workers,
    work: Work,
    modes: Iterable[str] = ("step", "forward"),
    families: Iterable[str] = tuple(FAMILIES),
    threads: int = 1,
    count: int = 7,
    without: Iterable[str] = (),
) -> list[dict[str, Any]]:
    """One row per mode: every contestant's microseconds per sample, and who could not run."""
    entries, notes = enter(stable, work, families, threads, without)
    rows = []
    for mode in modes:
        rounds(entries, mode, count)
        times = {entry.name: entry.summary(mode) for entry in entries if entry.times.get(mode)}
        rows.append(
            {"mode": mode, **work._asdict(), "threads": threads, "microseconds_per_sample": times, "notes": notes}
        )
    for worker in {id(entry.worker): entry.worker for entry in entries}.values():
        worker.ask("drop")
    return rows
