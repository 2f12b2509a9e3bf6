"""The configuration that the value-based algorithms share, and the recipes that fill in what was left open in it.

Extended by the configurations in `algos`; `run` resolves one before anything is built and writes the result down.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

from qcmarl.nets import NARROWEST

RECIPES: dict[str, dict[str, Any]] = {
    "fast": {
        "batch": 32,
        "learn_every": 32,
        "unit": "steps",
        "target_every": 100,
        "optimiser": "adam",
        "lr": 1e-3,
        "lam": 0.8,
        "epsilon_steps": 50_000,
        "recurrent": False,
    },
    "finetuned": {
        "batch": 128,
        "learn_every": 8,
        "unit": "episodes",
        "target_every": 25,
        "optimiser": "adam",
        "lr": 1e-3,
        "lam": 0.6,
        "epsilon_steps": 100_000,
        "recurrent": True,
    },
    "pymarl": {
        "batch": 32,
        "learn_every": 1,
        "unit": "episodes",
        "target_every": 200,
        "optimiser": "rmsprop",
        "lr": 5e-4,
        "lam": 0.0,
        "epsilon_steps": 50_000,
        "recurrent": True,
    },
}
"""What `recipe` fills in. Sources: docs/algorithms/qmix.md."""


@dataclass(frozen=True)
class QConfig:
    """What Q-learning needs for a team, whatever the mixer."""

    recipe: Literal["fast", "finetuned", "pymarl"] = "fast"
    """What is left open below is filled in from it: the published one, its finetuned successor, or one that learns as
    much per step at less than a third of the computation."""
    n_envs: int = 64
    """B, environments played at once (>= 1); no recipe changes it. Published: pymarl 1, finetuned 8."""
    rollout_steps: int = 25
    """Steps of each environment between two lines of the log (>= 1); decides nothing else."""
    batch: int | None = None
    """Episodes of an update (>= 1); default: finetuned 128, else 32."""
    learn_every: int | None = None
    """Steps or episodes per update (>= 1); default: fast 32 steps, finetuned 8 and pymarl 1 episodes."""
    unit: Literal["steps", "episodes"] | None = None
    """What `learn_every` counts: environment steps, or finished episodes; default: fast steps, else episodes."""
    target_every: int | None = None
    """Updates between two copies of the network into the one that values the targets (>= 1); default: fast 100,
    finetuned 25, pymarl 200."""
    optimiser: Literal["adam", "rmsprop"] | None = None
    """Adam (eps 1e-8), or RMSprop (alpha .99, eps 1e-5); default: pymarl rmsprop, else adam."""
    lr: float | None = None
    """Its step; default: pymarl 5e-4, else 1e-3."""
    lam: float | None = None
    """Lambda of the TD(lambda) targets, 0 (one step) .. 1; default: fast 0.8, finetuned 0.6, pymarl
    0."""
    epsilon_steps: int | None = None
    """Environment steps over which epsilon falls on a line (>= 1); default: finetuned 100 000, else 50 000."""
    recurrent: bool | None = None
    """Give each agent a GRU over its own history; default: fast no, else yes."""
    epsilon_start: float = 1.0
    """Probability of a random action at the start, 0..1."""
    epsilon_end: float = 0.05
    """The same once it has fallen, 0..1."""
    memory: int = 5000
    """Episodes remembered (>= 1)."""
    memory_megabytes: int = 128
    """Size of the memory, and nearly that of a checkpoint, in millions of bytes at most; full, it forgets earlier. It
    always has room for the episodes of an update and the running ones, all of full length."""
    gamma: float = 0.99
    """Discount per step, 0..1."""
    grad_clip: float = 10.0
    """Largest norm of the gradient of agents and mixer together."""
    timeout: Literal["terminal", "bootstrap"] = "terminal"
    """What a time limit means: the end, worth 0 (the rule of SMAC), or a cut whose last look's value counts."""
    hidden: int = 64
    """Width of the agents' layers (>= 3: LayerNorm leaves of two numbers a sign)."""


C = TypeVar("C", bound=QConfig)


def resolve_q(config: C) -> C:
    """Fills in what the recipe decides, and checks what can be checked without an environment.

    Raises:
        ValueError: an unknown recipe, or a number out of range.
    """
    if config.recipe not in RECIPES:
        raise ValueError(f"recipe is '{config.recipe}'; it must be one of {', '.join(RECIPES)}")
    open_fields = {name: value for name, value in RECIPES[config.recipe].items() if getattr(config, name) is None}
    config = replace(config, **open_fields)
    if config.optimiser not in ("adam", "rmsprop"):
        raise ValueError(f"optimiser is '{config.optimiser}'; it must be adam or rmsprop")
    if config.unit not in ("steps", "episodes"):
        raise ValueError(f"unit is '{config.unit}'; it must be steps or episodes")
    counts = ("n_envs", "rollout_steps", "batch", "learn_every", "epsilon_steps", "target_every", "memory")
    for name in (*counts, "memory_megabytes", "hidden"):
        least = NARROWEST if name == "hidden" else 1
        if getattr(config, name) < least:
            raise ValueError(f"{name} is {getattr(config, name)}; it must be at least {least}")
    assert config.batch is not None
    if config.batch > config.memory:
        raise ValueError(f"batch is {config.batch}; it must be at most memory = {config.memory}")
    for name in ("lr", "grad_clip"):
        if not getattr(config, name) > 0:
            raise ValueError(f"{name} is {getattr(config, name)}; it must be positive")
    if config.lr == math.inf:
        raise ValueError(f"lr is {config.lr}; it must be finite")
    for name in ("lam", "gamma", "epsilon_start", "epsilon_end"):
        if not 0 <= getattr(config, name) <= 1:
            raise ValueError(f"{name} is {getattr(config, name)}; it must be within 0..1")
    return config
