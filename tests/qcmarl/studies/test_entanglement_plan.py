"""Which runs the study of entanglement is made of."""

import functools

import pytest

from qcmarl.algos import ALGORITHMS
from qcmarl.studies.arms import ARMS
from qcmarl.studies.entanglement.arms import ENTANGLEMENT_ARMS, NO_BONUS, RESOURCES, STATES, bell
from qcmarl.studies.entanglement.budgets import BUDGETS
from qcmarl.studies.entanglement.parts import GAMES
from qcmarl.studies.plan import Choice, plan

STUDY = ("entanglement",)


@functools.cache
def jobs(**options):
    return plan(Choice(STUDY, **options)).jobs


def trained(**options):
    """Arms by environment."""
    found = {}
    for job in jobs(**options):
        if job.kind == "train":
            found.setdefault(job.settings["config"]["run"]["env"], set()).add(job.settings["arm"])
    return found


def test_every_game_is_learned_by_agents_who_share_five_things():
    found = trained()
    assert set(GAMES) <= set(found)
    assert all(found[env] == set(RESOURCES) for env in GAMES if env != "game:chsh")
    assert {job.settings["config"]["run"]["seed"] for job in jobs() if "ghz" in job.name} == set(range(10))


def test_each_bell_state_and_a_product_state_is_measured_in_three_ways():
    names = {bell(state, agents) for state in STATES for agents in ("own", "identical", "ry")}
    assert len(names) == 15
    assert {"entangled", "product", "phi-plus-identical", "phi-minus-own", "product-ry"} <= names
    assert names <= trained()["game:chsh"]
    settings = vars(ARMS["psi-minus-ry"].resolve("game:chsh"))
    assert (settings["state"], settings["identical"], settings["gates"]) == ("psi-", True, "ry")


def test_the_trained_policies_are_played_under_noise_when_all_are_trained():
    played = [job for job in jobs() if job.kind == "noise"]
    assert [job.run for job in played] == [f"game-chsh/entangled/{seed}" for seed in range(10)]
    noises = played[0].settings["noises"]
    assert {"none", "visibility:0.5", "depolarizing:0.15"} <= set(noises)
    assert played[0].phase == 1


def test_all_arms_of_an_environment_explore_alike_but_for_the_one_without_the_bonus():
    names = ("n_envs", "rollout_steps", "lr", "lr_final", "entropy", "entropy_final", "anneal", "ratio", "clip")
    found = {arm.name: [getattr(arm.resolve("game:chsh"), name) for name in names] for arm in ENTANGLEMENT_ARMS}
    without = found.pop(NO_BONUS)
    assert len({tuple(settings) for settings in found.values()}) == 1
    common = found["entangled"]
    assert without == [0.0 if name.startswith("entropy") else v for name, v in zip(names, common, strict=True)]


def test_no_two_arms_of_the_study_train_alike():
    seen = [(arm.algo, repr(arm.resolve("game:chsh"))) for arm in ENTANGLEMENT_ARMS]
    assert len(seen) == len(set(seen))


def test_only_the_upper_bound_sees_what_others_see():
    execution = {name: ALGORITHMS[ARMS[name].algo].execution for name in RESOURCES}
    assert execution.pop("communication") == "central"
    assert set(execution.values()) == {"local"}


def test_the_steps_are_the_budgets():
    steps = {job.settings["config"]["run"]["env"]: job.steps for job in jobs() if job.kind == "train"}
    for env, number in steps.items():
        assert number == BUDGETS.get(env, BUDGETS[env.partition(":")[0]]).steps


def test_another_game_takes_the_budget_of_its_family():
    assert trained(maps=("game:rendezvous-k4",)) == {"game:rendezvous-k4": set(RESOURCES)}
    config = ARMS["entangled"].resolve("game:rendezvous-k4")
    assert config.entropy == BUDGETS["game"].settings["entropy"]


def test_parts_with_a_game_of_their_own_pick_from_what_was_asked_for():
    assert trained(maps=("game:ghz",)) == {"game:ghz": set(RESOURCES)}
    found = trained(maps=("game:chsh",), arms=("psi-minus-ry", NO_BONUS), seeds=1)
    assert found == {"game:chsh": {"psi-minus-ry", NO_BONUS}}
    assert trained(arms=("psi-minus-ry", "entangled"))["game:ghz"] == {"entangled"}


def test_maps_of_battles_leave_nothing_of_the_study_and_say_so():
    planned = plan(Choice(("curves", "entanglement"), maps=("3m",), arms=("mappo",), seeds=1))
    assert [job.name for job in planned.jobs] == ["skirmish-3m/mappo/0"]
    assert planned.skipped == ("study 'entanglement': nothing of what was asked for is part of it",)


def test_an_arm_of_the_study_is_refused_on_a_battle():
    with pytest.raises(ValueError, match="arm 'entangled' is for game, queue, not for skirmish"):
        ARMS["entangled"].resolve("skirmish:3m")


def test_a_map_in_full_is_taken_by_studies_of_battles_too():
    found = plan(Choice(("curves",), maps=("game:chsh", "3m"), arms=("mappo",), seeds=1)).jobs
    assert [job.name for job in found] == ["game-chsh/mappo/0", "skirmish-3m/mappo/0"]


def test_a_smoke_test_is_small_and_has_every_part():
    small = jobs(smoke=True)
    assert len(small) <= 18
    assert {"train", "noise"} == {job.kind for job in small}
    arms = {job.settings["arm"] for job in small}
    assert {"entangled", "independent", "psi-minus-ry", "entangled-visibility-0.8", NO_BONUS} <= arms
