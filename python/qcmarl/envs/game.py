"""Non-local games as environments, `game:NAME`: an episode is one round. Called by `registry`; NumPy only.

Each agent sees its own question and nothing else. All agents are alive at every step, and every episode ends with the
first action.
"""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from qcmarl.envs.actions import available_actions
from qcmarl.envs.base import Bools, Floats, Integers, Step, as_integer
from qcmarl.envs.drawn import DrawnVec
from qcmarl.games import Game, make

_FORMAT = 2


class VecGame(DrawnVec):
    """B rounds of a game at once.

    An agent's observation is its question, one-hot; the state is all questions, one-hot one after another; an action is
    an answer, available where the question allows it. The reward is the payoff. A round counts as won where the payoff
    is the largest that there is, so for games with payoffs 0 and 1 where it is 1.

    Args:
        game: its name (`qcmarl.games.make`), a file, or a `Game`.
        n_envs: B, at least 1.
        n_threads: not used.

    Raises:
        TypeError: an argument of another kind.
        ValueError: an unknown game, with the options; n_envs below 1.

    >>> env = VecGame("chsh", n_envs=3)
    >>> env.reset(seed=0).obs.shape, env.step([[0, 0], [0, 1], [1, 1]]).reward.shape
    ((3, 2, 2), (3,))
    """

    _kept = ("_questions",)

    def __init__(self, game: str | Game, n_envs: int = 64, n_threads: int = 0) -> None:
        if not isinstance(game, (str, Game)):
            raise TypeError(f"a game is a name such as 'chsh', or a qcmarl.games.Game, not {game!r}")
        self.game = make(game) if isinstance(game, str) else game
        self.name = f"game:{game if isinstance(game, str) else game.name}"
        self.n_envs = as_integer(n_envs, "n_envs", 1)
        self.n_agents, self.n_actions = self.game.players, max(self.game.answers)
        self.obs_size, self.state_size = max(self.game.questions), sum(self.game.questions)
        self.episode_limit, self.max_return = 1, self.game.max_payoff
        self._avail = _padded_masks(self.game, self.obs_size, self.n_actions)
        self._offsets = np.cumsum([0, *self.game.questions[:-1]])
        self._cumulative = self.game.law.ravel().cumsum()
        self._last_asked = int(np.flatnonzero(self.game.law)[-1])

    def reset(self, seed: int = 0) -> Step:
        """Ask everyone anew; the same seed asks the same questions ever after."""
        self._seed(seed)
        self._questions = self._draw()
        return self._begin()

    def ask(self, questions: Integers) -> Step:
        """Begin every round anew with these questions (B, n), drawn or not: they may be of probability 0.

        Later ones are drawn from the law again; an environment that was never reset begins with seed 0.

        Raises:
            ValueError: another shape, or a question that there is not.
        """
        asked = np.asarray(questions)
        if asked.shape != (self.n_envs, self.n_agents) or not np.issubdtype(asked.dtype, np.integer):
            raise ValueError(f"questions are integers of shape {(self.n_envs, self.n_agents)}, not {asked.shape}")
        if (asked < 0).any() or (asked >= self.game.questions).any():
            raise ValueError(f"a question is outside 0..X_i - 1; the players' X_i are {self.game.questions}")
        self._rng = self._rng or np.random.default_rng(0)
        self._questions = asked.astype(np.int64)
        return self._begin()

    def step(self, actions: Integers) -> Step:
        """Answer (B, n), be paid, and be asked anew.

        Raises:
            TypeError: for answers that are no integers; ValueError for a wrong shape or an answer that its question
                does not allow.
            RuntimeError: before `reset`.
        """
        last = self.last_step()
        answers = available_actions(actions, last.avail)
        reward = self.game.payoff[(*self._questions.T, *answers.T)]
        kept = {"final_obs": last.obs, "final_state": last.state, "final_avail": last.avail}
        self._questions = self._draw()
        return self._pay(reward, np.ones(self.n_envs, bool), kept)

    @cached_property
    def table(self) -> str:
        """SHA-256 of all that decides a round: a file may come to hold another game under the same name."""
        return hashlib.sha256(self.game.law.tobytes() + self.game.payoff.tobytes() + self._avail.tobytes()).hexdigest()

    def _identity(self) -> dict[str, Any]:
        return {"format": _FORMAT, "name": self.name, "n_envs": self.n_envs, "table": self.table}

    def _draw(self) -> npt.NDArray[np.int64]:
        """(B, n) questions from the law; one of probability 0 is never drawn."""
        assert self._rng is not None
        height = self._rng.random(self.n_envs) * self._cumulative[-1]
        # The product may round up to the sum, beyond the last joint question that is asked.
        joint = np.searchsorted(self._cumulative, height, side="right").clip(max=self._last_asked)
        return np.stack(np.unravel_index(joint, self.game.questions), axis=1).astype(np.int64)

    def _begin(self) -> Step:
        return self._pay(np.zeros(self.n_envs), np.zeros(self.n_envs, bool), self._never_ended())

    def _pay(self, reward: npt.NDArray[np.float64], ended: Bools, kept: dict[str, Any]) -> Step:
        """Make the step that paid this; `kept` is the last look of the rounds that ended."""
        earned = reward.astype(np.float32)
        books = {
            "battle_won": ended & (reward >= self.max_return),
            "episode_return": earned.copy(),
            "episode_length": ended.astype(np.int32),
        }
        return self._show(earned, ended, {**books, **kept})

    def _show(self, reward: Floats, ended: Bools, info: dict[str, Any]) -> Step:
        state = np.zeros((self.n_envs, self.state_size), np.float32)
        np.put_along_axis(state, self._questions + self._offsets, 1.0, axis=1)
        obs = np.eye(self.obs_size, dtype=np.float32)[self._questions]
        avail = self._avail[np.arange(self.n_agents), self._questions]
        alive = np.ones((self.n_envs, self.n_agents), bool)
        self._step = Step(obs, state, avail, alive, reward, ended, np.zeros(self.n_envs, bool), info)
        return self._step


def _padded_masks(game: Game, questions: int, answers: int) -> Bools:
    """(n, X, A) allowed answers, tables of all players in one; rows of questions that there are not are empty."""
    masks = np.zeros((game.players, questions, answers), bool)
    for mask, allowed in zip(masks, game.allowed, strict=True):
        mask[: allowed.shape[0], : allowed.shape[1]] = allowed
    return masks
