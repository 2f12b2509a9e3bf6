"""Where the paper's estimator goes wrong: agents that draw alone, correlation that is known, and real policies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from qcmarl.algos import ALGORITHMS
from qcmarl.envs import make
from qcmarl.rollout import sizes_of
from qcmarl.studies.correlation import estimators
from qcmarl.studies.correlation.estimators import Actions, MonteCarlo, Null
from qcmarl.studies.correlation.policies import Measured, measure_policy
from qcmarl.studies.sheet import COLOURS, Sheet, tidy

MAPS = {"3m": (3, 9), "8m_vs_9m": (8, 15), "corridor": (6, 30)}
"""Agents and actions of the paper's maps."""
PAPERS_SAMPLES = 1000
POLICIES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("MAPPO", "mappo", {}),
    ("QC-MAPPO, factored", "qc-mappo", {}),
    ("QC-MAPPO, outcome", "qc-mappo", {"readout": "outcome"}),
    ("QC-MAPPO, outcome, strong coupling", "qc-mappo", {"readout": "outcome", "coupling_scale": 3.0}),
)
"""Untrained actors with which every estimate is shown: title, algorithm, options."""
COLUMNS = (
    "samples",
    "joint actions seen",
    "plug-in",
    "Miller-Madow",
    "permuted",
    "redrawn",
    "p redrawn",
    "Monte Carlo",
    "exact",
)
"""Of a table of policies; see `Measured`."""
SMALL_TEAMS = (("QC-MAPPO, register", "qc-mappo", {"readout": "register"}),)
"""Those that few agents can have."""


@dataclass(frozen=True)
class Bias:
    """What estimators from counts say of agents that draw uniformly and alone, where the truth is 0 (nats)."""

    map: str
    agents: int
    actions: int
    samples: int
    plug_in: float
    """Mean over the repetitions."""
    plug_in_deviation: float
    miller_madow: float
    permuted: Null
    """Of the first repetition."""
    floor: float
    """n ln A - ln N, or 0: near-uniform agents get no less, whatever the truth, since N samples have entropy ln N."""


@dataclass(frozen=True)
class Known:
    """Estimates of a copying team of known correlation (nats)."""

    agents: int
    actions: int
    samples: int
    share: float
    """Probability with which an agent copies the shared draw; else it draws alone."""
    truth: MonteCarlo
    """Exact, with error 0, where the joint law can be written down; else a long Monte Carlo."""
    plug_in: float
    miller_madow: float
    less_null: float
    """Plug-in less the mean of its permutation null."""
    monte_carlo: MonteCarlo


@dataclass(frozen=True)
class Named:
    """A policy and what was measured of it."""

    title: str
    env: str
    measured: Measured


def run(out: Path, smoke: bool = False) -> None:
    """Writes correlation.md, its figures and correlation.json into `out`.

    Args:
        out: folder, made if missing.
        smoke: seconds instead of a minute: fewer samples, one map of battles.
    """
    biases = [bias(name, samples, 2 if smoke else 5) for name in MAPS for samples in sample_sizes(smoke)]
    shares = np.linspace(0, 1, 3 if smoke else 11)
    known = [copying_team(*MAPS[name], float(share)) for name in ("3m", "8m_vs_9m") for share in shares]
    pooled = shared_observation(3, 9, 200 if smoke else PAPERS_SAMPLES)
    steps = 200 if smoke else PAPERS_SAMPLES
    policies = [untrained(*policy, "skirmish:3m", steps) for policy in (*POLICIES, *SMALL_TEAMS)]
    if not smoke:
        policies += [untrained(*policy, "skirmish:8m_vs_9m", steps) for policy in POLICIES]
    sheet = Sheet(out, "correlation", "Total correlation: the paper's estimator and sound ones")
    _write_bias(sheet, biases)
    _write_known(sheet, known)
    _write_pooled(sheet, pooled)
    _write_policies(sheet, policies)
    sheet.write({"bias": biases, "known": known, "shared_observation": pooled, "policies": policies})


# What is measured -----------------------------------------------------------------------------------------------------


def sample_sizes(smoke: bool) -> tuple[int, ...]:
    """N of the demonstration; the paper's among them."""
    return (100, 1000) if smoke else (100, 300, 1000, 3000, 10_000, 30_000, 100_000)


def bias(name: str, samples: int, repetitions: int, permutations: int = 10) -> Bias:
    """Uniform, independent agents of one map, with every action available."""
    agents, actions = MAPS[name]
    generator = np.random.default_rng([samples, agents, actions])
    draws = [generator.integers(actions, size=(samples, agents)) for _ in range(repetitions)]
    counted = [estimators.count(draw) for draw in draws]
    found = np.array([each.plug_in for each in counted])
    return Bias(
        map=name,
        agents=agents,
        actions=actions,
        samples=samples,
        plug_in=float(found.mean()),
        plug_in_deviation=float(found.std()),
        miller_madow=float(np.mean([each.miller_madow for each in counted])),
        permuted=estimators.permutation_null(draws[0], permutations, generator),
        floor=max(0.0, agents * math.log(actions) - math.log(samples)),
    )


