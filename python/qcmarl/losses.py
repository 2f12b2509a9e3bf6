"""The terms of PPO, each a function of plain tensors; called by `ppo`."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def clipped_policy_loss(log_ratio: Tensor, advantages: Tensor, clip: float) -> Tensor:
    """-min(r A, clip(r, 1 - c, 1 + c) A) with r = exp(log_ratio), entry by entry.

    Args:
        log_ratio: (K,) log of new over old probability of what was done.
        advantages: (K,).
        clip: c.

    Returns:
        (K,).

    Source: Schulman et al. 2017, arXiv:1707.06347, eq. 7.
    """
    ratio = log_ratio.exp()
    return -torch.min(ratio * advantages, ratio.clamp(1 - clip, 1 + clip) * advantages)


def clipped_value_loss(values: Tensor, old_values: Tensor, targets: Tensor, clip: float, delta: float) -> Tensor:
    """The larger of two Huber losses: of the value, and of the value held within +-clip of the old one.

    Args:
        values: (M,) in the normaliser's units, as are the others.
        old_values: (M,) predictions of the critic that collected the rollout.
        targets: (M,) returns.
        clip: half-width of the allowed step.
        delta: where the Huber loss turns from a square into a line.

    Returns:
        (M,).
    """
    held = old_values + (values - old_values).clamp(-clip, clip)
    free_loss = F.huber_loss(values, targets, reduction="none", delta=delta)
    held_loss = F.huber_loss(held, targets, reduction="none", delta=delta)
    return torch.max(free_loss, held_loss)


def approximate_kl(log_ratio: Tensor) -> Tensor:
    """(r - 1) - log r, entry by entry: its mean estimates KL(old || new) and is never negative (Schulman's k3)."""
    return log_ratio.expm1() - log_ratio
