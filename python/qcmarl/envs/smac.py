"""The real StarCraft II behind the contract of `base`: `VecSmac` runs SMAC's `StarCraft2Env`, a process per battle.

The user installs the game and the package (docs/environments.md); each that is missing is named with its remedy. A
game that dies is replaced and its battle counts as truncated.
"""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from qcmarl.envs.actions import available_actions
from qcmarl.envs.base import Integers, Step, as_integer
from qcmarl.envs.kept import LARGEST_SEED, KeptVec, drawn_seed
from qcmarl.envs.smac_install import SmacUnavailable
from qcmarl.envs.smac_process import Worker
from qcmarl.envs.smac_worker import Died, Look, Missing, Outcome, Ready, Settings

MAPS: tuple[str, ...] = (
    *("3m", "8m", "25m", "5m_vs_6m", "8m_vs_9m", "10m_vs_11m", "27m_vs_30m", "MMM", "MMM2", "2s3z", "3s5z"),
    *("3s5z_vs_3s6z", "3s_vs_3z", "3s_vs_4z", "3s_vs_5z", "1c3s5z", "2m_vs_1z", "corridor", "6h_vs_8z"),
    *("2s_vs_1sc", "so_many_baneling", "bane_vs_bane", "2c_vs_64zg"),
)
"""The maps that SMAC brings."""

_OWN_OPTIONS = ("map_name", "seed", "continuing_episode", "replay_dir", "replay_prefix")


