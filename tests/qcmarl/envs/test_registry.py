"""Environments by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from qcmarl.envs import VecEnv, VecSkirmish, make


def test_an_identifier_makes_a_batch() -> None:
    env = make("skirmish:8m_vs_9m", n_envs=3, n_threads=1)
    assert isinstance(env, VecSkirmish)
    assert isinstance(env, VecEnv)
    assert (env.name, env.n_envs, env.n_agents) == ("skirmish:8m_vs_9m", 3, 8)
    env.close()


@pytest.mark.parametrize(
    ("identifier", "message"),
    [
        ("skirmish:8m_vs_10m", r"unknown environment 'skirmish:8m_vs_10m' \(did you mean '8m_vs_9m'\?\).*3m, 8m, "),
        ("skirmsh:3m", r"unknown environment family 'skirmsh'.*did you mean 'skirmish'\?"),
        ("3m", r"environment '3m' has no family \(did you mean 'skirmish:3m'\?\).*skirmish:8m"),
        ("skirmish:", "unknown environment 'skirmish:'"),
        ("", "environment '' has no family"),
        ("zzz", "has no family; family:name: skirmish:3m, .*; smac:3m, .*; queue:2x2, queue:2x2-own$"),
        ("minigrid", "'minigrid' is a family of environments; name one of it: minigrid:MiniGrid-Empty-5x5-v0, "),
    ],
)
def test_an_unknown_identifier_is_refused_with_the_options(identifier: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(identifier)


def test_an_identifier_is_a_string() -> None:
    with pytest.raises(TypeError, match="an environment is named by a string"):
        make(3)  # type: ignore[arg-type]


def test_a_map_of_ones_own_is_named_by_its_file(tmp_path: Path) -> None:
    path = tmp_path / "duel.toml"
    path.write_text('limit = 40\n[[allies]]\nkind = "marine"\ncount = 1\nat = [9, 16]\n'
                    '[[enemies]]\nkind = "zealot"\ncount = 2\nat = [23, 16]\n')  # fmt: skip
    env = make(f"skirmish:{path}", n_envs=2, n_threads=1)
    assert (env.n_agents, env.n_actions) == (1, 6 + 2)


def test_a_map_file_that_is_absent_is_named() -> None:
    with pytest.raises(OSError, match=r"nowhere\.toml"):
        make("skirmish:nowhere.toml")
