"""Jobs as remote tasks of a Ray cluster, one core each. Ray is imported here and nowhere else.

Every task starts the same process as on one machine, on the node where it lands, below a folder of the same path. Its
result comes back as text, so no file system needs to be shared; where one is, interrupted runs go on on any node.
"""

from __future__ import annotations

import os
import signal
import socket
import time
from pathlib import Path
from typing import Any

from qcmarl.studies.jobs import Job, result_file
from qcmarl.studies.pools import LocalPool, Outcome

LOCAL = "local"
"""Address that stands for a cluster of this machine alone, begun and ended with the study."""
KNOCK = 5.0
"""Seconds that a cluster has to answer."""
INTERVAL = 0.1
"""Seconds between looks at a process."""


def do(text: str, out: str, at_once: int) -> tuple[int, str, str | None]:
    """What a task does: (code, last lines of the log, the result as JSON)."""
    job, folder = Job.from_json(text), Path(out)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a cancelled task; may be ignored where Ray was started
    pool = LocalPool(folder, 1)
    pool.start(job, at_once)
    try:
        while not (ended := pool.ended()):
            time.sleep(INTERVAL)
    finally:
        pool.close()
    path = result_file(folder, job.name)
    return ended[0].code, ended[0].said, path.read_text() if ended[0].code == 0 else None


def _knock(address: str) -> None:
    """Raises OSError where nothing listens at HOST:PORT: Ray would try for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host, int(port)), KNOCK).close()


class RayPool:
    """A place for jobs on a Ray cluster.

    Args:
        out: folder of the study; on each node the runs train below the same path.
        address: of the cluster: as `ray.init` takes it, "auto", or "local" for one of this machine alone.
        jobs: tasks at once; for "local" also the number of cores that Ray has.

    Raises:
        ValueError: Ray is missing, or there is no cluster at the address.
    """

    def __init__(self, out: Path, address: str, jobs: int) -> None:
        try:
            import ray
        except ModuleNotFoundError:
            raise ValueError("--ray needs Ray, which is not installed: pip install ray") from None
        self._ray: Any = ray
        self._out = out.resolve()
        paths = os.environ.get("PYTHONPATH")
        environment = {"env_vars": {"PYTHONPATH": paths}} if paths else {}
        where = {"num_cpus": jobs, "include_dashboard": False} if address == LOCAL else {"address": address}
        try:
            _knock(address)
            ray.init(**where, runtime_env=environment, log_to_driver=False, logging_level="ERROR")
        except (OSError, RuntimeError, ValueError) as error:
            raise ValueError(f"no Ray cluster at '{address}': {error}") from None
        self.capacity = jobs if address == LOCAL else max(1, int(ray.cluster_resources().get("CPU", 1)))
        self._task = ray.remote(num_cpus=1, max_retries=0)(do)
        self._tasks: dict[Any, Job] = {}

    @property
    def running(self) -> list[Job]:
        """Jobs that were handed over and have not ended."""
        return list(self._tasks.values())

    def start(self, job: Job, at_once: int) -> None:
        """Hands a job over."""
        self._tasks[self._task.remote(job.as_json(), str(self._out), at_once)] = job

    def ended(self) -> list[Outcome]:
        """The jobs that ended since the last call; their results are written here."""
        tasks = list(self._tasks)
        done, _ = self._ray.wait(tasks, num_returns=len(tasks), timeout=0) if tasks else ([], [])
        return [self._outcome(task) for task in done]

    def _outcome(self, task: Any) -> Outcome:
        job = self._tasks.pop(task)
        try:
            code, said, result = self._ray.get(task)
        except (self._ray.exceptions.RayError, KeyboardInterrupt) as error:
            return Outcome(job, 1, str(error))
        path = result_file(self._out, job.name)
        if result is not None and not path.is_file():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(result)
        return Outcome(job, code, said)

    def interrupt(self) -> None:
        """Cancels every task; its process is told to save."""
        for task in self._tasks:
            self._ray.cancel(task)

    def close(self) -> None:
        """Leaves the cluster."""
        self._ray.shutdown()
