"""The benchmark's own honesty: rivals give the oracle's answer, and tables say what was stored."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from oracle import dense

torch = pytest.importorskip("torch")
BENCH = Path(__file__).parents[1] / "bench"

RESULT = {
    "date": "2025-01-02T03:04:05+00:00",
    "work": "a small circuit",
    "rounds": 3,
    "machine": {
        "processor": "Some CPU",
        "commit": "abc",
        "qcsim": {"isa": "avx2", "compiler": "GCC 12"},
        "versions": {"python": "3.11"},
    },
    "rows": [
        {
            "mode": "step",
            "qubits": 8,
            "batch": 1024,
            "threads": 1,
            "ratio_of_minima": 4.04,
            "microseconds_per_sample": {"qcsim": {"min": 2.021}, "whole unitary": {"min": 8.1649}},
        }
    ],
}


@pytest.fixture(autouse=True)
def bench_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCH))


@pytest.mark.parametrize("n", [1, 2, 3, 6])
def test_every_rival_gives_the_oracles_outputs_and_gradients(n: int) -> None:
    workload = importlib.import_module("workload")
    work = workload.workload(n, batch=3, layers=2)
    weights, amplitudes, cotangent = (a.detach().numpy() for a in work[2:])
    program = dense.hardware_efficient(n, 2)
    expected = dense.gradients(n, program, cotangent, weights, amplitudes)
    for name, rival in workload.contestants(n, layers=2).items():
        outputs, by_weights, by_amplitudes = (a.detach().numpy() for a in workload.step(rival, work))
        assert dense.relative_error(outputs, dense.outputs(n, program, weights, amplitudes)) < 1e-5, name
        assert dense.relative_error(by_weights, expected.weights, 0.1) < 1e-5, name
        assert dense.relative_error(by_amplitudes, expected.amplitudes, 0.1) < 1e-5, name


def test_a_wrong_contestant_is_caught_before_it_is_timed() -> None:
    workload = importlib.import_module("workload")
    wrong = lambda weights, amplitudes: amplitudes**2 / (amplitudes**2).sum(1, keepdim=True) + 0 * weights.sum()  # noqa: E731
    with pytest.raises(AssertionError, match="wrong: outputs off by"):
        workload.assert_answers({"wrong": wrong}, workload.workload(3, batch=9))


def test_a_table_holds_the_stored_figures_and_their_origin() -> None:
    text = importlib.import_module("table").render(RESULT)
    for words in ("| **qcsim** | 2.02 |", "| torch: whole unitary | 8.16 |", "x4.0", "Some CPU", "abc", "2025-01-02"):
        assert words in text


def test_a_table_replaces_what_stands_between_the_marks_and_nothing_else() -> None:
    table = importlib.import_module("table")
    begin, end = "<!-- bench:reference -->", "<!-- /bench:reference -->"
    document = f"before\n{begin}\nold\n{end}\nafter\n"
    once = table.updated(document, "new")
    assert once == f"before\n{begin}\nnew\n{end}\nafter\n"
    assert table.updated(once, "new") == once
    with pytest.raises(ValueError, match="exactly once"):
        table.updated("no marks", "new")


def test_the_reference_script_measures_and_stores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    reference = importlib.import_module("reference")
    arguments = ["--qubits", "3", "--batch", "9", "--threads", "1", "--rounds", "1", "--store", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["reference.py", *arguments])
    threads = torch.get_num_threads()
    try:
        reference.main()
    finally:
        torch.set_num_threads(threads)
    (stored,) = tmp_path.glob("reference-*.json")
    assert str(stored) in capsys.readouterr().out
    rows = json.loads(stored.read_text())["rows"]
    assert [row["mode"] for row in rows] == ["step", "forward"]
    assert all(np.isfinite(row["ratio_of_minima"]) for row in rows)
