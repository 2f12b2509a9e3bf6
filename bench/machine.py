"""What a result was measured on: processor, versions, commit, and two limits of the machine measured beside it."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

import qcsim


def processor() -> str:
    """The model string of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def commit() -> str:
    """The commit of the source tree, with a + if files differ from it."""
    here = Path(__file__).parent
    describe = ["git", "describe", "--always", "--dirty=+", "--abbrev=10", "--exclude=*"]
    try:
        return subprocess.run(describe, cwd=here, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def best_seconds(action: Any, rounds: int = 15) -> float:
    """The shortest of several runs, in seconds of wall time."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return min(times)


def multiply_adds_per_second() -> float:
    """The rate of a large float32 matrix product with torch's threads: close to what the arithmetic units can do."""
    size = 768
    left, right = torch.randn(size, size), torch.randn(size, size)
    out = torch.empty(size, size)
    return size**3 / best_seconds(lambda: torch.mm(left, right, out=out))


def copied_bytes_per_second() -> float:
    """Read plus written bytes of a copy larger than the caches, one thread."""
    source = np.ones(2**24)
    target = np.empty_like(source)
    return 2 * source.nbytes / best_seconds(lambda: np.copyto(target, source), rounds=5)


def describe() -> dict[str, Any]:
    """Everything that belongs beside a stored result."""
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "commit": commit(),
        "qcsim": qcsim.build_info(),
        "versions": {"python": platform.python_version(), "torch": torch.__version__, "numpy": np.__version__},
    }
