"""The real StarCraft II's door, with a package that has SMAC's face and no game behind it."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qcmarl.envs import VecEnv, make, parallel_env
from qcmarl.envs.smac import MAPS, SmacUnavailable, VecSmac
from qcmarl.envs.smac_install import battle_class

FAKES = Path(__file__).with_name("fake_starcraft")
REWARD = 1 / ((3 * 10 + 200 + 3 * 45) / 20)
"""What the scripted battle earns in a step: 1 of a 20th of 30 for kills, 200 for the win and 135 hp."""
STOP = np.ones((2, 3), int)


@pytest.fixture
def game(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A game's folder that looks complete, and the fake package on the path."""
    for name in MAPS:
        path = tmp_path / "game" / "Maps" / "SMAC_Maps" / f"{name}.SC2Map"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "game" / "Versions").mkdir()
    monkeypatch.setenv("SC2PATH", str(tmp_path / "game"))
    monkeypatch.syspath_prepend(FAKES)
    return tmp_path / "game"


class Battles:
    """Makes environments over scripted battles, reads what their games were told, and closes them."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self.made: list[VecSmac] = []

    def __call__(self, n_envs: int = 2, settings: dict[str, Any] | None = None, **script: Any) -> VecSmac:
        env = VecSmac("3m", n_envs, **(settings or {}), script={"log": str(self.log), **script})
        self.made.append(env)
        return env

    def told(self, game: int) -> list[str]:
        """The events of one game, without seeds and process ids."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [line.split()[1] for line in lines if line.startswith(f"3m_{game} ")]

    def launches(self, key: str) -> list[int]:
        """Seeds or process ids of all launches."""
        words = self.log.read_text().split()
        return [int(word.removeprefix(f"{key}=")) for word in words if word.startswith(f"{key}=")]


@pytest.fixture
def battles(game: Path, tmp_path: Path) -> Iterator[Battles]:
    made = Battles(tmp_path / "log")
    yield made
    for env in made.made:
        env.close()


def test_sizes_are_known_before_the_game_is_started(battles: Battles) -> None:
    env = battles()
    assert isinstance(env, VecEnv)
    assert (env.name, env.n_envs, env.n_agents, env.n_enemies, env.n_actions) == ("smac:3m", 2, 3, 3, 9)
    assert (env.obs_size, env.state_size, env.episode_limit, env.max_return) == (30, 48, 60, 20)
    assert battles.told(0) == []


def test_the_registry_makes_it(game: Path) -> None:
    env = make("smac:3m", n_envs=1)
    try:
        assert env.name == "smac:3m"
        assert env.reset(0).obs.shape == (1, 3, 30)
    finally:
        env.close()


def test_a_step_shows_what_the_game_shows(battles: Battles) -> None:
    env = battles()
    step = env.reset(seed=1)
    assert step.obs[:, :, 2].tolist() == [[0, 1, 2]] * 2
    assert step.avail[0].tolist() == [[False] + 5 * [True] + 3 * [False]] * 3
    assert step.alive.all()
    step = env.step(STOP)
    assert env.last_step() is step
    assert step.obs[:, :, 1].tolist() == [[1, 1, 1]] * 2
    assert step.state[:, 1].tolist() == [1, 1]
    assert step.reward.tolist() == pytest.approx([REWARD, REWARD])
    assert not (step.terminated | step.truncated | step.info["battle_won"]).any()
    assert step.info["episode_length"].tolist() == [1, 1]
    assert step.obs.dtype == step.state.dtype == step.reward.dtype == np.float32


def test_a_won_battle_terminates_and_the_next_begins_in_the_same_game(battles: Battles) -> None:
    env = battles()
    env.reset()
    for _ in range(5):
        step = env.step(STOP)
    assert step.terminated.all()
    assert not step.truncated.any()
    assert step.info["battle_won"].all()
    assert step.info["episode_length"].tolist() == [5, 5]
    assert step.info["episode_return"].tolist() == pytest.approx([205 * REWARD] * 2)
    assert step.info["final_state"][:, :2].tolist() == [[1, 5]] * 2
    assert step.info["final_obs"][:, 2, :3].tolist() == [[1, 5, 2]] * 2
    assert step.state[:, :2].tolist() == [[1, 0]] * 2
    step = env.step(STOP)
    assert step.info["episode_length"].tolist() == [1, 1]
    assert not step.info["battle_won"].any()
    assert battles.told(0) == ["launch", "reset", "reset"]


