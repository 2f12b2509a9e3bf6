"""The scripts under examples/ run from a shell and print what they promise."""

from __future__ import annotations

import math
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"


def output_of(script: str) -> str:
    """What the script prints, in a fresh interpreter that finds the same packages and takes warnings for errors."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-W", "error", str(EXAMPLES / script)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_first_circuit_prints_a_bell_pair() -> None:
    text = output_of("first_circuit.py")
    assert "[0.5 0.  0.  0.5]" in text
    assert "(1000, 64) each row sums to 1.0" in text


def test_the_gradient_example_finds_both_methods_equal() -> None:
    pytest.importorskip("torch")
    assert output_of("gradients_with_torch.py").count("True") == 2


def test_the_classifier_learns() -> None:
    pytest.importorskip("torch")
    text = output_of("classifier.py")
    assert float(text.split()[-1].rstrip("%")) > 95, text


def test_the_circuit_alone_learns_the_circle() -> None:
    pytest.importorskip("torch")
    text = output_of("variational_classifier.py")
    assert float(text.split()[-1].rstrip("%")) > 92, text


def test_the_ground_state_has_the_exact_energy() -> None:
    pytest.importorskip("torch")
    lines = dict(line.split()[:2] for line in output_of("vqe.py").splitlines())
    assert float(lines["energy"]) == pytest.approx(float(lines["exact"]), abs=1e-7)
    # The critical ring of n = 8 spins has the energy -2 / sin(pi / 2n).
    assert float(lines["exact"]) == pytest.approx(-2 / math.sin(math.pi / 16), abs=1e-7)


def test_agents_in_processes_of_their_own_win_what_the_law_says() -> None:
    for needed in ("torch", "rich"):
        pytest.importorskip(needed)
    text = output_of("entangled_actors.py")
    learned, quantum, played, error = (float(number) for number in re.findall(r"0\.\d{4}", text))
    assert quantum == 0.8536
    assert 0.84 < learned <= quantum
    assert abs(played - learned) < 4 * error


def test_a_large_state_has_the_gradient_of_the_shift_rule() -> None:
    pytest.importorskip("torch")
    text = output_of("large_state.py")
    assert "22 qubits, 264 gates, a state of 32 MiB" in text
    adjoint, shift = (float(number) for number in re.findall(r"[+-]\d\.\d+", text))
    assert adjoint == pytest.approx(shift, abs=1e-5)
    assert abs(adjoint) > 1e-4
