"""Scripted players of skirmish battles: what a learner must beat, and a check on the rules.

Each takes the current `Step` of a `VecSkirmish` and gives legal actions (B, n). They see the whole battle (positions
are read off the state), which is more than an agent sees.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from qcmarl.envs.base import Bools, Floats, Step
from qcmarl.envs.skirmish import VecSkirmish

Actions = npt.NDArray[np.int64]
Policy = Callable[[VecSkirmish, Step, np.random.Generator], Actions]

_STOP = 1
_FIRST_ATTACK = 6
_MAP_SIZE = 32.0
_DIRECTIONS = np.array([[0, 1], [0, -1], [1, 0], [-1, 0]], dtype=np.float32)  # north, south, east, west


def random(env: VecSkirmish, step: Step, rng: np.random.Generator) -> Actions:
    """Draw uniformly among the available actions."""
    keys = rng.random(step.avail.shape, dtype=np.float32)
    choice: Actions = np.where(step.avail, keys, -1.0).argmax(-1)
    return choice


def nearest(env: VecSkirmish, step: Step, rng: np.random.Generator) -> Actions:
    """Advance on the nearest enemy; attack the nearest in reach."""
    delta, distance, _ = _look(env, step)
    return _attack_or(_advance(step, delta, distance), step, distance)


def focus_fire(env: VecSkirmish, step: Step, rng: np.random.Generator) -> Actions:
    """Advance on the nearest enemy; attack the weakest in reach, the nearest of equals."""
    delta, distance, hp = _look(env, step)
    return _attack_or(_advance(step, delta, distance), step, hp[:, None, :] + 1e-4 * distance)


def hold(env: VecSkirmish, step: Step, rng: np.random.Generator) -> Actions:
    """Stand still; attack the nearest in reach."""
    _, distance, _ = _look(env, step)
    return _attack_or(_idle(step), step, distance)


POLICIES: dict[str, Policy] = {"random": random, "nearest": nearest, "focus-fire": focus_fire, "hold": hold}


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


def _look(env: VecSkirmish, step: Step) -> tuple[Floats, Floats, Floats]:
    """From every ally to every enemy: displacement (B, n, E, 2), distance (B, n, E); and enemy hp (B, E)."""
    n, n_enemies = env.n_agents, env.n_enemies
    allies = step.state[:, : 4 * n].reshape(-1, n, 4)
    enemies = step.state[:, 4 * n : 4 * n + 3 * n_enemies].reshape(-1, n_enemies, 3)
    delta = (enemies[:, None, :, 1:] - allies[:, :, None, 2:]) * np.float32(_MAP_SIZE)
    distance = np.hypot(delta[..., 0], delta[..., 1])
    hp = enemies[..., 0]
    return delta, np.where(hp[:, None, :] > 0, distance, np.float32(np.inf)), hp


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
