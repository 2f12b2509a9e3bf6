"""QC-MAPPO's readouts and controls on the command line: trained, resumed, evaluated with other readings, refused."""

import shutil

import pytest
from test_cli import TINY, failure, success

from qcmarl import rundir
from qcmarl.run import Run

SMALL = ("--algo", "qc-mappo", "--latent", 4)
REPLACED = {
    "eval/win_rate_mean_law",
    "eval/win_rate_mean_law_sampled",
    "eval/win_rate_shuffled",
    "eval/win_rate_shuffled_sampled",
}


def names_in(said):
    return {word for word in said.replace("\n", " ").split() if word.startswith("eval/")}


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ((), set()),
        (("--mean-law",), {"eval/win_rate_mean_law", "eval/win_rate_mean_law_sampled"}),
        (("--reading", "mean"), {"eval/win_rate_mean_law", "eval/win_rate_mean_law_sampled"}),
        (("--reading", "shuffled"), {"eval/win_rate_shuffled", "eval/win_rate_shuffled_sampled"}),
        (("--reading", "mean", "--reading", "shuffled"), REPLACED),
    ],
)
def test_a_run_is_evaluated_with_the_readings_that_were_asked_for(capsys, tmp_path, options, named):
    success("train", *SMALL, "--circuit", "mlp", "--run-dir", tmp_path / "run", *TINY)
    capsys.readouterr()
    success("eval", tmp_path / "run", "--episodes", 4, *options)
    assert names_in(capsys.readouterr().out) & REPLACED == named


@pytest.mark.parametrize("algo", ["mappo", "autoregressive-mappo"])
def test_an_algorithm_without_a_mixer_has_no_reading_to_replace(capsys, tmp_path, algo):
    success("train", "--algo", algo, "--run-dir", tmp_path / "run", *TINY)
    assert f"{algo} measures nothing; --reading is for algorithms with a circuit or a stand-in for it" in failure(
        capsys, "eval", str(tmp_path / "run"), "--reading", "shuffled"
    )
    assert "measures no law" in failure(capsys, "eval", str(tmp_path / "run"), "--reading", "mean")


@pytest.mark.parametrize(
    "options",
    [
        ("--shots", 20),
        ("--circuit", "frozen", "--dropout", 0.2, "--input-noise", 0.1, "--weight-decay", 0.1),
        ("--circuit", "orthogonal"),
        ("--readout", "register"),
        ("--layers", 0),
    ],
)
def test_an_interrupted_run_goes_on_as_if_it_had_not_been(tmp_path, monkeypatch, options):
    whole, half, save = tmp_path / "whole", tmp_path / "half", Run._save

    def saved(run):
        save(run)
        if run.learner.env_steps == 160:
            shutil.copytree(run.directory, half)

    monkeypatch.setattr(Run, "_save", saved)
    success("train", *SMALL, *options, "--run-dir", whole, *TINY, "--eval-every", 160)
    monkeypatch.undo()
    assert len(rundir.read_metrics(half)) == 1
    success("train", "--run-dir", half, "--resume", "--quiet")

    def deciding(directory):
        lines = rundir.read_metrics(directory)
        return [{k: v for k, v in line.items() if not k.startswith(("time/", "wall"))} for line in lines]

    assert len(deciding(whole)) == 2
    assert deciding(half) == deciding(whole)


def test_what_cannot_be_is_refused_in_one_line(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said = failure(capsys, "train", "--algo", "qc-mappo", "--readout", "register", "--env", "skirmish:8m_vs_9m")
    assert "readout 'register' needs 32 qubits: 8 agents times ceil(log2(15)) = 4" in said
    assert "readout 'outcome' acts on one shot" in failure(
        capsys, "train", "--algo", "qc-mappo", "--readout", "outcome", "--shots", "10"
    )
    assert not list(tmp_path.iterdir())
