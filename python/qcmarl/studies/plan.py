"""How the options of `qcmarl study` choose from what the studies run by default.

`plan` turns studies and options into jobs. A run that several studies want is one job.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from qcmarl import run, rundir
from qcmarl.envs.registry import FAMILIES
from qcmarl.studies.arms import ARMS, arm_named
from qcmarl.studies.catalogue import STUDIES
from qcmarl.studies.entanglement.budgets import BUDGETS
from qcmarl.studies.jobs import Job, place
from qcmarl.studies.parts import Part

STEPS = {"3m": 500_000, **{where: budget.steps for where, budget in BUDGETS.items()}}
SMOKE_STEPS = {where: budget.smoke_steps for where, budget in BUDGETS.items()}
"""Steps of a run by environment, family or map, where they are not those elsewhere."""
STEPS_ELSEWHERE, SMOKE_STEPS_ELSEWHERE = 2_000_000, 9_600
FINAL_BATTLES = 320
"""Battles of each kind after training: ten times an evaluation's, as arXiv:2209.10485 asks."""
FINAL_SEED = 2_000_000
"""Of those battles: the same for every run, and none that training or its evaluations use."""
SMOKE_BATTLES = 16
MODULES = ("correlation", "theory")
"""Studies that are modules of their own and train nothing."""


class Chosen(NamedTuple):
    """A part of a study as it is run."""

    envs: tuple[str, ...]
    """family:name."""
    arms: tuple[str, ...]
    seeds: range
    plays: tuple[str, ...]
    """Those of the arms that are played under `noises` once they are trained."""
    noises: tuple[str, ...]
    fixed: bool
    """Whether it keeps to maps and arms of its own."""


@dataclass(frozen=True)
class Choice:
    """What was asked for; None: the study's own."""

    studies: tuple[str, ...]
    family: str = "skirmish"
    maps: tuple[str, ...] | None = None
    arms: tuple[str, ...] | None = None
    seeds: int | None = None
    steps: int | None = None
    smoke: bool = False

    def parts_of(self, study: str) -> tuple[Chosen, ...]:
        """The parts of a study of which anything is left."""
        parts = STUDIES[study].parts
        special = {arm for part in parts if part.fixed for arm in part.arms}
        chosen = (self._choose(part, special) for part in parts)
        return tuple(part for part in chosen if part.envs and part.arms)

    def _choose(self, part: Part, special: set[str]) -> Chosen:
        seeds = range(self.seeds or (part.smoke_seeds if self.smoke else part.seeds))
        noises = part.smoke_noises if self.smoke else part.noises
        return Chosen(self._envs(part), self._arms(part, special), seeds, part.plays, noises, part.fixed)

    def _envs(self, part: Part) -> tuple[str, ...]:
        if self.maps is None:
            own = part.smoke_maps if self.smoke else part.maps
            return tuple(name if ":" in name else f"{self.family}:{name}" for name in own)
        envs = tuple(map(self.env_of, self.maps))
        if part.fixed:
            return tuple(env for env in envs if env in part.maps)
        return tuple(env for env in envs if not part.families or env.partition(":")[0] in part.families)

    def _arms(self, part: Part, special: set[str]) -> tuple[str, ...]:
        """`special` are the arms of parts that keep to their own."""
        if self.arms is None:
            return part.smoke_arms if self.smoke else part.arms
        if part.fixed:
            return tuple(arm for arm in part.arms if arm in self.arms)
        return tuple(arm for arm in self.arms if arm in part.arms or arm not in special)

    def env_of(self, name: str) -> str:
        """A map as family:name, which it may be already."""
        family, colon, _ = name.partition(":")
        return name if colon and family in FAMILIES else f"{self.family}:{name}"

    def envs_of(self, study: str) -> tuple[str, ...]:
        """Environments of all parts of a study."""
        return tuple(dict.fromkeys(env for part in self.parts_of(study) for env in part.envs))

    def arms_of(self, study: str) -> tuple[str, ...]:
        """Arms of all parts of a study."""
        return tuple(dict.fromkeys(arm for part in self.parts_of(study) for arm in part.arms))

    def steps_on(self, env: str) -> int:
        """Environment steps of a run."""
        own, elsewhere = (SMOKE_STEPS, SMOKE_STEPS_ELSEWHERE) if self.smoke else (STEPS, STEPS_ELSEWHERE)
        family, _, name = env.partition(":")
        return self.steps or next((own[key] for key in (env, family, name) if key in own), elsewhere)

    @property
    def battles(self) -> int:
        """Battles of each kind that a finished run plays."""
        return SMOKE_BATTLES if self.smoke else FINAL_BATTLES


