"""MAPPO and IPPO on games of one step: what local agents can find, and what they cannot."""

import pytest
import torch
from learners import ippo, mappo
from tasks import EASY, greedy_return, matrix_game, relay_game

LOCAL = {
    "mappo": mappo,
    "mappo, recurrent": lambda env, **k: mappo(env, recurrent=True, **k),
    "mappo, a value per agent": lambda env, **k: mappo(env, critic="agent", **k),
    "ippo": ippo,
}


def trained(name, game, iterations):
    learner = LOCAL[name](game(n_envs=32), n_envs=32, rollout_steps=10, lr=3e-3)
    for _ in range(iterations):
        learner.iterate()
    return learner


@pytest.mark.parametrize("name", LOCAL)
def test_the_best_joint_action_of_an_easy_matrix_game_is_found(name):
    learner = trained(name, lambda n_envs: matrix_game(EASY, n_envs), 30)
    assert greedy_return(learner, matrix_game(EASY)) == pytest.approx(1)


@pytest.mark.parametrize("name", LOCAL)
def test_nobody_names_what_only_another_one_sees(name):
    learner = trained(name, lambda n_envs: relay_game(3, n_envs=n_envs), 30)
    assert greedy_return(learner, relay_game(3), 600) < 1 / 3 + 5 * (2 / 9 / 600) ** 0.5


def test_weights_are_shared_and_the_ids_tell_agents_apart():
    learner = ippo()
    assert learner.critic.trunk.layers[0].in_features == learner.rollout.sizes.features
    assert learner.critic(torch.zeros(2, 3, learner.rollout.sizes.features)).shape == (2, 3)
