"""What the compiled kernels issue for a sample of the reference circuit, counted on the host; for bench/kernels.py.

Counts, no times: the machine code runs in an interpreter (sass.py), and its results are compared with those of the
kernels' bodies on the host. Lower bounds of the time follow: a multiprocessor issues four instructions of a warp in a
clock and moves one wavefront of shared memory, and memory moves the bytes that have to be met once.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sass import Block, Counts, Listing, listings

import qcsim
from qcsim.cuda import Call, Host, Program

ROOT = Path(__file__).resolve().parent.parent
SIZES = (6, 8, 9, 10, 12)
LAYERS = 4
SPARE = 1 << 14  # bytes of shared memory behind what the host reckons with
# Multiprocessors, clock in GHz and bytes a nanosecond of a copy, reads and writes together.
CARDS = {"H100": (132, 1.7, 3000.0), "H200": (132, 1.7, 4300.0)}
Bytes = NDArray[np.uint8]


def compiled() -> dict[str, Listing]:
    """The machine code of the kernels in single precision, for sm_90."""
    if shutil.which("nvdisasm") is None:
        raise SystemExit("nvdisasm is not in the path; it comes with the CUDA toolkit")
    with tempfile.TemporaryDirectory() as folder:
        cubin = f"{folder}/kernels.cubin"
        source = ROOT / "cpp" / "cuda" / "kernels_float.cu"
        command = ["nvcc", "-std=c++20", "-O3", f"-I{ROOT / 'cpp'}", "-arch=sm_90", "-cubin", str(source), "-o", cubin]
        subprocess.run(command, check=True)
        return listings(subprocess.run(["nvdisasm", "-c", cubin], capture_output=True, text=True, check=True).stdout)


def aligned(n_bytes: int) -> Bytes:
    """Memory aligned to 16 bytes, with nothing useful in it."""
    raw = np.full(n_bytes + 16, 0xFF, np.uint8)
    start = -raw.ctypes.data % 16
    return raw[start : start + n_bytes]


class Interpreter:
    """Runs the kernels of a program's groups, one after another."""

    def __init__(self, kernels: dict[str, Listing], program: Program, batch: int) -> None:
        self.kernels, self.plan = kernels, program._plan
        self.groups = -(-batch // self.plan.group_samples)
        self.counts = Counts()

    def run(self, kernels: str, *calls: bytes) -> None:
        """Of one of the calls of qcsim.cuda.Program."""
        verb = kernels.split("_")[0]
        name = f"{'warp' if self.plan.group_threads == 32 else 'block'}_{verb}"
        name = f"direct_{name}" if self.plan.is_direct else name
        listing = next(code for mangled, code in self.kernels.items() if f"{len(name)}{name}If" in mangled)
        shared = self.plan.group_bytes_float32(verb == "adjoint")
        parameters = b"".join(calls)
        if name.startswith("warp"):
            parameters += int(shared).to_bytes(4, "little")
        for group in range(self.groups):
            Block(listing, parameters, self.plan.group_threads, group, shared + SPARE, self.counts).run()


class Case:
    """The reference circuit on as many samples as two groups take, on the host and in the interpreter."""

    def __init__(self, kernels: dict[str, Listing], n: int) -> None:
        rng = np.random.default_rng(n)
        circuit = qcsim.hardware_efficient(n_qubits=n, n_layers=LAYERS)
        self.kernels, self.program = kernels, Program(circuit, (qcsim.Probabilities(),), "float32")
        self.batch = 2 * self.program._plan.group_samples
        self.weights = rng.uniform(-np.pi, np.pi, circuit.n_weights).astype(np.float32)
        self.amplitudes = rng.normal(size=(self.batch, 2**n)).astype(np.float32)
        self.cotangents = rng.normal(size=(self.batch, 2**n)).astype(np.float32)
        self.tables = aligned(len(self.program.tables))
        self.tables[:] = self.program.tables

    def _call(self, with_states: bool) -> Call:
        kept = aligned(self.program.kept_bytes(self.batch, with_states))
        outputs = np.full((self.batch, self.program.n_outputs), np.nan, np.float32)
        return Call(self.tables, kept, outputs, self.weights, self.amplitudes, with_states=with_states)

    def forward(self, with_states: bool) -> Counts:
        """Counts of a forward run; the host has made the numbers of the angles."""
        call = self._call(with_states)
        self.program.forward(Host(), call)
        expected = call.outputs.copy()
        call.outputs[:] = np.nan
        interpreter = Interpreter(self.kernels, self.program, self.batch)
        self.program.forward(interpreter, call)
        assert_close(call.outputs, expected)
        return interpreter.counts

    def back(self) -> Counts:
        """Counts of the way back, for weights and amplitudes."""
        call = self._call(True)
        self.program.forward(Host(), call)
        expected = self._gradients(Host(), call)
        interpreter = Interpreter(self.kernels, self.program, self.batch)
        found = self._gradients(interpreter, call)
        for name in ("amplitudes", "sums"):
            assert_close(found[name], expected[name])
        return interpreter.counts

    def _gradients(self, engine: Any, call: Call) -> dict[str, Any]:
        wanted = {"weights": np.full_like(self.weights, np.nan), "amplitudes": np.full_like(self.amplitudes, np.nan)}
        sums = aligned(self.program.sums_bytes(self.batch))
        self.program.adjoint(engine, call, self.cotangents, sums, **wanted)
        return {"amplitudes": wanted["amplitudes"], "sums": sums.view(np.float64)}


def assert_close(found: NDArray[Any], expected: NDArray[Any]) -> None:
    """To single precision, against the largest."""
    assert np.abs(found - expected).max() <= 1e-5 * np.abs(expected).max()


def row(n: int, verb: str, counts: Counts, batch: int, arrays: int) -> dict[str, Any]:
    """What is stored of a count: per sample; arrays: of 2^n numbers that have to be moved."""
    by_class: Counter[str] = Counter(counts.by_class())
    moved = arrays * 4 * 2**n
    instructions, wavefronts = counts.total() / batch, counts.wavefronts / batch
    bounds = {
        card: {
            "bytes": round(moved / rate, 3),
            "instructions": round(instructions / (4 * units * clock), 3),
            "wavefronts": round(wavefronts / (units * clock), 3),
        }
        for card, (units, clock, rate) in CARDS.items()
    }
    return {
        "n": n,
        "verb": verb,
        "instructions": instructions,
        "classes": {name: value / batch for name, value in sorted(by_class.items())},
        "wavefronts": wavefronts,
        "met_banks": (counts.wavefronts - counts.least_wavefronts) / batch,
        "bytes": moved,
        "bounds_ns": bounds,
    }


def count() -> list[dict[str, Any]]:
    """Of all sizes: forward alone, forward with states kept, and back."""
    kernels = compiled()
    rows = []
    for n in SIZES:
        case = Case(kernels, n)
        rows.append(row(n, "forward", case.forward(False), case.batch, 2))
        rows.append(row(n, "forward, kept", case.forward(True), case.batch, 3))
        rows.append(row(n, "back", case.back(), case.batch, 3))
    return rows


def table(rows: list[dict[str, Any]]) -> str:
    """Counts of a sample, and the largest of the bounds beside that of the bytes alone."""
    lines = [
        "| n | verb | instructions | multiply-add | integer | shared | wavefronts | bytes "
        "| H100: ns (bytes alone) | H200: ns (bytes alone) |",
        "|---" * 10 + "|",
    ]
    for found in rows:
        classes = found["classes"]
        shares = [f"{max(bounds.values()):.2f} ({bounds['bytes']:.2f})" for bounds in found["bounds_ns"].values()]
        numbers = [found["instructions"], *(classes.get(name, 0) for name in ("multiply-add", "integer", "shared"))]
        cells = [str(found["n"]), found["verb"], *(f"{x:.0f}" for x in numbers), f"{found['wavefronts']:.0f}"]
        lines.append(f"| {' | '.join([*cells, str(found['bytes']), *shares])} |")
    return "\n".join(lines)
