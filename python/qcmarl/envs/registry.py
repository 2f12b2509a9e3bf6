"""From an identifier such as "skirmish:8m_vs_9m" to an environment. Called by the command line, tests and users."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from qcmarl.envs import skirmish, smac
from qcmarl.envs.base import VecEnv
from qcmarl.envs.game import VecGame
from qcmarl.envs.queue import VecQueue
from qcmarl.games import NAMES as GAMES
from qcmarl.games.queueing import MODELS as QUEUES


@dataclass(frozen=True)
class Family:
    """A kind of environment: how to make one, and the names there are."""

    make: Callable[..., VecEnv]
    """(name, n_envs, n_threads, **options) -> environment."""
    names: tuple[str, ...]
    open: bool = False
    """Whether `names` are examples, and others may be asked for."""
    judged: bool = True
    """Whether its environments tell who wins."""
    few: int | None = None
    """How many of its environments a machine carries side by side where each is a process of weight; None: hundreds."""
    files: str = ""
    """What the names of files that say more of this kind end in; none if empty."""

    def knows(self, name: str) -> bool:
        """Whether there may be an environment of this name."""
        return name in self.names or (self.open and bool(name)) or bool(self.files and name.endswith(self.files))


def _smac(name: str, n_envs: int, n_threads: int, **options: Any) -> VecEnv:
    """Every battle has a game and a process of its own, so threads are not for it to take."""
    return smac.VecSmac(name, n_envs, **options)


def _pettingzoo(name: str, n_envs: int, n_threads: int, **options: Any) -> VecEnv:
    """Played one by one in this thread; imported when asked for, because it needs PettingZoo."""
    from qcmarl.envs.pettingzoo_vec import VecPettingZoo

    return VecPettingZoo(name, n_envs, **options)


def _gymnasium(name: str, n_envs: int, n_threads: int, **options: Any) -> VecEnv:
    """As PettingZoo's."""
    from qcmarl.envs.gymnasium_vec import VecGymnasium

    return VecGymnasium(name, n_envs, **options)


def _minigrid(name: str, n_envs: int, n_threads: int, **options: Any) -> VecEnv:
    """As PettingZoo's."""
    from qcmarl.envs.gymnasium_vec import VecMiniGrid

    return VecMiniGrid(name, n_envs, **options)


FAMILIES: dict[str, Family] = {
    "skirmish": Family(make=skirmish.VecSkirmish, names=skirmish.MAPS, files=".toml"),
    "smac": Family(make=_smac, names=smac.MAPS, few=8),
    "pettingzoo": Family(
        make=_pettingzoo,
        names=("cooperative_pong_v6", "knights_archers_zombies_v11", "simple_spread_v3"),
        open=True,
        judged=False,
    ),
    "minigrid": Family(
        make=_minigrid,
        names=("MiniGrid-Empty-5x5-v0", "MiniGrid-DoorKey-5x5-v0", "MiniGrid-FourRooms-v0"),
        open=True,
    ),
    "gymnasium": Family(make=_gymnasium, names=("CartPole-v1", "Acrobot-v1", "FrozenLake-v1"), open=True, judged=False),
    "game": Family(make=VecGame, names=GAMES, open=True),
    "queue": Family(make=VecQueue, names=tuple(QUEUES)),
}


def make(identifier: str, n_envs: int = 64, n_threads: int = 0, **options: Any) -> VecEnv:
    """Make a batch of environments.

    Args:
        identifier: `family:name`, e.g. "skirmish:8m_vs_9m", "skirmish:maps/mine.toml" for a map of one's own,
            "smac:8m_vs_9m" for the real StarCraft II, "pettingzoo:simple_spread_v3", "minigrid:MiniGrid-Empty-5x5-v0",
            "gymnasium:CartPole-v1", "game:chsh", or "queue:2x2".
        n_envs: episodes side by side, at least 1; of smac each is a game, so few.
        n_threads: at most so many threads, for skirmish; 0 means all available.
        options: further arguments of the family's class (`VecSkirmish`, `VecGame`, `VecQueue`, ...).

    Returns:
        The environment; reset it before the first step.

    Raises:
        ValueError: for an unknown family or name, with the options and the likeliest meant.
        SmacUnavailable: (an OSError) where smac lacks something, with the remedy.

    >>> make("skirmish:3m", n_envs=2, n_threads=1).n_agents
    3
    """
    family, name = resolve(identifier)
    return FAMILIES[family].make(name, n_envs, n_threads, **options)


def side_by_side(identifier: str, wanted: int) -> int:
    """How many environments an evaluation should open of those it could use: fewer where each is a game.

    >>> side_by_side("skirmish:3m", 64), side_by_side("smac:3m", 64)
    (64, 8)
    """
    few = FAMILIES[resolve(identifier)[0]].few
    return wanted if few is None else min(wanted, few)


def table_of(env: VecEnv) -> str | None:
    """A digest of the rules of an environment whose name does not decide them, as that of a file does not; else None.

    >>> table_of(make("queue:2x2")), table_of(make("game:chsh")) == table_of(make("game:ghz"))
    (None, False)
    """
    return getattr(env, "table", None)


def check_table(env: VecEnv, table: str | None, where: object) -> None:
    """Raises ValueError where the rules of an environment are not those whose digest was kept.

    Args:
        env: as it is made now.
        table: what `table_of` gave then; None, or another environment without one: nothing is compared.
        where: it was kept, named in the message.
    """
    now = table_of(env)
    if table is not None and now is not None and now != table:
        raise ValueError(
            f"{where} is of {env.name} as it was before; its table has changed since: bring the old one back"
        )


def resolve(identifier: str) -> tuple[str, str]:
    """Split an identifier into family and name, both known; raises as `make`."""
    if not isinstance(identifier, str):
        raise TypeError(f"an environment is named by a string such as 'skirmish:3m', not {identifier!r}")
    family, colon, name = identifier.partition(":")
    if not colon and family in FAMILIES:
        raise ValueError(f"'{family}' is a family of environments; name one of it: {', '.join(_identifiers(family))}")
    if not colon:
        known = [given for each in FAMILIES for given in _identifiers(each)]
        some = "; ".join(", ".join(_identifiers(each)[:3]) for each in FAMILIES)
        raise ValueError(f"environment '{identifier}' has no family{_meant(known, identifier)}; family:name: {some}")
    if family not in FAMILIES:
        raise ValueError(f"unknown environment family '{family}'{_options('families', FAMILIES, family)}")
    names = FAMILIES[family].names
    if not FAMILIES[family].knows(name):
        files = FAMILIES[family].files
        others = f"; or a map of your own, a file that ends in {files}" if files else ""
        raise ValueError(f"unknown environment '{identifier}'{_options(f'names of {family}', names, name)}{others}")
    return family, name


def _identifiers(family: str) -> list[str]:
    return [f"{family}:{name}" for name in FAMILIES[family].names]


def _options(what: str, options: Iterable[str], given: str) -> str:
    """What may have been meant, then all there is: the list is long."""
    names = list(options)
    return f"{_meant(names, given)}; {what}: {', '.join(names)}"


def _meant(names: list[str], given: str) -> str:
    """The one of these that may have been meant, in words; empty where none is near."""
    tails = {name.rpartition(":")[2]: name for name in reversed(names)}  # of one name in two families, the first
    close = difflib.get_close_matches(given, names, n=1, cutoff=0.5) or [
        tails[tail] for tail in difflib.get_close_matches(given, tails, n=1, cutoff=0.5)
    ]
    return f" (did you mean '{close[0]}'?)" if close else ""