def copying_team(agents: int, actions: int, share: float, samples: int = PAPERS_SAMPLES) -> Known:
    """Each agent copies a shared uniform draw with probability `share`, else draws uniformly alone."""
    generator = np.random.default_rng([agents, actions, round(1000 * share)])
    drawn = _copies(agents, actions, share, samples, generator)
    counted = estimators.count(drawn)
    null = estimators.permutation_null(drawn, 10, generator)
    if actions**agents <= 1 << 16:
        given = np.full((agents, actions, actions), (1 - share) / actions) + share * np.eye(actions)
        truth = MonteCarlo(estimators.exact_mixture(np.full(actions, 1 / actions), given), 0.0)
    else:
        truth = _log_ratio(_copies(agents, actions, share, 200_000, generator), actions, share)
    return Known(
        agents=agents,
        actions=actions,
        samples=samples,
        share=share,
        truth=truth,
        plug_in=counted.plug_in,
        miller_madow=counted.miller_madow,
        less_null=counted.plug_in - null.mean,
        monte_carlo=_log_ratio(drawn, actions, share),
    )


def _copies(agents: int, actions: int, share: float, samples: int, generator: np.random.Generator) -> Actions:
    alone = generator.integers(actions, size=(samples, agents))
    shared = generator.integers(actions, size=(samples, 1))
    return np.where(generator.random((samples, agents)) < share, shared, alone)


def _log_ratio(drawn: Actions, actions: int, share: float) -> MonteCarlo:
    """Monte Carlo from the team's own log-probabilities; each agent's marginal is uniform."""
    same = (1 - share) / actions + share
    other = (1 - share) / actions
    copied = (drawn[:, :, None] == np.arange(actions)).sum(1)  # agents that play each action
    each = np.power(same, copied) * np.power(other, drawn.shape[1] - copied)  # 0 ** 0 is 1
    log_joint = np.log(each.mean(1))
    return estimators.from_log_probs(log_joint, np.full(drawn.shape, -math.log(actions)))


def shared_observation(agents: int, actions: int, samples: int) -> Known:
    """All see the same symbol and play it: given the observation nothing is left to chance, so the truth is 0."""
    seen = np.random.default_rng(samples).integers(actions, size=(samples, 1))
    drawn = np.repeat(seen, agents, 1)
    counted, nothing = estimators.count(drawn), MonteCarlo(0.0, 0.0)
    null = estimators.permutation_null(drawn, 10, np.random.default_rng(samples))
    less_null = counted.plug_in - null.mean
    return Known(agents, actions, samples, 0.0, nothing, counted.plug_in, counted.miller_madow, less_null, nothing)


def untrained(title: str, algo: str, options: dict[str, Any], env_name: str, steps: int) -> Named:
    """Every estimate for a policy as it is before training."""
    entry, env = ALGORITHMS[algo], make(env_name, 2, 1)
    state = torch.random.get_rng_state()
    torch.manual_seed(0)
    policy = entry.build_policy(entry.resolve(entry.config(**options), env_name), sizes_of(env))
    torch.random.set_rng_state(state)
    measured = measure_policy(policy, env, steps)
    env.close()
    return Named(title, env_name, measured)


# What is written ------------------------------------------------------------------------------------------------------


def _write_bias(sheet: Sheet, biases: Sequence[Bias]) -> None:
    sheet.text(
        "## Independent agents",
        "Agents that draw uniformly and alone have total correlation 0. The plug-in estimator of the paper's appendix "
        "A.1 cannot see it: N samples have an entropy of at most ln N, so that agents whose own actions are nearly "
        "uniform are given at least about `n ln A - ln N`, whatever the truth. All actions available; nats.",
    )
    shown = [b for b in biases if b.samples in (100, 1000, 10_000, 100_000)]
    sheet.table(
        ("map", "joint actions", "samples", "plug-in", "n ln A - ln N", "Miller-Madow", "permutation null", "p"),
        [
            (
                b.map,
                f"{b.actions}^{b.agents}",
                b.samples,
                b.plug_in,
                b.floor,
                b.miller_madow,
                b.permuted.mean,
                b.permuted.p_value,
            )
            for b in shown
        ],
    )
    sheet.figure(
        "correlation-bias", "Two estimators of total correlation over the number of samples, truth 0",
        lambda figure: _draw_bias(figure, biases), (9.5, 4.0),
    )  # fmt: skip


def _draw_bias(figure: Any, biases: Sequence[Bias]) -> None:
    left, right = figure.subplots(1, 2, sharey=True)
    for (name, (agents, actions)), colour in zip(MAPS.items(), COLOURS, strict=False):
        own = [b for b in biases if b.map == name]
        samples = [b.samples for b in own]
        label = f"{name}, {actions}^{agents}"
        left.plot(samples, [b.plug_in for b in own], "o-", ms=4, color=colour, label=label)
        right.plot(samples, [b.miller_madow for b in own], "o-", ms=4, color=colour, label=label)
    for axes, title in ((left, "plug-in (the paper's)"), (right, "with Miller and Madow's correction")):
        axes.axhline(0, color="#222222", linewidth=1, linestyle="--", label="truth")
        axes.axvline(PAPERS_SAMPLES, color="#999999", linewidth=1, linestyle=":", label="the paper's N")
        axes.set_xscale("log")
        tidy(axes, title, "samples N", "total correlation, nats" if axes is left else "")
    left.legend(frameon=False, fontsize=8.5)


