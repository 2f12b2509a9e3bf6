"""The command `qcmarl`: train, eval, report, study, actors, replay, play, game, export-circuit.

Options are the fields of frozen dataclasses, read by tyro. A user's mistake is one or two lines on stderr and exit
code 2.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

import tyro

from qcmarl import device, evaluated, evaluation, export, report, run, rundir
from qcmarl.algos import ALGORITHMS
from qcmarl.coordinator import play as without_centre
from qcmarl.coordinator.processes import TeamError
from qcmarl.envs.place import short_name
from qcmarl.evaluate import Battles, is_exact
from qcmarl.games import command as games
from qcmarl.hints import did_you_mean
from qcmarl.studies import command as studies
from qcmarl.studies.machine import cores
from qcmarl.watch import command as watch

HELP = f"""\
usage: qcmarl COMMAND [OPTIONS]

commands:
  train    train an algorithm in an environment, or go on with an interrupted run
  eval     win rates of a trained run over many episodes
  report   a table and learning curves over several runs
  study    many runs and what they show: tables, figures, pages
  actors   the agents of a run of entangled-mappo as files, and at play, each in a process of its own
  replay   battles of a trained run as a page for the browser and a GIF
  play     the same for a scripted policy
  game     what a non-local game is worth: classical, quantum and no-signalling values
  export-circuit  the circuit of one decision of a run as OpenQASM, for hardware

algorithms: {", ".join(ALGORITHMS)}

examples:
  qcmarl train --algo qc-mappo --env skirmish:3m --seed 0 --steps 500_000 --run-dir runs/3m-0
  qcmarl train --run-dir runs/3m-0 --resume
  qcmarl train --algo qc-mappo --env skirmish:8m_vs_9m --device cuda
  qcmarl eval runs/3m-0 --episodes 512
  qcmarl eval runs/3m-0 --noise global-depolarizing:1e-2
  qcmarl report runs/3m-*
  qcmarl study table1 --seeds 3
  qcmarl actors runs/chsh-0
  qcmarl replay runs/3m-0 --episodes 4
  qcmarl play --env skirmish:8m_vs_9m --policy focus-fire
  qcmarl game rendezvous-c5
  qcmarl export-circuit runs/3m-0 --step 10

'qcmarl COMMAND --help' lists the options; those of an algorithm: qcmarl train --algo NAME --help
"""


@dataclass(frozen=True)
class Process:
    """What does not decide the course of a run."""

    run_dir: Path | None = None
    """Directory of the run; default: runs/ENV-ALGO-SEED."""
    resume: bool = False
    """Go on with the run in `run_dir`; its options need not be repeated. With more --steps than before it becomes
    longer, a finished one too."""
    threads: int = min(cores(), 4)
    """Threads (>= 1); the results do not depend on it."""
    quiet: bool = False
    """Show no progress."""
    device: str = "cpu"
    """Where the networks compute: cpu; cuda or cuda:N, a GPU; auto, a GPU where there is one. Environments stay on the
    CPU. With --resume the default is where the run was; it may go on elsewhere."""


@dataclass(frozen=True)
class EvalOptions:
    """Win rates of a trained run over many episodes."""

    run: tyro.conf.Positional[Path]
    """Directory of the run."""
    episodes: int = 512
    """Episodes played greedily, and as many again by drawing from the law (>= 1)."""
    checkpoint: rundir.Which = "last"
    """Weights of the run's last checkpoint, or of its best evaluation, whose own rate is a flattering one."""
    mean_law: bool = False
    """Play once more with the measured law replaced by its mean over the visited observations."""
    reading: Annotated[tuple[Literal["mean", "shuffled"], ...], tyro.conf.UseAppendAction] = ()
    """Play once more with the reading of the circuit, or of what stands for it, replaced by its mean (as --mean-law),
    or by one drawn from the readings at all visited observations. May be given twice."""
    noise: str | None = None
    """Noise of the circuit or of the shared state, NAME:RATE as in training, or 'none'; default: the run's own. The run
    is left as it is."""
    out: Path | None = None
    """JSON file to write too: the settings, the rates, and won, return and length of every episode."""
    seed: int = 1_000_000
    """Seed of the battles, 0..2^63-1."""
    threads: int = min(cores(), 4)
    """Threads of the environment (>= 1)."""


