"""Environments behind one batched contract; none of them needs a game client, torch or the simulator."""

from qcmarl.envs.base import Step, VecEnv
from qcmarl.envs.registry import make
from qcmarl.envs.skirmish import Skirmish, VecSkirmish
from qcmarl.envs.skirmish_maps import Group, Oddities, SkirmishMap, UnitKind, builtin_map, load_map, unit

__all__ = [
    "Group",
    "Oddities",
    "Skirmish",
    "SkirmishMap",
    "Step",
    "UnitKind",
    "VecEnv",
    "VecSkirmish",
    "builtin_map",
    "load_map",
    "make",
    "unit",
]
