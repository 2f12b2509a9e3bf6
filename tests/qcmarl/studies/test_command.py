"""`qcmarl study`: a mistake costs one line and exit code 2, and leaves nothing behind."""

import subprocess
import sys

import pytest

from qcmarl import cli
from qcmarl.studies.command import OUT, SMOKE_OUT, StudyOptions, prepare

ALL = "table1, curves, agents, noise, ablation, correlation, scaling, theory, entanglement, all"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("", f"name a study; the studies are {ALL}"),
        ("tabel1", f"unknown study 'tabel1' (did you mean table1?); the studies are {ALL}"),
        ("table1 --arms mapo", "unknown arm 'mapo' (did you mean mappo?)"),
        ("table1 --maps 9m", "unknown map '9m' of skirmish"),
        ("table1 --env starcraft", "env is 'starcraft'; the families are skirmish, smac"),
        ("table1 --env pettingzoo --maps simple_spread_v3", "environments of pettingzoo tell of none"),
        ("table1 --maps pettingzoo:simple_spread_v3", "environments of pettingzoo tell of none"),
        ("table1 --maps gymnasium:CartPole-v1", "environments of gymnasium tell of none"),
        ("table1 --env minigrid", "name the maps of minigrid with --maps"),
        ("table1 --maps game:chess.json", "chess.json"),
        ("table1 --seeds 0", "seeds is 0; it must be at least 1"),
        ("table1 --steps -5", "steps is -5; it must be at least 1"),
        ("table1 --jobs 0", "jobs is 0; it must be at least 1"),
        ("table1 --seed 3", "(did you mean --seeds?)"),
        ("table1 --arms qc-register", "arm 'qc-register'"),
        ("table1 --results nowhere", "--results nowhere: there is no folder 'results' in it"),
        ("table1 --smoke --out file", "--out file is a file"),
    ],
)
def test_a_mistake_is_named(capsys, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit) as stop:
        cli.main(["study", *arguments.split()])
    said = capsys.readouterr()
    assert stop.value.code == 2
    assert message in said.err
    assert said.err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_an_address_without_ray_is_a_users_matter(tmp_path):
    script = f"""
import sys
class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "ray":
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Hidden())
from qcmarl import cli
cli.main(["study", "table1", "--smoke", "--ray", "local", "--out", {str(tmp_path / "out")!r}])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr == "qcmarl: --ray needs Ray, which is not installed: pip install ray\n"


def test_studies_run_in_the_order_of_the_reports():
    assert prepare(StudyOptions(("curves", "table1"))).choice.studies == ("table1", "curves")
    assert prepare(StudyOptions(("all",))).choice.studies[-1] == "entanglement"


def test_a_smoke_test_has_a_folder_of_its_own():
    assert prepare(StudyOptions(("table1",))).out == OUT
    assert prepare(StudyOptions(("table1",), smoke=True)).out == SMOKE_OUT != OUT


def test_help_lists_the_studies(capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["study", "--help"])
    assert stop.value.code == 0
    assert "table1, curves, agents" in capsys.readouterr().out
