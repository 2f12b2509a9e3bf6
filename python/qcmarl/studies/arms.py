"""The arms of the studies by name. Used by `plan` and by the reports.

Within a comparison all PPO arms have the same observations, the same joint ratio and the same clip range; only
`mappo-published` has those of the published recipe.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from qcmarl.hints import did_you_mean
from qcmarl.studies.arm import JOINT, Arm
from qcmarl.studies.entanglement.arms import ENTANGLEMENT_ARMS

GLOBAL, LOCAL = "global-depolarizing", "depolarizing"
RATES = ("1e-4", "1e-3", "1e-2", "5e-2")
"""Noise per CNOT in the noise study."""
LOCAL_LATENT = 21
"""Numbers of an agent in circuits under local noise: 6 qubits for 3 agents, whose density matrices are a sixteenth of
those of 8 qubits."""


def noise_arm(readout: str, channel: str, rate: str) -> str:
    """Name of the arm that is trained under noise."""
    return f"qc-{readout}-{'global' if channel == GLOBAL else 'local'}-{rate}"


def _arms() -> list[Arm]:
    def ppo(name: str, title: str, algo: str = "mappo", **overrides: Any) -> Arm:
        return Arm(name, title, algo, {**JOINT, **overrides})

    def qc(name: str, title: str, readout: str = "factored", **overrides: Any) -> Arm:
        return ppo(name, title, "qc-mappo", readout=readout, **overrides)

    published = {
        "ratio": "agent",
        "clip": 0.05,
        "epochs": 15,
        "minibatches": 1,
        "n_envs": 8,
        "rollout_steps": 400,
        "grad_clip": 10.0,
        "target_kl": float("inf"),
        "undo_step": False,
        "value_clip": 0.05,
        "critic_hidden": 64,
        "value_decay": 0.99985,
        "recurrent": True,
        "critic": "agent",
    }
    return [
        ppo("mappo", "MAPPO"),
        ppo("ippo", "IPPO, joint ratio", "ippo"),
        ppo("attention-mappo", "Attention-MAPPO", "attention-mappo"),
        ppo("g2anet", "G2ANet", "g2anet"),
        ppo("tarmac", "TarMAC", "tarmac"),
        Arm("qmix", "QMIX", "qmix"),
        Arm("vdn", "VDN", "vdn"),
        qc("qc-factored", "QC-MAPPO, factored"),
        qc("qc-outcome", "QC-MAPPO, outcome", "outcome"),
        dataclasses.replace(qc("qc-register", "QC-MAPPO, register", "register"), maps=("3m",)),
        qc("linear", "linear layer for the circuit", circuit="linear"),
        qc("no-circuit", "embedding measured as it is", circuit="none"),
        qc("no-cnot", "circuit without CNOTs", circuit="no-cnot"),
        qc("frozen", "frozen random circuit", circuit="frozen"),
        qc("orthogonal", "orthogonal matrix for the circuit", circuit="orthogonal"),
        qc("mlp", "MLP of equal size", circuit="mlp"),
        qc("mixture", "shared-randomness mixture", "outcome", circuit="linear"),
        ppo("autoregressive", "autoregressive MAPPO", "autoregressive-mappo"),
        qc("depth-0", "QC-MAPPO, 0 layers", layers=0),
        qc("depth-1", "QC-MAPPO, 1 layer", layers=1),
        qc("depth-2", "QC-MAPPO, 2 layers", layers=2),
        qc("depth-8", "QC-MAPPO, 8 layers", layers=8),
        ppo("mappo-weight-decay", "MAPPO, weight decay 0.1", weight_decay=0.1),
        ppo("mappo-dropout", "MAPPO, dropout 0.1", dropout=0.1),
        ppo("mappo-input-noise", "MAPPO, input noise 0.1", input_noise=0.1),
        qc("qc-shots", "QC-MAPPO, 1024 shots", shots=1024),
        ppo("mappo-undo", "MAPPO, steps undone", undo_step=True),
        qc("qc-undo", "QC-MAPPO, steps undone", undo_step=True),
        qc("qc-narrow", "QC-MAPPO, steps undone, latents of 32", undo_step=True, latent=32),
        Arm("mappo-published", "MAPPO, 15 epochs, GRU actor", "mappo", published),
        *_noise_arms(),
        *ENTANGLEMENT_ARMS,
    ]


def _noise_arms() -> list[Arm]:
    """QC-MAPPO trained under noise; local noise costs a density matrix per sample, so its circuits are smaller."""
    arms = []
    for readout in ("factored", "outcome"):
        for channel, kind, size in ((GLOBAL, "global", {}), (LOCAL, "local", {"latent": LOCAL_LATENT})):
            for rate in ("0", *RATES) if channel == LOCAL else RATES:
                noise = None if rate == "0" else f"{channel}:{rate}"
                overrides = {**JOINT, **size, "readout": readout, "noise": noise}
                title = f"QC-MAPPO, {readout}, trained under {kind} noise {rate}"
                arms.append(Arm(noise_arm(readout, channel, rate), title, "qc-mappo", overrides))
    return arms


ARMS = {arm.name: arm for arm in _arms()}


def arm_named(name: str) -> Arm:
    """The arm; raises ValueError that names the nearest."""
    if name in ARMS:
        return ARMS[name]
    hint = did_you_mean(name, ARMS)
    raise ValueError(f"unknown arm '{name}'{hint or '; the arms are ' + ', '.join(ARMS)}")
