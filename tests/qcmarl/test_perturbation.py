"""What is random within an actor while it learns (dropout, noise on the features, shots), and the decay of weights."""

import dataclasses
import threading

import pytest
import torch
from learners import mappo, qc_mappo
from tasks import EASY, greedy_return, matrix_game
from toy import LampGame

from qcmarl.algos import ALGORITHMS
from qcmarl.algos.qc_mappo import QCMAPPOConfig, resolve
from qcmarl.config import PPOConfig
from qcmarl.evaluate import win_rates
from qcmarl.mixers import frequencies
from qcmarl.nets import Trunk, dropped, dropping_out

PERTURBED = {"dropout": 0.3, "input_noise": 0.2}


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def weights(learner):
    return torch.cat([p.detach().flatten() for p in learner.policy.parameters()])


# Dropout --------------------------------------------------------------------------------------------------------------


def test_dropout_leaves_out_its_share_and_scales_the_rest_to_keep_the_mean():
    with dropping_out(0.25, generator()):
        found = dropped(torch.ones(20_000))
    assert found.unique().tolist() == pytest.approx([0, 4 / 3])
    assert found.mean().item() == pytest.approx(1, abs=4 * (1 / 3 / 20_000) ** 0.5)


def test_dropout_ends_with_its_scope_and_stays_in_its_thread():
    x, seen = torch.ones(1000), []
    with dropping_out(0.5, generator()):
        other = threading.Thread(target=lambda: seen.append(dropped(x)))
        other.start()
        other.join()
        assert not torch.equal(dropped(x), x)
    assert torch.equal(seen[0], x)
    assert torch.equal(dropped(x), x)


def test_every_layer_of_a_trunk_is_under_dropout():
    trunk = Trunk(8, (50, 50))
    seen = []
    trunk.layers[1].register_forward_hook(lambda module, args, output: seen.append(args[0]))
    with dropping_out(0.5, generator()):
        output = trunk(torch.randn(20, 8))
    for hidden in (seen[0], output):
        assert 0.3 < (hidden == 0).float().mean() < 0.7


def ppo_learner(algo, **options):
    torch.manual_seed(0)
    algorithm = ALGORITHMS[algo]
    small = {"n_envs": 6, "rollout_steps": 20, "hidden": 16, "critic_hidden": 16}
    config = algorithm.resolve(algorithm.config(**small, **options), "toy:lamps")
    return algorithm.build(config, LampGame(6), 7)


PPO_ALGORITHMS = [name for name, algorithm in ALGORITHMS.items() if issubclass(algorithm.config, PPOConfig)]


@pytest.mark.parametrize("algo", PPO_ALGORITHMS)
@pytest.mark.parametrize("option", PERTURBED)
def test_every_actor_is_perturbed_in_updates_and_clean_at_play(algo, option):
    learner = ppo_learner(algo, **{option: 0.3})
    learner.collector.collect()
    rollout = learner.rollout
    samples = rollout.whole()
    inputs, actions = rollout.inputs(samples), rollout.actions.flatten(0, 1)
    clean = learner.policy(inputs)[0].log_prob(actions)
    old = rollout.log_prob.flatten() if clean.shape == (120,) else rollout.log_prob.flatten()[inputs.rows]
    assert torch.allclose(clean, old, atol=1e-5)
    learner.perturbation.begin(learner.generator)
    assert not torch.allclose(learner.perturbation.law(inputs, samples).log_prob(actions), old, atol=1e-5)


def test_every_minibatch_draws_anew_and_its_parts_draw_apart():
    learner = mappo(input_noise=1.0)
    learner.collector.collect()
    inputs = learner.rollout.inputs(torch.arange(10).unsqueeze(0))
    perturbation, found = learner.perturbation, []
    for begin, first in ((True, 0), (False, 0), (False, 1), (True, 0)):
        if begin:
            perturbation.begin(learner.generator)
        found.append(perturbation.law(inputs, torch.tensor([[first]])).log_probs)
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])
    assert not torch.equal(found[0], found[3])


def test_noise_has_the_standard_deviation_that_was_asked_for():
    learner = mappo(input_noise=0.4)
    learner.collector.collect()
    seen = []
    learner.policy.trunk.register_forward_hook(lambda module, args, output: seen.append(args[0]))
    inputs = learner.rollout.inputs(learner.rollout.whole())
    learner.perturbation.law(inputs, learner.rollout.whole())
    assert (seen[0] - inputs.x).std().item() == pytest.approx(0.4, rel=0.05)


@pytest.mark.parametrize("undo_step", [False, True])
def test_what_an_actors_own_randomness_makes_of_the_kl_does_not_count_against_it(undo_step):
    learner = mappo(input_noise=1.0, target_kl=1e-4, undo_step=undo_step)
    for _ in range(5):  # until the head tells features apart
        learner.iterate()
    learner.collector.collect()
    samples = learner.rollout.whole()
    learner.perturbation.begin(learner.generator)
    kl, _, entries, *_ = learner._policy_loss(samples, learner._targets())[1]
    assert float(kl / entries) > 1e-4
    before = weights(learner).clone()
    assert learner.update()["train/actor_steps"] >= 0.1
    assert undo_step or not torch.equal(weights(learner), before)


def test_an_actor_without_anything_random_draws_nothing():
    learner = mappo()
    before = learner.generator.get_state()
    learner.perturbation.begin(learner.generator)
    assert torch.equal(learner.generator.get_state(), before)


