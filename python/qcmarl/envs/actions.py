"""The check of actions at the door of an environment that keeps its masks in Python. Called by `smac`,
`pettingzoo_vec`, `game`, `queue`."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from qcmarl.envs.base import Bools


def available_actions(actions: Any, avail: Bools) -> npt.NDArray[np.int64]:
    """Read actions (B, n), each available.

    Args:
        actions: (B, n) of any integer dtype.
        avail: (B, n, A) bool.

    Raises:
        TypeError: for actions that are no integers; ValueError for a wrong shape or one that is not available.
    """
    array = np.asarray(actions)
    if array.dtype.kind not in "iu":
        raise TypeError(f"actions must be integers, not {array.dtype}")
    if array.shape != avail.shape[:2]:
        raise ValueError(
            f"actions have the shape {array.shape}, must be {avail.shape[:2]}: one per agent of every battle"
        )
    inside = (array >= 0) & (array < avail.shape[2])
    chosen = np.where(inside, array, 0).astype(np.int64)
    allowed = inside & np.take_along_axis(avail, chosen[..., None], axis=-1)[..., 0]
    if not allowed.all():
        battle, agent = np.argwhere(~allowed)[0]
        options = ", ".join(map(str, np.flatnonzero(avail[battle, agent])))
        raise ValueError(
            f"battle {battle}, agent {agent}: action {array[battle, agent]} is not available; available: {options}"
        )
    return chosen
