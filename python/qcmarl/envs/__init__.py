"""Environments behind one batched contract; none of them needs a game client, torch or the simulator."""

from qcmarl.envs.base import Step, VecEnv
from qcmarl.envs.registry import make
from qcmarl.envs.skirmish import Skirmish, VecSkirmish

__all__ = ["Skirmish", "Step", "VecEnv", "VecSkirmish", "make"]
