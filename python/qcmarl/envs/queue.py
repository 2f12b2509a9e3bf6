"""Routers that cannot talk and servers with a line of work, `queue:2x2`: an episode is `horizon` steps. NumPy only.

The rules are `games.queueing.Queue`; docs/queueing.md tells them. Called by `registry`. All agents are alive and may do
everything at every step, and every episode ends by its time limit.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from qcmarl.envs.actions import available_actions
from qcmarl.envs.base import Bools, Floats, Integers, Step, as_integer
from qcmarl.envs.drawn import DrawnVec
from qcmarl.games.queueing import MODELS, Queue, line_of, tables, worked_off
from qcmarl.hints import did_you_mean

_FORMAT = 1
_SEES = ("all", "own", "nothing")
_FINAL = ("final_obs", "final_state", "final_avail")


class VecQueue(DrawnVec):
    """B queueing tasks at once.

    A router observes the type of its packet (one-hot: light, heavy) and backlogs (one-hot for each line); the state is
    all types and all backlogs; action s sends the packet to server s. The reward is the share of the packets that are
    taken up, less `holding` times the share of the lines' capacity that is in use at the end of the step. `battle_won`
    marks episodes in which no packet was turned away. Besides the contract's, `info` has `throughput` (B,) float32, the
    share of the episode's packets that were taken up, which is its win rate; and, of the step just made, `accepted`
    and `served` (packets taken up, and packets whose session was done), `waiting` (packets in line), `backlog` (units
    in line), all (B,) int32, and `coordinated` (B,) bool, whether no other joint action would have made less work.

    Args:
        model: a name, "2x2" or "2x2-own", or the rules themselves.
        n_envs: B, at least 1.
        n_threads: not used.
        sees: backlogs that a router observes: of all lines, of the line of the server of its own number, or none.
        rules: put in place of single rules of the model, such as horizon=20.

    Raises:
        TypeError, ValueError: an unknown name, with the options; a rule of another kind or out of range.

    >>> env = VecQueue("2x2", n_envs=3)
    >>> env.reset(seed=0).obs.shape, env.step([[0, 0], [0, 1], [1, 1]]).reward.shape
    ((3, 2, 13), (3,))
    """

    _kept = ("_where", "_types", "_marks", "_returns", "_lengths", "_lost")

    def __init__(
        self,
        model: str | Queue,
        n_envs: int = 64,
        n_threads: int = 0,
        *,
        sees: Literal["all", "own", "nothing"] = "all",
        **rules: Any,
    ) -> None:
        if sees not in _SEES:
            raise ValueError(f"sees is {sees!r}; it must be one of {', '.join(_SEES)}")
        self.model = replace(_model(model), **rules)
        self.sees = sees
        self.name = f"queue:{model if isinstance(model, str) and not rules else 'own rules'}"
        self.n_envs = as_integer(n_envs, "n_envs", 1)
        self.n_agents, self.n_actions = self.model.routers, self.model.servers
        self.episode_limit, self.max_return = self.model.horizon, float(self.model.horizon)
        self._rules, self._lines = tables(self.model), line_of(self.model)
        one = np.zeros(1, np.int64)
        self.obs_size, self.state_size = (look.shape[-1] for look in self.looks(one, one))

    def looks(self, types: Integers, where: Integers) -> tuple[Floats, Floats]:
        """What is seen of joint types (N,) and joint backlogs (N,), indices into `games.queueing.tables`.

        Returns:
            observations (N, R, O) and states (N, S) float32.
        """
        kinds = np.eye(2, dtype=np.float32)[self._rules.types[types]]
        levels = np.eye(self.model.levels, dtype=np.float32)[self._rules.backlogs[where]]
        state = np.concatenate([kinds.reshape(len(types), -1), levels.reshape(len(types), -1)], 1)
        if self.sees == "all":
            seen = np.broadcast_to(levels.reshape(len(types), 1, -1), (len(types), self.n_agents, levels[0].size))
        else:
            own = self._lines[np.arange(self.n_agents) % self.n_actions]
            seen = levels[:, own, : self.model.levels if self.sees == "own" else 0]
        return np.concatenate([kinds, seen], -1), state

    def reset(self, seed: int = 0) -> Step:
        """Empty all lines and hand out packets; the same seed gives the same course of events ever after."""
        self._seed(seed)
        envs, model = self.n_envs, self.model
        self._where = np.zeros(envs, np.int64)
        self._marks = np.zeros((envs, model.n_lines, model.levels + worked_off(model).size), np.int64)
        self._returns = np.zeros(envs, np.float32)
        self._lengths, self._lost = np.zeros(envs, np.int32), np.zeros(envs, np.int64)
        self._types = self._draw_types()
        counts = ("episode_length", "accepted", "served", "waiting", "backlog")
        began = {name: np.zeros(envs, np.int32) for name in counts}
        began |= {name: np.zeros(envs, bool) for name in ("battle_won", "coordinated")}
        began |= {name: np.zeros(envs, np.float32) for name in ("throughput", "episode_return")}
        nothing = np.zeros(envs, np.float32)
        return self._show(nothing, nothing > 0, {**self._never_ended(), **began})

    def step(self, actions: Any) -> Step:
        """Send the packets, work, and hand out the next packets.

        Raises:
            TypeError: for actions that are no integers; ValueError for a wrong shape or a server that there is not.
            RuntimeError: before `reset`.
        """
        chosen = available_actions(actions, self.last_step().avail)
        joint = np.ravel_multi_index(tuple(chosen.T), (self.n_actions,) * self.n_agents)
        rules, model = self._rules, self.model
        accepted = rules.accepted[self._where, joint]
        told = {"accepted": accepted.astype(np.int32), "coordinated": rules.coordinated[self._types, joint]}
        self._queue_up(chosen, joint)
        units, served = self._work_off(rules.backlogs[rules.after[self._where, self._types, joint]])
        self._where = np.ravel_multi_index(tuple(units.T), (model.levels,) * model.n_lines).astype(np.int64)
        told["served"], told["backlog"] = served.astype(np.int32), units.sum(1).astype(np.int32)
        told["waiting"] = self._marks.sum((1, 2)).astype(np.int32)
        cost = model.holding * told["backlog"] / (model.capacity * model.n_lines)
        self._lost += model.routers - told["accepted"]
        return self._close_books((accepted / model.routers - cost).astype(np.float32), told)

    def _identity(self) -> dict[str, Any]:
        return {"format": _FORMAT, "n_envs": self.n_envs, "sees": self.sees, "rules": asdict(self.model)}

    def _draw_types(self) -> npt.NDArray[np.int64]:
        """(B,) joint types of fresh packets."""
        assert self._rng is not None
        heavy = self._rng.random((self.n_envs, self.n_agents)) < self.model.heavy
        drawn: npt.NDArray[np.int64] = np.ravel_multi_index(tuple(heavy.T.astype(np.int64)), (2,) * self.n_agents)
        return drawn

    def _queue_up(self, chosen: npt.NDArray[np.int64], joint: npt.NDArray[np.int64]) -> None:
        """Mark the unit of each line after which a session's packets are served."""
        place = self._rules.backlogs[self._where].copy()
        admitted = place < self.model.capacity
        every = np.arange(self.n_envs)
        for server, line in enumerate(self._lines):
            packets = (chosen == server).sum(1) * admitted[:, line]
            place[:, line] += self._rules.work[self._types, joint, server] * admitted[:, line]
            self._marks[every, line, np.maximum(place[:, line] - 1, 0)] += packets

    def _work_off(self, units: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """(B, L) units left of `units` after service, and (B,) packets served."""
        assert self._rng is not None
        hands = worked_off(self.model).size - 1
        done = np.minimum(self._rng.binomial(hands, self.model.service, units.shape), units)
        places = np.arange(self._marks.shape[-1])
        served = np.where(places < done[..., None], self._marks, 0).sum((1, 2))
        # Behind the last place that work can take there are as many empty ones as can be worked off.
        self._marks = np.take_along_axis(self._marks, np.minimum(places + done[..., None], places[-1]), -1)
        return units - done, served

    def _close_books(self, reward: Floats, told: dict[str, Any]) -> Step:
        """Count the step, keep the last look of the episodes that it ended, and begin new ones in their place."""
        self._returns, self._lengths = self._returns + reward, self._lengths + 1
        ended = self._lengths == self.episode_limit
        self._types = self._draw_types()
        kept = {name: self._step.info[name].copy() for name in _FINAL}
        if ended.any():
            obs, state = self.looks(self._types[ended], self._where[ended])
            kept["final_obs"][ended], kept["final_state"][ended], kept["final_avail"][ended] = obs, state, True
        books = {
            "battle_won": ended & (self._lost == 0),
            "throughput": (1 - self._lost / (self.model.routers * self._lengths)).astype(np.float32),
            "episode_return": self._returns.copy(),
            "episode_length": self._lengths.copy(),
        }
        for array in (self._where, self._marks, self._returns, self._lengths, self._lost):
            array[ended] = 0
        return self._show(reward, ended, {**books, **kept, **told})

    def _show(self, reward: Floats, ended: Bools, info: dict[str, Any]) -> Step:
        obs, state = self.looks(self._types, self._where)
        avail = np.ones((self.n_envs, self.n_agents, self.n_actions), bool)
        alive = np.ones((self.n_envs, self.n_agents), bool)
        never = np.zeros(self.n_envs, bool)
        self._step = Step(obs, state, avail, alive, reward, never, ended, info)
        return self._step


def _model(given: str | Queue) -> Queue:
    if isinstance(given, Queue):
        return given
    if not isinstance(given, str):
        raise TypeError(f"a queueing task is a name such as '2x2', or a qcmarl.games.queueing.Queue, not {given!r}")
    if given not in MODELS:
        hint = did_you_mean(given, MODELS, quote="'")
        raise ValueError(f"unknown queueing task '{given}'; tasks: {', '.join(MODELS)}{hint}")
    return MODELS[given]
