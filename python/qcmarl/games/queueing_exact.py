"""What a learned policy earns in the queueing task, exactly: its law at every backlog, type and last action, then the
law of the backlogs. Called by `evaluate`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from qcmarl.games.queueing import Floats, Integers, evaluate, tables
from qcmarl.laws import Inputs, Law
from qcmarl.nets import normalised
from qcmarl.policies import MixingPolicy, Policy

if TYPE_CHECKING:
    from qcmarl.envs.queue import VecQueue

_NAMES = {
    "win_rate": "throughput",
    "return": "episode_return",
    "throughput": "throughput",
    "backlog": "backlog",
    "waiting_time": "waiting_time",
    "coordination": "coordination",
}
"""Of what is logged, the field of `Rates`."""


def rates(policy: Policy, env: VecQueue) -> dict[str, float]:
    """Expected rates of a policy with greedy local choices, and as it is.

    Args:
        policy: an actor of the environment's sizes.
        env: for its rules and what it shows; not touched.

    Returns:
        `eval/win_rate` (the share of packets that are taken up), `eval/return`, `eval/throughput`, `eval/backlog`,
        `eval/waiting_time`, `eval/coordination` as in `queueing.Rates`, and each with `_sampled`. Nothing for an actor
        with a memory, whose histories are too many, or one whose law is itself drawn.
    """
    if policy.memory or policy.draws or _draws_readings(policy):
        return {}
    found: dict[str, float] = {"eval/episode_length": float(env.episode_limit)}
    for tail, strategy in zip(("", "_sampled"), strategies(policy, env), strict=True):
        exact = evaluate(env.model, strategy)
        found |= {f"eval/{name}{tail}": getattr(exact, field) for name, field in _NAMES.items()}
    return found


def _draws_readings(policy: Policy) -> bool:
    fixed = policy.fixed_reading if isinstance(policy, MixingPolicy) else None
    return fixed is not None and fixed.dim() > 1


@torch.inference_mode()
def strategies(policy: Policy, env: VecQueue) -> tuple[Floats, Floats]:
    """The policy written out, with greedy local choices and as it is, each (1 + A, K, X, A) for `queueing.evaluate`.

    Last actions are among what actors see, the age of an episode is not.
    """
    rules = tables(env.model)
    shape = (1 + len(rules.actions), len(rules.backlogs), len(rules.law))
    last, where, types = (index.ravel() for index in np.indices(shape))
    x = _features(env, last, where, types)
    avail = torch.ones(*x.shape[:2], env.n_actions, dtype=torch.bool)
    law, _ = policy(Inputs(x.flatten(0, 1), avail, torch.arange(x.shape[0] * x.shape[1])))
    actions = torch.from_numpy(rules.actions.copy())
    as_it_is = _table(law, actions, len(x))
    greedy = _greedy(law, actions, len(x), as_it_is)
    return greedy.reshape(*shape, -1), as_it_is.reshape(*shape, -1)


def _features(env: VecQueue, last: Integers, where: Integers, types: Integers) -> Tensor:
    """(M, n, F) what `rollout.Player` shows to the actors at joint types (M,), joint backlogs (M,) and last joint
    actions (M,), 0 for none."""
    obs, _ = env.looks(types, where)
    chosen = np.eye(env.n_actions, dtype=np.float32)[tables(env.model).actions]
    acted = np.concatenate([np.zeros_like(chosen[:1]), chosen])[last]
    ids = np.broadcast_to(np.eye(env.n_agents, dtype=np.float32), (len(obs), env.n_agents, env.n_agents))
    return normalised(torch.from_numpy(np.concatenate([obs, acted, ids], -1)))


def _table(law: Law, actions: Tensor, samples: int) -> Floats:
    """(M, A) probability of every joint action (A, n)."""
    log_probs = []
    for action in actions:
        log_prob = law.log_prob(action.expand(samples, -1))
        log_probs.append(log_prob if law.joint else log_prob.view(samples, -1).sum(1))
    p: Floats = torch.stack(log_probs, 1).double().exp().numpy()
    p /= p.sum(1, keepdims=True)
    return p


def _greedy(law: Law, actions: Tensor, samples: int, as_it_is: Floats) -> Floats:
    """(M, A) with greedy local choices, where there are any: what is measured or shared at random stays random."""
    decisive = getattr(law, "decisive", None)
    if decisive is not None:
        return _table(decisive(), actions, samples)
    if law.joint:
        return as_it_is
    chosen = law.mode(torch.Generator())
    same = (chosen.unsqueeze(1) == actions).all(-1)
    found: Floats = F.one_hot(same.int().argmax(1), len(actions)).double().numpy()
    return found
