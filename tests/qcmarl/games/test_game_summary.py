"""All values of a game in one table, on the command line too; and the examples of this package."""

import doctest
import importlib
import pkgutil
import sys

import pytest

import qcmarl.games
from qcmarl import cli
from qcmarl.envs import game as game_environment
from qcmarl.games import make
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
        (["nowhere.json"], "nowhere.json"),
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
