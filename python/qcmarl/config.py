"""The configuration that every PPO algorithm shares, and how what was left open in it is filled in.

Extended by the configurations in `algos`; `run` resolves one before anything is built and writes the result down.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from qcmarl.nets import NARROWEST

CLIP_PER_AGENT = {"3m": 0.2, "8m": 0.1, "8m_vs_9m": 0.1, "5m_vs_6m": 0.05}
"""Clip range of per-agent ratios by map of skirmish and smac: on the uneven maps 0.2 lets the entropy collapse."""
CLIP_DEFAULT = 0.2
"""Clip range elsewhere, and of every joint ratio."""
TARGET_KL = {"joint": 0.05, "agent": 0.01}
"""Trust region by ratio; usual updates stay well within."""


EARLIER = {"joint_weights": "living", "undo_step": False}
"""What runs and results had before these settings could be chosen, where it is not what is now their default."""


def earlier(known: Iterable[str]) -> dict[str, Any]:
    """`EARLIER`, of an algorithm that knows these settings."""
    return {name: EARLIER[name] for name in known if name in EARLIER}


def wrong_kinds(kind: type[Any], settings: Mapping[str, Any]) -> list[str]:
    """What settings of a configuration that was read from a file cannot be, in words.

    >>> wrong_kinds(PPOConfig, {"lr": 1, "epochs": "five", "ratio": "team"})
    ["epochs is 'five'; it must be int", "ratio is 'team'; it must be one of 'agent', 'joint', or None"]
    """
    hints = get_type_hints(kind)
    return [
        f"{name} is {value!r}; it must be {_spoken(hints[name])}"
        for name, value in settings.items()
        if name in hints and not _fits(value, hints[name])
    ]


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value can be of a type; kinds of types that no configuration has are not looked at."""
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        return any(_fits(value, one) for one in get_args(hint))
    if origin is Literal:
        return any(value == one and type(value) is type(one) for one in get_args(hint))
    if hint in (int, float):
        return isinstance(value, (int, hint)) and not isinstance(value, bool)
    return isinstance(value, hint) if isinstance(hint, type) and origin is None else True


def _spoken(hint: Any) -> str:
    origin = get_origin(hint)
    if origin in (Union, UnionType):
        return ", or ".join(_spoken(one) for one in get_args(hint))
    if origin is Literal:
        return f"one of {', '.join(map(repr, get_args(hint)))}"
    return "None" if hint is NoneType else str(getattr(hint, "__name__", hint))


@dataclass(frozen=True)
class PPOConfig:
    """What PPO needs for a team, whatever the actor."""

    n_envs: int = 64
    """B, environments played at once (>= 1)."""
    rollout_steps: int = 50
    """T, steps of each environment between updates (>= 1)."""
    epochs: int = 5
    """Passes over a rollout (>= 1); 5 x 2 minibatches learn as fast as 10 x 1 and cost a quarter less."""
    minibatches: int = 2
    """Parts of a pass (>= 1)."""
    lr: float = 5e-4
    """Adam's step for actor and critic (eps 1e-5); arXiv:2103.01955, table 15."""
    gamma: float = 0.99
    """Discount per step, 0..1."""
    lam: float = 0.95
    """Lambda of generalised advantage estimation, 0..1."""
    ratio: Literal["agent", "joint"] | None = None
    """Probability ratio clipped per agent, or once for the joint action; default: joint where the law is joint, else
    agent."""
    clip: float | None = None
    """Clip range of the ratio (> 0); default by environment: joint .2; per agent .2, on 8m and 8m_vs_9m .1, on
    5m_vs_6m .05."""
    value_clip: float = 0.2
    """How far a value may move in one update and still be pulled, in the normaliser's units."""
    huber: float = 10.0
    """Where the value loss turns from a square into a line, in the normaliser's units."""
    entropy: float = 0.01
    """Weight of the entropy bonus per living agent, per nat."""
    entropy_final: float | None = None
    """Weight of the entropy bonus after `anneal` steps; default: `entropy`, for good."""
    lr_final: float | None = None
    """Adam's step after `anneal` steps; default: `lr`, for good."""
    anneal: int | None = None
    """Environment steps over which `entropy` and `lr` go to their final values, in a straight line (>= 1)."""
    grad_clip: float = 1.0
    """Largest norm of the actor's and of the critic's gradient. Usual norms are about 0.5. The published 10 lets single
    steps through, where the ratio of a rare bad action has exploded, that cost a team which won every battle all."""
    value_decay: float = 0.99
    """Decay per rollout of the running mean and variance of the returns, 0..1."""
    timeout: Literal["terminal", "bootstrap"] = "terminal"
    """What a time limit means: the end, worth 0 (the rule of SMAC's published runs), or a cut whose last state's
    value counts."""
    target_kl: float | None = None
    """The actor makes no more steps on a rollout once its KL from the policy that collected it exceeds this on a
    minibatch, nats; the critic goes on. Default: 0.05 for a joint ratio, 0.01 per agent; inf: never."""
    joint_weights: Literal["samples", "living"] = "samples"
    """What advantages are normalised by where the ratio is joint: the samples, as its loss weighs them, so that their
    mean in it is 0; or the samples' living agents, as in the stored studies."""
    undo_step: bool = True
    """Take back a step of the actor that left the trust region at one go, and make smaller ones for some rollouts; the
    last step of a rollout is checked too. One step of usual size can move a policy far where its law is steep."""
    hidden: int = 64
    """Width of the actor's layers (>= 3: LayerNorm leaves of two numbers a sign)."""
    critic: Literal["state", "agent", "local"] = "state"
    """What a value is of: the state, one for the team; the state and an agent's own features, one per agent, as in the
    published runs of MAPPO; or an agent's own features alone (IPPO)."""
    critic_hidden: int = 128
    """Width of the critic's two layers (>= 3)."""
    weight_decay: float = 0.0
    """Decoupled decay of the actor's weights per step, times the learning rate (>= 0; AdamW, arXiv:1711.05101)."""
    dropout: float = 0.0
    """Share of the hidden units of the actor's trunk left out, drawn anew for each part; in updates only (0..1)."""
    input_noise: float = 0.0
    """Standard deviation of normal noise on the actor's features as it reads them, in updates only (>= 0)."""


