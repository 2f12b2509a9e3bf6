"""A training run: what it is made of, its loop, its evaluations, its checkpoints, and how it goes on after an
interruption.

Called by `cli`. A run on the CPU is decided by its configuration and its seed: the clock, the number of threads and
interruptions leave no trace in the weights or in the metrics other than `wall_seconds` and `time/...`. A run may go on
on another device than it began on; from there its numbers are others than an uninterrupted run's.
"""

from __future__ import annotations

import contextlib
import dataclasses
import signal
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import torch

from qcmarl import checkpoint, rundir
from qcmarl.algos import ALGORITHMS
from qcmarl.best import Best
from qcmarl.config import earlier, wrong_kinds
from qcmarl.device import HOST
from qcmarl.device import described as device_described
from qcmarl.envs.place import Place
from qcmarl.envs.registry import side_by_side, table_of
from qcmarl.evaluate import win_rates
from qcmarl.learner import LearnerConfig
from qcmarl.parallel import keep_freed_memory, use_one_torch_thread
from qcmarl.progress import Display, clock, earned, percent

EVALUATIONS = 25
"""Points of a learning curve where `eval_every` is left open."""
MEAN_LAW_EVERY = 5
"""Evaluations from one with the mean law to the next: at each, it would take a twentieth of the run's time."""
LARGEST_SEED = 2**63 - 1
"""Environments take twice as much; torch's generators read the low 32 bits, so seeds 2^32 apart share their weights."""


@dataclass(frozen=True)
class RunConfig:
    """What is trained where, for how long, and how often it is evaluated."""

    env: str = "skirmish:3m"
    """Environment, family:name."""
    seed: int = 0
    """Seed of everything random, 0..2^63-1."""
    steps: int = 500_000
    """Environment steps, rounded up to whole rollouts (>= 1)."""
    eval_every: int | None = None
    """Environment steps between evaluations (>= 1); default: 25 evaluations a run."""
    eval_battles: int = 32
    """Battles of an evaluation, played greedily and as many again by drawing from the law (>= 1)."""


