"""What each study runs by default."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qcmarl.studies.arms import GLOBAL, LOCAL, RATES, noise_arm
from qcmarl.studies.entanglement.parts import PARTS as ENTANGLEMENT_PARTS
from qcmarl.studies.parts import Part, Study

ALGORITHMS_COMPARED = (
    "mappo",
    "ippo",
    "attention-mappo",
    "g2anet",
    "tarmac",
    "qmix",
    "vdn",
    "qc-factored",
    "qc-outcome",
    "qc-register",
    "autoregressive",
    "mappo-published",
)
CONTROLS = (
    "qc-factored",
    "linear",
    "no-circuit",
    "no-cnot",
    "frozen",
    "orthogonal",
    "mlp",
    *("depth-0", "depth-1", "depth-2", "depth-8"),
    "qc-shots",
    "qc-outcome",
    "mixture",
    "autoregressive",
    "mappo",
    *("mappo-weight-decay", "mappo-dropout", "mappo-input-noise"),
    *("mappo-undo", "qc-undo", "qc-narrow"),
)
TRAINED_UNDER_NOISE = tuple(
    noise_arm(readout, channel, rate)
    for readout in ("factored", "outcome")
    for channel in (GLOBAL, LOCAL)
    for rate in (RATES if channel == GLOBAL else ("0", *RATES))
)
NOISY_READOUTS = ("qc-factored", "qc-outcome")


def _study(title: str, *part: Any, **noises: Any) -> Study:
    """A study of one part."""
    return Study(title, (Part(*part, **noises),))


def _noises(rates: Sequence[str]) -> tuple[str, ...]:
    return ("none", *(f"{channel}:{rate}" for channel in (GLOBAL, LOCAL) for rate in rates))


STUDIES = {
    "table1": _study(
        "Win rates and hours of the main algorithms",
        ("8m_vs_9m",),
        10,
        ("mappo", "attention-mappo", "qmix", "qc-factored"),
        ("mappo", "qc-factored"),
        ("8m_vs_9m",),
    ),
    "curves": _study(
        "Learning curves of every algorithm",
        ("3m", "8m_vs_9m"),
        5,
        ALGORITHMS_COMPARED,
        ALGORITHMS_COMPARED,
    ),
    "agents": _study(
        "The gap over the number of agents",
        ("3m", "5m_vs_6m", "8m_vs_9m", "10m_vs_11m", "27m_vs_30m"),
        5,
        ("mappo", "attention-mappo", "linear", "qc-factored"),
        ("mappo", "qc-factored", "attention-mappo"),
        ("3m", "5m_vs_6m"),
    ),
    "noise": _study(
        "Win rate over noise in the circuit",
        ("3m",),
        5,
        ("mappo", *NOISY_READOUTS, *TRAINED_UNDER_NOISE),
        (
            "mappo",
            *NOISY_READOUTS,
            noise_arm("factored", GLOBAL, "1e-2"),
            *(noise_arm("factored", LOCAL, rate) for rate in ("0", "1e-2")),
        ),
        plays=NOISY_READOUTS,
        noises=_noises(RATES),
        smoke_noises=_noises(RATES[-2:]),
    ),
    "ablation": _study(
        "Is it the quantum part?",
        ("8m_vs_9m", "3m"),
        5,
        CONTROLS,
        ("qc-factored", "linear", "no-cnot", "orthogonal", "mlp", "depth-0", "qc-shots", "mixture", "mappo-dropout"),
    ),
    "correlation": Study("Total correlation: estimators that are sound, and one that is not"),
    "scaling": _study(
        "What the circuit costs",
        ("8m_vs_9m", "3m", "5m_vs_6m", "10m_vs_11m", "27m_vs_30m"),
        1,
        ("mappo", "qc-factored", "linear", "attention-mappo"),
        ("mappo", "qc-factored"),
        ("8m_vs_9m", "3m"),
    ),
    "theory": Study("What the paper's theory says, run"),
    "entanglement": Study("What shared entanglement is worth", ENTANGLEMENT_PARTS),
}
"""All of them, in the order of the reports."""
