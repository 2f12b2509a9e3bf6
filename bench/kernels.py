"""Registers, spills and compile times of the CUDA kernels, from the compiler's own report; no GPU is needed.

`python bench/kernels.py` compiles each file for each architecture and stores bench/results/kernels-cuda.json; `--count`
stores there what the kernels issue for a sample (counts.py); `--show` prints tables of what is stored.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import counts

ROOT = Path(__file__).resolve().parent.parent
STORED = ROOT / "bench" / "results" / "kernels-cuda.json"
ARCHITECTURES = ["sm_75", "sm_80", "sm_86", "sm_89", "sm_90"]
ENTRY = re.compile(r"Compiling entry function '(\w+)' for '(\w+)'")
STACK = re.compile(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")
REGISTERS = re.compile(r"Used (\d+) registers")


def short_name(mangled: str) -> str:
    """The last name in a mangled one that says something, and the precision."""
    names = []
    rest = mangled
    while (found := re.search(r"(\d+)", rest)) is not None:
        size, start = int(found[1]), found.end()
        name = rest[start : start + size]
        if size > 1 and re.fullmatch(r"[A-Za-z_]\w*", name):
            names.append(name)
            rest = rest[start + size :]
        else:
            rest = rest[start:]
    kept = [name for name in names if name not in ("qcsim", "cuda", "Call", "Slopes", "_GLOBAL__N__", "large_kernel")]
    kept = [name for name in kept if not name.startswith("_GLOBAL")]
    return f"{kept[0]} {'double' if re.search(r'I[0-9a-zA-Z]*d(Li3)?E', mangled) else 'float'}"


def compiled(source: Path, architecture: str) -> list[dict[str, Any]]:
    """What the compiler says of each kernel of a file."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["nvcc", "-std=c++20", "-O3", f"-I{ROOT / 'cpp'}", f"-arch={architecture}", "-Xptxas", "-v", "-c",
                   str(source), "-o", f"{folder}/kernels.o"]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    rows: list[dict[str, Any]] = []
    for line in done.stderr.splitlines():
        if entry := ENTRY.search(line):
            rows.append({"kernel": short_name(entry[1]), "architecture": entry[2]})
        elif stack := STACK.search(line):
            rows[-1] |= {"stack": int(stack[1]), "spill_stores": int(stack[2]), "spill_loads": int(stack[3])}
        elif registers := REGISTERS.search(line):
            rows[-1]["registers"] = int(registers[1])
    return rows


def measure() -> dict[str, Any]:
    """The report of all kernels."""
    rows: list[dict[str, Any]] = []
    seconds: dict[str, float] = {}
    for source in sorted((ROOT / "cpp" / "cuda").glob("*.cu")):
        for architecture in ARCHITECTURES:
            started = time.perf_counter()
            rows += compiled(source, architecture)
            seconds[f"{source.stem} {architecture}"] = round(time.perf_counter() - started, 1)
    version = subprocess.run(["nvcc", "--version"], capture_output=True, text=True, check=True).stdout
    return {"compiler": version.splitlines()[-1], "kernels": rows, "seconds": seconds}


def table(report: dict[str, Any]) -> str:
    """Registers (and bytes of stack and spills where there are any) of each kernel and architecture."""
    lines = [f"| kernel | {' | '.join(ARCHITECTURES)} |", "|---" * (1 + len(ARCHITECTURES)) + "|"]
    found = {(row["kernel"], row["architecture"]): row for row in report["kernels"]}
    for kernel in dict.fromkeys(row["kernel"] for row in report["kernels"]):
        cells = []
        for architecture in ARCHITECTURES:
            row = found[kernel, architecture]
            extra = f" ({row['stack']}, {row['spill_stores']})" if row["stack"] or row["spill_stores"] else ""
            cells.append(f"{row['registers']}{extra}")
        lines.append(f"| {kernel} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", action="store_true", help="count what the kernels issue, and nothing else")
    parser.add_argument("--show", action="store_true", help="print what is stored")
    given = parser.parse_args()
    stored: dict[str, Any] = json.loads(STORED.read_text()) if STORED.exists() else {}
    if given.count:
        stored["counts"] = counts.count()
    elif not given.show:
        stored |= measure()
    STORED.write_text(json.dumps(stored, indent=1) + "\n")
    print(table(stored))
    print(counts.table(stored.get("counts", [])))


if __name__ == "__main__":
    main()
