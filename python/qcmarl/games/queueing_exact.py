"""What a learned policy earns in the queueing task, exactly: its law at every backlog, type and last action, then the
law of the backlogs. Called by `evaluate` in `queue:` environments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from qcmarl.device import device_of, upload
from qcmarl.games.exact import greedily_scored, is_settled, scored
from qcmarl.games.queueing import Floats, Integers, evaluate, tables
from qcmarl.laws import Inputs
from qcmarl.policies import Policy
from qcmarl.rollout import agent_features

if TYPE_CHECKING:
    from qcmarl.envs.queue import VecQueue

MOST_ROWS = 1 << 17
"""Backlogs, types, last and present joint actions that a policy is asked about, about a second; beyond, episodes are
played."""
NAMES = {
    "win_rate": "throughput",
    "return": "episode_return",
    "throughput": "throughput",
    "backlog": "backlog",
    "waiting_time": "waiting_time",
    "coordination": "coordination",
}
"""Of what is logged, the field of `queueing.Rates`."""


def is_exact(policy: Policy, env: VecQueue) -> bool:
    """Whether `rates` applies: a task of a size that can be written out, and a settled policy without memory."""
    return policy.memory == 0 and is_settled(policy) and _rows(env) <= MOST_ROWS


def rates(policy: Policy, env: VecQueue) -> dict[str, float]:
    """Expected rates of a policy with greedy local choices (`games.exact.exact_rates` says what those are), and as it
    is.

    Args:
        policy: the actor; `is_exact`.
        env: for its rules and for what it shows; neither stepped nor reset.

    Returns:
        `eval/win_rate` (the share of the packets that are taken up), `eval/return`, `eval/throughput`, `eval/backlog`,
        `eval/waiting_time`, `eval/coordination` as in `queueing.Rates`, each with `_sampled` too; and
        `eval/episode_length`.
    """
    found = {"eval/episode_length": float(env.episode_limit)}
    for tail, strategy in zip(("", "_sampled"), strategies(policy, env), strict=True):
        exact = evaluate(env.model, strategy)
        found |= {f"eval/{name}{tail}": getattr(exact, field) for name, field in NAMES.items()}
    return found


@torch.inference_mode()
def strategies(policy: Policy, env: VecQueue) -> tuple[Floats, Floats]:
    """The policy written out, with greedy local choices and as it is, each (1 + A, K, X, A) for `queueing.evaluate`.

    Last actions are among what actors see, the age of an episode is not.
    """
    shape = _shape(env)
    last, where, types, action = (index.ravel() for index in np.indices(shape))
    device = device_of(policy)
    x = upload(_features(env, last, where, types), device)
    avail = torch.ones(*x.shape[:2], env.n_actions, dtype=torch.bool, device=device)
    law, _ = policy(Inputs(x.flatten(0, 1), avail, torch.arange(len(x) * env.n_agents, device=device)))
    actions = upload(torch.from_numpy(tables(env.model).actions[action]), device)
    both = (greedily_scored(law, actions, torch.Generator(device).manual_seed(0)), scored(law, actions))
    greedy, sampled = (p.cpu().numpy().reshape(shape) for p in both)
    return greedy, sampled


def _shape(env: VecQueue) -> tuple[int, int, int, int]:
    """1 + A last joint actions, 0 for none; K joint backlogs; X joint types; A joint actions."""
    backlogs, types, actions = tables(env.model).reward.shape
    return 1 + actions, backlogs, types, actions


def _rows(env: VecQueue) -> int:
    return int(np.prod(_shape(env)))


def _features(env: VecQueue, last: Integers, where: Integers, types: Integers) -> Tensor:
    """(N, n, F) what `rollout.Player` shows to the actors at joint types, backlogs and last joint actions (N,)."""
    obs, _ = env.looks(types, where)
    chosen = np.eye(env.n_actions, dtype=np.float32)[tables(env.model).actions]
    acted = np.concatenate([np.zeros_like(chosen[:1]), chosen])[last]
    ids = torch.eye(env.n_agents).expand(len(obs), -1, -1)
    return agent_features(torch.from_numpy(obs), torch.from_numpy(acted), ids)
