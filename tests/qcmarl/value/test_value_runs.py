"""Runs of the value-based algorithms: memory and all, interruptions leave no trace, and what is saved is what plays."""

import pytest
from test_run import assert_same, lasting, options_of, small_run, spawn, wait_for_lines, weights

from qcmarl import rundir
from qcmarl.evaluation import evaluate_run

STEPS = 20 * 160


@pytest.mark.parametrize("algo", ["qmix", "vdn"])
def test_a_run_stopped_between_evaluations_resumes_exactly(tmp_path, algo):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    small_run(whole, algo, steps=STEPS).train()
    first = small_run(parts, algo, steps=STEPS)
    for _ in range(13):
        first._iterate()
    first._save()
    first._iterate()  # these lines come after the checkpoint and must vanish
    first.close()
    small_run(parts, algo, steps=STEPS, resume=True).train()
    assert lasting(parts) == lasting(whole)
    assert_same(weights(parts), weights(whole))
    assert weights(whole)["updates"] > 20
    assert "train/td_error" in lasting(whole)[-1]


def test_a_run_killed_and_resumed_equals_an_uninterrupted_one(tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    small_run(whole, "qmix", steps=STEPS).train()
    process = spawn("train", *options_of(whole), "--run-dir", str(killed), "--threads", "2", "--quiet")
    wait_for_lines(process, killed, 8)
    process.kill()
    process.communicate()
    assert len(rundir.read_metrics(killed)) < STEPS // 160
    assert small_run(killed, "qmix", steps=STEPS, resume=True).train() == 0
    assert lasting(killed) == lasting(whole)
    assert_same(weights(killed), weights(whole))


def test_a_checkpoint_plays_and_draws_with_the_epsilon_of_its_moment(tmp_path):
    directory = tmp_path / "run"
    small_run(directory, "vdn", steps=1600).train()
    # The last actions were drawn at step 1600 - 8 of the 2000 over which epsilon falls from 1 to .05.
    epsilon = 1 - 0.95 * 1592 / 2000
    assert float(weights(directory)["policy"]["epsilon"]) == pytest.approx(epsilon)
    assert 0 <= evaluate_run(directory, 4, False, 0, 1)["eval/win_rate_sampled"] <= 1
