"""`parallel_env`: an environment by name as a PettingZoo `ParallelEnv`, for learners of other libraries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qcmarl.envs.registry import FAMILIES, resolve
from qcmarl.envs.single import Single, SingleSkirmish, SingleVec

if TYPE_CHECKING:
    from qcmarl.envs.pettingzoo_parallel import ParallelBattle


def parallel_env(
    identifier: Any,
    *,
    masks: str = "observation",
    unavailable: str = "replace",
    render_mode: str | None = None,
    **options: Any,
) -> ParallelBattle:
    """Make one battle with PettingZoo's parallel API.

    Actions are numbered as in SMAC: 0 no-op (never available to the living), 1 stop, 2..5 walk, 6 + e attack enemy e.
    The reward is the team's, the same for everyone. Who dies is terminated and leaves `agents`.

    Args:
        identifier: `family:name`, e.g. "skirmish:3m", or a map of one's own, as `VecSkirmish` takes it.
        masks: where an agent finds the actions it may take, as int8: "observation": in a dict with the keys
            "observation" and "action_mask"; "info": in its info under "action_mask", the observation being an array.
        unavailable: what becomes of an action that is not available: "replace": the first available one (stop, for
            the living) is played and the agent's info says `action_replaced`; "refuse": ValueError.
        render_mode: "rgb_array", or None for no pictures.
        options: of the environment, as `make` takes them.

    Returns:
        A `pettingzoo.ParallelEnv`.

    Raises:
        ValueError: for an unknown identifier or option; ModuleNotFoundError without PettingZoo.

    Source: Terry et al., PettingZoo: Gym for Multi-Agent Reinforcement Learning, 2021.

    >>> env = parallel_env("skirmish:3m")
    >>> observations, infos = env.reset(seed=0)
    >>> env.agents
    ['marine_0', 'marine_1', 'marine_2']
    >>> observations["marine_0"]["action_mask"]
    array([0, 1, 1, 1, 1, 1, 0, 0, 0], dtype=int8)
    """
    try:
        from qcmarl.envs.pettingzoo_parallel import ParallelBattle
    except ModuleNotFoundError as error:
        if error.name not in ("pettingzoo", "gymnasium"):
            raise
        message = "parallel_env needs PettingZoo: pip install pettingzoo"
        raise ModuleNotFoundError(message, name=error.name) from error
    return ParallelBattle(identifier, _single(identifier, options), masks, unavailable, render_mode, options)


def _single(identifier: Any, options: dict[str, Any]) -> Single:
    if not isinstance(identifier, str):
        return SingleSkirmish(identifier, **options)
    family, name = resolve(identifier)
    if family == "skirmish":
        return SingleSkirmish(name, **options)
    return SingleVec(FAMILIES[family].make(name, 1, 1, **options))