@dataclass(frozen=True)
class ActorsOptions:
    """Execution without a centre: writes a file for each agent of a run of entangled-mappo and one of what they share,
    and plays them, each in a process of its own that is told its own observations and its own outcomes alone."""

    source: tyro.conf.Positional[Path]
    """Directory of a run; or a folder that this command wrote, which is played."""
    out: Path | None = None
    """Folder to write into; default: actors in the run's directory."""
    episodes: int | None = None
    """Episodes played, of a game rounds (>= 0; 0: the files are written, no more); default: 10000 rounds of a game, 64
    episodes elsewhere."""
    sampled: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Draw the local choices from the agents' laws; without it, the most probable ones are taken."""
    log: Path | None = None
    """Folder where each process writes down every message that it hears, a JSON object a line."""
    checkpoint: rundir.Which = "last"
    """Agents of the run's last checkpoint, or of its best evaluation."""
    seed: int = 1_000_000
    """Seed of questions, outcomes and actions, 0..2^63-1."""


@dataclass(frozen=True)
class ReportOptions:
    """Tables over runs, with intervals and tests over the seeds, and the learning curves: on the screen, as PNG and
    SVG, and as a page in Markdown and in HTML."""

    runs: tyro.conf.Positional[tuple[Path, ...]]
    """Directories of runs."""
    output: Path = Path("report.png")
    """The picture; the other files lie beside it under the same name. Of several environments each has its own, named
    after it too."""
    against: str | None = None
    """The runs that the others of their environment are tested against, by a part of the name in the table; default:
    the first."""


@dataclass(frozen=True)
class ReplayOptions:
    """Battles of a trained run, to be watched: replay.html (opens in any browser, needs no network), replay.gif, and
    the recording itself, replay.json, which can be drawn again."""

    source: tyro.conf.Positional[Path]
    """Directory of a run; or a replay.json, which is drawn and not played."""
    episodes: int | None = None
    """Battles, one after another (>= 1); default: 4."""
    out: Path | None = None
    """Folder to write into; default: replay in the run's directory, or where the replay.json lies."""
    greedy: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Take the most probable actions (the default)."""
    sampled: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Draw the actions from the policy's law."""
    checkpoint: rundir.Which = "last"
    """Weights of the run's last checkpoint, or of its best evaluation."""
    seed: int | None = None
    """Seed of battles and actions, 0..2^63-1; default: 1000000."""
    gif: bool = True
    """Write the GIF too."""


@dataclass(frozen=True)
class PlayOptions:
    """Battles of a scripted policy, to be watched, as `qcmarl replay` writes them."""

    env: str | None = None
    """Environment, skirmish:MAP; default: skirmish:3m, or that of the run."""
    policy: str = "focus-fire"
    """random, nearest, focus-fire, hold, or the directory of a run."""
    episodes: int = watch.EPISODES
    """Battles, one after another (>= 1)."""
    out: Path | None = None
    """Folder to write into; default: replays/ENV-POLICY-SEED."""
    sampled: Annotated[bool, tyro.conf.FlagCreatePairsOff] = False
    """Draw the actions from the law of a run's policy; without it, the most probable ones are taken."""
    seed: int | None = None
    """Seed of battles and actions, 0..2^63-1; default: 1000000."""
    gif: bool = True
    """Write the GIF too."""


PIPE = 13
"""SIGPIPE, which Windows has no name for."""


