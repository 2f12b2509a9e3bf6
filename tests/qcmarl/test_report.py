"""Grouping of runs and the numbers of the table."""

import json
from pathlib import Path

import numpy as np
import pytest

from qcmarl import report, rundir


def write(directory, rates, algo="mappo", seed=0, env="skirmish:3m", metric="eval/win_rate", **algorithm):
    directory.mkdir(parents=True)
    config = {"algo": algo, "run": {"env": env, "seed": seed, "steps": 300}, "algorithm": algorithm}
    (directory / rundir.CONFIG).write_text(json.dumps(config))
    lines = [
        {"env_steps": 100 * (i + 1), "wall_seconds": i + 1.0, **({} if r is None else {metric: r})}
        for i, r in enumerate(rates)
    ]
    (directory / rundir.METRICS).write_text("".join(json.dumps(line) + "\n" for line in lines))
    return directory


def test_runs_that_differ_in_the_seed_are_one_group(tmp_path):
    runs = [write(tmp_path / str(i), [0.1, 0.2], seed=i, clip=0.1) for i in range(3)]
    runs.append(write(tmp_path / "other", [0.1, 0.2], seed=0, clip=0.2))
    groups = report.grouped([report.read(run) for run in runs])
    assert {name: len(group) for name, group in groups.items()} == {
        "mappo skirmish:3m (clip=0.1)": 3,
        "mappo skirmish:3m (clip=0.2)": 1,
    }


def titles(*runs):
    return list(report.grouped([report.read(run) for run in runs]))


def test_a_setting_that_older_runs_lack_tells_groups_apart(tmp_path):
    old, new = write(tmp_path / "old", [0.1], clip=0.1), write(tmp_path / "new", [0.1], clip=0.1, huber=10.0)
    assert titles(old, new) == ["mappo skirmish:3m (huber=missing)", "mappo skirmish:3m (huber=10.0)"]


def test_settings_that_only_one_algorithm_has_are_not_listed(tmp_path):
    one, other = write(tmp_path / "a", [0.1], clip=0.1), write(tmp_path / "b", [0.1], "qc-mappo", clip=0.2, latent=8)
    assert titles(one, other) == ["mappo skirmish:3m (clip=0.1)", "qc-mappo skirmish:3m (clip=0.2)"]


def test_groups_whose_values_are_written_alike_stay_apart(tmp_path):
    runs = [write(tmp_path / str(i), [0.1], clip=value) for i, value in enumerate((1, "1"))]
    assert titles(*runs) == ["mappo skirmish:3m (clip=1)", "mappo skirmish:3m (clip=1) [2]"]


def test_seeds_are_averaged_at_the_last_step_that_all_have(tmp_path):
    group = [
        report.read(write(tmp_path / "a", [0.0, 0.4, 1.0])),
        report.read(write(tmp_path / "b", [0.0, 0.8], seed=1)),
    ]
    # 0.4 and 0.8: s / sqrt(2) = 0.2, and t(0.975; 1) = 12.706
    assert report._cells(group)[0] == "0.60 [-1.94, 3.14]"
    assert report._steps_cell(group) == "200 (of 300)"
    assert report._steps_cell(group[:1]) == "300"


def test_seeds_without_a_common_evaluation_are_refused(tmp_path):
    group = [report.read(write(tmp_path / "a", [0.5])), report.read(write(tmp_path / "b", [None, 0.5], seed=1))]
    with pytest.raises(ValueError, match="never evaluated after the same number of steps"):
        report._cells(group)


def test_curves_end_with_the_shortest_run(tmp_path):
    curves = [report.read(write(tmp_path / "a", [0.0, 0.5, 1.0])), report.read(write(tmp_path / "b", [0.5, 0.5]))]
    bundle = report._bundle("both", curves)
    assert bundle.steps.tolist() == [100, 200]
    assert np.allclose(bundle.values["eval/win_rate"], [[0.0, 0.5], [0.5, 0.5]])


