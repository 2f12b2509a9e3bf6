"""Quantum values from below (see-saw) and from above (semidefinite programs)."""

import sys
from functools import reduce
from math import cos, pi, sqrt

import numpy as np
import pytest
from known_values import VALUES, odd_cycle, random_game

from qcmarl.games import Game, make
from qcmarl.games.values import born, classical, is_xor, no_signalling, npa, see_saw, xor_value
from qcmarl.games.values.npa import Word, moment, reduced, words_of
from qcmarl.games.values.sdp import Program, proven_bound, tightened
from qcmarl.games.values.see_saw import LARGE as LARGE_MATRIX
from qcmarl.games.values.see_saw import _Search, _top, improve_effects, most_starts
from qcmarl.games.values.strategies import certified

LARGE = ["rendezvous-k4", "rendezvous-c4-stay", "rendezvous-c4-stay-distinct", "magic-square"]
"""Games whose quantum bound needs the level 1+AB: half a minute each."""
SMALL = [name for name in VALUES if name.startswith("rendezvous") and name not in LARGE]


@pytest.fixture
def solver():
    pytest.importorskip("clarabel")


# From below -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", VALUES)
def test_a_see_saw_reaches_the_known_quantum_value(name):
    found = see_saw(make(name), VALUES[name].dimension, starts=10)
    assert found.value == pytest.approx(VALUES[name].quantum, abs=1e-7)


def test_a_search_ends_where_enough_is_reached(monkeypatch):
    """The first round of CHSH is above 3/4 already; the eleventh would be at cos^2(pi/8)."""
    rounds = []
    improve = _Search.improve
    monkeypatch.setattr(_Search, "improve", lambda search, states: rounds.append(1) or improve(search, states))
    assert see_saw(make("chsh"), enough=0.75).value > 0.75
    assert len(rounds) == 1


@pytest.mark.parametrize(("players", "dimension"), [(2, 3), (3, 2), (5, 2)])
def test_what_the_halves_share_is_what_each_player_would_be_told_alone(players, dimension):
    """Gains of every player by einsum over the whole table, with the effects as they are when it is his turn."""
    game = random_game(players, (2,) * players, (2, 3, 2, 2, 2)[:players])
    search = _Search(game, dimension, 2, np.random.default_rng(0))
    by_hand = _Search(game, dimension, 2, np.random.default_rng(0))
    states = search.entangled_states()
    search.improve(states)
    tensor = states.reshape(2, *[dimension] * 2 * players)
    letters = "abcdefghijklmnopqrstuvwxyz"
    q, a, i, j = (letters[k * players : (k + 1) * players] for k in range(4))
    for p in range(players):
        others = [k for k in range(players) if k != p]
        terms = ",".join(f"Z{q[k]}{a[k]}{i[k]}{j[k]}" for k in others)
        gains = np.einsum(
            f"{q}{a},Z{j}{i},{terms}->Z{q[p]}{a[p]}{j[p]}{i[p]}",
            game.weights,
            tensor,
            *(by_hand.effects[k] for k in others),
            optimize=True,
        )
        improve_effects(by_hand.effects[p], gains, game.allowed[p])
    for mine, his in zip(search.effects, by_hand.effects, strict=True):
        assert np.allclose(mine, his, atol=1e-9)


def test_of_a_large_matrix_the_top_eigenvector_alone_is_found():
    matrix = np.random.default_rng(0).standard_normal((2, LARGE_MATRIX, LARGE_MATRIX)) + 0j
    matrix += matrix.swapaxes(1, 2)
    for one, top in zip(matrix, _top(matrix), strict=True):
        assert (top.conj() @ one @ top).real == pytest.approx(np.linalg.eigvalsh(one)[-1])


def test_with_qubits_alone_less_can_be_had_on_k4():
    assert see_saw(make("rendezvous-k4"), 2).value == pytest.approx(0.625796, abs=1e-6)


def by_kronecker(state, effects, asked, answered):
    """tr[state (M_1 x ... x M_n)] of one joint question and answer, with the matrices written out."""
    factors = [e[x, a] for e, x, a in zip(effects, asked, answered, strict=True)]
    return np.trace(state @ reduce(np.kron, factors)).real


@pytest.mark.parametrize(
    ("questions", "answers", "dimension"), [((2, 3), (3, 2), 2), ((2, 1, 2), (2, 3, 2), 2), ((2, 2), (3, 3), 3)]
)
def test_the_certificate_holds_by_kronecker_products(questions, answers, dimension):
    game = random_game(1, questions, answers)
    found = see_saw(game, dimension, starts=3)
    total = 0.0
    for asked in np.ndindex(*questions):
        for answered in np.ndindex(*answers):
            p = by_kronecker(found.state, found.measurements, asked, answered)
            total += game.law[asked] * game.payoff[(*asked, *answered)] * p
            assert born(found.state, found.measurements)[(*asked, *answered)] == pytest.approx(p, abs=1e-12)
    assert found.value == pytest.approx(total, abs=1e-12)
    for effects, mask in zip(found.measurements, game.allowed, strict=True):
        assert np.linalg.eigvalsh(effects).min() > -1e-9
        assert np.allclose(effects.sum(1), np.eye(dimension), atol=1e-9)
        assert (effects[~mask] == 0).all()


