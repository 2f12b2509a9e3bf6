"""Games as environments: the contract, the law of the questions, the payoffs."""

import numpy as np
import pytest

from qcmarl.envs import VecEnv, VecGame, make
from qcmarl.games import Game

RAGGED = Game("ragged", np.arange(6.0).reshape(2, 3) / 15, np.arange(36.0).reshape(2, 3, 3, 2),
              ([[1, 0, 1], [1, 1, 1]], [[1, 1], [0, 1], [1, 1]]))  # fmt: skip


def first_answers(step):
    return step.avail.argmax(-1)


def test_a_game_has_the_contract_of_every_environment():
    env = make("game:chsh", n_envs=3, n_threads=1)
    assert isinstance(env, VecEnv)
    assert (env.name, env.n_envs, env.n_agents, env.n_actions) == ("game:chsh", 3, 2, 2)
    assert (env.obs_size, env.state_size, env.episode_limit, env.max_return) == (2, 4, 1, 1.0)


def test_agents_see_their_own_question_and_the_state_all_of_them():
    env = VecGame(RAGGED, 4)
    step = env.ask(np.array([[0, 0], [0, 2], [1, 1], [1, 2]]))
    assert step.obs[:, 0].tolist() == [[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 1, 0]]
    assert step.obs[:, 1].tolist() == [[1, 0, 0], [0, 0, 1], [0, 1, 0], [0, 0, 1]]
    assert step.state[3].tolist() == [0, 1, 0, 0, 1]
    assert step.avail[2].tolist() == [[True, True, True], [False, True, False]]
    assert step.alive.all()


def test_a_round_pays_the_payoff_and_ends():
    env = VecGame(RAGGED, 2)
    asked = env.ask(np.array([[0, 1], [1, 2]]))
    step = env.step(np.array([[2, 1], [2, 1]]))
    assert step.reward.tolist() == [RAGGED.payoff[0, 1, 2, 1], RAGGED.payoff[1, 2, 2, 1]] == [11, 35]
    assert step.info["episode_return"].tolist() == [11, 35]
    assert step.info["battle_won"].tolist() == [False, True]
    assert step.info["episode_length"].tolist() == [1, 1]
    assert step.terminated.all()
    assert not step.truncated.any()
    for key in ("obs", "state", "avail"):
        assert np.array_equal(step.info[f"final_{key}"], getattr(asked, key))


def test_questions_come_with_the_probabilities_of_the_law():
    env = VecGame(RAGGED, 30_000)
    state = env.reset(seed=0).state
    counts = np.einsum("bx,by->xy", state[:, :2], state[:, 2:])
    assert counts[0, 0] == 0
    error = 4 * np.sqrt(30_000 * RAGGED.law * (1 - RAGGED.law))
    assert (abs(counts - 30_000 * RAGGED.law) <= error).all()


def test_the_same_seed_asks_the_same_questions():
    first, second = VecGame("ghz", 50), VecGame("ghz", 50)
    for env in (first, second):
        env.step(first_answers(env.reset(seed=4)))
    assert np.array_equal(first.last_step().obs, second.last_step().obs)
    assert not np.array_equal(first.last_step().obs, first.last_step().info["final_obs"])


def test_a_saved_game_goes_on_where_it_was():
    env = VecGame(RAGGED, 20)
    env.step(first_answers(env.reset(seed=1)))
    other = VecGame(RAGGED, 20)
    other.load_state_dict(env.state_dict())
    for _ in range(2):
        for key in ("obs", "state", "avail", "reward", "terminated"):
            assert np.array_equal(getattr(env.last_step(), key), getattr(other.last_step(), key))
        for key, kept in env.last_step().info.items():
            assert np.array_equal(kept, other.last_step().info[key])
        for each in (env, other):
            each.step(first_answers(each.last_step()))


def test_steps_already_handed_out_stay_as_they_were():
    env = VecGame("chsh", 5)
    step = env.reset(seed=0)
    before = step.obs.copy()
    env.step(first_answers(step))
    assert np.array_equal(step.obs, before)


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        ([[1, 1], [0, 0]], "battle 0, agent 0: action 1 is not available; available: 0, 2"),
        ([[0, 2], [0, 0]], "battle 0, agent 1: action 2 is not available; available: 0, 1"),
        ([[0, 0], [-1, 0]], "battle 1, agent 0: action -1 is not available"),
        ([[0, 0]], r"actions have the shape \(1, 2\), must be \(2, 2\)"),
        ([[0.0, 0], [0, 0]], "actions must be integers, not float64"),
    ],
)
def test_an_answer_that_is_not_available_is_refused(actions, message):
    env = VecGame(RAGGED, 2)
    env.ask(np.zeros((2, 2), int))
    with pytest.raises((ValueError, TypeError), match=message):
        env.step(np.array(actions))


def test_mistakes_are_told():
    with pytest.raises(ValueError, match=r"unknown game 'chhs'.*did you mean 'chsh'\?"):
        make("game:chhs")
    with pytest.raises(ValueError, match="unknown environment 'game:'"):
        make("game:")
    with pytest.raises(TypeError, match="a game is a name such as 'chsh'"):
        VecGame(3)
    with pytest.raises(ValueError, match="n_envs is 0"):
        VecGame("chsh", 0)
    with pytest.raises(RuntimeError, match="call reset"):
        VecGame("chsh").last_step()
    with pytest.raises(ValueError, match=r"a question is outside 0..X_i - 1; the players' X_i are \(2, 3\)"):
        VecGame(RAGGED, 1).ask(np.array([[2, 0]]))
    env = VecGame("chsh", 3)
    env.reset()
    with pytest.raises(ValueError, match="has n_envs=3, this one 2"):
        VecGame("chsh", 2).load_state_dict(env.state_dict())


def test_a_state_of_another_game_is_refused_though_it_has_the_same_name():
    """As where the file of a game was changed between a run and its resumption."""
    env, other = VecGame("chsh", 3), VecGame("chsh", 3)
    env.reset()
    other.game = Game("chsh", env.game.law, 1 - env.game.payoff)
    with pytest.raises(ValueError, match="the saved environment has table="):
        other.load_state_dict(env.state_dict())
    with pytest.raises(TypeError, match="seed must be an integer, not None"):
        other.reset(None)