def resolve(config: RunConfig) -> RunConfig:
    """Fills in `eval_every`; raises ValueError for a number out of range."""
    if config.eval_every is None:
        config = dataclasses.replace(config, eval_every=max(1, config.steps // EVALUATIONS))
    for name, least in (("seed", 0), ("steps", 1), ("eval_every", 1), ("eval_battles", 1)):
        if getattr(config, name) < least:
            raise ValueError(f"{name} is {getattr(config, name)}; it must be at least {least}")
    if config.seed > LARGEST_SEED:
        raise ValueError(f"seed is {config.seed}; it must be at most {LARGEST_SEED}")
    return config


def kept_settings(directory: Path) -> tuple[str, RunConfig, LearnerConfig]:
    """Algorithm and configurations that a run was started with; raises ValueError where this version has no such."""
    kept = rundir.read_config(directory)
    algo = kept["algo"]
    if algo not in ALGORITHMS:
        raise ValueError(f"{directory} is a run of '{algo}'; the algorithms are {', '.join(ALGORITHMS)}")
    kinds: dict[str, type[Any]] = {"run": RunConfig, "algorithm": ALGORITHMS[algo].config}
    for part, kind in kinds.items():
        unknown = kept[part].keys() - {field.name for field in dataclasses.fields(kind)}
        if unknown:
            raise ValueError(f"{directory / rundir.CONFIG} has unknown settings: {', '.join(sorted(unknown))}")
        wrong = wrong_kinds(kind, kept[part])
        if wrong:
            raise ValueError(f"{directory / rundir.CONFIG}: {part}: {wrong[0]}")
    before = earlier(field.name for field in dataclasses.fields(kinds["algorithm"]))
    return algo, RunConfig(**kept["run"]), kinds["algorithm"](**{**before, **kept["algorithm"]})


def described(algo: str, config: RunConfig, algorithm: Any) -> dict[str, Any]:
    """The deciding parts of config.json."""
    return {"algo": algo, "run": dataclasses.asdict(config), "algorithm": dataclasses.asdict(algorithm)}


def evaluation_seed(seed: int, env_steps: int) -> int:
    """A seed for the evaluation after `env_steps` steps, unrelated to those of training and of other evaluations."""
    return int(np.random.SeedSequence([seed, 1, env_steps]).generate_state(1)[0] >> 1)


def evaluations(env_steps: int, eval_every: int, iteration: int) -> int:
    """Evaluations of a run in its first `env_steps` steps, the one at its end apart: one every `eval_every` steps, and
    at most one an iteration.

    Args:
        env_steps: at the end of an iteration.
        eval_every: as in `RunConfig`.
        iteration: environment steps of one.
    """
    return env_steps // max(eval_every, iteration)


class CannotWrite(OSError):
    """A file of a run cannot be written; the words say what is kept and how to go on."""


class Run:
    """One run, new or continued.

    Args:
        algo: name of the algorithm.
        config: resolved.
        algorithm: resolved configuration of the algorithm.
        directory: the run's directory.
        resume: go on from the checkpoint in `directory`.
        threads: used by the updates and by the environments.
        quiet: show no progress.
        device: of the networks and of what they learn from; environments are on the host.

    Raises:
        ValueError: unknown environment; a directory in use or being written by another process, or none to resume, or
            one of another configuration, but for more steps; a damaged checkpoint.
    """

    def __init__(
        self,
        algo: str,
        config: RunConfig,
        algorithm: LearnerConfig,
        directory: Path,
        resume: bool = False,
        threads: int = 1,
        quiet: bool = False,
        device: torch.device = HOST,
    ) -> None:
        use_one_torch_thread()
        keep_freed_memory()
        self.config, self.directory, self.device, self._resumed = config, directory, device, resume
        self._description = described(algo, config, algorithm)
        torch.manual_seed(config.seed)
        self._place = rundir.kept_place(directory) if resume else Place.read(config.env)
        env = self._place.make(algorithm.n_envs, threads)
        self._eval_env = self._place.make(side_by_side(config.env, 2 * min(config.eval_battles, 32)), threads)
        self.learner = ALGORITHMS[algo].build(algorithm, env, config.seed, threads, device)
        self._wall = 0.0
        self._latest: dict[str, float] = {}
        self._last: dict[str, float] = {}
        self._saved: int | None = None
        self._metrics = self._continue() if resume else self._begin()
        self._best = Best(directory, ALGORITHMS[algo].deployed, table_of(self._eval_env))
        self._tensorboard = self._open_tensorboard()
        self._display = Display(config.steps, self.learner.env_steps, quiet)
        if self._best.damage is not None:
            self._display.message(f"{self._best.damage}; the next evaluation replaces it")
        if resume and "eval/return" in self._last:  # a run killed between checkpoint and best.pt has yet to offer it
            self._offer(self._last)
        if resume and not self._is_complete():
            self._note_device()
            self._note_session()

    def _begin(self) -> rundir.MetricsFile:
        return rundir.create(self.directory, self._description, device_described(self.device), self._place.table())

    def _continue(self) -> rundir.MetricsFile:
        before = rundir.read_config(self.directory)
        longer = _is_longer(before, self._description)
        different = [] if longer else rundir.differences(before, self._description)
        if different:
            raise ValueError(f"{self.directory} is a run of another configuration; different: {', '.join(different)}")
        if not (self.directory / rundir.CHECKPOINT).exists():
            raise ValueError(f"{self.directory} holds no checkpoint to go on from; start it anew without --resume")
        metrics = rundir.MetricsFile(self.directory)
        try:
            kept = checkpoint.load(self.directory / rundir.CHECKPOINT)
            metrics.keep(kept["metrics_bytes"])
            self.learner.load_state_dict(kept["learner"])
            if longer:
                rundir.note_steps(self.directory, self.config.steps)
        except BaseException:
            metrics.close()
            raise
        torch.set_rng_state(kept["torch"])
        self._wall, self._saved = kept["wall_seconds"], self.learner.env_steps
        for line in rundir.read_metrics(self.directory):
            self._last = {name: value for name, value in line.items() if value is not None}
            self._latest.update(self._last)
        return metrics

    def _note_device(self) -> None:
        """Says, here and in config.json, where the curve ceases to be that of an uninterrupted run."""
        before, now = rundir.last_device(self.directory), device_described(self.device)
        if before != now:
            rundir.note_device(self.directory, self.learner.env_steps, now)
            self._display.message(
                f"on {' '.join(now.values())} from step {self.learner.env_steps:,}, before on "
                f"{' '.join(before.values())}: the curve is not bit by bit that of an uninterrupted run"
            )

    def _note_session(self) -> None:
        """Says, here and in config.json, where other code goes on than began."""
        now = rundir.session(self.learner.env_steps)
        different = rundir.note_session(self.directory, now, self._place.table())
        if different:
            self._display.message(
                f"from step {self.learner.env_steps:,} on another program: {'; '.join(different)}. Bits may differ "
                "from those of an uninterrupted run"
            )

    def _is_complete(self) -> bool:
        return self.learner.env_steps >= self.config.steps

    def _open_tensorboard(self) -> Any:
        from torch.utils.tensorboard import SummaryWriter  # a second to import: only a training run pays for it

        # Steps after the checkpoint come again, those of a run killed before its first evaluation too.
        done = self.learner.env_steps
        return SummaryWriter(str(self.directory), purge_step=done + 1 if self._resumed else None)

    def train(self) -> int:
        """Trains to the end, or until SIGINT or SIGTERM.

        Returns:
            0, or the number of the signal.

        Raises:
            CannotWrite: the disk is full, or the like.
        """
        if self._resumed and self._is_complete():
            self.close()
            done = f"{self.learner.env_steps:,}"
            self._display.message(
                f"{self.directory} is complete; --resume --steps N, more than {done}, makes it longer"
            )
            self._summarise()
            return 0
        with contextlib.closing(self), interruptions() as signals, self._display:
            if self.learner.env_steps == 0:
                self._save()
            while self.learner.env_steps < self.config.steps and not signals:
                self._iterate()
            self._save()
        if signals:
            self._display.message(
                f"stopped by {signal.Signals(signals[0]).name} after {self.learner.env_steps:,} steps; "
                f"checkpoint saved. Continue with: qcmarl train --run-dir {self.directory} --resume"
            )
            return signals[0]
        self._summarise()
        return 0

    def close(self) -> None:
        """Closes files, threads and environments; `train` does it by itself."""
        for file in (self._metrics, self._tensorboard):
            with contextlib.suppress(OSError):  # lines that could not be written were missed when they were made
                file.close()
        self.learner.close()
        self._eval_env.close()

    def _iterate(self) -> None:
        began, before = time.perf_counter(), dict(self.learner.seconds)
        done = self.learner.env_steps
        metrics = self.learner.iterate()
        steps = self.learner.env_steps
        assert self.config.eval_every is not None
        before_it, count = (evaluations(s, self.config.eval_every, steps - done) for s in (done, steps))
        last = steps >= self.config.steps
        due = last or count > before_it
        if due:
            metrics = {**self._evaluate(mean_law=last or count % MEAN_LAW_EVERY == 0), **metrics}
        wall = time.perf_counter() - began
        self._wall += wall
        times = {f"time/{k}_share": (v - before[k]) / wall for k, v in self.learner.seconds.items()}
        times["time/env_steps_per_second"] = (steps - done) / wall
        self._log({"env_steps": steps, "wall_seconds": round(self._wall, 3), **metrics, **times})
        if due:
            self._save()
            self._offer(metrics)

    def _offer(self, evaluation: Mapping[str, float]) -> None:
        with self._writing(rundir.BEST):
            self._best.offer(evaluation, self.learner.policy, self.learner.env_steps)

    def _evaluate(self, mean_law: bool) -> dict[str, float]:
        seed = evaluation_seed(self.config.seed, self.learner.env_steps)
        battles = win_rates(self.learner.policy, self._eval_env, self.config.eval_battles, seed, mean_law)
        return {**battles, **self.learner.diagnostics(torch.Generator(self.device).manual_seed(seed))}

    def _log(self, line: dict[str, float]) -> None:
        with self._writing(rundir.METRICS):
            self._metrics.write(line)
        with self._writing("events.out.tfevents.*"):
            for name, value in line.items():
                if "/" in name:
                    self._tensorboard.add_scalar(name, value, line["env_steps"])
        self._latest.update(line)
        self._display.update(line)

    def _save(self) -> None:
        with self._writing(rundir.METRICS):
            written = self._metrics.position()
        content = {
            "config": self._description,
            "learner": self.learner.state_dict(),
            "torch": torch.get_rng_state(),
            "wall_seconds": self._wall,
            "metrics_bytes": written,
        }
        with self._writing(rundir.CHECKPOINT):
            checkpoint.save(self.directory / rundir.CHECKPOINT, content)
        self._saved = self.learner.env_steps

    @contextlib.contextmanager
    def _writing(self, name: str) -> Iterator[None]:
        """Says of a file that cannot be written what is kept all the same."""
        try:
            yield
        except OSError as error:
            kept = "nothing was saved yet: make room and start again"
            if self._saved is not None:
                kept = (
                    f"{self.directory / rundir.CHECKPOINT} is whole, after {self._saved:,} steps: make room and go on "
                    f"with: qcmarl train --run-dir {self.directory} --resume"
                )
            raise CannotWrite(
                f"{self.directory / name} cannot be written ({error.strerror or error}); {kept}"
            ) from error

    def _summarise(self) -> None:
        latest = self._latest
        rows = {
            "environment steps": f"{self.learner.env_steps:,}",
            "time": f"{clock(self._wall)}  ({self.learner.env_steps / max(self._wall, 1e-9):,.0f} steps/s)",
        }
        shares = {k: v / max(self._wall, 1e-9) for k, v in self.learner.seconds.items()}
        rows["of it"] = "  ".join(f"{name} {percent(share).strip()}" for name, share in shares.items())
        names = {
            "win rate, greedy": "eval/win_rate",
            "win rate, sampled": "eval/win_rate_sampled",
            "win rate, mean law": "eval/win_rate_mean_law",
        }
        rows.update({title: percent(latest[name]).strip() for title, name in names.items() if name in latest})
        if "eval/win_rate" not in latest:  # nothing is won there
            returns = {"return, greedy": "eval/return", "return, sampled": "eval/return_sampled"}
            rows.update({title: earned(latest[name]) for title, name in returns.items() if name in latest})
        rate, gained = self._best.rate(), self._best.earned()
        if gained is not None and self._best.evaluation["env_steps"] < self.learner.env_steps:
            best = earned(gained) if rate is None else percent(rate).strip()
            rows["best evaluation"] = f"{best}  (after {self._best.evaluation['env_steps']:,} steps)"
        rows["files"] = str(self.directory)
        self._display.summary(f"{self._description['algo']} on {self.config.env}, seed {self.config.seed}", rows)


def _is_longer(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Whether a run is asked for as it was, but for more steps. Nothing else depends on their number: schedules have
    lengths of their own, and `eval_every` is kept; so the longer run is the one that would have been."""
    had, asked = before["run"].get("steps"), now["run"]["steps"]
    same = {**before, "run": {**before["run"], "steps": asked}}
    return isinstance(had, int) and asked > had and not rundir.differences(same, now)


@contextlib.contextmanager
def interruptions() -> Iterator[list[int]]:
    """Collects SIGINT and SIGTERM in a list while open; a second one of a kind ends the process at once."""
    received: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        received.append(number)
        signal.signal(number, previous[number])

    numbers = (signal.SIGINT, signal.SIGTERM)
    previous = {int(number): signal.getsignal(number) for number in numbers}
    for number in previous:
        signal.signal(number, note)
    try:
        yield received
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