class UsageError(ValueError):
    """A mistake on the command line."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command; ends the process with 0, 2 for a user's mistake, 1 where a run's files cannot be written, or
    128 + the number of a signal."""
    try:
        try:
            run_command(list(sys.argv[1:] if arguments is None else arguments))
        finally:
            sys.stdout.flush()
    except BrokenPipeError:  # who read the output, such as head, has enough
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(128 + PIPE)


def run_command(given: list[str]) -> NoReturn:
    """What the arguments ask for; raises SystemExit."""
    if not given or given[0] in ("-h", "--help"):
        print(HELP, end="")
        sys.exit(0 if given else 2)
    command = COMMANDS.get(given[0])
    if command is None:
        fail(f"unknown command '{given[0]}'; the commands are {', '.join(COMMANDS)}")
    try:
        sys.exit(command(given[1:]))
    except UsageError as error:
        fail(str(error))
    except KeyboardInterrupt:
        sys.exit(130)


@contextlib.contextmanager
def mistakes() -> Iterator[None]:
    """Calls what goes wrong inside a user's mistake.

    Open around what reads options, files and configurations. Errors met while training or playing are the program's
    own and keep their traceback.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except (ValueError, TypeError, OSError, ModuleNotFoundError) as error:
        raise UsageError(str(error)) from error


def fail(message: str, code: int = 2) -> NoReturn:
    """Says what was wrong and ends the process."""
    print(f"qcmarl: {message}", file=sys.stderr)
    sys.exit(code)


def train(arguments: list[str]) -> int:
    """`qcmarl train`."""
    with mistakes():
        begun = prepare(arguments)
    try:
        code = begun.train()
    except run.CannotWrite as error:
        fail(str(error), 1)
    return 128 + code if code else 0


def prepare(arguments: list[str]) -> run.Run:
    """The run that the arguments of `qcmarl train` describe."""
    resume, directory = "--resume" in arguments, value_of(arguments, "--run-dir", "--run_dir")
    kept = run.kept_settings(Path(directory)) if resume and directory is not None else None
    algo = value_of(arguments, "--algo") or (kept[0] if kept else "mappo")
    if algo not in ALGORITHMS:
        likeliest = did_you_mean(algo, ALGORITHMS, quote="'")
        raise UsageError(f"unknown algorithm '{algo}'; the algorithms are {', '.join(ALGORITHMS)}{likeliest}")
    if kept and algo != kept[0]:
        raise UsageError(
            f"{directory} is a run of {kept[0]}, not of {algo}; leave out --algo, or choose another --run-dir"
        )
    algorithm = ALGORITHMS[algo]
    defaults = kept[1:] if kept else (run.RunConfig(), algorithm.config())
    was_on = rundir.last_device(Path(directory))["device"] if kept and directory is not None else "cpu"
    options = parse(train_options(algo, algorithm.config), arguments, "train", algo, *defaults, Process(device=was_on))
    config, process = run.resolve(options.run), options.process
    if process.threads < 1:
        raise UsageError(f"threads is {process.threads}; it must be at least 1")
    if process.resume and process.run_dir is None:
        raise UsageError("--resume needs --run-dir, the run to go on with")
    where = process.run_dir or Path("runs") / f"{short_name(config.env)}-{algo}-{config.seed}"
    # What a run keeps was resolved when it began, by the rules of then.
    same = kept is not None and options.algorithm == kept[2]
    resolved = options.algorithm if same else algorithm.resolve(options.algorithm, config.env)
    on = device.chosen(process.device)
    return run.Run(algo, config, resolved, where, process.resume, process.threads, process.quiet, on)


def train_options(algo: str, config: type[Any]) -> type[Any]:
    """The options of one algorithm, all at one level."""
    flat = tyro.conf.arg(name="")
    names = ", ".join(ALGORITHMS)
    fields: list[tuple[str, Any, Any]] = [
        ("algo", Annotated[str, tyro.conf.arg(help=f"Algorithm: {names}.")], dataclasses.field(default=algo)),
        ("run", Annotated[run.RunConfig, flat], dataclasses.field(default_factory=run.RunConfig)),
        ("process", Annotated[Process, flat], dataclasses.field(default_factory=Process)),
        ("algorithm", Annotated[config, flat], dataclasses.field(default_factory=config)),
    ]
    return dataclasses.make_dataclass("Train", fields, frozen=True)


def parse(options: type[Any], arguments: list[str], command: str, *defaults: Any) -> Any:
    """Reads options with tyro; what it says of a mistake is cut down to its sentence."""
    default = None
    if defaults:
        algo, run_default, algorithm_default, process = defaults
        default = options(algo=algo, run=run_default, algorithm=algorithm_default, process=process)
    said = io.StringIO()
    try:
        with contextlib.redirect_stderr(said):
            extra = {} if default is None else {"default": default}
            return tyro.cli(options, prog=f"qcmarl {command}", args=arguments, **extra)
    except SystemExit as stop:
        if stop.code in (0, None):
            raise
        problem = sentence(said.getvalue())
        raise UsageError(
            problem + whole(problem, arguments) + hint(arguments, option_names(options, default))
        ) from None


def whole(problem: str, arguments: list[str]) -> str:
    """How a whole number that was given as 1e6 is written; empty where that is not what a message is about.

    >>> whole("Error parsing --steps: invalid value", ["train", "--steps", "1.5e6"])
    ' (write 1_500_000)'
    """
    named = re.match(r"Error parsing (--[\w-]+)", problem)
    given = value_of(arguments, named[1], named[1].replace("-", "_").replace("__", "--", 1)) if named else None
    if given is None or not re.fullmatch(r"\d+(\.\d*)?[eE]\+?\d{1,2}", given) or not float(given).is_integer():
        return ""
    return f" (write {int(float(given)):_})"


def option_names(options: type[Any], default: Any = None) -> list[str]:
    """Names such as --run-dir of all fields that are given by name, those of nested configurations too."""
    names = []
    for field in dataclasses.fields(options):
        value = getattr(default, field.name, None)
        if dataclasses.is_dataclass(value):
            names += option_names(type(value), value)
        elif "Positional" not in str(field.type):
            names.append("--" + field.name.replace("_", "-"))
    return names


def hint(arguments: Sequence[str], known: Sequence[str]) -> str:
    """The option that the first unknown one may have been meant for, in words; empty where none is near."""
    given = (a.partition("=")[0].replace("_", "-") for a in arguments if a.startswith("--"))
    spoken = {*known, *("--no-" + name[2:] for name in known)}
    unknown = next((name for name in given if name not in spoken), None)
    return did_you_mean(unknown, known) if unknown else ""


def sentence(box: str) -> str:
    """What one of tyro's messages says first, on one line: its title, frame, colours and advice are left out.

    A frame is drawn with box characters and holds the title, or, where the terminal lacks those, it is dashes below it.
    """
    plain = re.sub(r"\x1b\[[0-9;]*m", "", box)
    paragraphs = re.split(r"^[│ ]*(?:╭.*|╰.*|[─-]{3,}[│ ]*)$", plain, flags=re.MULTILINE)
    texts = [" ".join(p.replace("│", " ").split()) for p in paragraphs]
    return texts[1] if len(texts) > 1 else plain.strip()


def value_of(arguments: list[str], *names: str) -> str | None:
    """The value given to an option, before the options are known in full."""
    for i, argument in enumerate(arguments):
        name, equals, value = argument.partition("=")
        if name in names:
            return value if equals else arguments[i + 1] if i + 1 < len(arguments) else None
    return None


def evaluate(arguments: list[str]) -> int:
    """`qcmarl eval`."""
    with mistakes():
        options = parse(EvalOptions, arguments, "eval")
        for name in ("episodes", "threads"):
            if getattr(options, name) < 1:
                raise UsageError(f"{name} is {getattr(options, name)}; it must be at least 1")
        check_seed(options.seed)
        mean, shuffled = options.mean_law or "mean" in options.reading, "shuffled" in options.reading
        if options.out is not None and (options.out.is_dir() or not options.out.parent.is_dir()):
            raise UsageError(f"out is {options.out}; it must be a file in a folder that is there")
        trained = evaluation.load(
            options.run, options.episodes, mean, options.threads, options.noise, shuffled, options.checkpoint
        )
    played: dict[str, Battles] = {}
    metrics = evaluation.evaluate(trained, options.episodes, mean, options.seed, shuffled, played)
    exact = is_exact(trained.policy, trained.env)
    evaluated.show(options.run, options.episodes, metrics, played, options.noise, exact, options.checkpoint)
    if options.out is not None:
        reading = [name for name, asked in (("mean", mean), ("shuffled", shuffled)) if asked]
        settings = {name: getattr(options, name) for name in ("episodes", "seed", "noise", "checkpoint")}
        settings["reading"] = reading
        with mistakes():
            evaluated.write(options.out, options.run, settings, metrics, played, trained.env.tells_wins)
        print(f"episodes: {options.out}")
    return 0


def check_seed(seed: int | None) -> None:
    """Raises UsageError for a seed out of range."""
    if seed is not None and not 0 <= seed <= run.LARGEST_SEED:
        raise UsageError(f"seed is {seed}; it must be within 0..{run.LARGEST_SEED}")


def actors(arguments: list[str]) -> int:
    """`qcmarl actors`."""
    with mistakes():
        o = parse(ActorsOptions, arguments, "actors")
        check_seed(o.seed)
        production = without_centre.prepare(o.source, o.out, o.episodes, not o.sampled, o.seed, o.log, o.checkpoint)
    try:
        without_centre.produce(production)
    except TeamError as error:  # a file of the folder was changed, or a process was ended from outside
        raise UsageError(str(error)) from error
    return 0


def replay(arguments: list[str]) -> int:
    """`qcmarl replay`."""
    with mistakes():
        o = parse(ReplayOptions, arguments, "replay")
        check_seed(o.seed)
        production = watch.prepare_replay(o.source, o.episodes, o.out, o.greedy, o.sampled, o.seed, o.gif, o.checkpoint)
    watch.produce(production)
    return 0


def play(arguments: list[str]) -> int:
    """`qcmarl play`."""
    with mistakes():
        o = parse(PlayOptions, arguments, "play")
        check_seed(o.seed)
        production = watch.prepare_play(o.env, o.policy, o.episodes, o.out, o.sampled, o.seed, o.gif)
    watch.produce(production)
    return 0


def game(arguments: list[str]) -> int:
    """`qcmarl game`."""
    with mistakes():
        prepared = games.prepare(parse(games.GameOptions, arguments, "game"))
    games.show(prepared)
    return 0


def summarise(arguments: list[str]) -> int:
    """`qcmarl report`."""
    with mistakes():
        options = parse(ReportOptions, arguments, "report")
        if not options.runs:
            raise UsageError("name at least one run directory: qcmarl report RUN...")
        report.report(options.runs, options.output, options.against)
    return 0


def study(arguments: list[str]) -> int:
    """`qcmarl study`."""
    with contextlib.ExitStack() as held:
        with mistakes():
            prepared = studies.prepare(parse(studies.StudyOptions, arguments, "study"))
            pool = held.enter_context(studies.opened(prepared))
        return studies.study(prepared, pool)


def export_circuit(arguments: list[str]) -> int:
    """`qcmarl export-circuit`."""
    with mistakes():
        options = parse(export.ExportOptions, arguments, "export-circuit")
        check_seed(options.seed)
        print(export.export(options))
    return 0


COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "train": train,
    "eval": evaluate,
    "report": summarise,
    "study": study,
    "actors": actors,
    "replay": replay,
    "play": play,
    "game": game,
    "export-circuit": export_circuit,
}
