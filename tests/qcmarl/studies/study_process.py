"""Small studies in processes of their own, watched and killed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from qcmarl.studies import command
from qcmarl.studies.results import as_text

STEPS = 9_600
"""Three rollouts a run."""
SMALL = ["table1", "--maps", "3m", "--arms", "mappo", "qc-factored", "--seeds", "1", "--steps", str(STEPS), "--smoke"]
PATIENCE = 120


def start(out, *options, words=SMALL):
    arguments = [sys.executable, "-m", "qcmarl", "study", *words, "--out", str(out), "--jobs", "2", *options]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def run(out, *options, words=SMALL):
    process = start(out, *options, words=words)
    said, _ = process.communicate(timeout=PATIENCE)
    return process.returncode, said


def children(process):
    return [int(n) for n in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


def until(condition, process=None):
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline
        assert process is None or process.poll() is None, process.communicate()[0]
        time.sleep(0.005)
    return found


def begun(out):
    """Runs that have written metrics and have no result."""
    runs = [p.parent for p in out.glob("runs/*/*/*/metrics.jsonl") if p.stat().st_size]
    return [r for r in runs if not (out / "results" / r.relative_to(out / "runs")).with_suffix(".json").exists()]


def results(out):
    """By name, without what a clock decided."""
    found = {}
    for path in sorted(out.glob("results/**/*.json")):
        found[str(path.relative_to(out))] = {k: v for k, v in json.loads(path.read_text()).items() if k != "time"}
    return found


def kill_all(process):
    """SIGKILL to the study and to its processes."""
    for pid in [process.pid, *children(process)]:
        os.kill(pid, signal.SIGKILL)
    process.communicate()


def gone(pid):
    """Whether a process has ended; one that nobody waits for may stay as a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def with_times_of(out, other):
    """Puts what the clock decided in the results of `other` into those of `out`."""
    for path in out.glob("results/**/*.json"):
        theirs = json.loads((other / path.relative_to(out)).read_text())
        path.write_text(as_text({**json.loads(path.read_text()), "time": theirs["time"]}))


def report(out):
    """The report made of what there is, by file."""
    options = {"maps": ("3m",), "arms": ("mappo", "qc-factored"), "seeds": 1, "steps": STEPS, "smoke": True}
    command.report_of(command.prepare(command.StudyOptions(("table1",), out=out, **options)))
    return {path.relative_to(out): path.read_bytes() for path in (out / "report").rglob("*") if path.is_file()}
