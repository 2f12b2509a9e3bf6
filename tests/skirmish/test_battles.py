"""Batches: restarts, final arrays, seeds, threads, snapshots, and how long arrays live."""

from __future__ import annotations

import copy
import gc
import pickle
import threading
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from placing import GOAL, STOP, act, place

from qcmarl.envs import Skirmish, Step, VecSkirmish
from qcmarl.envs.scripted import random


def flat(step: Step) -> list[npt.NDArray[Any]]:
    return [array.copy() for array in (*step[:-1], *step.info.values())]


def course(env: VecSkirmish, steps: int, actions_seed: int = 0) -> list[list[npt.NDArray[Any]]]:
    """Every array of every step under random actions."""
    rng = np.random.default_rng(actions_seed)
    return [flat(env.step(random(env, env.last_step(), rng))) for _ in range(steps)]


def equal(one: list[list[npt.NDArray[Any]]], other: list[list[npt.NDArray[Any]]]) -> bool:
    return all(np.array_equal(a, b) for x, y in zip(one, other, strict=True) for a, b in zip(x, y, strict=True))


def test_equal_seeds_give_equal_battles() -> None:
    env = VecSkirmish("8m_vs_9m", 5, n_threads=1)
    env.reset(seed=11)
    first = course(env, 60)
    env.reset(seed=11)
    assert equal(first, course(env, 60))


def test_different_seeds_battles_and_episodes_differ() -> None:
    env = VecSkirmish("3m", 3, n_threads=1)
    cooldowns = set()
    for seed in (0, 1, 2**64 - 1):
        env.reset(seed=seed)
        for _ in range(2):  # two episodes
            for index in range(3):
                place(env, [(13, 16)], [GOAL], index)
            act(env, 6)
            cooldowns |= {float(env.units(index)["cooldown"][0]) for index in range(3)}
            for index in range(3):
                place(env, [(13, 16, 6)], [(9, 16), (9, 17)], index)
            while not act(env, STOP).terminated.all():
                pass
    assert len(cooldowns) == 18


@pytest.mark.parametrize("n_threads", [2, 3, 0])
def test_the_number_of_threads_changes_no_bit(n_threads: int) -> None:
    one, many = VecSkirmish("5m_vs_6m", 37, n_threads=1), VecSkirmish("5m_vs_6m", 37, n_threads=n_threads)
    one.reset(seed=3)
    many.reset(seed=3)
    assert equal(course(one, 50), course(many, 50))


def test_a_batch_may_be_split() -> None:
    whole, left = VecSkirmish("8m", 7, n_threads=1), VecSkirmish("8m", 4, n_threads=1)
    right = VecSkirmish("8m", 3, n_threads=1, first_battle=4)
    rng = np.random.default_rng(0)
    for env in (whole, left, right):
        env.reset(seed=9)
    for _ in range(60):
        actions = random(whole, whole.last_step(), rng)
        parts = [flat(left.step(actions[:4])), flat(right.step(actions[4:]))]
        for array, *halves in zip(flat(whole.step(actions)), *parts, strict=True):
            assert np.array_equal(array, np.concatenate(halves))


def test_a_finished_battle_restarts_and_its_end_is_kept() -> None:
    vec, single = VecSkirmish("3m", 1, n_threads=1), Skirmish("3m", seed=4)
    vec.reset(seed=4)
    rng = np.random.default_rng(0)
    for episode in range(3):
        single.reset()
        assert np.array_equal(vec.last_step().state[0], single.get_state())
        total, length, over = 0.0, 0, False
        while not over:
            actions = random(vec, vec.last_step(), rng)
            step = vec.step(actions)
            reward, over, info = single.step(actions[0])
            total, length = total + reward, length + 1
            assert step.reward[0] == np.float32(reward)
            assert step.info["episode_return"][0] == pytest.approx(total, abs=1e-5)
            assert step.info["episode_length"][0] == length
        assert step.terminated[0] or step.truncated[0]
        assert step.info["battle_won"][0] == info["battle_won"]
        assert np.array_equal(step.info["final_obs"][0], np.stack(single.get_obs()))
        assert np.array_equal(step.info["final_state"][0], single.get_state())
        assert np.array_equal(step.info["final_avail"][0], np.array(single.get_avail_actions(), dtype=bool))
        assert step.alive.all(), f"battle {episode + 1} has begun"
        assert (step.state[0, 21:] == 0).all()


