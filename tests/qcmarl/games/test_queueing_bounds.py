"""Certified bounds of the queueing task: by arithmetic, by enumeration, and against every policy at hand."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from qcmarl.games.queueing import MODELS, Queue, evaluate, follow, tables
from qcmarl.games.queueing_bounds import SOLVERS, best, chsh, uniform

TWO, OWN = MODELS["2x2"], MODELS["2x2-own"]
RESOURCES = tuple(SOLVERS)


def test_the_best_of_one_step_is_that_of_its_arithmetic() -> None:
    model = Queue(horizon=1)
    one, two, three = 0.35**2, 2 - 2 * 0.65, 3 - 2 * 0.65  # units left of so many, expected
    talked = 1 - 0.5 / 8 * (3 * one + two) / 4
    assert best(model, "communication").value == pytest.approx(talked)
    assert best(model, "classical").value == pytest.approx(talked - 0.5 / 8 * min(two - one, three - two) / 4)


def test_in_one_step_with_work_in_line_entanglement_wins_chsh() -> None:
    # Behind two units or more every further unit stays for the step: a round won is worth one unit exactly.
    plan = {resource: best(Queue(horizon=1), resource).plan[0] for resource in RESOURCES}
    won = tables(TWO).coordinated
    for backlog in range(2, 8):
        rates = {resource: (p[backlog] * won).sum() / 4 for resource, p in plan.items()}
        assert rates == pytest.approx({"classical": 0.75, "entangled": np.cos(np.pi / 8) ** 2, "communication": 1})


@pytest.mark.parametrize("resource", RESOURCES)
@pytest.mark.parametrize("model", [TWO, replace(OWN, horizon=2)], ids=["shared", "own"])
def test_a_plan_earns_what_is_said_of_it(model: Queue, resource: str) -> None:
    found = best(model, resource)  # type: ignore[arg-type]
    assert follow(model, found.plan).episode_return == pytest.approx(found.value, rel=1e-9)
    assert found.value <= found.ceiling + 1e-9


def test_the_defaults_have_the_bounds_of_the_docs() -> None:
    values = [best(TWO, resource) for resource in RESOURCES]  # type: ignore[arg-type]
    assert [round(found.value, 3) for found in values] == [33.578, 37.725, 43.812]
    assert [found.ceiling for found in values] == pytest.approx([found.value for found in values])


def test_entanglement_halves_the_losses_that_no_classical_policy_can_avoid() -> None:
    lost = 1 - best(replace(TWO, holding=0.0), "classical").ceiling / TWO.horizon
    assert lost == pytest.approx(0.0725, abs=1e-4)
    assert 1 - evaluate(TWO, chsh(TWO)).throughput < 0.54 * lost


def test_chsh_in_every_step_is_far_above_the_classical_bound_and_near_the_quantum_one() -> None:
    earned = evaluate(TWO, chsh(TWO)).episode_return
    classical, entangled = best(TWO, "classical").ceiling, best(TWO, "entangled").ceiling
    assert classical + 4 < earned < entangled < earned + 0.13


def test_noise_takes_the_advantage_of_chsh_at_a_visibility_of_three_quarters() -> None:
    # Above 1 / sqrt 2: the best classical policy chooses which types to fail by the backlog.
    classical = best(TWO, "classical").ceiling
    earned = [evaluate(TWO, chsh(TWO, visibility)).episode_return - classical for visibility in (0.75, 0.76)]
    assert earned[0] < 0 < earned[1]


def test_white_noise_alone_is_everyone_anywhere() -> None:
    assert chsh(TWO, 0.0) == pytest.approx(uniform(TWO))


@pytest.mark.parametrize("model", [replace(TWO, horizon=6), replace(OWN, horizon=3)], ids=["shared", "own"])
def test_no_classical_policy_is_above_the_classical_bound(model: Queue) -> None:
    """Local strategies that look at backlogs and at what was done last, some with shared random bits."""
    rng = np.random.default_rng(0)
    rules = tables(model)
    bound = best(model, "classical").ceiling
    for sharpness in (1, 5, 50):
        for _ in range(30):
            alone = np.exp(sharpness * rng.normal(size=(2, 2, 5, len(rules.backlogs), 2, 2)))
            alone /= alone.sum(-1, keepdims=True)  # (bit, router, last, backlogs, type, server)
            team = np.einsum("lhkxa,lhkyb->hkxyab", alone[:, 0], alone[:, 1]) / 2
            assert evaluate(model, team.reshape(5, *rules.reward.shape)).episode_return <= bound + 1e-9


def test_no_stationary_classical_policy_of_a_small_task_is_above_the_bound_and_one_is_near() -> None:
    model = Queue(capacity=2, horizon=5)
    rules, bound = tables(model), best(model, "classical").ceiling
    functions = list(itertools.product(range(2), repeat=2))
    pairs = np.zeros((16, 4, 4))
    for i, (f, g) in enumerate(itertools.product(functions, repeat=2)):
        for x, y in itertools.product(range(2), repeat=2):
            pairs[i, 2 * x + y, 2 * f[x] + g[y]] = 1
    assert len(rules.backlogs) == 5  # of which 2, 3 and 4 are full: there is nothing to choose
    plans = ([empty, one, 0, 0, 0] for empty, one in itertools.product(range(16), repeat=2))
    returns = [evaluate(model, pairs[plan]).episode_return for plan in plans]
    assert max(returns) <= bound + 1e-9
    assert max(returns) == pytest.approx(bound, abs=0.01)


def test_with_a_line_for_each_server_entanglement_helps_and_chsh_alone_does_not() -> None:
    model = replace(OWN, horizon=4)
    classical, entangled = best(model, "classical"), best(model, "entangled")
    assert classical.ceiling + 0.02 < entangled.value <= entangled.ceiling < entangled.value + 0.003
    assert evaluate(model, chsh(model)).episode_return < classical.value


def test_more_routers_and_servers_have_classical_bounds_too() -> None:
    for model in (Queue(routers=3, horizon=5), Queue(servers=3, horizon=5)):
        assert best(model, "classical").ceiling < best(model, "communication").value
        with pytest.raises(ValueError, match="entangled optimum is for 2 routers and 2 servers"):
            best(model, "entangled")
        with pytest.raises(ValueError, match="CHSH is for 2 routers and 2 servers"):
            chsh(model)


def test_an_unknown_resource_is_refused_with_the_options() -> None:
    with pytest.raises(ValueError, match="unknown resource 'telepathy'; resources: classical, entangled, commun"):
        best(TWO, "telepathy")  # type: ignore[arg-type]
