"""The queueing task's rules and expected rates, against arithmetic written out."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from qcmarl.games.queueing import MODELS, Queue, evaluate, follow, tables, waits, worked_off

TWO = Queue()


def deterministic(model: Queue, choose: Any) -> np.ndarray:
    """(K, X, A) of a function from (backlogs, types) to the servers of all routers."""
    rules = tables(model)
    strategy = np.zeros(rules.reward.shape)
    for (k, backlogs), (x, types) in itertools.product(enumerate(rules.backlogs), enumerate(rules.types)):
        servers = np.ravel_multi_index(choose(backlogs, types), (model.servers,) * model.routers)
        strategy[k, x, servers] = 1
    return strategy


def test_a_pair_makes_least_work_together_unless_both_are_heavy() -> None:
    together, apart = [[1, 1], [1, 3]], [[2, 2], [2, 2]]
    work = tables(TWO).work.sum(-1).reshape(2, 2, 2, 2)
    for x, y, a, b in itertools.product(range(2), repeat=4):
        assert work[x, y, a, b] == (together if a == b else apart)[x][y]


def test_the_one_step_game_is_chsh_and_a_lost_round_costs_one_unit() -> None:
    rules = tables(TWO)
    x, y, a, b = np.indices((2, 2, 2, 2))
    won = (a ^ b) == (x & y)
    assert np.array_equal(rules.coordinated.reshape(2, 2, 2, 2), won)
    work = rules.work.sum(-1)
    assert np.array_equal(work - work.min(1, keepdims=True), 1 - won.reshape(4, 4))
    assert rules.law == pytest.approx([0.25] * 4)


def test_three_packets_make_one_session_each_server() -> None:
    rules = tables(Queue(routers=3, swaps=5))
    heavy, all_to_first, split = 7, 0, 1
    assert rules.types[heavy].tolist() == [1, 1, 1]
    assert rules.actions[split].tolist() == [0, 0, 1]
    assert rules.work[heavy, all_to_first].tolist() == [1 + 5 * 2, 0]
    assert rules.work[heavy, split].tolist() == [1 + 5, 1]
    assert rules.work[0, all_to_first].tolist() == [1, 0]


def test_a_full_line_turns_everything_away_and_stays_as_it_is() -> None:
    rules = tables(TWO)
    for backlog in range(TWO.levels):
        taken = 2 if backlog < 8 else 0
        assert (rules.accepted[backlog] == taken).all()
        joined = rules.work.sum(-1) if taken else 0
        assert np.array_equal(rules.after[backlog] - backlog, np.broadcast_to(joined, (4, 4)))


def test_the_levels_of_a_line_are_those_that_can_be_reached() -> None:
    for model in (TWO, MODELS["2x2-own"], Queue(routers=3), Queue(servers=3, swaps=0), Queue(lines="own", servers=3)):
        assert tables(model).after.max() == len(tables(model).backlogs) - 1


def test_only_the_line_of_a_full_server_turns_packets_away() -> None:
    model = Queue(lines="own", capacity=2)
    rules = tables(model)
    full_empty = rules.backlogs.tolist().index([2, 0])
    assert rules.accepted[full_empty].tolist() == [0, 1, 1, 2]
    assert rules.backlogs[rules.after[full_empty, 0]].tolist() == [[2, 0], [2, 1], [2, 1], [2, 1]]


def test_service_is_binomial_and_never_takes_more_than_there_is() -> None:
    assert worked_off(TWO) == pytest.approx([0.35**2, 2 * 0.35 * 0.65, 0.65**2])
    assert worked_off(MODELS["2x2-own"]) == pytest.approx([0.35, 0.65])
    drain = tables(TWO).drain
    assert drain[0] == pytest.approx(np.eye(TWO.levels)[0])
    assert drain[1, :2] == pytest.approx([1 - 0.35**2, 0.35**2])
    assert drain.sum(1) == pytest.approx(1)


def test_a_unit_alone_at_a_server_waits_for_geometric_steps() -> None:
    own = Queue(lines="own", service=0.4)
    places = np.arange(1, own.levels)
    assert waits(own)[1:] == pytest.approx(places / 0.4 - 1)  # the step in which it leaves does not count
    certain = Queue(service=1.0)  # two units a step
    assert waits(certain)[:6].tolist() == [0, 0, 0, 1, 1, 2]


def test_the_rates_of_one_step_are_those_of_its_arithmetic() -> None:
    model = Queue(horizon=1)
    rates = evaluate(model, deterministic(model, lambda backlogs, types: (0, 0)))
    left = 0.75 * 0.35**2 + 0.25 * (3 - 2 * 0.65)  # of one unit, of three units
    assert rates.backlog == pytest.approx(left)
    assert rates.episode_return == pytest.approx(1 - 0.5 * left / 8)
    assert rates.throughput == 1
    assert rates.coordination == 0.75
    assert rates.waiting_time == pytest.approx(0.75 * waits(model)[1] + 0.25 * waits(model)[3])


def test_what_was_done_last_may_decide_what_is_done_next() -> None:
    model = Queue(lines="own", capacity=1, service=1.0, horizon=2)
    first, second = (deterministic(model, lambda backlogs, types, s=s: (s, s)) for s in (0, 1))
    assert evaluate(model, first).throughput == pytest.approx((1 + 0.75) / 2)  # two heavy ones leave two units
    alternating = np.stack([first, second, first, first, first])  # the last joint action: none, 00, 01, 10, 11
    assert evaluate(model, alternating).throughput == 1
    assert evaluate(model, np.stack([first] * 5)) == pytest.approx(evaluate(model, first))
    assert follow(model, [first, second]) == pytest.approx(evaluate(model, alternating))


def test_a_line_that_is_never_worked_off_takes_up_one_step() -> None:
    endless = Queue(capacity=1, service=1e-9, horizon=2)
    assert evaluate(endless, deterministic(endless, lambda backlogs, types: (0, 0))).throughput == pytest.approx(0.5)


def test_bad_rules_are_refused() -> None:
    with pytest.raises(ValueError, match="capacity is 0; it must be at least 1"):
        Queue(capacity=0)
    with pytest.raises(TypeError, match=r"horizon must be an integer, not 5\.0"):
        Queue(horizon=5.0)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="service is 0; it must be above 0 and at most 1"):
        Queue(service=0)
    with pytest.raises(ValueError, match=r"heavy is 1\.5"):
        Queue(heavy=1.5)
    with pytest.raises(ValueError, match="holding is inf"):
        Queue(holding=float("inf"))
    with pytest.raises(ValueError, match="lines is 'two'; it must be 'shared' or 'own'"):
        Queue(lines="two")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"tables would have .* numbers"):
        Queue(lines="own", servers=8, routers=4)


def test_bad_strategies_are_refused() -> None:
    good = deterministic(TWO, lambda backlogs, types: (0, 0))
    with pytest.raises(ValueError, match=r"shape \(11, 4\); it must be \(11, 4, 4\) or \(5, 11, 4, 4\)"):
        evaluate(TWO, good[..., 0])
    with pytest.raises(ValueError, match="no law of actions"):
        evaluate(TWO, 2 * good)
    with pytest.raises(ValueError, match="the plan has 1 steps; an episode has 50"):
        follow(TWO, [good])
