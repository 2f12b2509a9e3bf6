"""What of the tools and libraries is on this machine: python -m card.environment [--rehearse], called by gpu.sh.

Exits with 1 if something is missing without which nothing can be built, tested or timed.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence

TOOLS = {
    "nvcc": "the kernels are built by it; put CUDA's bin folder on PATH",
    "cmake": "it builds; pip install cmake",
    "ninja": "it builds; pip install ninja",
    "nvidia-smi": "it comes with the driver",
    "compute-sanitizer": "without it no sanitizer runs; it comes with the CUDA toolkit",
}
PACKAGES = {
    "torch": "everything is measured on its tensors; pip install torch",
    "pybind11": "the modules are built with it; pip install pybind11",
    "pytest": "without it no tests; pip install pytest pytest-timeout hypothesis",
    "hypothesis": "without it no tests",
    "tyro": "without it qcmarl cannot train; pip install tyro rich tensorboard",
    "rich": "without it qcmarl cannot train",
    "tensorboard": "without it qcmarl cannot train",
    "cupy": "a rival",
    "jax": "a rival",
    "pennylane": "a rival",
    "torchquantum": "a rival",
}
NEEDED = ("nvcc", "cmake", "torch", "pybind11", "pytest")
UNNEEDED_IN_REHEARSALS = ("nvcc", "nvidia-smi")


def first_line(command: Sequence[str]) -> str:
    """Of what a tool says of itself; the one that names a version, if there is one."""
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=60).stdout.splitlines()
    except (OSError, subprocess.TimeoutExpired):
        return ""
    versions = [line for line in said if "release" in line or "version" in line.lower()]
    return (versions or said or [""])[0].strip()


def version(package: str) -> str:
    """Of the first distribution that brings a package."""
    names = importlib.metadata.packages_distributions().get(package, [])
    return importlib.metadata.version(names[0]) if names else ""


def gpu() -> str | None:
    """What is wrong with torch's view of the GPU."""
    import torch

    if torch.cuda.is_available():
        return None
    built = f"it is built for CUDA {torch.version.cuda}" if torch.version.cuda else "it is built without CUDA"
    return f"torch {torch.__version__} sees no GPU; {built}"


def lacking(rehearsal: bool) -> Iterator[str]:
    """Prints what is there, and yields what is needed and is not."""
    print(f"  python {platform.python_version()}, {sys.executable}, {os.cpu_count()} cores")
    for tool, use in TOOLS.items():
        found = shutil.which(tool)
        print(f"  {tool}: {first_line([found, '--version']) or found if found else 'not here: ' + use}")
        if not found and tool in NEEDED and not (rehearsal and tool in UNNEEDED_IN_REHEARSALS):
            yield tool
    for package, use in PACKAGES.items():
        here = importlib.util.find_spec(package) is not None
        print(f"  {package}: {version(package) if here else 'not here: ' + use}")
        if not here and package in NEEDED:
            yield package
    wrong = gpu() if importlib.util.find_spec("torch") is not None and not rehearsal else None
    if wrong:
        yield wrong


def main() -> int:
    missing = list(lacking("--rehearse" in sys.argv[1:]))
    for what in missing:
        print(f"  MISSING: {what}")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
