"""The installed SMAC package over a game that is a stand-in: what the worker relies on is what the package does.

The stand-in answers PySC2's calls. Its marines stand where they were created; `kill` sets who has how much health.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from qcmarl.envs.smac_worker import Game, GameDied, Outcome, Settings

pytestmark = [
    pytest.mark.skipif(importlib.util.find_spec("pysc2") is None, reason="SMAC is not installed"),
    pytest.mark.filterwarnings("ignore"),  # the package's own
]

STOP = [1, 1, 1]
SCALE = (3 * 45 + 3 * 10 + 200) / 20
"""A 20th of what a clean win on 3m earns: the enemies' health, 10 for each and 200."""


class StandIn:
    """The controller, the process and the run configuration of PySC2 in one."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.health = [45.0] * 6
        self.broken = False
        self.controller = self

    def start(self, **_: Any) -> StandIn:
        self.calls.append("start")
        self.health = [45.0] * 6
        return self

    def close(self) -> None:
        self.calls.append("close")

    def map_data(self, path: str) -> bytes:
        assert Path(path).name == "3m.SC2Map"
        return b""

    def create_game(self, request: Any) -> None:
        self.calls.append(f"seed={request.random_seed}")

    def join_game(self, request: Any) -> None:
        pass

    def game_info(self) -> Any:
        def point(x: int, y: int) -> Any:
            return SimpleNamespace(x=x, y=y)

        walkable = SimpleNamespace(bits_per_pixel=1, data=b"\xff" * 128)
        area = SimpleNamespace(p0=point(0, 0), p1=point(32, 32))
        raw = SimpleNamespace(playable_area=area, map_size=point(32, 32), pathing_grid=walkable)
        raw.terrain_height = SimpleNamespace(data=bytes(1024))
        return SimpleNamespace(start_raw=raw)

    def observe(self) -> Any:
        units = [self._marine(number, health) for number, health in enumerate(self.health) if health > 0]
        return SimpleNamespace(observation=SimpleNamespace(raw_data=SimpleNamespace(units=units)))

    def actions(self, request: Any) -> None:
        if self.broken:
            from pysc2.lib import protocol

            self.broken = False
            raise protocol.ConnectionError("the game is gone")

    def step(self, loops: int) -> None:
        pass

    def debug(self, request: Any) -> None:
        """SMAC begins the next battle by killing everybody, on which the map creates all anew."""
        self.health = [45.0] * 6

    def save_replay(self, *data: Any, **options: Any) -> bytes:
        if options:
            self.calls.append(f"replay {options['replay_dir']} {options['prefix']}")
        return b""

    def _marine(self, number: int, health: float) -> Any:
        enemy = number >= 3
        return SimpleNamespace(
            tag=number,
            owner=1 + enemy,
            unit_type=1975,
            pos=SimpleNamespace(x=23.0 if enemy else 9.0, y=15.0 + number % 3, z=0.0),
            health=health,
            health_max=45.0,
            shield=0.0,
            shield_max=0.0,
            energy=0.0,
            weapon_cooldown=0.0,
        )


@pytest.fixture
def played(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Game, StandIn]:
    from pysc2 import run_configs

    stand_in = StandIn()
    monkeypatch.setattr(run_configs, "get", lambda version=None: stand_in)
    (tmp_path / "Versions").mkdir()
    (tmp_path / "Maps" / "SMAC_Maps").mkdir(parents=True)
    (tmp_path / "Maps" / "SMAC_Maps" / "3m.SC2Map").touch()
    monkeypatch.setenv("SC2PATH", str(tmp_path))
    return Game(Settings("3m", {}, str(tmp_path / "replays"), "3m_0")), stand_in


def play(game: Game, stand_in: StandIn, health: list[float]) -> Outcome:
    stand_in.health = health
    return game.step(STOP)


def test_a_battle_is_begun_with_the_seed(played: tuple[Game, StandIn]) -> None:
    game, stand_in = played
    look = game.begin(12)
    assert stand_in.calls[-2:] == ["start", "seed=12"]
    assert (look.obs.shape, look.state.shape) == ((3, 30), (48,))
    assert look.avail.tolist() == [[False] + 5 * [True] + 3 * [False]] * 3


def test_a_clean_win_returns_20_and_terminates(played: tuple[Game, StandIn]) -> None:
    game, stand_in = played
    game.begin(1)
    hurt = play(game, stand_in, [45, 45, 45, 45, 45, 39])
    assert (hurt.reward, hurt.terminated, hurt.truncated) == (pytest.approx(6 / SCALE), False, False)
    won = play(game, stand_in, [45, 45, 45, 0, 0, 0])
    assert hurt.reward + won.reward == pytest.approx(20)
    assert (won.terminated, won.truncated, won.battle_won) == (True, False, True)


def test_a_defeat_terminates_and_the_dead_have_the_no_op_alone(played: tuple[Game, StandIn]) -> None:
    game, stand_in = played
    game.begin(1)
    stand_in.health = [45, 0, 45, 45, 45, 45]
    hurt = game.step(STOP)
    assert hurt.look.avail[1].nonzero()[0].tolist() == [0]
    assert not hurt.look.avail[[0, 2], 0].any()
    assert not hurt.look.obs[1].any()
    stand_in.health = [0, 0, 0, 45, 45, 45]
    lost = game.step([1, 0, 1])
    assert (lost.reward, lost.terminated, lost.truncated, lost.battle_won) == (0, True, False, False)


def test_the_step_limit_is_told_from_a_defeat(played: tuple[Game, StandIn]) -> None:
    game, _ = played
    game.begin(1)
    outcomes = [game.step(STOP) for _ in range(60)]
    assert not any(outcome.terminated or outcome.truncated for outcome in outcomes[:-1])
    assert (outcomes[-1].terminated, outcomes[-1].truncated, outcomes[-1].battle_won) == (False, True, False)


def test_the_next_battle_begins_in_the_same_game(played: tuple[Game, StandIn]) -> None:
    game, stand_in = played
    game.begin(1)
    play(game, stand_in, [45, 45, 45, 0, 0, 0])
    look = game.begin(1)
    assert stand_in.calls.count("start") == 1
    assert look.avail[:, 1].all()
    assert play(game, stand_in, [45, 45, 45, 0, 0, 0]).reward == pytest.approx(20)


def test_beginning_again_within_the_first_battle_keeps_the_scale(played: tuple[Game, StandIn]) -> None:
    game, stand_in = played
    game.begin(1)
    game.step(STOP)
    game.begin(1)
    assert stand_in.calls.count("close") == 1
    assert play(game, stand_in, [45, 45, 45, 0, 0, 0]).reward == pytest.approx(20)


def test_a_game_that_is_gone_is_noticed(played: tuple[Game, StandIn]) -> None:
    game, stand_in = played
    game.begin(1)
    stand_in.broken = True
    with pytest.raises(GameDied, match="StarCraft II stopped answering"):
        game.step(STOP)


def test_replays_go_to_the_folder_under_the_name_of_the_game(played: tuple[Game, StandIn], tmp_path: Path) -> None:
    game, stand_in = played
    game.begin(1)
    assert game.finish().trouble == ""
    assert stand_in.calls[-2:] == [f"replay {tmp_path / 'replays'} 3m_0", "close"]


def test_what_is_seen_is_float32(played: tuple[Game, StandIn]) -> None:
    look = played[0].begin(1)
    assert look.obs.dtype == look.state.dtype == np.float32
    assert look.avail.dtype == bool
