"""What `qcmarl replay` and `qcmarl play` do: choose who plays, play, write replay.json, replay.html and replay.gif.

Called by `cli`. `prepare_*` raise ValueError for a user's mistakes and play nothing; `produce` plays and writes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from qcmarl import rundir
from qcmarl.envs import VecSkirmish
from qcmarl.envs.place import Place
from qcmarl.envs.scripted import POLICIES, named
from qcmarl.watch import gif, page, recording
from qcmarl.watch.play import record
from qcmarl.watch.players import Scripted, Trained, Watched
from qcmarl.watch.recording import Episode, Recording

EPISODES = 4
RECORDING, PAGE, GIF = "replay.json", "replay.html", "replay.gif"
USUAL_ENV = "skirmish:3m"
USUAL_SEED = 1_000_000
"""Far from the seeds of training, as that of `qcmarl eval`."""


@dataclass(frozen=True)
class Production:
    """What is to be drawn, and where."""

    make: Callable[[Console], Recording]
    """Plays, or reads."""
    out: Path
    gif: bool
    keep: bool
    """Whether the recording is new and is written too."""


def prepare_replay(
    source: Path,
    episodes: int | None,
    out: Path | None,
    greedy: bool,
    sampled: bool,
    seed: int | None,
    with_gif: bool,
    which: rundir.Which = "last",
) -> Production:
    """For `qcmarl replay`: a run plays, or a recording is drawn again."""
    if greedy and sampled:
        raise ValueError("--greedy and --sampled exclude each other")
    if source.is_file() or source.suffix == ".json":
        given = {
            "--episodes": episodes is not None,
            "--greedy": greedy,
            "--sampled": sampled,
            "--seed": seed is not None,
            "--checkpoint": which != "last",
        }
        refused = [name for name, is_given in given.items() if is_given]
        if refused:
            raise ValueError(f"{source} is a recording: its battles are played already; leave out {', '.join(refused)}")
        kept = recording.read(source)
        return Production(lambda console: kept, _folder(out or source.parent, with_gif), with_gif, keep=False)
    env = _battlefield(rundir.kept_place(source))
    player = Trained(source, env, not sampled, which)
    return _new(env, player, EPISODES if episodes is None else episodes, seed, out or source / "replay", with_gif)


def prepare_play(
    env_name: str | None, policy: str, episodes: int, out: Path | None, sampled: bool, seed: int | None, with_gif: bool
) -> Production:
    """For `qcmarl play`: a scripted policy plays, or a run where its directory is named."""
    run = Path(policy)
    if policy not in POLICIES and run.is_dir():
        env = _battlefield(Place.read(env_name) if env_name else rundir.kept_place(run))
        player: Watched = Trained(run, env, greedy=not sampled)
        label = run.resolve().name
    else:
        _known(policy)
        if sampled:
            raise ValueError(f"--sampled is for the policy of a run; '{policy}' is a script")
        env = _battlefield(Place.read(env_name or USUAL_ENV))
        player, label = Scripted(policy, env), policy
    usual = Path("replays") / f"{env.name.replace(':', '-')}-{label}-{USUAL_SEED if seed is None else seed}"
    return _new(env, player, episodes, seed, out or usual, with_gif)


def _known(policy: str) -> None:
    """Raises ValueError unless it is a scripted policy."""
    try:
        named(policy)
    except ValueError as error:
        raise ValueError(f"{error}; or name the directory of a run") from None


def _battlefield(place: Place) -> VecSkirmish:
    env = place.make(1, 1)
    if not isinstance(env, VecSkirmish):
        raise ValueError(f"{place.env} cannot be recorded; only skirmish:MAP can")
    return env


def _new(env: VecSkirmish, player: Watched, episodes: int, seed: int | None, out: Path, with_gif: bool) -> Production:
    if episodes < 1:
        raise ValueError(f"episodes is {episodes}; it must be at least 1")
    chosen = USUAL_SEED if seed is None else seed

    def play(console: Console) -> Recording:
        def tell(number: int, episode: Episode) -> None:
            console.print(
                f"battle {number + 1} of {episodes}: {episode['outcome']} after {episode['length']} steps, "
                f"return {episode['return']:.2f}"
            )

        console.print(f"{env.name}, {player.name}", soft_wrap=True)
        return record(env, player, episodes, chosen, tell)

    return Production(play, _folder(out, with_gif), with_gif, keep=True)


def _folder(out: Path, with_gif: bool) -> Path:
    """The folder, made; what a GIF needs is asked for now and not after the battles."""
    if with_gif:
        gif.check()
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"the folder {out} cannot be made: {error.strerror}") from None
    return out


def produce(production: Production) -> None:
    """Plays, writes and says what was written."""
    console = Console(highlight=False)
    made = production.make(console)
    written = [production.out / PAGE]
    if production.keep:
        written.insert(0, production.out / RECORDING)
        recording.write(made, written[0])
    page.write(made, production.out / PAGE)
    if production.gif:
        written.append(production.out / GIF)
        _draw(made, production.out / GIF, console)
    for path in written:
        console.print(f"{path}  {_size(path)}", soft_wrap=True)
    console.print(f"open {production.out / PAGE} in a browser", soft_wrap=True)


def _draw(made: Recording, path: Path, console: Console) -> None:
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("drawing the GIF", total=None)
        gif.write(made, path, lambda done, of: bar.update(task, completed=done, total=of))


def _size(path: Path) -> str:
    return f"{path.stat().st_size / 1000:,.0f} kB"
