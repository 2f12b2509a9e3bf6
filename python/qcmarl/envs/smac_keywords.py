"""The keywords of SMAC's `StarCraft2Env`, which `Skirmish` takes where they say what it does anyway. Called by it.

Source: github.com/oxwhirl/smac, smac/env/starcraft2/starcraft2.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

DEFAULTS: dict[str, Any] = {
    "step_mul": 8,
    "move_amount": 2,
    "difficulty": "7",
    "game_version": None,
    "obs_all_health": True,
    "obs_own_health": True,
    "obs_last_action": False,
    "obs_pathing_grid": False,
    "obs_terrain_height": False,
    "obs_instead_of_state": False,
    "obs_timestep_number": False,
    "state_last_action": True,
    "state_timestep_number": False,
    "reward_sparse": False,
    "reward_only_positive": True,
    "reward_death_value": 10,
    "reward_win": 200,
    "reward_defeat": 0,
    "reward_negative_scale": 0.5,
    "reward_scale": True,
    "reward_scale_rate": 20,
    "replay_dir": "",
    "replay_prefix": "",
    "window_size_x": 1920,
    "window_size_y": 1200,
    "heuristic_ai": False,
    "heuristic_rest": False,
    "debug": False,
}
"""What is played here; `map_name`, `seed` and `continuing_episode` may be chosen."""


def check(given: Mapping[str, Any]) -> None:
    """Raises ValueError for another value than SMAC's default, TypeError for a keyword that SMAC has not."""
    for name, value in given.items():
        if name not in DEFAULTS:
            raise TypeError(f"Skirmish has no argument '{name}'; nor has SMAC's StarCraft2Env")
        if value != DEFAULTS[name] and (name, value) != ("step_mul", None):  # None: the map's own, which is 8
            raise ValueError(f"{name} is {value!r}; Skirmish has SMAC's default alone, {DEFAULTS[name]!r}")
