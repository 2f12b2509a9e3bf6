"""The games of one step are what they say: their optima by hand."""

import numpy as np
import pytest
from tasks import CLIMBING, EASY, matrix_game, relay_game


def test_the_optima_of_the_matrix_games_are_their_first_entries():
    assert CLIMBING.argmax() == EASY.argmax() == 0
    assert CLIMBING.max() == EASY.max() == 1


def test_independent_random_partners_make_the_climbing_game_deceptive_and_the_easy_one_not():
    assert CLIMBING.mean(1).argmax() == 2
    assert EASY.mean(1).argmax() == 0


@pytest.mark.parametrize("symbols", [2, 3])
def test_a_relay_pays_for_naming_the_symbol_and_for_nothing_else(symbols):
    env = relay_game(symbols, n_agents=3, n_envs=64)
    shown = env.reset(0).state.argmax(1)
    actions = np.random.default_rng(1).integers(1, symbols + 1, (64, 3))
    np.testing.assert_array_equal(env.step(actions).reward, actions[:, 2] - 1 == shown)


def test_only_the_first_agent_sees_the_symbol():
    obs = relay_game(3).reset(0).obs
    assert obs[:, 0].sum() == 32
    assert not obs[:, 1:].any()


def test_a_game_pays_the_entry_of_the_joint_action():
    env = matrix_game(EASY, 2)
    env.reset(0)
    np.testing.assert_allclose(env.step(np.array([[1, 2], [3, 1]])).reward, [3 / 8, 2 / 8])
