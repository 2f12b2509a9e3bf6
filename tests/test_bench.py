"""The benchmark's own honesty: its truth is right, contestants are held to it, and tables say what was stored."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from oracle import dense

torch = pytest.importorskip("torch")
BENCH = Path(__file__).parents[1] / "bench"
X = np.array([[0, 1], [1, 0]])
Z = np.diag([1, -1])


def row(n: int, mode: str = "step", qcsim: float = 2.021) -> dict[str, Any]:
    """A stored row as run.py writes it."""
    times = {"qcsim": ("ours", qcsim), "torch, whole unitary": ("torch_hand", 8.1649), "qulacs": ("qulacs_loop", 100.0)}
    return {
        "subject": "reference",
        "mode": mode,
        "kind": "reference",
        "n": n,
        "layers": 4,
        "batch": 1024,
        "dtype": "float32",
        "threads": 1,
        "multiply_adds": 4 * 4 * n * 2**n,
        "limits": {
            "multiply_adds_per_second": 5.5e10,
            "multiply_adds_by": "hand",
            "memory_copied_bytes_per_second": 2e10,
        },
        "notes": {},
        "microseconds_per_sample": {name: {"family": f, "min": t, "median": t} for name, (f, t) in times.items()},
        "standing": {
            "ours": "qcsim",
            "hand_written": {"name": "torch, whole unitary", "ratio_of_minima": 4.04},
            "library": {"name": "qulacs", "ratio_of_minima": 49.5},
            "share_of_multiply_adds": 0.29,
        },
    }


RESULT = {
    "subject": "reference",
    "date": "2025-01-02T03:04:05+00:00",
    "rounds": 3,
    "machine": {
        "processor": "Some CPU",
        "commit": "abc",
        "qcsim": {"isa": "avx2", "compiler": "GCC 12"},
        "versions": {"python": "3.11"},
    },
    "rows": [row(8), row(9, qcsim=3.5), row(8, "forward", 0.5)],
}


@pytest.fixture(autouse=True)
def bench_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCH))


@pytest.fixture(scope="module")
def stable() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCH))
        with importlib.import_module("contest").workers() as started:
            yield started


def small(kind: str, n: int = 3) -> Any:
    return importlib.import_module("work").Work(kind, n, 3 if kind == "noisy" else 2, 1 if kind == "large" else 5)


def contestants() -> list[tuple[str, str]]:
    """Who meets at which kind of work, less those that compile for a minute."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCH))
        rivals, kinds = importlib.import_module("rivals"), importlib.import_module("work").KINDS
        known = [(name, family) for name, family in rivals.CONTESTANTS.items() if "torch.compile" not in name]
        return [(name, kind) for kind in kinds for name, family in known if rivals.meets(family, kind)]


def on(qubit: int, n: int, gate: Any) -> Any:
    return np.kron(np.kron(np.eye(2**qubit), gate), np.eye(2 ** (n - 1 - qubit)))


def cnot(control: int, target: int, n: int) -> Any:
    return on(control, n, np.diag([1, 0])) + on(control, n, np.diag([0, 1])) @ on(target, n, X)


def exponential(pauli: Any, angle: float) -> Any:
    """exp(-i angle pauli / 2)."""
    return np.cos(angle / 2) * np.eye(2) - 1j * np.sin(angle / 2) * pauli


def textbook_outputs(work: Any, given: Any) -> Any:
    """Outputs of `complex` and `large` from matrices of Kronecker products."""
    n, states = work.n, np.zeros((work.batch, 2**work.n), complex)
    states[:, 0] = 1
    y = 1j * X @ Z
    if work.kind == "complex":
        for b, angles in enumerate(given.samples):
            for qubit, angle in enumerate(angles):
                states[b] = on(qubit, n, exponential(X, angle)) @ states[b]
    weights = given.weights.astype(float).reshape(work.layers, n, -1)
    for layer in weights:
        for qubit, angles in enumerate(layer):
            gate = exponential(y, angles[0])
            if work.kind == "complex":
                theta, phi, lam = angles
                gate = np.exp(0.5j * (phi + lam)) * exponential(Z, phi) @ exponential(y, theta) @ exponential(Z, lam)
            states = states @ on(qubit, n, gate).T
        for qubit in range(n):
            states = states @ cnot(qubit, (qubit + 1) % n, n).T
    measured = range(1 if work.kind == "large" else n)
    return np.stack([np.sum(np.abs(states) ** 2 * np.diag(on(q, n, Z)), axis=1) for q in measured], axis=1)


