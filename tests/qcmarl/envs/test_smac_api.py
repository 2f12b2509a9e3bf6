"""The single-environment API that SMAC users know."""

from __future__ import annotations

import numpy as np
import pytest

from qcmarl.envs import Skirmish
from qcmarl.envs.skirmish import MAPS


def random_actions(env: Skirmish, rng: np.random.Generator) -> list[int]:
    return [int(rng.choice(np.flatnonzero(mask))) for mask in env.get_avail_actions()]


def play(env: Skirmish, rng: np.random.Generator) -> dict[str, object]:
    env.reset()
    while True:
        _, over, info = env.step(random_actions(env, rng))
        if over:
            return info


def test_sizes_come_under_smacs_names() -> None:
    env = Skirmish("5m_vs_6m")
    info = env.get_env_info()
    assert info == {
        **{"state_shape": 98, "obs_shape": 55, "n_actions": 12, "n_agents": 5, "episode_limit": 70},
        "agent_features": ["health", "energy/cooldown", "rel_x", "rel_y"],
        "enemy_features": ["health", "rel_x", "rel_y"],
    }
    assert (env.get_total_actions(), env.get_obs_size(), env.get_state_size()) == (12, 55, 98)


def test_reset_gives_observations_and_state() -> None:
    env = Skirmish("3m")
    obs, state = env.reset()
    assert [row.shape for row in obs] == [(30,)] * 3
    assert state.shape == (48,)
    assert np.array_equal(obs[1], env.get_obs_agent(1))
    assert np.array_equal(state, env.get_state())
    assert env.get_avail_agent_actions(0) == env.get_avail_actions()[0]
    assert set(env.get_avail_agent_actions(0)) == {0, 1}


def test_what_it_gives_are_copies() -> None:
    env = Skirmish("3m")
    obs, state = env.reset()
    kept = obs[0].copy(), state.copy()
    env.step([4, 4, 4])
    assert np.array_equal(obs[0], kept[0])
    assert np.array_equal(state, kept[1])


def test_a_finished_battle_stays_as_it_ended_until_reset() -> None:
    env = Skirmish("3m")
    info = play(env, np.random.default_rng(0))
    table = env.units()
    assert info["dead_allies"] == (~table["alive"][:3]).sum() == 3
    assert info["dead_enemies"] == (~table["alive"][3:]).sum()
    with pytest.raises(RuntimeError, match=r"the battle is over: call reset\(\)"):
        env.step([0, 0, 0])
    env.reset()
    assert env.units()["alive"].all()


def test_stepping_before_reset_is_refused() -> None:
    with pytest.raises(RuntimeError, match=r"the battle has not begun: call reset\(\)"):
        Skirmish("3m").step([4, 4, 4])


@pytest.mark.parametrize("continuing", [False, True])
def test_the_time_limit_is_reported_as_smac_does(continuing: bool) -> None:
    env = Skirmish("3m", continuing_episode=continuing)
    env.reset()
    for number in range(1, 61):
        table = env.units()
        table["x"][:3], table["y"][:3], table["hp"] = (30, 31, 31), (9, 9, 10), 45
        env.set_units(table)
        _, over, info = env.step([1, 1, 1])
        assert over == (number == 60)
        assert ("episode_limit" in info) == (over and continuing)
    marked = {"episode_limit": True} if continuing else {}
    assert info == {"battle_won": False, "dead_allies": 0, "dead_enemies": 0, **marked}
    assert env.get_stats() == {
        "battles_won": 0,
        "battles_game": 1,
        "battles_draw": 1,
        "win_rate": 0,
        "timeouts": 1,
        "restarts": 0,
    }


def test_battles_are_counted() -> None:
    env = Skirmish("3m")
    assert env.get_stats()["win_rate"] == 0
    rng = np.random.default_rng(0)
    for _ in range(3):
        play(env, rng)
    table_won = env.reset()
    assert len(table_won) == 2
    table = env.units()
    table["x"][:3], table["y"][:3] = (13, 13, 13), (15, 16, 17)
    table["x"][3:], table["y"][3:], table["hp"][3:] = 9, (15, 16, 17), (0, 6, 0)
    table["alive"] = table["hp"] > 0
    env.set_units(table)
    _, over, info = env.step([7, 7, 7])
    assert over
    assert info["battle_won"]
    stats = env.get_stats()
    assert (stats["battles_game"], stats["battles_won"], stats["win_rate"]) == (4, 1, 0.25)


def test_battles_follow_from_the_seed() -> None:
    def course(seed: int) -> list[float]:
        env, rng = Skirmish("3m", seed=seed), np.random.default_rng(0)
        return [float(play(env, rng) is None) or float(env.get_state().sum()) for _ in range(3)]

    assert course(1) == course(1)
    assert course(1) != course(2)
    assert Skirmish("3m", seed=7).seed() == 7


