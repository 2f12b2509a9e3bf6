"""Runs: what they write, and that interruptions leave no trace."""

import dataclasses
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
import torch

from qcmarl import checkpoint, rundir
from qcmarl.algos import ALGORITHMS
from qcmarl.config import wrong_kinds
from qcmarl.evaluation import evaluate_run
from qcmarl.run import (
    MEAN_LAW_EVERY,
    CannotWrite,
    Run,
    RunConfig,
    described,
    evaluation_seed,
    evaluations,
    kept_settings,
    resolve,
)

STEPS = 40 * 160
OPTIONS = {
    "mappo": {"n_envs": 8, "rollout_steps": 20, "epochs": 2, "hidden": 16, "recurrent": True},
    "attention-mappo": {"n_envs": 8, "rollout_steps": 20, "epochs": 2, "hidden": 16},
    "g2anet": {"n_envs": 8, "rollout_steps": 20, "epochs": 2, "hidden": 16},
    "tarmac": {"n_envs": 8, "rollout_steps": 20, "epochs": 2, "hidden": 16, "rounds": 2},
    "qc-mappo": {"n_envs": 8, "rollout_steps": 20, "epochs": 2, "latent": 8, "readout": "outcome"},
    "qmix": {"n_envs": 8, "rollout_steps": 20, "batch": 8, "learn_every": 80, "memory": 20, "target_every": 3},
    "vdn": {"n_envs": 8, "rollout_steps": 20, "recipe": "pymarl", "batch": 4, "learn_every": 3, "epsilon_steps": 2000},
}
VARYING = ("wall_seconds", "time/")


def small_run(directory, algo="qc-mappo", resume=False, threads=1, **changes):
    values = {"env": "skirmish:3m", "seed": 3, "steps": STEPS, "eval_every": 960, "eval_battles": 2, **changes}
    algorithm = ALGORITHMS[algo]
    config = algorithm.resolve(algorithm.config(**OPTIONS[algo]), values["env"])
    return Run(algo, resolve(RunConfig(**values)), config, directory, resume, threads, quiet=True)


def lasting(directory):
    return [{k: v for k, v in line.items() if not k.startswith(VARYING)} for line in rundir.read_metrics(directory)]


def weights(directory):
    return checkpoint.load(directory / rundir.CHECKPOINT)["learner"]


def assert_same(a, b):
    if isinstance(a, dict):
        assert a.keys() == b.keys()
        for key in a.keys() - {"seconds"}:
            assert_same(a[key], b[key])
    elif isinstance(a, torch.Tensor):
        assert torch.equal(a, b)
    elif isinstance(a, list | tuple):
        assert len(a) == len(b)
        for one, other in zip(a, b, strict=True):
            assert_same(one, other)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    directory = tmp_path_factory.mktemp("runs") / "whole"
    assert small_run(directory).train() == 0
    return directory


def options_of(directory):
    config = json.loads((directory / rundir.CONFIG).read_text())
    switches = {f.name for f in dataclasses.fields(ALGORITHMS[config["algo"]].config) if f.type == "bool"}
    flags = []
    for name, value in {"algo": config["algo"], **config["run"], **config["algorithm"]}.items():
        option = name.replace("_", "-")
        if name in switches:
            flags.append(f"--{option}" if value else f"--no-{option}")
        elif value is not None:
            flags += [f"--{option}", str(value)]
    return flags


def spawn(*arguments):
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "qcmarl", *arguments]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def wait_for_lines(process, directory, count):
    path = directory / rundir.METRICS
    deadline = time.monotonic() + 120
    while not (path.exists() and path.read_text().count("\n") >= count):
        assert process.poll() is None, process.stdout.read()
        assert time.monotonic() < deadline
        time.sleep(0.002)


def test_a_run_killed_and_resumed_equals_an_uninterrupted_one(finished, tmp_path):
    directory = tmp_path / "killed"
    process = spawn("train", *options_of(finished), "--run-dir", str(directory), "--threads", "2", "--quiet")
    wait_for_lines(process, directory, 8)
    process.kill()
    process.communicate()
    assert len(rundir.read_metrics(directory)) < STEPS // 160
    assert small_run(directory, resume=True).train() == 0
    assert lasting(directory) == lasting(finished)
    assert_same(weights(directory), weights(finished))
    assert_same(*(checkpoint.load(path / rundir.BEST) for path in (directory, finished)))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_a_checkpoint_and_says_how_to_go_on(finished, tmp_path, number):
    directory = tmp_path / "stopped"
    process = spawn("train", *options_of(finished), "--run-dir", str(directory), "--threads", "1")
    wait_for_lines(process, directory, 2)
    process.send_signal(number)
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert f"qcmarl train --run-dir {directory} --resume" in " ".join(said.split())
    done = weights(directory)["env_steps"]
    assert len(rundir.read_metrics(directory)) == done // 160 < STEPS // 160