def _write_known(sheet: Sheet, known: Sequence[Known]) -> None:
    sheet.text(
        "## Correlation that is known",
        f"Each agent copies a shared uniform draw with some probability, else draws alone; {known[0].samples} samples. "
        "The truth is exact for 3 agents, and for 8 a Monte Carlo over 200 000 draws. Where joint actions are few, "
        "taking off the mean of the permutation null repairs most of the plug-in; where they are many, no correction "
        "of counts helps. The policy's own log-probabilities give the truth at any size.",
    )
    sheet.table(
        (
            "agents, actions",
            "share copied",
            "truth",
            "plug-in",
            "Miller-Madow",
            "less null",
            "Monte Carlo",
            "its error",
        ),
        [
            (
                f"{k.agents}, {k.actions}",
                k.share,
                k.truth.mean,
                k.plug_in,
                k.miller_madow,
                k.less_null,
                k.monte_carlo.mean,
                k.monte_carlo.standard_error,
            )
            for k in known
            if round(10 * k.share) in (0, 2, 5, 8, 10)
        ],
    )
    sheet.figure(
        "correlation-known", "Estimates of total correlation over the share that is copied, for 3 and for 8 agents",
        lambda figure: _draw_known(figure, known), (9.5, 4.0),
    )  # fmt: skip


def _draw_known(figure: Any, known: Sequence[Known]) -> None:
    sizes = sorted({(k.agents, k.actions) for k in known})
    for axes, size in zip(figure.subplots(1, len(sizes)), sizes, strict=True):
        own = [k for k in known if (k.agents, k.actions) == size]
        shares = [k.share for k in own]
        axes.plot(shares, [k.truth.mean for k in own], color="#222222", linewidth=4, alpha=0.25, label="truth")
        axes.plot(shares, [k.plug_in for k in own], "o-", ms=4, color=COLOURS[1], label="plug-in (the paper's)")
        axes.plot(shares, [k.miller_madow for k in own], "^-", ms=4, color=COLOURS[4], label="Miller-Madow")
        axes.plot(
            shares, [k.less_null for k in own], "s-", ms=4, color=COLOURS[2], label="plug-in less permutation null"
        )
        axes.errorbar(
            shares,
            [k.monte_carlo.mean for k in own],
            [2 * k.monte_carlo.standard_error for k in own],
            fmt="D",
            ms=4,
            color=COLOURS[0],
            label="Monte Carlo from log-probabilities, ± 2 s.e.",
        )
        tidy(
            axes,
            f"{size[0]} agents, {size[1]} actions, N = {own[0].samples}",
            "probability that an agent copies",
            "total correlation, nats",
        )
        if axes.get_subplotspec().is_first_col():
            axes.legend(frameon=False, fontsize=8.5)


def _write_pooled(sheet: Sheet, pooled: Known) -> None:
    top = (pooled.agents - 1) * math.log(pooled.actions)
    sheet.text(
        "## Pooling over observations",
        f"{pooled.agents} agents see one symbol of {pooled.actions} and play it. Definition 1 is given the joint "
        "observation, and given it nothing is random: 0. The paper's estimator forgets the observation and reports "
        f"{pooled.plug_in:.2f} nats after {pooled.samples} samples, of (n - 1) ln A = {top:.2f}: what the agents "
        "see in common, not how they coordinate. No correction of the counts repairs this, and a permutation test "
        "rejects with p as small as it can be.",
    )


def _write_policies(sheet: Sheet, policies: Sequence[Named]) -> None:
    sheet.text(
        "## Policies",
        "Actors before training, in battles of skirmish with its masks. `redrawn` is the paper's estimator where every "
        "agent draws anew and alone at the same observations, in truth 0: what it says of the policy itself must be "
        "read against that. `exact` and `Monte Carlo` are given the observation. `qcmarl.studies.correlation.measure` "
        "says the same of any run directory.",
    )
    sheet.table(("policy", "environment", *COLUMNS), [(n.title, n.env, *policy_cells(n.measured)) for n in policies])


def policy_cells(m: Measured) -> tuple[Any, ...]:
    """One policy's row of a table whose columns are `COLUMNS`."""
    return (
        m.steps,
        m.joint_seen,
        m.plug_in,
        m.miller_madow,
        m.permuted.mean,
        m.redrawn.mean,
        m.redrawn.p_value,
        _with_error(m.monte_carlo),
        _with_error(m.exact),
    )


def _with_error(estimate: MonteCarlo | None) -> str | None:
    if estimate is None:
        return None
    return f"{estimate.mean:.4f} ± {estimate.standard_error:.4f}" if estimate.standard_error else f"{estimate.mean:.4f}"
