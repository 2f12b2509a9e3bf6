"""The benchmark of a GPU, rehearsed on the host: it checks answers, counts right, and tells what is missing."""

from __future__ import annotations

import contextlib
import importlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qcsim import cuda, gpus

torch = pytest.importorskip("torch")
import pretended  # noqa: E402
from qcsim import autograd  # noqa: E402

BENCH = Path(__file__).parents[1] / "bench"
QUICK = ("ours_kernels", "ours_verbs", "torch_eager", "cupy_gates", "pennylane_torch", "pennylane_lightning")
KERNELS = "ours (kernels)"


@pytest.fixture(autouse=True)
def bench_on_the_path(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(str(BENCH))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def module(name: str) -> Any:
    return importlib.import_module(name)


def work(n: int = 3, batch: int = 9) -> Any:
    return module("work").Work("reference", n, 2, batch)


def family(name: str) -> tuple[Any, Any]:
    """A family and its library, if it is here."""
    try:
        found = module(f"card.{name}")
        return found, found.library(True)
    except (ModuleNotFoundError, module("card").Absent) as reason:
        pytest.skip(str(reason))


def timed(n: int, contestant: str, step: float, **more: Any) -> dict[str, Any]:
    """A row of a million samples: milliseconds are nanoseconds a sample."""
    of = "ours_kernels" if contestant == KERNELS else "torch_eager"
    row = {"kind": "times", "family": of, "contestant": contestant, "n": n, "layers": 4, "batch": 10**6, "tf32": False}
    row |= {"forward_ms": {"median": step / 3}, "step_ms": {"median": step}, "bytes_per_sample": 8.0, "error": 1e-7}
    return {**row, **more}


MEASURED = [
    timed(9, KERNELS, 6.0),
    timed(9, "torch, whole unitary", 90.0),
    timed(9, "torch, Kronecker layers", 72.0),
    timed(9, "torch, whole unitary, TF32", 36.0, tf32=True),
    timed(8, KERNELS, 6.0),
    {"kind": "small", "family": "ours_kernels", "contestant": KERNELS, "n": 9, "batch": 32, "launches": 4,
     "step_ms": {"median": 0.05}, "graph_ms": {"median": 0.0123}},
    {"kind": "absent", "family": "jax_hand", "why": "jax is not installed"},
    {"kind": "failed", "family": "torchquantum", "contestant": "TorchQuantum-NG", "n": 9, "why": "outputs off by 1e-2"},
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:.*should not be instantiated:DeprecationWarning")  # torch.compile's own
@pytest.mark.parametrize("name", [*QUICK, pytest.param("torchquantum", marks=pytest.mark.slow),
                                  pytest.param("jax_hand", marks=pytest.mark.slow),
                                  pytest.param("torch_compiled", marks=pytest.mark.slow)])  # fmt: skip
def test_every_contestant_that_is_installed_gives_the_answers_of_the_cpu(name: str) -> None:
    found, library = family(name)
    for contestant in found.CONTESTANTS.values():
        row = module("card.entry").row(contestant, library, work())
        assert row["error"] < 1e-5
        assert row["batch"] == min(9, contestant.takes or 9)
        assert row["forward_ms"]["median"] > 0


def test_each_family_is_a_module_and_each_module_of_contestants_a_family() -> None:
    listed = {path.stem for path in (BENCH / "card").glob("*.py") if "\nCONTESTANTS = " in path.read_text()}
    assert set(module("card").FAMILIES) == listed


@pytest.mark.parametrize(
    ("part", "words"), [(0, "outputs of a step off by"), (1, "weight gradient off by"), (2, "input gradient off by")]
)
def test_a_wrong_contestant_is_caught_before_it_is_timed(part: int, words: str) -> None:
    found, library = family("cupy_gates")
    entry = module("card.entry")
    right = found.make(entry.given(library, work()))

    def wrong(which: int, cotangents: Any) -> tuple[Any, ...]:
        answers = right.step(which, cotangents)
        return tuple(answer * (1 + 1e-4 * (i == part)) for i, answer in enumerate(answers))

    assert entry.error_of(right, 2e-5) < 2e-5
    with pytest.raises(AssertionError, match=words):
        entry.error_of(right._replace(step=wrong), 2e-5)


def test_every_number_of_the_answers_is_written_by_the_kernels() -> None:
    found, library = family("ours_kernels")
    entry = found.make(module("card.entry").given(library, work(4, 37)))
    for answer in entry.step(2, entry.given.cotangents):
        assert bool(torch.isfinite(answer).all())


class PretendedEvent:
    """An event whose time is the host's."""

    def __init__(self, enable_timing: bool = False) -> None:
        self.at = 0.0

    def record(self) -> None:
        self.at = time.perf_counter()

    def synchronize(self) -> None:
        """Nothing to wait for."""

    def elapsed_time(self, other: PretendedEvent) -> float:
        return 1e3 * (other.at - self.at)


class PretendedGraph:
    """Holds nothing."""

    def replay(self) -> None:
        """What was captured has run already."""


class PretendedStream(cuda.Host):
    """An engine that says where it is."""

    facts = {"name": "a pretended GPU"}  # noqa: RUF012

    def __init__(self, handle: int, device: int) -> None:
        super().__init__()


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A pretended GPU with the clock and the graphs that benchmarks use."""
    monkeypatch.setattr(cuda, "Stream", PretendedStream)
    monkeypatch.setattr(cuda, "built", lambda: True)
    monkeypatch.setattr(gpus.TorchGpu, "engine", lambda self: cuda.Host())
    # It is no tracer, although torch sees it as one.
    monkeypatch.setattr(autograd, "_traced", lambda arrays: False)
    monkeypatch.setattr(torch._C, "_len_torch_dispatch_stack", lambda: 0)
    memory = {"mem_get_info": (1 << 30, 1 << 31), "max_memory_allocated": 900, "memory_allocated": 100}
    for name, found in {**memory, "reset_peak_memory_stats": None}.items():
        monkeypatch.setattr(torch.cuda, name, lambda found=found: found)
    monkeypatch.setattr(torch.cuda, "Event", PretendedEvent)
    monkeypatch.setattr(torch.cuda, "CUDAGraph", PretendedGraph)
    monkeypatch.setattr(torch.cuda, "graph", contextlib.nullcontext)
    with pretended.gpu():
        monkeypatch.setattr(torch.cuda, "Stream", torch.cuda.current_stream)
        yield


@pytest.mark.parametrize("name", ["torch_eager", "ours_kernels", "ours_verbs"])
@pytest.mark.usefixtures("gpu")
def test_what_is_done_on_a_gpu_is_done_on_a_pretended_one(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    found = module(f"card.{name}")
    library = found.library(False)
    monkeypatch.setattr(library, "calls", 1)
    tiny = work()._replace(n=2, layers=1)
    monkeypatch.setattr(library, "launches", lambda call: None)  # the profiler takes seconds to find no GPU
    for contestant in found.CONTESTANTS.values():
        row = module("card.entry").row(contestant, library, tiny)
        assert row["error"] < 1e-5
        assert row["bytes_per_sample"] > 0
    for chosen in found.IN_GRAPHS:
        small = module("card.small").row(found.CONTESTANTS[chosen], library, tiny)
        assert small["graph_ms"]["median"] >= 0


class Slow:
    """A library whose calls take a second for every thousand samples, and whose memory ends at some batch."""

    out_of_memory = (MemoryError,)

    def __init__(self, library: Any, largest: int) -> None:
        self.library, self.largest, self.made = library, largest, []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.library, name)

    def normal(self, seed: int, rows: int, columns: int) -> Any:
        if rows > self.largest:
            raise MemoryError
        self.made.append(rows)
        return self.library.normal(seed, rows, columns)

    def milliseconds(self, call: Any) -> float:
        call()
        return float(self.made[-1])


@pytest.mark.parametrize(("limit", "largest", "expected"), [(4.0, 10**6, 32), (1e3, 32, 16), (1e3, 10**6, 64)])
def test_a_contestant_takes_the_batch_that_time_and_memory_allow(
    monkeypatch: pytest.MonkeyPatch, limit: float, largest: int, expected: int
) -> None:
    found, library = family("cupy_gates")
    entry = module("card.entry")
    monkeypatch.setattr(entry, "TRIAL", 8)
    monkeypatch.setattr(entry, "CALL_LIMIT", limit * 8e-3)
    slow = Slow(library, largest)
    ready = entry.fitted(found.CONTESTANTS["CuPy, gate by gate"], slow, work(3, 64))
    assert ready.entry.given.work.batch == expected


def test_the_share_of_copying_and_the_ratio_to_the_best_torch_are_what_the_rows_say() -> None:
    shown = module("card.goals").goals(MEASURED, 4096.0)
    eight, nine = shown["sizes"]
    assert nine["copy_share"] == pytest.approx(0.5)  # 4096 bytes take a nanosecond, of two
    assert nine["torch"] == {"best": "torch, Kronecker layers", "ratio": pytest.approx(12.0)}
    assert nine["torch_with_tf32"] == {"best": "torch, whole unitary, TF32", "ratio": pytest.approx(6.0)}
    assert nine["reached"] is True
    assert (eight["n"], eight["torch"], eight["reached"]) == (8, None, None)
    assert shown["minibatch"]["launches"] == 4


def test_the_table_tells_what_was_measured_and_what_was_not() -> None:
    training = [
        {"env": "skirmish:3m", "device": "cuda", "env_steps_per_second": 12345.6, "circuit_share": 0.071},
        {"env": "skirmish:3m", "device": "cpu", "failed": "no tyro"},
    ]
    found = {"subject": "cuda", "date": "2025-01-02T03", "machine": {"commit": "abc"}, "device": {"name": "Some GPU"},
             "copy_gb_per_s": 4096.0, "rows": MEASURED, "training": training,
             "must_show": module("card.goals").goals(MEASURED, 4096.0)}  # fmt: skip
    text = module("table").render(found)
    for words in ("Some GPU: a copy moves 4096 GB/s", "one replay: 12.3 us, 4 launches",
                  "cuda: 12,346 steps/s, circuit 7%", "cpu: no tyro", "Commit abc, 2025-01-02",
                  "not here: hand-written JAX (jax is not installed)",
                  "failed: TorchQuantum-NG at 9 (outputs off by 1e-2)"):  # fmt: skip
        assert words in text
    assert "torch, whole unitary  " not in text  # the fastest of a family, with TF32 and without
    assert "torch, whole unitary  " in module("card.table").text(found, everyone=True)


def test_a_rival_may_fail_and_what_is_ours_may_not() -> None:
    is_sound = module("card.stage").is_sound
    assert is_sound(MEASURED, ["ours_kernels", "torchquantum"])
    assert not is_sound(MEASURED, ["ours_kernels", "ours_verbs"])
    broken = {"kind": "failed", "family": "ours_kernels", "contestant": KERNELS, "n": 6, "why": "off"}
    assert not is_sound([*MEASURED, broken], ["ours_kernels"])


def test_a_missing_library_is_a_line_and_a_broken_contestant_another(monkeypatch: pytest.MonkeyPatch) -> None:
    runner = module("card.family")
    setting = runner.Setting(True, [[3, 9]], [3, 4], 2, 100.0)
    monkeypatch.setitem(sys.modules, "jax", None)
    monkeypatch.delitem(sys.modules, "card.jax_hand", raising=False)
    assert [row["kind"] for row in runner.rows("jax_hand", setting)] == ["absent"]
    gates = module("card.cupy_gates")
    monkeypatch.setattr(gates.Circuit, "slope", lambda *_: np.float32(1.0))
    (row,) = runner.rows("cupy_gates", setting)
    assert row["kind"] == "failed"
    assert "weight gradient off by" in row["why"]


def test_what_no_time_is_left_for_is_told() -> None:
    runner = module("card.family")
    (row,) = runner.rows("cupy_gates", runner.Setting(True, [[3, 9]], [3, 4], 2, -1.0))
    assert (row["kind"], row["why"]) == ("left out", "no time left")


def test_the_words_of_a_process_that_broke_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = module("card.stage")
    command = [sys.executable, "-c", "import sys; sys.exit('some words')"]
    monkeypatch.setattr(stage, "command", lambda *_: command)
    setting = module("card.family").Setting(True, [], [3, 4], 2, 5.0)
    (row,) = stage.rows("ours_verbs", setting)
    assert row["kind"] == "failed"
    assert row["why"] == "its process ended with status 1: some words"


def test_training_is_summed_up_by_medians_without_the_first_iterations() -> None:
    training = module("card.training")
    names = training.METRICS.values()
    lines = [
        dict(zip(names, values, strict=True))
        for values in ((1, 0.9), (1, 0.9), (1, 0.9), (8, 0.2), (10, 0.1), (9, 0.3))
    ]
    assert training.summary(lines) == {"env_steps_per_second": 9, "circuit_share": 0.2, "iterations": 3}
    assert "3 iterations in all" in training.summary(lines[:3])["failed"]


def test_a_rehearsal_goes_through_everything_and_is_stored_as_no_result(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gpu = module("gpu")
    with pytest.raises(SystemExit):
        gpu.main(["--rehearse", "--store", str(BENCH / "results")])
    assert "a rehearsal is no result" in capsys.readouterr().err
    chosen = ["--families", "ours_kernels", "--train-seconds", "0", "--store", str(tmp_path)]
    assert gpu.main(["--rehearse", *chosen]) == 0
    (stored,) = tmp_path.glob("cuda-rehearsal-*.json")
    found = json.loads(stored.read_text())
    assert found["device"] == {"name": "rehearsal"}
    assert [row["kind"] for row in found["rows"]] == ["times", "small"]
    assert found["must_show"]["minibatch"]["launches"] == 2
    assert "to be shown" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "told"), [(["--only", "nothing"], "unknown step nothing"), (["--limit", "x"], "--limit is x")]
)
def test_the_script_says_which_steps_and_options_it_has(words: list[str], told: str) -> None:
    done = subprocess.run(["bash", str(BENCH / "gpu.sh"), *words], capture_output=True, text=True)
    assert done.returncode == 2
    assert told in done.stderr