@pytest.mark.parametrize("algo", ["mappo", "attention-mappo", "g2anet", "tarmac"])
def test_a_run_stopped_between_evaluations_resumes_exactly(tmp_path, algo):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    small_run(whole, algo, steps=1600).train()
    first = small_run(parts, algo, steps=1600)
    for _ in range(4):
        first._iterate()
    first._save()
    first._iterate()  # these lines come after the checkpoint and must vanish
    first.close()
    small_run(parts, algo, steps=1600, resume=True).train()
    assert lasting(parts) == lasting(whole)
    assert_same(weights(parts), weights(whole))


def test_evaluations_do_not_influence_training(tmp_path):
    rare, often = tmp_path / "rare", tmp_path / "often"
    small_run(rare, steps=1600, eval_every=1600).train()
    small_run(often, steps=1600, eval_every=160, eval_battles=3).train()
    assert_same(weights(rare), weights(often))


@pytest.mark.parametrize("iteration", [3200, 20_000, 640])
@pytest.mark.parametrize("eval_every", [80_000, 50_000, 3200, 1000, 640, 1])
def test_evaluations_are_counted_one_by_one(iteration, eval_every):
    counted = 0
    for done in range(0, 2_000_000, iteration):
        steps = done + iteration
        counted += steps // eval_every > done // eval_every
        assert evaluations(steps, eval_every, iteration) == counted


@pytest.mark.parametrize("iteration", [3200, 20_000])
def test_the_mean_law_is_due_every_400_000_steps_where_every_80_000_are_evaluated(iteration):
    counts = {steps: evaluations(steps, 80_000, iteration) for steps in range(0, 2_000_001, iteration)}
    new = [steps for steps in counts if steps and counts[steps] > counts[steps - iteration]]
    assert new == list(range(80_000, 2_000_001, 80_000))
    assert [s for s in new if counts[s] % MEAN_LAW_EVERY == 0] == list(range(400_000, 2_000_001, 400_000))


def test_the_mean_law_is_played_at_every_fifth_evaluation_however_many_were_asked_for(tmp_path):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    small_run(whole, steps=7 * 160, eval_every=32, eval_battles=1).train()  # five would be due in each iteration
    lines = lasting(whole)
    assert all("eval/win_rate" in line for line in lines)
    played = [line["env_steps"] for line in lines if "eval/win_rate_mean_law" in line]
    assert played == [5 * 160, 7 * 160]
    first = small_run(parts, steps=7 * 160, eval_every=32, eval_battles=1)
    for _ in range(3):
        first._iterate()
    first.close()
    small_run(parts, steps=7 * 160, eval_every=32, eval_battles=1, resume=True).train()
    assert lasting(parts) == lines


def test_a_line_of_metrics_holds_what_is_promised(finished):
    lines = rundir.read_metrics(finished)
    assert [line["env_steps"] for line in lines] == list(range(160, STEPS + 1, 160))
    promised = {
        "env_steps",
        "wall_seconds",
        "eval/win_rate",
        "eval/win_rate_sampled",
        "eval/win_rate_mean_law",
        "eval/return",
        "train/entropy",
        "train/approx_kl",
        "train/clip_fraction",
        "train/explained_variance",
        "train/win_rate",
        "policy/total_correlation",
        "policy/total_correlation_se",
        "policy/outcome_entropy",
        "time/env_steps_per_second",
        "time/environment_share",
        "time/acting_share",
        "time/circuit_share",
        "time/update_share",
    }
    assert promised <= lines[-1].keys()
    evaluated = [line["env_steps"] for line in lines if "eval/win_rate" in line]
    assert evaluated == [*range(960, STEPS, 960), STEPS]
    shares = [lines[-1][f"time/{part}_share"] for part in ("environment", "acting", "update")]
    assert 0 < sum(shares) <= 1


