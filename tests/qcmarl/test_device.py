"""Training on a GPU, on one that is pretended: the same arithmetic as on the CPU, and nobody waits for it needlessly.

On a GPU a learner has two generators, for its device and for what the host decides, and one part a minibatch; where the
learner of the CPU is given both, the numbers are the same bit by bit.
"""

import copy
import dataclasses
import math

import pytest
import torch
from toy import LampGame

import pretended
from qcmarl.algos import ALGORITHMS
from qcmarl.device import HOST, on_host
from qcmarl.envs import make
from qcmarl.evaluate import play, win_rates
from qcmarl.ppo import PPO
from qcmarl.value.learner import QLearner

STEPS = 4
PPO_OPTIONS = {"n_envs": 4, "rollout_steps": STEPS, "epochs": 1, "hidden": 8, "critic_hidden": 8}
VALUE_OPTIONS = {"n_envs": 4, "rollout_steps": STEPS, "hidden": 8, "batch": 4, "learn_every": 8}
CASES = {
    "mappo": ("mappo", {}),
    "mappo-recurrent-bootstrap": ("mappo", {"recurrent": True, "chunk": 2, "timeout": "bootstrap"}),
    "mappo-joint-trust": ("mappo", {"ratio": "joint", "critic": "agent", "target_kl": 1e-4}),
    "ippo-perturbed": ("ippo", {"dropout": 0.1, "input_noise": 0.1}),
    "attention-mappo": ("attention-mappo", {}),
    "g2anet": ("g2anet", {}),
    "tarmac": ("tarmac", {"rounds": 2}),
    "autoregressive-mappo": ("autoregressive-mappo", {}),
    "entangled-mappo-povm": ("entangled-mappo", {"measurement": "povm"}),
    "entangled-mappo-shared": ("entangled-mappo", {"resource": "shared-randomness"}),
    "qmix": ("qmix", {"mixer": 8, "hypernet": 8}),
    "vdn-recurrent-bootstrap": ("vdn", {"recurrent": True, "timeout": "bootstrap"}),
    "qc-mappo-linear": ("qc-mappo", {"circuit": "linear"}),
    "qc-mappo-linear-outcome": ("qc-mappo", {"circuit": "linear", "readout": "outcome"}),
    "qc-mappo-linear-register": ("qc-mappo", {"circuit": "linear", "readout": "register"}),
    "qc-mappo-orthogonal-shots": ("qc-mappo", {"circuit": "orthogonal", "shots": 16}),
    "qc-mappo-mlp": ("qc-mappo", {"circuit": "mlp"}),
    "qc-mappo-none": ("qc-mappo", {"circuit": "none"}),
}


def learner(algo, options, device=HOST, two_generators=False):
    options = {**(VALUE_OPTIONS if algo in ("qmix", "vdn") else PPO_OPTIONS), **options}
    if algo == "qc-mappo":
        options["latent"] = 4
    algorithm = ALGORITHMS[algo]
    torch.manual_seed(0)
    config = algorithm.resolve(algorithm.config(**options), "toy:lamps")
    env = LampGame(config.n_envs, limit=3, death=2, timeout=options.get("timeout") == "bootstrap")
    made = algorithm.build(config, env, 7, 1, torch.device(device))
    if two_generators:
        made.randomness.order = torch.Generator().manual_seed(7)
    return made


@pytest.fixture
def one_part(monkeypatch):
    for kind in (PPO, QLearner):
        monkeypatch.setattr(kind, "parts", lambda self, *sizes: 1)


def assert_same(a, b):
    if isinstance(a, dict):
        assert a.keys() == b.keys()
        for name in a.keys() - {"seconds", "generator"}:
            assert_same(a[name], b[name])
    elif isinstance(a, list | tuple):
        assert len(a) == len(b)
        for one, other in zip(a, b, strict=True):
            assert_same(one, other)
    elif isinstance(a, torch.Tensor):
        assert type(a) is type(b) is torch.Tensor
        assert torch.equal(a, b)


def played(one, device, algo):
    """What is logged of an iteration and of an evaluation, and the state of the learner."""
    metrics = one.iterate()
    assert "train/gradient_norm" in metrics
    said = one.diagnostics(torch.Generator(device).manual_seed(1))
    mixes = algo == "qc-mappo"
    rates = win_rates(one.policy, LampGame(4, limit=3), 2, 5, mean_law=mixes, shuffled=mixes)
    return metrics, said, rates, one.state_dict()


@pytest.mark.parametrize("name", CASES)
def test_an_algorithm_learns_there_what_it_learns_on_the_cpu_bit_by_bit(one_part, name):
    algo, options = CASES[name]
    expected = played(learner(algo, options, two_generators=True), "cpu", algo)
    with pretended.gpu():
        one = learner(algo, options, "cuda:0")
        assert all(x.is_cuda for x in [*one.policy.parameters(), *one.policy.buffers()])
        assert_same(played(one, "cuda", algo), expected)