@pytest.mark.parametrize("n", [1, 2, 3, 6])
def test_the_truth_of_the_reference_circuit_is_the_oracles(n: int) -> None:
    module = importlib.import_module("work")
    work = small("reference", n)._replace(dtype="float64")
    given = module.inputs(work)
    found = module.answers(work, given)
    program = dense.hardware_efficient(n, 2)
    expected = dense.gradients(n, program, given.cotangent, given.weights, given.samples)
    assert dense.relative_error(found.outputs, dense.outputs(n, program, given.weights, given.samples)) < 1e-13
    assert dense.relative_error(found.by_weights.sum(axis=0), expected.weights, 0.1) < 1e-12
    assert dense.relative_error(found.by_samples, expected.amplitudes, 0.1) < 1e-12


@pytest.mark.parametrize("n", [2, 4])
@pytest.mark.parametrize("kind", ["complex", "large"])
def test_the_truth_of_the_other_circuits_is_the_textbooks(kind: str, n: int) -> None:
    module = importlib.import_module("work")
    work = small(kind, n)._replace(dtype="float64")
    given = module.inputs(work)
    assert np.max(np.abs(module.answers(work, given).outputs - textbook_outputs(work, given))) < 1e-13


def words_of(qubits: tuple[int, ...], n: int) -> list[Any]:
    """All products of Paulis and identities on some qubits."""
    found = [np.eye(2**n)]
    for qubit in qubits:
        found = [on(qubit, n, pauli) @ word for pauli in (np.eye(2), X, 1j * X @ Z, Z) for word in found]
    return found


def textbook_noisy_outputs(work: Any, given: Any) -> Any:
    """Outputs of `noisy` and `global` from density matrices, the noise as the mean over all words of its qubits."""
    n, y = work.n, 1j * X @ Z
    amplitudes = given.samples / np.linalg.norm(given.samples, axis=1, keepdims=True)
    states = amplitudes[:, :, None] * amplitudes[:, None, :].conj()
    for layer in given.weights.astype(float).reshape(work.layers, n):
        for qubit, angle in enumerate(layer):
            gate = on(qubit, n, exponential(y, angle))
            states = gate @ states @ gate.conj().T
        for qubit in range(n):
            pair = (qubit, (qubit + 1) % n)
            words = words_of(tuple(range(n)) if work.kind == "global" else pair, n)
            gate = cnot(*pair, n)
            states = gate @ states @ gate.T
            mean = sum(word @ states @ word.conj().T for word in words) / len(words)
            states = (1 - work.rate) * states + work.rate * mean
    return np.einsum("bii->bi", states).real


@pytest.mark.parametrize("n", [2, 3, 4])
@pytest.mark.parametrize("kind", ["noisy", "global"])
def test_the_truth_of_a_noisy_circuit_is_that_of_its_density_matrices(kind: str, n: int) -> None:
    module = importlib.import_module("work")
    work = small(kind, n)._replace(dtype="float64")
    given = module.inputs(work)
    assert np.max(np.abs(module.answers(work, given).outputs - textbook_noisy_outputs(work, given))) < 1e-14


