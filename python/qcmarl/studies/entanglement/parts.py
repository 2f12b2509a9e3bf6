"""What the study is made of: who learns what where. Read by `catalogue`, and by the study's report."""

from __future__ import annotations

from qcmarl.studies.entanglement.arms import (
    AGENTS,
    ENTANGLED,
    INDEPENDENT,
    NO_BONUS,
    RATES,
    RESOURCES,
    STATES,
    VISIBILITIES,
    bell,
    noisy,
)
from qcmarl.studies.parts import Part

CHSH = "game:chsh"
GAMES = (CHSH, "game:ghz", "game:rendezvous-k3", "game:rendezvous-c5", "game:rendezvous-c6")
QUEUES = ("queue:2x2",)
SEEDS, FEWER_SEEDS = 10, 5

PLAYED_VISIBILITIES = ("0.5", "0.55", "0.6", "0.65", "0.7", "0.75", "0.8", "0.85", "0.9", "0.95")
PLAYED_RATES = ("0.03", "0.06", "0.09", "0.12", "0.15", "0.18", "0.21", "0.25", "0.3")
PLAYED = (
    "none",
    *(f"visibility:{v}" for v in PLAYED_VISIBILITIES),
    *(f"depolarizing:{rate}" for rate in PLAYED_RATES),
)
SMOKE_PLAYED = ("none", "visibility:0.5", "visibility:0.9", "depolarizing:0.3")

RESOURCES_PART = Part(GAMES, SEEDS, RESOURCES, (ENTANGLED, INDEPENDENT), (CHSH,))
BELL_PART = Part(
    (CHSH,),
    FEWER_SEEDS,
    tuple(bell(state, agents) for state in STATES for agents in AGENTS),
    (ENTANGLED, bell("psi-", "ry")),
    (CHSH,),
    smoke_seeds=1,
    fixed=True,
)
PLAYED_PART = Part(
    (CHSH,),
    SEEDS,
    (ENTANGLED,),
    (ENTANGLED,),
    (CHSH,),
    plays=(ENTANGLED,),
    noises=PLAYED,
    smoke_noises=SMOKE_PLAYED,
    fixed=True,
)
NOISE_PART = Part(
    (CHSH,),
    FEWER_SEEDS,
    tuple(noisy("visibility", v) for v in VISIBILITIES) + tuple(noisy("depolarizing", r) for r in RATES),
    (noisy("visibility", "0.8"),),
    (CHSH,),
    smoke_seeds=1,
    fixed=True,
)
ENTROPY_PART = Part((CHSH,), SEEDS, (ENTANGLED, NO_BONUS), (ENTANGLED, NO_BONUS), (CHSH,), smoke_seeds=1, fixed=True)
QUEUE_PART = Part(QUEUES, SEEDS, RESOURCES, (ENTANGLED, INDEPENDENT), QUEUES, smoke_seeds=1)

PARTS = (RESOURCES_PART, BELL_PART, PLAYED_PART, NOISE_PART, ENTROPY_PART, QUEUE_PART)