def test_the_table_shows_mean_and_interval(tmp_path):
    group = [report.read(write(tmp_path / str(i), [0.0, rate], seed=i)) for i, rate in enumerate((0.4, 0.8))]
    assert report._cells(group)[0] == "0.60 [-1.94, 3.14]"
    assert report._cells(group)[1] == "-"
    assert report._cells(group[:1])[0] == "0.40"


def three_groups(tmp_path):
    rates = {0.1: (0.2, 0.3), 0.2: (0.8, 0.9), 0.3: (0.25, 0.25)}
    runs = [write(tmp_path / f"{c}-{i}", [r], seed=i, clip=c) for c, own in rates.items() for i, r in enumerate(own)]
    return runs, report.grouped([report.read(run) for run in runs])


def test_groups_are_tested_against_the_first_or_the_one_that_is_named(tmp_path):
    _, groups = three_groups(tmp_path)
    columns, rows = report._tests(groups)
    assert columns[1:4] == ["greedy, IQM [95 %]", "p", "P(better)"]
    assert rows[0][2:4] == ["", ""]
    assert [row[3] for row in rows[1:]] == ["1.00", "0.50"]
    other = report._tests(report.reordered(groups, "clip=0.2"))[1]
    assert [row[3] for row in other] == ["", "0.00", "0.00"]
    assert other[0][0] == "mappo skirmish:3m (clip=0.2)"


def test_a_group_that_is_not_clear_is_refused(tmp_path):
    _, groups = three_groups(tmp_path)
    with pytest.raises(
        ValueError, match=r"against is 'mappo', which names 3 groups; they are mappo skirmish:3m \(clip"
    ):
        report.reordered(groups, "mappo")
    with pytest.raises(ValueError, match="against is 'qmix', which names 0 groups"):
        report.reordered(groups, "qmix")


def test_a_report_is_a_picture_a_drawing_and_two_pages(tmp_path, capsys):
    runs, _ = three_groups(tmp_path)
    report.report(runs, tmp_path / "out" / "curves.png")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [f"curves.{e}" for e in ("html", "md", "png", "svg")]
    assert (tmp_path / "out" / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert "| mappo skirmish:3m (clip=0.1) | 2 | 100 | 0.25 [" in (tmp_path / "out" / "curves.md").read_text()
    assert "data:image/svg+xml;base64," in (tmp_path / "out" / "curves.html").read_text()


def test_lines_without_an_evaluation_and_a_torn_last_line_are_skipped(tmp_path):
    directory = write(tmp_path / "a", [None, 0.5, None])
    with (directory / rundir.METRICS).open("a") as file:
        file.write('{"env_steps": 4')
    assert report.read(directory).steps.tolist() == [200]


def test_a_run_without_evaluation_is_refused(tmp_path):
    with pytest.raises(ValueError, match="has no evaluation yet"):
        report.read(write(tmp_path / "a", [None]))


def test_a_run_that_is_named_twice_counts_once(tmp_path, monkeypatch):
    write(tmp_path / "a", [0.1], seed=0)
    write(tmp_path / "b", [0.3], seed=1)
    (tmp_path / "link").symlink_to(tmp_path / "a")
    monkeypatch.chdir(tmp_path)
    names = ["a", "./a", tmp_path / "a", "link", "b", "b/"]
    curves, passed = report.read_all([Path(name) for name in names])
    assert [curve.config["run"]["seed"] for curve in curves] == [0, 1]
    assert passed == []
    first, _ = report.read_all([Path(name) for name in ("a", "b", "a")])
    assert [curve.config["run"]["seed"] for curve in first] == [0, 1]  # what others are tested against stays the first


def test_two_runs_of_one_seed_are_no_two_samples(tmp_path):
    runs = [write(tmp_path / name, [0.1], seed=4, clip=0.1) for name in ("a", "b")]
    with pytest.raises(ValueError, match=r"/a and .*/b have the same settings and the same seed, 4: they do not"):
        report.report(runs, tmp_path / "x.png")


def two_places(tmp_path):
    made = []
    for env, rates in (("skirmish:3m", (0.2, 0.8)), ("skirmish:8m", (0.5, 0.6))):
        for clip, rate in zip((0.1, 0.2), rates, strict=True):
            for seed in range(3):
                where = tmp_path / f"{env[9:]}-{clip}-{seed}"
                made.append(write(where, [rate + 0.01 * seed], seed=seed, env=env, clip=clip))
    return made


def test_environments_are_tested_apart(tmp_path):
    runs = two_places(tmp_path)
    alone = report._tests(report.grouped([report.read(run) for run in runs[:6]]))
    report.report(runs, tmp_path / "out" / "x.png", "clip=0.2")
    said = (tmp_path / "out" / "x.md").read_text()
    assert f"skirmish:3m: {report.TESTS.format('mappo skirmish:3m (clip=0.2)')}" in said
    assert f"skirmish:8m: {report.TESTS.format('mappo skirmish:8m (clip=0.2)')}" in said
    places = report.chosen(
        {env: report.grouped(own) for env, own in report.by_environment([report.read(r) for r in runs]).items()}, None
    )
    assert report._tests(places["skirmish:3m"]) == alone  # another environment is no part of the correction
    assert list(places["skirmish:8m"]) == ["mappo skirmish:8m (clip=0.1)", "mappo skirmish:8m (clip=0.2)"]
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"x.md", "x.html", *(f"x-skirmish-{m}.{e}" for m in ("3m", "8m") for e in ("png", "svg"))}


