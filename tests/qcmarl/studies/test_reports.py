"""Reports of results whose numbers are known."""

import json
import re
from pathlib import Path

import pytest
from browser import Browser
from sample_results import store

from qcmarl.studies import command, export, figures, reports, results
from qcmarl.studies.jobs import result_file
from qcmarl.studies.records import groups_of

RATES = {"mappo": (0.5, 0.7), "qc-factored": (0.8, 0.9), "qmix": (0.75, 0.65)}


def rate(arm, seed, agents):
    """Known for three arms; elsewhere the same for all seeds."""
    return RATES[arm][seed] if arm in RATES else 0.4


def prepared(out, *studies, **options):
    return command.prepare(command.StudyOptions(studies, out=out, **options))


def report(out, *studies, **options):
    choice = prepared(out, *studies, **options).choice
    store(out, choice, rate)
    ready = prepared(out, *studies, **options)
    assert not [job for job in ready.missing if job.kind in ("train", "noise")]
    command.report_of(ready)
    return out / "report"


def table1_after(change, out, where, *arms):
    """The page of two seeds of the arms, one of whose results was changed by a function of its path."""
    options = {"seeds": 2, "arms": arms or ("mappo", "qc-factored")}
    store(out, prepared(out, "table1", **options).choice, rate)
    change(result_file(out, f"skirmish-8m_vs_9m/{where}"))
    command.report_of(prepared(out, "table1", **options))
    return out / "report" / "table1.md"


