"""Gymnasium's and MiniGrid's environments behind the batched contract: played beside the originals, and by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

pytest.importorskip("gymnasium")

import gymnasium
from gymnasium.spaces import Box, Dict, Discrete, Sequence

from qcmarl import cli, rundir
from qcmarl.algos import ALGORITHMS
from qcmarl.algos.mappo import MAPPOConfig
from qcmarl.envs import make
from qcmarl.envs.gymnasium_vec import VecGymnasium, VecMiniGrid
from qcmarl.envs.kept import drawn_seed
from qcmarl.rollout import Player, sizes_of

LEFT, RIGHT, FORWARD = 0, 1, 2


def act(env: VecGymnasium, *actions: int) -> Any:
    return env.step(np.array(actions).reshape(env.n_envs, 1))


def test_cart_poles_are_gymnasiums() -> None:
    env = make("gymnasium:CartPole-v1", n_envs=2)
    originals = [gymnasium.make("CartPole-v1") for _ in range(2)]
    looks = [one.reset(seed=drawn_seed(5, i))[0] for i, one in enumerate(originals)]
    step, rng, ends = env.reset(seed=5), np.random.default_rng(0), 0
    assert (env.n_agents, env.n_actions, env.obs_size, env.state_size, env.episode_limit) == (1, 2, 4, 4, 500)
    for _ in range(120):
        actions = rng.integers(2, size=2)
        step = act(env, *actions)
        for i, one in enumerate(originals):
            looks[i], reward, terminated, truncated, _ = one.step(int(actions[i]))
            assert (step.reward[i], step.terminated[i], step.truncated[i]) == (reward, terminated, truncated)
            if terminated or truncated:
                ends += 1
                assert np.array_equal(step.info["final_obs"][i, 0], looks[i].astype(np.float32))
                looks[i] = one.reset()[0]
            assert np.array_equal(step.obs[i, 0], looks[i].astype(np.float32))
            assert np.array_equal(step.state[i], step.obs[i, 0])
    assert ends > 4
    assert not env.tells_wins


def test_a_pole_that_is_held_up_is_cut_off_at_the_limit() -> None:
    env = make("gymnasium:CartPole-v1", n_envs=1, episode_limit=3)
    env.reset(seed=0)
    steps = [act(env, k % 2) for k in range(2)]
    assert not any(step.truncated[0] or step.terminated[0] for step in steps)
    step = act(env, 0)
    assert (step.truncated[0], step.terminated[0], step.info["episode_length"][0]) == (True, False, 3)
    assert step.info["episode_return"][0] == 3


class Odd(gymnasium.Env):  # type: ignore[misc]
    """Actions 5, 6, 7, of which 6 is never open, and observations of two parts; the third step ends it by success."""

    observation_space = Dict({"a": Discrete(3), "b": Box(-1, 1, (2,))})
    action_space = Discrete(3, start=5)

    def __init__(self, succeeds: bool = True) -> None:
        self.succeeds, self.played = succeeds, []  # type: ignore[var-annotated]

    def _look(self) -> Any:
        return {"a": self.time % 3, "b": np.array([0.25, -0.5], np.float32)}, {"action_mask": np.array([1, 0, 1])}

    def reset(self, seed: int | None = None, options: Any = None) -> Any:
        self.time = 0
        return self._look()

    def step(self, action: int) -> Any:
        self.played.append(action)
        self.time += 1
        look, info = self._look()
        over = self.time == 3
        return look, 0.5, over, False, info | ({"is_success": self.succeeds} if over else {})


def test_spaces_of_every_kind_are_read() -> None:
    env = VecGymnasium(Odd, 1, episode_limit=10)
    step = env.reset(seed=0)
    assert env.name == "gymnasium:Odd"
    np.testing.assert_array_equal(step.obs[0, 0], [1, 0, 0, 0.25, -0.5])
    np.testing.assert_array_equal(step.avail[0, 0], [True, False, True])
    with pytest.raises(ValueError, match="not available"):
        act(env, 1)
    for action in (0, 2):
        step = act(env, action)
    np.testing.assert_array_equal(step.obs[0, 0], [0, 0, 1, 0.25, -0.5])
    assert not env.tells_wins
    step = act(env, 2)
    assert env._envs[0].played == [5, 7, 7]
    assert (step.terminated[0], step.truncated[0], step.info["battle_won"][0]) == (True, False, True)
    assert env.tells_wins
    np.testing.assert_array_equal(step.info["final_obs"][0, 0], [1, 0, 0, 0.25, -0.5])  # 3 % 3
    assert step.info["episode_return"][0] == 1.5


def test_a_failure_is_no_win() -> None:
    env = VecGymnasium(lambda: Odd(succeeds=False), 1, episode_limit=10)
    env.reset(seed=0)
    assert [bool(act(env, 0).info["battle_won"][0]) for _ in range(3)] == [False] * 3
    assert env.tells_wins


def test_a_restored_environment_cuts_off_what_was_under_way() -> None:
    env = make("gymnasium:CartPole-v1", n_envs=2)
    env.reset(seed=3)
    shown = act(env, 0, 1).obs.copy()
    state = env.state_dict()
    other = make("gymnasium:CartPole-v1", n_envs=2)
    other.load_state_dict(state)
    np.testing.assert_array_equal(other.last_step().obs, shown)
    step = act(other, 0, 0)
    assert step.truncated.all()
    np.testing.assert_array_equal(step.info["final_obs"], shown)
    assert not act(other, 0, 0).truncated.any()


@pytest.mark.parametrize(
    ("identifier", "error", "message"),
    [
        ("gymnasium:CartPol-v1", ValueError, "did you mean 'CartPole-v1'"),
        ("gymnasium:Pendulum-v1", ValueError, "must be Discrete"),
        ("gymnasium:Cart Pole", ValueError, "Malformed"),
        ("gymnasium:GymV26Environment-v0", ModuleNotFoundError, "pip install"),
        ("gymnasium:MiniGrid-Empty-5x6-v0", ValueError, "did you mean 'minigrid:MiniGrid-Empty-5x6-v0'"),
        ("gymnasium:", ValueError, "names of gymnasium"),
        ("gymnasium:nothing:Here-v0", (ValueError, ModuleNotFoundError), "nothing"),
        ("minigrid:MiniGrid-Empty-5x6-v0", ValueError, "did you mean 'MiniGrid-Empty-"),
        ("minigrid:CartPole-v1", ValueError, "none of MiniGrid's; names begin with MiniGrid- or BabyAI-"),
    ],
)
def test_mistakes_are_named(identifier: str, error: Any, message: str) -> None:
    if identifier.startswith("minigrid"):
        pytest.importorskip("minigrid")
    with pytest.raises(error, match=message):
        make(identifier, n_envs=1)


def test_what_cannot_be_read_is_refused() -> None:
    class Listing(Odd):
        observation_space = Sequence(Discrete(2))

    with pytest.raises(ValueError, match="do not flatten"):
        VecGymnasium(Listing, 1, episode_limit=5)

    class Own(Discrete):
        @property
        def is_np_flattenable(self) -> bool:
            raise NotImplementedError

    class Strange(Odd):
        observation_space = Own(2)

    with pytest.raises(ValueError, match="do not flatten"):
        VecGymnasium(Strange, 1)
    with pytest.raises(ValueError, match="n_envs is 0"):
        VecGymnasium(Odd, 0)
    with pytest.raises(ValueError, match="episode_limit is 0"):
        VecGymnasium(Odd, 1, episode_limit=0)


def test_a_limit_is_found_wherever_it_is_kept() -> None:
    from gymnasium.envs.classic_control import CartPoleEnv
    from gymnasium.wrappers import TimeLimit

    assert VecGymnasium(lambda: TimeLimit(CartPoleEnv(), 20), 1).episode_limit == 20
    assert VecGymnasium(Odd, 1).episode_limit == 1000  # none is named


def test_rooms_that_choose_their_limit_anew_are_cut_off_at_the_longest() -> None:
    pytest.importorskip("minigrid")
    env = make("minigrid:BabyAI-GoToRedBall-v0", n_envs=1)  # says 0 before its first reset
    env.reset(seed=0)
    assert env.episode_limit == env._envs[0].unwrapped.max_steps == 64
    step = env.step(np.zeros((1, 1), int))
    assert not any([step.truncated[0], step.terminated[0]])


def test_pictures_that_are_unwrapped_already_are_taken_as_they_are() -> None:
    pytest.importorskip("minigrid")
    from minigrid.wrappers import ImgObsWrapper

    made = VecMiniGrid(lambda: ImgObsWrapper(gymnasium.make("MiniGrid-Empty-5x5-v0")), 1)
    assert (made.obs_size, made.episode_limit) == (147, 100)


def test_every_resume_begins_other_episodes() -> None:
    env = make("gymnasium:CartPole-v1", n_envs=1)
    env.reset(seed=3)
    begun = []
    for _ in range(3):
        state = env.state_dict()
        env = make("gymnasium:CartPole-v1", n_envs=1)
        env.load_state_dict(state)
        begun.append(act(env, 0).obs.copy())
    assert not any(np.array_equal(begun[i], begun[j]) for i in range(3) for j in range(i))


def test_an_empty_room_is_left_in_five_steps() -> None:
    pytest.importorskip("minigrid")
    env = make("minigrid:MiniGrid-Empty-5x5-v0", n_envs=2)
    env.reset(seed=0)
    assert (env.n_agents, env.n_actions, env.obs_size, env.episode_limit) == (1, 7, 147, 100)
    assert env.tells_wins
    for action in (FORWARD, FORWARD, RIGHT, FORWARD):  # from (1, 1) facing right; the goal is at (3, 3)
        assert act(env, action, LEFT).reward.tolist() == [0, 0]
    step = act(env, FORWARD, LEFT)
    assert step.reward[0] == pytest.approx(1 - 0.9 * 5 / 100)
    assert step.terminated.tolist() == step.info["battle_won"].tolist() == [True, False]
    for _ in range(94):
        assert not act(env, LEFT, LEFT).truncated[1]
    step = act(env, LEFT, LEFT)  # the hundredth of the one that only turned
    assert (step.truncated[1], step.terminated[1], step.info["battle_won"][1]) == (True, False, False)


def test_lava_ends_an_episode_that_is_not_won() -> None:
    pytest.importorskip("minigrid")
    env = make("minigrid:MiniGrid-LavaGapS5-v0", n_envs=16)
    step, rng, deaths = env.reset(seed=0), np.random.default_rng(1), 0
    for _ in range(300):
        step = env.step(rng.integers(3, size=(16, 1)))
        over = step.terminated
        np.testing.assert_array_equal(step.info["battle_won"][over], step.reward[over] > 0)
        deaths += int((over & (step.reward == 0)).sum())
    assert deaths > 10


def test_a_run_learns_to_leave_an_empty_room(tmp_path, capsys) -> None:
    pytest.importorskip("minigrid")
    sizes = "--n-envs 8 --rollout-steps 100 --eval-battles 4 --eval-every 8000 --threads 1 --quiet"
    with pytest.raises(SystemExit) as ended:
        cli.main(
            f"train --algo mappo --env minigrid:MiniGrid-Empty-5x5-v0 --steps 16000 {sizes} "
            f"--run-dir {tmp_path / 'run'}".split()
        )
    assert ended.value.code == 0
    last = rundir.read_metrics(tmp_path / "run")[-1]
    assert last["eval/win_rate_sampled"] == 1.0
    assert last["eval/return_sampled"] > 0.85


def test_learners_see_few_numbers_as_they_are() -> None:
    # Scaled over themselves, four numbers would look alike in a state and in one twice as far from the middle.
    env = make("gymnasium:CartPole-v1", n_envs=2)
    policy = ALGORITHMS["mappo"].build_policy(MAPPOConfig(), sizes_of(env))
    player, step = Player(policy, env), env.reset(seed=0)
    x = player.features(step)
    np.testing.assert_array_equal(x[:, 0], np.hstack([step.obs[:, 0], [[0, 0, 1]] * 2]))  # no last action, id 0
    before = x.clone()
    player.act(step, x, torch.Generator().manual_seed(0))
    assert torch.equal(x, before)
    seen = player.critic_features(torch.tensor([[0.5, -2.0, 3.0, 4.0]]), torch.tensor([250.0]))
    assert seen.tolist() == [[0.5, -2.0, 3.0, 4.0, 0.5]]  # half the time is used
    ours = make("skirmish:3m", n_envs=2, n_threads=1)
    battle = Player(ALGORITHMS["mappo"].build_policy(MAPPOConfig(), sizes_of(ours)), ours).features(ours.reset(seed=0))
    torch.testing.assert_close(battle.mean(-1), torch.zeros(2, 3), atol=1e-6, rtol=0)
