"""What a policy wins in a game is computed, and agrees with what it wins when it plays."""

import numpy as np
import pytest
import torch

from qcmarl.algos import ALGORITHMS
from qcmarl.envs import VecGame
from qcmarl.evaluate import play, win_rates
from qcmarl.games import Game, make
from qcmarl.games.exact import exact_rates, is_exact, strategy
from qcmarl.laws import IndependentLaw
from qcmarl.laws.table import TableLaw
from qcmarl.policies import Policy
from qcmarl.rollout import sizes_of

SMALL = {"n_envs": 4, "hidden": 16}
RAGGED = Game(
    "ragged",
    np.arange(6.0).reshape(2, 3) / 15,
    np.random.default_rng(0).random((2, 3, 3, 2)),
    ([[1, 0, 1], [1, 1, 1]], [[1, 1], [0, 1], [1, 1]]),
)


def learner(algo, game, **options):
    torch.manual_seed(3)
    algorithm = ALGORITHMS[algo]
    config = algorithm.resolve(algorithm.config(**{**SMALL, **options}), "game:chsh")
    return algorithm.build(config, VecGame(game, config.n_envs), 7)


def shaken(policy):
    """The policy with weights far from the first ones, so that its law is far from uniform."""
    torch.manual_seed(5)
    with torch.no_grad():
        for weight in policy.parameters():
            weight += 0.5 * torch.randn_like(weight)
    return policy


@pytest.mark.parametrize("algo", ALGORITHMS)
def test_every_algorithm_learns_in_a_game_and_its_rates_are_those_of_a_law(algo):
    found = learner(algo, "chsh", **({"latent": 8} if algo == "qc-mappo" else {}))
    found.iterate()
    law = strategy(found.policy, VecGame("chsh"))
    rates = win_rates(found.policy, VecGame("chsh", 4), 2, seed=0)
    assert rates["eval/win_rate_sampled"] == rates["eval/return_sampled"]
    assert rates["eval/win_rate_sampled"] == pytest.approx(make("chsh").value(law), abs=1e-6)
    assert rates["eval/episode_length"] == 1


@pytest.mark.parametrize(
    ("algo", "options"),
    [
        ("mappo", {}),
        ("mappo", {"recurrent": True}),
        ("tarmac", {}),
        ("qmix", {}),
        ("autoregressive-mappo", {}),
        ("qc-mappo", {"latent": 8, "readout": "outcome", "coupling_scale": 3.0}),
    ],
)
def test_exact_rates_agree_with_rounds_that_are_played(algo, options):
    policy = shaken(learner(algo, RAGGED, **options).policy)
    rounds = 20_000
    found = play(policy, VecGame(RAGGED, 2000), 0, rounds, seed=1)
    exact = exact_rates(policy, VecGame(RAGGED))
    error = 4 * found.episode_return.std() / rounds**0.5
    assert exact["eval/win_rate_sampled"] == pytest.approx(found.episode_return.mean(), abs=error)
    assert found.episode_return.std() > 0.01


def test_a_learner_that_was_saved_goes_on_as_it_would_have():
    first, second = learner("mappo", RAGGED), learner("mappo", RAGGED)
    first.iterate()
    second.load_state_dict(first.state_dict())
    for _ in range(2):
        assert first.iterate() == second.iterate()


def test_answers_that_are_not_allowed_have_no_probability():
    law = strategy(shaken(learner("mappo", RAGGED).policy), VecGame(RAGGED))
    assert (law[~RAGGED.joint_allowed] == 0).all()
    assert np.allclose(law.sum((2, 3)), 1, atol=1e-6)


def test_a_team_that_does_not_talk_signals_nothing():
    """A player's marginal is the same whatever the other one is asked."""
    law = strategy(shaken(learner("mappo", RAGGED).policy), VecGame(RAGGED))
    assert np.ptp(law.sum(3), axis=1).max() < 1e-6
    assert np.ptp(law.sum(2), axis=0).max() < 1e-6
    assert np.ptp(law[1], axis=0).max() > 0.01


class Both(Policy):
    """Independent agents who prefer the answer 0, but only just."""

    def forward(self, inputs):
        logits = torch.zeros(len(inputs.x), inputs.avail.shape[-1])
        logits[:, 0] = 1e-3
        return IndependentLaw(logits, inputs), None


def test_greedy_independent_agents_are_deterministic():
    rates = exact_rates(Both(), VecGame("chsh"))
    assert rates["eval/win_rate"] == rates["eval/return"] == 0.75
    assert rates["eval/win_rate_sampled"] == pytest.approx(0.5, abs=1e-3)


class Joint(Policy):
    """A joint law: both answer 0, or both 1, evenly."""

    joint = True
    law = TableLaw

    def forward(self, inputs):
        log_probs = torch.tensor([0.5, 1e-12, 1e-12, 0.5]).log().expand(len(inputs.avail), 4)
        return self.law(log_probs, 2, 2), None


def test_a_joint_law_without_local_choices_is_played_as_it_is():
    rates = exact_rates(Joint(), VecGame("chsh"))
    assert rates["eval/win_rate"] == rates["eval/win_rate_sampled"] == pytest.approx(0.75, abs=1e-6)


class Decisive(TableLaw):
    """Greedily it never answers alike."""

    def decisive(self):
        return TableLaw(torch.tensor([0.0, 0.5, 0.5, 0.0]).log().expand(len(self.log_probs), 4), 2, 2)


def test_a_law_may_say_itself_what_it_is_with_greedy_local_choices():
    policy = Joint()
    policy.law = Decisive
    rates = exact_rates(policy, VecGame("chsh"))
    assert (rates["eval/win_rate"], rates["eval/win_rate_sampled"]) == pytest.approx((0.25, 0.75), abs=1e-6)
    greedy = strategy(policy, VecGame("chsh"), greedy=True)
    assert np.allclose(greedy[1, 0], [[0, 0.5], [0.5, 0]])


def test_measured_frequencies_are_random_so_rounds_are_played():
    policy = learner("qc-mappo", "chsh", latent=8, shots=10).policy
    assert not is_exact(policy, VecGame("chsh"))
    rates = win_rates(policy, VecGame("chsh", 8), 50, seed=0)
    assert rates["eval/win_rate_sampled"] * 50 == pytest.approx(round(rates["eval/win_rate_sampled"] * 50))


def test_a_table_too_large_to_write_out_is_played():
    policy = learner("mappo", "ghz-10").policy
    assert not is_exact(policy, VecGame("ghz-10", 2))
    assert 0 <= win_rates(policy, VecGame("ghz-10", 8), 20, seed=0)["eval/win_rate"] <= 1


def test_replaced_readings_are_judged_beside_the_exact_rates():
    policy = learner("qc-mappo", "chsh", latent=8).policy
    rates = win_rates(policy, VecGame("chsh", 8), 20, seed=0, shuffled=True)
    assert {"eval/win_rate_mean_law", "eval/win_rate_shuffled"} <= rates.keys()
    assert rates.items() >= exact_rates(policy, VecGame("chsh")).items()
    assert policy.fixed_reading is None


def test_the_order_of_a_large_batch_does_not_matter():
    """4^6 / 2 questions with answers of ghz-6 fit in one batch, those of ghz-7 need two."""
    for name in ("ghz-6", "ghz-7"):
        policy = learner("mappo", name).policy
        assert sizes_of(VecGame(name)).agents == make(name).players
        law = strategy(policy, VecGame(name))
        assert np.allclose(law.sum(axis=tuple(range(make(name).players, 2 * make(name).players))), 1, atol=1e-5)
