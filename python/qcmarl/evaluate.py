"""Win rates of a policy: greedy, sampled, and with the reading of its mixer replaced.

Called by `run` at intervals and by `qcmarl eval`. Battles are counted without favour to short ones: every environment
plays a number of battles that is fixed beforehand, and whatever it begins after them is ignored.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from qcmarl.device import HOST, device_of, upload
from qcmarl.envs.base import won
from qcmarl.envs.game import VecGame
from qcmarl.envs.queue import VecQueue
from qcmarl.games import exact, queueing_exact
from qcmarl.policies import MixingPolicy, Policy
from qcmarl.rollout import Player

if TYPE_CHECKING:
    from qcmarl.envs import VecEnv

POOL = 1 << 22
"""Numbers kept of readings to be shuffled, 16 MiB: 65536 readings of 64 outcomes, 1024 of 4096."""


@dataclass(frozen=True)
class Battles:
    """Finished battles, one entry each."""

    greedy: npt.NDArray[np.bool_]
    won: npt.NDArray[np.float64]
    """As `envs.base.won`."""
    episode_return: npt.NDArray[np.float64]
    length: npt.NDArray[np.int64]


def quotas(battles: int, envs: int) -> npt.NDArray[np.int64]:
    """(envs,) battles that each environment plays, as equal as can be; the first ones play the remainder."""
    if envs == 0:
        return np.zeros(0, np.int64)
    return battles // envs + (np.arange(envs) < battles % envs).astype(np.int64)


class Listener:
    """Hears the mixer's readings over the steps of battles that count.

    Args:
        policy: an actor with a mixer.
    """

    def __init__(self, policy: MixingPolicy) -> None:
        self._handle = policy.mixer.register_forward_hook(lambda module, args, output: self._hear(output))
        self.counted = torch.zeros(0, dtype=torch.bool)
        """(B,) environments whose current battle counts, on the host; set before each step."""

    def _hear(self, reading: Tensor) -> None:
        if self.counted.any():
            where = upload(self.counted.nonzero().squeeze(1), reading.device)
            self.take(reading.index_select(0, where))

    def take(self, readings: Tensor) -> None:
        """Readings (C, K) of one step, C >= 1."""
        raise NotImplementedError

    def close(self) -> Tensor:
        """Stops listening; returns what is put in place of every reading."""
        self._handle.remove()
        return self.found()

    def found(self) -> Tensor:
        """(K,) one reading for all observations, or (N, K) readings to draw from."""
        raise NotImplementedError


class ReadingMean(Listener):
    """Mean of the readings, (K,)."""

    def __init__(self, policy: MixingPolicy) -> None:
        super().__init__(policy)
        self._sum: Tensor | None = None
        self._count = 0

    def take(self, readings: Tensor) -> None:
        """Adds up."""
        chosen = readings.double().sum(0)
        self._sum = chosen if self._sum is None else self._sum + chosen
        self._count += len(readings)

    def found(self) -> Tensor:
        """The mean."""
        assert self._sum is not None
        return (self._sum / self._count).float()


class ReadingPool(Listener):
    """Readings drawn evenly from all that were heard, (N, K), whenever they were: where battles run in step, those of
    one moment would tell the time of it.

    Args:
        policy: an actor with a mixer.
        seed: of the choice.
        numbers: N K at most, but N is at least 1.

    Source: Vitter 1985, doi:10.1145/3147.3165, algorithm R.
    """

    def __init__(self, policy: MixingPolicy, seed: int, numbers: int = POOL) -> None:
        super().__init__(policy)
        self._generator = torch.Generator().manual_seed(seed)
        self._numbers = numbers
        self._pool: list[Tensor] = []
        self._device = HOST
        self._heard = 0

    def take(self, readings: Tensor) -> None:
        """Keeps each with the chance that it then has in common with all before it."""
        size, self._device = max(1, self._numbers // readings.shape[1]), readings.device
        for reading in readings.cpu():
            self._heard += 1
            if len(self._pool) < size:
                self._pool.append(reading.clone())
                continue
            place = int(torch.randint(self._heard, (), generator=self._generator))
            if place < size:
                self._pool[place] = reading.clone()

    def found(self) -> Tensor:
        """The readings kept."""
        return torch.stack(self._pool).to(self._device)


@torch.inference_mode()
def play(
    policy: Policy,
    env: VecEnv,
    greedy_battles: int,
    sampled_battles: int,
    seed: int,
    listeners: Sequence[Listener] = (),
) -> Battles:
    """Plays battles in all environments at once: half of them act greedily, half draw from the law.

    Args:
        policy: the actor.
        env: reset here with `seed`; at least two environments where both kinds are asked for.
        greedy_battles: number of greedy battles (>= 0).
        sampled_battles: number of sampled battles (>= 0).
        seed: of the environments and of the actions.
        listeners: told which steps count.

    Returns:
        exactly the battles asked for.
    """
    half = env.n_envs // 2 if greedy_battles and sampled_battles else env.n_envs * bool(greedy_battles)
    left = np.concatenate([quotas(greedy_battles, half), quotas(sampled_battles, env.n_envs - half)])
    device = device_of(policy)
    is_greedy = np.arange(env.n_envs) < half
    greedy = upload(torch.from_numpy(is_greedy), device)
    generator = torch.Generator(device).manual_seed(seed)
    player = Player(policy, env)
    step = env.reset(seed)
    found: list[tuple[bool, float, float, int]] = []
    while left.any():
        for listener in listeners:
            listener.counted = torch.from_numpy(left > 0)
        acted = player.act(step, player.features(step), generator, greedy)
        step = env.step(acted.actions.cpu().numpy())
        player.observe(step)
        wins = won(step.info)
        for i in np.flatnonzero((step.terminated | step.truncated) & (left > 0)):
            left[i] -= 1
            gained, length = (step.info[k][i] for k in ("episode_return", "episode_length"))
            found.append((bool(is_greedy[i]), float(wins[i]), float(gained), int(length)))
    columns = list(zip(*found, strict=True)) or [(), (), (), ()]
    return Battles(
        np.array(columns[0], bool), np.array(columns[1], float), np.array(columns[2], float), np.array(columns[3], int)
    )


def win_rates(
    policy: Policy,
    env: VecEnv,
    battles: int,
    seed: int,
    mean_law: bool = True,
    shuffled: bool = False,
    played: dict[str, Battles] | None = None,
) -> dict[str, float]:
    """Plays `battles` greedy and as many sampled battles; for an actor with a mixer, both again with its reading
    replaced. In games and queues the rates are computed instead, exactly, wherever that is possible (`games.exact`,
    `games.queueing_exact`).

    Args:
        policy: the actor.
        env: environments kept for evaluation.
        battles: of each kind (>= 1).
        seed: of this evaluation.
        mean_law: play with the mean reading too, where there is one.
        shuffled: play with readings drawn from those of all observations too, where there are any.
        played: takes up the battles that rates come from: "own" of the policy as it stands, "mean_law", "shuffled".

    Returns:
        `eval/...` as they are logged; no win rates where the environment does not tell who wins.
    """
    played = {} if played is None else played
    listeners: dict[str, Listener] = {}
    if isinstance(policy, MixingPolicy):
        listeners |= {"mean_law": ReadingMean(policy)} if mean_law else {}
        listeners |= {"shuffled": ReadingPool(policy, seed)} if shuffled else {}
    heard = play(policy, env, battles, battles, seed, list(listeners.values())) if listeners else None
    readings = {name: listener.close() for name, listener in listeners.items()}
    rates = _rates(policy, env, battles, seed, played, "own", heard)
    for name, reading in readings.items():
        assert isinstance(policy, MixingPolicy)
        with fixed_reading(policy, reading):
            replaced = _rates(policy, env, battles, seed, played, name)
        told = "win_rate" if "eval/win_rate" in replaced else "return"
        rates[f"eval/{told}_{name}"] = replaced[f"eval/{told}"]
        rates[f"eval/{told}_{name}_sampled"] = replaced[f"eval/{told}_sampled"]
    return rates


def exactly(policy: Policy, env: VecEnv) -> dict[str, float] | None:
    """Rates of the policy as it stands, computed; None where episodes must be played."""
    if not is_exact(policy, env):
        return None
    if isinstance(env, VecQueue):
        return queueing_exact.rates(policy, env)
    assert isinstance(env, VecGame)
    return exact.exact_rates(policy, env)


def is_exact(policy: Policy, env: VecEnv) -> bool:
    """Whether `exactly` computes rates."""
    return exact.is_exact(policy, env) or (isinstance(env, VecQueue) and queueing_exact.is_exact(policy, env))


def _rates(
    policy: Policy,
    env: VecEnv,
    battles: int,
    seed: int,
    played: dict[str, Battles],
    name: str,
    heard: Battles | None = None,
) -> dict[str, float]:
    """Rates of the policy as it stands: exact, or of what was heard, or of what it plays now; the battles that they
    are of go into `played` under `name`."""
    computed = exactly(policy, env)
    if computed is not None:
        return computed
    found = play(policy, env, battles, battles, seed) if heard is None else heard
    played[name] = found
    greedy, sampled = found.greedy, ~found.greedy
    rates = {
        "eval/win_rate": float(found.won[greedy].mean()),
        "eval/win_rate_sampled": float(found.won[sampled].mean()),
    }
    return {
        **(rates if env.tells_wins else {}),
        "eval/return": float(found.episode_return[greedy].mean()),
        "eval/return_sampled": float(found.episode_return[sampled].mean()),
        "eval/episode_length": float(found.length[greedy].mean()),
    }


@contextmanager
def fixed_reading(policy: MixingPolicy, reading: Tensor) -> Iterator[None]:
    """While open, the mixer's reading is `reading` (K,) at every observation, or one of (N, K) drawn at each."""
    policy.fixed_reading = reading
    try:
        yield
    finally:
        policy.fixed_reading = None
