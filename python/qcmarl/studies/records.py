"""Results of training as the reports see them: grouped by environment and arm, with the numbers that are compared.

Read from results; no run directory is needed.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from qcmarl.studies.arms import ARMS

GREEDY, SAMPLED = "eval/win_rate", "eval/win_rate_sampled"
GOAL, FALLEN = 0.8, 0.5
"""Win rate whose first reaching is timed, and below which one that has reached it counts as fallen."""
Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Bundle:
    """Learning curves of several seeds at the steps that they share."""

    title: str
    steps: npt.NDArray[np.int64]
    """(T,)"""
    values: Mapping[str, Array]
    """By metric, (S, T); NaN where it was not logged."""


def bundle(title: str, runs: Sequence[Mapping[str, Sequence[float | None]]]) -> Bundle:
    """Curves at the steps at which all were evaluated.

    Args:
        title: of the group.
        runs: columns of each seed, "env_steps" among them; at least one.
    """
    steps = functools.reduce(np.intersect1d, [np.asarray(run["env_steps"], np.int64) for run in runs])
    at = [np.isin(np.asarray(run["env_steps"], np.int64), steps) for run in runs]
    names = [name for name in runs[0] if name != "env_steps" and all(name in run for run in runs)]
    values = {n: np.array([np.array(run[n], float)[kept] for run, kept in zip(runs, at, strict=True)]) for n in names}
    return Bundle(title, steps, values)


@dataclass(frozen=True)
class Group:
    """All seeds of one arm in one environment."""

    env: str
    arm: str
    results: tuple[Mapping[str, Any], ...]
    """In the order of their seeds; at least one."""

    @property
    def title(self) -> str:
        """In tables and figures."""
        return ARMS[self.arm].title

    @property
    def deployed(self) -> str:
        """The metric that says how well the arm plays as one would deploy it."""
        return {"greedy": GREEDY, "sampled": SAMPLED}[ARMS[self.arm].deployed]

    @property
    def seeds(self) -> int:
        """How many there are."""
        return len(self.results)

    @property
    def steps(self) -> int:
        """Environment steps that each was trained for."""
        return int(self.results[0]["curve"]["env_steps"][-1])

    @property
    def agents(self) -> int:
        """Number of agents."""
        return int(self.results[0]["agents"])

    @property
    def algorithm(self) -> Mapping[str, Any]:
        """The algorithm's settings."""
        settings: Mapping[str, Any] = self.results[0]["settings"]["config"]["algorithm"]
        return settings

    def final(self, metric: str, some: bool = False) -> Array | None:
        """(S,) of the battles after training; None where a seed has no such metric, or, with `some`, where none has:
        then it is of those that have it."""
        found = [result["final"][metric] for result in self.results if result["final"].get(metric) is not None]
        return np.array(found, float) if found and (some or len(found) == self.seeds) else None

    def last(self, metric: str) -> Array | None:
        """(S,) at the last evaluation in training; None where it was not logged."""
        values = [result["curve"].get(metric, [None])[-1] for result in self.results]
        return None if None in values else np.array(values, float)

    def curves(self) -> Bundle:
        """Learning curves."""
        return bundle(self.title, [result["curve"] for result in self.results])

    def over_training(self, metric: str | None = None) -> Array:
        """(S,) mean win rate over all evaluations, how early a run learned; by default as deployed."""
        return np.array([np.mean(result["curve"][metric or self.deployed]) for result in self.results])

    def minutes(self) -> Array:
        """(S,) wall time."""
        return np.array([result["time"]["wall_seconds"] / 60 for result in self.results])

    def time_of(self, name: str) -> Array:
        """(S,) a number that a clock decided."""
        return np.array([result["time"][name] for result in self.results], float)

    def shares(self) -> dict[str, float]:
        """Shares of the time by part, mean over the seeds."""
        names = self.results[0]["time"]["shares"]
        return {name: float(np.mean([r["time"]["shares"].get(name, 0.0) for r in self.results])) for name in names}

    def reached(self, goal: float = GOAL) -> list[tuple[float, float]]:
        """(steps, minutes) at the first evaluation that wins `goal`, as deployed, of the seeds that had one."""
        found = []
        for result in self.results:
            rates = np.array(result["curve"][self.deployed], float)
            if (rates >= goal).any():
                first = int(np.argmax(rates >= goal))
                found.append((float(result["curve"]["env_steps"][first]), result["time"]["curve"][first] / 60))
        return found

    def fallen(self, goal: float = GOAL, below: float = FALLEN) -> int:
        """Seeds that had an evaluation below `below`, as deployed, after one of at least `goal`."""
        rates = [np.array(result["curve"][self.deployed], float) for result in self.results]
        return sum(bool((r[np.argmax(r >= goal) :] < below).any()) for r in rates if (r >= goal).any())


def groups_of(results: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Group]]:
    """Training results by environment, then by arm; in the order in which they come.

    Args:
        results: by job; those of other kinds are passed over.
    """
    found: dict[str, dict[str, list[Mapping[str, Any]]]] = {}
    for result in results.values():
        if "curve" in result:
            settings = result["settings"]
            arms = found.setdefault(settings["config"]["run"]["env"], {})
            arms.setdefault(settings["arm"], []).append(result)
    return {
        env: {arm: Group(env, arm, tuple(sorted(group, key=_seed))) for arm, group in arms.items()}
        for env, arms in found.items()
    }


def played(results: Mapping[str, Mapping[str, Any]], env: str, arm: str) -> list[Mapping[str, Any]]:
    """The trained runs of an arm that were played under noises, in the order of their seeds."""

    def asked(settings: Mapping[str, Any]) -> bool:
        return "noises" in settings and settings["arm"] == arm and settings["config"]["run"]["env"] == env

    return sorted((result for result in results.values() if asked(result["settings"])), key=_seed)


def _seed(result: Mapping[str, Any]) -> int:
    seed: int = result["settings"]["config"]["run"]["seed"]
    return seed