def test_the_time_limit_truncates(battles: Battles) -> None:
    env = battles(n_envs=1, wins_at=1000)
    env.reset()
    for number in range(1, 61):
        step = env.step(STOP[:1])
        assert step.truncated.tolist() == [number == 60]
        assert not step.terminated.any()
    assert step.info["episode_length"].tolist() == [60]


def test_the_dead_have_the_no_op_alone(battles: Battles) -> None:
    env = battles(n_envs=1, deaths={1: 2})
    env.reset()
    env.step(STOP[:1])
    step = env.step(STOP[:1])
    assert step.alive.tolist() == [[True, False, True]]
    assert step.avail[0, 1].nonzero()[0].tolist() == [0]
    assert not step.obs[0, 1].any()
    with pytest.raises(ValueError, match="battle 0, agent 1: action 1 is not available; available: 0"):
        env.step(STOP[:1])
    assert env.step(np.array([[1, 0, 1]])).info["episode_length"].tolist() == [3]


@pytest.mark.parametrize(
    ("kind", "settings"), [("crash", {}), ("exit", {}), ("hang", {"timeout": 1.5})], ids=["crash", "exit", "hang"]
)
def test_a_battle_whose_game_dies_is_truncated_where_it_was_last_seen(
    battles: Battles, kind: str, settings: dict[str, Any]
) -> None:
    env = battles(settings=settings, trouble={("3m_0", 1): (kind, 3)})
    env.reset()
    env.step(STOP)
    env.step(STOP)
    step = env.step(STOP)
    assert step.truncated.tolist() == [True, False]
    assert not step.terminated.any()
    assert not step.info["battle_won"].any()
    assert step.reward.tolist() == pytest.approx([0, REWARD])
    assert step.info["episode_length"].tolist() == [3, 3]
    assert step.info["episode_return"].tolist() == pytest.approx([2 * REWARD, 3 * REWARD])
    assert step.info["final_state"][:, 1].tolist() == [2, 0]
    assert step.info["final_obs"][0, :, 1].tolist() == [2, 2, 2]
    assert step.info["restarts"].tolist() == [1, 0]
    assert step.state[:, 1].tolist() == [0, 3]
    for number in range(1, 6):
        step = env.step(STOP)
        assert step.info["battle_won"].tolist() == [number == 5, number == 2]
    assert battles.told(0).count("launch") == 2
    assert battles.told(1).count("launch") == 1


def test_the_process_of_a_game_that_died_is_gone(battles: Battles) -> None:
    env = battles(n_envs=1, settings={"timeout": 1.5}, trouble={("3m_0", 1): ("hang", 1)})
    env.reset()
    env.step(STOP[:1])
    first, second = battles.launches("pid")
    with pytest.raises(ProcessLookupError):
        os.kill(first, 0)
    os.kill(second, 0)


def test_a_game_that_dies_at_its_start_is_started_again(battles: Battles) -> None:
    env = battles(trouble={("3m_0", 1): ("reset", 0), ("3m_0", 2): ("reset", 0)})
    step = env.reset()
    assert step.info["restarts"].tolist() == [2, 0]
    assert step.alive.all()
    assert len(set(battles.launches("seed"))) == 4


def test_a_game_that_dies_too_often_in_a_row_ends_it_with_the_reason(battles: Battles) -> None:
    always = {("3m_1", number): ("crash", 2) for number in range(1, 9)}
    env = battles(settings={"restarts": 2}, trouble=always)
    env.reset()
    message = r"game 1 of smac:3m died 3 times in a row without finishing a battle \(restarts=2 are allowed\); the last"
    for _ in range(5):
        env.step(STOP)
    with pytest.raises(RuntimeError, match=message + " time: StarCraft II stopped answering"):
        env.step(STOP)
    with pytest.raises(RuntimeError, match="smac:3m is closed"):
        env.step(STOP)


