"""`qcmarl study`: from its options to jobs, to results, to a report. Called by `cli`."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro

from qcmarl.envs.registry import FAMILIES, make
from qcmarl.hints import did_you_mean
from qcmarl.studies import machine, reports, results, runner
from qcmarl.studies.arms import arm_named
from qcmarl.studies.catalogue import STUDIES
from qcmarl.studies.jobs import Job
from qcmarl.studies.plan import Choice, Plan, plan
from qcmarl.studies.pools import Pool, describe

ALL = "all"
OUT, SMOKE_OUT = Path("study"), Path("study-smoke")


@dataclass(frozen=True)
class StudyOptions:
    """Runs studies and reports what was found; a study that was interrupted goes on, and what is finished is never
    run again."""

    studies: tyro.conf.Positional[tuple[str, ...]]
    """table1, curves, agents, noise, ablation, correlation, scaling, theory, entanglement, or all."""
    env: str = "skirmish"
    """Family of the environments: skirmish, or smac for those who have StarCraft II."""
    maps: tuple[str, ...] | None = None
    """Maps in place of the study's own; of another family in full, such as game:chsh."""
    arms: tuple[str, ...] | None = None
    """Arms in place of the study's own; the first is what the others are tested against."""
    seeds: int | None = None
    """Seeds of each arm: 0, 1, ... (>= 1)."""
    steps: int | None = None
    """Environment steps of a run (>= 1); default: 500 000 on 3m, 2 000 000 elsewhere, fewer in games."""
    jobs: int = machine.cores()
    """Processes at once, one thread each (>= 1)."""
    out: Path | None = None
    """Folder of runs, results and reports; default: study, with --smoke study-smoke."""
    results: tuple[Path, ...] = ()
    """Further folders to look for finished results in, beside `out`."""
    smoke: bool = False
    """Every part in minutes: tiny runs, two seeds, few arms. Shows that it works and nothing else."""
    ray: str | None = None
    """Address of a Ray cluster, 'auto' for the one that this machine belongs to, or 'local'."""
    report_only: bool = False
    """Run nothing; report what there is."""
    quiet: bool = False
    """Show no progress."""


@dataclass(frozen=True)
class Prepared:
    """A study that is ready to run."""

    options: StudyOptions
    choice: Choice
    plan: Plan
    out: Path
    places: tuple[Path, ...]
    missing: tuple[Job, ...]


def prepare(options: StudyOptions) -> Prepared:
    """Checks the options and finds out what is left to do.

    Raises:
        ValueError: a mistake in the options; a result that was made under other settings.
    """
    choice = Choice(
        _studies(options.studies), options.env, options.maps, options.arms, options.seeds, options.steps, options.smoke
    )
    _check(options, choice)
    planned = plan(choice)
    planned = dataclasses.replace(planned, jobs=tuple(job for job in planned.jobs if _there(job)))
    out = options.out or (SMOKE_OUT if options.smoke else OUT)
    if out.exists() and not out.is_dir():
        raise ValueError(f"--out {out} is a file; give a folder")
    places = (out, *options.results)
    for folder in options.results:
        if not (folder / "results").is_dir():
            raise ValueError(f"--results {folder}: there is no folder 'results' in it")
    return Prepared(options, choice, planned, out, places, tuple(runner.missing(planned.jobs, places)))


def _studies(names: tuple[str, ...]) -> tuple[str, ...]:
    """The studies that are meant, in the order of the reports."""
    known = [*STUDIES, ALL]
    if not names:
        raise ValueError(f"name a study; the studies are {', '.join(known)}")
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known)
            raise ValueError(f"unknown study '{name}'{hint}; the studies are {', '.join(known)}")
    return tuple(name for name in STUDIES if name in names or ALL in names)


def _check(options: StudyOptions, choice: Choice) -> None:
    for name in ("seeds", "steps", "jobs"):
        value = getattr(options, name)
        if value is not None and value < 1:
            raise ValueError(f"{name} is {value}; it must be at least 1")
    if options.env not in FAMILIES:
        raise ValueError(f"env is '{options.env}'; the families are {', '.join(FAMILIES)}")
    for family in (options.env, *(name.partition(":")[0] for name in options.maps or ())):
        if family in FAMILIES and not FAMILIES[family].judged:
            raise ValueError(f"a study compares win rates, and environments of {family} tell of none; train and report")
    if FAMILIES[options.env].open and not options.maps:
        raise ValueError(f"the studies' maps are battles; name the maps of {options.env} with --maps")
    for name in options.maps or ():
        _check_map(*choice.env_of(name).split(":", 1))
    for name in options.arms or ():
        arm_named(name)


def _check_map(family: str, name: str) -> None:
    names = FAMILIES[family].names
    if not FAMILIES[family].knows(name):
        raise ValueError(f"unknown map '{name}' of {family}{did_you_mean(name, names)}; there are {', '.join(names)}")
    if FAMILIES[family].open:
        make(f"{family}:{name}", n_envs=1).close()  # only making one tells


def _there(job: Job) -> bool:
    """Whether the module of a study that is one is part of this installation."""
    return job.kind != "module" or importlib.util.find_spec(f"qcmarl.studies.{job.name}") is not None


def opened(prepared: Prepared) -> contextlib.AbstractContextManager[Pool | None]:
    """Where what is left is done; None inside where there is nothing to do.

    Raises:
        ValueError: the folder cannot be used, or there is no such cluster.
    """
    if not prepared.missing or prepared.options.report_only:
        return contextlib.nullcontext()
    return runner.opened(prepared.out, prepared.options.jobs, prepared.options.ray)


def study(prepared: Prepared, pool: Pool | None) -> int:
    """Runs what is left, and reports.

    Args:
        prepared: what is asked for.
        pool: as `opened` gives it.

    Returns:
        0; 1 where a job failed; 128 + the number of the signal that stopped it.
    """
    ended = runner.Ended([], 0)
    for reason in prepared.plan.skipped:
        print(f"left out: {reason}", flush=True)
    if pool is not None:
        left = runner.missing(prepared.missing, prepared.places)  # less than before, if we waited for another study
        found = len(prepared.plan.jobs) - len(left)
        ended = runner.work(left, found, prepared.out, pool, prepared.options.quiet)
    if ended.signal:
        return 128 + ended.signal
    for outcome in ended.failed:
        print(f"\n{outcome.job.name}: {describe(outcome)}\n{outcome.said}", flush=True)
    print(f"report: {report_of(prepared)}", flush=True)
    return 1 if ended.failed else 0


def report_of(prepared: Prepared) -> Path:
    """Writes the report of what there is; returns its page of all."""
    found = {job.name: results.find(job, prepared.places) for job in prepared.plan.jobs}
    there = {name: result for name, result in found.items() if result is not None}
    if {"scaling", "correlation"} & set(prepared.choice.studies):
        there = {**_found_elsewhere(prepared), **there}
    return reports.Report(prepared.choice, prepared.plan, there, prepared.out).write()


def _found_elsewhere(prepared: Prepared) -> dict[str, dict[str, Any]]:
    """Runs of other studies that there happen to be: the studies of costs and of correlation tell of them too."""
    others = plan(dataclasses.replace(prepared.choice, studies=("curves", "table1"), arms=None))
    found = {}
    for job in others.jobs:
        with contextlib.suppress(ValueError):  # of other settings: not this study's matter
            found[job.name] = results.find(job, prepared.places)
    return {name: result for name, result in found.items() if result is not None}