def test_the_configuration_is_written_resolved(finished):
    config = rundir.read_config(finished)
    assert config["algorithm"]["clip"] == 0.2
    assert config["algorithm"]["ratio"] == "joint"
    assert config["run"]["eval_every"] == 960
    assert config["build"]["version"]
    assert list(Path(finished).glob("events.out.tfevents.*"))


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_the_commit_is_that_of_the_tree_the_package_is_tracked_in(tmp_path):
    def git(*arguments):
        who = ["-c", "user.name=n", "-c", "user.email=e", "-c", "commit.gpgsign=false"]
        done = subprocess.run(
            ["git", "-C", str(tmp_path), *who, *arguments], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    tracked, foreign = tmp_path / "tracked.py", tmp_path / "foreign.py"
    tracked.write_text("")
    foreign.write_text("")
    assert rundir.git_hash(tracked) is None
    git("init")
    git("add", "tracked.py")
    git("commit", "-m", "first")
    assert rundir.git_hash(tracked) == git("rev-parse", "HEAD")
    assert rundir.git_hash(foreign) is None
    tracked.write_text("changed")
    assert rundir.git_hash(tracked) == git("rev-parse", "HEAD") + "+"


def test_a_directory_in_use_is_refused(finished):
    with pytest.raises(ValueError, match="is in use; continue it with --resume"):
        small_run(finished)


def test_a_start_cut_short_can_be_started_again(tmp_path, monkeypatch):
    directory = tmp_path / "run"
    monkeypatch.setattr(Run, "_open_tensorboard", interrupted)
    with pytest.raises(KeyboardInterrupt):
        small_run(directory, steps=160)
    monkeypatch.undo()
    assert (directory / rundir.CONFIG).exists()
    with pytest.raises(ValueError, match="start it anew without --resume"):
        small_run(directory, steps=160, resume=True)
    assert small_run(directory, steps=160, seed=4).train() == 0
    assert rundir.read_config(directory)["run"]["seed"] == 4
    assert len(rundir.read_metrics(directory)) == 1


def interrupted(run):
    run._metrics.close()
    raise KeyboardInterrupt


def test_metrics_without_their_checkpoint_are_not_written_over(tmp_path):
    small_run(tmp_path / "run", steps=160).train()
    (tmp_path / "run" / rundir.CHECKPOINT).unlink()
    with pytest.raises(ValueError, match=r"has metrics but no checkpoint\.pt"):
        small_run(tmp_path / "run", steps=160)
    assert len(rundir.read_metrics(tmp_path / "run")) == 1


def test_a_file_system_without_locks_is_no_obstacle(tmp_path, monkeypatch):
    fcntl = pytest.importorskip("fcntl")

    def refuse(file, operation):
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", refuse)
    metrics = rundir.MetricsFile(tmp_path)
    metrics.write({"env_steps": 1})
    metrics.close()
    assert rundir.read_metrics(tmp_path) == [{"env_steps": 1}]


@pytest.mark.parametrize("resume", [False, True])
def test_a_run_has_one_writer_at_a_time(tmp_path, resume):
    pytest.importorskip("fcntl")
    directory = tmp_path / "run"
    first = small_run(directory, steps=160)
    first._save()
    with pytest.raises(ValueError, match="is being written by another process"):
        small_run(directory, steps=160, resume=resume)
    assert first.train() == 0
    assert len(rundir.read_metrics(directory)) == 1
    assert small_run(directory, steps=160, resume=True).train() == 0


def test_another_configuration_is_refused_by_name(finished):
    with pytest.raises(ValueError, match=r"different: eval_every \(960, now 480\), seed \(3, now 4\)$"):
        small_run(finished, resume=True, seed=4, eval_every=480)


def test_a_truncated_checkpoint_is_refused(tmp_path):
    small_run(tmp_path / "run", steps=160).train()
    path = tmp_path / "run" / rundir.CHECKPOINT
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ValueError, match="damaged"):
        small_run(tmp_path / "run", steps=160, resume=True)


def strict(text):
    def refuse(name):
        raise AssertionError(name)

    return json.loads(text, parse_constant=refuse)


def test_numbers_that_are_not_finite_are_written_as_valid_json(tmp_path):
    config = {"algo": "mappo", "run": {}, "algorithm": {"target_kl": float("inf"), "clip": None}}
    metrics = rundir.create(tmp_path, config)
    metrics.write({"env_steps": 1, "a/nan": float("nan"), "a/inf": float("inf"), "a/one": 1.0})
    metrics.close()
    assert strict((tmp_path / rundir.CONFIG).read_text())["algorithm"]["target_kl"] == "inf"
    assert rundir.differences(rundir.read_config(tmp_path), config) == []
    assert strict((tmp_path / rundir.METRICS).read_text()) == {"env_steps": 1, "a/nan": None, "a/inf": None, "a/one": 1}


