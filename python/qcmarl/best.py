"""The policy of a run's best evaluation, kept beside its last checkpoint.

Called by `run`, which offers every evaluation; read by `evaluation`. Best is what would be deployed: the largest win
rate of the play that the algorithm is deployed with, of equals the one of the largest return, of those the latest. It
is the best of noisy numbers, so its own evaluation flatters it: evaluate it again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from qcmarl import checkpoint, rundir
from qcmarl.algos import Play
from qcmarl.device import on_host
from qcmarl.policies import Policy


class Best:
    """The best so far of one run.

    Args:
        directory: of the run; what it holds already is the one to beat.
        deployed: how the algorithm's policies are played.
        table: digest of the environment's rules, `envs.registry.table_of`.
    """

    def __init__(self, directory: Path, deployed: Play, table: str | None) -> None:
        self._path, self._table = directory / rundir.BEST, table
        self._suffix = "_sampled" if deployed == "sampled" else ""
        self.evaluation: dict[str, float] = {}
        """What was measured of it, with its `env_steps`; empty before the first."""
        self.damage: str | None = None
        """What is wrong with the file that is there, which counts for nothing then."""
        if self._path.exists():
            try:
                self.evaluation = read(self._path)["evaluation"]
            except ValueError as error:
                self.damage = str(error)

    def offer(self, evaluation: Mapping[str, float], policy: Policy, env_steps: int) -> None:
        """Keeps the policy if no evaluation before was better; raises OSError where it cannot be written.

        Args:
            evaluation: `eval/...` of it.
            policy: as it was evaluated.
            env_steps: of training that it has seen.
        """
        if self.evaluation:
            score, best = self._score(evaluation), self._score(self.evaluation)
            if score < best or (score == best and env_steps == self.evaluation["env_steps"]):
                return
        measured = {name: value for name, value in evaluation.items() if name.startswith("eval/")}
        measured["env_steps"] = env_steps
        learner = {"policy": on_host(policy.state_dict()), "env_steps": env_steps, "env": {"table": self._table}}
        checkpoint.save(self._path, {"learner": learner, "evaluation": measured})
        self.evaluation = measured

    def _score(self, evaluation: Mapping[str, float]) -> tuple[float, float]:
        won, earned = (evaluation.get(f"eval/{name}{self._suffix}", 0.0) for name in ("win_rate", "return"))
        return -math.inf if math.isnan(won) else won, -math.inf if math.isnan(earned) else earned

    def rate(self) -> float | None:
        """Its win rate as deployed; None before the first evaluation, and where the environment tells of none."""
        return self.evaluation.get(f"eval/win_rate{self._suffix}")

    def earned(self) -> float | None:
        """Its return as deployed; None before the first evaluation."""
        return self.evaluation.get(f"eval/return{self._suffix}")


def read(path: Path) -> dict[str, Any]:
    """What `Best` wrote; raises ValueError where it is damaged or something else."""
    content = checkpoint.load(path)
    if "evaluation" not in content:
        raise ValueError(f"{path} is not the policy of a best evaluation")
    return content


def weights(directory: Path, which: rundir.Which) -> dict[str, Any]:
    """The learner's part of a run's last checkpoint, or of its best evaluation's: `policy`, `env_steps`, and more.

    Raises:
        ValueError: there is none, or it is damaged.
    """
    path = directory / rundir.CHECKPOINTS[which]
    if which == "best" and not path.exists() and (directory / rundir.CHECKPOINT).exists():
        raise ValueError(f"{directory} has no {rundir.BEST}: it has had no evaluation since runs keep one")
    content = read(path) if which == "best" else checkpoint.load(path)
    learner: dict[str, Any] = content["learner"]
    return learner
