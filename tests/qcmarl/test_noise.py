"""Noise in the circuit of QC-MAPPO: how it is written, the laws that it makes, training and evaluation under it."""

import hashlib

import pytest
import torch
from learners import qc_mappo
from test_cli import TINY, failure, success
from toy import LampGame

from qcmarl import rundir
from qcmarl.algos.qc_mappo import QCMAPPOConfig, build_policy, resolve
from qcmarl.buffer import Sizes
from qcmarl.evaluate import win_rates
from qcmarl.laws import Inputs
from qcmarl.quantum import NOISES, Circuit, channel_of

SIZES = Sizes(agents=3, actions=5, features=12, state=7)
EVERY = [f"{name}:0.3" for name in NOISES]
CNOTS = {1: 0, 2: 2, 3: 3, 5: 5}  # of a ring


def reading(noise, qubits=2, layers=2, samples=7, measured=None):
    """(M, K) of the same circuit at the same latents, under some noise."""
    torch.manual_seed(4)
    circuit = Circuit(1 << qubits, layers, measured, noise=noise)
    torch.nn.init.uniform_(circuit.layer.weights, -3, 3)
    return circuit(torch.randn(samples, 1 << qubits)).detach()


def policy_under(noise, **options):
    torch.manual_seed(1)
    return build_policy(resolve(QCMAPPOConfig(latent=8, hidden=16, noise=noise, **options), "toy:lamps"), SIZES)


def some_inputs(samples=20):
    generator = torch.Generator().manual_seed(2)
    avail = torch.rand(samples, 3, 5, generator=generator) < 0.5
    avail[..., 1] = True
    return Inputs(torch.randn(samples * 3, 12, generator=generator), avail, torch.arange(samples * 3))


# How it is written ----------------------------------------------------------------------------------------------------


def test_every_noise_is_the_channel_of_its_name():
    found = {name: repr(channel_of(f"{name}:0.25")) for name in NOISES}
    assert found == {
        "global-depolarizing": "GlobalDepolarizing(rate=0.25)",
        "depolarizing": "Depolarizing(rate=0.25, n_qubits=None)",
        "bit-flip": "BitFlip(p=0.25)",
        "phase-flip": "PhaseFlip(p=0.25)",
        "bit-phase-flip": "BitPhaseFlip(p=0.25)",
        "amplitude-damping": "AmplitudeDamping(gamma=0.25, excited=0.0)",
    }
    assert repr(channel_of("amplitude-damping:1e-3,0.1")) == "AmplitudeDamping(gamma=0.001, excited=0.1)"


@pytest.mark.parametrize(
    ("noise", "message"),
    [
        ("fog:0.1", "noise 'fog:0.1' names no channel; write NAME:RATE, where NAME is one of global-depolarizing, "),
        ("", "names no channel"),
        ("bit-flip", "noise 'bit-flip' has 0 rates; bit-flip takes 1 rate, such as bit-flip:1e-3"),
        ("bit-flip:0.1,0.2", "has 2 rates; bit-flip takes 1 rate"),
        ("amplitude-damping:0.1,0.2,0.3", "has 3 rates; amplitude-damping takes 1 to 2 rates"),
        ("bit-flip:", "a rate that is no number"),
        ("bit-flip:much", "noise 'bit-flip:much' has a rate that is no number; write it such as bit-flip:1e-3"),
        ("bit-flip:1.5", "noise 'bit-flip:1.5': "),
        ("bit-flip:nan", "noise 'bit-flip:nan': "),
        ("depolarizing:-0.1", "noise 'depolarizing:-0.1': "),
        ("amplitude-damping:0.1,2", "noise 'amplitude-damping:0.1,2': "),
    ],
)
def test_noise_that_cannot_be_read_is_refused_with_the_rule(capsys, tmp_path, monkeypatch, noise, message):
    monkeypatch.chdir(tmp_path)
    assert message in failure(capsys, "train", "--algo", "qc-mappo", "--noise", noise)
    assert not list(tmp_path.iterdir())


