"""SMAC's peculiarities: reproduced by default, each turned off by its option."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from placing import ATTACK, STOP, WEST, act, fight, put

from qcmarl.envs import Oddities, Skirmish, Step, VecSkirmish


def both(env: VecSkirmish, option: str) -> tuple[VecSkirmish, VecSkirmish]:
    """The battle with SMAC's peculiarity and without."""
    return env, VecSkirmish(env.map, 1, n_threads=1, oddities=Oddities(**{option: False}))


def test_every_oddity_is_reproduced_by_default() -> None:
    assert all(getattr(Oddities(), field.name) for field in fields(Oddities))


def test_shields_that_come_back_earn_or_cost() -> None:
    rewards = []
    for env in both(VecSkirmish("3s_vs_3z", 1, n_threads=1), "absolute_reward"):
        put(env, (0, 2, 2), (3, 28, 28, {"shield": 20}))
        rewards.append(float(act(env, STOP).reward[0]))
    gain = 8 * 2 / 16 / (680 / 20)
    assert rewards == pytest.approx([gain, -gain])


def test_a_clean_win_can_return_more_than_twenty_only_with_the_oddity() -> None:
    for env, most in zip(both(VecSkirmish("3s_vs_3z", 1, n_threads=1), "absolute_reward"), (20.02, 20.0), strict=True):
        put(env, (0, 16, 16), (3, 28, 28, {"hp": 5, "shield": 40}))
        act(env, STOP)  # 1 point of shield comes back
        put(env, (0, 16, 16), (3, 20, 16, {"hp": 5, "shield": 0}))
        final = act(env, ATTACK)
        assert final.info["battle_won"][0]
        assert final.info["episode_return"][0] == pytest.approx(
            (5 + 10 + 200 + (1 if most > 20 else -1)) / (680 / 20), abs=1e-4
        )


def enemy_flags(env: VecSkirmish, step: Step, agent: int) -> list[float]:
    return step.obs[0, agent, 4 : 4 + 9 * env.n_enemies : 9].tolist()


def test_a_healer_reads_its_heal_actions_in_enemy_rows() -> None:
    # Ids: marauders 0 and 1, marines 2 to 8, medivac 9. Rows of enemies have 5 + 3 features on MMM.
    flags = []
    for env in both(VecSkirmish("MMM", 1, n_threads=1), "heal_flags"):
        step = put(env, (0, 10, 10), (9, 12, 10), (10, 13, 12), (11, 13, 9))
        assert step.avail[0, 9, ATTACK:].tolist() == [True] + [False] * 9
        flags.append(step.obs[0, 9, 4 : 4 + 8 * 2 : 8].tolist())
    assert flags == [[1, 0], [0, 0]]  # about enemies 0 and 1, both in sight


@pytest.mark.parametrize("name", ["2s3z", "3s5z", "3s5z_vs_3s6z"])
def test_type_bits_of_enemies_are_swapped_where_stalkers_meet_zealots(name: str) -> None:
    for env, enemy_stalker in zip(
        both(VecSkirmish(name, 1, n_threads=1), "swapped_type_bits"), ([0, 1], [1, 0]), strict=True
    ):
        step, n, width = env.last_step(), env.n_agents, env.ally_state_size
        first_enemy = n * width
        assert step.state[0, width - 2 : width].tolist() == [1, 0]  # ally 0 is a stalker
        assert step.state[0, first_enemy + 4 : first_enemy + 6].tolist() == enemy_stalker


def test_a_colossus_among_them_keeps_the_bits_in_order() -> None:
    env = VecSkirmish("1c3s5z", 1, n_threads=1)
    enemies = env.last_step().state[0, 9 * 8 :][: 9 * 7].reshape(9, 7)[:, -3:]
    assert enemies.tolist() == [[1, 0, 0]] + [[0, 1, 0]] * 3 + [[0, 0, 1]] * 5


def test_a_step_out_of_the_west_edge_is_offered_only_with_the_oddity() -> None:
    offered = []
    for env in both(VecSkirmish("3m", 1, n_threads=1), "truncated_edge"):
        offered.append(bool(put(env, (0, 0.5, 16), (3, 23, 16)).avail[0, 0, WEST]))
    assert offered == [True, False]


def test_allies_of_whom_only_the_medivac_is_left_have_lost() -> None:
    for env, lost in zip(both(VecSkirmish("MMM", 1, n_threads=1), "lone_healers_decide"), (True, False), strict=True):
        put(env, (0, 13, 16, {"hp": 1}), (9, 4, 9), (12, 9, 16), (13, 28, 9))
        terminated = act(env, STOP).terminated[0]
        for _ in range(2):
            terminated |= act(env, STOP).terminated[0] if not terminated else False
        assert terminated == lost


def test_an_enemy_down_to_one_medivac_has_lost() -> None:
    for env, won in zip(both(VecSkirmish("MMM", 1, n_threads=1), "lone_healers_decide"), (True, False), strict=True):
        # Enemies are marines 10 to 16, marauders 17 and 18, medivac 19.
        step = put(env, (2, 13, 16), (10, 9, 16, {"hp": 6}), (19, 28, 9))
        assert step.avail[0, 2, ATTACK]
        step = act(env, STOP, STOP, ATTACK)
        assert (step.info["battle_won"][0], step.terminated[0]) == (won, won)
        assert step.reward[0] == pytest.approx((6 + 10 + 200 * won) / (1015 / 20))


def test_two_enemy_medivacs_fight_on() -> None:
    env = fight({"marine": 1}, {"marine": 1, "medivac": 2})
    put(env, (0, 16, 16), (1, 20, 16, {"hp": 6}), (2, 28, 28), (3, 28, 4))
    assert not act(env, ATTACK).terminated[0]


def test_the_single_environment_takes_the_options_too() -> None:
    env = Skirmish("3m", oddities=Oddities(truncated_edge=False))
    env.reset()
    table = env.units()
    table["x"][0] = 0.5
    env.set_units(table)
    assert env.get_avail_agent_actions(0)[WEST] == 0
    with pytest.raises(TypeError, match="oddities must be Oddities, not 3"):
        VecSkirmish("3m", 1, oddities=3)  # type: ignore[arg-type]


def test_the_goal_of_2m_vs_1z_is_drawn_between_the_marines() -> None:
    env = VecSkirmish("2m_vs_1z", 40, n_threads=1)
    for index in range(40):
        table = env.units(index)
        table["x"][:2], table["y"][:2] = (6.5, 25.4), (18, 18)
        env.set_units(index, table)
    for _ in range(3):
        act(env, STOP, STOP)
    headings = np.array([float(env.units(index)["x"][2]) for index in range(40)])
    # Three steps of 1.125 cells from (16, 19) towards (13..19, 12).
    most = 3 * 1.125 * 3 / np.hypot(3, 7)
    assert (np.abs(headings - 16) <= most + 1e-3).all()
    assert headings.max() - headings.min() > most
