"""Generalised advantage estimation over a rollout whose episodes end at any step.

Called by `ppo`. An episode's end cuts the sum of later rewards; what stands in for them is the caller's choice
(`final_values`).
"""

from __future__ import annotations

import torch
from torch import Tensor


def gae(
    rewards: Tensor, values: Tensor, ended: Tensor, final_values: Tensor, gamma: float, lam: float
) -> tuple[Tensor, Tensor]:
    """Advantages and returns of a rollout.

    delta_t = r_t + gamma v'_t - v_t and A_t = delta_t + gamma lam A_{t+1}, where v'_t is the value of the next state;
    at a step that ends an episode v'_t is `final_values[t]` and A_{t+1} counts 0. A real end has the final value 0; a
    time limit that does not count as an end has the value of the last state reached.

    Args:
        rewards: (T, B).
        values: (T + 1, B), of the states before each step and after the last one.
        ended: (T, B) bool, the episode is over after this step, for whatever reason.
        final_values: (T, B), used where `ended`.
        gamma: discount, 0..1.
        lam: 0 (one-step) .. 1 (Monte Carlo).

    Returns:
        advantages (T, B) and returns (T, B) = advantages + values.

    Source: Schulman et al. 2016, arXiv:1506.02438, eq. 16.
    """
    following = torch.where(ended, final_values, values[1:])
    delta = rewards + gamma * following - values[:-1]
    carry = gamma * lam * (~ended).to(rewards.dtype)
    advantages = torch.empty_like(rewards)
    later = torch.zeros_like(rewards[0])
    for t in range(len(rewards) - 1, -1, -1):
        later = delta[t] + carry[t] * later
        advantages[t] = later
    return advantages, advantages + values[:-1]


def normalise_advantages(advantages: Tensor, weights: Tensor) -> Tensor:
    """Advantages with weighted mean 0 and variance 1.

    Args:
        advantages: (T, B).
        weights: (T, B), what each counts for.

    Returns:
        (T, B).
    """
    total = weights.sum()
    mean = (advantages * weights).sum() / total
    variance = ((advantages - mean).square() * weights).sum() / total
    return (advantages - mean) / (variance.sqrt() + 1e-5)


def explained_variance(values: Tensor, returns: Tensor) -> Tensor:
    """1 - Var(returns - values) / Var(returns): 1 is a perfect critic, 0 a constant one, a scalar tensor."""
    return 1 - (returns - values).var() / (returns.var() + 1e-8)
