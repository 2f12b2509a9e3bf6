"""Studies that are killed, stopped, damaged and started again."""

import os
import signal
import sys

import pytest
from study_process import SMALL, begun, children, gone, kill_all, report, results, run, start, until, with_times_of

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at processes through /proc")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    out = tmp_path_factory.mktemp("studies") / "whole"
    code, said = run(out)
    assert code == 0, said
    return out


def stamps(out):
    return {p: p.stat().st_mtime_ns for p in [*out.glob("results/**/*.json"), *out.glob("runs/**/*")]}


def test_a_study_leaves_a_result_for_each_arm_and_seed(whole):
    runs = [f"results/skirmish-3m/{arm}/0.json" for arm in ("mappo", "qc-factored")]
    assert list(results(whole)) == runs
    result = results(whole)[runs[1]]
    assert result["curve"]["env_steps"] == [3200, 6400, 9600]
    assert {"eval/win_rate", "eval/win_rate_sampled", "eval/win_rate_mean_law", "eval/win_rate_shuffled"} <= result[
        "final"
    ].keys()
    assert result["parameters"]["mixer"] == 4 * 8  # 4 layers of RY on ceil(log2(3 * 64)) qubits
    assert result["settings"]["config"]["run"]["seed"] == 0
    assert result["final"]["env_steps"] == 9600


def test_a_finished_study_touches_nothing(whole):
    before, (code, said) = stamps(whole), run(whole)
    assert code == 0
    assert f"report: {whole / 'report' / 'index.html'}" in said
    assert stamps(whole) == before


def test_a_result_counts_where_its_run_directory_is_gone(whole, tmp_path):
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "results").symlink_to(whole / "results")
    code, _ = run(tmp_path / "new", "--results", str(tmp_path / "kept"))
    assert code == 0
    assert not (tmp_path / "new" / "runs").exists()


def test_a_study_killed_in_its_middle_goes_on_to_the_same_report(whole, tmp_path):
    process = start(tmp_path)
    until(lambda: begun(tmp_path), process)
    kill_all(process)
    assert results(tmp_path) != results(whole)
    assert run(tmp_path)[0] == 0
    assert results(tmp_path) == results(whole)
    with_times_of(tmp_path, whole)
    assert report(tmp_path) == report(whole)


@pytest.mark.slow
def test_the_processes_of_a_dead_study_save_and_end(whole, tmp_path):
    process = start(tmp_path)
    until(lambda: begun(tmp_path), process)
    workers = children(process)
    process.kill()
    process.communicate()
    until(lambda: all(gone(pid) for pid in workers))
    assert run(tmp_path)[0] == 0
    assert results(tmp_path) == results(whole)


@pytest.mark.slow
def test_ctrl_c_saves_every_run_and_the_same_command_goes_on(whole, tmp_path):
    process = start(tmp_path)
    until(lambda: begun(tmp_path), process)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGINT
    assert "the same command goes on" in said
    assert run(tmp_path)[0] == 0
    assert results(tmp_path) == results(whole)


def test_a_run_that_fails_is_told_at_the_end_and_the_others_are_done(whole, tmp_path):
    (tmp_path / "runs" / "skirmish-3m" / "mappo").mkdir(parents=True)
    (tmp_path / "runs" / "skirmish-3m" / "mappo" / "0").touch()
    code, said = run(tmp_path)
    assert code == 1
    assert "skirmish-3m/mappo/0: ended with code 1" in said
    assert "is a file" in said
    assert len(results(tmp_path)) == 1


@pytest.mark.slow
def test_a_killed_worker_costs_the_others_nothing(tmp_path):
    process = start(tmp_path)
    until(lambda: begun(tmp_path), process)
    victim = children(process)[0]
    os.kill(victim, signal.SIGKILL)
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "killed by SIGKILL" in said
    assert len(results(tmp_path)) == 1


def test_other_steps_under_the_same_name_are_refused(whole):
    words = [word if word != "9600" else "3200" for word in SMALL]
    code, said = run(whole, words=words)
    assert code == 2
    assert "different: eval_every (384, now 128), steps (9600, now 3200). Choose another --out" in said
    assert said.count("\n") == 1
