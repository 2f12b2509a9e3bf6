"""What a policy wins in a game, exactly: its law at every joint question, summed instead of played.

Called by `evaluate` in `game:` environments. A policy is asked through `rollout.Player`, as at play; all agents are
alive, memories are empty.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from qcmarl.device import upload
from qcmarl.envs.base import VecEnv
from qcmarl.envs.game import VecGame
from qcmarl.games.game import Floats, Game
from qcmarl.laws import Law
from qcmarl.policies import MixingPolicy, Policy
from qcmarl.rollout import Player

BATCH = 4096
"""Joint questions with joint answers that a policy is asked at once."""
MOST_PAIRS = 1 << 18
"""Joint questions times joint answers that are asked at all, half a second; beyond, rounds are played."""


class Pairs(NamedTuple):
    """Joint questions with the joint answers that they allow, one pair a row."""

    questions: npt.NDArray[np.int64]
    """(N, n)."""
    answers: npt.NDArray[np.int64]
    """(N, n)."""


def is_exact(policy: Policy, env: VecEnv) -> bool:
    """Whether `exact_rates` applies: a game of a size that can be written out, and a settled policy."""
    return isinstance(env, VecGame) and env.game.payoff.size <= MOST_PAIRS and is_settled(policy)


def is_settled(policy: Policy) -> bool:
    """Whether a policy's law is no random matter itself (`Policy.draws`, a reading drawn from a pool)."""
    fixed = policy.fixed_reading if isinstance(policy, MixingPolicy) else None
    return not policy.draws and (fixed is None or fixed.dim() == 1)


def strategy(policy: Policy, env: VecGame, greedy: bool = False) -> Floats:
    """The joint strategy that a policy is.

    Args:
        policy: the actor; `is_exact`.
        env: of the game.
        greedy: with its local choices greedy, as `eval/win_rate` takes it: see `exact_rates`.

    Returns:
        p(a given x), (X_1, ..., X_n, A_1, ..., A_n) float64; of questions that are never asked too.
    """
    pairs = _pairs(env.game, np.ones(env.game.questions, bool))
    p: Floats = np.zeros(env.game.payoff.shape)
    p[(*pairs.questions.T, *pairs.answers.T)] = _probabilities(policy, env.game, pairs)[int(greedy)]
    return p


def exact_rates(policy: Policy, env: VecGame) -> dict[str, float]:
    """Expected payoffs of a policy: of a game that is won or lost, probabilities of winning.

    The greedy ones are those of the law's `decisive()`, where it has one: the same team with greedy local choices,
    while outcomes of measurements and shared random bits stay random. Independent agents take their most probable
    answers. Any other joint law has no local choices, and both kinds are those of the law as it is.

    Args:
        policy: the actor; `is_exact`.
        env: of the game; neither stepped nor reset.

    Returns:
        `eval/win_rate` and `eval/return`, greedy; `eval/win_rate_sampled` and `eval/return_sampled`, of the law as it
        is; `eval/episode_length`, 1.
    """
    pairs = _pairs(env.game, env.game.law > 0)
    weights = env.game.weights[(*pairs.questions.T, *pairs.answers.T)]
    sampled, greedy = (_probabilities(policy, env.game, pairs) @ weights).tolist()
    return {
        "eval/win_rate": greedy,
        "eval/win_rate_sampled": sampled,
        "eval/return": greedy,
        "eval/return_sampled": sampled,
        "eval/episode_length": 1.0,
    }


def _pairs(game: Game, asked: npt.NDArray[np.bool_]) -> Pairs:
    """Of the joint questions where `asked` (X_1, ..., X_n) says so."""
    where = game.joint_allowed & asked.reshape(game.questions + (1,) * game.players)
    rows = np.argwhere(where)
    return Pairs(rows[:, : game.players], rows[:, game.players :])


@torch.inference_mode()
def _probabilities(policy: Policy, game: Game, pairs: Pairs) -> Floats:
    """(2, N) of every pair: by the law as it is, and with greedy local choices."""
    parts = [_asked(policy, game, part) for part in _parts(pairs)]
    p: Floats = torch.cat(parts, 1).cpu().numpy()
    return p


def _parts(pairs: Pairs) -> Iterator[Pairs]:
    for start in range(0, len(pairs.questions), BATCH):
        yield Pairs(*(column[start : start + BATCH] for column in pairs))


def _asked(policy: Policy, game: Game, pairs: Pairs) -> Tensor:
    env = VecGame(game, len(pairs.questions))
    step, player = env.ask(pairs.questions), Player(policy, env)
    generator = torch.Generator(player.device).manual_seed(0)
    law = player.act(step, player.features(step), generator).law
    answers = upload(torch.from_numpy(pairs.answers), player.device)
    return torch.stack([scored(law, answers), greedily_scored(law, answers, generator)])


def scored(law: Law, answers: Tensor) -> Tensor:
    """(N,) float64 probability of the joint answers (N, n), where all agents are alive."""
    log_prob = law.log_prob(answers).double()
    return (log_prob if law.joint else log_prob.view(answers.shape).sum(1)).exp()


def greedily_scored(law: Law, answers: Tensor, generator: torch.Generator) -> Tensor:
    """As `scored`, with local choices greedy: see `exact_rates`."""
    decisive: Any = getattr(law, "decisive", None)
    if decisive is not None:
        return scored(decisive(), answers)
    return scored(law, answers) if law.joint else (law.mode(generator) == answers).all(1).double()
