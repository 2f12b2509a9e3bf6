"""Scripted players on maps with healers and shields, in a made-up battle of several types."""

import numpy as np
import pytest

from qcmarl.envs import scripted, unit
from qcmarl.envs.skirmish import UNIT_DTYPE


class Board:
    """One battle of three allies (two fighters and a healer) and two enemies, as far as scripts look at it."""

    n_envs, n_agents, n_enemies = 1, 3, 2
    unit_kinds = (unit("marine"), unit("medivac"), unit("marauder"))

    def __init__(self, **columns):
        self.table = np.zeros(5, UNIT_DTYPE)
        self.table["team"] = [0, 0, 0, 1, 1]
        self.table["type"] = [0, 2, 1, 0, 0]
        self.table["alive"] = True
        self.table["hp"] = 45
        for name, values in columns.items():
            self.table[name] = values

    def units(self, index):
        return self.table.copy()

    def step(self, slots):
        """A Step whose agents may walk everywhere and use the given slots."""
        avail = np.zeros((1, 3, 8), bool)
        avail[..., 1:6] = True
        for agent, usable in enumerate(slots):
            avail[0, agent, [6 + slot for slot in usable]] = True
        nothing = np.zeros(0)
        alive = self.table["alive"][None, :3].astype(bool)
        return scripted.Step(nothing, nothing, avail, alive, nothing, nothing, nothing, {})


def act(policy, board, slots):
    return scripted.POLICIES[policy](board, board.step(slots), np.random.default_rng(0))[0].tolist()


def test_a_healer_mends_who_has_lost_most_of_what_it_had():
    board = Board(x=[0, 2, 1, 5, 5], hp=[40, 30, 150, 45, 45])  # marine 40 of 45, marauder 30 of 125
    assert act("nearest", board, [[0, 1], [0, 1], [0, 1]])[2] == 6 + 1
    assert act("focus-fire", board, [[0, 1], [0, 1], [0]])[2] == 6 + 0
    board = Board(x=[0, 2, 1, 5, 5], hp=[45, 100, 150, 45, 45])  # 45 of 45, 100 of 125
    assert act("nearest", board, [[0, 1], [0, 1], [0, 1]])[2] == 6 + 1


def test_a_healer_without_a_patient_in_reach_follows_the_nearest_fighter():
    board = Board(x=[0, 10, 4, 20, 20], y=[0, 0, 0, 0, 0])
    assert act("nearest", board, [[], [], []])[2] == 5  # west, to ally 0 at distance 4 rather than 1 at 6
    assert act("hold", board, [[], [], []])[2] == 1


def test_a_healer_does_not_follow_the_dead():
    board = Board(x=[0, 10, 4, 20, 20], hp=[0, 45, 150, 45, 45], alive=[0, 1, 1, 1, 1])
    assert act("nearest", board, [[], [], []])[:3] == [0, 4, 4]


def test_focus_fire_counts_shields():
    board = Board(x=[0, 0, 0, 5, 5], hp=[45, 45, 150, 20, 30], shield=[0, 0, 0, 50, 0])
    assert act("focus-fire", board, [[0, 1], [0, 1], []])[:2] == [7, 7]


def test_nearest_attacks_the_nearest_and_walks_to_it():
    board = Board(x=[0, 4, 0, 3, 9], y=[0, 0, 0, 0, 0])
    assert act("nearest", board, [[0, 1], [], []])[:2] == [6, 5]


def test_an_unknown_script_is_named_with_the_likeliest_meant():
    with pytest.raises(ValueError, match=r"unknown scripted policy 'nearst'; the policies are .* mean 'nearest'"):
        scripted.named("nearst")
    assert scripted.named("hold") is scripted.hold
