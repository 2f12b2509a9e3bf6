"""`qcmarl eval`: the win rates of a finished run, from its directory alone. Called by `cli`."""

from __future__ import annotations

from pathlib import Path

from qcmarl import checkpoint, rundir
from qcmarl.algos import ALGORITHMS
from qcmarl.envs import make
from qcmarl.evaluate import win_rates
from qcmarl.parallel import use_one_torch_thread
from qcmarl.policies import MixingPolicy
from qcmarl.rollout import sizes_of


def evaluate_run(directory: Path, battles: int, mean_law: bool, seed: int, threads: int) -> dict[str, float]:
    """Win rates of the last checkpoint of a run.

    Args:
        directory: of the run.
        battles: of each kind (>= 1).
        mean_law: play with the mean reading too.
        seed: of the battles.
        threads: of the environment.

    Returns:
        as `win_rates`, and `env_steps`, at which the checkpoint was made.

    Raises:
        ValueError: there is no run, or its checkpoint is damaged.
    """
    use_one_torch_thread()
    config = rundir.read_config(directory)
    algorithm = ALGORITHMS[config["algo"]]
    learner = checkpoint.load(directory / rundir.CHECKPOINT)["learner"]
    env = make(config["run"]["env"], min(2 * battles, 128), threads)
    policy = algorithm.build_policy(algorithm.config(**config["algorithm"]), sizes_of(env))
    policy.load_state_dict(learner["policy"])
    if mean_law and not isinstance(policy, MixingPolicy):
        raise ValueError(f"{config['algo']} measures no law; --mean-law is for algorithms with a circuit")
    return {"env_steps": learner["env_steps"], **win_rates(policy, env, battles, seed, mean_law)}