def test_bad_calls_are_refused() -> None:
    env = Skirmish("3m")
    env.reset()
    with pytest.raises(ValueError, match=r"agent_id is 3, must be in 0\.\.2"):
        env.get_obs_agent(3)
    with pytest.raises(ValueError, match=r"actions have the shape \(2,\), must be \(3,\)"):
        env.step([1, 1])
    with pytest.raises(ValueError, match="battle 0, agent 0: action 0 is not available"):
        env.step([0, 1, 1])
    env.close()


def test_continuing_episode_is_a_truth_value() -> None:
    with pytest.raises(TypeError, match="continuing_episode must be True or False, not 1"):
        Skirmish("3m", continuing_episode=1)  # type: ignore[arg-type]


# PyMARL's src/config/envs/sc2.yaml, at commit c971afd.
PYMARL = {
    "continuing_episode": False,
    "difficulty": "7",
    "game_version": None,
    "map_name": "3m",
    "move_amount": 2,
    "obs_all_health": True,
    "obs_instead_of_state": False,
    "obs_last_action": False,
    "obs_own_health": True,
    "obs_pathing_grid": False,
    "obs_terrain_height": False,
    "obs_timestep_number": False,
    "reward_death_value": 10,
    "reward_defeat": 0,
    "reward_negative_scale": 0.5,
    "reward_only_positive": True,
    "reward_scale": True,
    "reward_scale_rate": 20,
    "reward_sparse": False,
    "reward_win": 200,
    "replay_dir": "",
    "replay_prefix": "",
    "state_last_action": True,
    "state_timestep_number": False,
    "step_mul": 8,
    "seed": None,
    "heuristic_ai": False,
    "heuristic_rest": False,
    "debug": False,
}


def test_smacs_arguments_are_taken_at_its_defaults() -> None:
    env = Skirmish(**PYMARL)
    assert env.map_name == "3m"
    assert env.reset()[1].shape == (48,)
    assert Skirmish().map_name == "8m"


@pytest.mark.parametrize(
    ("name", "value", "default"), [("reward_sparse", True, False), ("difficulty", "A", "'7'"), ("step_mul", 4, 8)]
)
def test_another_value_of_one_is_refused_by_name(name: str, value: object, default: object) -> None:
    with pytest.raises(ValueError, match=f"^{name} is {value!r}; Skirmish has SMAC's default alone, {default}$"):
        Skirmish("3m", **{name: value})  # type: ignore[arg-type]


def test_an_argument_that_smac_has_not_is_refused() -> None:
    with pytest.raises(TypeError, match="Skirmish has no argument 'reward_spares'"):
        Skirmish("3m", reward_spares=True)


@pytest.mark.parametrize("name", MAPS)
def test_the_parts_of_observation_and_state_add_up(name: str) -> None:
    env = Skirmish(name)
    obs, state = env.reset()
    (enemies, of_enemy), (allies, of_ally) = env.get_obs_enemy_feats_size(), env.get_obs_ally_feats_size()
    move, own = env.get_obs_move_feats_size(), env.get_obs_own_feats_size()
    assert move + enemies * of_enemy + allies * of_ally + own == obs[0].size
    parts, info = env.get_state_dict(), env.get_env_info()
    assert np.array_equal(np.concatenate([part.ravel() for part in parts.values()]), state)
    assert parts["allies"].shape == (env.n_agents, len(info["agent_features"]))
    assert parts["enemies"].shape == (env.n_enemies, len(info["enemy_features"]))
    assert parts["last_action"].shape == (env.n_agents, env.n_actions)
    seen = move + of_enemy * np.arange(enemies) + 1  # the distance of each enemy, zero where it is not seen
    assert np.array_equal(env.get_visibility_matrix()[:, env.n_agents :], np.stack(obs)[:, seen] > 0)


def test_who_sees_whom_follows_from_places_and_lives() -> None:
    env = Skirmish("3m")
    env.reset()
    table = env.units()
    table["x"], table["y"] = (5, 10, 20, 14, 13.9, 28.9), (16, 16, 16, 16, 16, 16)
    table["hp"][4], table["alive"][4] = 0, False
    env.set_units(table)
    assert env.get_visibility_matrix().astype(int).tolist() == [
        [0, 1, 0, 0, 0, 0],  # 9 cells are too far, and the dead are not seen
        [1, 0, 0, 1, 0, 0],
        [0, 0, 0, 1, 0, 1],
    ]
    table["hp"][1], table["alive"][1] = 0, False
    env.set_units(table)
    assert env.get_visibility_matrix().astype(int).tolist() == [[0] * 6, [0] * 6, [0, 0, 0, 1, 0, 1]]
    assert (env.unit_sight_range(0), env.unit_shoot_range(0)) == (9, 6)


@pytest.mark.parametrize("call", ["render", "save_replay"])
def test_what_needs_the_game_says_what_there_is(call: str) -> None:
    with pytest.raises(NotImplementedError, match="qcmarl replay"):
        getattr(Skirmish("3m"), call)()
