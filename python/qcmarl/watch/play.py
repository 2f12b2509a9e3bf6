"""Battles played and written down frame by frame. Called by the command line.

The environment restarts a finished battle by itself, so how it ended would never be seen; a second battle, of the
same seed and given the same actions, stays as it ended and is the one that is recorded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from qcmarl.envs import Skirmish, VecSkirmish
from qcmarl.envs.skirmish import UNIT_DTYPE
from qcmarl.watch import kinds, terrain
from qcmarl.watch.players import Choice, Watched
from qcmarl.watch.recording import FORMAT, VERSION, Episode, Frame, Recording

SIGHT, SHOOTING_RANGE = 9.0, 6.0
SECONDS_PER_STEP = 0.5
"""8 loops of 1/16 game second."""
ACTIONS = ("no-op", "stop", "north", "south", "east", "west")
"""Names of the actions before the targets."""


def record(
    env: VecSkirmish, player: Watched, episodes: int, seed: int, done: Callable[[int, Episode], None] | None = None
) -> Recording:
    """Plays battles one after another.

    Args:
        env: of one battle; reset here with `seed`.
        player: acts in it.
        episodes: battles (>= 1).
        seed: of the battles and of the player, 0..2^63-1.
        done: told of each battle that is over, by its number from 0.

    Returns:
        the recording; the same arguments give the same one.

    Raises:
        ValueError: an environment of several battles, or no battle to play.
    """
    if env.n_envs != 1:
        raise ValueError(f"the environment plays {env.n_envs} battles at once; a recording is of 1")
    if episodes < 1:
        raise ValueError(f"episodes is {episodes}; it must be at least 1")
    recording = _about(env, player.name, seed)
    env.reset(seed)
    player.begin(seed)
    shown = Skirmish(env.map, seed=seed)
    for number in range(episodes):
        recording["episodes"].append(_battle(env, player, shown))
        if done is not None:
            done(number, recording["episodes"][-1])
    return recording


def _about(env: VecSkirmish, policy: str, seed: int) -> Recording:
    """A recording without battles."""
    env.reset(seed)
    described = kinds.describe(env)
    return Recording(
        format=FORMAT,
        version=VERSION,
        env=env.name,
        policy=policy,
        seed=seed,
        seconds_per_step=SECONDS_PER_STEP,
        sight=SIGHT,
        shooting_range=SHOOTING_RANGE,
        terrain=terrain.rows(env),
        kinds=described,
        fields=list(UNIT_DTYPE.names or ()),
        actions=[*ACTIONS, *(f"target {i}" for i in range(env.n_actions - len(ACTIONS)))],
        n_agents=env.n_agents,
        n_enemies=env.n_enemies,
        episodes=[],
    )


def _battle(env: VecSkirmish, player: Watched, shown: Skirmish) -> Episode:
    """One battle from its start to its end."""
    shown.reset()
    step, over = env.last_step(), False
    frames = [_frame(shown.units(), 0.0)]
    total = 0.0
    while not over:
        choice = player.choose(step)
        _note(frames[-1], choice)
        step = env.step(choice.actions[None])
        player.observe(step)
        reward, over, info = shown.step(choice.actions)
        if reward != step.reward[0]:
            raise RuntimeError(f"the recorded battle has gone another way: reward {reward}, not {step.reward[0]}")
        total += reward
        frames.append(_frame(shown.units(), reward))
    outcome = "won" if info["battle_won"] else "time limit" if step.truncated[0] else "lost"
    return {"outcome": outcome, "return": round(total, 4), "length": len(frames) - 1, "frames": frames}


def _frame(table: npt.NDArray[Any], reward: float) -> Frame:
    rows = [[_plain(value) for value in row.tolist()] for row in table]
    return Frame(units=rows, reward=round(reward, 4), actions=None, probabilities=None)


def _note(frame: Frame, choice: Choice) -> None:
    """Writes the choice into the frame that it was made in."""
    frame["actions"] = choice.actions.tolist()
    if choice.probabilities is not None:
        frame["probabilities"] = [[_plain(p, 4) for p in row] for row in np.asarray(choice.probabilities).tolist()]


def _plain(value: float, decimals: int = 3) -> float:
    """A short number: whole ones as integers."""
    number = round(float(value), decimals)
    return int(number) if number == int(number) else number
