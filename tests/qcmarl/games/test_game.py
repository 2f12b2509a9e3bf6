"""Games as tables and as files: what one is worth, and what is refused."""

import json

import numpy as np
import pytest

from qcmarl.games import Game, load, make

CHSH_PAYOFF = [[[[1, 0], [0, 1]], [[1, 0], [0, 1]]], [[[1, 0], [0, 1]], [[0, 1], [1, 0]]]]


def always(game, *answers):
    """The strategy of players who give these answers whatever they are asked."""
    p = np.zeros(game.payoff.shape)
    p[(..., *answers)] = 1
    return p


def test_both_answering_zero_wins_three_rounds_of_chsh_out_of_four():
    assert make("chsh").value(always(make("chsh"), 0, 0)) == 0.75


def test_the_optimal_quantum_law_of_chsh_wins_cos_squared_of_pi_over_8():
    """p(a, b given x, y) = (1 + (-1)^(a + b + xy) / sqrt 2) / 4 written out."""
    x, y, a, b = np.indices((2, 2, 2, 2))
    p = (1 + (-1.0) ** (a + b + x * y) / 2**0.5) / 4
    assert make("chsh").value(p) == pytest.approx(np.cos(np.pi / 8) ** 2, abs=1e-12)


def test_a_strategy_earns_its_payoffs_weighed_by_the_law():
    game = Game.from_table("toll", [[[[3.0, -1.0]]], [[[0.5, 2.0]]]], law=[[0.25], [0.75]])
    strategy = np.array([0.5, 0.5]).reshape(1, 1, 1, 2).repeat(2, 0)
    assert game.value(strategy) == 0.25 * (3 - 1) / 2 + 0.75 * (0.5 + 2) / 2
    assert (game.players, game.questions, game.answers, game.max_payoff) == (2, (2, 1), (1, 2), 3.0)
    assert not game.is_win_game
    assert make("chsh").is_win_game


def test_payoffs_of_answers_that_are_not_allowed_and_of_questions_never_asked_do_not_count():
    game = Game("some", [1.0, 0.0], [[1.0, np.nan], [9.0, 9.0]], ([[1, 0], [1, 1]],))
    assert game.payoff.tolist() == [[1, 0], [9, 9]]
    assert game.max_payoff == 1
    with pytest.raises(ValueError, match="gives answers that some does not allow"):
        game.value([[0.5, 0.5], [1, 0]])


def test_a_game_cannot_be_written_to():
    with pytest.raises(ValueError, match="read-only"):
        make("chsh").payoff[:] = 0


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"payoff": CHSH_PAYOFF, "law": [[0.5, 0.5], [0.5, 0.5]]}, "law adds up to 2, least 0.5"),
        ({"payoff": CHSH_PAYOFF, "law": [[1.5, -0.5], [0, 0]]}, "least -0.5; probabilities are >= 0 and make 1"),
        ({"payoff": CHSH_PAYOFF, "law": [0.5, 0.5]}, r"payoff has shape \(2, 2, 2, 2\); for a law of shape \(2,\)"),
        ({"payoff": [[[1, 0]]]}, "payoff has 3 axes; it needs two for each player"),
        ({"payoff": []}, "payoff has 1 axes"),
        ({"payoff": [[np.inf, 0]]}, "a payoff is not finite"),
        ({"payoff": [[1, 0]], "allowed": [[[0, 0]]]}, "player 0 has no allowed answer to question 0"),
        ({"payoff": [[1, 0]], "allowed": [[[1]]]}, r"allowed of player 0 has shape \(1, 1\); .* it is \(1, 2\)"),
        ({"payoff": [[1, 0]], "allowed": [[[1, 1]], [[1, 1]]]}, "allowed has 2 tables; it has one for each of 1"),
        ({"payoff": np.zeros((0, 1))}, "there is a player, a question, an answer"),
    ],
)
def test_what_is_no_game_is_refused_with_the_rule(table, message):
    with pytest.raises(ValueError, match=message):
        Game.from_table("broken", **table)


