"""What each study runs by default, and how the options of `qcmarl study` change it.

`plan` turns studies and options into jobs. A run that several studies want is one job.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from qcmarl import run, rundir
from qcmarl.envs.registry import FAMILIES
from qcmarl.studies.arms import ARMS, GLOBAL, LOCAL, RATES, arm_named, noise_arm
from qcmarl.studies.jobs import Job, place

STEPS = {"3m": 500_000}
"""Steps of a run by map, where they are not STEPS_ELSEWHERE."""
STEPS_ELSEWHERE = 2_000_000
FINAL_BATTLES = 320
"""Battles of each kind after training: ten times an evaluation's, as arXiv:2209.10485 asks."""
FINAL_SEED = 2_000_000
"""Of those battles: the same for every run, and none that training or its evaluations use."""
ALGORITHMS_COMPARED = (
    "mappo",
    "ippo",
    "attention-mappo",
    "g2anet",
    "tarmac",
    "qmix",
    "vdn",
    "qc-factored",
    "qc-outcome",
    "qc-register",
    "autoregressive",
    "mappo-published",
)
CONTROLS = (
    "qc-factored",
    "linear",
    "no-circuit",
    "no-cnot",
    "frozen",
    "orthogonal",
    "mlp",
    *("depth-0", "depth-1", "depth-2", "depth-8"),
    "qc-shots",
    "qc-outcome",
    "mixture",
    "autoregressive",
    "mappo",
    *("mappo-weight-decay", "mappo-dropout", "mappo-input-noise"),
)
TRAINED_UNDER_NOISE = tuple(
    noise_arm(readout, channel, rate)
    for readout in ("factored", "outcome")
    for channel in (GLOBAL, LOCAL)
    for rate in (RATES if channel == GLOBAL else ("0", *RATES))
)
NOISY_READOUTS = ("qc-factored", "qc-outcome")


@dataclass(frozen=True)
class Study:
    """One study as it runs by default."""

    title: str
    maps: tuple[str, ...] = ()
    seeds: int = 5
    arms: tuple[str, ...] = ()
    smoke_arms: tuple[str, ...] = ()
    smoke_maps: tuple[str, ...] = ("3m",)


STUDIES = {
    "table1": Study(
        "Win rates and hours of the main algorithms",
        ("8m_vs_9m",),
        10,
        ("mappo", "attention-mappo", "qmix", "qc-factored"),
        ("mappo", "qc-factored"),
        ("8m_vs_9m",),
    ),
    "curves": Study(
        "Learning curves of every algorithm",
        ("3m", "8m_vs_9m"),
        5,
        ALGORITHMS_COMPARED,
        ALGORITHMS_COMPARED,
    ),
    "agents": Study(
        "The gap over the number of agents",
        ("3m", "5m_vs_6m", "8m_vs_9m", "10m_vs_11m", "27m_vs_30m"),
        5,
        ("mappo", "attention-mappo", "linear", "qc-factored"),
        ("mappo", "qc-factored", "attention-mappo"),
        ("3m", "5m_vs_6m"),
    ),
    "noise": Study(
        "Win rate over noise in the circuit",
        ("3m",),
        5,
        ("mappo", *NOISY_READOUTS, *TRAINED_UNDER_NOISE),
        (
            "mappo",
            *NOISY_READOUTS,
            noise_arm("factored", GLOBAL, "1e-2"),
            *(noise_arm("factored", LOCAL, rate) for rate in ("0", "1e-2")),
        ),
    ),
    "ablation": Study(
        "Is it the quantum part?",
        ("8m_vs_9m", "3m"),
        5,
        CONTROLS,
        ("qc-factored", "linear", "no-cnot", "orthogonal", "mlp", "depth-0", "qc-shots", "mixture", "mappo-dropout"),
    ),
    "correlation": Study("Total correlation: estimators that are sound, and one that is not"),
    "scaling": Study(
        "What the circuit costs",
        ("8m_vs_9m", "3m", "5m_vs_6m", "10m_vs_11m", "27m_vs_30m"),
        1,
        ("mappo", "qc-factored", "linear", "attention-mappo"),
        ("mappo", "qc-factored"),
        ("8m_vs_9m", "3m"),
    ),
    "theory": Study("What the paper's theory says, run"),
}
"""All of them, in the order of the reports."""
SMOKE_STEPS, SMOKE_SEEDS, SMOKE_BATTLES = 9_600, 2, 16


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

    def maps_of(self, study: str) -> tuple[str, ...]:
        """Maps that the study runs on."""
        return self.maps or (STUDIES[study].smoke_maps if self.smoke else STUDIES[study].maps)

    def arms_of(self, study: str) -> tuple[str, ...]:
        """Arms that the study compares."""
        return self.arms or (STUDIES[study].smoke_arms if self.smoke else STUDIES[study].arms)

    def seeds_of(self, study: str) -> range:
        """Seeds of each arm."""
        return range(self.seeds or (SMOKE_SEEDS if self.smoke else STUDIES[study].seeds))

    def steps_on(self, map_name: str) -> int:
        """Environment steps of a run on a map."""
        return self.steps or (SMOKE_STEPS if self.smoke else STEPS.get(map_name, STEPS_ELSEWHERE))

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


