"""A cooperative game of one round without communication: who is asked what, what may be answered, what that pays.

Made by `library` and by users, read from files by `file`; played by `envs.game`, solved by `values`. NumPy only. A
`Game` that exists is consistent: everything is checked when it is made, and its arrays cannot be written to.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

TOLERANCE = 1e-5
"""How far probabilities may be from adding up to 1: those of a policy come in single precision."""
LARGEST_TABLE = 1 << 26
"""Numbers of a table of payoffs, 512 MiB."""


@dataclass(frozen=True, eq=False)
class Game:
    """A non-local game: player i is asked x_i and answers a_i, knowing nothing of the other questions and answers.

    Args:
        name: for people.
        law: (X_1, ..., X_n) probability of each joint question.
        payoff: (X_1, ..., X_n, A_1, ..., A_n) what all players earn; of a game that is won or lost 1 and 0.
        allowed: of each player (X_i, A_i) bool, answers that the question admits; default: all. Payoffs of other
            answers are never counted, and kept as 0.

    Raises:
        TypeError: something is no table of numbers.
        ValueError: shapes that do not fit, a law that is none, a payoff that is not finite, a question without answer.

    >>> guess = Game("guess", law=[0.5, 0.5], payoff=[[1, 0], [0, 1]])
    >>> guess.players, guess.questions, guess.answers, guess.max_payoff
    (1, (2,), (2,), 1.0)
    >>> guess.value([[1, 0], [0.5, 0.5]])
    0.75
    """

    name: str
    law: Floats
    payoff: Floats
    allowed: tuple[Bools, ...] = ()

    def __post_init__(self) -> None:
        law, payoff = _table(self.law, "law"), _table(self.payoff, "payoff")
        _check_shapes(law, payoff)
        _check_law(law)
        allowed = _masks(self.allowed, law.shape, payoff.shape[law.ndim :])
        joint = _joint(allowed)
        if not np.isfinite(payoff[joint]).all():
            raise ValueError("a payoff is not finite; payoffs of allowed answers are finite numbers")
        payoff[~joint] = 0
        for array in (law, payoff, *allowed):
            array.setflags(write=False)
        for name, value in {"law": law, "payoff": payoff, "allowed": allowed}.items():
            object.__setattr__(self, name, value)

    @classmethod
    def from_table(cls, name: str, payoff: Any, law: Any = None, allowed: Sequence[Any] = ()) -> Game:
        """A game from nested lists or arrays.

        Args:
            name: for people.
            payoff: (X_1, ..., X_n, A_1, ..., A_n).
            law: (X_1, ..., X_n); default: all joint questions are equally likely.
            allowed: of each player (X_i, A_i); default: everything is.

        Returns:
            the game.

        Raises:
            TypeError, ValueError: as `Game`; without a law, also where payoff's axes cannot be halved.
        """
        if law is None:
            shape = _table(payoff, "payoff").shape
            if len(shape) % 2:
                raise ValueError(
                    f"payoff has {len(shape)} axes; it needs two for each player: (X_1, ..., X_n, A_1, ..., A_n)"
                )
            questions = shape[: len(shape) // 2]
            law = np.full(questions, 1 / max(1, math.prod(questions)))
        return cls(name, law, payoff, allowed)  # type: ignore[arg-type]  # as law and payoff, made what it must be

    @property
    def players(self) -> int:
        """n."""
        return self.law.ndim

    @property
    def questions(self) -> tuple[int, ...]:
        """(X_1, ..., X_n)."""
        return self.law.shape

    @property
    def answers(self) -> tuple[int, ...]:
        """(A_1, ..., A_n)."""
        return self.payoff.shape[self.players :]

    @property
    def weights(self) -> Floats:
        """(X_1, ..., X_n, A_1, ..., A_n) law times payoff, by which strategies are weighed."""
        weights: Floats = self.law.reshape(self.questions + (1,) * self.players) * self.payoff
        return weights

    @property
    def joint_allowed(self) -> Bools:
        """(X_1, ..., X_n, A_1, ..., A_n) bool: where every player's answer is allowed."""
        return _joint(self.allowed)

    @property
    def max_payoff(self) -> float:
        """The largest payoff of allowed answers to questions that are asked: no strategy whatever is worth more."""
        asked = (self.law > 0).reshape(self.questions + (1,) * self.players)
        return float(self.payoff[self.joint_allowed & asked].max())

    @property
    def scale(self) -> float:
        """The largest size of a payoff that can be had, 1 where all are 0: computed values are exact in proportion."""
        return float(np.abs(self.payoff[self.law > 0]).max()) or 1.0

    @property
    def is_win_game(self) -> bool:
        """Whether the payoff is 1 (won) or 0 (lost), so that values are probabilities of winning."""
        return bool(np.isin(self.payoff, (0.0, 1.0)).all())

    def value(self, strategy: Any) -> float:
        """Expected payoff of a joint strategy.

        Args:
            strategy: p(a given x), (X_1, ..., X_n, A_1, ..., A_n).

        Returns:
            sum over x and a of law(x) p(a given x) payoff(x, a).

        Raises:
            ValueError: another shape, negative or non-finite probabilities, ones that do not add up to 1 (within
                1e-5), or ones on answers that are not allowed.
        """
        p = _table(strategy, "strategy")
        if p.shape != self.payoff.shape:
            raise ValueError(f"the strategy has shape {p.shape}; of {self.name} it is {self.payoff.shape}")
        total = p.sum(axis=tuple(range(self.players, 2 * self.players)))
        if not np.isfinite(p).all() or p.min() < -TOLERANCE or np.abs(total - 1).max() > TOLERANCE:
            raise ValueError("the strategy is no law of answers: at each joint question they are >= 0 and add up to 1")
        if p[~self.joint_allowed].max(initial=0) > TOLERANCE:
            raise ValueError(f"the strategy gives answers that {self.name} does not allow; see Game.allowed")
        return float((self.weights * p).sum())


