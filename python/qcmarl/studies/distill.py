"""From a finished run directory to its result: the learning curve, final win rates, sizes and times. Called by
`worker`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from qcmarl import evaluation, rundir
from qcmarl.policies import MixingPolicy
from qcmarl.studies import machine
from qcmarl.studies.jobs import Job

DIGITS = 6
"""Significant digits of the stored numbers."""
FINAL_THREADS = 1


def distill(job: Job, directory: Path, at_once: int) -> dict[str, Any]:
    """The result of a training job.

    Args:
        job: of kind "train".
        directory: of its finished run.
        at_once: processes that trained beside each other, this one included.

    Returns:
        JSON: settings; "commit"; "curve" by column; "final" win rates; "agents"; "parameters"; and under "time" what
        a clock decided.
    """
    lines = rundir.read_metrics(directory)
    evaluated = [line for line in lines if "eval/win_rate" in line]
    trained, final = final_rates(directory, job.settings["final"], blind=True)
    wall = float(lines[-1]["wall_seconds"])
    return {
        "settings": job.settings,
        "commit": rundir.read_config(directory).get("git"),
        "curve": rounded(_columns(evaluated)),
        "final": rounded(final),
        "agents": trained.env.n_agents,
        "parameters": parameters(trained.policy),
        "time": {
            "curve": [line["wall_seconds"] for line in evaluated],
            "wall_seconds": wall,
            "env_steps_per_second": round(lines[-1]["env_steps"] / max(wall, 1e-9), 1),
            "shares": rounded(_shares(lines)),
            "at_once": at_once,
            "processor": machine.processor(),
            "cores": machine.cores(),
        },
    }


def final_rates(
    directory: Path, final: Mapping[str, int], noise: str | None = None, blind: bool = False
) -> tuple[evaluation.Trained, dict[str, float]]:
    """The last checkpoint's actor and its win rates over many battles.

    Args:
        directory: of the run.
        final: "battles" of each kind, and their "seed".
        noise: of the circuit, in place of the run's own.
        blind: play with readings that know nothing of the observation too, where there is a mixer.
    """
    trained = evaluation.load(directory, final["battles"], False, FINAL_THREADS, noise)
    both = blind and isinstance(trained.policy, MixingPolicy)
    return trained, evaluation.evaluate(trained, final["battles"], both, final["seed"], both)


def parameters(policy: nn.Module) -> dict[str, int]:
    """Numbers that are trained: of the whole actor, and of its mixer where it has one."""
    counts = {"actor": _count(policy)}
    if isinstance(policy, MixingPolicy):
        counts["mixer"] = _count(policy.mixer)
    return counts


def _count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


def _columns(lines: Sequence[Mapping[str, Any]]) -> dict[str, list[float | None]]:
    """What evaluations logged, by name; None where a number was not finite, or not asked for."""
    logged = dict.fromkeys(name for line in lines for name in line)
    names = ["env_steps", *(n for n in logged if n.startswith(("eval/", "policy/")))]
    return {name: [line.get(name) for line in lines] for name in names}


def _shares(lines: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Shares of the whole run's time, by what it was spent on."""
    wall = np.diff([0.0, *(line["wall_seconds"] for line in lines)])
    names = [n for n in lines[0] if n.startswith("time/") and n.endswith("_share")]
    weights = wall / max(wall.sum(), 1e-9)
    return {
        n.removeprefix("time/").removesuffix("_share"): float(weights @ [line[n] or 0.0 for line in lines])
        for n in names
    }


def rounded(value: Any) -> Any:
    """The same with numbers of `DIGITS` digits; None for what JSON has no number for."""
    if isinstance(value, Mapping):
        return {name: rounded(v) for name, v in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(v) for v in value]
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
    return value
