"""Small learners in the lamp game, the same at every call."""

import torch
from toy import LampGame

from qcmarl.algos.ippo import IPPO, IPPOConfig
from qcmarl.algos.ippo import resolve as resolve_ippo
from qcmarl.algos.mappo import MAPPO, MAPPOConfig
from qcmarl.algos.mappo import resolve as resolve_mappo
from qcmarl.algos.qc_mappo import QCMAPPO, QCMAPPOConfig
from qcmarl.algos.qc_mappo import resolve as resolve_qc_mappo

SMALL = {"n_envs": 6, "rollout_steps": 20, "hidden": 16, "critic_hidden": 16}


def mappo(env=None, threads=1, **options):
    torch.manual_seed(0)
    config = resolve_mappo(MAPPOConfig(**{**SMALL, **options}), "toy:lamps")
    return MAPPO(config, env or LampGame(config.n_envs), 7, threads)


def ippo(env=None, threads=1, **options):
    torch.manual_seed(0)
    config = resolve_ippo(IPPOConfig(**{**SMALL, **options}), "toy:lamps")
    return IPPO(config, env or LampGame(config.n_envs), 7, threads)


def qc_mappo(env=None, threads=1, **options):
    torch.manual_seed(0)
    config = resolve_qc_mappo(QCMAPPOConfig(**{**SMALL, "latent": 8, **options}), "toy:lamps")
    return QCMAPPO(config, env or LampGame(config.n_envs), 7, threads)
