"""Entropy bonus and learning rate that change over a run."""

import pytest
from learners import mappo, qc_mappo

from qcmarl.algos.mappo import MAPPOConfig, resolve

STEPS = 120
"""Of one iteration of the small learners: 6 environments, 20 steps."""


def rates(learner):
    return [group["lr"] for adam in (learner.actor_adam, learner.critic_adam) for group in adam.param_groups]


def test_both_go_to_their_final_values_in_a_straight_line_and_stay():
    learner = mappo(lr=4e-4, lr_final=2e-4, entropy=0.02, entropy_final=0.0, anneal=2 * STEPS)
    seen = []
    for _ in range(4):
        learner.iterate()
        seen.append((learner._entropy, *rates(learner)))
    expected = [(0.02, 4e-4), (0.01, 3e-4), (0.0, 2e-4), (0.0, 2e-4)]
    for (entropy, actor, critic), (bonus, lr) in zip(seen, expected, strict=True):
        assert entropy == pytest.approx(bonus)
        assert actor == critic == pytest.approx(lr)


def test_groups_with_a_rate_of_their_own_keep_their_proportion():
    learner = qc_mappo(lr_final=1e-4, lr=2e-4, anneal=STEPS)
    first = rates(learner)
    learner.iterate()
    learner.iterate()
    assert rates(learner) == pytest.approx([rate / 2 for rate in first])


def test_without_a_schedule_nothing_changes():
    learner = mappo()
    first = rates(learner)
    learner.iterate()
    assert rates(learner) == first


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"entropy_final": 0.0}, "entropy_final given without anneal"),
        ({"entropy_final": 0.0, "lr_final": 1e-5}, "entropy_final and lr_final given without anneal"),
        ({"anneal": 100}, "anneal is given without entropy_final or lr_final"),
        ({"anneal": 0, "lr_final": 1e-5}, "anneal is 0; it must be at least 1"),
        ({"anneal": 10, "lr_final": -1.0}, "lr_final is -1.0; it must not be negative"),
        ({"anneal": 10, "entropy_final": float("inf")}, "entropy_final is inf; it must be finite"),
    ],
)
def test_schedules_that_cannot_be_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        resolve(MAPPOConfig(**options), "skirmish:3m")
