"""Jobs on a real Ray cluster of one node."""

import importlib.util
import shutil

import pytest
from study_process import results, run

pytestmark = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="Ray is not installed")


def test_a_cluster_makes_the_results_that_this_machine_makes(tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    code, said = run(here)
    assert code == 0, said
    code, said = run(there, "--ray", "local")
    assert code == 0, said
    assert results(there) == results(here)


def test_a_job_that_fails_on_a_cluster_is_told_and_goes_on_when_it_can(tmp_path):
    blocked = tmp_path / "runs" / "skirmish-3m" / "mappo"
    blocked.mkdir(parents=True)
    (blocked / "0").touch()
    code, said = run(tmp_path, "--ray", "local")
    assert code == 1
    assert "skirmish-3m/mappo/0: ended with code 1" in said
    shutil.rmtree(blocked)
    assert run(tmp_path, "--ray", "local")[0] == 0
    assert len(results(tmp_path)) == 2


def test_an_address_where_nothing_answers_is_a_users_matter(tmp_path):
    code, said = run(tmp_path, "--ray", "127.0.0.1:1")
    assert code == 2
    assert said.startswith("qcmarl: no Ray cluster at '127.0.0.1:1'")
    assert said.count("\n") == 1