@pytest.mark.parametrize("algo", ["mappo", "qmix"])
def test_an_iteration_waits_for_the_actions_of_each_step_and_for_its_numbers_once(algo):
    with pretended.gpu() as gpu:
        one = learner(algo, {}, "cuda:0")
        gpu.reset()
        metrics = one.iterate()
        assert gpu.waits == {"to the host": STEPS + 1}
    assert "train/gradient_norm" in metrics


def test_the_second_of_two_gpus_is_used_alone():
    with pretended.gpu(count=2):
        one = learner("mappo", {}, "cuda:1")
        one.iterate()
        one.load_state_dict(one.state_dict())
        assert {x.device.index for x in one.policy.parameters()} == {1}
        assert one.rollout.x.device.index == one.randomness.draws.device.index == 1


@pytest.mark.parametrize("name", ["mappo-recurrent-bootstrap", "vdn-recurrent-bootstrap", "qc-mappo-orthogonal-shots"])
def test_a_learner_goes_on_from_its_state_exactly(name):
    algo, options = CASES[name]
    with pretended.gpu():
        whole = learner(algo, options, "cuda:0")
        whole.iterate()
        state = whole.state_dict()
        metrics = whole.iterate()
        again = learner(algo, options, "cuda:0")
        again.load_state_dict(state)
        assert again.iterate() == metrics
        assert_same(again.state_dict(), whole.state_dict())


@pytest.mark.parametrize("name", ["mappo-recurrent-bootstrap", "vdn-recurrent-bootstrap"])
@pytest.mark.parametrize("way", [("cpu", "cuda:0"), ("cuda:0", "cpu")], ids=["to-gpu", "to-cpu"])
def test_a_state_crosses_over_and_learning_goes_on(name, way):
    algo, options = CASES[name]
    with pretended.gpu():
        before = learner(algo, options, way[0])
        before.iterate()
        state = before.state_dict()
        after, again = (learner(algo, options, way[1]) for _ in range(2))
        for one in (after, again):
            one.load_state_dict(copy.deepcopy(state))
        crossed = after.state_dict()
        assert_same({k: crossed[k] for k in ("policy", "env_steps")}, {k: state[k] for k in ("policy", "env_steps")})
        assert after.iterate() == again.iterate()
        assert_same(after.state_dict(), again.state_dict())


def test_what_was_learnt_there_plays_here_as_it_plays_there():
    with pretended.gpu():
        there = learner("mappo", {}, "cuda:0")
        there.iterate()
        expected = play(there.policy, LampGame(4, limit=3), 6, 0, 3)
        state = there.state_dict()["policy"]
    here = learner("mappo", {}).policy
    here.load_state_dict(state)
    found = play(here, LampGame(4, limit=3), 6, 0, 3)
    assert (found.episode_return == expected.episode_return).all()


@pytest.mark.parametrize(("env", "algo"), [("game:chsh", "entangled-mappo"), ("queue:2x2", "mappo")])
def test_exact_rates_are_those_of_the_cpu(env, algo):
    options = {"measurement": "povm"} if algo == "entangled-mappo" else {}
    algorithm = ALGORITHMS[algo]
    config = algorithm.resolve(algorithm.config(**{**PPO_OPTIONS, **options}), env)

    def rates(device):
        torch.manual_seed(0)
        made = algorithm.build(config, make(env, config.n_envs, 1), 7, 1, torch.device(device))
        return win_rates(made.policy, make(env, 4, 1), 4, 5)

    with pretended.gpu():
        assert rates("cuda:0") == rates("cpu")


def test_a_part_of_a_gpu_is_as_large_as_its_memory_allows():
    with pretended.gpu():
        there = learner("mappo", {}, "cuda:0")
        assert [there.parts(samples, samples) for samples in (10, 300_000, 700_000)] == [1, 1, 3]
    assert [learner("mappo", {}).parts(samples, samples) for samples in (10, 6_000)] == [2, 4]


def test_configurations_say_nothing_of_devices():
    for algorithm in ALGORITHMS.values():
        assert not [field.name for field in dataclasses.fields(algorithm.config) if "device" in field.name]


def test_what_is_on_the_host_is_not_copied():
    x = torch.ones(2)
    assert on_host({"a": [x, (x, 3)]})["a"][0] is x


real_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")


@real_gpu
@pytest.mark.parametrize("name", CASES)
def test_a_real_gpu_learns_and_what_it_learnt_is_read_on_the_cpu(name):
    algo, options = CASES[name]
    there = learner(algo, options, "cuda")
    metrics, _, rates, state = played(there, "cuda", algo)
    assert all(math.isfinite(value) for value in (*metrics.values(), rates["eval/return"]))
    assert {x.device.type for x in state["policy"].values()} == {"cpu"}
    here = learner(algo, options)
    here.load_state_dict(state)
    here.iterate()


@real_gpu
def test_a_minibatch_on_a_real_gpu_waits_for_nothing():
    one = learner("mappo", {}, "cuda")
    one.iterate()
    targets, learns = one._targets(), torch.ones((), dtype=torch.bool, device="cuda")
    (samples,) = one.rollout.minibatches(1, 1, one.generator)
    torch.cuda.set_sync_debug_mode("error")
    try:
        one._step(learns & one._within_trust(one._differentiate(samples, targets)))
    finally:
        torch.cuda.set_sync_debug_mode("default")