@pytest.mark.parametrize("kind", ["complex", "large", "noisy", "global"])
def test_the_gradients_of_the_truth_are_finite_differences(kind: str) -> None:
    module = importlib.import_module("work")
    work = small(kind)._replace(dtype="float64")
    given = module.inputs(work)
    right = module.answers(work, given)

    def loss(field: str, index: Any, by: float) -> Any:
        moved = getattr(given, field).copy()
        moved[index] += by
        outputs = module.answers(work, given._replace(**{field: moved}), gradients=False).outputs
        return np.sum(given.cotangent * outputs, axis=1)

    for k in range(work.n_weights):
        slope = (loss("weights", k, 1e-5) - loss("weights", k, -1e-5)) / 2e-5
        assert np.max(np.abs(slope - right.by_weights[:, k])) < 1e-8
    for column in range(given.samples.shape[1] if given.samples is not None else 0):
        index = (slice(None), column)
        slope = (loss("samples", index, 1e-5) - loss("samples", index, -1e-5)) / 2e-5
        assert np.max(np.abs(slope - right.by_samples[:, column])) < 1e-8


@pytest.mark.parametrize(("name", "kind"), contestants())
def test_every_contestant_that_is_installed_gives_the_true_answers(stable: Any, name: str, kind: str) -> None:
    contest = importlib.import_module("contest")
    try:
        entry, _ = contest.prepare(stable, name, small(kind), 1)  # raises Failed for a wrong answer
    except (contest.Absent, contest.Refused) as reason:
        pytest.skip(str(reason))
    assert entry.run("forward")[0] > 0


@pytest.mark.parametrize("family", ["ours", "torch_hand", "torch_mixed"])
def test_a_family_offers_the_contestants_that_are_listed(family: str) -> None:
    listed = importlib.import_module("rivals").CONTESTANTS
    makers = importlib.import_module(f"rivals.{family}").MAKERS
    assert list(makers) == [name for name in listed if listed[name] == family]


def test_a_wrong_contestant_is_caught_before_it_is_timed() -> None:
    module = importlib.import_module("work")
    work = small("reference")
    given = module.inputs(work)
    right = module.answers(work, given)
    answers = (right.outputs, right.by_weights.sum(axis=0), right.by_samples)
    good = module.Program(lambda: answers[0], lambda: answers, work.batch)
    module.assert_answers("good", good, work, right)
    wrong = good._replace(forward=lambda: answers[0] + 1e-4)
    with pytest.raises(AssertionError, match="wrong: outputs off by"):
        module.assert_answers("wrong", wrong, work, right)
    wrong = good._replace(step=lambda: (answers[0], 1.001 * answers[1], answers[2]))
    with pytest.raises(AssertionError, match="wrong: weight gradient off by"):
        module.assert_answers("wrong", wrong, work, right)


def test_what_a_worker_raises_is_told_in_its_own_words(stable: Any) -> None:
    contest = importlib.import_module("contest")
    with pytest.raises(contest.Failed, match="no attribute 'nothing'"):
        stable.get("ours", 1).ask("call", module="math", function="nothing")


def test_a_table_holds_the_stored_figures_and_their_origin() -> None:
    text = importlib.import_module("table").render(RESULT)
    for words in ("| **qcsim** | 2.02 | 3.5 |", "| torch, whole unitary | 8.16 |", "x4.0", "29%", "Some CPU", "abc"):
        assert words in text
    assert text.index("forward + backward") < text.index("| forward, 1 thread")


def test_a_table_tells_the_price_of_a_global_channel() -> None:
    times = {"noiseless": {"min": 2.0}, "noisy": {"min": 2.05}}
    row = {"mode": "step", "n": 9, "batch": 1024, "rate": 1e-3, "threads": 1, "microseconds_per_sample": times}
    result = {**RESULT, "subject": "global", "price": [{**row, "ratio_of_minima": 1.025}]}
    del result["rows"]
    text = importlib.import_module("table").render(result)
    for words in (
        "e = 0.001",
        "| forward + backward, 1 thread | 2 | 2.05 | x1.02 |",
        "Microseconds a sample",
        "Some CPU",
    ):
        assert words in text