def test_the_final_arrays_of_a_battle_stay_until_its_next_end() -> None:
    env = VecSkirmish("3m", 2, n_threads=1)
    place(env, [(13, 16, 6)], [GOAL], index=0)
    final = act(env, STOP).info["final_state"].copy()
    assert final[0].any()
    assert not final[1].any()
    assert np.array_equal(act(env, STOP).info["final_state"], final)


@pytest.mark.parametrize("at", [0, 25, 70])
def test_a_restored_batch_goes_on_bit_for_bit(at: int) -> None:
    env = VecSkirmish("8m_vs_9m", 6, n_threads=1)
    env.reset(seed=2)
    course(env, at)
    saved, shown = pickle.loads(pickle.dumps(env.state_dict())), flat(env.last_step())
    expected = course(env, 60, actions_seed=1)
    fresh = VecSkirmish("8m_vs_9m", 6, n_threads=2)
    fresh.load_state_dict(saved)
    assert equal([flat(fresh.last_step())], [shown])
    assert equal(course(fresh, 60, actions_seed=1), expected)


def test_a_snapshot_does_not_follow_the_environment() -> None:
    env = VecSkirmish("3m", 2, n_threads=1)
    saved = env.state_dict()
    before = copy.deepcopy(saved)
    course(env, 5)
    assert all(np.array_equal(saved["arrays"][key], before["arrays"][key]) for key in before["arrays"])
    assert np.array_equal(saved["battles"], before["battles"])


def test_a_foreign_snapshot_is_refused() -> None:
    env = VecSkirmish("3m", 2, n_threads=1)
    saved = env.state_dict()
    for other, message in (
        (VecSkirmish("8m", 2), "the saved environment has name='skirmish:3m', this one 'skirmish:8m'"),
        (VecSkirmish("3m", 3), "the saved environment has n_envs=2, this one 3"),
        (VecSkirmish("3m", 2, first_battle=1), "the saved environment has first_battle=0, this one 1"),
    ):
        with pytest.raises(ValueError, match=message):
            other.load_state_dict(saved)
    with pytest.raises(ValueError, match="a snapshot of 3 bytes; 2 battles on 3m take"):
        env.load_state_dict({**saved, "battles": saved["battles"][:3]})
    with pytest.raises(ValueError, match="the snapshot's battle 0 is not one of map 3m"):
        env.load_state_dict({**saved, "battles": np.full_like(saved["battles"], 255)})
    with pytest.raises(ValueError, match="the saved array 'obs' is missing or not float32"):
        env.load_state_dict({**saved, "arrays": {}})
    with pytest.raises(TypeError, match="a saved environment is a dict"):
        env.load_state_dict(None)  # type: ignore[arg-type]
    assert env.step(np.full((2, 3), STOP)).reward.tolist() == [0, 0]


def test_arrays_outlive_their_environment() -> None:
    env = VecSkirmish("8m", 64, n_threads=2)
    step = act(env, 4)
    before = flat(step)
    del env
    gc.collect()
    assert equal([flat(step)], [before])


def test_a_step_writes_into_the_same_arrays() -> None:
    env = VecSkirmish("3m", 2, n_threads=1)
    first = env.reset(seed=0)
    second = act(env, 4)
    assert all(a is b for a, b in zip(first[:-1], second[:-1], strict=True))


def test_environments_step_side_by_side_in_threads() -> None:
    envs = [VecSkirmish("8m_vs_9m", 16, n_threads=2) for _ in range(2)]
    results: list[Any] = [None, None]

    def run(which: int) -> None:
        envs[which].reset(seed=1)
        results[which] = course(envs[which], 40)

    threads = [threading.Thread(target=run, args=(which,)) for which in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert equal(*results)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"n_envs": 0}, ValueError, "n_envs is 0, must be at least 1"),
        ({"n_envs": 2.0}, TypeError, "n_envs must be an integer, not 2.0"),
        ({"n_envs": 1, "n_threads": -1}, ValueError, r"n_threads is -1, must be in 0\.\.1024"),
        ({"n_envs": 1, "first_battle": -1}, ValueError, "first_battle is -1, must be in 0"),
    ],
)
def test_bad_arguments_are_refused(arguments: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        VecSkirmish("3m", **arguments)


def test_a_bad_seed_is_refused() -> None:
    env = VecSkirmish("3m", 1)
    with pytest.raises(ValueError, match=r"seed is -1, must be in 0\.\.18446744073709551615"):
        env.reset(seed=-1)
    with pytest.raises(TypeError, match="seed must be an integer, not 'a'"):
        env.reset(seed="a")  # type: ignore[arg-type]
