"""Is the circuit used? Total correlation, entropy and information of the measured law at visited observations.

Called at every evaluation by algorithms whose actor is a `MixingPolicy`. Nothing here changes the policy or draws
from the training's generator.
"""

from __future__ import annotations

import torch
from torch import Tensor

from qcmarl.buffer import Rollout
from qcmarl.laws import OutcomeLaw, entropy
from qcmarl.policies import MixingPolicy
from qcmarl.register import RegisterLaw


def total_correlation(law: OutcomeLaw, generator: torch.Generator, draws: int) -> tuple[float, float]:
    """Conditional total correlation E[log pi(a) - sum_i log pi_i(a_i)], averaged over the law's samples, in nats.

    Monte Carlo with exact log-probabilities: free of the plug-in estimator's bias, and it may come out slightly
    negative where the truth is 0.

    Args:
        law: M samples.
        generator: source of the actions.
        draws: joint actions per sample (>= 1); M * draws must be at least 2.

    Returns:
        mean and its standard error.
    """
    terms = torch.stack([law.total_correlation(law.sample(generator)) for _ in range(draws)])
    return float(terms.mean()), float(terms.std() / terms.numel() ** 0.5)


@torch.inference_mode()
def reading_metrics(
    policy: MixingPolicy, rollout: Rollout, generator: torch.Generator, draws: int = 4
) -> dict[str, float]:
    """What the log says of the measured law.

    Args:
        policy: the actor.
        rollout: the observations visited last.
        generator: source of the actions of the estimate.
        draws: joint actions per sample.

    Returns:
        `policy/total_correlation` with `_se` (0 by construction where the agents draw independently; exact, with
        `_se` 0, where all joint actions are enumerated), and where the
        reading is a law `policy/outcome_entropy` (mean over the observations) and `policy/outcome_information`
        (entropy of the mean law less that: how much the outcome tells of the observation), nats.
    """
    readings: list[Tensor] = []
    handle = policy.mixer.register_forward_hook(lambda module, args, output: readings.append(output))
    law, _ = policy(rollout.inputs(rollout.whole()))
    handle.remove()
    metrics = {"policy/total_correlation": 0.0, "policy/total_correlation_se": 0.0}
    if isinstance(law, OutcomeLaw):
        mean, error = total_correlation(law, generator, draws)
        metrics = {"policy/total_correlation": mean, "policy/total_correlation_se": error}
    elif isinstance(law, RegisterLaw):
        metrics["policy/total_correlation"] = float(law.exact_total_correlation().mean())
    p = readings[0]
    if policy.mixer.is_law:
        spread = float(entropy(p).mean())
        metrics["policy/outcome_entropy"] = spread
        metrics["policy/outcome_information"] = float(entropy(p.mean(0))) - spread
    return metrics