@dataclass(frozen=True)
class LocalPPOConfig(PPOConfig):
    """PPO of agents who see nothing but their own observations."""

    recurrent: bool = False
    """Give each agent a GRU over its own history."""
    chunk: int = 10
    """Steps of a sequence that the GRU is trained on; divides `rollout_steps`. Only with `recurrent`."""


C = TypeVar("C", bound=PPOConfig)
L = TypeVar("L", bound=LocalPPOConfig)


def resolve_ppo(config: C, env_name: str, joint_law: bool) -> C:
    """Fills `ratio` and `clip` where they are None, and checks what can be checked without an environment.

    Args:
        config: the algorithm's configuration.
        env_name: such as skirmish:3m; decides the default clip range.
        joint_law: whether the actor gives probabilities of joint actions only.

    Returns:
        the same configuration with nothing left open.

    Raises:
        ValueError: a number out of range, or per-agent ratios of a joint law.
    """
    ratio = config.ratio or ("joint" if joint_law else "agent")
    if joint_law and ratio == "agent":
        raise ValueError(
            "ratio 'agent' needs a law that factorises over the agents; this readout has only ratio 'joint'"
        )
    clip = config.clip
    if clip is None:
        clip = CLIP_DEFAULT if ratio == "joint" else clip_per_agent(env_name)
    target_kl = TARGET_KL[ratio] if config.target_kl is None else config.target_kl
    config = replace(config, ratio=ratio, clip=clip, target_kl=target_kl)
    for names, least in (
        (("n_envs", "rollout_steps", "epochs", "minibatches"), 1),
        (("hidden", "critic_hidden"), NARROWEST),
    ):
        for name in names:
            if getattr(config, name) < least:
                raise ValueError(f"{name} is {getattr(config, name)}; it must be at least {least}")
    check_minibatches(config)
    if not math.isfinite(config.entropy):
        raise ValueError(f"entropy is {config.entropy}; it must be finite")
    for name in ("lr", "clip", "value_clip", "huber", "grad_clip", "target_kl"):
        if not getattr(config, name) > 0:
            raise ValueError(f"{name} is {getattr(config, name)}; it must be positive")
    if math.isinf(config.lr):
        raise ValueError(f"lr is {config.lr}; it must be finite")
    check_schedule(config)
    for name in ("weight_decay", "input_noise"):
        if not 0 <= getattr(config, name) < math.inf:
            raise ValueError(f"{name} is {getattr(config, name)}; it must be finite and not negative")
    if not 0 <= config.dropout < 1:
        raise ValueError(f"dropout is {config.dropout}; it must be at least 0 and below 1")
    for name in ("gamma", "lam", "value_decay"):
        if not 0 <= getattr(config, name) <= 1:
            raise ValueError(f"{name} is {getattr(config, name)}; it must be within 0..1")
    return config


def check_schedule(config: PPOConfig) -> None:
    """Raises ValueError where `anneal` and the final values do not go together."""
    finals = {name: getattr(config, name) for name in ("entropy_final", "lr_final")}
    given = [name for name, value in finals.items() if value is not None]
    if config.anneal is None and given:
        raise ValueError(f"{' and '.join(given)} given without anneal, the environment steps that it takes")
    if config.anneal is not None and not given:
        raise ValueError("anneal is given without entropy_final or lr_final: there is nothing to change")
    if config.anneal is not None and config.anneal < 1:
        raise ValueError(f"anneal is {config.anneal}; it must be at least 1")
    for name in given:
        if not math.isfinite(finals[name]):
            raise ValueError(f"{name} is {finals[name]}; it must be finite")
    if config.lr_final is not None and config.lr_final < 0:
        raise ValueError(f"lr_final is {config.lr_final}; it must not be negative")


def resolve_local(config: L, env_name: str) -> L:
    """`resolve_ppo` for local actors; raises ValueError where a chunk does not divide the rollout."""
    config = resolve_ppo(config, env_name, joint_law=False)
    if config.recurrent and (config.chunk < 1 or config.rollout_steps % config.chunk):
        raise ValueError(f"chunk is {config.chunk}; it must divide rollout_steps = {config.rollout_steps}")
    if config.recurrent:
        check_minibatches(config, config.chunk)
    return config


def clip_per_agent(env_name: str) -> float:
    """Default clip range of per-agent ratios in an environment."""
    family, _, name = env_name.partition(":")
    return CLIP_PER_AGENT.get(name, CLIP_DEFAULT) if family in ("skirmish", "smac") else CLIP_DEFAULT


def check_minibatches(config: PPOConfig, chunk: int = 1) -> None:
    """Raises ValueError where a minibatch would be empty; `chunk` is L, steps of a recurrent sequence, else 1."""
    sequences = config.n_envs * (config.rollout_steps // chunk)
    if config.minibatches > sequences:
        of = "n_envs * rollout_steps" + ("" if chunk == 1 else " / chunk")
        raise ValueError(f"minibatches is {config.minibatches}; it must be at most {of} = {sequences}")
