"""Runs on a GPU, on one that is pretended: the option, what is written down, checkpoints that belong to no device."""

import json

import pytest
import torch

import pretended
from qcmarl import checkpoint, cli, device, rundir
from qcmarl.evaluation import evaluate_run

SMALL = "--env game:chsh --n-envs 8 --rollout-steps 4 --epochs 1 --hidden 8 --critic-hidden 8 --threads 1 --quiet"


def train(directory, *more):
    with pytest.raises(SystemExit) as stop:
        cli.main(["train", "--run-dir", str(directory), *" ".join(more).split()])
    return stop.value.code


def devices(directory):
    return json.loads((directory / rundir.CONFIG).read_text())["devices"]


def tensors(kept):
    if isinstance(kept, torch.Tensor):
        yield kept
    elif isinstance(kept, dict | list | tuple):
        for each in kept.values() if isinstance(kept, dict) else kept:
            yield from tensors(each)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    directory = tmp_path_factory.mktemp("runs") / "gpu"
    with pretended.gpu(count=2):
        assert train(directory, SMALL, "--steps 64 --eval-battles 2 --device cuda:1") == 0
    return directory


def test_a_runs_configuration_says_where_it_was_and_on_which_card(trained, tmp_path):
    assert devices(trained) == [{"env_steps": 0, "device": "cuda:1", "card": "a pretended GPU 1"}]
    assert train(tmp_path / "cpu", SMALL, "--steps 32 --eval-battles 2") == 0
    assert devices(tmp_path / "cpu") == [{"env_steps": 0, "device": "cpu"}]


def test_a_checkpoint_of_a_gpu_plays_where_there_is_none(trained):
    kept = checkpoint.load(trained / rundir.CHECKPOINT)
    assert {type(x) for x in tensors(kept)} == {torch.Tensor}
    rates = evaluate_run(trained, 4, mean_law=False, seed=3, threads=1)
    assert rates["eval/win_rate"] == rundir.read_metrics(trained)[-1]["eval/win_rate"]


def test_a_resumed_run_is_the_uninterrupted_one_on_the_same_device(trained, tmp_path):
    lines = []
    with pretended.gpu(count=2):
        assert train(tmp_path / "parts", SMALL, "--steps 32 --eval-battles 2 --eval-every 2 --device cuda:1") == 0
        kept = json.loads((tmp_path / "parts" / rundir.CONFIG).read_text())
        kept["run"]["steps"] = 64
        (tmp_path / "parts" / rundir.CONFIG).write_text(json.dumps(kept))
        assert train(tmp_path / "parts", "--resume --quiet --threads 1") == 0
    for directory in (trained, tmp_path / "parts"):
        lines.append([{k: v for k, v in x.items() if k.startswith("train/")} for x in rundir.read_metrics(directory)])
    assert lines[0] == lines[1]
    assert len(devices(tmp_path / "parts")) == 1


@pytest.mark.parametrize(("first", "then"), [("cuda", "cpu"), ("cpu", "auto")])
def test_a_run_may_go_on_elsewhere_and_says_so(tmp_path, capsys, first, then):
    with pretended.gpu():
        assert train(tmp_path, SMALL, f"--steps 32 --eval-battles 2 --device {first}") == 0
        kept = json.loads((tmp_path / rundir.CONFIG).read_text())
        kept["run"]["steps"] = 64
        (tmp_path / rundir.CONFIG).write_text(json.dumps(kept))
        capsys.readouterr()
        assert train(tmp_path, f"--resume --threads 1 --device {then}") == 0
    said = " ".join(capsys.readouterr().out.split())
    card = {"device": "cuda:0", "card": "a pretended GPU 0"}
    before, now = (card, {"device": "cpu"}) if first == "cuda" else ({"device": "cpu"}, card)
    assert devices(tmp_path) == [{"env_steps": 0, **before}, {"env_steps": 32, **now}]
    assert f"on {' '.join(now.values())} from step 32, before on {' '.join(before.values())}: the curve" in said
    assert rundir.read_metrics(tmp_path)[-1]["env_steps"] == 64


@pytest.mark.parametrize(
    ("name", "count", "message"),
    [
        ("gpu", 1, "device is 'gpu'; the options are cpu, cuda, cuda:N and auto"),
        ("meta", 1, "device is 'meta'; the options are"),
        ("cpu:1", 1, "device is 'cpu:1'; the options are"),
        ("cuda:256", 1, "device is 'cuda:256'; the options are"),
        ("cuda:2", 2, "device is 'cuda:2'; the GPUs of this machine are cuda:0, cuda:1"),
    ],
)
def test_a_device_that_is_not_there_is_named(tmp_path, capsys, name, count, message):
    with pretended.gpu(count):
        assert train(tmp_path / "run", SMALL, f"--steps 32 --device {name}") == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_run_that_never_said_where_it_was_was_on_the_cpu(trained, tmp_path):
    (tmp_path / rundir.CONFIG).write_bytes((trained / rundir.CONFIG).read_bytes())
    kept = rundir.read_config(tmp_path)
    del kept["devices"]
    (tmp_path / rundir.CONFIG).write_text(json.dumps(kept))
    assert rundir.last_device(tmp_path) == {"device": "cpu"}
    rundir.note_device(tmp_path, 32, {"device": "cuda:0"})
    assert devices(tmp_path) == [{"env_steps": 0, "device": "cpu"}, {"env_steps": 32, "device": "cuda:0"}]


def test_without_cuda_the_error_says_what_to_do(trained, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(torch.backends.cuda, "is_built", lambda: False)
    assert train(tmp_path / "run", SMALL, "--steps 32 --device cuda") == 2
    assert "is built without CUDA; install a torch with CUDA, or take --device cpu" in capsys.readouterr().err
    monkeypatch.setattr(torch.backends.cuda, "is_built", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert train(trained, "--resume") == 2
    assert "device is 'cuda:1', but torch finds no GPU, or no driver for it" in capsys.readouterr().err


def test_auto_is_the_cpu_where_there_is_no_gpu(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert device.chosen("auto") == torch.device("cpu")
    with pretended.gpu(count=2):
        torch.cuda.set_device(1)
        assert device.chosen("auto") == device.chosen("cuda") == torch.device("cuda:1")