def test_a_rate_beyond_the_physical_is_refused_for_the_circuits_own_number_of_qubits():
    with pytest.raises(ValueError, match=r"1\.05"):  # the bound of two qubits is 16/15, of five 1024/1023
        policy_under("global-depolarizing:1.05")


@pytest.mark.parametrize("circuit", ["linear", "none"])
def test_a_control_has_no_circuit_to_be_noisy(capsys, tmp_path, monkeypatch, circuit):
    monkeypatch.chdir(tmp_path)
    said = failure(capsys, "train", "--algo", "qc-mappo", "--circuit", circuit, "--noise", "bit-flip:0.1")
    assert f"noise 'bit-flip:0.1' acts in the circuit, which '{circuit}' leaves out" in said
    assert "--noise" in failure(capsys, "train", "--algo", "mappo", "--noise", "bit-flip:0.1")
    assert resolve(QCMAPPOConfig(circuit=circuit, noise="none"), "toy:lamps").noise is None


# The laws that it makes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("qubits", [1, 2, 3, 5])
def test_global_depolarizing_follows_every_cnot_and_mixes_the_law_with_the_uniform_one(qubits):
    kept = (1 - 0.1) ** (2 * CNOTS[qubits])
    expected = kept * reading(None, qubits) + (1 - kept) / (1 << qubits)
    assert torch.allclose(reading("global-depolarizing:0.1", qubits), expected, atol=1e-6)


@pytest.mark.parametrize("rate", ["1e-3", "0.3"])
def test_global_depolarizing_leaves_the_most_probable_outcome(rate):
    for measured in (None, 3):
        plain, noisy = (
            reading(noise, 5, samples=200, measured=measured) for noise in (None, f"global-depolarizing:{rate}")
        )
        top = plain.topk(2, -1).values
        clear = top[:, 0] - top[:, 1] > 1e-3  # float32 tells what is left of the difference
        assert clear.sum() > 100
        assert torch.equal(noisy.argmax(-1)[clear], plain.argmax(-1)[clear])


def test_depolarizing_acts_jointly_on_the_qubits_of_a_cnot():
    assert torch.allclose(reading("depolarizing:0.2"), reading("global-depolarizing:0.2"), atol=1e-6)  # 2 qubits: all
    assert not torch.allclose(reading("depolarizing:0.2", 3), reading("global-depolarizing:0.2", 3), atol=1e-2)


@pytest.mark.parametrize("noise", ["bit-flip:0.5", "bit-phase-flip:0.5", "depolarizing:1", "global-depolarizing:1"])
def test_noise_that_leaves_nothing_gives_the_uniform_law(noise):
    assert torch.allclose(reading(noise, 3), torch.full((7, 8), 1 / 8), atol=1e-6)


def test_phase_flips_behind_the_last_layer_cannot_be_seen():
    assert torch.allclose(reading("phase-flip:0.3", 3, layers=1), reading(None, 3, layers=1), atol=1e-6)
    assert not torch.allclose(reading("phase-flip:0.3", 3, layers=2), reading(None, 3, layers=2), atol=1e-2)


def test_full_damping_leaves_the_ground_state_and_full_excitation_the_other():
    ground = torch.eye(8)[[0] * 7]
    assert torch.allclose(reading("amplitude-damping:1", 3), ground, atol=1e-6)
    assert torch.allclose(reading("amplitude-damping:1,1", 3), ground.flip(-1), atol=1e-6)


@pytest.mark.parametrize("noise", EVERY)
def test_a_reading_under_noise_is_a_law(noise):
    p = reading(noise, 3)
    assert (p >= 0).all()
    assert torch.allclose(p.sum(-1), torch.ones(7), atol=1e-5)