def test_deaths_with_battles_between_them_are_forgiven(battles: Battles) -> None:
    env = battles(n_envs=1, settings={"restarts": 1}, wins_at=2, trouble={("3m_0", n): ("crash", 1) for n in (1, 3)})
    env.reset()
    ends = [env.step(STOP[:1]).truncated[0] for _ in range(3)]
    assert ends == [True, False, False]
    os.kill(battles.launches("pid")[-1], signal.SIGKILL)
    step = env.step(STOP[:1])
    assert step.truncated[0]
    assert step.info["restarts"][0] == 2


def test_seeds_of_games_follow_from_the_seed(battles: Battles) -> None:
    for seed in (1, 1, 2):
        battles().reset(seed)
    first, again, other = (battles.launches("seed")[i : i + 2] for i in (0, 2, 4))
    assert sorted(first) == sorted(again)
    assert not set(first) & set(other)
    assert len(set(first)) == 2


def test_a_second_reset_begins_the_next_battle_in_the_running_game(battles: Battles) -> None:
    env = battles(n_envs=1)
    env.reset()
    for _ in range(6):
        env.step(STOP[:1])
    step = env.reset(seed=3)
    assert step.state[0, :2].tolist() == [1, 0]
    assert step.info["episode_length"].tolist() == [0]
    assert battles.told(0) == ["launch", "reset", "reset", "reset"]


def test_a_reset_within_the_first_battle_does_not_count_the_enemies_twice(battles: Battles) -> None:
    env = battles(n_envs=1)
    env.reset()
    env.step(STOP[:1])
    env.reset()
    assert env.step(STOP[:1]).reward.tolist() == pytest.approx([REWARD])
    assert battles.told(0) == ["launch", "reset", "close", "launch", "reset"]


def test_resetting_twice_starts_one_game(battles: Battles) -> None:
    env = battles(n_envs=1)
    env.reset(1)
    env.reset(1)
    assert battles.told(0) == ["launch", "reset"]


def test_a_run_goes_on_after_a_checkpoint_with_its_battles_cut_off(battles: Battles) -> None:
    env = battles()
    env.reset(4)
    env.step(STOP)
    saved = env.state_dict()
    env.step(STOP)
    other = battles()
    other.load_state_dict(saved)
    assert other.last_step().state[:, 1].tolist() == [1, 1]
    step = other.step(STOP)
    assert step.truncated.all()
    assert step.reward.tolist() == [0, 0]
    assert step.info["final_state"][:, 1].tolist() == [1, 1]
    assert step.info["episode_return"].tolist() == pytest.approx([REWARD] * 2)
    assert step.info["episode_length"].tolist() == [2, 2]
    assert step.info["restarts"].tolist() == [0, 0]
    assert other.step(STOP).state[:, 1].tolist() == [1, 1]


def test_a_state_of_another_batch_is_refused(battles: Battles) -> None:
    env = battles(n_envs=1)
    env.reset()
    with pytest.raises(ValueError, match="the saved environment has n_envs=1, this one 2"):
        battles().load_state_dict(env.state_dict())


def test_replays_are_saved_on_request_and_at_the_end(battles: Battles, tmp_path: Path) -> None:
    env = battles(settings={"replay_dir": tmp_path / "replays"})
    env.reset()
    env.save_replays()
    env.close()
    for game in (0, 1):
        assert battles.told(game) == ["launch", "reset", "replay", "replay", "close"]
    assert f"3m_1 replay {tmp_path / 'replays'}" in battles.log.read_text()


def test_no_replay_is_saved_unasked(battles: Battles) -> None:
    env = battles(n_envs=1)
    env.reset()
    env.close()
    env.close()
    assert battles.told(0) == ["launch", "reset", "close"]


def test_a_replay_before_any_battle_is_refused(battles: Battles) -> None:
    with pytest.raises(RuntimeError, match="game 0 of smac:3m saved no replay: no game has been started"):
        battles().save_replays()


