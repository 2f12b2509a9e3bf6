"""A team whose agents are processes: each has a pipe to the device that it shares with the others, and a pipe to who
asks it. Called by `play`.

Those two pipes are all that an agent has: it is told its own observations (`Look`) and its own outcomes (`Outcome`).
The device has a pipe to each agent, and none to who asks them. Nobody can reach anybody by another way: the ends of a
pipe go to the two processes that they join, and are closed everywhere else.
"""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import signal
from collections.abc import Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import numpy as np
import numpy.typing as npt
import torch

from qcmarl.coordinator import actors, source
from qcmarl.coordinator.actors import own_seed
from qcmarl.parallel import use_one_torch_thread

PATIENCE = 120.0
"""Seconds to wait for an answer: on a loaded machine a process takes half a minute to start."""
FAREWELL = 5.0
"""Seconds that a process has to end by itself."""


class Look(NamedTuple):
    """To an agent: what it sees in B episodes."""

    obs: npt.NDArray[np.float32]
    """(B, O) its own observations."""
    avail: npt.NDArray[np.bool_]
    """(B, A)."""
    start: npt.NDArray[np.bool_]
    """(B,) where an episode begins."""


class Acts(NamedTuple):
    """From an agent: what it does."""

    actions: npt.NDArray[np.int64]
    """(B,)."""


class Setting(NamedTuple):
    """To the device, from one of its parties."""

    setting: npt.NDArray[np.float32] | int
    """(B, K, V) effects; where it hands out a random number, B."""


class Outcome(NamedTuple):
    """From the device, to the party that asked."""

    values: npt.NDArray[np.int64]
    """(B,)."""


class Ready(NamedTuple):
    """From a process that has read its file."""


class Failed(NamedTuple):
    """From a process that cannot go on."""

    reason: str


class TeamError(RuntimeError):
    """A process of the team failed or is gone."""


class Gone(Exception):
    """Who should answer does not."""


class Line:
    """One end of a pipe whose other end has a name.

    Args:
        pipe: the end.
        name: of who is at the other.
        log: where every message heard is written, a JSON object a line; None: nowhere.
        patience: seconds to wait for an answer; None: for ever.
    """

    def __init__(self, pipe: Connection, name: str, log: TextIO | None = None, patience: float | None = None) -> None:
        self.pipe, self.name = pipe, name
        self._log, self._patience = log, patience

    def say(self, message: NamedTuple) -> None:
        """Raises Gone where nobody is left to hear it."""
        try:
            self.pipe.send(message)
        except OSError:
            raise Gone(f"{self.name} is gone: its process ended") from None

    def hear(self) -> Any:
        """The next message; raises Gone where none comes, or where it is a `Failed`."""
        try:
            if not self.pipe.poll(self._patience):
                raise Gone(f"{self.name} gives no answer within {self._patience:g} s")
            message = self.pipe.recv()
        except (EOFError, OSError):
            raise Gone(f"{self.name} is gone: its process ended") from None
        if self._log is not None:
            self._log.write(json.dumps({"from": self.name, **_described(message)}) + "\n")
        if isinstance(message, Failed):
            raise Gone(message.reason)
        return message


def _described(message: Any) -> dict[str, Any]:
    content = {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in message._asdict().items()}
    return {"message": type(message).__name__, **content}


class Behaviour(NamedTuple):
    """How a process plays."""

    seed: int
    """Its own, of everything that it draws. One for all would be a random number that they share."""
    greedy: bool
    """As for `Actor`."""
    log: Path | None
    """Folder where each process writes down every message that it hears."""
    patience: float
    """Seconds to wait for an answer."""


def run_actor(path: Path, party: int, asker: Connection, device: Connection, behaviour: Behaviour) -> None:
    """The process of one agent: its own file and two pipes."""
    _stand_alone()
    with contextlib.ExitStack() as held:
        log = _log(behaviour, f"actor-{party}", held)
        asking = Line(asker, "the referee", log)
        sharing = Line(device, "the outcome source", log, behaviour.patience)
        with contextlib.suppress(Gone):  # of the referee, the game is over
            try:
                actor = actors.load(path, behaviour.seed, behaviour.greedy)
                if actor.carried.agent != party:
                    raise ValueError(f"{path} is of agent {actor.carried.agent}, and was started as agent {party}")
                sharing.hear()
            except (ValueError, Gone) as error:
                asking.say(_failure(party, error))
                return
            asking.say(Ready())
            while True:
                asking.say(_decided(actor, asking.hear(), sharing))


def _decided(actor: actors.Actor, look: Look, device: Line) -> Acts | Failed:
    try:
        effects = actor.setting(look.obs, look.avail, look.start)
        device.say(Setting(len(effects) if actor.looks_up else effects.numpy()))
        return Acts(actor.act(device.hear().values).numpy())
    except (ValueError, Gone) as error:
        return _failure(actor.carried.agent, error)


def _failure(party: int, error: ValueError | Gone) -> Failed:
    """Of an agent: what is its own is said to be; who is gone has a name already."""
    return Failed(str(error) if isinstance(error, Gone) else f"agent {party}: {error}")


def run_source(path: Path, pipes: Sequence[Connection], behaviour: Behaviour) -> None:
    """The process of the device: what is shared, and a pipe to each party, by which it knows who asks."""
    _stand_alone()
    with contextlib.ExitStack() as held:
        log = _log(behaviour, "source", held)
        parties = [Line(pipe, f"agent {i}", log) for i, pipe in enumerate(pipes)]
        try:
            device = source.load(path, behaviour.seed)
            if device.parties != len(parties):
                raise ValueError(f"{path} is shared by {device.parties} agents; there are {len(parties)}")
        except ValueError as error:
            _tell(parties, Failed(str(error)))
            return
        _tell(parties, Ready())
        _hand_out(device, parties)


