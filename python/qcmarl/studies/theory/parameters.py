"""How many parameters a circuit, an MLP, a mixture and an autoregressive net need to come within a given KL of a law.

Every model is trained alike: KL(target || model) over all 2^n joint actions, Adam with a cosine, several restarts at
two learning rates, of which the best counts; the circuit has four times as many. What is found is what training
reaches, an upper bound of what is needed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from qcmarl.studies.correlation import entropy, exact_bits
from qcmarl.studies.theory.families import FAMILIES, RANDOM, Floats
from qcmarl.studies.theory.models import MODELS, Model

GOALS = (0.05, 0.01)
"""Divergences to reach, nats."""
LEARNING_RATES = (0.05, 0.3)
"""Adam's first steps; each is tried by its share of the restarts, since logits want longer ones than angles."""


@dataclass(frozen=True)
class Effort:
    """How long is trained."""

    steps: int
    restarts: int
    draws: int
    """Laws of each random family."""
    agents: tuple[int, ...]


FULL = Effort(steps=400, restarts=8, draws=3, agents=(4, 6, 8))
SMOKE = Effort(steps=80, restarts=2, draws=1, agents=(4,))


@dataclass(frozen=True)
class Fit:
    """One model of one size, trained on one law."""

    family: str
    agents: int
    draw: int
    model: str
    size: int
    parameters: int
    best: float
    """KL(target || model), least over the restarts, nats."""
    median: float
    """Over the restarts."""


@dataclass(frozen=True)
class Target:
    """A law to be reached."""

    family: str
    agents: int
    draw: int
    total_correlation: float
    """Nats; also the KL of the best law of independent agents."""
    table: int
    """2^n - 1, numbers of a table of the joint law, which reaches any."""


@dataclass(frozen=True)
class Needed:
    """Parameters with which a model came within `goal` of a family's laws."""

    family: str
    agents: int
    model: str
    goal: float
    parameters: float | None
    """Median over the draws; None where more than half of them were not reached by any size tried."""


def targets(effort: Effort) -> Iterator[tuple[Target, Floats]]:
    """The laws to be reached: one of each fixed family and size, `effort.draws` of each random one."""
    for number, (family, make) in enumerate(FAMILIES.items()):
        for agents in effort.agents:
            for draw in range(effort.draws if family in RANDOM else 1):
                law = make(agents, np.random.default_rng([number, agents, draw]))
                law = law / law.sum()
                yield Target(family, agents, draw, exact_bits(law), (1 << agents) - 1), law


def fits(target: Target, law: Floats, effort: Effort) -> list[Fit]:
    """All models at growing sizes, until the strictest goal is reached or a table of the law is as small."""
    found = []
    for number, (name, model) in enumerate(MODELS.items()):
        for size in model.sizes:
            parameters = model.parameters(target.agents, size)
            if parameters > target.table + target.agents:
                break
            seed = torch.Generator().manual_seed(1000 * number + size)
            reached = divergences(model, size, law, effort, seed)
            best, median = float(reached.min()), float(reached.median())
            found.append(Fit(target.family, target.agents, target.draw, name, size, parameters, best, median))
            if best < min(GOALS):
                break
    return found


def divergences(model: Model, size: int, law: Floats, effort: Effort, generator: torch.Generator) -> Tensor:
    """(R,) KL(law || model) in nats after training, one a restart; never below 0."""
    agents = law.size.bit_length() - 1
    target = torch.from_numpy(law).float()
    share = model.restarts * effort.restarts // len(LEARNING_RATES)
    groups = [model.weights(agents, size, share, generator) for _ in LEARNING_RATES]
    optimiser = torch.optim.Adam(
        [{"params": own, "lr": rate} for own, rate in zip(groups, LEARNING_RATES, strict=True)]
    )
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, effort.steps)
    for weight in (w for own in groups for w in own):
        weight.requires_grad_()

    def log_law() -> Tensor:
        return model.log_law([torch.cat(parts) for parts in zip(*groups, strict=True)], agents)

    for _ in range(effort.steps):
        optimiser.zero_grad()
        (-(log_law() @ target).sum()).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
    with torch.no_grad():
        cross = -(log_law().double() @ torch.from_numpy(law))
    return (cross - entropy(law)).clamp_min(0)


def needed(found: Sequence[Fit], goal: float) -> list[Needed]:
    """The least parameters that reached the goal, for every family, number of agents and model."""
    by_case: dict[tuple[str, int, str], dict[int, float]] = {}
    for fit in found:
        draws = by_case.setdefault((fit.family, fit.agents, fit.model), {})
        reached = fit.parameters if fit.best <= goal else float("inf")
        draws[fit.draw] = min(draws.get(fit.draw, float("inf")), reached)
    middle = {case: sorted(draws.values())[len(draws) // 2] for case, draws in by_case.items()}
    return [Needed(*case, goal, None if least == float("inf") else least) for case, least in middle.items()]
