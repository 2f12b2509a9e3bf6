"""All values of a game in one table, on the command line too; and the examples of this package."""

import doctest
import importlib
import math
import pkgutil
import sys

import pytest

import qcmarl.games
from qcmarl import cli
from qcmarl.envs import game as game_environment
from qcmarl.games import Game, make
from qcmarl.games.values import summary


def said(capsys, *arguments):
    with pytest.raises(SystemExit) as stop:
        cli.main(["game", *arguments])
    return stop.value.code, capsys.readouterr()


def test_the_values_of_a_game_are_in_order_and_say_what_proves_them():
    pytest.importorskip("clarabel")
    found = summary(make("rendezvous-k3"))
    assert found.classical.value == pytest.approx(5 / 9)
    assert found.quantum_value == pytest.approx(7 / 12, abs=1e-9)
    assert found.quantum_bound == (pytest.approx(7 / 12, abs=1e-6), "NPA hierarchy, level 1")
    assert found.no_signalling == (pytest.approx(2 / 3), "linear program")


def test_larger_systems_are_tried_while_the_bounds_are_apart():
    found = summary(make("magic-square"), starts=4)
    assert found.quantum.state.shape == (16, 16)
    assert found.quantum_value == pytest.approx(1)


@pytest.mark.parametrize("scale", [1e-8, 1e-3, 1e9])
def test_the_values_of_scaled_payoffs_are_scaled(scale):
    pytest.importorskip("clarabel")
    game = Game.from_table("scaled", make("chsh").payoff * scale)
    found = summary(game)
    best = math.cos(math.pi / 8) ** 2
    assert found.classical.value / scale == pytest.approx(3 / 4, abs=1e-12)
    assert found.quantum_value / scale == pytest.approx(best, abs=1e-9)
    assert best - 1e-12 <= found.quantum_bound.value / scale <= best + 1e-6
    assert found.no_signalling.value / scale == pytest.approx(1, abs=1e-9)


def test_ten_players_share_a_state_that_wins_always():
    found = summary(make("ghz-10"))
    assert (found.classical.value, found.quantum_bound.value) == (pytest.approx(1 / 2 + 2**-5), 1)
    assert found.quantum_value == pytest.approx(1, abs=1e-9)


def test_without_the_solver_the_quantum_bound_is_that_of_silence(monkeypatch):
    monkeypatch.setitem(sys.modules, "clarabel", None)
    found = summary(make("chsh"), dimension=2)
    assert found.quantum_bound == found.no_signalling == (pytest.approx(1), "linear program")
    assert found.quantum_value == pytest.approx(0.853553, abs=1e-6)


def test_the_command_prints_the_values_and_the_best_classical_strategy(capsys):
    pytest.importorskip("clarabel")
    code, printed = said(capsys, "chsh")
    lines = printed.out.splitlines()
    assert code == 0
    assert lines[0].strip() == "chsh: 2 players, probability of winning"
    assert [line for line in lines if "0.750000" in line and "best strategy" in line]
    assert [line for line in lines if "at least" in line and "0.853553" in line and "see-saw, dimension 2" in line]
    assert [line for line in lines if "at most" in line and "0.853553" in line and "XOR games" in line]
    assert "player 1" in printed.out


def test_small_payoffs_are_printed_with_their_digits(capsys, tmp_path):
    path = tmp_path / "small.json"
    path.write_text('{"payoff": [[2e-8, 0], [0, 1e-8]]}')
    assert "1.500000e-08" in said(capsys, str(path))[1].out


def test_answers_that_are_fillings_are_printed_so(capsys):
    """Won in all cells but one: row 0 is filled with an even sum, column 0 with an odd one."""
    lines = said(capsys, "magic-square", "--dimension", "2", "--starts", "1")[1].out.splitlines()
    cells = [line.split("│")[1:-1] for line in lines[-4:-1]]
    rows, columns = ([cell[player].strip() for cell in cells] for player in (1, 2))
    assert all(row.count("1") % 2 == 0 and len(row) == 3 for row in rows)
    assert all(column.count("1") % 2 == 1 and len(column) == 3 for column in columns)
    assert sum(rows[x][y] == columns[y][x] for x in range(3) for y in range(3)) == 8


def test_payoffs_that_are_no_wins_are_called_so(capsys, tmp_path):
    path = tmp_path / "toll.json"
    path.write_text('{"payoff": [[[[2, 0]]], [[[0, 1]]]]}')
    code, printed = said(capsys, str(path))
    assert code == 0
    assert "toll: 2 players, expected payoff" in printed.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["chhs"], "did you mean 'chsh'?"),
        (["chsh", "--start", "3"], "(did you mean --starts?)"),
        (["chsh", "--dimension", "1"], "dimension is 1; it must be at least 2"),
        (["nowhere.json"], "nowhere.json does not exist; it was to be a file of a game"),
        (["."], "unknown game '.'"),
        (["CHSH"], "did you mean 'chsh'?"),
        (["mine.csv"], "mine.csv is no file of a game; those end in .json or .npz"),
    ],
)
def test_a_mistake_costs_a_line(capsys, arguments, message):
    code, printed = said(capsys, *arguments)
    assert code == 2
    assert message in printed.err
    assert printed.err.count("\n") == 1


def modules():
    found = pkgutil.walk_packages(qcmarl.games.__path__, "qcmarl.games.")
    return [*map(importlib.import_module, [m.name for m in found]), game_environment]


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.__name__)
def test_the_examples_of_a_docstring_run_as_printed(module):
    for test in doctest.DocTestFinder(exclude_empty=True).find(module):
        printed = []
        assert doctest.DocTestRunner(verbose=False).run(test, out=printed.append).failed == 0, "".join(printed)