@pytest.mark.parametrize("make", [mappo, qc_mappo])
def test_a_perturbed_learner_does_not_depend_on_threads_and_continues_bit_for_bit(make):
    options = {**PERTURBED, "n_envs": 50, **({"shots": 20} if make is qc_mappo else {})}
    one, many = make(threads=1, **options), make(threads=3, **options)
    for _ in range(2):
        assert one.iterate() == many.iterate()
    assert torch.equal(weights(one), weights(many))
    again = make(**options)
    again.load_state_dict(one.state_dict())
    assert one.iterate() == again.iterate()
    assert torch.equal(weights(one), weights(again))


# Decay ----------------------------------------------------------------------------------------------------------------


def test_one_step_decays_every_weight_of_the_actor_but_the_angles_by_lr_times_decay():
    moved = []
    for decay in (0.0, 10.0):
        learner = qc_mappo(epochs=1, minibatches=1, weight_decay=decay)
        before = [p.detach().clone() for p in learner.policy.parameters()]
        critic = [p.detach().clone() for p in learner.critic.parameters()]
        learner.iterate()
        after = [p.detach().clone() for p in learner.policy.parameters()]
        moved.append(
            (before, after, [p.detach() - c for p, c in zip(learner.critic.parameters(), critic, strict=True)])
        )
    (before, plain, critic), (_, decayed, same) = moved
    for (name, _), w, a, b in zip(learner.policy.named_parameters(), before, plain, decayed, strict=True):
        expected = torch.zeros_like(w) if name == "mixer.layer.weights" else -5e-4 * 10 * w
        assert torch.allclose(b - a, expected, atol=1e-6), name
    assert all(torch.equal(a, b) for a, b in zip(critic, same, strict=True))


# Shots ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shots", [3, 25, 1000])
def test_frequencies_are_counts_over_shots_with_the_mean_and_spread_of_a_multinomial(shots):
    p = torch.tensor([0.5, 0.0, 0.3, 0.2, 0.0]).expand(4000, 5)
    found = frequencies(p, shots, generator())
    assert torch.allclose(found.sum(-1), torch.ones(4000), atol=1e-5)
    assert torch.allclose((found * shots).round(), found * shots, atol=1e-3)
    assert (found[:, [1, 4]] == 0).all()
    covariance = (torch.diag(p[0]) - p[0].outer(p[0])) / shots
    spread = covariance.diagonal().sqrt()
    assert ((found.mean(0) - p[0]).abs() <= 4 * spread / 4000**0.5 + 1e-6).all()
    assert torch.allclose(found.t().cov(), covariance, atol=0.06 * float(covariance.max()))


def test_the_gradient_of_frequencies_is_that_of_the_law():
    logits = torch.randn(3, 5, generator=generator(), requires_grad=True)
    reward = torch.randn(3, 5, generator=generator(1))
    p = torch.softmax(logits, -1)
    exact = torch.autograd.grad((p * reward).sum(), logits, retain_graph=True)[0]
    drawn = torch.autograd.grad((frequencies(p, 3, generator()) * reward).sum(), logits)[0]
    assert torch.allclose(drawn, exact, atol=1e-6)


def test_shots_are_drawn_from_the_generator_of_the_inputs_and_without_one_the_law_is_exact():
    few, exact = qc_mappo(shots=10), qc_mappo()
    few.collector.collect()
    inputs = few.rollout.inputs(few.rollout.whole())

    def log_probs(seed):
        given = inputs if seed is None else inputs._replace(generator=generator(seed))
        return few.policy(given)[0].log_probs

    assert torch.equal(log_probs(None), exact.policy(inputs)[0].log_probs)
    assert torch.equal(log_probs(1), log_probs(1))
    assert not torch.allclose(log_probs(1), log_probs(2), atol=1e-4)
    assert (log_probs(1).exp()[~inputs.avail.flatten(0, 1)[inputs.rows]] == 0).all()


def test_an_evaluation_with_shots_repeats_and_leaves_the_training_as_it_is():
    learners = [qc_mappo(shots=5), qc_mappo(shots=5)]
    rates = [win_rates(learners[0].policy, LampGame(6), 6, seed=4) for _ in range(2)]
    assert rates[0] == rates[1]
    assert learners[0].iterate() == learners[1].iterate()


@pytest.mark.parametrize("options", [{"shots": 30}, {"shots": 30, "circuit": "frozen"}, PERTURBED])
def test_the_easy_game_is_solved_all_the_same(options):
    env = matrix_game(EASY, 64)
    learner = qc_mappo(env, n_envs=64, rollout_steps=2, minibatches=1, lr=1e-2, **options)
    for _ in range(20):
        learner.iterate()
    assert greedy_return(learner, env) > 0.98


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"shots": 0}, "shots is 0; it must be at least 1"),
        ({"shots": 9, "readout": "outcome"}, "readout 'outcome' acts on one shot as it is"),
        ({"shots": 9, "readout": "register"}, "readout 'register' acts on one shot as it is"),
        ({"shots": 9, "circuit": "linear"}, "circuit 'linear' measures nothing: it must be one of quantum, no-cnot"),
    ],
)
def test_shots_that_cannot_be_drawn_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        resolve(QCMAPPOConfig(**options), "toy:lamps")


def test_the_configuration_says_that_nothing_is_random_by_default():
    fields = {field.name: field.default for field in dataclasses.fields(QCMAPPOConfig)}
    assert [fields[name] for name in ("weight_decay", "dropout", "input_noise", "shots")] == [0, 0, 0, None]