def test_a_table_tells_how_far_ahead_the_primitives_are() -> None:
    times = {"qcsim": {"min": 2.0}, "Qiskit": {"min": 500.0}, "Qiskit Aer": {"min": 61.0}}
    row = {"title": "estimator, ansatz", "n": 8, "values": 256, "milliseconds": times}
    result = {**RESULT, "subject": "primitives", "primitives": [row]}
    del result["rows"]
    text = importlib.import_module("table").render(result)
    for words in ("| estimator, ansatz | 8 | 256 | 2 | 500 | 61 | x250 | x30.5 |", "Milliseconds from run", "Some CPU"):
        assert words in text


def test_a_brief_table_has_one_line_for_each_family() -> None:
    text = importlib.import_module("table").render(RESULT, brief=True)
    assert "| hand-written torch | 8.16 |" in text
    assert "whole unitary" not in text


def test_a_table_replaces_what_stands_between_the_marks_and_nothing_else() -> None:
    table = importlib.import_module("table")
    begin, end = "<!-- bench:reference -->", "<!-- /bench:reference -->"
    document = f"before\n{begin}\nold\n{end}\nafter\n"
    once = table.updated(document, "new")
    assert once == f"before\n{begin}\nnew\n{end}\nafter\n"
    assert table.updated(once, "new") == once
    with pytest.raises(ValueError, match="exactly once"):
        table.updated("no marks", "new")


def test_the_picture_shows_every_family_and_the_limits() -> None:
    pytest.importorskip("matplotlib")
    figure = importlib.import_module("picture").draw(RESULT)
    left, right = figure.axes
    texts = [text.get_text() for text in left.texts]
    assert {"qcsim", "hand-written torch", "multiply-add rate", "copy bandwidth"} <= set(texts)
    assert right.get_title(loc="left") == "forward"
    importlib.import_module("matplotlib.pyplot").close(figure)


def test_the_script_measures_circuits_of_the_engine_in_turns(tmp_path: Path) -> None:
    size = ["--qubits", "3", "--batch", "9", "--rounds", "2", "--store", str(tmp_path)]
    importlib.import_module("run").main(["global", *size])
    (stored,) = tmp_path.glob("global-*.json")
    result = json.loads(stored.read_text())
    assert [row["mode"] for row in result["price"]] == ["step", "forward"]
    assert all(row["ratio_of_minima"] > 0 and row["rate"] > 0 for row in result["price"])
    assert "with it" in importlib.import_module("table").render(result)


def test_the_script_measures_and_stores(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = importlib.import_module("run")
    size = ["--qubits", "3", "--batch", "9", "--rounds", "1"]
    run.main(["reference", *size, "--families", "ours", "torch_hand", "--without", "compile", "--store", str(tmp_path)])
    (stored,) = tmp_path.glob("reference-*.json")
    assert str(stored) in capsys.readouterr().out
    result = json.loads(stored.read_text())
    assert [entry["mode"] for entry in result["rows"]] == ["step", "forward"]
    for entry in result["rows"]:
        assert np.isfinite(entry["standing"]["hand_written"]["ratio_of_minima"])
        assert 0 < entry["standing"]["share_of_multiply_adds"] < 1
    assert "hand-written" in importlib.import_module("table").render(result)


def test_the_table_of_a_qnode_says_what_was_stored() -> None:
    times = {"qcsim.qubit": {"min": 2.021, "median": 3.0}, "default.qubit": {"min": 30.5, "median": 31.0}}
    rows = [
        {
            "dtype": dtype,
            "batch": 64,
            "milliseconds": times,
            "default_qubit_over": {"qcsim.qubit": 15.1, "default.qubit": 1.0},
        }
        for dtype in ("float32", "float64")
    ]
    found = {"qubits": 9, "layers": 4, "threads": 1, "rows": rows, "lightning": {"seconds": 101.5}}
    about = {key: RESULT[key] for key in ("date", "rounds", "machine")}
    text = importlib.import_module("table").render({**about, "subject": "qnode", "qnode": found})
    assert "| **qcsim.qubit** | 2.02 | x15.1 | 2.02 | x15.1 |" in text
    assert "| lightning.qubit, one sample instead of 64 | - | - | 101500 | - |" in text
