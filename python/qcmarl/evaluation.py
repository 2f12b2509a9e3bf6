"""`qcmarl eval`: the win rates of a finished run, from its directory alone. Called by `cli`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from qcmarl import rundir
from qcmarl.algos import ALGORITHMS
from qcmarl.best import weights
from qcmarl.envs.registry import check_table, side_by_side
from qcmarl.evaluate import Battles, win_rates
from qcmarl.learner import LearnerConfig
from qcmarl.parallel import use_one_torch_thread
from qcmarl.policies import MixingPolicy, Policy
from qcmarl.rollout import sizes_of
from qcmarl.run import RunConfig, kept_settings

if TYPE_CHECKING:
    from qcmarl.envs import VecEnv


class Trained(NamedTuple):
    """The actor of a run, and environments to play in."""

    policy: Policy
    env: VecEnv
    env_steps: int
    """Environment steps of training that it has seen."""


def load(
    directory: Path,
    battles: int,
    mean_law: bool,
    threads: int,
    noise: str | None = None,
    shuffled: bool = False,
    which: rundir.Which = "last",
) -> Trained:
    """Reads the weights of a run.

    Leaves the calling process changed: torch computes on one thread from then on, and takes numbers below 1e-38 for 0
    (`parallel.use_one_torch_thread`), as in training.

    Args:
        directory: of the run.
        battles: of each kind that will be played (>= 1).
        mean_law: whether the mean reading will be asked for.
        threads: of the environments.
        noise: of the circuit, in place of the run's own; "none": none. None: the run's own.
        shuffled: whether shuffled readings will be asked for.
        which: those of its last checkpoint, or of its best evaluation.

    Returns:
        what `evaluate` plays.

    Raises:
        ValueError: there is no run, no such checkpoint or a damaged one, the file of its game has changed, there is
            no reading to replace, or no circuit for noise.
    """
    use_one_torch_thread()
    algo, run, config = kept_settings(directory)
    if noise is not None:
        config = _under(noise, algo, run, config)
    learner = weights(directory, which)
    env = rundir.kept_place(directory).make(side_by_side(run.env, min(2 * battles, 128)), threads)
    played = learner["env"] if "env" in learner else learner["collector"]["env"]
    check_table(env, played.get("table"), directory)
    policy = ALGORITHMS[algo].build_policy(config, sizes_of(env))
    try:
        policy.load_state_dict(learner["policy"])
    except RuntimeError:
        raise ValueError(f"{directory / rundir.CHECKPOINTS[which]} does not fit the run's {rundir.CONFIG}") from None
    if mean_law and not isinstance(policy, MixingPolicy):
        raise ValueError(f"{algo} measures no law; --mean-law is for algorithms with a circuit")
    if shuffled and not isinstance(policy, MixingPolicy):
        raise ValueError(f"{algo} measures nothing; --reading is for algorithms with a circuit or a stand-in for it")
    return Trained(policy, env, learner["env_steps"])


def _under(noise: str, algo: str, run: RunConfig, config: Any) -> LearnerConfig:
    """The configuration with other noise; raises ValueError where the actor has no circuit."""
    if not hasattr(config, "noise"):
        raise ValueError(f"{algo} has no circuit and no shared state; --noise is for algorithms with one")
    return ALGORITHMS[algo].resolve(replace(config, noise=noise), run.env)


def evaluate(
    trained: Trained,
    battles: int,
    mean_law: bool,
    seed: int,
    shuffled: bool = False,
    played: dict[str, Battles] | None = None,
) -> dict[str, float]:
    """Win rates of what `load` gave.

    Args:
        trained: actor and environments.
        battles: of each kind (>= 1).
        mean_law: play with the mean reading too.
        seed: of the battles, 0..2^63-1.
        shuffled: play with shuffled readings too.
        played: takes up the battles, as in `win_rates`.

    Returns:
        as `win_rates`, and `env_steps`, at which the weights were kept.
    """
    rates = win_rates(trained.policy, trained.env, battles, seed, mean_law, shuffled, played)
    return {"env_steps": trained.env_steps, **rates}


def evaluate_run(
    directory: Path,
    battles: int,
    mean_law: bool,
    seed: int,
    threads: int,
    noise: str | None = None,
    shuffled: bool = False,
    which: rundir.Which = "last",
) -> dict[str, float]:
    """Win rates of a run: `load`, which leaves torch at one thread, then `evaluate`."""
    trained = load(directory, battles, mean_law, threads, noise, shuffled, which)
    return evaluate(trained, battles, mean_law, seed, shuffled)