def _hand_out(device: source.OutcomeSource, parties: Sequence[Line]) -> None:
    """Answers whoever asks, until all have gone."""
    left = {line.pipe: i for i, line in enumerate(parties)}
    while left:
        for pipe in wait(list(left)):
            assert isinstance(pipe, Connection)
            party = left[pipe]
            try:
                parties[party].say(_measured(device, party, parties[party].hear()))
            except Gone:
                del left[pipe]


def _measured(device: source.OutcomeSource, party: int, asked: Setting) -> Outcome | Failed:
    setting = asked.setting
    try:
        return Outcome(
            device.outcome(party, setting if isinstance(setting, int) else torch.from_numpy(setting)).numpy()
        )
    except ValueError as error:
        return Failed(f"the outcome source refuses agent {party}: {error}")


def _tell(parties: Sequence[Line], message: NamedTuple) -> None:
    for line in parties:
        with contextlib.suppress(Gone):
            line.say(message)


def _log(behaviour: Behaviour, name: str, held: contextlib.ExitStack) -> TextIO | None:
    if behaviour.log is None:
        return None
    return held.enter_context((behaviour.log / f"{name}.jsonl").open("w"))


def _stand_alone() -> None:
    """Leaves the terminal's interrupts to the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    use_one_torch_thread()


class Team:
    """Agents and their device, each in a process of its own, started and ended here.

    The first failure is the end of it: some agents may have measured their parts of a batch and others not, and all
    later answers would be of parts that do not belong together.

    Args:
        files: of the agents, in their order; each process is given its own.
        shared: file of what they share; only the device's process is given it.
        seed: of everything that they draw, 0..2^63-1.
        greedy: as for `Actor`.
        log: folder where each process writes down every message that it hears, a JSON object a line, in actor-I.jsonl
            and source.jsonl; it must be there. None: nothing is written.
        patience: seconds to wait for an answer.

    Raises:
        TeamError: a file cannot be used, the files do not fit, or a process does not start.
    """

    def __init__(
        self,
        files: Sequence[Path],
        shared: Path,
        seed: int = 0,
        greedy: bool = True,
        log: Path | None = None,
        patience: float = PATIENCE,
    ) -> None:
        behaviours = [Behaviour(own_seed(seed, i), greedy, log, patience) for i in range(len(files) + 1)]
        self._order = np.random.default_rng([seed, len(files) + 1])
        # A child forked from here would inherit every pipe. The server of forks has none, and has imported torch once
        # for all: processes get the pipes that they are given.
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([__name__])
        asking = [context.Pipe() for _ in files]
        sharing = [context.Pipe() for _ in files]
        self._lines = [Line(ours, f"agent {i}", None, patience) for i, (ours, _) in enumerate(asking)]
        theirs = [end for _, end in asking] + [end for pair in sharing for end in pair]
        source_ends = [end for _, end in sharing]
        self._ended: str | None = None
        self._processes: list[BaseProcess] = []
        try:
            try:
                self.device = self._started(
                    context.Process(target=run_source, args=(shared, source_ends, behaviours[-1]))
                )
                self.actors = [
                    self._started(
                        context.Process(target=run_actor, args=(file, i, asking[i][1], sharing[i][0], behaviours[i]))
                    )
                    for i, file in enumerate(files)
                ]
            finally:
                for end in theirs:
                    end.close()
            self._from_all(Ready)
        except TeamError:
            self.close()
            raise

    def _started(self, process: BaseProcess) -> BaseProcess:
        process.daemon = True
        try:
            process.start()
        except (EOFError, OSError) as error:  # the first is what is heard of a server of forks that ended
            raise TeamError(f"a process of the team does not start: {str(error) or 'its server is gone'}") from error
        self._processes.append(process)
        return process

    def act(
        self, obs: npt.NDArray[np.float32], avail: npt.NDArray[np.bool_], start: npt.NDArray[np.bool_]
    ) -> npt.NDArray[np.int64]:
        """Asks each agent what it does, one by one, in an order drawn anew each time: who comes first is without effect
        on the odds, and the same seed gives the same actions.

        Args:
            obs: (B, n, O).
            avail: (B, n, A).
            start: (B,) where an episode begins.

        Returns:
            (B, n) actions.

        Raises:
            TeamError: an agent, or the device behind it, fails or is gone, or did so before.
        """
        if self._ended is not None:
            raise TeamError(f"the team ended before ({self._ended}); start another one")
        self._ended = "a turn was broken off"  # until all have answered
        actions = np.zeros(obs.shape[:2], np.int64)
        for agent in self._order.permutation(len(self._lines)):
            look = Look(obs[:, agent].copy(), avail[:, agent].copy(), start.copy())
            actions[:, agent] = self._answer(agent, Acts, look).actions
        self._ended = None
        return actions

    def close(self) -> None:
        """Ends the processes: agents whose referee has gone end, and the device when all agents have."""
        for line in self._lines:
            line.pipe.close()
        for process in reversed(self._processes):
            process.join(FAREWELL)
            if process.exitcode is None:
                process.kill()
                process.join()

    def __enter__(self) -> Team:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _from_all(self, kind: type[Any]) -> None:
        for agent in range(len(self._lines)):
            self._answer(agent, kind)

    def _answer(self, agent: int, kind: type[Any], question: Look | None = None) -> Any:
        line = self._lines[agent]
        try:
            if question is not None:
                line.say(question)
            answer = line.hear()
        except Gone as gone:
            self._ended = str(gone)
            raise TeamError(self._ended) from None
        assert isinstance(answer, kind)
        return answer