def test_pettingzoos_own_check_passes(battles: Battles) -> None:
    check = pytest.importorskip("pettingzoo.test").parallel_api_test
    env = parallel_env("smac:3m", script={"log": str(battles.log), "deaths": {1: 2}})
    check(env, num_cycles=20)
    env.close()
    assert battles.told(0)[-1] == "close"


def wait_for(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("sent", [None, signal.SIGKILL], ids=["it ends", "it is killed"])
def test_no_game_outlives_the_program(battles: Battles, sent: signal.Signals | None) -> None:
    program = (
        "import sys, time\n"
        "from qcmarl.envs.smac import VecSmac\n"
        "if __name__ == '__main__':\n"
        f"    env = VecSmac('3m', 1, script={{'log': {str(battles.log)!r}}})\n"
        "    env.reset()\n"
        "    print('ready', flush=True)\n"
        "    time.sleep(0 if sys.argv[1] == 'ends' else 60)\n"
    )
    path = battles.log.with_suffix(".py")
    path.write_text(program)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(FAKES), *sys.path])}
    arguments = [sys.executable, str(path), "ends" if sent is None else "waits"]
    with subprocess.Popen(arguments, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        if sent is not None:
            process.send_signal(sent)
    wait_for(lambda: battles.told(0) == ["launch", "reset", "close"])


def test_options_reach_the_game_and_unknown_ones_are_named(battles: Battles) -> None:
    env = battles(n_envs=1, settings={"difficulty": "A", "reward_scale_rate": 10})
    assert env.max_return == 10
    assert np.isnan(battles(n_envs=1, settings={"reward_scale": False}).max_return)
    with pytest.raises(RuntimeError, match=r"smac:3m could not be made: TypeError.*'colour'"):
        battles(n_envs=1, settings={"colour": "red"})


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ({"n_envs": 0}, ValueError, "n_envs is 0, must be at least 1"),
        ({"restarts": -1}, ValueError, "restarts is -1, must be at least 0"),
        ({"timeout": 0}, ValueError, "timeout is 0 s, must be positive and finite"),
        ({"timeout": "1"}, TypeError, "timeout must be a number of seconds, not '1'"),
        ({"continuing_episode": True}, ValueError, "the option continuing_episode of StarCraft2Env is set by VecSmac"),
        ({"map_name": 3}, TypeError, "map_name must be a string, not 3"),
    ],
)
def test_bad_arguments_are_refused_before_any_process_is_started(
    arguments: dict[str, Any], kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message):
        VecSmac(**({"map_name": "3m", "n_envs": 1} | arguments))


def test_stepping_before_reset_is_refused(battles: Battles) -> None:
    with pytest.raises(RuntimeError, match=r"no episode has begun: call reset\(\) first"):
        battles().step(STOP)


def package(folder: Path, **files: str) -> None:
    for name, text in files.items():
        path = folder / name.replace("__", "/")
        path = path / "__init__.py" if path.suffix == "" else path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


