"""Games by name, against their rules written out."""

import itertools

import numpy as np
import pytest

from qcmarl.games import NAMES, make, rendezvous
from qcmarl.games.graphs import CUBIC, named


@pytest.mark.parametrize("name", NAMES)
def test_every_name_makes_the_game_of_that_name_and_it_is_won_or_lost(name):
    game = make(name)
    assert game.name == name
    assert game.is_win_game
    assert game.max_payoff == 1


def test_chsh_is_won_where_the_answers_differ_exactly_if_both_are_asked_one():
    payoff = make("chsh").payoff
    for x, y, a, b in itertools.product(range(2), repeat=4):
        assert payoff[x, y, a, b] == ((a != b) == (x == 1 and y == 1))


def test_ghz_asks_four_questions_and_wants_the_parity_of_their_disjunction():
    game = make("ghz")
    assert np.argwhere(game.law > 0).tolist() == [[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]]
    for x, y, z in np.argwhere(game.law > 0):
        for a, b, c in itertools.product(range(2), repeat=3):
            assert game.payoff[x, y, z, a, b, c] == ((a ^ b ^ c) == (x | y | z))


@pytest.mark.parametrize("players", [3, 4, 5])
def test_the_ghz_state_measured_in_x_and_y_wins_every_ghz_game(players):
    """Players asked 0 measure X, those asked 1 measure Y, on (|0...0> + |1...1>) / sqrt 2."""
    bases = [np.array([[1, 1], [1, -1]]) / 2**0.5, np.array([[1, -1j], [1, 1j]]) / 2**0.5]
    state = np.zeros((2,) * players, complex)
    state[(0,) * players] = state[(1,) * players] = 2**-0.5
    game = make("ghz" if players == 3 else f"ghz-{players}")
    won = 0.0
    for asked in np.argwhere(game.law > 0):
        amplitudes = state
        for player, question in enumerate(asked):
            amplitudes = np.moveaxis(np.tensordot(bases[question], amplitudes, (1, player)), 0, player)
        won += game.law[tuple(asked)] * (abs(amplitudes) ** 2 * game.payoff[tuple(asked)]).sum()
    assert won == pytest.approx(1, abs=1e-12)


def test_the_magic_square_wants_even_rows_and_odd_columns_that_agree():
    game = make("magic-square")
    rows = [bits for bits in itertools.product(range(2), repeat=3) if sum(bits) % 2 == 0]
    columns = [bits for bits in itertools.product(range(2), repeat=3) if sum(bits) % 2 == 1]
    for x, y, a, b in itertools.product(range(3), range(3), range(4), range(4)):
        assert game.payoff[x, y, a, b] == (rows[a][y] == columns[b][x])
    assert np.allclose(game.law, 1 / 9)


def test_at_a_rendezvous_players_move_to_neighbours_and_win_where_they_meet():
    game = make("rendezvous-c5")
    assert np.flatnonzero(game.allowed[0][2]).tolist() == [1, 3]
    assert np.argwhere(game.payoff[1, 3]).tolist() == [[2, 2]]
    assert np.allclose(game.law, 1 / 25)
    stays = make("rendezvous-c5-stay-distinct")
    assert np.flatnonzero(stays.allowed[1][0]).tolist() == [0, 1, 4]
    assert stays.law.diagonal().max() == 0
    assert stays.law[0, 1] == pytest.approx(1 / 20)


@pytest.mark.parametrize("name", [*CUBIC, "k4"])
def test_a_cubic_graph_has_three_neighbours_at_every_vertex(name):
    matrix = named(name)
    assert (matrix.sum(0) == 3).all()
    assert (matrix == matrix.T).all()
    assert matrix.diagonal().max() == 0


def test_the_petersen_graph_has_neither_triangles_nor_squares():
    """Two vertices that are neighbours have no common one, any other two have exactly one."""
    matrix = named("petersen")
    assert np.array_equal(matrix @ matrix, 3 * np.eye(10) + (1 - np.eye(10) - matrix))


def test_what_stands_behind_a_graph_may_stand_in_either_order():
    one, other = make("rendezvous-c5-stay-distinct"), make("rendezvous-c5-distinct-stay")
    assert one.name == other.name
    assert np.array_equal(one.law, other.law)
    assert np.array_equal(one.allowed, other.allowed)


def test_the_triangle_is_complete_and_a_ring():
    assert np.array_equal(named("k3"), named("c3"))
    assert np.array_equal(make("rendezvous-k3").payoff, rendezvous(np.ones((3, 3))).payoff)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("chhs", r"unknown game 'chhs'; games: chsh, ghz, .*\(did you mean 'chsh'\?\)"),
        ("magicsquare", r"did you mean 'magic-square'\?"),
        ("rendezvous-c5-distnct", r"did you mean 'rendezvous-c5-distinct'\?"),
        ("rendezvous-petersn", r"unknown graph 'petersn'; graphs: kN, cN, .*did you mean 'petersen'"),
        ("rendezvous-c2", r"graph 'c2' has 2 vertices; cN needs N in 3..40"),
        ("CHSH", r"did you mean 'chsh'\?"),
        ("rendezvous-c5-stay-stay", r"unknown game 'rendezvous-c5-stay-stay'"),
        ("ghz-2", r"ghz has 2 players; it needs 3..10"),
    ],
)
def test_an_unknown_game_is_refused_with_the_likeliest_meant(name, message):
    with pytest.raises(ValueError, match=message):
        make(name)


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        ([[0, 1], [0, 0]], "adjacency must be symmetric"),
        ([[0, 2], [2, 0]], "of 0 and 1"),
        ([[0, 1, 1]], r"adjacency has shape \(1, 3\)"),
        ([[0, 1, 0], [1, 0, 0], [0, 0, 0]], "vertex 2 has no neighbour to move to; take stay=True"),
    ],
)
def test_what_is_no_graph_is_refused(matrix, message):
    with pytest.raises(ValueError, match=message):
        rendezvous(matrix)
