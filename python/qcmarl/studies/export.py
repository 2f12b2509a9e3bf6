"""Results in the JSON of marl-eval: {environment: {task: {algorithm: {seed: {step_k: {...}, absolute_metrics}}}}}.

Called by `reports`. A task of skirmish is filed under skirmish, never under SMAC.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qcmarl.studies.records import Group

METRICS = {
    "win_rate": "eval/win_rate",
    "win_rate_sampled": "eval/win_rate_sampled",
    "return": "eval/return",
    "return_sampled": "eval/return_sampled",
}


def marl_eval(groups: Mapping[str, Mapping[str, Group]]) -> dict[str, Any]:
    """The nested dictionary; every metric is a list of one number, the mean over an evaluation's battles."""
    exported: dict[str, Any] = {}
    for env, arms in groups.items():
        family, _, task = env.partition(":")
        for arm, group in arms.items():
            runs = {f"seed_{_seed(result)}": _run(result) for result in group.results}
            exported.setdefault(family, {}).setdefault(task, {})[arm] = runs
    return exported


def _seed(result: Mapping[str, Any]) -> int:
    seed: int = result["settings"]["config"]["run"]["seed"]
    return seed


def _run(result: Mapping[str, Any]) -> dict[str, Any]:
    curve = result["curve"]
    steps: dict[str, Any] = {
        f"step_{k}": {"step_count": count, **{name: [curve[metric][k]] for name, metric in METRICS.items()}}
        for k, count in enumerate(curve["env_steps"])
    }
    return {**steps, "absolute_metrics": {name: [result["final"][metric]] for name, metric in METRICS.items()}}


def write(path: Path, groups: Mapping[str, Mapping[str, Group]]) -> None:
    """Writes the file."""
    path.write_text(json.dumps(marl_eval(groups), indent=1) + "\n", encoding="utf-8")
