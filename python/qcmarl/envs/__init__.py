"""Environments behind one batched contract; `skirmish` needs no game client, and none needs torch or the simulator."""

from qcmarl.envs.base import Step, VecEnv
from qcmarl.envs.game import VecGame
from qcmarl.envs.parallel import parallel_env
from qcmarl.envs.queue import VecQueue
from qcmarl.envs.registry import make
from qcmarl.envs.skirmish import Skirmish, VecSkirmish
from qcmarl.envs.skirmish_maps import Group, Oddities, SkirmishMap, UnitKind, builtin_map, load_map, unit
from qcmarl.envs.smac import VecSmac
from qcmarl.envs.smac_install import SmacUnavailable

__all__ = [
    "Group",
    "Oddities",
    "Skirmish",
    "SkirmishMap",
    "SmacUnavailable",
    "Step",
    "UnitKind",
    "VecEnv",
    "VecGame",
    "VecQueue",
    "VecSkirmish",
    "VecSmac",
    "builtin_map",
    "load_map",
    "make",
    "parallel_env",
    "unit",
]
