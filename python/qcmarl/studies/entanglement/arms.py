"""The arms of the study: what the agents share, which state, which measurements, under which noise.

Every arm has the settings of its environment's budget, so that all explore alike.
"""

from __future__ import annotations

from typing import Any

from qcmarl.studies.arm import JOINT, Arm
from qcmarl.studies.entanglement.budgets import BUDGETS, NO_ENTROPY

ENTANGLED, SHARED, PRODUCT = "entangled", "shared-randomness", "product"
INDEPENDENT, COMMUNICATION = "independent", "communication"
RESOURCES = (ENTANGLED, SHARED, PRODUCT, INDEPENDENT, COMMUNICATION)
"""What the agents may share, in the order of the reports; the last is an upper bound: it is told all questions."""
NO_BONUS = "entangled-no-entropy"

STATES = {"phi+": "Φ+", "phi-": "Φ−", "psi+": "Ψ+", "psi-": "Ψ−", "product": "product state"}
"""The Bell states, and their control, with their titles."""
SPELLED = {"phi+": "phi-plus", "phi-": "phi-minus", "psi+": "psi-plus", "psi-": "psi-minus"}
"""In names of arms."""
AGENTS: dict[str, tuple[str, dict[str, Any]]] = {
    "own": ("own measurements", {}),
    "identical": ("one measurement for all", {"identical": True}),
    "ry": ("one real measurement for all", {"identical": True, "gates": "ry"}),
}
"""How the agents measure: each by its number as well as its question; all alike, by the question alone; and all alike
with rotations about one axis."""

VISIBILITIES = ("0.6", "0.65", "0.7", "0.75", "0.8", "0.9")
"""Of the states that are trained on, beside 1."""
RATES = ("0.05", "0.1", "0.13", "0.16", "0.2")
"""Of the local depolarizing that is trained under, beside 0."""


def _coordinated(name: str, title: str, **overrides: Any) -> Arm:
    return _arm(name, title, "entangled-mappo", **overrides)


def _arm(name: str, title: str, algo: str, **overrides: Any) -> Arm:
    settings = {where: budget.settings for where, budget in BUDGETS.items()}
    return Arm(name, title, algo, {**JOINT, **overrides}, by_env=settings)


def bell(state: str, agents: str) -> str:
    """Name of the arm that shares a Bell state, or the product state, and measures so."""
    if agents == "own" and state in ("phi+", "product"):
        return ENTANGLED if state == "phi+" else PRODUCT  # what two agents share by default
    return f"{SPELLED.get(state, state)}-{agents}"


def noisy(channel: str, rate: str) -> str:
    """Name of the arm that is trained under noise."""
    return f"entangled-{channel}-{rate}"


def _bell_arm(state: str, agents: str) -> Arm:
    how, overrides = AGENTS[agents]
    shared = {"resource": "product"} if state == "product" else {"resource": "entangled", "state": state}
    return _coordinated(bell(state, agents), f"{STATES[state]}, {how}", **shared, **overrides)


def _noisy_arm(channel: str, rate: str) -> Arm:
    title = f"entangled, trained under {channel} {rate}"
    return _coordinated(noisy(channel, rate), title, resource="entangled", noise=f"{channel}:{rate}")


def _arms() -> list[Arm]:
    arms = [
        _coordinated(ENTANGLED, "entangled", resource="entangled"),
        _coordinated(SHARED, "shared randomness", resource="shared-randomness"),
        _coordinated(PRODUCT, "product state", resource="product"),
        _arm(INDEPENDENT, "independent agents", "mappo"),
        _arm(COMMUNICATION, "communication (upper bound)", "attention-mappo"),
        _coordinated(NO_BONUS, "entangled, no entropy bonus", resource="entangled", **NO_ENTROPY),
    ]
    bells = (_bell_arm(state, agents) for state in STATES for agents in AGENTS)
    arms += [arm for arm in bells if arm.name not in (ENTANGLED, PRODUCT)]
    arms += [_noisy_arm("visibility", rate) for rate in VISIBILITIES]
    return arms + [_noisy_arm("depolarizing", rate) for rate in RATES]


ENTANGLEMENT_ARMS = _arms()