def test_a_group_named_in_one_environment_leaves_the_others_as_they_are(tmp_path):
    curves = [report.read(run) for run in two_places(tmp_path)]
    places = {env: report.grouped(own) for env, own in report.by_environment(curves).items()}
    found = report.chosen(places, "mappo skirmish:8m (clip=0.2)")
    assert [next(iter(groups)) for groups in found.values()] == [
        "mappo skirmish:3m (clip=0.1)",
        "mappo skirmish:8m (clip=0.2)",
    ]
    with pytest.raises(ValueError, match="'qmix', which names 0 groups; they are mappo skirmish:3m"):
        report.chosen(places, "qmix")


def test_maps_of_one_path_and_other_rules_are_other_environments(tmp_path):
    runs = [write(tmp_path / str(i), [0.1], seed=i, env="skirmish:m.toml") for i in range(3)]
    for run, limit in zip(runs, (10, 10, 20), strict=True):
        config = json.loads((run / rundir.CONFIG).read_text())
        (run / rundir.CONFIG).write_text(json.dumps({**config, "map": {"limit": limit}}))
    found = report.by_environment([report.read(run) for run in runs])
    assert [len(own) for own in found.values()] == [2, 1]
    assert all(name.startswith("skirmish:m.toml (map ") for name in found)


def test_folders_without_an_evaluated_run_are_passed_over_with_a_line(tmp_path, capsys):
    good, young = write(tmp_path / "good", [0.5]), write(tmp_path / "young", [None], seed=1)
    (tmp_path / "foreign").mkdir()
    (tmp_path / "notes.txt").touch()
    report.report([young, tmp_path / "foreign", good, tmp_path / "notes.txt"], tmp_path / "x.png")
    said = capsys.readouterr().out
    assert f"passed over: {young} has no evaluation yet\n" in said
    assert f"passed over: {tmp_path / 'foreign'} holds no run: there is no config.json in it\n" in said
    assert f"passed over: {tmp_path / 'notes.txt'} holds no run" in said
    with pytest.raises(ValueError, match="young has no evaluation yet"):
        report.report([young, tmp_path / "foreign"], tmp_path / "x.png")


def test_where_nothing_is_won_returns_are_reported(tmp_path, capsys):
    runs = [write(tmp_path / str(i), [-30, -10 - i], seed=i, env="pettingzoo:x", metric="eval/return") for i in (0, 1)]
    report.report(runs, tmp_path / "x.png")
    said = capsys.readouterr().out
    assert "-10.50 [-16.85, -4.15]" in said  # -10 and -11: s / sqrt(2) = 0.5, and t(0.975; 1) = 12.706
    assert "greedy return, IQM" in said
    assert "mean law" not in said
