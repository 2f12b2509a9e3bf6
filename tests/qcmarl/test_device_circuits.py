"""Training of circuits on a pretended GPU, where the bodies of the kernels run on the host: their sums have another
order than the CPU engine's, so that numbers agree to rounding and not in every bit.
"""

import math

import pytest
import torch
from toy import LampGame

import pretended
from qcmarl.algos import ALGORITHMS
from qcmarl.evaluate import win_rates
from qcmarl.ppo import PPO
from qcsim import cuda

OPTIONS = {"n_envs": 4, "rollout_steps": 4, "epochs": 1, "hidden": 8, "critic_hidden": 8}
CASES = {
    "factored": ("qc-mappo", {"latent": 4}),
    "outcome": ("qc-mappo", {"latent": 4, "readout": "outcome"}),
    "register": ("qc-mappo", {"latent": 4, "readout": "register"}),
    "no-cnot": ("qc-mappo", {"latent": 4, "circuit": "no-cnot"}),
    "frozen": ("qc-mappo", {"latent": 4, "circuit": "frozen"}),
    "global-noise": ("qc-mappo", {"latent": 4, "noise": "global-depolarizing:1e-2"}),
    "shots": ("qc-mappo", {"latent": 4, "shots": 8}),
    "entangled-projective": ("entangled-mappo", {}),
    "entangled-learned": ("entangled-mappo", {"state": "learned", "noise": "visibility:0.9"}),
}


@pytest.fixture
def in_one_part(monkeypatch, kernels_on_the_host):
    monkeypatch.setattr(PPO, "parts", lambda self, *sizes: 1)


def learner(name, device):
    algo, options = CASES[name]
    algorithm = ALGORITHMS[algo]
    torch.manual_seed(0)
    config = algorithm.resolve(algorithm.config(**OPTIONS, **options), "toy:lamps")
    made = algorithm.build(config, LampGame(4, limit=3, death=2), 7, 1, torch.device(device))
    made.randomness.order = torch.Generator().manual_seed(7)
    return made


def learnt(name, device):
    """What was played, logged and learnt in an iteration, and what is won afterwards."""
    one = learner(name, device)
    metrics = one.iterate() | one.diagnostics(torch.Generator(device).manual_seed(1))
    rates = win_rates(one.policy, LampGame(4, limit=3), 2, 5, mean_law=False)
    return one, metrics, rates


@pytest.mark.parametrize("name", CASES)
def test_an_actor_with_a_circuit_learns_there_what_it_learns_on_the_cpu(in_one_part, name):
    here, expected, expected_rates = learnt(name, "cpu")
    with pretended.gpu():
        there, found, rates = learnt(name, "cuda:0")
        assert torch.equal(there.rollout.actions.cpu(), here.rollout.actions)
        weights = there.state_dict()["policy"]
    assert found == pytest.approx(expected, rel=1e-3, abs=1e-5)
    assert rates == pytest.approx(expected_rates)
    for key, value in here.policy.state_dict().items():
        assert torch.allclose(weights[key], value, atol=1e-5), key


def test_the_circuits_share_of_the_time_is_that_of_its_kernels(in_one_part):
    with pretended.gpu():
        one = learner("factored", "cuda:0")
        one.iterate()
        circuit, whole = one.seconds["circuit"], sum(one.seconds.values())
    assert 0 < circuit < whole


def test_an_update_waits_no_more_often_for_having_a_circuit(in_one_part):
    with pretended.gpu() as gpu:
        one = learner("factored", "cuda:0")
        one.iterate()  # copies the tables of the circuit
        gpu.reset()
        one.iterate()
        assert gpu.waits == {"to the host": OPTIONS["rollout_steps"] + 1}


@pytest.mark.parametrize("name", ["factored", "entangled"])
def test_a_circuit_without_kernels_is_refused_before_anything_is_learnt(monkeypatch, name):
    monkeypatch.setattr(cuda, "built", lambda: False)
    case = next(case for case in CASES if case.startswith(name))
    with pretended.gpu(), pytest.raises(ValueError, match=r"device is 'cuda:0'.* has no CUDA kernels; .*--device cpu"):
        learner(case, "cuda:0")


@pytest.mark.skipif(not (cuda.built() and torch.cuda.is_available()), reason="no GPU, or no kernels in this build")
@pytest.mark.parametrize("name", CASES)
def test_a_real_gpu_learns_with_a_circuit(name):
    one = learner(name, "cuda")
    metrics = [one.iterate() for _ in range(3)][-1]
    assert all(math.isfinite(metrics[key]) for key in ("train/entropy", "train/value_loss", "train/gradient_norm"))
    assert one.rollout.x.is_cuda
