"""Results: found again, refused where they are others."""

import pytest

from qcmarl.studies import results
from qcmarl.studies.jobs import result_file
from qcmarl.studies.plan import Choice, plan

JOB = plan(Choice(("table1",), arms=("mappo",), seeds=1)).jobs[0]


def stored(folder, **changes):
    settings = {**JOB.settings, **changes}
    results.write(result_file(folder, JOB.name), {"settings": settings, "time": {"wall_seconds": 3.0}})


def without(config, name):
    algorithm = {k: v for k, v in config["algorithm"].items() if k != name}
    return {**config, "algorithm": algorithm}


def test_the_first_place_that_has_a_result_counts(tmp_path):
    assert results.find(JOB, [tmp_path / "a", tmp_path / "b"]) is None
    stored(tmp_path / "b")
    assert results.find(JOB, [tmp_path / "a", tmp_path / "b"])["time"] == {"wall_seconds": 3.0}


def test_a_result_of_other_settings_is_refused_with_what_differs(tmp_path):
    run = {**JOB.settings["config"]["run"], "steps": 7}
    stored(tmp_path, config={**JOB.settings["config"], "run": run})
    with pytest.raises(results.OtherSettings, match=r"different: steps \(7, now 2000000\)\. Choose another --out"):
        results.find(JOB, [tmp_path])


def test_a_setting_younger_than_the_result_counts_as_its_default(tmp_path):
    stored(tmp_path, config=without(JOB.settings["config"], "dropout"))
    assert results.find(JOB, [tmp_path]) is not None
    younger = {**JOB.settings["config"]["algorithm"], "dropout": 0.5}
    wanted = {**JOB.settings, "config": {**JOB.settings["config"], "algorithm": younger}}
    kept = {**JOB.settings, "config": without(JOB.settings["config"], "dropout")}
    assert results.differences(kept, wanted) == ["dropout (0.0, now 0.5)"]


def test_a_setting_whose_default_is_another_now_counts_as_it_was(tmp_path):
    stored(tmp_path, config=without(JOB.settings["config"], "joint_weights"))
    assert JOB.settings["config"]["algorithm"]["joint_weights"] == "living"
    assert results.find(JOB, [tmp_path]) is not None
    undone = plan(Choice(("table1",), arms=("mappo-undo",), seeds=1)).jobs[0]
    kept = {**undone.settings, "config": without(undone.settings["config"], "undo_step")}
    assert results.differences(kept, undone.settings) == ["undo_step (False, now True)"]


def test_a_damaged_result_is_named(tmp_path):
    stored(tmp_path)
    path = result_file(tmp_path, JOB.name)
    path.write_text("{")
    with pytest.raises(ValueError, match=r"0\.json is not a result"):
        results.find(JOB, [tmp_path])
    path.write_text("[]")
    with pytest.raises(ValueError, match="it has no settings"):
        results.find(JOB, [tmp_path])