class TestWhatIsMissing:
    """Each missing piece is named with its remedy."""

    def test_the_package(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
        with pytest.raises(
            SmacUnavailable, match=r"smac is not installed: pip install git\+https://github.com/oxwhirl"
        ):
            battle_class()

    def test_the_optimiser_of_the_same_name(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        package(tmp_path, smac="raise ImportError('ConfigSpace')")
        monkeypatch.syspath_prepend(tmp_path)
        message = (
            "not the StarCraft challenge but PyPI's optimiser of the same name: pip uninstall smac, then pip install"
        )
        with pytest.raises(SmacUnavailable, match=message):
            VecSmac("3m", 1)

    def test_protobuf_of_this_age(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        package(tmp_path, smac="", smac__env="raise TypeError('Descriptors cannot be created directly.\\nIf ...')")
        monkeypatch.syspath_prepend(tmp_path)
        with pytest.raises(
            SmacUnavailable, match=r"protobuf.* is too new .*: pip install 'protobuf<3\.21', or set PROTO"
        ):
            VecSmac("3m", 1)

    def test_a_dependency(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        package(tmp_path, smac="", smac__env="import pysc2_of_nowhere")
        monkeypatch.syspath_prepend(tmp_path)
        with pytest.raises(SmacUnavailable, match="SMAC needs the package pysc2_of_nowhere, which is not installed"):
            VecSmac("3m", 1)

    def test_the_game(self, battles: Battles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SC2PATH", str(tmp_path / "elsewhere"))
        env = battles()
        with pytest.raises(SmacUnavailable, match=r"StarCraft II is not in .*elsewhere .*s2client-proto.*set SC2PATH"):
            env.reset()

    def test_the_map(self, battles: Battles, game: Path) -> None:
        (game / "Maps" / "SMAC_Maps" / "3m.SC2Map").unlink()
        env = battles()
        with pytest.raises(SmacUnavailable, match=r"map file .*3m\.SC2Map is missing; copy the folder .*SMAC_Maps of"):
            env.reset()


# agents, enemies, actions, observation, state, step limit
SIZES = {
    "3m": (3, 3, 9, 30, 48, 60),
    "8m": (8, 8, 14, 80, 168, 120),
    "25m": (25, 25, 31, 250, 950, 150),
    "5m_vs_6m": (5, 6, 12, 55, 98, 70),
    "8m_vs_9m": (8, 9, 15, 85, 179, 120),
    "10m_vs_11m": (10, 11, 17, 105, 243, 150),
    "27m_vs_30m": (27, 30, 36, 285, 1170, 180),
    "MMM": (10, 10, 16, 160, 290, 150),
    "MMM2": (10, 12, 18, 176, 322, 180),
    "2s3z": (5, 5, 11, 80, 120, 120),
    "3s5z": (8, 8, 14, 128, 216, 150),
    "3s5z_vs_3s6z": (8, 9, 15, 136, 230, 170),
    "3s_vs_3z": (3, 3, 9, 36, 54, 150),
    "3s_vs_4z": (3, 4, 10, 42, 61, 200),
    "3s_vs_5z": (3, 5, 11, 48, 68, 250),
    "1c3s5z": (9, 9, 15, 162, 270, 180),
    "2m_vs_1z": (2, 1, 7, 16, 26, 150),
    "corridor": (6, 24, 30, 156, 282, 400),
    "6h_vs_8z": (6, 8, 14, 78, 140, 150),
    "2s_vs_1sc": (2, 1, 7, 17, 27, 300),
    "so_many_baneling": (7, 32, 38, 202, 397, 100),
    "bane_vs_bane": (24, 24, 30, 336, 984, 200),
    "2c_vs_64zg": (2, 64, 70, 332, 342, 400),
}


def test_the_maps_are_those_of_the_challenge() -> None:
    assert set(MAPS) == set(SIZES)
    assert len(MAPS) == 23


@pytest.mark.skipif(importlib.util.find_spec("pysc2") is None, reason="SMAC is not installed")
@pytest.mark.parametrize("name", MAPS)
def test_the_sizes_of_a_map_are_those_of_the_installed_package(name: str) -> None:
    env = VecSmac(name, 1)
    assert (env.n_agents, env.n_enemies, env.n_actions, env.obs_size, env.state_size, env.episode_limit) == SIZES[name]
    assert env.max_return == 20
    env.close()


@pytest.mark.skipif(importlib.util.find_spec("pysc2") is None, reason="SMAC is not installed")
def test_a_game_that_cannot_be_started_ends_it_with_pysc2s_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "Versions").mkdir()
    (tmp_path / "Maps" / "SMAC_Maps").mkdir(parents=True)
    (tmp_path / "Maps" / "SMAC_Maps" / "3m.SC2Map").touch()
    monkeypatch.setenv("SC2PATH", str(tmp_path))
    env = VecSmac("3m", 1, restarts=1)
    with pytest.raises(RuntimeError, match=r"died 2 times in a row.*SC2LaunchError: No SC2 Versions found"):
        env.reset()