@pytest.mark.parametrize("seed", range(3))
def test_every_value_of_a_random_game_stands_in_its_place(seed, solver):
    game = random_game(seed, (3, 2), (2, 3))
    lower, upper = see_saw(game, 2).value, npa(game).bound
    assert classical(game).value <= lower + 1e-7
    assert lower <= upper
    assert upper <= no_signalling(game).value + 1e-5


def test_without_entanglement_the_classical_value_is_the_best():
    assert see_saw(make("rendezvous-c5"), dimension=1, starts=50).value == pytest.approx(9 / 25, abs=1e-12)
    product = np.eye(4)[0]
    assert see_saw(make("chsh"), starts=10, state=product).value == pytest.approx(3 / 4, abs=1e-12)


@pytest.mark.parametrize("visibility", [1.0, 0.9, 0.75, 0.7, 0.0])
def test_a_werner_state_wins_chsh_while_its_visibility_exceeds_one_over_sqrt_2(visibility):
    """(1 + v / sqrt 2) / 2 by the measurements of Tsirelson; 3 / 4 by constant answers, whatever the state."""
    bell = np.array([1, 0, 0, 1]) / sqrt(2)
    werner = visibility * np.outer(bell, bell) + (1 - visibility) * np.eye(4) / 4
    found = see_saw(make("chsh"), starts=20, state=werner)
    assert found.value == pytest.approx(max(3 / 4, (1 + visibility / sqrt(2)) / 2), abs=1e-9)
    assert np.allclose(found.state, werner)


def test_dividing_effects_anew_lowers_no_value_and_keeps_their_sum():
    rng = np.random.default_rng(0)

    def positive():
        matrix = rng.standard_normal((5, 2, 4, 3, 3)) + 1j * rng.standard_normal((5, 2, 4, 3, 3))
        return matrix @ matrix.conj().swapaxes(-1, -2)

    effects, gains = positive(), positive() - 8 * np.eye(3)
    allowed = np.array([[True, True, False, True], [True, True, True, True]])
    effects *= allowed[..., None, None]
    before, total = np.einsum("sxaij,sxaji->sx", effects, gains).real, effects.sum(2)
    improve_effects(effects, gains, allowed)
    assert (np.einsum("sxaij,sxaji->sx", effects, gains).real >= before - 1e-9).all()
    assert np.allclose(effects.sum(2), total)
    assert np.linalg.eigvalsh(effects).min() > -1e-9
    assert (effects[:, 0, 2] == 0).all()


def test_the_same_seed_finds_the_same():
    first, second = (see_saw(make("rendezvous-c5"), starts=3, seed=4) for _ in range(2))
    assert first.value == second.value
    assert np.array_equal(first.state, second.state)


def test_what_is_no_strategy_gets_no_certificate():
    game, half = make("chsh"), np.full((2, 2, 2, 2), 0) + np.eye(2) / 2
    assert certified(game, np.eye(4) / 4, [half, half]).value == 0.5
    with pytest.raises(ArithmeticError, match="the state has trace 2; a state has 1"):
        certified(game, np.eye(4) / 2, [half, half])
    with pytest.raises(ArithmeticError, match=r"measurement of player 1 misses the identity by 1.0e-03"):
        certified(game, np.eye(4) / 4, [half, half * 1.001])
    with pytest.raises(ArithmeticError, match=r"measurement of player 0 has the eigenvalue -5.0e-01"):
        certified(game, np.eye(4) / 4, [half * np.array([-1, 3])[:, None, None], half])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"starts": 0}, "starts is 0; it must be at least 1"),
        ({"dimension": 0}, "dimension is 0; it must be at least 1"),
        ({"dimension": 50}, "a start of chsh with dimension 50 needs 6,250,000 numbers; at most 4,194,304"),
        ({"dimension": 40}, "20 starts do not fit into memory; of chsh with dimension 40 at most 1 do"),
        ({"state": np.ones(3)}, r"state has shape \(3,\); for 2 players it is \(4,\) or \(4, 4\)"),
        ({"state": np.ones(4)}, r"state has trace 4\+0j; a state is positive and has trace 1"),
    ],
)
def test_what_cannot_be_searched_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        see_saw(make("chsh"), **options)
    assert most_starts(make("chsh"), 2) > 10_000


# From above -----------------------------------------------------------------------------------------------------------


def test_the_value_of_chsh_is_that_of_tsirelson(solver):
    found = xor_value(make("chsh"))
    assert found.value == pytest.approx(cos(pi / 8) ** 2, abs=1e-8)
    assert 0 <= found.bound - found.value < 1e-8
    assert np.allclose(found.correlations, np.array([[1, 1], [1, -1]]) / sqrt(2), atol=1e-4)


