"""Every compiled instruction set that this machine can run gives the oracle's answer; others are refused in words."""

from __future__ import annotations

import os
import subprocess
import sys

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
