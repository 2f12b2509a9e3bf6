"""Quantum optima of rounds with two questions and two answers, against closed forms."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from qcmarl.games import two_by_two
from qcmarl.games.two_by_two import PARITY, PARITY_OF_AND

CHSH = PARITY_OF_AND[..., None, None] * PARITY
ALICE_FIRST = np.zeros((2, 2, 2, 2))
ALICE_FIRST[0, 0] = [[1, 1], [-1, -1]]
"""The expectation of (-1)^a at x = 0."""


def test_chsh_has_tsirelsons_value() -> None:
    value, strategy = two_by_two.best(CHSH[None])
    assert value[0] == pytest.approx(2 * np.sqrt(2))
    assert (CHSH * strategy[0]).sum() == pytest.approx(2 * np.sqrt(2))
    assert two_by_two.ceiling(CHSH[None])[0] == pytest.approx(2 * np.sqrt(2))


@pytest.mark.parametrize("tilt", [0.3, 1.0, 1.7])
def test_tilted_chsh_lies_between_strategy_and_ceiling(tilt: float) -> None:
    # Acin, Massar and Pironio 2012, doi:10.1103/PhysRevLett.108.100402: sqrt(8 + 2 tilt^2)
    tilted = (CHSH + tilt * ALICE_FIRST)[None]
    value, strategy = two_by_two.best(tilted)
    exact = np.sqrt(8 + 2 * tilt**2)
    assert value[0] <= exact <= two_by_two.ceiling(tilted)[0]
    assert value[0] == pytest.approx(exact, rel=0.005)
    assert two_by_two.ceiling(tilted)[0] == pytest.approx(exact, rel=0.01)
    assert (tilted * strategy).sum() == pytest.approx(value[0])


def test_a_payoff_of_parity_has_the_same_value_by_both_ways() -> None:
    correlators = np.random.default_rng(0).normal(size=(40, 2, 2))
    weights = correlators[..., None, None] * PARITY
    value, strategy = two_by_two.best(weights)
    assert (weights * strategy).sum((1, 2, 3, 4)) == pytest.approx(value)
    signs = np.array(list(itertools.product([-1, 1], repeat=4))).reshape(-1, 2, 2)
    local = np.einsum("kxy,sx,sy->ks", correlators, signs[:, 0], signs[:, 1]).max(1)
    tried, _ = two_by_two._on_circle(weights)
    assert (np.maximum(tried, local) <= value + 1e-12).all()
    assert (value <= np.maximum(two_by_two._on_corners(weights), local) + 1e-12).all()


def test_strategies_are_laws_and_say_nothing_across() -> None:
    weights = np.random.default_rng(1).normal(size=(20, 2, 2, 2, 2))
    value, p = two_by_two.best(weights)
    assert p.min() > -1e-12
    assert p.sum((3, 4)) == pytest.approx(1)
    assert p.sum(4)[:, :, 0] == pytest.approx(p.sum(4)[:, :, 1], abs=1e-9)  # a's law, whatever y is
    assert p.sum(3)[:, 0] == pytest.approx(p.sum(3)[:, 1], abs=1e-9)
    assert (weights * p).sum((1, 2, 3, 4)) == pytest.approx(value)


def test_a_game_without_a_choice_has_its_only_value() -> None:
    value, strategy = two_by_two.best(np.full((1, 2, 2, 2, 2), 0.25))
    assert value == pytest.approx(1)
    assert strategy.sum() == pytest.approx(4)