@pytest.mark.parametrize("algo", ["mappo", "qc-mappo"])
def test_a_minibatch_may_be_a_single_sequence(tmp_path, algo):
    sequences = {"mappo": 4, "qc-mappo": 40}[algo]
    algorithm = ALGORITHMS[algo]
    options = {**OPTIONS[algo], "n_envs": 2, "epochs": 1, "minibatches": sequences}
    config = algorithm.resolve(algorithm.config(**options), "skirmish:3m")
    run_config = resolve(RunConfig(steps=40, eval_battles=1))
    assert Run(algo, run_config, config, tmp_path / "run", quiet=True).train() == 0


def test_lost_lines_are_noticed(tmp_path):
    small_run(tmp_path / "run", steps=160).train()
    (tmp_path / "run" / rundir.METRICS).write_text("")
    with pytest.raises(ValueError, match="has lost lines"):
        small_run(tmp_path / "run", steps=160, resume=True)


def test_resuming_a_finished_run_changes_nothing(finished):
    before = (finished / rundir.METRICS).read_bytes()
    assert small_run(finished, resume=True).train() == 0
    assert (finished / rundir.METRICS).read_bytes() == before


def test_a_finished_run_is_evaluated_from_its_directory(finished):
    rates = evaluate_run(finished, 4, mean_law=True, seed=1, threads=1)
    assert rates["env_steps"] == STEPS
    assert 0 <= rates["eval/win_rate_mean_law"] <= 1


def test_evaluation_seeds_differ_between_runs_and_moments():
    assert len({evaluation_seed(seed, steps) for seed in range(3) for steps in (0, 160, 320)}) == 9


def test_a_run_evaluates_25_times_by_default():
    assert resolve(RunConfig(steps=500_000)).eval_every == 20_000


@pytest.mark.parametrize(("field", "value"), [("steps", 0), ("seed", -1), ("eval_every", 0), ("eval_battles", 0)])
def test_numbers_out_of_range_are_refused(field, value):
    with pytest.raises(ValueError, match=f"{field} is {value}; it must be at least"):
        resolve(RunConfig(**{field: value}))


def test_a_run_from_before_a_setting_has_what_there_was_then(tmp_path):
    small_run(tmp_path / "run").close()
    config = rundir.read_config(tmp_path / "run")
    older = {k: v for k, v in config["algorithm"].items() if k not in ("undo_step", "joint_weights")}
    (tmp_path / "run" / rundir.CONFIG).write_text(json.dumps({**config, "algorithm": older}))
    _, run, algorithm = kept_settings(tmp_path / "run")
    assert (algorithm.undo_step, algorithm.joint_weights) == (False, "living")
    kept = rundir.read_config(tmp_path / "run")
    assert rundir.differences(kept, described("qc-mappo", run, algorithm)) == []
    assert rundir.differences(kept, config) == [
        "joint_weights ('living', now 'samples')",
        "undo_step (False, now True)",
    ]


def scalars(directory, name):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    return [event.step for event in EventAccumulator(str(directory)).Reload().Scalars(name)]


@pytest.mark.parametrize("checkpointed", [0, 2])
def test_tensorboard_shows_every_step_once(tmp_path, checkpointed):
    directory = tmp_path / "run"
    first = small_run(directory, steps=800)
    for _ in range(checkpointed):
        first._iterate()
    first._save()
    first._iterate()  # what a kill cuts off
    first.close()
    small_run(directory, steps=800, resume=True).train()
    assert scalars(directory, "train/entropy") == [160, 320, 480, 640, 800]


def test_a_longer_run_is_the_one_that_would_have_been(tmp_path):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    small_run(whole, steps=960, eval_every=320).train()
    small_run(parts, steps=480, eval_every=320).train()
    assert small_run(parts, steps=960, eval_every=320, resume=True).train() == 0
    assert_same(weights(parts), weights(whole))
    assert rundir.read_config(parts)["run"]["steps"] == 960
    ended = [line for line in lasting(parts) if line["env_steps"] == 480]
    assert "eval/win_rate" in ended[0]  # one evaluation more, where it ended before
    assert [line for line in lasting(parts) if line not in ended] == [
        line for line in lasting(whole) if line["env_steps"] != 480
    ]