@pytest.mark.parametrize("odd", ["2", "0.5", "NaN"])
def test_a_mask_is_of_zeros_and_ones(odd):
    with pytest.raises(
        ValueError, match=f"allowed of player 0 holds {odd.lower()}; an answer is allowed, 1, or not, 0"
    ):
        Game.from_table("broken", [[1, 0], [0, 1]], allowed=[[[1, float(odd)], [1, 1]]])


def test_rows_of_different_lengths_are_no_table():
    with pytest.raises(TypeError, match="payoff must be a table of numbers, all rows of one length"):
        Game.from_table("broken", [[1, 0], [1]])


@pytest.mark.parametrize(
    ("strategy", "message"),
    [
        (np.ones((2, 2)), r"the strategy has shape \(2, 2\); of chsh it is \(2, 2, 2, 2\)"),
        (np.ones((2, 2, 2, 2)), "the strategy is no law of answers"),
        (np.full((2, 2, 2, 2), np.nan), "the strategy is no law of answers"),
    ],
)
def test_what_is_no_strategy_is_refused(strategy, message):
    with pytest.raises(ValueError, match=message):
        make("chsh").value(strategy)


# Files ----------------------------------------------------------------------------------------------------------------


def same(one, other):
    equal = [np.array_equal(getattr(one, k), getattr(other, k)) for k in ("law", "payoff")]
    return all(equal) and all(map(np.array_equal, one.allowed, other.allowed))


def test_a_game_comes_back_from_json(tmp_path):
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({"payoff": CHSH_PAYOFF}))
    assert same(load(path), make("chsh"))
    assert make(str(path)).name == "mine"


def test_a_game_comes_back_from_npz(tmp_path):
    game = make("rendezvous-c5-distinct")
    masks = {f"allowed_{i}": mask for i, mask in enumerate(game.allowed)}
    np.savez(tmp_path / "five.npz", law=game.law, payoff=game.payoff, name="five", **masks)
    assert same(make(str(tmp_path / "five.npz")), game)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", r"mine.json: not JSON \(Expecting"),
        ("[" * 100_000, "mine.json: not JSON"),
        ("[1]", "mine.json: holds a list; a game is an object with name, law, payoff, allowed"),
        ("{}", "mine.json: has no entry 'payoff'"),
        ('{"payoffs": [[1]]}', r"mine.json: unknown entry 'payoffs'; .*\(did you mean payoff\?\)"),
        ('{"payoff": [[1, 0], [1]]}', "mine.json: payoff must be a table of numbers"),
        ('{"payoff": [[1, 0]], "law": [2]}', "mine.json: law adds up to 2"),
        ('{"payoff": null}', "mine.json: payoff must be a table of numbers, all rows of one length, not None"),
        ('{"payoff": [[1, 0]], "allowed": 5}', "mine.json: allowed must hold one table for each of 1 players, not 5"),
        ('{"payoff": [[1, 0]], "allowed": [5]}', "mine.json: allowed must be a table of numbers, .* not 5"),
        ('{"payoff": [[1, 0]], "name": 7}', "mine.json: name must be a text, not 7"),
    ],
)
def test_a_file_that_holds_no_game_is_named_with_what_is_wrong(tmp_path, text, message):
    path = tmp_path / "mine.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        load(path)


def test_a_file_of_another_kind_is_refused(tmp_path):
    (tmp_path / "mine.npz").write_text("nothing")
    with pytest.raises(ValueError, match=r"mine.npz: not an .npz file"):
        load(tmp_path / "mine.npz")
    with (tmp_path / "mine.npz").open("wb") as file:
        np.save(file, CHSH_PAYOFF)
    with pytest.raises(ValueError, match=r"mine.npz: not an .npz file \(it holds a single array"):
        load(tmp_path / "mine.npz")
    with pytest.raises(ValueError, match=r"mine.csv is no file of a game; those end in .json or .npz"):
        load(tmp_path / "mine.csv")
    with pytest.raises(FileNotFoundError, match=r"nowhere\.json does not exist; it was to be a file of a game"):
        make(str(tmp_path / "nowhere.json"))
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(OSError, match=r"folder\.json cannot be read as a game: Is a directory"):
        load(tmp_path / "folder.json")