class VecSmac(KeptVec):
    """`n_envs` battles of one SMAC map in StarCraft II, each in a game and a process of its own.

    The games are started by the first `reset`, which takes their seeds from its own; later resets begin new battles in
    the games that run, and the game does not promise equal battles for equal seeds. Observations, states, masks and
    rewards are SMAC's own; its time limit is `truncated`.

    If a game dies, its battle ends as truncated with reward 0 and the last look before as the final one; another game
    is started with another seed. `info["restarts"]` (B,) int32 counts them.

    Args:
        map_name: one of `MAPS`, or a map added to the installed package.
        n_envs: games, at least 1; each takes about a processor core and a gibibyte.
        restarts: how often in a row a game may be replaced without finishing a battle, at least 0.
        timeout: seconds after which a game that does not answer counts as dead.
        replay_dir: folder for replays; each game then saves one at `close`. None: none are saved.
        options: further arguments of `StarCraft2Env`, such as difficulty="7" or obs_last_action=True.

    Raises:
        SmacUnavailable: (an OSError) the package, its dependencies, the game or the map is missing; it says which and
            what to do.
        ValueError: for a number out of range or an option that is set here; TypeError for one that is no integer.
        RuntimeError: if `StarCraft2Env` refuses its arguments.

    Source: Samvelyan et al., The StarCraft Multi-Agent Challenge, 2019; the package is github.com/oxwhirl/smac.
    """

    def __init__(
        self,
        map_name: str,
        n_envs: int,
        *,
        restarts: int = 3,
        timeout: float = 300.0,
        replay_dir: str | Path | None = None,
        **options: Any,
    ) -> None:
        if not isinstance(map_name, str):
            raise TypeError(f"map_name must be a string, not {map_name!r}; the maps are {', '.join(MAPS)}")
        self.n_envs = as_integer(n_envs, "n_envs", 1)
        self._limit = as_integer(restarts, "restarts", 0)
        self._timeout = _as_timeout(timeout)
        _check_options(options)
        self.map_name, self.name = map_name, f"smac:{map_name}"
        folder = None if replay_dir is None else str(Path(replay_dir).resolve())
        # Replays are named by the second in which they are saved: without a prefix each, games would overwrite them.
        self._settings = [Settings(map_name, options, folder, f"{map_name}_{i}") for i in range(self.n_envs)]
        self._workers = [Worker(settings, self._timeout) for settings in self._settings]
        sizes, *_ = [self._ready(worker) for worker in self._workers]
        self.n_agents, self.n_enemies, self.n_actions = sizes.n_agents, sizes.n_enemies, sizes.n_actions
        self.obs_size, self.state_size = sizes.obs_size, sizes.state_size
        self.episode_limit, self.max_return = sizes.episode_limit, sizes.max_return
        self._allocate()
        self._step.info["restarts"] = np.zeros(self.n_envs, np.int32)
        self._in_a_row = np.zeros(self.n_envs, np.int64)

    def reset(self, seed: int = 0) -> Step:
        """Begin a battle in every game; the first call starts the games, with seeds that follow from `seed`.

        Args:
            seed: 0..2^64-1.

        Returns:
            The first `Step`; its reward is 0.

        Raises:
            SmacUnavailable: the game or the map is missing; RuntimeError: a game died too often.
        """
        seed = as_integer(seed, "seed", 0, LARGEST_SEED)
        self._check_open()
        self._open_books(seed)
        self._begin(range(self.n_envs))
        return self._step

    def step(self, actions: Integers) -> Step:
        """Play one step of every battle; see `VecSkirmish.step` for the actions.

        Raises:
            ValueError: for an action that is not available or a wrong shape; nothing has moved then.
            TypeError: for actions that are no integers.
            RuntimeError: a game died too often, or no battle has begun.
        """
        self._check_open()
        chosen = available_actions(actions, self.last_step().avail)
        for index, answer in enumerate(self._play(chosen.tolist())):
            if isinstance(answer, Outcome):
                self._note(index, answer)
            else:
                self._record_loss(index)
        self._begin(self._close_books())
        return self._step

    def save_replays(self) -> None:
        """Have every game save a replay of its battles since it was started, in `replay_dir` or the game's own folder.

        Raises:
            RuntimeError: for a game that could not.
        """
        self._check_open()
        for worker in self._workers:
            worker.ask("replay")
        answers = [worker.answer() for worker in self._workers]
        for index, answer in enumerate(answers):
            trouble = answer.reason if isinstance(answer, Died) else answer.trouble
            if trouble:
                raise RuntimeError(f"game {index} of {self.name} saved no replay: {trouble}")

    def close(self) -> None:
        """Stop the games, after saving their replays where `replay_dir` was given; arrays stay valid."""
        workers, self._workers = self._workers, []
        for index, worker in enumerate(workers):
            trouble = worker.close().trouble
            if trouble:
                warnings.warn(f"game {index} of {self.name}: {trouble}", RuntimeWarning, stacklevel=2)

    def _check_open(self) -> None:
        if not self._workers:
            raise RuntimeError(f"{self.name} is closed: its games are gone; make another")

    def _ready(self, worker: Worker) -> Ready:
        answer = worker.answer()
        if isinstance(answer, Ready):
            return answer
        self._kill()
        if isinstance(answer, Missing):
            raise SmacUnavailable(answer.message)
        raise RuntimeError(f"{self.name} could not be made: {answer.reason}")

    def _play(self, actions: list[list[int]]) -> list[Any]:
        if self._lost:
            self._lost = False
            return [Died("it was not saved")] * self.n_envs
        for worker, row in zip(self._workers, actions, strict=True):
            worker.ask("step", row)
        answers = [worker.answer() for worker in self._workers]
        for index, answer in enumerate(answers):
            if isinstance(answer, Died):
                self._replace(index, answer.reason)
        return answers

    def _note(self, index: int, outcome: Outcome) -> None:
        self._show(index, outcome.look)
        self._record(index, outcome.reward, outcome.terminated, outcome.truncated, outcome.battle_won)
        if outcome.terminated or outcome.truncated:
            self._in_a_row[index] = 0

    def _show(self, index: int, look: Look) -> None:
        step = self._step
        step.obs[index], step.state[index], step.avail[index] = look
        step.alive[index] = ~look.avail[:, 0]  # the no-op is for the dead, and for them alone

    def _begin(self, indices: Any) -> None:
        """Begin a battle in each of these games, in as many tries as it may take."""
        pending = list(indices)
        while pending:
            for index in pending:
                self._workers[index].ask("begin", self._game_seed(index))
            answers = [(index, self._workers[index].answer()) for index in pending]
            pending = []
            for index, answer in answers:
                if isinstance(answer, Look):
                    self._show(index, answer)
                elif isinstance(answer, Missing):
                    self._kill()
                    raise SmacUnavailable(answer.message)
                else:
                    self._replace(index, answer.reason)
                    pending.append(index)

    def _replace(self, index: int, reason: str) -> None:
        self._workers[index].kill()
        self._in_a_row[index] += 1
        self._step.info["restarts"][index] += 1
        if self._in_a_row[index] > self._limit:
            self._kill()
            raise RuntimeError(
                f"game {index} of {self.name} died {self._in_a_row[index]} times in a row without finishing a battle "
                f"(restarts={self._limit} are allowed); the last time: {reason}"
            )
        self._workers[index] = Worker(self._settings[index], self._timeout)
        self._ready(self._workers[index])

    def _game_seed(self, index: int) -> int:
        return drawn_seed(self._seed or 0, index, int(self._step.info["restarts"][index]))

    def _kill(self) -> None:
        workers, self._workers = self._workers, []
        for worker in workers:
            worker.kill()


def _as_timeout(timeout: object) -> float:
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)):
        raise TypeError(f"timeout must be a number of seconds, not {timeout!r}")
    if not (math.isfinite(timeout) and timeout > 0):
        raise ValueError(f"timeout is {timeout} s, must be positive and finite")
    return float(timeout)


def _check_options(options: dict[str, Any]) -> None:
    for key in _OWN_OPTIONS:
        if key in options:
            raise ValueError(f"the option {key} of StarCraft2Env is set by VecSmac and cannot be given")
