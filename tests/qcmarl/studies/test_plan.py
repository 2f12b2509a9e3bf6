"""Which runs a study is made of."""

import pytest

from qcmarl.studies.arms import ARMS
from qcmarl.studies.catalogue import STUDIES
from qcmarl.studies.jobs import Job, place
from qcmarl.studies.plan import Choice, plan


def names(*studies, **options):
    return [job.name for job in plan(Choice(studies, **options)).jobs]


def test_a_run_lies_at_environment_arm_and_seed():
    assert place("skirmish:3m", "mappo", 4) == "skirmish-3m/mappo/4"
    assert place("skirmish:maps/mine.toml", "mappo", 0) == "skirmish-maps-mine.toml/mappo/0"


def test_seeds_run_round_robin_so_that_an_early_end_leaves_whole_comparisons():
    found = names("table1", arms=("mappo", "qc-factored"), seeds=2)
    runs = ["mappo/0", "qc-factored/0", "mappo/1", "qc-factored/1"]
    assert found == [f"skirmish-8m_vs_9m/{run}" for run in runs]


def test_a_run_that_two_studies_want_is_one_job():
    one, other = names("table1", seeds=1), names("curves", seeds=1)
    assert sorted(names("table1", "curves", seeds=1)) == sorted({*one, *other})


def test_the_budgets_are_the_announced_ones():
    steps = {job.name: job.steps for job in plan(Choice(("curves",), seeds=1, arms=("mappo",))).jobs}
    assert steps == {"skirmish-3m/mappo/0": 500_000, "skirmish-8m_vs_9m/mappo/0": 2_000_000}
    assert STUDIES["table1"].parts[0].seeds == 10
    assert all(STUDIES[name].parts[0].seeds == 5 for name in ("curves", "agents", "noise", "ablation"))


def test_local_noise_has_smaller_circuits_and_a_noiseless_arm_of_the_same():
    steps = {job.name: job.steps for job in plan(Choice(("noise",), seeds=1)).jobs}
    for rate in ("global-1e-2", "local-1e-2", "local-0"):
        assert steps[f"skirmish-3m/qc-factored-{rate}/0"] == 500_000
    for rate in ("1e-2", "0"):
        assert ARMS[f"qc-factored-local-{rate}"].resolve("skirmish:3m").latent == 21
    assert ARMS["qc-factored-local-0"].resolve("skirmish:3m").noise is None


def test_trained_runs_are_played_under_noise_once_all_are_trained():
    jobs = plan(Choice(("noise",), seeds=1)).jobs
    played = [job for job in jobs if job.kind == "noise"]
    assert {job.run for job in played} == {"skirmish-3m/qc-factored/0", "skirmish-3m/qc-outcome/0"}
    assert [job.phase for job in jobs] == sorted(job.phase for job in jobs)
    assert len(played[0].settings["noises"]) == 9
    assert not {job.name for job in played} & {job.run for job in jobs}


def test_arms_that_do_not_fit_are_left_out_with_a_reason_and_refused_by_name():
    planned = plan(Choice(("curves",), maps=("8m",), seeds=1))
    assert not any("qc-register" in job.name for job in planned.jobs)
    assert any("qc-register" in reason for reason in planned.skipped)
    with pytest.raises(ValueError, match="arm 'qc-register'"):
        plan(Choice(("curves",), maps=("8m",), arms=("qc-register",)))


def test_a_job_crosses_to_another_process_unchanged():
    for job in plan(Choice(("noise", "scaling", "theory"), smoke=True)).jobs:
        assert Job.from_json(job.as_json()) == job
