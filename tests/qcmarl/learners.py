"""Small learners in the lamp game, the same at every call."""

import torch
from toy import LampGame

from qcmarl.algos.ippo import IPPO, IPPOConfig
from qcmarl.algos.ippo import resolve as resolve_ippo
from qcmarl.algos.mappo import MAPPO, MAPPOConfig
from qcmarl.algos.mappo import resolve as resolve_mappo
from qcmarl.algos.qc_mappo import QCMAPPO, QCMAPPOConfig
from qcmarl.algos.qc_mappo import resolve as resolve_qc_mappo
from qcmarl.algos.qmix import QMIX, QMIXConfig
from qcmarl.algos.qmix import resolve as resolve_qmix
from qcmarl.algos.vdn import VDN, VDNConfig
from qcmarl.algos.vdn import resolve as resolve_vdn

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


VALUES = {"n_envs": 6, "rollout_steps": 20, "hidden": 16, "batch": 16, "learn_every": 30, "epsilon_steps": 1000}


def qmix(env=None, threads=1, **options):
    torch.manual_seed(0)
    config = resolve_qmix(QMIXConfig(**{**VALUES, "mixer": 8, "hypernet": 16, **options}), "toy:lamps")
    return QMIX(config, env or LampGame(config.n_envs), 7, threads)


def vdn(env=None, threads=1, **options):
    torch.manual_seed(0)
    config = resolve_vdn(VDNConfig(**{**VALUES, **options}), "toy:lamps")
    return VDN(config, env or LampGame(config.n_envs), 7, threads)