def plan(choice: Choice) -> Plan:
    """The jobs of a choice, in the order in which they are begun.

    Raises:
        ValueError: an unknown arm; or one that was asked for by name and can be trained on none of the maps.
    """
    for name in choice.arms or ():
        arm_named(name)
    jobs: dict[str, Job] = {}
    skipped: dict[str, None] = {}
    for study in choice.studies:
        for job in _jobs(study, choice, skipped):
            jobs.setdefault(job.name, job)
    return Plan(tuple(sorted(jobs.values(), key=lambda job: (job.phase, job.alone))), tuple(skipped))


def _jobs(study: str, choice: Choice, skipped: dict[str, None]) -> Iterable[Job]:
    if study in ("correlation", "theory"):
        yield Job("module", study, {"module": study, "smoke": choice.smoke})
        return
    if study == "scaling":
        yield _timing_job(choice, skipped)
        return
    for map_name in choice.maps_of(study):
        env = f"{choice.family}:{map_name}"
        for seed in choice.seeds_of(study):
            for arm in _fitting(choice.arms_of(study), env, choice, skipped):
                yield train_job(env, arm, seed, choice)
                if study == "noise" and arm in NOISY_READOUTS:
                    yield _noise_job(env, arm, seed, choice)


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
    """Whether an arm fits one of the maps that it was asked for on."""
    for study in choice.studies:
        for map_name in choice.maps_of(study):
            try:
                ARMS[name].resolve(f"{choice.family}:{map_name}")
            except ValueError:
                continue
            return True
    return False


def train_job(env: str, arm: str, seed: int, choice: Choice) -> Job:
    """One training run."""
    steps = max(1, round(choice.steps_on(env.partition(":")[2]) * ARMS[arm].share_of_steps))
    config = run.resolve(run.RunConfig(env=env, seed=seed, steps=steps, eval_battles=_eval_battles(choice)))
    described = run.described(ARMS[arm].algo, config, ARMS[arm].resolve(env))
    where = place(env, arm, seed)
    final = {"battles": choice.battles, "seed": FINAL_SEED}
    return Job(
        "train", where, {"arm": arm, "config": json.loads(rundir.as_json(described)), "final": final}, steps, where
    )


def _eval_battles(choice: Choice) -> int:
    """Battles of an evaluation in training; they are played side by side, so few where each is a game."""
    usual = SMOKE_BATTLES if choice.smoke else run.RunConfig().eval_battles
    return min(usual, FAMILIES[choice.family].few or usual)


def _noise_job(env: str, arm: str, seed: int, choice: Choice) -> Job:
    """The trained run of an arm, played under every channel and rate."""
    trained = train_job(env, arm, seed, choice)
    rates = RATES[-2:] if choice.smoke else RATES
    noises = ["none", *(f"{channel}:{rate}" for channel in (GLOBAL, LOCAL) for rate in rates)]
    settings: dict[str, Any] = {**trained.settings, "noises": noises}
    where = f"noise/{trained.name}"
    return dataclasses.replace(trained, kind="noise", name=where, settings=settings, steps=0, phase=1)


def _timing_job(choice: Choice, skipped: dict[str, None]) -> Job:
    """Blocks of training in turns, with the machine for itself."""
    envs = [f"{choice.family}:{m}" for m in choice.maps_of("scaling")]
    settings = {
        "envs": envs,
        "arms": list(_fitting(choice.arms_of("scaling"), envs[0], choice, skipped)),
        "rounds": 2 if choice.smoke else 20,
        "threads": [1, 2],
    }
    return Job("timing", "scaling", settings, phase=2, alone=True)
