"""Every compiled instruction set that this machine can run gives the oracle's answer; others are refused in words."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import qcsim

ORDER = ["baseline", "avx2", "avx512"]  # each contains the ones before it

AGREE = """
import numpy as np
import qcsim
from oracle.check import PRECISIONS, assert_gradients, assert_outputs
from oracle.circuits import random_case
print(qcsim.build_info()["isa"])
for seed in range(500, 560):
    for dtype in PRECISIONS:
        case = random_case(seed, n=1 + seed % 7, batch=(1, 3, 18)[seed % 3], real=seed % 5 < 2).cast(dtype)
        for measure in case.all_measures[seed % 2 :: 2]:
            assert_outputs(case, measure)
            assert_gradients(case, measure)
for seed in range(560, 563):  # one large state is laid out in another way
    case = random_case(seed, n=9, batch=1, real=seed % 2 == 0)
    for measure in case.all_measures:
        assert_outputs(case, measure)
        assert_gradients(case, measure)
"""


def run_with(isa: str, script: str) -> subprocess.CompletedProcess[str]:
    """Runs a script in a fresh interpreter with the instruction set forced."""
    tests = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    path = os.pathsep.join([*(p for p in sys.path if p), tests])
    environment = {**os.environ, "QCSIM_ISA": isa, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, timeout=120)


def runnable() -> list[str]:
    """The compiled instruction sets up to the best one of this machine."""
    info = qcsim.build_info()
    if os.environ.get("QCSIM_ISA"):
        return [info["isa"]]
    return [isa for isa in info["isas"] if ORDER.index(isa) <= ORDER.index(info["isa"])]


def test_the_build_names_its_instruction_sets() -> None:
    info = qcsim.build_info()
    assert set(info["isas"]) <= set(ORDER)
    assert "baseline" in info["isas"]
    assert info["isa"] in info["isas"]


@pytest.mark.parametrize("isa", runnable())
def test_an_instruction_set_forced_by_the_environment_agrees_with_the_oracle(isa: str) -> None:
    done = run_with(isa, AGREE)
    assert (done.returncode, done.stdout.strip()) == (0, isa), done.stderr


def test_an_unknown_instruction_set_is_refused_with_the_options() -> None:
    done = run_with("mmx", "import qcsim, numpy; qcsim.probabilities(qcsim.Circuit(1), numpy.zeros(0))")
    assert done.returncode == 1  # an exception, not a signal
    for word in ("mmx", *ORDER[:1]):
        assert word in done.stderr


ROOT = Path(__file__).parents[2]
COMPILER = os.environ.get("CXX") or shutil.which("c++") or shutil.which("g++")
WIDE = re.compile(r"%[yz]mm\d")  # registers that the baseline of x86-64 does not have

on_x86 = pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="one instruction set only")


def functions_with_wide_registers(listing: str) -> set[str]:
    """Names of the functions of a disassembly that touch registers wider than 128 bits."""
    found, function = set(), ""
    for line in listing.splitlines():
        if line.endswith(">:"):
            function = line[line.index("<") + 1 : -2]
        elif WIDE.search(line):
            found.add(function)
    return found


# An inline function that an instruction set's object shares with the others may be the one that the linker keeps, and
# then ends every older machine with an illegal instruction.
@on_x86
@pytest.mark.skipif(shutil.which("objdump") is None, reason="needs objdump")
def test_only_the_loops_of_an_instruction_set_use_its_registers() -> None:
    command = ["objdump", "--disassemble", "--demangle", "--no-show-raw-insn", str(qcsim._core.__file__)]
    listing = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    if "<qcsim::" not in listing:
        pytest.skip("the extension module is stripped of its symbols")
    users = functions_with_wide_registers(listing)
    assert len(users) > 100
    assert {name for name in users if not re.search(r"\bqcsim::avx(2|512)::", name)} == set()


def target_of(isa: str) -> tuple[str, list[str]]:
    """The register width and the compiler options of an instruction set, from the build."""
    lists = (ROOT / "cpp" / "qcsim" / "CMakeLists.txt").read_text()
    (width, options), *_ = re.findall(rf"qcsim_kernels\({isa} (\d+)([^)]*)\)", lists)
    return width, options.split()


@on_x86
@pytest.mark.skipif(COMPILER is None or shutil.which("nm") is None, reason="needs a compiler and nm")
def test_an_instruction_set_defines_no_symbol_outside_its_namespace(tmp_path: Path) -> None:
    isa, built = "avx512", tmp_path / "kernels.o"
    width, options = target_of(isa)
    # Without optimisation nothing is inlined away: every function that an optimiser might leave in the object is there.
    command = [str(COMPILER), "-std=c++20", "-O0", "-w", *options, f"-DQCSIM_ISA={isa}"]
    command += [f"-DQCSIM_REGISTER_BYTES={width}", "-Icpp", "-c", "cpp/qcsim/cpu/kernels.cpp", "-o", str(built)]
    subprocess.run(command, check=True, timeout=240, cwd=ROOT)
    command = ["nm", "--demangle", "--defined-only", "--extern-only", "--format=posix", str(built)]
    listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    symbols = [re.sub(r" [A-Za-z] [0-9a-f]+( [0-9a-f]+)?$", "", line) for line in listing.splitlines()]
    assert len(symbols) > 100
    # A template's name stands behind its result.
    own = re.compile(rf"(.* )?qcsim::{isa}::")
    assert [name for name in symbols if not own.match(name)] == []