def _table(values: Any, what: str) -> Floats:
    try:
        table = np.array(values, np.float64)
    except (TypeError, ValueError):
        table = np.zeros(())
    if not table.ndim:
        raise TypeError(f"{what} must be a table of numbers, all rows of one length, not {values!r:.80}")
    return table


def _check_shapes(law: Floats, payoff: Floats) -> None:
    if payoff.size > LARGEST_TABLE:
        raise ValueError(f"payoff has {payoff.size:,} numbers; at most {LARGEST_TABLE:,} can be handled")
    if not law.ndim or not law.size or not payoff.size:
        raise ValueError(f"law has shape {law.shape}, payoff {payoff.shape}; there is a player, a question, an answer")
    if payoff.ndim != 2 * law.ndim or payoff.shape[: law.ndim] != law.shape:
        raise ValueError(
            f"payoff has shape {payoff.shape}; for a law of shape {law.shape} it is (*{law.shape}, A_1, ..., A_n), "
            f"one number of answers for each of {law.ndim} players"
        )


def _check_law(law: Floats) -> None:
    if not np.isfinite(law).all() or law.min() < 0 or abs(law.sum() - 1) > TOLERANCE:
        raise ValueError(f"law adds up to {law.sum():.6g}, least {law.min():.6g}; probabilities are >= 0 and make 1")
    law /= law.sum()


def _masks(given: Any, questions: tuple[int, ...], answers: tuple[int, ...]) -> tuple[Bools, ...]:
    shapes = list(zip(questions, answers, strict=True))
    if not isinstance(given, (Sequence, np.ndarray)) or isinstance(given, str):
        raise TypeError(f"allowed must hold one table for each of {len(shapes)} players, not {given!r:.80}")
    if not len(given):
        return tuple(np.ones(shape, bool) for shape in shapes)
    if len(given) != len(shapes):
        raise ValueError(f"allowed has {len(given)} tables; it has one for each of {len(shapes)} players")
    tables = [_table(mask, "allowed") for mask in given]
    for player, table in enumerate(tables):
        if not np.isin(table, (0, 1)).all():
            odd = table[~np.isin(table, (0, 1))][0]
            raise ValueError(f"allowed of player {player} holds {odd:g}; an answer is allowed, 1, or not, 0")
    masks = tuple(table.astype(bool) for table in tables)
    for player, (mask, shape) in enumerate(zip(masks, shapes, strict=True)):
        if mask.shape != shape:
            raise ValueError(f"allowed of player {player} has shape {mask.shape}; with these payoffs it is {shape}")
        if not mask.any(1).all():
            raise ValueError(f"player {player} has no allowed answer to question {int(mask.any(1).argmin())}")
    return masks


def _joint(allowed: Sequence[Bools]) -> Bools:
    players = len(allowed)
    joint = np.ones((1,) * 2 * players, bool)
    for player, mask in enumerate(allowed):
        shape = [1] * 2 * players
        shape[player], shape[players + player] = mask.shape
        joint = joint & mask.reshape(shape)
    return joint