@dataclass(frozen=True)
class Plan:
    """Jobs, and what was left out."""

    jobs: tuple[Job, ...]
    skipped: tuple[str, ...]
    """Why arms of a study are missing, in words."""
    of: Mapping[str, frozenset[str]]
    """Names of the jobs that each study wants."""


def plan(choice: Choice) -> Plan:
    """The jobs of a choice, in the order in which they are begun.

    Raises:
        ValueError: an unknown arm; or one that was asked for by name and can be trained on none of the maps.
    """
    for name in choice.arms or ():
        arm_named(name)
    jobs: dict[str, Job] = {}
    skipped: dict[str, None] = {}
    of = {}
    for study in choice.studies:
        wanted = {job.name: job for job in _jobs(study, choice, skipped)}
        jobs |= {name: job for name, job in wanted.items() if name not in jobs}
        of[study] = frozenset(wanted)
    return Plan(tuple(sorted(jobs.values(), key=lambda job: (job.phase, job.alone))), tuple(skipped), of)


def _jobs(study: str, choice: Choice, skipped: dict[str, None]) -> Iterable[Job]:
    if study in MODULES:
        yield Job("module", study, {"module": study, "smoke": choice.smoke})
        return
    parts = choice.parts_of(study)
    if not parts:
        skipped[f"study '{study}': nothing of what was asked for is part of it"] = None
        return
    if study == "scaling":
        yield _timing_job(choice, skipped)
        return
    for part in parts:
        for env in part.envs:
            for seed in part.seeds:
                for arm in _fitting(part.arms, env, choice, skipped):
                    yield train_job(env, arm, seed, choice)
                    if arm in part.plays:
                        yield _noise_job(env, arm, seed, choice, part.noises)


def _fitting(arms: Iterable[str], env: str, choice: Choice, skipped: dict[str, None]) -> Iterable[str]:
    """The arms that can be trained there; the others are told of, or refused where they were asked for by name."""
    for name in arms:
        try:
            ARMS[name].resolve(env)
        except ValueError as error:
            if choice.arms and not _somewhere(name, choice):
                raise
            skipped[str(error)] = None
            continue
        yield name


def _somewhere(name: str, choice: Choice) -> bool:
    """Whether an arm fits one of the environments that it was asked for on."""
    for study in choice.studies:
        for env in choice.envs_of(study):
            try:
                ARMS[name].resolve(env)
            except ValueError:
                continue
            return True
    return False


def train_job(env: str, arm: str, seed: int, choice: Choice) -> Job:
    """One training run."""
    steps = choice.steps_on(env)
    config = run.resolve(run.RunConfig(env=env, seed=seed, steps=steps, eval_battles=_eval_battles(env, choice)))
    described = run.described(ARMS[arm].algo, config, ARMS[arm].resolve(env))
    where = place(env, arm, seed)
    final = {"battles": choice.battles, "seed": FINAL_SEED}
    return Job(
        "train", where, {"arm": arm, "config": json.loads(rundir.as_json(described)), "final": final}, steps, where
    )


def _eval_battles(env: str, choice: Choice) -> int:
    """Battles of an evaluation in training; they are played side by side, so few where each is a game."""
    usual = SMOKE_BATTLES if choice.smoke else run.RunConfig().eval_battles
    return min(usual, FAMILIES[env.partition(":")[0]].few or usual)


def _noise_job(env: str, arm: str, seed: int, choice: Choice, noises: Iterable[str]) -> Job:
    """The trained run of an arm, played under noises."""
    trained = train_job(env, arm, seed, choice)
    settings: dict[str, Any] = {**trained.settings, "noises": list(noises)}
    where = f"noise/{trained.name}"
    return dataclasses.replace(trained, kind="noise", name=where, settings=settings, steps=0, phase=1)


def _timing_job(choice: Choice, skipped: dict[str, None]) -> Job:
    """Blocks of training in turns, with the machine for itself."""
    envs = choice.envs_of("scaling")
    settings = {
        "envs": list(envs),
        "arms": list(_fitting(choice.arms_of("scaling"), envs[0], choice, skipped)),
        "rounds": 2 if choice.smoke else 20,
        "threads": [1, 2],
    }
    return Job("timing", "scaling", settings, phase=2, alone=True)