@pytest.mark.parametrize("unit", [1e6, 1e-3])
def test_values_are_found_in_any_unit_of_payoff(unit, solver):
    """CHSH as an XOR game, the rendezvous on K3 by the hierarchy: cos^2(pi/8) and 7/12 units."""
    for name, quantum in (("chsh", cos(pi / 8) ** 2), ("rendezvous-k3", 7 / 12)):
        game = make(name)
        scaled = Game("scaled", game.law, unit * game.payoff, game.allowed)
        bound = xor_value(scaled).bound if name == "chsh" else npa(scaled, "1").bound
        assert bound / unit == pytest.approx(quantum, abs=2e-6)


@pytest.mark.parametrize("n", [3, 5, 9])
def test_the_value_of_an_odd_cycle_is_the_published_one(n, solver):
    found = xor_value(odd_cycle(n))
    assert found.value == pytest.approx(cos(pi / (4 * n)) ** 2, abs=1e-7)
    assert found.value <= found.bound <= found.value + 1e-6


@pytest.mark.parametrize("seed", range(3))
def test_for_xor_games_see_saw_program_and_first_level_agree(seed, solver):
    rng = np.random.default_rng(seed)
    equal, other = rng.random((2, 3, 4))
    game = Game.from_table("xor", np.stack([equal, other, other, equal], -1).reshape(3, 4, 2, 2))
    value = xor_value(game).value
    assert npa(game, "1").bound == pytest.approx(value, abs=1e-6)
    assert see_saw(game, 4, starts=10).value == pytest.approx(value, abs=1e-6)


def test_what_is_no_xor_game_is_refused():
    assert is_xor(make("chsh"))
    for name in ("ghz", "rendezvous-k3", "magic-square"):
        assert not is_xor(make(name))
    with pytest.raises(ValueError, match="rendezvous-k3 is no XOR game: two players, two answers each"):
        xor_value(make("rendezvous-k3"))


@pytest.mark.parametrize("name", SMALL)
def test_the_first_level_closes_on_the_see_saw_in_small_rendezvous(name, solver):
    bound = npa(make(name), "1").bound
    assert 0 <= bound - VALUES[name].quantum < 1e-6


@pytest.mark.slow
@pytest.mark.timeout(280)
@pytest.mark.parametrize("name", LARGE)
def test_the_level_1_ab_closes_on_the_see_saw_in_larger_games(name, solver):
    bound = npa(make(name), "1+AB").bound
    assert 0 <= bound - VALUES[name].quantum < 2e-6


def test_higher_levels_are_not_looser(solver):
    game = random_game(2, (3, 3), (2, 2))
    bounds = [npa(game, level).bound for level in ("1", "1+AB", "2")]
    assert bounds[0] >= bounds[1] - 1e-6
    assert bounds[1] >= bounds[2] - 1e-6


def test_any_dual_matrix_proves_a_bound():
    """Maximise g where [[1, g], [g, 1]] is positive: 1. Of Z = [[a, -b], [-b, a]] the bound is 2 a + |2 b - 1|."""
    program = Program(np.ones(1), np.eye(2), np.array([[-1, 0], [0, -1]]))
    assert proven_bound(program, np.array([[0.5, -0.5], [-0.5, 0.5]])) == pytest.approx(1)
    assert proven_bound(program, np.array([[0.6, -0.3], [-0.3, 0.6]])) == pytest.approx(1.2 + 0.4)
    rng = np.random.default_rng(0)
    for dual in rng.standard_normal((50, 2, 2)):
        assert 1 - 1e-12 <= tightened(program, dual) <= proven_bound(program, dual)
    # The second round has Z = [[.6, -.5], [-.5, .6]], which misses nothing.
    assert tightened(program, np.array([[0.6, -0.3], [-0.3, 0.6]])) == pytest.approx(1.2)


def test_products_of_projectors_are_reduced():
    e, other, f = (0, 0), (0, 1), (1, 0)
    assert reduced((e, e, f, f)) == (e, f)
    assert reduced((e, f, e)) == (e, f, e)
    assert reduced((f, e, other)) is None
    u, v = Word((e,), (f,)), Word((f,), (f,))
    assert moment(u, v) == moment(v, u) == Word((e, f), (f,))
    assert moment(Word((e,), ()), Word((other,), (f,))) is None


def test_words_are_counted():
    """Magic square: 3 questions with 3 projectors each and player: 1 + 9 + 9, and 9 times 9 products."""
    assert len(words_of(make("magic-square"), "1")) == 19
    assert len(words_of(make("magic-square"), "1+AB")) == 100
    assert len(words_of(make("chsh"), "2")) == 1 + 4 + 4 + 2 * 2


@pytest.mark.parametrize(
    ("name", "level", "message"),
    [
        ("ghz", "1", "ghz has 3 players; this hierarchy is for two"),
        ("chsh", "3", r"level is '3'; it is one of 1, 1\+AB, 2"),
        ("rendezvous-petersen", "1+AB", r"has 441 words; at most 130"),
    ],
)
def test_what_the_hierarchy_cannot_do_is_refused(name, level, message):
    with pytest.raises(ValueError, match=message):
        npa(make(name), level)


def test_without_the_solver_the_remedy_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "clarabel", None)
    for solve in (lambda: xor_value(make("chsh")), lambda: npa(make("chsh"))):
        with pytest.raises(ModuleNotFoundError, match="pip install clarabel"):
            solve()
