"""Is the circuit used? Total correlation, entropy and information of the law at visited observations.

Called at every evaluation by algorithms whose law is joint or whose actor is a `MixingPolicy`. Nothing here changes the
policy or draws from the training's generator.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor

from qcmarl.buffer import Rollout
from qcmarl.laws import JointLaw, Law, entropy
from qcmarl.policies import MixingPolicy, Policy

DRAWS = 4
"""Joint actions per sample in an estimate of total correlation."""


def total_correlation(law: JointLaw, generator: torch.Generator, draws: int = DRAWS) -> tuple[float, float]:
    """Conditional total correlation E[log pi(a) - sum_i log pi_i(a_i)], averaged over the law's samples, in nats.

    Args:
        law: M samples.
        generator: source of the actions.
        draws: joint actions per sample (>= 1), where the law cannot be enumerated.

    Returns:
        mean and its standard error, 0 where the mean is exact.
    """
    return law.correlation(generator, draws)


def correlation_metrics(law: Law, generator: torch.Generator) -> dict[str, float]:
    """`policy/total_correlation` with `_se`, nats: 0 by construction where the agents draw independently; exact, with
    `_se` 0, where all joint actions can be enumerated; else estimated."""
    mean, error = total_correlation(cast(JointLaw, law), generator) if law.joint else (0.0, 0.0)
    return {"policy/total_correlation": mean, "policy/total_correlation_se": error}


def visited(rollout: Rollout, most: int | None) -> Tensor:
    """(1, C) addresses, on the host, of at most `most` samples of a rollout, evenly spread; None: all."""
    samples = rollout.whole()
    return samples if most is None else samples[:, :: -(-samples.shape[1] // most)]


@torch.inference_mode()
def law_metrics(policy: Policy, rollout: Rollout, generator: torch.Generator, most: int) -> dict[str, float]:
    """`correlation_metrics` of a feed-forward policy.

    Args:
        policy: the actor.
        rollout: the observations visited last.
        generator: source of the actions of the estimate.
        most: observations that are looked at.
    """
    law, _ = policy(rollout.inputs(visited(rollout, most)))
    return correlation_metrics(law, generator)


@torch.inference_mode()
def reading_metrics(
    policy: MixingPolicy, rollout: Rollout, generator: torch.Generator, most: int | None = None
) -> dict[str, float]:
    """What the log says of the measured law.

    Args:
        policy: the actor.
        rollout: the observations visited last.
        generator: source of the actions of the estimate.
        most: observations that are looked at; None: all.

    Returns:
        `correlation_metrics`, and where the reading is a law `policy/outcome_entropy` (mean over the observations) and
        `policy/outcome_information` (entropy of the mean law less that: how much the outcome tells of the observation),
        nats.
    """
    readings: list[Tensor] = []
    handle = policy.mixer.register_forward_hook(lambda module, args, output: readings.append(output))
    law, _ = policy(rollout.inputs(visited(rollout, most)))
    handle.remove()
    metrics = correlation_metrics(law, generator)
    p = readings[0]
    if policy.mixer.is_law:
        spread = float(entropy(p).mean())
        metrics["policy/outcome_entropy"] = spread
        metrics["policy/outcome_information"] = float(entropy(p.mean(0))) - spread
    return metrics
