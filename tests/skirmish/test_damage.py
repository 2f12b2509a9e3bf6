"""What a hit takes, unit by unit, and how long killing takes; the arithmetic is written out here."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from placing import ATTACK, STOP, act, fight, put

from qcmarl.envs import UnitKind, VecSkirmish, unit
from qcmarl.envs.skirmish import UNIT_TYPES

FIGHTERS = [name for name in UNIT_TYPES if name not in ("medivac", "baneling")]
HARMLESS = {"damage": 0, "hp_regeneration": 0, "heal": 0}


def duel(attacker: str, victim: str, *kinds: UnitKind, **columns: float) -> VecSkirmish:
    """An ally in touch with a harmless enemy that stands still."""
    target = replace({kind.name: kind for kind in kinds}.get(victim) or unit(victim), name="target", **HARMLESS)
    env = fight({attacker: 1}, {"target": 1}, units=(*kinds, target))
    gap = next(kind.radius for kind in env.unit_kinds if kind.name == attacker) + target.radius + 0.05
    put(env, (0, 16, 16), (1, 16 + gap, 16, columns))
    return env


@pytest.mark.parametrize(
    ("attacker", "victim", "shield", "hp"),
    [  # what one shot takes
        ("marine", "marine", 0, 6),
        ("marine", "marauder", 0, 6 - 1),
        ("marine", "spine_crawler", 0, 6 - 2),
        ("marauder", "marine", 0, 10),
        ("marauder", "marauder", 0, 10 + 10 - 1),
        ("marauder", "stalker", 10 + 10, 0),
        ("stalker", "zealot", 10, 0),
        ("stalker", "colossus", 10 + 4, 0),
        ("stalker", "spine_crawler", 0, 10 + 4 - 2),
        ("stalker", "medivac", 0, 10 + 4 - 1),
        ("zealot", "marauder", 0, 2 * (8 - 1)),
        ("zealot", "stalker", 2 * 8, 0),
        ("colossus", "zealot", 2 * 20, 0),
        ("colossus", "marauder", 0, 2 * (20 - 1)),
        ("zergling", "marauder", 0, 5 - 1),
        ("hydralisk", "spine_crawler", 0, 12 - 2),
        ("spine_crawler", "stalker", 25 + 5, 0),
        ("spine_crawler", "hydralisk", 0, 25),
        ("baneling", "marine", 0, 20 + 15),
        ("baneling", "marauder", 0, 20 - 1),
        ("baneling", "zealot", 20 + 15, 0),
    ],
)
def test_a_shot_takes_damage_and_bonus_less_armour(attacker: str, victim: str, shield: float, hp: float) -> None:
    env = duel(attacker, victim)
    before = env.units()[1]
    if attacker == "baneling":  # it dies of it, and with it the side: look at the battle's end
        final = act(env, ATTACK).info["final_state"][0, env.ally_state_size :]
        assert final[0] == pytest.approx(1 - hp / unit(victim).hp)
        assert not unit(victim).shield or final[3] == pytest.approx(1 - shield / unit(victim).shield)
        return
    act(env, ATTACK)
    after = env.units()[1]
    assert (before["shield"] - after["shield"], before["hp"] - after["hp"]) == pytest.approx((shield, hp))


def test_what_a_shield_does_not_take_goes_on_to_the_armoured_hp() -> None:
    env = duel("stalker", "zealot", shield=3, hp=100)
    act(env, ATTACK)
    shield = 3 + 3 * 2 / 16  # it comes back in the three loops before the shot falls
    assert env.units()[1]["shield"] == 0
    assert env.units()[1]["hp"] == pytest.approx(100 - (10 - shield - 1))


@pytest.mark.parametrize(("attacker", "loss"), [("marine", 0.5), ("zealot", 2 * 0.5)])
def test_every_hit_takes_half_a_point_at_least(attacker: str, loss: float) -> None:
    env = duel(attacker, "tank", replace(unit("marauder"), name="tank", armour=50))
    act(env, ATTACK)
    assert env.units()[1]["hp"] == pytest.approx(125 - loss)


def test_a_zealot_strikes_a_second_time_after_0_28_seconds() -> None:
    env = duel("zealot", "marauder")
    put(env, (0, 16, 16, {"cooldown": 4}), (1, 17.1, 16))  # strikes in loop 4, and, 4.48 loops later, in loop 9
    act(env, ATTACK)
    assert env.units()["hp"][1] == 125 - 7
    act(env, STOP)
    assert env.units()["hp"][1] == 125 - 14


def test_ground_weapons_cannot_hit_what_flies() -> None:
    env = duel("marauder", "medivac")
    for _ in range(10):
        act(env, ATTACK)
    assert env.units()["hp"][1] == 150
    assert env.last_step().avail[0, 0, ATTACK]  # SMAC's masks ask for distance alone


def hits_to_kill(attacker: UnitKind, victim: UnitKind) -> int:
    damage = attacker.damage + attacker.bonus * bool(set(attacker.bonus_against) & set(victim.attributes))
    shield, hp, hits = victim.shield, victim.hp, 0
    while hp > 0:
        absorbed = min(damage, shield)
        shield -= absorbed
        hp -= max(damage - absorbed - victim.armour, 0.5 - absorbed, 0)
        hits += 1
    return hits


@pytest.mark.parametrize("victim", UNIT_TYPES)
@pytest.mark.parametrize("attacker", FIGHTERS)
def test_killing_takes_as_many_periods_as_the_hits_need(attacker: str, victim: str) -> None:
    own, other = unit(attacker), unit(victim)
    if own.ground_only and other.layer == "air":
        pytest.skip("cannot be hit")
    env = duel(attacker, victim)
    hits = hits_to_kill(own, other)
    shots = math.ceil(hits / own.hits)
    late = own.hit_gap if hits % own.hits == 0 else 0
    # The first shot starts in loop 1; every further one a period and -1 to 2 loops later.
    earliest = 1 + own.damage_point + (shots - 1) * (own.period - 1) + late
    latest = 1 + own.damage_point + (shots - 1) * (own.period + 2) + late + 2  # damage falls on whole loops
    steps = 1
    while not act(env, ATTACK).terminated[0]:
        steps += 1
    assert math.ceil(earliest / 8) <= steps <= math.ceil(latest / 8)


@pytest.mark.parametrize("attacker", FIGHTERS)
def test_the_delay_between_shots_is_uniform_about_the_period(attacker: str) -> None:
    kind = unit(attacker)
    env = duel(attacker, "target_wall", replace(unit("marine"), name="target_wall", hp=1e6))
    cooldowns = []
    for seed in range(60):
        env.reset(seed)
        put(env, (0, 16, 16), (1, 16 + kind.radius + 0.375 + 0.05, 16))
        act(env, ATTACK)
        cooldowns.append(float(env.units()["cooldown"][0]))
    # The shot started in loop 1: 7 loops of its period are over at the step's end.
    delays = [cooldown - (kind.period - 7) for cooldown in cooldowns]
    assert -1 - 1e-4 <= min(delays) < -0.7
    assert 1.7 < max(delays) <= 2 + 1e-4
    assert sum(delays) / 60 == pytest.approx(0.5, abs=0.45)
