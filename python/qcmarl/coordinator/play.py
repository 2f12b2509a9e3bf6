"""`qcmarl actors`: the agents of a run in processes of their own, asked and scored by this one, the referee. Called by
`cli`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.progress import Progress

from qcmarl import rundir
from qcmarl.coordinator.export import SOURCE, Manifest, actor_file, export, make_folder, manifest
from qcmarl.coordinator.processes import Team
from qcmarl.envs.base import Bools, Step, won
from qcmarl.envs.registry import check_table, side_by_side
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
        return f"{self.value:.4f}" if math.isnan(self.error) else f"{self.value:.4f} +- {self.error:.4f}"


class Score(NamedTuple):
    """What a team earned."""

    episodes: int
    episode_return: Mean
    won: Mean
    """As `envs.base.won`: of a queue the share of the packets that were taken up."""
    flawless: Mean | None
    """Share of the episodes in which nothing was turned away, of a queue."""
    whole: bool
    """All episodes that were asked for were played."""


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
    given: Path,
    out: Path | None,
    episodes: int | None,
    greedy: bool,
    seed: int,
    log: Path | None,
    which: rundir.Which = "last",
) -> Production:
    """Reads a team, or writes the files of a run's.

    Args:
        given: directory of a run, or a folder that was written before.
        out: folder to write into; default: actors in the run's directory.
        episodes: to be played (>= 0); default: 10,000 rounds of a game, 64 episodes elsewhere.
        greedy: local choices are greedy.
        seed: of everything drawn, 0..2^63-1.
        log: folder for the messages that each process hears; made here.
        which: the agents of the run's last checkpoint, or of its best evaluation.

    Raises:
        ValueError: no run or team, nothing to write where `out` is given, a number out of range, an environment that
            there is not, that is for other agents or that has changed since the team was written.
    """
    if episodes is not None and episodes < 0:
        raise ValueError(f"episodes is {episodes}; it must not be negative")
    if (given / rundir.CONFIG).exists() or not given.exists():
        folder = out or given / "actors"
        team = export(given, folder, which)
        print(f"wrote {team.agents} actors and what they share to {folder}")
    elif which != "last":
        raise ValueError(f"{given} holds no run; --checkpoint chooses among the weights of one")
    elif out is not None:
        raise ValueError(f"{given} holds no run; --out is where the actors of a run are written")
    else:
        folder, team = given, manifest(given)
    if log is not None:
        make_folder(log)
    wanted = episodes if episodes is not None else ROUNDS if team.env.startswith("game:") else EPISODES
    return Production(folder, team, _environment(folder, team, wanted), wanted, greedy, seed, log)


def _environment(folder: Path, team: Manifest, wanted: int) -> VecEnv:
    try:
        env = team.place.make(side_by_side(team.env, min(max(wanted, 1), AT_ONCE)), 1)
    except (ValueError, TypeError, OSError) as error:
        raise ValueError(f"{folder} holds a team of {team.env}: {error}") from None
    try:
        if env.n_agents != team.agents:
            raise ValueError(f"{folder} holds a team of {team.agents}; {team.env} is for {env.n_agents} agents")
        theirs, sizes = (team.obs_size, team.actions), (env.obs_size, env.n_actions)
        if None not in theirs and theirs != sizes:
            raise ValueError(
                f"{folder} holds a team that sees {theirs[0]} numbers and chooses from {theirs[1]} actions; "
                f"{team.env} shows {sizes[0]} and has {sizes[1]}"
            )
        check_table(env, team.table, f"the team in {folder}")
    except ValueError:
        env.close()
        raise
    return env


def produce(production: Production) -> None:
    """Plays, and prints what was earned beside what the law says exactly.

    Raises:
        TeamError: as `Team`.
        KeyboardInterrupt: it was interrupted; what was earned until then is printed.
    """
    p = production
    if p.episodes == 0:
        p.env.close()
        return
    team_files = [actor_file(p.folder, agent) for agent in range(p.team.agents)]
    console = Console(stderr=True)
    try:
        with (
            Team(team_files, p.folder / SOURCE, p.seed, p.greedy, p.log) as team,
            Progress(console=console, transient=True, disable=not console.is_terminal) as bar,
        ):
            task = bar.add_task(p.team.env, total=p.episodes)
            score = play(team, p.env, p.episodes, p.seed, lambda done: bar.update(task, completed=done))
    finally:
        p.env.close()
    _report(p, score)
    if not score.whole:
        raise KeyboardInterrupt


def _report(p: Production, score: Score) -> None:
    played = f"{score.episodes:,}" if score.whole else f"interrupted after {score.episodes:,} of {p.episodes:,}"
    print(f"{played} episodes of {p.team.env}; each of {p.team.agents} actors and what they share in a process")
    what = "" if score.flawless is None else ", the share of the packets that were taken up"
    print(f"won     {score.won}{what}")
    if score.flawless is not None:
        print(f"flawless {score.flawless}, the share of the episodes in which nothing was turned away")
    if score.episode_return != score.won:
        print(f"return  {score.episode_return}")
    exact = p.team.greedy if p.greedy else p.team.sampled
    if exact is not None:
        print(f"exact   {exact:.4f}, the return that the law of the run's policy gives")


def play(
    team: Team, env: VecEnv, episodes: int, seed: int, progress: Callable[[int], object] = lambda done: None
) -> Score:
    """Asks a team and scores its answers: every environment plays a number of episodes that is fixed beforehand.

    Args:
        team: of as many agents as the environment has.
        env: reset here.
        episodes: to be played (>= 1).
        seed: of the environment.
        progress: told how many episodes have been played.

    Returns:
        the score; where it was interrupted (Ctrl-C), that of the episodes played until then.

    Raises:
        TeamError: as `Team.act`.
        KeyboardInterrupt: it was interrupted before any episode had ended.
    """
    left = quotas(episodes, env.n_envs)
    found: list[npt.NDArray[np.float64]] = []
    played = 0
    try:
        for step, counted in _steps(team, env, left, seed):
            columns = (step.info["episode_return"], won(step.info), step.info["battle_won"])
            found.append(np.stack([column[counted].astype(float) for column in columns]))
            played += found[-1].shape[1]
            progress(played)
    except KeyboardInterrupt:
        if not played:
            raise
    returns, rates, flawless = map(_mean, np.concatenate(found, axis=1))
    queue = "throughput" in step.info
    return Score(played, returns, rates, flawless if queue else None, played == episodes)


def _steps(team: Team, env: VecEnv, left: npt.NDArray[np.int64], seed: int) -> Iterator[tuple[Step, Bools]]:
    """Plays until nothing is `left` (B,), counted down in place; gives each step, and which episodes end with it and
    count."""
    step, start = env.reset(seed), np.ones(env.n_envs, bool)
    while left.any():
        step = env.step(team.act(step.obs, step.avail, start))
        start = step.terminated | step.truncated
        counted = start & (left > 0)
        left -= counted
        yield step, counted


def _mean(values: npt.NDArray[np.float64]) -> Mean:
    """With the standard error from the spread; of a single value it is not known."""
    error = values.std(ddof=1) / len(values) ** 0.5 if len(values) > 1 else math.nan
    return Mean(float(values.mean()), float(error))
