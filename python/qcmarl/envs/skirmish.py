"""Battles under SMAC's rules, played by the native library: `VecSkirmish` in batches, `Skirmish` with SMAC's own API.

An original implementation of SMAC's published rules, not StarCraft II: docs/skirmish.md says what is the same. Calls
on one object must come from one thread at a time.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from qcmarl import _skirmish
from qcmarl.envs import smac_keywords
from qcmarl.envs.base import Floats, Integers, Step, VecEnv, as_integer
from qcmarl.envs.skirmish_maps import Oddities, SkirmishMap, UnitKind, builtin_map, load_map, map_from_table

MAPS: tuple[str, ...] = tuple(_skirmish.map_names())
"""The maps there are."""
UNIT_TYPES: tuple[str, ...] = tuple(_skirmish.unit_types())
"""The library's kinds of unit; `type` of a unit table indexes it, and beyond it the kinds of the map's own."""
UNIT_DTYPE: np.dtype[np.void] = _skirmish.UNIT_DTYPE
"""A row of a unit table: team (0 ally, 1 enemy), type, x, y (cells), hp, shield, cooldown (game loops), alive, energy,
target (the row of whom it shoots at or heals, -1 for nobody)."""

SIGHT, SHOOTING_RANGE = 9, 6
"""Cells between centres, of every unit; in SMAC's words."""

_FORMAT = 2
_LARGEST_SEED = 2**64 - 1
_MOST_THREADS = 1024


