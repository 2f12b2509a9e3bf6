"""Scripted players of skirmish battles: what a learner must beat, and a check on the rules.

Each takes the current `Step` of a `VecSkirmish` and gives legal actions (B, n). They see the whole battle (they read
the unit tables), which is more than an agent sees. Healers follow the team and mend.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from qcmarl.envs.base import Bools, Floats, Step
from qcmarl.envs.skirmish import VecSkirmish
from qcmarl.hints import did_you_mean

Actions = npt.NDArray[np.int64]
Policy = Callable[[VecSkirmish, Step, np.random.Generator], Actions]

_STOP = 1
_FIRST_ATTACK = 6
_NEARER = 1e-4
"""Of equals the nearer: hp that a cell is worth."""
_DIRECTIONS = np.array([[0, 1], [0, -1], [1, 0], [-1, 0]], dtype=np.float32)  # north, south, east, west


def random(env: VecSkirmish, step: Step, rng: np.random.Generator) -> Actions:
    """Draw uniformly among the available actions."""
    keys = rng.random(step.avail.shape, dtype=np.float32)
    choice: Actions = np.where(step.avail, keys, -1.0).argmax(-1)
    return choice


def nearest(env: VecSkirmish, step: Step, rng: np.random.Generator) -> Actions:
    """Advance on the nearest enemy; attack the nearest in reach."""
    view = _look(env)
    return _mend(env, view, step, _attack_or(_advance(step, view.delta, view.distance), step, view.distance))


def focus_fire(env: VecSkirmish, step: Step, rng: np.random.Generator) -> Actions:
    """Advance on the nearest enemy; attack the weakest in reach, the nearest of equals."""
    view = _look(env)
    cost = view.health[:, None, :] + _NEARER * view.distance
    return _mend(env, view, step, _attack_or(_advance(step, view.delta, view.distance), step, cost))


def hold(env: VecSkirmish, step: Step, rng: np.random.Generator) -> Actions:
    """Stand still; attack the nearest in reach."""
    view = _look(env)
    return _mend(env, view, step, _attack_or(_idle(step), step, view.distance), stay=True)


POLICIES: dict[str, Policy] = {"random": random, "nearest": nearest, "focus-fire": focus_fire, "hold": hold}


def named(name: str) -> Policy:
    """Find a scripted policy by its name.

    Raises:
        ValueError: for an unknown one, with the options and the likeliest meant.
    """
    if name not in POLICIES:
        hint = did_you_mean(name, POLICIES, quote="'")
        raise ValueError(f"unknown scripted policy '{name}'; the policies are {', '.join(POLICIES)}{hint}")
    return POLICIES[name]


def play(env: VecSkirmish, policy: Policy, episodes: int, seed: int = 0) -> dict[str, float]:
    """Play battles to the end and average them.

    Each of the B battles plays the same number of episodes (`episodes` / B, rounded up), so that short ones are not
    counted more often.

    Returns:
        `win_rate`, mean `return` and mean `length`.
    """
    rng = np.random.default_rng(seed)
    step = env.reset(seed)
    wanted = -(-episodes // env.n_envs)
    played = np.zeros(env.n_envs, dtype=np.int64)
    results = np.zeros(3)
    while (played < wanted).any():
        step = env.step(policy(env, step, rng))
        over = (step.terminated | step.truncated) & (played < wanted)
        played += over
        results += [step.info[key][over].sum() for key in ("battle_won", "episode_return", "episode_length")]
    win_rate, total_return, length = (results / (wanted * env.n_envs)).tolist()
    return {"win_rate": win_rate, "return": total_return, "length": length}


class _View(NamedTuple):
    """Both sides as the unit tables show them; distances to and from the dead are infinite."""

    delta: Floats
    """(B, n, E, 2) from every ally to every enemy, cells."""
    distance: Floats
    """(B, n, E)"""
    health: Floats
    """(B, E) hp and shield of the enemies."""
    allies: npt.NDArray[np.void]
    """(B, n) rows of the allies."""


def _look(env: VecSkirmish) -> _View:
    tables = np.stack([env.units(battle) for battle in range(env.n_envs)])
    allies, enemies = tables[:, : env.n_agents], tables[:, env.n_agents :]
    delta, distance = _between(allies, enemies)
    return _View(delta, distance, enemies["hp"] + enemies["shield"], allies)


def _between(origin: npt.NDArray[np.void], to: npt.NDArray[np.void]) -> tuple[Floats, Floats]:
    """Displacement (B, n, m, 2) and distance (B, n, m) from rows (B, n) to rows (B, m), infinite to the dead."""
    delta: Floats = np.stack([to[axis][:, None, :] - origin[axis][:, :, None] for axis in ("x", "y")], axis=-1)
    distance = np.hypot(delta[..., 0], delta[..., 1])
    return delta, np.where(to["alive"][:, None, :], distance, np.float32(np.inf))


def _idle(step: Step) -> Actions:
    return step.alive.astype(np.int64) * _STOP


def _advance(step: Step, delta: Floats, distance: Floats) -> Actions:
    """Take the available step that leads most towards the nearest enemy; stop if none does."""
    closest = np.take_along_axis(delta, distance.argmin(-1)[..., None, None], axis=2)[:, :, 0]
    gain = closest @ _DIRECTIONS.T
    gain = np.where(step.avail[..., _STOP + 1 : _FIRST_ATTACK], gain, -np.inf)
    return np.where(step.alive & (gain.max(-1) > 0), _STOP + 1 + gain.argmax(-1), _idle(step))


def _attack_or(otherwise: Actions, step: Step, cost: Floats) -> Actions:
    """Attack the enemy of least cost where one can be attacked."""
    attackable: Bools = step.avail[..., _FIRST_ATTACK:]
    best = np.where(attackable, cost, np.inf).argmin(-1)
    return np.where(attackable.any(-1), _FIRST_ATTACK + best, otherwise)


def _mend(env: VecSkirmish, view: _View, step: Step, actions: Actions, stay: bool = False) -> Actions:
    """Give the healers their own actions: mend who has lost the largest share of hp in reach, else go to the nearest
    ally who is no healer."""
    kinds = view.allies["type"]
    healers: Bools = np.array([kind.heal > 0 for kind in env.unit_kinds])[kinds]
    if not healers.any():
        return actions
    delta, distance = _between(view.allies, view.allies)
    distance = np.where(healers[:, None, :], np.float32(np.inf), distance)
    full = np.array([kind.hp for kind in env.unit_kinds], np.float32)[kinds]
    share = np.where(view.allies["alive"], view.allies["hp"] / full, np.float32(np.inf))
    slots = step.avail.shape[-1] - _FIRST_ATTACK
    cost = np.full((*step.avail.shape[:2], slots), np.inf, np.float32)
    cost[..., : share.shape[1]] = share[:, None, :slots]
    otherwise = _idle(step) if stay else _advance(step, delta, distance)
    return np.where(healers, _attack_or(otherwise, step, cost), actions)
