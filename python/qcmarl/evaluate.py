"""Win rates of a policy: greedy, sampled, and with the measured law replaced by its mean.

Called by `run` at intervals and by `qcmarl eval`. Battles are counted without favour to short ones: every environment
plays a number of battles that is fixed beforehand, and whatever it begins after them is ignored.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from qcmarl.policies import MixingPolicy, Policy
from qcmarl.rollout import Player

if TYPE_CHECKING:
    from qcmarl.envs import VecEnv


@dataclass(frozen=True)
class Battles:
    """Finished battles, one entry each."""

    greedy: npt.NDArray[np.bool_]
    won: npt.NDArray[np.bool_]
    episode_return: npt.NDArray[np.float64]
    length: npt.NDArray[np.int64]


def quotas(battles: int, envs: int) -> npt.NDArray[np.int64]:
    """(envs,) battles that each environment plays, as equal as can be; the first ones play the remainder."""
    if envs == 0:
        return np.zeros(0, np.int64)
    return battles // envs + (np.arange(envs) < battles % envs).astype(np.int64)


class ReadingMean:
    """Mean of the mixer's reading over the steps of battles that count.

    Args:
        policy: an actor with a mixer.
    """

    def __init__(self, policy: MixingPolicy) -> None:
        self._handle = policy.mixer.register_forward_hook(lambda module, args, output: self._take(output))
        self._sum: Tensor | None = None
        self._count = 0
        self.counted = torch.zeros(0, dtype=torch.bool)
        """(B,) environments whose current battle counts; set before each step."""

    def _take(self, reading: Tensor) -> None:
        chosen = reading[self.counted].double().sum(0)
        self._sum = chosen if self._sum is None else self._sum + chosen
        self._count += int(self.counted.sum())

    def close(self) -> Tensor:
        """Stops listening; returns the mean (K,)."""
        self._handle.remove()
        assert self._sum is not None
        assert self._count > 0
        return (self._sum / self._count).float()


@torch.inference_mode()
def play(
    policy: Policy, env: VecEnv, greedy_battles: int, sampled_battles: int, seed: int, mean: ReadingMean | None = None
) -> Battles:
    """Plays battles in all environments at once: half of them act greedily, half draw from the law.

    Args:
        policy: the actor.
        env: reset here with `seed`; at least two environments where both kinds are asked for.
        greedy_battles: number of greedy battles (>= 0).
        sampled_battles: number of sampled battles (>= 0).
        seed: of the environments and of the actions.
        mean: told which steps count.

    Returns:
        exactly the battles asked for.
    """
    half = env.n_envs // 2 if greedy_battles and sampled_battles else env.n_envs * bool(greedy_battles)
    left = np.concatenate([quotas(greedy_battles, half), quotas(sampled_battles, env.n_envs - half)])
    greedy = torch.arange(env.n_envs) < half
    generator = torch.Generator().manual_seed(seed)
    player = Player(policy, env)
    step = env.reset(seed)
    found: list[tuple[bool, bool, float, int]] = []
    while left.any():
        if mean is not None:
            mean.counted = torch.from_numpy(left > 0)
        acted = player.act(step, player.features(step), generator, greedy)
        step = env.step(acted.actions.numpy())
        player.observe(step)
        for i in np.flatnonzero((step.terminated | step.truncated) & (left > 0)):
            left[i] -= 1
            won, gained, length = (step.info[k][i] for k in ("battle_won", "episode_return", "episode_length"))
            found.append((bool(greedy[i]), bool(won), float(gained), int(length)))
    columns = list(zip(*found, strict=True)) or [(), (), (), ()]
    return Battles(
        np.array(columns[0], bool), np.array(columns[1], bool), np.array(columns[2], float), np.array(columns[3], int)
    )


def win_rates(policy: Policy, env: VecEnv, battles: int, seed: int, mean_law: bool = True) -> dict[str, float]:
    """Plays `battles` greedy and as many sampled battles; for an actor with a mixer, both once more with its mean
    reading.

    Args:
        policy: the actor.
        env: environments kept for evaluation.
        battles: of each kind (>= 1).
        seed: of this evaluation.
        mean_law: play with the mean reading too, where there is one.

    Returns:
        `eval/...` as they are logged.
    """
    mixing = policy if mean_law and isinstance(policy, MixingPolicy) else None
    mean = None if mixing is None else ReadingMean(mixing)
    found = play(policy, env, battles, battles, seed, mean)
    greedy, sampled = found.greedy, ~found.greedy
    metrics = {
        "eval/win_rate": float(found.won[greedy].mean()),
        "eval/win_rate_sampled": float(found.won[sampled].mean()),
        "eval/return": float(found.episode_return[greedy].mean()),
        "eval/return_sampled": float(found.episode_return[sampled].mean()),
        "eval/episode_length": float(found.length[greedy].mean()),
    }
    if mixing is not None and mean is not None:
        with fixed_reading(mixing, mean.close()):
            found = play(policy, env, battles, battles, seed)
        metrics["eval/win_rate_mean_law"] = float(found.won[found.greedy].mean())
        metrics["eval/win_rate_mean_law_sampled"] = float(found.won[~found.greedy].mean())
    return metrics


@contextmanager
def fixed_reading(policy: MixingPolicy, reading: Tensor) -> Iterator[None]:
    """While open, the mixer's reading is `reading` (K,) at every observation."""
    policy.fixed_reading = reading
    try:
        yield
    finally:
        policy.fixed_reading = None
