"""The process that holds one StarCraft II. Started by `smac_process`, which asks over a pipe.

Each question has one answer. Questions are pairs (verb, argument): ("begin", seed), ("step", actions),
("replay", None), ("close", None). Answers are `Ready`, `Look`, `Outcome`, `Done`, `Missing` or `Died`. After `Died` and
`Missing` the process ends: a game that crashed is replaced together with its process, so that nothing of it is left.
"""

from __future__ import annotations

import math
import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

import numpy as np

from qcmarl.envs.base import Bools, Floats
from qcmarl.envs.smac_install import SmacUnavailable, battle_class, check_game


class Ready(NamedTuple):
    """The sizes of the map; the game has not been started."""

    n_agents: int
    n_enemies: int
    n_actions: int
    obs_size: int
    state_size: int
    episode_limit: int
    max_return: float


class Look(NamedTuple):
    """What is seen of a battle."""

    obs: Floats
    """(n, O) float32."""
    state: Floats
    """(S,) float32."""
    avail: Bools
    """(n, A) bool."""


class Outcome(NamedTuple):
    """What a step did, and what is seen after it, before any restart."""

    reward: float
    terminated: bool
    truncated: bool
    battle_won: bool
    look: Look


class Done(NamedTuple):
    """Saved or closed; `trouble` says what went wrong on the way."""

    trouble: str = ""


class Missing(NamedTuple):
    """Something is not installed."""

    message: str


class Died(NamedTuple):
    """The game or its process is gone."""

    reason: str


class GameDied(Exception):
    """StarCraft II stopped answering in the middle of a battle."""


class Settings(NamedTuple):
    """What a game is started with; picklable."""

    map_name: str
    options: dict[str, Any]
    """Further arguments of `StarCraft2Env`."""
    replay_dir: str | None
    replay_prefix: str


class Game:
    """One `StarCraft2Env` and its battles.

    Args:
        settings: what it is started with.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._make = battle_class()
        self._env = self._build(0)
        self._seed = 0
        self._launched = False
        self._steps = 0
        self._finished = 0

    def ready(self) -> Ready:
        """The sizes, which need no game."""
        env, info = self._env, self._env.get_env_info()
        return Ready(
            n_agents=int(info["n_agents"]),
            n_enemies=int(env.n_enemies),
            n_actions=int(info["n_actions"]),
            obs_size=int(info["obs_shape"]),
            state_size=int(info["state_shape"]),
            episode_limit=int(info["episode_limit"]),
            max_return=self._max_return(),
        )

    def begin(self, seed: int) -> Look:
        """Begin the next battle; `seed` counts where that starts the game."""
        if not self._launched:
            check_game(self.settings.map_name)
        if self._finished == 0 and (self._steps > 0 or seed != self._seed):
            # Reset within its first battle, SMAC starts a second game and counts the enemies' hp twice.
            self._env.close()
            self._env, self._seed, self._launched, self._steps = self._build(seed), seed, False, 0
        if not self._launched or self._steps > 0:
            self._env.reset()
        self._launched, self._steps = True, 0
        return self._look()

    def step(self, actions: list[int]) -> Outcome:
        """Play a step; raises GameDied where SMAC reports, by an empty info, that it had to start another game."""
        reward, over, info = self._env.step(actions)
        if over and "battle_won" not in info:
            raise GameDied("StarCraft II stopped answering")
        self._steps += 1
        self._finished += bool(over)
        cut = bool(over and info.get("episode_limit", False))
        return Outcome(float(reward), bool(over) and not cut, cut, bool(info["battle_won"]), self._look())

    def save_replay(self) -> Done:
        """Save a replay of every battle since the game was started."""
        if not self._launched:
            return Done("no game has been started, so there is no replay")
        try:
            self._env.save_replay()
        except Exception as error:  # the game goes on, or is stopped, whatever happens to its replay
            return Done(f"the replay was not saved: {_words(error)}")
        return Done()

    def finish(self) -> Done:
        """Save the replay if that was asked for, and stop the game."""
        wanted = self.settings.replay_dir is not None and self._launched
        saved = self.save_replay() if wanted else Done()
        self.stop()
        return saved

    def stop(self) -> None:
        """Stop the game."""
        self._env.close()

    def _build(self, seed: int) -> Any:
        settings = self.settings
        replay = {} if settings.replay_dir is None else {"replay_dir": settings.replay_dir}
        # Without continuing_episode SMAC does not tell its time limit from a defeat.
        return self._make(
            map_name=settings.map_name,
            seed=seed,
            continuing_episode=True,
            replay_prefix=settings.replay_prefix,
            **replay,
            **settings.options,
        )

    def _look(self) -> Look:
        env = self._env
        return Look(
            np.stack(env.get_obs()).astype(np.float32),
            np.asarray(env.get_state(), dtype=np.float32),
            np.asarray(env.get_avail_actions()) == 1,
        )

    def _max_return(self) -> float:
        """The return of a clean win, which SMAC scales to `reward_scale_rate`; without that it is not known yet."""
        env = self._env
        return float(env.reward_scale_rate) if env.reward_scale and not env.reward_sparse else math.nan


def serve(pipe: Connection, settings: Settings) -> None:
    """Answer questions until asked to close or until nobody is left to ask."""
    _stand_alone()
    game = _answered(pipe, lambda: Game(settings))
    if game is None:
        return
    try:
        pipe.send(game.ready())
        _converse(pipe, game)
    except (EOFError, BrokenPipeError):
        pass  # the parent is gone
    finally:
        game.stop()


def _converse(pipe: Connection, game: Game) -> None:
    verbs: dict[str, Callable[[Any], Any]] = {
        "begin": game.begin,
        "step": game.step,
        "replay": lambda _: game.save_replay(),
        "close": lambda _: game.finish(),
    }
    verb = ""
    while verb != "close":
        verb, argument = pipe.recv()
        answer = _answered(pipe, partial(verbs[verb], argument))
        if answer is None:
            return
        pipe.send(answer)


def _answered(pipe: Connection, ask: Callable[[], Any]) -> Any:
    """What `ask` gives; None after an error, which has been sent instead."""
    try:
        return ask()
    except SmacUnavailable as error:
        pipe.send(Missing(str(error)))
    except Exception as error:  # whatever goes wrong in the game's packages, the parent decides what follows
        pipe.send(Died(_words(error)))
    return None


def _stand_alone() -> None:
    """Leave the terminal's interrupts to the parent, lead a group that can be ended with the game, and end in order."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # sent when the parent ends; `serve` then stops the game
    if hasattr(os, "setsid"):
        os.setsid()


def _words(error: BaseException) -> str:
    return str(error) if isinstance(error, GameDied) else f"{type(error).__name__}: {error}"
