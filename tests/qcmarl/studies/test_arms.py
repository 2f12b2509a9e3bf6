"""The table of arms: what it holds apart, and what it says of what this version lacks."""

import dataclasses

import pytest

from qcmarl.algos import ALGORITHMS
from qcmarl.studies.arm import Arm
from qcmarl.studies.arms import ARMS, arm_named

THERE = [arm for arm in ARMS.values() if arm.algo in ALGORITHMS]


def resolvable():
    found = []
    for arm in THERE:
        try:
            found.append((arm, arm.resolve("skirmish:3m")))
        except ValueError:
            continue
    return found


def test_every_ppo_arm_but_the_published_recipe_has_the_joint_ratio_and_clip_of_a_fifth():
    for arm, config in resolvable():
        if hasattr(config, "ratio") and arm.name != "mappo-published":
            assert (config.ratio, config.clip) == ("joint", 0.2), arm.name


def test_no_two_arms_train_alike():
    seen = [(arm.algo, repr(config)) for arm, config in resolvable()]
    assert len(seen) == len(set(seen))


def test_names_stand_for_themselves():
    assert all(name == arm.name for name, arm in ARMS.items())
    assert len({arm.title for arm in ARMS.values()}) == len(ARMS)


def test_an_arm_of_another_map_is_refused():
    arm = dataclasses.replace(ARMS["mappo"], name="only", maps=("3m",))
    assert arm.resolve("skirmish:3m").clip == 0.2
    with pytest.raises(ValueError, match="arm 'only' is for 3m, not for 8m"):
        arm.resolve("skirmish:8m")


def test_where_each_environment_is_a_game_there_are_few_and_rollouts_are_as_large():
    here, there = (ARMS["mappo"].resolve(f"{family}:3m") for family in ("skirmish", "smac"))
    assert there.n_envs == 8
    assert here.n_envs * here.rollout_steps == there.n_envs * there.rollout_steps
    assert ARMS["qmix"].resolve("smac:3m").n_envs == 8


@pytest.mark.parametrize(
    ("arm", "message"),
    [
        (Arm("x", "x", "dqn"), "arm 'x' needs the algorithm 'dqn'; the algorithms are mappo"),
        (Arm("x", "x", "mappo", {"speed": 3}), "arm 'x' needs the setting 'speed' of mappo, which has none"),
        (Arm("x", "x", "qc-mappo", {"circuit": "magic"}), "needs circuit 'magic' of qc-mappo; there are quantum"),
        (Arm("x", "x", "mappo", {"lr": -1.0}), "arm 'x': lr is -1.0; it must be positive"),
    ],
)
def test_what_this_version_lacks_is_named(arm, message):
    with pytest.raises(ValueError, match=message):
        arm.resolve("skirmish:3m")


def test_an_unknown_arm_is_told_the_nearest():
    with pytest.raises(ValueError, match=r"^unknown arm 'mapo' \(did you mean mappo\?\)$"):
        arm_named("mapo")