@pytest.mark.parametrize("readout", ["factored", "outcome"])
@pytest.mark.parametrize(
    "noise", [f"{name}:{rate}" for name in NOISES for rate in ("0.3", "1.0")] + ["amplitude-damping:1.0,1.0"]
)
def test_an_unavailable_action_gets_no_probability_from_noise(readout, noise):
    inputs = some_inputs()
    law, _ = policy_under(noise, readout=readout)(inputs)
    if readout == "factored":
        assert (law.log_probs.exp()[~inputs.avail.flatten(0, 1)] == 0).all()
    else:
        assert (law.marginals().transpose(0, 1)[~inputs.avail] == 0).all()
    generator = torch.Generator().manual_seed(3)
    for actions in (law.sample(generator), law.mode(generator)):
        assert inputs.avail.gather(2, actions.unsqueeze(-1)).all()


def test_a_noisy_policy_has_the_weights_of_a_quiet_one():
    quiet, noisy = policy_under(None), policy_under("depolarizing:0.1")
    noisy.load_state_dict(quiet.state_dict())
    assert torch.equal(quiet.mixer.layer.weights, noisy.mixer.layer.weights)


# Training and evaluation ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("noise", EVERY)
def test_a_team_trains_under_every_noise(noise):
    learner = qc_mappo(noise=noise, readout="outcome", layers=2)
    before = learner.policy.mixer.layer.weights.detach().clone()
    learner.iterate()
    after = learner.policy.mixer.layer.weights.detach()
    assert after.isfinite().all()
    assert not torch.equal(after, before)
    rates = win_rates(learner.policy, LampGame(6), 4, seed=0)
    assert rates.keys() >= {"eval/win_rate", "eval/win_rate_mean_law"}


@pytest.mark.parametrize("noise", ["global-depolarizing:0.1", "depolarizing:0.1", "amplitude-damping:0.2"])
def test_gradients_under_noise_agree_with_finite_differences(noise):
    torch.manual_seed(0)
    circuit = Circuit(8, 2, noise=noise).double()
    x = torch.randn(3, 8, dtype=torch.float64)
    angles = circuit.layer.weights.detach().clone().requires_grad_()

    def read(weights, x):
        return torch.func.functional_call(circuit, {"layer.weights": weights}, (x,))

    assert torch.autograd.gradcheck(read, (angles, x.requires_grad_()))


def digests(directory):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in directory.iterdir()}


def test_a_run_remembers_its_noise_and_is_evaluated_under_another(capsys, tmp_path):
    run, noise = tmp_path / "run", "depolarizing:1e-3"
    success("train", "--algo", "qc-mappo", "--noise", noise, "--latent", 4, "--run-dir", run, *TINY)
    assert rundir.read_config(run)["algorithm"]["noise"] == noise
    assert "different: noise ('depolarizing:1e-3', now None)" in failure(
        capsys, "train", "--run-dir", str(run), "--resume", "--noise", "none"
    )
    before = digests(run)
    said = {}
    for other in (None, noise, "none", "global-depolarizing:1"):
        success("eval", run, "--episodes", 4, *(() if other is None else ("--noise", other)))
        table = " ".join(capsys.readouterr().out.split())  # a long path breaks the title
        assert (f"noise {other}" in table) == (other is not None)
        said[other] = table[table.index("eval/win_rate") :]
    assert said[None] == said[noise]
    assert digests(run) == before
    assert "names no channel" in failure(capsys, "eval", str(run), "--noise", "fog:1")


def test_a_run_without_a_circuit_is_not_evaluated_under_noise(capsys, tmp_path):
    local, control = tmp_path / "mappo", tmp_path / "linear"
    success("train", "--run-dir", local, *TINY)
    assert "mappo has no circuit and no shared state; --noise is for algorithms with one" in failure(
        capsys, "eval", str(local), "--noise", "bit-flip:0.1"
    )
    success("train", "--algo", "qc-mappo", "--circuit", "linear", "--latent", 4, "--run-dir", control, *TINY)
    assert "'linear' leaves out" in failure(capsys, "eval", str(control), "--noise", "bit-flip:0.1")
