"""Training speeds side by side: rollouts of the arms in turns, in one process, so that a busy machine hits all alike.

Called by `worker`. Nothing here is random but the time.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from typing import Any

import torch

from qcmarl.algos import ALGORITHMS
from qcmarl.envs import make
from qcmarl.learner import Learner
from qcmarl.parallel import keep_freed_memory, use_one_torch_thread
from qcmarl.studies.arms import ARMS
from qcmarl.studies.distill import rounded

WARM_UP = 1
"""Rollouts before the clock starts."""
FEWER = 4
"""The rounds of the maps after the first, and of more threads, are so many times fewer."""


def measure(envs: Sequence[str], arms: Sequence[str], rounds: int, threads: Sequence[int]) -> dict[str, Any]:
    """Times training, without evaluations.

    Args:
        envs: the first one with all threads and rounds, the others with one thread and fewer rounds.
        arms: timed against each other; the first is what ratios are taken to.
        rounds: turns of one iteration each.
        threads: of the updates and of the environments.

    Returns:
        "runs": one entry for each environment and number of threads, by arm: seconds of each turn, environment steps
        of a turn, shares by part, steps a second (median), and the time of a step as a ratio to the first arm's (median
        over the turns).
    """
    use_one_torch_thread()
    keep_freed_memory()
    few = max(2, rounds // FEWER)
    plans = [(envs[0], t, rounds) for t in threads] + [(env, 1, few) for env in envs[1:]]
    return {"runs": [_turns(env, arms, count, t) for env, t, count in plans]}


def _turns(env: str, arms: Sequence[str], rounds: int, threads: int) -> dict[str, Any]:
    learners = {name: _learner(name, env, threads) for name in arms}
    seconds: dict[str, list[float]] = {name: [] for name in arms}
    spent, steps = {}, {}
    for name, learner in learners.items():
        for _ in range(WARM_UP):
            learner.iterate()
        spent[name], steps[name] = dict(learner.seconds), learner.env_steps
    for turn in range(rounds):
        for name in arms if turn % 2 == 0 else reversed(arms):  # neither is always the one after the other
            began = time.perf_counter()
            learners[name].iterate()
            seconds[name].append(time.perf_counter() - began)
    measured = {}
    each_first = (learners[arms[0]].env_steps - steps[arms[0]]) / rounds
    for name, learner in learners.items():
        total = sum(seconds[name])
        each = (learner.env_steps - steps[name]) / rounds
        measured[name] = {
            "seconds": seconds[name],
            "env_steps": each,
            "env_steps_per_second": each / statistics.median(seconds[name]),
            "ratio": _ratio(seconds[name], seconds[arms[0]]) * each_first / each,
            "shares": {part: (v - spent[name].get(part, 0.0)) / total for part, v in learner.seconds.items()},
        }
        learner.close()
    probe = make(env, 1, 1)
    agents = probe.n_agents
    probe.close()
    result: dict[str, Any] = rounded({"env": env, "agents": agents, "threads": threads, "arms": measured})
    return result


def _ratio(ours: Sequence[float], first: Sequence[float]) -> float:
    """Median over the turns of the ratio of two times that were taken one after the other."""
    return statistics.median(a / b for a, b in zip(ours, first, strict=True))


def _learner(arm: str, env: str, threads: int) -> Learner:
    torch.manual_seed(0)
    config = ARMS[arm].resolve(env)
    return ALGORITHMS[ARMS[arm].algo].build(config, make(env, config.n_envs, threads), 0, threads)