class VecSkirmish(VecEnv):
    """`n_envs` battles of one map side by side, on `n_threads` threads.

    Results depend on the seed, the index of a battle and the actions alone: not on the threads, nor on how a batch is
    split (`first_battle` is the index of this batch's first battle).

    Args:
        map_name: one of `MAPS`, a `SkirmishMap`, or the path of a TOML file (see `load_map`).
        n_envs: battles, at least 1.
        n_threads: at most so many threads; 0 means all available.
        first_battle: index of the first battle in a larger batch.
        oddities: SMAC's peculiarities, all reproduced by default.

    Raises:
        ValueError: for an unknown map, one that cannot be played, or a number out of range; TypeError for one that is
            no integer.

    Source: Samvelyan et al., The StarCraft Multi-Agent Challenge, 2019.

    >>> env = VecSkirmish("3m", n_envs=2, n_threads=1)
    >>> step = env.reset(seed=0)
    >>> step.obs.shape, step.state.shape, step.avail.shape
    ((2, 3, 30), (2, 48), (2, 3, 9))
    """

    def __init__(
        self,
        map_name: str | SkirmishMap | Path,
        n_envs: int,
        n_threads: int = 0,
        *,
        first_battle: int = 0,
        oddities: Oddities | None = None,
    ) -> None:
        self.n_envs = as_integer(n_envs, "n_envs", 1)
        self._first_battle = as_integer(first_battle, "first_battle", 0, _LARGEST_SEED)
        self.map = _find_map(map_name)
        self.map_name = self.map.name
        self.name = f"skirmish:{self.map_name}"
        native = self.map.native(oddities)
        self._vec = _make_vec(native, self.n_envs, n_threads, self._first_battle, auto_restart=True)
        self.unit_kinds = tuple(UnitKind(**fields) for fields in native.unit_types())
        info = native.info()
        self.n_agents = int(info["n_agents"])
        self.n_enemies = int(info["n_enemies"])
        self.n_actions = int(info["n_actions"])
        self.obs_size = int(info["obs_size"])
        self.state_size = int(info["state_size"])
        self.episode_limit = int(info["episode_limit"])
        self.max_return = float(info["max_return"])
        self.max_reward = float(info["max_reward"])
        self.ally_state_size = int(info["ally_state_size"])
        self.enemy_state_size = int(info["enemy_state_size"])
        self.type_bits = int(info["type_bits"])
        self._arrays = self._vec.arrays()
        self._step = _as_step(self._arrays)

    def reset(self, seed: int = 0) -> Step:
        """Start every battle anew.

        Args:
            seed: 0..2^64-1; equal seeds give equal battles under equal actions.

        Returns:
            The first `Step`; its reward is 0.

        Raises:
            ValueError: for a seed out of range; TypeError for one that is no integer.
        """
        self._vec.reset(as_integer(seed, "seed", 0, _LARGEST_SEED))
        return self._step

    def step(self, actions: Integers) -> Step:
        """Play one step (8 game loops) of every battle.

        Args:
            actions: (B, n) of any integer dtype. 0 no-op (the dead, and only they), 1 stop, 2 north, 3 south, 4 east,
                5 west, 6 + e attack enemy e (of a healer: heal ally e).

        Returns:
            The new `Step`, in the same arrays as the one before.

        Raises:
            ValueError: for an action that is not available or a wrong shape; nothing has moved then.
            TypeError: for actions that are no integers.
        """
        self._vec.step(_as_actions(actions, (self.n_envs, self.n_agents)))
        return self._step

    def last_step(self) -> Step:
        """Give the `Step` of the last call again (also after `load_state_dict`)."""
        return self._step

    def units(self, index: int = 0) -> npt.NDArray[np.void]:
        """Copy the unit table of battle `index`: allies by agent id, then enemies, rows of `UNIT_DTYPE`."""
        return self._vec.units(as_integer(index, "index", 0, self.n_envs - 1))

    def set_units(self, index: int, table: npt.NDArray[np.void]) -> Step:
        """Place the units of battle `index` by hand.

        Sets places, hp, shields, cooldowns and energies; orders, targets and shots under way are forgotten (allies
        stand, enemies march), shields come back at once, the battle's clock, return and random stream go on.
        Observations, state and masks follow.

        Args:
            index: the battle.
            table: rows of `UNIT_DTYPE` as `units` gives them, with `alive` equal to hp > 0.

        Raises:
            ValueError: for a table that could not stand in a battle of this map; nothing has changed then.
        """
        self._vec.set_units(as_integer(index, "index", 0, self.n_envs - 1), _as_table(table))
        return self._step

    def state_dict(self) -> dict[str, Any]:
        """Copy everything that decides the future and the last `Step`; picklable."""
        return {
            "format": _FORMAT,
            "name": self.name,
            "n_envs": self.n_envs,
            "first_battle": self._first_battle,
            "map": dataclasses.asdict(self.map),
            "battles": self._vec.snapshot(),
            "arrays": {key: array.copy() for key, array in self._arrays.items()},
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue, bit for bit, where `state_dict` was taken; the number of threads may differ.

        Raises:
            ValueError: for a state of another map, batch or format; nothing has changed then.
        """
        if not isinstance(state, dict):
            raise TypeError(f"a saved environment is a dict as state_dict() gives it, not {type(state).__name__}")
        mine = {"format": _FORMAT, "name": self.name, "n_envs": self.n_envs, "first_battle": self._first_battle}
        for key, value in mine.items():
            if state.get(key) != value:
                raise ValueError(f"the saved environment has {key}={state.get(key)!r}, this one {value!r}")
        if "map" in state and map_from_table(state["map"]) != self.map:  # older states do not say
            raise ValueError(f"the saved environment has another map under the name {self.map_name!r}")
        arrays = state.get("arrays", {})
        for key, array in self._arrays.items():
            saved = arrays.get(key)
            if not isinstance(saved, np.ndarray) or saved.shape != array.shape or saved.dtype != array.dtype:
                raise ValueError(f"the saved array {key!r} is missing or not {array.dtype}{array.shape}")
        self._vec.restore(np.ascontiguousarray(state.get("battles", ()), dtype=np.uint8))
        for key, array in self._arrays.items():
            np.copyto(array, arrays[key])


class Skirmish:
    """One battle under the calls of SMAC's `StarCraft2Env`, for learners that were written for it, such as PyMARL's.

    Those that need the game are missing: `get_unit_types`, `get_unit_by_id` and others that give its own objects and
    ids; `render` and `save_replay` say what there is instead.

    A battle that is over stays as it ended until `reset`. The time limit is reported as SMAC does: terminated, and
    marked by `info["episode_limit"]` only with `continuing_episode`.

    Args:
        map_name: one of `MAPS`, a `SkirmishMap`, or the path of a TOML file.
        seed: of the weapons' random delays; 0..2^64-1; None: 0.
        continuing_episode: mark the time limit in `info`, for learners that bootstrap from it.
        oddities: SMAC's peculiarities, all reproduced by default.
        smac: further arguments of `StarCraft2Env`, at the defaults that they have there.

    Raises:
        ValueError: as `VecSkirmish`, and for one of SMAC's arguments at another value; TypeError for one of a wrong
            kind, or that SMAC has not.

    >>> env = Skirmish("3m")
    >>> obs, state = env.reset()
    >>> reward, terminated, info = env.step([4, 4, 4])
    >>> env.get_env_info()["n_actions"]
    9
    """

    def __init__(
        self,
        map_name: str | SkirmishMap | Path = "8m",
        seed: int | None = 0,
        *,
        continuing_episode: bool = False,
        oddities: Oddities | None = None,
        **smac: Any,
    ) -> None:
        smac_keywords.check(smac)
        if not isinstance(continuing_episode, bool):
            raise TypeError(f"continuing_episode must be True or False, not {continuing_episode!r}")
        self.map = _find_map(map_name)
        self.map_name = self.map.name
        native = self.map.native(oddities)
        self._vec = _make_vec(native, 1, 1, 0, auto_restart=False)
        self.continuing_episode = continuing_episode
        self._seed = as_integer(0 if seed is None else seed, "seed", 0, _LARGEST_SEED)
        self._info = native.info()
        self.n_agents = int(self._info["n_agents"])
        self.n_enemies = int(self._info["n_enemies"])
        self.n_actions = int(self._info["n_actions"])
        self.episode_limit = int(self._info["episode_limit"])
        self.n_actions_move, self.n_actions_no_attack = 4, 6
        self.unit_type_bits = int(self._info["type_bits"])
        self.shield_bits_ally = self.get_ally_num_attributes() - 4 - self.unit_type_bits
        self.shield_bits_enemy = self.get_enemy_num_attributes() - 3 - self.unit_type_bits
        self._step = _as_step(self._vec.arrays())
        self._begun = False
        self.battles_won = 0
        self.battles_game = 0
        self.timeouts = 0

    def reset(self) -> tuple[list[Floats], Floats]:
        """Begin the next battle; give the observations, one (O,) array per agent, and the state (S,)."""
        if self._begun:
            self._vec.restart()
        else:
            self._vec.reset(self._seed)
            self._begun = True
        return self.get_obs(), self.get_state()

    def step(self, actions: Any) -> tuple[float, bool, dict[str, Any]]:
        """Play one step.

        Args:
            actions: n integers, one per agent; see `VecSkirmish.step`.

        Returns:
            The shared reward, whether the battle is over, and a dict with `battle_won`, `dead_allies`, `dead_enemies`
            and, at the time limit with `continuing_episode`, `episode_limit`.

        Raises:
            ValueError: for an action that is not available; RuntimeError when the battle is over or never began.
        """
        if not self._begun:
            raise RuntimeError("the battle has not begun: call reset() before step()")
        self._vec.step(_as_actions(actions, (self.n_agents,))[None])
        over = bool(self._step.terminated[0] or self._step.truncated[0])
        info = self._outcome()
        if over:
            self.battles_game += 1
            self.battles_won += info["battle_won"]
            self.timeouts += bool(self._step.truncated[0])
        return float(self._step.reward[0]), over, info

    def _outcome(self) -> dict[str, Any]:
        alive = self.units()["alive"]
        info: dict[str, Any] = {
            "battle_won": bool(self._step.info["battle_won"][0]),
            "dead_allies": int((~alive[: self.n_agents]).sum()),
            "dead_enemies": int((~alive[self.n_agents :]).sum()),
        }
        if self.continuing_episode and self._step.truncated[0]:
            info["episode_limit"] = True
        return info

    def get_obs(self) -> list[Floats]:
        """Copy every agent's observation (O,)."""
        return list(self._step.obs[0].copy())

    def get_obs_agent(self, agent_id: int) -> Floats:
        """Copy one agent's observation (O,)."""
        own: Floats = self._step.obs[0, self._agent(agent_id)]
        return own.copy()

    def get_obs_size(self) -> int:
        """Give O."""
        return int(self._info["obs_size"])

    def get_state(self) -> Floats:
        """Copy the state (S,)."""
        state: Floats = self._step.state[0]
        return state.copy()

    def get_state_size(self) -> int:
        """Give S."""
        return int(self._info["state_size"])

    def get_avail_actions(self) -> list[list[int]]:
        """Give every agent's mask, 1 for an action it may take."""
        return [self.get_avail_agent_actions(agent) for agent in range(self.n_agents)]

    def get_avail_agent_actions(self, agent_id: int) -> list[int]:
        """Give one agent's mask, 1 for an action it may take."""
        mask: list[int] = self._step.avail[0, self._agent(agent_id)].astype(int).tolist()
        return mask

    def get_total_actions(self) -> int:
        """Give A."""
        return self.n_actions

    def get_env_info(self) -> dict[str, Any]:
        """Give the sizes under SMAC's names, and what the columns of `get_state_dict` are."""
        shields = ["shield"] * self.shield_bits_ally, ["shield"] * self.shield_bits_enemy
        types = [f"type_{bit}" for bit in range(self.unit_type_bits)]
        return {
            "state_shape": self.get_state_size(),
            "obs_shape": self.get_obs_size(),
            "n_actions": self.n_actions,
            "n_agents": self.n_agents,
            "episode_limit": self.episode_limit,
            "agent_features": ["health", "energy/cooldown", "rel_x", "rel_y", *shields[0], *types],
            "enemy_features": ["health", "rel_x", "rel_y", *shields[1], *types],
        }

    def get_ally_num_attributes(self) -> int:
        """Give the width of an ally's row in the state."""
        return int(self._info["ally_state_size"])

    def get_enemy_num_attributes(self) -> int:
        """Give the width of an enemy's row in the state."""
        return int(self._info["enemy_state_size"])

    def get_state_dict(self) -> dict[str, Floats]:
        """Copy the state in its parts: `allies` (n, ...), `enemies` (e, ...) and `last_action` (n, A)."""
        state = self.get_state()
        allies, enemies = (
            self.n_agents * self.get_ally_num_attributes(),
            self.n_enemies * self.get_enemy_num_attributes(),
        )
        parts = np.split(state, [allies, allies + enemies])
        rows = {"allies": self.n_agents, "enemies": self.n_enemies, "last_action": self.n_agents}
        return {name: part.reshape(n, -1) for (name, n), part in zip(rows.items(), parts, strict=True)}

    def get_obs_move_feats_size(self) -> int:
        """Give how many numbers an observation begins with: the availability of the walks."""
        return self.n_actions_move

    def get_obs_enemy_feats_size(self) -> tuple[int, int]:
        """Give rows and columns of the part about enemies, which comes next."""
        return self.n_enemies, 5 + self.shield_bits_enemy + self.unit_type_bits

    def get_obs_ally_feats_size(self) -> tuple[int, int]:
        """Give rows and columns of the part about the other allies, which comes next."""
        return self.n_agents - 1, 5 + self.shield_bits_ally + self.unit_type_bits

    def get_obs_own_feats_size(self) -> int:
        """Give how many numbers an observation ends with: about the agent itself."""
        return 1 + self.shield_bits_ally + self.unit_type_bits

    def unit_sight_range(self, agent_id: int) -> int:
        """Give how far an agent sees, in cells."""
        self._agent(agent_id)
        return SIGHT

    def unit_shoot_range(self, agent_id: int) -> int:
        """Give how far away the centre of a target may be, in cells."""
        self._agent(agent_id)
        return SHOOTING_RANGE

    def get_visibility_matrix(self) -> npt.NDArray[np.bool_]:
        """Tell which agent sees whom, (n, n + e) bool, allies first: the living nearer than 9 cells; nobody itself."""
        table = self.units()
        x, y = table["x"].astype(float), table["y"].astype(float)
        near = np.hypot(x[: self.n_agents, None] - x, y[: self.n_agents, None] - y) < SIGHT
        seen: npt.NDArray[np.bool_] = near & table["alive"] & table["alive"][: self.n_agents, None]
        np.fill_diagonal(seen, False)
        return seen

    def render(self, mode: str = "human") -> None:
        """Refuse: there is no window."""
        raise NotImplementedError("Skirmish has no window; qcmarl play and qcmarl replay draw battles")

    def save_replay(self) -> None:
        """Refuse: there is no game to write one."""
        raise NotImplementedError(
            "Skirmish writes no StarCraft II replays; qcmarl play and qcmarl replay record battles"
        )

    def get_stats(self) -> dict[str, float]:
        """Count the battles so far under SMAC's names; its `battles_draw` are the time-outs."""
        return {
            "battles_won": self.battles_won,
            "battles_game": self.battles_game,
            "battles_draw": self.timeouts,
            "win_rate": self.battles_won / max(self.battles_game, 1),
            "timeouts": self.timeouts,
            "restarts": 0,
        }

    def units(self) -> npt.NDArray[np.void]:
        """Copy the unit table: allies by agent id, then enemies, rows of `UNIT_DTYPE`."""
        return self._vec.units(0)

    def set_units(self, table: npt.NDArray[np.void]) -> None:
        """Place the units by hand, as `VecSkirmish.set_units`."""
        self._vec.set_units(0, _as_table(table))

    def seed(self) -> int:
        """Give the seed; as in SMAC it is chosen when the environment is made."""
        return self._seed

    def close(self) -> None:
        """Do nothing: there is no game client to stop."""

    def _agent(self, agent_id: int) -> int:
        return as_integer(agent_id, "agent_id", 0, self.n_agents - 1)


def _find_map(given: str | SkirmishMap | Path) -> SkirmishMap:
    if isinstance(given, SkirmishMap):
        return given
    if isinstance(given, Path) or (isinstance(given, str) and given.endswith(".toml")):
        return load_map(given)
    if not isinstance(given, str):
        raise TypeError(
            f"map_name must be a string, not {given!r}, or else a SkirmishMap or the path of one in TOML; "
            f"the maps are {', '.join(MAPS)}"
        )
    return builtin_map(given)


def _make_vec(
    native: _skirmish.Map, n_envs: int, n_threads: int, first_battle: int, auto_restart: bool
) -> _skirmish.Vec:
    return _skirmish.Vec(
        native, n_envs, as_integer(n_threads, "n_threads", 0, _MOST_THREADS), first_battle, auto_restart
    )


def _as_step(arrays: dict[str, npt.NDArray[Any]]) -> Step:
    own = {key: arrays[key] for key in Step._fields if key != "info"}
    return Step(**own, info={key: array for key, array in arrays.items() if key not in own})


def _as_actions(actions: Any, shape: tuple[int, ...]) -> npt.NDArray[np.int64]:
    array = np.asarray(actions)
    if array.dtype.kind not in "iu":
        raise TypeError(f"actions must be integers, not {array.dtype}")
    if array.shape != shape:
        raise ValueError(f"actions have the shape {array.shape}, must be {shape}: one per agent of every battle")
    return np.ascontiguousarray(array, dtype=np.int64)


def _as_table(table: npt.NDArray[np.void]) -> npt.NDArray[np.void]:
    if not isinstance(table, np.ndarray) or table.dtype != UNIT_DTYPE:
        raise TypeError(f"a unit table is an array of {UNIT_DTYPE}, as units() gives it")
    if table.ndim != 1:
        raise ValueError(f"a unit table has one axis, not the shape {table.shape}")
    return np.ascontiguousarray(table)
