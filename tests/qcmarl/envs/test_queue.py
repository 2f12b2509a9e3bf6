"""`queue:2x2` behind the batched contract: what it shows, its books, its randomness, and averages that are known."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from qcmarl.envs import Step, VecEnv, VecQueue, make, parallel_env
from qcmarl.games.queueing import MODELS, Queue, Rates, evaluate, follow, tables
from qcmarl.games.queueing_bounds import best, chsh

NAMES = tuple(MODELS)
LAW = np.random.default_rng


def anything(env: VecQueue, rng: np.random.Generator) -> np.ndarray:
    return rng.integers(env.n_actions, size=(env.n_envs, env.n_agents))


def arrays(step: Step) -> dict[str, np.ndarray]:
    return {**{key: getattr(step, key) for key in Step._fields if key != "info"}, **step.info}


def assert_same(step: Step, other: dict[str, np.ndarray]) -> None:
    for key, array in arrays(step).items():
        assert np.array_equal(array, other[key]), key
        assert array.dtype == other[key].dtype, key


def snapshot(step: Step) -> dict[str, np.ndarray]:
    return {key: array.copy() for key, array in arrays(step).items()}


@pytest.mark.parametrize("name", NAMES)
def test_it_is_an_environment_of_the_contracts_shapes_and_kinds(name: str) -> None:
    env = make(f"queue:{name}", n_envs=5)
    assert isinstance(env, VecQueue)
    assert isinstance(env, VecEnv)
    assert (env.name, env.n_envs, env.n_agents, env.n_actions) == (f"queue:{name}", 5, 2, 2)
    assert (env.episode_limit, env.max_return) == (50, 50)
    for step in (env.reset(seed=1), env.step(np.zeros((5, 2), np.int8))):
        shapes = {
            "obs": ((5, 2, env.obs_size), np.float32),
            "state": ((5, env.state_size), np.float32),
            "avail": ((5, 2, 2), bool),
            "alive": ((5, 2), bool),
            "reward": ((5,), np.float32),
            "terminated": ((5,), bool),
            "truncated": ((5,), bool),
            "battle_won": ((5,), bool),
            "episode_return": ((5,), np.float32),
            "episode_length": ((5,), np.int32),
            "final_obs": ((5, 2, env.obs_size), np.float32),
            "final_state": ((5, env.state_size), np.float32),
            "final_avail": ((5, 2, 2), bool),
            "coordinated": ((5,), bool),
            "throughput": ((5,), np.float32),
            **dict.fromkeys(("accepted", "served", "waiting", "backlog"), ((5,), np.int32)),
        }
        assert {key: (array.shape, array.dtype) for key, array in arrays(step).items()} == shapes
        assert step.avail.all()
        assert step.alive.all()


def test_a_router_sees_the_type_of_its_packet_and_the_backlogs_it_may_see() -> None:
    model = Queue(lines="own", capacity=3)  # levels 0..5
    where = tables(model).backlogs.tolist().index([2, 4])
    light_heavy = np.array([1])
    sights = {
        "all": [[1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0], [0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0]],
        "own": [[1, 0, 0, 0, 1, 0, 0, 0], [0, 1, 0, 0, 0, 0, 1, 0]],
        "nothing": [[1, 0], [0, 1]],
    }
    for sees, expected in sights.items():
        obs, state = VecQueue(model, 1, sees=sees).looks(light_heavy, np.array([where]))  # type: ignore[arg-type]
        assert obs[0].tolist() == expected
        assert state[0].tolist() == [1, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0]


@pytest.mark.parametrize("name", NAMES)
def test_packets_and_work_are_neither_lost_nor_made(name: str) -> None:
    env = VecQueue(name, 64)
    env.reset(seed=3)
    rng, model = LAW(0), env.model
    waiting = backlog = np.zeros(64, int)
    for _ in range(120):
        before = env._where.copy()
        types, actions = env._types.copy(), anything(env, rng)
        step = env.step(actions)
        info = step.info
        joined = tables(model).after[before, types, actions @ [2, 1]]
        assert np.array_equal(info["waiting"], waiting + info["accepted"] - info["served"])
        done = tables(model).backlogs[joined].sum(1) - info["backlog"]
        assert ((done >= 0) & (done <= model.servers)).all()
        assert ((info["waiting"] == 0) == (info["backlog"] == 0)).all()
        cost = 0.5 * info["backlog"] / 8 if name == "2x2" else info["backlog"] / 10
        assert step.reward == pytest.approx(info["accepted"] / 2 - cost)
        assert np.array_equal(info["coordinated"], tables(model).coordinated[types, actions @ [2, 1]])
        waiting = np.where(step.truncated, 0, info["waiting"])
        backlog = np.where(step.truncated, 0, info["backlog"])
        assert np.array_equal(tables(model).backlogs[env._where].sum(1), backlog)


def test_an_episode_is_cut_at_its_horizon_and_flawless_where_nothing_was_turned_away() -> None:
    env = VecQueue("2x2", 200, horizon=12, capacity=4)
    env.reset(seed=0)
    rng, returns, lost = LAW(1), np.zeros(200), np.zeros(200, int)
    for number in range(1, 25):
        step = env.step(anything(env, rng))
        returns, lost = returns + step.reward, lost + 2 - step.info["accepted"]
        at_end = number % 12 == 0
        assert (step.truncated == at_end).all()
        assert not step.terminated.any()
        assert (step.info["episode_length"] == (number - 1) % 12 + 1).all()
        assert step.info["episode_return"] == pytest.approx(returns, abs=1e-5)
        assert np.array_equal(step.info["battle_won"], at_end & (lost == 0))
        assert step.info["throughput"] == pytest.approx(1 - lost / (2 * ((number - 1) % 12 + 1)), abs=1e-6)
        if at_end:
            assert 0 < step.info["battle_won"].mean() < 1
            assert (step.obs[:, :, 2] == 1).all()  # the line is empty again
            seen = step.info["final_obs"][:, 0, 2:].argmax(1)
            assert np.array_equal(seen, step.info["backlog"])
            assert step.info["final_avail"].all()
            returns, lost = 0 * returns, 0 * lost


@pytest.mark.parametrize("name", NAMES)
def test_a_saved_environment_goes_on_bit_for_bit(name: str) -> None:
    env, rng = VecQueue(name, 7, horizon=9), LAW(2)
    env.reset(seed=4)
    for _ in range(13):
        env.step(anything(env, rng))
    saved = pickle.loads(pickle.dumps(env.state_dict()))
    shown = snapshot(env.last_step())
    actions = [anything(env, rng) for _ in range(20)]
    expected = [snapshot(env.step(action)) for action in actions]
    other = VecQueue(name, 7, horizon=9)
    other.load_state_dict(saved)
    assert_same(other.last_step(), shown)
    for action, then in zip(actions, expected, strict=True):
        assert_same(other.step(action), then)
    other.load_state_dict(saved)  # what it went through meanwhile did not touch what was saved
    assert_same(other.step(actions[0]), expected[0])


def test_the_seed_decides_everything() -> None:
    env, rng = VecQueue("2x2", 6), LAW(3)
    actions = [anything(env, rng) for _ in range(60)]

    def course(seed: int) -> list[dict[str, Any]]:
        return [snapshot(env.reset(seed)), *(snapshot(env.step(action)) for action in actions)]

    first, again, another = course(5), course(5), course(6)
    for one, two in zip(first, again, strict=True):
        assert all(np.array_equal(one[key], two[key]) for key in one)
    assert any(not np.array_equal(one["obs"], two["obs"]) for one, two in zip(first, another, strict=True))


def test_a_step_outlives_the_next_one() -> None:
    env, rng = VecQueue("2x2", 8, horizon=3), LAW(4)
    env.reset(seed=0)
    for _ in range(7):
        held = env.step(anything(env, rng))
        kept = snapshot(held)
        env.step(anything(env, rng))
        assert_same(held, kept)


def test_types_are_even_and_of_each_router_alone() -> None:
    env = VecQueue("2x2", 4000, heavy=0.3)
    step = env.reset(seed=0)
    heavy = step.obs[:, :, 1]
    assert heavy.mean(0) == pytest.approx(0.3, abs=4 * np.sqrt(0.21 / 4000))
    assert (heavy[:, 0] * heavy[:, 1]).mean() == pytest.approx(0.09, abs=4 * np.sqrt(0.09 * 0.91 / 4000))


Script = Callable[[Queue], np.ndarray]


def shorter_line(model: Queue) -> np.ndarray:
    """(T, K, X, A) both to the server whose line is shorter, the first of equals."""
    rules = tables(model)
    servers = rules.backlogs.argmin(1) if model.lines == "own" else np.zeros(len(rules.backlogs), int)
    return over_time(model, np.eye(4)[3 * servers][:, None].repeat(4, 1))


def first_server(model: Queue) -> np.ndarray:
    return over_time(model, np.broadcast_to(np.eye(4)[0], tables(model).reward.shape))


def best_classical(model: Queue) -> np.ndarray:
    return best(model, "classical").plan


def best_chsh(model: Queue) -> np.ndarray:
    return over_time(model, chsh(model))


def over_time(model: Queue, strategy: np.ndarray) -> np.ndarray:
    return np.broadcast_to(strategy, (model.horizon, *strategy.shape))


def averages(env: VecQueue, plan: np.ndarray, episodes: int) -> tuple[np.ndarray, np.ndarray]:
    """Means, and their errors, of return, throughput, backlog and coordination of whole episodes of a plan."""
    rng, found = LAW(7), []
    env.reset(seed=11)
    for _ in range(episodes):
        sums = np.zeros((4, env.n_envs))
        for strategy in plan:
            law = strategy[env._where, env._types].cumsum(1)
            joint = (rng.random((env.n_envs, 1)) > law[:, :-1]).sum(1)
            step = env.step(tables(env.model).actions[joint])
            sums += [step.reward, step.info["accepted"] / 2, step.info["backlog"], step.info["coordinated"]]
        found.append(sums / [[1], *[[len(plan)]] * 3])
    samples = np.concatenate(found, 1)
    return samples.mean(1), samples.std(1) / np.sqrt(samples.shape[1])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("script", [shorter_line, first_server, best_classical, best_chsh])
def test_averages_of_scripted_policies_are_those_that_are_computed(script: Script, name: str) -> None:
    env = VecQueue(name, 1500)
    plan = script(env.model)
    exact: Rates = follow(env.model, list(plan))
    mean, error = averages(env, plan, 1)
    wanted = np.array([exact.episode_return, exact.throughput, exact.backlog, exact.coordination])
    assert (np.abs(mean - wanted) <= 4 * error + 1e-9).all()
    if script in (shorter_line, first_server):
        assert exact.episode_return <= best(env.model, "classical").ceiling


@pytest.mark.parametrize("name", NAMES)
def test_packets_wait_as_long_as_littles_law_says(name: str) -> None:
    env = VecQueue(name, 400, horizon=1000)
    env.reset(seed=2)
    plan, rng, waiting, accepted = chsh(env.model), LAW(9), np.zeros(400), np.zeros(400)
    for _ in range(1000):
        law = plan[env._where, env._types].cumsum(1)
        step = env.step(tables(env.model).actions[(rng.random((400, 1)) > law[:, :-1]).sum(1)])
        waiting, accepted = waiting + step.info["waiting"], accepted + step.info["accepted"]
    measured = waiting / accepted
    error = measured.std() / np.sqrt(400)
    # The end cuts some 6 packets of 1800 short by some 3 steps each: 0.01.
    assert measured.mean() == pytest.approx(evaluate(env.model, plan).waiting_time, abs=4 * error + 0.03)


@pytest.mark.parametrize("name", NAMES)
def test_pettingzoos_own_checks_pass(name: str) -> None:
    pytest.importorskip("pettingzoo")
    from pettingzoo.test import parallel_api_test, parallel_seed_test

    parallel_api_test(parallel_env(f"queue:{name}"), num_cycles=120)
    parallel_seed_test(lambda: parallel_env(f"queue:{name}"))


def test_bad_arguments_are_refused() -> None:
    with pytest.raises(ValueError, match=r"'queue:2x3' \(did you mean '2x2'\?\); names of queue: 2x2, 2x2-own"):
        make("queue:2x3")
    with pytest.raises(ValueError, match="unknown queueing task '2x2-owm'; tasks: 2x2, 2x2-own"):
        VecQueue("2x2-owm")
    with pytest.raises(TypeError, match="a queueing task is a name"):
        VecQueue(3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="sees is 'all of it'; it must be one of all, own, nothing"):
        VecQueue("2x2", sees="all of it")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="n_envs is 0"):
        VecQueue("2x2", 0)
    env = VecQueue("2x2", 2)
    with pytest.raises(RuntimeError, match="call reset"):
        env.step(np.zeros((2, 2), int))
    env.reset()
    with pytest.raises(ValueError, match="action 2 is not available; available: 0, 1"):
        env.step(np.full((2, 2), 2))
    other = VecQueue("2x2", 2, capacity=5)
    other.reset()
    with pytest.raises(ValueError, match=r"rules=.*'capacity': 5.*, this one"):
        env.load_state_dict(other.state_dict())
