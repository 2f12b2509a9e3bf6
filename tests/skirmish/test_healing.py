"""Medivacs, energy, shields and hp that come back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from placing import ATTACK, STOP, act, fight, put

from qcmarl.envs import VecSkirmish, unit

HEAL, COST, ENERGY = 9 / 16, 0.33, 0.5625 / 16  # hp, energy per hp, energy, per game loop


@pytest.fixture
def ward() -> VecSkirmish:
    """Rows: marine, stalker-like walker, medivac; an enemy far away."""
    walker = replace(unit("stalker"), name="mech")
    return fight({"marine": 1, "mech": 1, "medivac": 1}, {"zealot": 1}, units=(walker,))


def test_a_medivac_heals_nine_hp_a_second_for_a_third_of_energy_each(ward: VecSkirmish) -> None:
    put(ward, (0, 10, 10, {"hp": 20}), (2, 12, 10), (3, 28, 28))
    act(ward, STOP, STOP, ATTACK + 0)
    table = ward.units()
    assert table["hp"][0] == pytest.approx(20 + 8 * HEAL)
    assert table["energy"][2] == pytest.approx(50 - 8 * HEAL * COST + 8 * ENERGY)
    assert table["target"][2] == 0


def test_healing_stops_at_full_hp(ward: VecSkirmish) -> None:
    put(ward, (0, 10, 10, {"hp": 44}), (2, 12, 10), (3, 28, 28))
    act(ward, STOP, STOP, ATTACK + 0)
    assert ward.units()["hp"][0] == 45
    assert ward.units()["energy"][2] == pytest.approx(50 - 1 * COST + 8 * ENERGY)


def test_healing_stops_where_energy_ends(ward: VecSkirmish) -> None:
    put(ward, (0, 10, 10, {"hp": 20}), (2, 12, 10, {"energy": 0.5}), (3, 28, 28))
    act(ward, STOP, STOP, ATTACK + 0)
    hp, energy = 20.0, 0.5
    for _ in range(8):
        amount = min(HEAL, energy / COST)
        hp, energy = hp + amount, energy - amount * COST + ENERGY
    assert ward.units()["hp"][0] == pytest.approx(hp)
    assert ward.units()["energy"][2] == pytest.approx(energy, abs=1e-5)
    assert hp < 20 + 8 * HEAL


def test_energy_comes_back_up_to_two_hundred(ward: VecSkirmish) -> None:
    put(ward, (0, 10, 10), (2, 12, 10, {"energy": 199.9}), (3, 28, 28))
    act(ward, STOP, STOP, STOP)
    assert ward.units()["energy"][2] == 200
    assert ward.last_step().state[0, 2 * ward.ally_state_size + 1] == 1


def test_a_medivac_walks_into_its_reach_of_four_cells(ward: VecSkirmish) -> None:
    put(ward, (0, 10, 10, {"hp": 20}), (2, 15.9, 10), (3, 28, 28))
    act(ward, STOP, STOP, ATTACK + 0)
    reach = 4 + 0.75 + 0.375
    loops = 5  # 5.9 - 5 x 0.171875 = 5.04 is the first place within 5.125
    assert ward.units()["x"][2] == pytest.approx(15.9 - loops * 2.75 / 16)
    assert 5.9 - loops * 2.75 / 16 <= reach < 5.9 - (loops - 1) * 2.75 / 16
    assert ward.units()["hp"][0] == pytest.approx(20 + (8 - loops) * HEAL)


def test_what_is_not_biological_is_not_healed(ward: VecSkirmish) -> None:
    put(ward, (0, 10, 10), (1, 12, 12, {"hp": 40}), (2, 12, 10), (3, 28, 28))
    act(ward, STOP, STOP, ATTACK + 1)
    assert ward.units()["hp"][1] == 40


def test_medivacs_name_living_allies_who_do_not_heal(ward: VecSkirmish) -> None:
    step = put(ward, (0, 10, 10), (1, 10, 17), (2, 12, 10), (3, 12, 15))
    assert ward.n_actions == 6 + 3  # as many target slots as there are allies, who outnumber the enemy
    assert step.avail[0, 2, ATTACK:].tolist() == [True, False, False]  # the walker is 7.3 cells away
    assert step.avail[0, 0, ATTACK:].tolist() == [True, False, False]
    step = put(ward, (1, 10, 13), (2, 12, 10), (3, 28, 28))
    assert step.avail[0, 2, ATTACK:].tolist() == [False, True, False]


def test_an_enemy_medivac_heals_its_hurt_neighbours_by_itself() -> None:
    env = fight({"marine": 1}, {"marine": 2, "medivac": 1})
    put(env, (0, 4, 4), (1, 25, 25, {"hp": 20}), (2, 26, 25), (3, 25, 28))
    act(env, STOP)
    assert env.units()["hp"].tolist()[1:] == pytest.approx([20 + 8 * HEAL, 45, 150])


def test_shields_come_back_by_two_a_second_ten_seconds_after_the_last_damage() -> None:
    needle = replace(unit("marine"), name="needle", period=10_000)
    env = fight({"zealot": 1}, {"needle": 1}, units=(needle,))
    put(env, (0, 16, 16), (1, 20, 16))
    act(env, STOP)
    assert env.units()["shield"][0] == 50 - 6  # in loop 2
    for _ in range(19):
        act(env, STOP)
    assert env.units()["shield"][0] == 44  # 160 loops are over; the first that gives back is 2 + 160
    act(env, STOP)
    assert env.units()["shield"][0] == pytest.approx(44 + (168 - 161) * 2 / 16)
    for _ in range(30):
        act(env, STOP)
    assert env.units()["shield"][0] == 50


@pytest.mark.parametrize("kind", ["zergling", "baneling", "hydralisk", "spine_crawler"])
def test_zerg_regenerate(kind: str) -> None:
    env = fight({kind: 1}, {"marine": 1})
    put(env, (0, 4, 4, {"hp": 10}), (1, 28, 28))
    act(env, STOP)
    assert env.units()["hp"][0] == pytest.approx(10 + 8 * 0.2734 / 16)


def test_terrans_and_protoss_do_not() -> None:
    env = fight({"marine": 1, "zealot": 1}, {"marine": 1})
    put(env, (0, 4, 4, {"hp": 10}), (1, 8, 4, {"hp": 10}), (2, 28, 28))
    act(env, STOP, STOP)
    assert env.units()["hp"][:2].tolist() == [10, 10]