def test_a_run_is_made_longer_only_and_nothing_else_changes_with_it(tmp_path):
    small_run(tmp_path / "run", steps=320).train()
    with pytest.raises(ValueError, match=r"different: steps \(320, now 160\)"):
        small_run(tmp_path / "run", steps=160, resume=True)
    with pytest.raises(ValueError, match=r"different: seed \(3, now 4\), steps \(320, now 640\)"):
        small_run(tmp_path / "run", steps=640, seed=4, resume=True)
    assert rundir.read_config(tmp_path / "run")["run"]["steps"] == 320


def test_every_session_is_written_down(tmp_path, monkeypatch):
    directory = tmp_path / "run"
    small_run(directory, steps=160).train()
    first = rundir.read_config(directory)["sessions"]
    assert [session["env_steps"] for session in first] == [0]
    assert first[0]["versions"]["torch"] == torch.__version__
    assert datetime.fromisoformat(first[0]["when"]).tzinfo is not None
    monkeypatch.setattr(rundir, "git_hash", lambda: "feed")
    monkeypatch.setattr(np, "__version__", "9.9")
    assert small_run(directory, steps=320, resume=True).train() == 0
    sessions = rundir.read_config(directory)["sessions"]
    assert [session["env_steps"] for session in sessions] == [0, 160]
    assert sessions[0] == first[0]
    assert (sessions[1]["git"], sessions[1]["versions"]["numpy"]) == ("feed", "9.9")
    assert rundir.read_config(directory)["git"] == first[0]["git"]


def test_a_session_by_other_code_is_told_and_one_by_the_same_is_not(tmp_path):
    small_run(tmp_path / "run", steps=160).train()
    now = rundir.session(160)
    assert rundir.note_session(tmp_path / "run", now, None) == []
    other = {**now, "git": "feed", "versions": {**now["versions"], "torch": "1.0"}}
    assert rundir.note_session(tmp_path / "run", other, None) == [
        f"commit {now['git']}, now feed",
        f"torch {torch.__version__}, now 1.0",
    ]
    more_threads = {**other, "build": {**other["build"], "threads": 99}}
    assert rundir.note_session(tmp_path / "run", more_threads, None) == []


def test_an_older_run_tells_what_it_knows_of_its_first_session(tmp_path):
    small_run(tmp_path / "run", steps=160).train()
    config = json.loads((tmp_path / "run" / rundir.CONFIG).read_text())
    del config["sessions"]
    (tmp_path / "run" / rundir.CONFIG).write_text(json.dumps({**config, "git": "old"}))
    now = rundir.session(160)
    assert rundir.note_session(tmp_path / "run", now, None) == [f"commit old, now {now['git']}"]
    assert [set(session) for session in rundir.read_config(tmp_path / "run")["sessions"]] == [
        {"env_steps", "git", "build"},
        set(now),
    ]


def full(*arguments):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_leaves_the_last_checkpoint_and_says_how_to_go_on(tmp_path, monkeypatch):
    whole, directory = tmp_path / "whole", tmp_path / "run"
    small_run(whole, steps=960, eval_every=320).train()
    stopped = small_run(directory, steps=960, eval_every=320)
    iterate = stopped._iterate

    def then_full():
        if stopped.learner.env_steps == 480:
            monkeypatch.setattr(checkpoint.os, "fsync", full)
        iterate()

    monkeypatch.setattr(stopped, "_iterate", then_full)
    with pytest.raises(CannotWrite) as error:
        stopped.train()
    assert str(error.value) == (
        f"{directory / rundir.METRICS} cannot be written (No space left on device); {directory / rundir.CHECKPOINT} is "
        f"whole, after 320 steps: make room and go on with: qcmarl train --run-dir {directory} --resume"
    )
    monkeypatch.undo()
    assert not list(directory.glob("*.tmp"))
    small_run(directory, steps=960, eval_every=320, resume=True).train()
    assert_same(weights(directory), weights(whole))
    assert lasting(directory) == lasting(whole)


@pytest.mark.parametrize("algo", ALGORITHMS)
def test_no_setting_of_an_algorithm_is_of_a_wrong_kind(algo):
    env = "game:chsh" if algo == "entangled-mappo" else "skirmish:3m"
    resolved = ALGORITHMS[algo].resolve(ALGORITHMS[algo].config(), env)
    assert wrong_kinds(type(resolved), dataclasses.asdict(resolved)) == []
