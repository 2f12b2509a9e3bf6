"""Total correlation of a policy at the observations that it visits: the paper's estimate beside the sound ones.

The paper's counts what was done, whatever was observed; definition 1 asks for the correlation that is left once the
joint observation is given. The law of the actions is at hand, so that the latter needs no counting.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor

from qcmarl import evaluation
from qcmarl.laws import Inputs, Law
from qcmarl.nets import exponential_race
from qcmarl.policies import Policy
from qcmarl.rollout import Player
from qcmarl.studies.correlation import estimators
from qcmarl.studies.correlation.estimators import MonteCarlo, Null

if TYPE_CHECKING:
    from qcmarl.envs import VecEnv

ENUMERABLE = 1 << 10
"""Joint actions of a law that is written down: 9^3 of 3m are, 15^8 of 8m_vs_9m are not."""
SELECTED = 64
"""Observations at which it is, or at which entropies are counted."""
REDRAWS = 100
"""Draws of the actions in the null of independent agents."""
DRAWS = 512
"""Draws at one observation, where entropies are counted."""


@dataclass(frozen=True)
class Measured:
    """Every estimate of one policy, nats."""

    steps: int
    """N, joint actions that were counted."""
    agents: int
    actions: int
    joint_seen: int
    """Different joint actions among them."""
    plug_in: float
    """The paper's estimate, pooled over the observations."""
    miller_madow: float
    """The same, corrected to first order."""
    permuted: Null
    """The paper's estimator with all ties between the agents cut."""
    redrawn: Null
    """The paper's estimator where each agent draws anew, alone, from its own law at the same observations: what it
    reports where the truth is 0. The p-value is that of a fresh joint draw at these observations, since those of the
    battle itself led to them."""
    monte_carlo: MonteCarlo
    """Given the observation, from the policy's log-probabilities; exactly 0 where the law factorises. Where the agents'
    own laws are unknown, their entropies are counted over 512 draws at each of 64 observations."""
    exact: MonteCarlo | None
    """Given the observation, from the whole joint law at 64 observations, whose choice makes the error. None where the
    law has too many entries."""


class Visit(NamedTuple):
    """M samples."""

    inputs: Inputs
    law: Law
    actions: Tensor
    """(M, n) int64."""


def measure(run_dir: Path, steps: int = 1000, seed: int = 0, permutations: int = 100, threads: int = 1) -> Measured:
    """All estimates for the last checkpoint of a run.

    Args:
        run_dir: of the run.
        steps: N, joint actions to count (>= 2), rounded up to full steps of two environments; the paper's is 1000.
        seed: of the battles and of everything that is drawn.
        permutations: of the null.
        threads: of the environments.

    Raises:
        ValueError: there is no run, or its checkpoint is damaged.
    """
    trained = evaluation.load(run_dir, 1, False, threads)
    return measure_policy(trained.policy, trained.env, steps, seed, permutations)


