"""Classical and no-signalling values: against closed forms, against brute force, and against each other."""

import itertools
import math
import sys

import numpy as np
import pytest
from known_values import VALUES, odd_cycle, random_game
from scipy.optimize import linprog

from qcmarl.games import Game, make
from qcmarl.games.values import classical, deterministic, no_signalling, polytope
from qcmarl.games.values.classical import by_responses

RANDOM = [((2, 3), (3, 2)), ((3, 3), (3, 3)), ((2, 2, 2), (2, 3, 2)), ((4,), (3,)), ((1, 3), (2, 4))]


def brute_force(game):
    """The best value of all deterministic strategies of all players, one by one."""
    every = [itertools.product(*(np.flatnonzero(row) for row in mask)) for mask in game.allowed]
    best = -math.inf
    for answers in itertools.product(*every):
        total = 0.0
        for asked in itertools.product(*map(range, game.questions)):
            total += game.law[asked] * game.payoff[(*asked, *(a[x] for a, x in zip(answers, asked, strict=True)))]
        best = max(best, total)
    return best


@pytest.mark.parametrize("name", VALUES)
def test_enumeration_finds_the_known_classical_value_and_a_strategy_that_reaches_it(name):
    game = make(name)
    found = classical(game, "enumerate")
    assert found.value == found.bound == pytest.approx(VALUES[name].classical, abs=1e-12)
    assert game.value(deterministic(game, found.answers)) == found.value


@pytest.mark.parametrize("name", sorted(set(VALUES) - {"ghz-4", "ghz-5"}))
def test_the_integer_program_finds_the_same_and_proves_it(name):
    found = classical(make(name), "program")
    assert found.value == pytest.approx(VALUES[name].classical, abs=1e-12)
    assert found.bound == pytest.approx(found.value, abs=1e-7)


@pytest.mark.parametrize("players", range(3, 11))
def test_mermins_parity_game_is_classically_worth_one_half_and_two_to_minus_ceil_n_over_2(players):
    found = classical(make("ghz" if players == 3 else f"ghz-{players}"))
    assert found.value == pytest.approx(1 / 2 + 2.0 ** -math.ceil(players / 2), abs=1e-12)


@pytest.mark.parametrize("n", [3, 5, 9])
def test_an_odd_cycle_cannot_be_coloured_with_two_colours(n):
    assert classical(odd_cycle(n)).value == pytest.approx(1 - 1 / (2 * n), abs=1e-12)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("questions", "answers"), RANDOM)
def test_both_methods_agree_with_brute_force_on_random_games(questions, answers, seed):
    game = random_game(seed, questions, answers)
    best = brute_force(game)
    for method in ("enumerate", "program"):
        found = classical(game, method)
        assert found.value == pytest.approx(best, abs=1e-9)
        assert all(mask[np.arange(len(a)), a].all() for mask, a in zip(game.allowed, found.answers, strict=True))


@pytest.mark.parametrize("at_once", [0, 1 << 22])
@pytest.mark.parametrize("sizes", [((2, 2, 2), (2, 3, 2)), ((1, 2, 2, 1), (3, 2, 2, 2))])
def test_many_players_are_tried_at_once_or_one_by_one_with_the_same_result(sizes, at_once, monkeypatch):
    monkeypatch.setattr(sys.modules["qcmarl.games.values.classical"], "MOST_AT_ONCE", at_once)
    for seed in range(4):
        game = random_game(seed, *sizes)
        found = classical(game, "enumerate")
        assert found.value == pytest.approx(brute_force(game), abs=1e-12)
        assert game.value(deterministic(game, found.answers)) == found.value


def test_a_game_too_large_to_enumerate_goes_to_the_program_which_may_be_cut_short():
    """14^15 strategies. All go to vertex 0, from there to vertex 1: 14^2 of 15^2 pairs of starts meet, and the one
    that begins with both at vertex 0. Within a second nothing better is found, and nothing is proven but the bound."""
    game = make("rendezvous-k15")
    found = classical(game, seconds=1)
    assert game.value(deterministic(game, found.answers)) == found.value
    assert (14**2 + 1) / 15**2 - 1e-9 <= found.value < found.bound <= 1


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("questions", "answers"), RANDOM)
def test_best_responses_settle_on_the_best_of_a_small_game(questions, answers, seed):
    game = random_game(seed, questions, answers)
    value = game.value(deterministic(game, by_responses(game)))
    assert value == pytest.approx(brute_force(game), abs=1e-9)


def test_an_unknown_method_is_refused():
    with pytest.raises(ValueError, match="method is 'guess'; it is auto, enumerate or program"):
        classical(make("chsh"), "guess")


# No-signalling --------------------------------------------------------------------------------------------------------


def signals(game, p):
    """By how much some player's question changes the law of the others' answers."""
    return max(np.ptp(p.sum(game.players + player), axis=player).max() for player in range(game.players))


@pytest.mark.parametrize("name", ["chsh", "ghz", "magic-square", "rendezvous-k3", "rendezvous-c4-stay"])
def test_the_best_silent_law_signals_nothing_and_has_the_value_that_is_told(name):
    game = make(name)
    found = no_signalling(game)
    assert signals(game, found.strategy) < 1e-9
    assert game.value(found.strategy) == pytest.approx(found.value, abs=1e-9)


@pytest.mark.parametrize(("name", "value"), [("chsh", 1), ("ghz", 1), ("ghz-4", 1), ("magic-square", 1)])
def test_boxes_that_do_not_signal_win_the_games_of_parities(name, value):
    """Popescu and Rohrlich 1994, doi:10.1007/BF02058098, for CHSH; quantum players win the others already."""
    assert no_signalling(make(name)).value == pytest.approx(value, abs=1e-9)


def test_nothing_beats_one_half_on_a_square_or_on_a_triangle_with_different_starts():
    assert no_signalling(make("rendezvous-c4")).value == pytest.approx(1 / 2, abs=1e-9)
    assert no_signalling(make("rendezvous-k3-distinct")).value == pytest.approx(1 / 2, abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("questions", "answers"), RANDOM)
def test_silence_is_worth_at_least_the_classical_value_and_at_most_the_largest_payoff(questions, answers, seed):
    game = random_game(seed, questions, answers)
    assert classical(game).value <= no_signalling(game).value + 1e-9 <= game.max_payoff + 2e-9


@pytest.mark.parametrize("off", [0, 1e-9, 1e-3, 1])
def test_any_multipliers_prove_a_bound_of_what_does_not_signal(off):
    """The value of CHSH is 1 (Popescu and Rohrlich); the nearer to the optimal multipliers, the tighter."""
    game = make("chsh")
    columns = np.argwhere(game.joint_allowed)
    matrix, total = polytope._constraints(game, columns)
    best = linprog(-game.weights[tuple(columns.T)], A_eq=matrix, b_eq=total, method="highs").eqlin.marginals
    dual = off * np.random.default_rng(0).standard_normal(len(total)) - best
    assert -1e-12 <= polytope._proven_bound(game, columns, dual) - 1 <= 20 * off + 1e-12


def test_a_lone_player_does_as_well_as_anybody():
    game = Game.from_table("lone", [[3.0, -1], [0.5, 2]], law=[0.25, 0.75])
    assert classical(game).value == no_signalling(game).value == 0.25 * 3 + 0.75 * 2
