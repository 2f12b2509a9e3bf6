"""`qcmarl actors`: the agents of a run in processes of their own, asked and scored by this one, the referee. Called by
`cli`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from qcmarl import rundir
from qcmarl.coordinator.export import SOURCE, Manifest, actor_file, export, manifest
from qcmarl.coordinator.processes import Team
from qcmarl.envs import make
from qcmarl.envs.registry import side_by_side
from qcmarl.evaluate import quotas

if TYPE_CHECKING:
    from qcmarl.envs import VecEnv

AT_ONCE = 1000
"""Rounds of a game that are played side by side; one message to an agent holds them all."""
ROUNDS, EPISODES = 10_000, 64
"""Played by default: rounds of a game, episodes elsewhere."""


class Mean(NamedTuple):
    """An average and its standard error."""

    value: float
    error: float

    def __str__(self) -> str:
        return f"{self.value:.4f} +- {self.error:.4f}"


class Score(NamedTuple):
    """What a team earned."""

    episode_return: Mean
    won: Mean


class Production(NamedTuple):
    """A team that is ready to play."""

    folder: Path
    team: Manifest
    env: VecEnv
    episodes: int
    greedy: bool
    seed: int
    log: Path | None


def prepare(
    given: Path, out: Path | None, episodes: int | None, greedy: bool, seed: int, log: Path | None
) -> Production:
    """Reads a team, or writes the files of a run's.

    Args:
        given: directory of a run, or a folder that was written before.
        out: folder to write into; default: actors in the run's directory.
        episodes: to be played (>= 0); default: 10,000 rounds of a game, 64 episodes elsewhere.
        greedy: local choices are greedy.
        seed: of everything drawn, 0..2^63-1.
        log: folder for the messages that each process hears; made here.

    Raises:
        ValueError: no run or team, nothing to write where `out` is given, a number out of range, an environment that
            there is not or that is for other agents.
    """
    if episodes is not None and episodes < 0:
        raise ValueError(f"episodes is {episodes}; it must not be negative")
    if (given / rundir.CONFIG).exists() or not given.exists():
        folder = out or given / "actors"
        team = export(given, folder)
        print(f"wrote {team.agents} actors and what they share to {folder}")
    elif out is not None:
        raise ValueError(f"{given} holds no run; --out is where the actors of a run are written")
    else:
        folder, team = given, manifest(given)
    if log is not None:
        log.mkdir(parents=True, exist_ok=True)
    wanted = episodes if episodes is not None else ROUNDS if team.env.startswith("game:") else EPISODES
    env = make(team.env, side_by_side(team.env, min(max(wanted, 1), AT_ONCE)), 1)
    if env.n_agents != team.agents:
        env.close()
        raise ValueError(f"{folder} holds a team of {team.agents}; {team.env} is for {env.n_agents} agents")
    return Production(folder, team, env, wanted, greedy, seed, log)


def produce(production: Production) -> None:
    """Plays, and prints what was earned beside what the law says exactly; raises TeamError as `Team`."""
    p = production
    if p.episodes == 0:
        p.env.close()
        return
    team_files = [actor_file(p.folder, agent) for agent in range(p.team.agents)]
    try:
        with Team(team_files, p.folder / SOURCE, p.seed, p.greedy, p.log) as team:
            score = play(team, p.env, p.episodes, p.seed)
    finally:
        p.env.close()
    print(f"{p.episodes:,} episodes of {p.team.env}; each of {p.team.agents} actors and what they share in a process")
    print(f"won     {score.won}")
    if score.episode_return != score.won:
        print(f"return  {score.episode_return}")
    exact = p.team.greedy if p.greedy else p.team.sampled
    if exact is not None:
        print(f"exact   {exact:.4f}, the return that the law of the run's policy gives")


def play(team: Team, env: VecEnv, episodes: int, seed: int) -> Score:
    """Asks a team and scores its answers: every environment plays a number of episodes that is fixed beforehand.

    Args:
        team: of as many agents as the environment has.
        env: reset here.
        episodes: to be played (>= 1).
        seed: of the environment.

    Raises:
        TeamError: as `Team.act`.
    """
    left = quotas(episodes, env.n_envs)
    returns: list[npt.NDArray[np.float64]] = []
    won: list[npt.NDArray[np.float64]] = []
    step, start = env.reset(seed), np.ones(env.n_envs, bool)
    while left.any():
        step = env.step(team.act(step.obs, step.avail, start))
        start = step.terminated | step.truncated
        counted = start & (left > 0)
        left -= counted
        returns.append(step.info["episode_return"][counted].astype(float))
        won.append(step.info["battle_won"][counted].astype(float))
    return Score(_mean(np.concatenate(returns)), _mean(np.concatenate(won)))


def _mean(values: npt.NDArray[np.float64]) -> Mean:
    """With the standard error from the spread; of a single value it is not known."""
    error = values.std(ddof=1) / len(values) ** 0.5 if len(values) > 1 else math.nan
    return Mean(float(values.mean()), float(error))