@torch.inference_mode()
def measure_policy(policy: Policy, env: VecEnv, steps: int = 1000, seed: int = 0, permutations: int = 100) -> Measured:
    """All estimates for a policy that draws its actions, not greedy ones.

    Args:
        policy: the actor.
        env: reset here; few environments see whole battles within the steps.
        steps: N, at least 2; rounded up to full steps of all environments.
        seed: of the environments and of everything that is drawn.
        permutations: of the null.
    """
    if steps < 2:
        raise ValueError(f"steps is {steps}; it must be at least 2")
    generator = torch.Generator().manual_seed(seed)
    visits = visit(policy, env, steps, seed, generator)
    selected = visits[:: max(1, steps // SELECTED)]
    actions = torch.cat([v.actions for v in visits]).numpy()
    if not policy.memory:
        visits, selected = [merged(policy, visits)], [merged(policy, selected)]
    counted = estimators.count(actions)
    return Measured(
        steps=len(actions),
        agents=env.n_agents,
        actions=env.n_actions,
        joint_seen=counted.joint_seen,
        plug_in=counted.plug_in,
        miller_madow=counted.miller_madow,
        permuted=estimators.permutation_null(actions, permutations, np.random.default_rng(seed)),
        redrawn=_redrawn(visits, generator),
        monte_carlo=_monte_carlo(visits, selected, generator),
        exact=_exact(selected),
    )


def visit(policy: Policy, env: VecEnv, steps: int, seed: int, generator: torch.Generator) -> list[Visit]:
    """Plays until at least `steps` joint actions were drawn, B at a time; what was seen is copied."""
    player, found = Player(policy, env), []
    step = env.reset(seed)
    for _ in range(-(-steps // env.n_envs)):
        acted = player.act(step, player.features(step), generator)
        found.append(Visit(acted.inputs, acted.law, acted.actions))
        step = env.step(acted.actions.numpy())
        player.observe(step)
    return found


def merged(policy: Policy, visits: Sequence[Visit]) -> Visit:
    """All samples as one batch, for policies without memory."""
    inputs = [v.inputs for v in visits]
    starts = itertools.accumulate((each.samples * each.agents for each in inputs[:-1]), initial=0)
    together = Inputs(
        torch.cat([each.x for each in inputs]),
        torch.cat([each.avail for each in inputs]),
        torch.cat([each.rows + start for each, start in zip(inputs, starts, strict=True)]),
    )
    law, _ = policy(together)
    return Visit(together, law, torch.cat([v.actions for v in visits]))


def marginals_of(law: Law) -> Tensor | None:
    """(M, n, A) each agent's law given what all observe; None where only the joint law can be asked."""
    own = getattr(law, "marginals", None)
    if own is None:
        return None
    marginals: Tensor = own()
    return marginals.transpose(0, 1)


def alone(law: Law, generator: torch.Generator) -> Tensor:
    """(M, n) actions that each agent draws for itself from its own law at the same observation."""
    own = marginals_of(law) if law.joint else None
    if own is not None:
        return exponential_race(own.log(), generator)
    first = law.sample(generator)
    if not law.joint:
        return first
    others = [law.sample(generator)[:, agent] for agent in range(1, first.shape[1])]
    return torch.stack([first[:, 0], *others], 1)


def joint_law(at: Visit) -> Tensor:
    """(M, A^n) the joint law at each sample, double precision: its log-probability of every joint action."""
    samples, agents, actions = at.inputs.avail.shape
    columns = []
    for joint in itertools.product(range(actions), repeat=agents):
        chosen = torch.tensor(joint).expand(samples, agents)
        allowed = at.inputs.avail.gather(2, chosen.unsqueeze(-1)).all(1).squeeze(-1)
        columns.append(torch.where(allowed, at.law.log_prob(chosen).double().exp(), 0.0))
    table = torch.stack(columns, 1)
    return table / table.sum(1, keepdim=True)  # what single precision left out


def _redrawn(visits: Sequence[Visit], generator: torch.Generator) -> Null:
    together = torch.cat([v.law.sample(generator) for v in visits]).numpy()
    apart = [torch.cat([alone(v.law, generator) for v in visits]).numpy() for _ in range(REDRAWS)]
    return estimators.null_of(estimators.plug_in(together), [estimators.plug_in(each) for each in apart])


def _monte_carlo(visits: Sequence[Visit], selected: Sequence[Visit], generator: torch.Generator) -> MonteCarlo:
    law, actions = visits[0].law, visits[0].actions
    if not law.joint:
        return MonteCarlo(0.0, 0.0)
    own = marginals_of(law)
    if own is None:
        return estimators.mean_of(counted_entropies(selected[0], generator).numpy())
    parts = own.gather(2, actions.unsqueeze(-1)).squeeze(-1).log()
    return estimators.from_log_probs(law.log_prob(actions).numpy(), parts.numpy())


def counted_entropies(at: Visit, generator: torch.Generator, draws: int = DRAWS) -> Tensor:
    """(M,) sum_i H(a_i) - H(a) at each sample: each agent's entropy from counts with Miller and Madow's correction,
    the joint one as the mean of - log pi(a), double precision."""
    counts = torch.zeros(at.inputs.avail.shape, dtype=torch.float64)
    log_prob = torch.zeros(at.inputs.samples, dtype=torch.float64)
    for _ in range(draws):
        actions = at.law.sample(generator)
        counts.scatter_add_(2, actions.unsqueeze(-1), torch.ones_like(actions, dtype=torch.float64).unsqueeze(-1))
        log_prob += at.law.log_prob(actions)
    share = counts / draws
    seen = (counts > 0).sum(-1)
    each: Tensor = -torch.special.xlogy(share, share).sum(-1) + (seen - 1) / (2 * draws)
    return each.sum(1) + log_prob / draws


def _exact(selected: Sequence[Visit]) -> MonteCarlo | None:
    at = selected[0]
    if not at.law.joint:
        return MonteCarlo(0.0, 0.0)
    _, agents, actions = at.inputs.avail.shape
    if actions**agents > ENUMERABLE:
        return None
    laws = joint_law(at).view(-1, *(actions,) * agents).numpy()
    return estimators.mean_of([estimators.exact(law) for law in laws])