def rows_of(page, title):
    """Cells of the table rows of a Markdown page that begin with `title`."""
    lines = [line for line in page.read_text().splitlines() if line.startswith(f"| {title} |")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.fixture(scope="module")
def table1(tmp_path_factory):
    out = tmp_path_factory.mktemp("table1")
    return report(out, "table1", seeds=2, arms=("mappo", "qc-factored"))


def test_a_row_says_how_an_arm_executes_and_what_it_was_trained_with(table1):
    quality = rows_of(table1 / "table1.md", "QC-MAPPO, factored")[0]
    assert quality[:5] == ["QC-MAPPO, factored", "central", "joint, 0.2", "2", "2,000,000"]
    assert rows_of(table1 / "table1.md", "MAPPO")[0][1] == "local"


def test_the_numbers_of_a_row_are_the_results(table1):
    mappo, ours = (rows_of(table1 / "table1.md", name)[0] for name in ("MAPPO", "QC-MAPPO, factored"))
    # 0.5 and 0.7: s / sqrt(2) = 0.1, times t(0.975; 1) = 12.706, cut off at 0 and 1
    assert mappo[6] == "0.60 [0.00, 1.00]"
    assert ours[5] == "0.95 [0.31, 1.00]"  # 0.9 and 1.0, and no more than all
    # over training: (0 + 1/2 + 1) / 3 of 0.5 and of 0.7
    assert mappo[8].startswith("0.30 [")
    # t = 0.25 / sqrt(0.01 + 0.0025) = 2.236 at 1.47 degrees of freedom: scipy.stats.t.sf(2.236, 1.4706) * 2 = 0.196
    assert ours[10] == "0.2"
    assert ours[11] == "0.2"  # over training both are half of that
    assert ours[12] == "1.00"
    assert mappo[9:] == ["", "", "", ""]


def test_q_learning_is_judged_without_its_exploration(tmp_path):
    page = report(tmp_path, "table1", seeds=2, arms=("mappo", "qmix")) / "table1.md"
    quality, _, goal = rows_of(page, "QMIX")
    assert (quality[5][:4], quality[6][:4], quality[7][:4]) == ("0.80", "0.70", "0.80")
    # Greedily 0.85 and 0.75 against MAPPO's 0.6 and 0.8, so t = 0.1 / sqrt(0.01 + 0.0025) = 0.894 at 1.47 degrees of
    # freedom: scipy.stats.t.sf(0.8944, 1.4706) * 2 = 0.4931
    assert quality[10:] == ["0.49", "0.49", "0.75"]
    # Greedily 0.85 and 0.75 at the third evaluation.
    assert goal[5:] == ["1 of 2", "0", "2.00", "3.0 [3.0, 3.0]"]


def test_arms_of_one_seed_do_not_keep_the_others_from_a_verdict(tmp_path):
    page = table1_after(Path.unlink, tmp_path, "qmix/1", "mappo", "qc-factored", "qmix")
    assert "No arm's win rate as deployed differs from that of MAPPO" in page.read_text()
    assert "With one seed there is no test of QMIX." in page.read_text()


def test_a_seed_that_lost_what_it_had_learned_is_counted(tmp_path):
    def fell(path):
        result = json.loads(path.read_text())
        result["curve"]["eval/win_rate_sampled"] = [0.9, 0.4, 0.8]
        results.write(path, result)

    goal = rows_of(table1_after(fell, tmp_path, "qc-factored/0"), "QC-MAPPO, factored")[3]
    assert goal[5:7] == ["2 of 2", "1"]


def test_a_reading_that_few_seeds_were_played_with_says_how_many(tmp_path):
    def older(path):
        result = json.loads(path.read_text())
        del result["final"]["eval/win_rate_shuffled_sampled"]
        results.write(path, result)

    blind = rows_of(table1_after(older, tmp_path, "qc-factored/0"), "QC-MAPPO, factored")[1]
    assert blind[7] == "0.05 (1 of 2 seeds)"


def test_a_page_of_games_is_not_labelled_as_skirmish(tmp_path):
    page = report(tmp_path, "table1", seeds=2, arms=("independent",), maps=("game:chsh",)) / "table1.md"
    assert "skirmish" not in page.read_text()


def test_arms_have_their_own_colours_in_every_figure():
    mappo, ours = "MAPPO", "QC-MAPPO, factored"
    for titles in ([mappo, ours], [ours, "IPPO, joint ratio", mappo], ["G2ANet", "VDN", ours, mappo]):
        looks = dict(zip(titles, figures.styles(titles), strict=True))
        assert looks[mappo] == figures.style(0)
        assert looks[ours] == figures.style(3)
        assert len({str(look) for look in looks.values()}) == len(titles)


def test_the_verdict_is_the_same_whichever_arm_comes_first(tmp_path):
    arms = ("qmix", "mappo")
    page = report(tmp_path, "table1", seeds=2, arms=arms) / "table1.md"
    # Greedily 0.6 and 0.8 against QMIX's 0.85 and 0.75: as with MAPPO first.
    assert rows_of(page, "MAPPO")[0][10:] == ["0.49", "0.49", "0.25"]


def test_an_arm_that_fits_the_maps_of_one_study_only_is_reported_there(tmp_path):
    folder = report(tmp_path, "table1", "curves", seeds=1, arms=("mappo", "qc-register"))
    assert rows_of(folder / "curves.md", "QC-MAPPO, register")
    assert not rows_of(folder / "table1.md", "QC-MAPPO, register")


def test_sources_and_labels_are_on_every_page(table1):
    for page in table1.glob("*.md"):
        text = page.read_text()
        assert "It is not StarCraft II" in text
        assert "commit 0123456789; a processor" in text
        assert "320 battles of each kind" in text


def test_the_papers_figures_are_labelled_as_another_game(table1):
    text = (table1 / "table1.md").read_text()
    assert "## What the paper reports, in another game" in text
    assert "| QC-MAPPO (simulated) | 85 ± 2 | 78.2 | 2,000,000 | V100 |" in text


def test_minutes_to_a_win_rate_count_the_seeds_that_reach_it(table1):
    page = table1 / "table1.md"
    assert rows_of(page, "MAPPO")[2][5:] == ["0 of 2", "-", "-", "-"]
    # Both seeds at the third evaluation, after 2 M steps and 3 minutes.
    assert rows_of(page, "QC-MAPPO, factored")[3][5:] == ["2 of 2", "0", "2.00 [2.00, 2.00]", "3.0 [3.0, 3.0]"]


def test_what_a_circuit_is_used_for_is_shown_for_circuits_only(table1):
    blind = rows_of(table1 / "table1.md", "QC-MAPPO, factored")[1]
    assert blind[5:] == ["0.85 [0.21, 1.00]", "0.10 [0.10, 0.10]", "0.05 [0.05, 0.05]", "0.25", "-", "-"]
    # MAPPO has a row in the tables of quality, cost, times and the paper's; the circuit one more, less the paper's.
    assert [len(rows_of(table1 / "table1.md", name)) for name in ("MAPPO", "QC-MAPPO, factored")] == [4, 4]


def test_a_page_in_html_holds_its_pictures(table1):
    for page in table1.glob("*.html"):
        text = page.read_text()
        sources = re.findall(r'<img src="([^"]{0,30})', text)
        assert sources
        assert all(source.startswith("data:image/svg+xml;base64,") for source in sources)


def test_every_picture_is_there_as_png_and_svg(table1):
    shown = re.findall(r"\]\((figures/[^)]*)\.png\)", (table1 / "index.md").read_text())
    assert shown
    for stem in shown:
        assert (table1 / f"{stem}.png").read_bytes().startswith(b"\x89PNG")
        assert "<svg" in (table1 / f"{stem}.svg").read_text()[:2000]


def test_the_same_results_give_the_same_bytes(table1):
    before = {path: path.read_bytes() for path in table1.rglob("*") if path.is_file()}
    report(table1.parent, "table1", seeds=2, arms=("mappo", "qc-factored"))
    assert {path: path.read_bytes() for path in table1.rglob("*") if path.is_file()} == before


def test_a_report_of_a_part_says_what_is_missing(tmp_path):
    text = table1_after(Path.unlink, tmp_path, "mappo/1").read_text()
    assert "**Not finished:** 1 jobs have no result: skirmish-8m_vs_9m/mappo/1." in text
    assert "With one seed there is no test" in text


def test_a_report_of_nothing_is_still_a_report(tmp_path):
    command.report_of(prepared(tmp_path, "all", seeds=1))
    assert "have no result" in (tmp_path / "report" / "index.md").read_text()


def test_the_gap_is_taken_to_the_first_arm_where_attention_is_missing(tmp_path):
    page = report(tmp_path, "agents", seeds=2, arms=("mappo", "qc-factored"), maps=("8m_vs_9m", "3m")) / "agents.md"
    gap = rows_of(page, "QC-MAPPO, factored, skirmish:3m")[0]
    assert gap[1:6] == ["central", "3", "joint, 0.2", "2", "500,000"]
    assert gap[7].startswith("0.25 [")  # 0.85 - 0.60
    assert (page.parent / "figures" / "agents-gap-mappo.png").is_file()


def test_an_arm_that_one_map_lacks_is_left_out_of_the_gap_there_alone(tmp_path):
    arms = ("mappo", "attention-mappo", "qc-factored")
    report(tmp_path, "agents", seeds=2, arms=arms, maps=("8m_vs_9m", "3m"))
    for file in (tmp_path / "results" / "skirmish-8m_vs_9m" / "attention-mappo").iterdir():
        file.unlink()
    command.report_of(prepared(tmp_path, "agents", seeds=2, arms=arms, maps=("8m_vs_9m", "3m")))
    page = tmp_path / "report" / "agents.md"
    to_attention, to_mappo = page.read_text().split("## The gap to ")[1:3]
    assert to_attention.startswith("Attention-MAPPO")
    assert "QC-MAPPO, factored, skirmish:3m" in to_attention
    assert "QC-MAPPO, factored, skirmish:8m_vs_9m" not in to_attention
    assert "QC-MAPPO, factored, skirmish:8m_vs_9m" in to_mappo
    assert "Attention-MAPPO, skirmish:3m" in to_mappo


def test_costs_and_correlation_are_told_of_runs_that_other_studies_left(tmp_path):
    report(tmp_path, "table1", seeds=2, arms=("mappo", "qc-factored"))
    command.report_of(prepared(tmp_path, "scaling", "correlation"))
    page = tmp_path / "report" / "scaling.md"
    assert rows_of(page, "QC-MAPPO, factored")[0][5] == "2 of 2"
    assert rows_of(tmp_path / "report" / "correlation.md", "QC-MAPPO, factored")[0][8] == "0.25"


def test_noise_is_played_and_trained(tmp_path):
    arms = ("mappo", "qc-factored", "qc-factored-global-1e-3", "qc-factored-global-1e-2")
    page = report(tmp_path, "noise", seeds=2, arms=arms) / "noise.md"
    played = rows_of(page, "QC-MAPPO, factored, played")[0]
    assert played[5:] == [f"{v:.2f} [{v:.2f}, {v:.2f}]" for v in (0.9, 0.899, 0.89, 0.8, 0.4)]
    trained = rows_of(page, "QC-MAPPO, factored, trained")[0]
    assert trained[5].startswith("0.85")
    assert trained[6] == "-"
    assert trained[7].startswith("0.40")


def test_the_export_is_nested_as_marl_eval_reads_it(tmp_path):
    out = report(tmp_path, "table1", seeds=2, arms=("mappo", "qc-factored"))
    exported = json.loads((out / "marl-eval.json").read_text())
    run = exported["skirmish"]["8m_vs_9m"]["qc-factored"]["seed_1"]
    assert run["step_2"]["step_count"] == 2_000_000
    assert run["step_2"]["win_rate_sampled"] == [0.9]
    assert run["absolute_metrics"]["win_rate_sampled"] == [0.9]
    assert list(exported) == ["skirmish"]
    assert export.marl_eval(groups_of({})) == {}


def test_many_arms_are_drawn_in_several_figures_with_the_first_in_each(tmp_path):
    store(tmp_path, prepared(tmp_path, "ablation", seeds=1, maps=("3m",)).choice, lambda *_: 0.5)
    ready = prepared(tmp_path, "ablation", seeds=1, maps=("3m",))
    command.report_of(ready)
    arms = len({job.settings["arm"] for job in ready.plan.jobs})
    drawn = list((tmp_path / "report" / "figures").glob("ablation-skirmish-3m-curves-[0-9].png"))
    assert arms > reports.MANY
    assert len(drawn) == -(-(arms - 1) // reports.AT_ONCE)


def test_a_page_works_in_a_browser_and_on_a_phone(table1):
    if Browser.find() is None:
        pytest.skip("there is no Chromium")
    with Browser() as browser:
        for width in (1200, 390):
            browser.open(table1 / "index.html", width)
            assert browser.errors == []
            assert browser.run("document.documentElement.scrollWidth") <= width
            assert browser.run("[...document.images].every(i => i.complete && i.naturalWidth > 100)")
