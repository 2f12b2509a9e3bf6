"""What a result was measured on: processor, versions, commit, and the limits of one core measured in the same run."""

from __future__ import annotations

import ctypes
import importlib.metadata
import os
import platform
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

import qcsim

HERE = Path(__file__).parent
DISTRIBUTIONS = (
    "torch numpy jax pennylane pennylane-lightning tensorcircuit-ng torchquantum-ng qulacs qiskit qiskit-aer qsimcirq "
    "triton cupy-cuda12x cupy-cuda13x jax-cuda12-plugin jax-cuda13-plugin pennylane-lightning-gpu"
)


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
    describe = ["git", "describe", "--always", "--dirty=+", "--abbrev=10", "--exclude=*"]
    try:
        return subprocess.run(describe, cwd=HERE, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def versions() -> dict[str, str]:
    """Python's and every contestant's version, those that are installed."""
    found = {"python": platform.python_version()}
    for name in DISTRIBUTIONS.split():
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def matrix_product_rate(rounds: int = 15) -> float:
    """Multiply-adds a second of a large float32 matrix product with torch's threads."""
    import torch

    size = 768
    left, right = torch.randn(2, size, size)
    out = torch.empty(size, size)
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        torch.mm(left, right, out=out)
        times.append(time.perf_counter() - start)
    return size**3 / min(times)


def limits(duration: float = 0.1) -> dict[str, Any]:
    """One core's float32 multiply-adds a second, and its copy bandwidth (bytes read plus written) in cache and memory.

    The rate is that of a loop in registers; without a C++ compiler, of a matrix product, and no bandwidth.
    """
    product = matrix_product_rate()
    compiler = os.environ.get("CXX") or shutil.which("c++") or shutil.which("g++")
    if compiler is None:
        return {"multiply_adds_per_second": product, "multiply_adds_by": "a matrix product"}
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "limits.so"
        flags = ["-O3", "-march=native", "-shared", "-fPIC"]
        subprocess.run([compiler, *flags, str(HERE / "limits.cpp"), "-o", str(library)], check=True)
        loops = ctypes.CDLL(str(library))
    loops.multiply_adds_per_second.restype = loops.copied_bytes_per_second.restype = ctypes.c_double
    rate = loops.multiply_adds_per_second(ctypes.c_double(duration), ctypes.byref(ctypes.c_float(0)))
    found = {"multiply_adds_per_second": max(rate, product), "multiply_adds_by": "a loop in registers"}
    found["matrix_product_multiply_adds_per_second"] = product
    for name, size in {"cache": 2**13, "memory": 2**27}.items():
        source, target = np.ones(size // 8), np.ones(size // 8)
        addresses = [ctypes.c_void_p(array.ctypes.data) for array in (target, source)]
        copied = loops.copied_bytes_per_second(ctypes.c_double(3 * duration), *addresses, ctypes.c_size_t(size))
        found[f"{name}_copied_bytes_per_second"] = copied
    return found


def describe() -> dict[str, Any]:
    """Everything that belongs beside a stored result."""
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "commit": commit(),
        "qcsim": qcsim.build_info(),
        "versions": versions(),
    }
