"""The page of the study of entanglement, from results whose numbers are known."""

import math
import re

import pytest
from sample_results import store

from qcmarl.studies import command, results
from qcmarl.studies.entanglement import references, report, tables
from qcmarl.studies.jobs import result_file
from qcmarl.studies.plan import plan

ARMS = ("entangled", "independent", "communication", "psi-minus-ry", "entangled-no-entropy", "entangled-visibility-0.8")
OPTIONS = {"seeds": 2, "arms": (*ARMS, "entangled-visibility-0.9"), "maps": ("game:chsh", "game:ghz")}
BEST = 1 / 2 + math.sqrt(2) / 4
WON = {
    "entangled": (BEST, BEST),
    "independent": (0.75, 0.75),
    "communication": (1.0, 1.0),
    "psi-minus-ry": (0.75, 0.74),
    "entangled-no-entropy": (0.85, 0.75),
    "entangled-visibility-0.8": (1 / 2 + 0.8 * math.sqrt(2) / 4,) * 2,
    "entangled-visibility-0.9": (1 / 2 + 0.9 * math.sqrt(2) / 4,) * 2,
}


def prepared(out, **options):
    return command.prepare(command.StudyOptions(("entanglement",), out=out, **{**OPTIONS, **options}))


def under(noise):
    """What the best policy wins."""
    name, _, rate = noise.partition(":")
    visibility = {"none": 1.0, "visibility": float(rate or 0), "depolarizing": (1 - float(rate or 0)) ** 2}[name]
    won = 1 / 2 + visibility * math.sqrt(2) / 4
    return {"eval/win_rate": won, "eval/win_rate_sampled": won}


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    out = tmp_path_factory.mktemp("entanglement")
    choice = prepared(out).choice
    store(out, choice, lambda arm, seed, agents: WON[arm][seed] - 0.1)  # the greedy one is 0.1 more
    for job in plan(choice).jobs:
        if job.kind == "noise":
            path = result_file(out, job.name)
            found = results.read(path)
            results.write(path, {**found, "final": {noise: under(noise) for noise in job.settings["noises"]}})
    command.report_of(prepared(out))
    return out / "report" / "entanglement.md"


def rows_of(page, title):
    """Cells of the table rows that begin with `title`."""
    lines = [line for line in page.read_text().splitlines() if line.startswith(f"| {title} |")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_a_game_is_set_beside_its_classical_and_its_quantum_value(page):
    text = page.read_text()
    assert "Best classical value 0.75000, quantum value 0.85355." in text
    assert "Best classical value 0.75000, quantum value 1.00000." in text


def test_a_row_counts_the_seeds_above_the_classical_value_and_at_the_quantum_one(page):
    entangled, independent = rows_of(page, "entangled")[0], rows_of(page, "independent agents")[0]
    assert entangled[4:6] == ["0.8536 [0.8536, 0.8536]", "0.8536"]
    assert entangled[7:] == ["2 of 2", "2 of 2", "", "180"]
    assert independent[4] == "0.7500 [0.7500, 0.7500]"
    assert independent[7:] == ["0 of 2", "0 of 2", "0.1036 [0.1036, 0.1036]", "180"]
    assert rows_of(page, "entangled, no entropy bonus")[0][7:9] == ["1 of 2", "1 of 2"]


def test_the_interval_of_a_chance_ends_at_zero_and_one():
    """Student's interval of 1, 1 and .97 is .99 -+ 4.303 * .01."""
    assert tables.mean([1, 1, 0.97]) == "0.9900 [0.9470, 1.0330]"
    assert tables.chance([1, 1, 0.97]) == "0.9900 [0.9470, 1.0000]"
    assert tables.chance([0, 0, 0.03]) == "0.0100 [0.0000, 0.0530]"
    assert (tables.chance([0.5]), tables.chance(None)) == ("0.5000", "-")


def test_the_upper_bound_is_marked(page):
    assert rows_of(page, "communication (upper bound)")[0][1] == "central"


def test_bell_states_stand_beside_what_theory_allows(page):
    assert rows_of(page, "Φ+, own measurements")[0][-1] == "0.8536"
    singlet = rows_of(page, "Ψ−, one real measurement for all")[0]
    assert singlet[3:] == ["0.7450 [0.6815, 0.8085]", "0.7500", "0 of 2", "0.7500"]  # 12.706 times 0.005


def test_the_crossings_are_printed_with_their_intervals_beside_theory(page):
    played, trained = (rows_of(page, f"visibility of the state, {how}")[0] for how in ("played", "trained"))
    assert played[1:] == ["0.7071 [0.7071, 0.7071]", "2 of 2", "0.7071", "0.0000"]
    assert trained[1:4] == ["0.7071 [0.7071, 0.7071]", "2 of 2", "0.7071"]
    assert rows_of(page, "local depolarizing before measurement, played")[0][3] == "0.1591"
    assert "2 of 2 seeds cross the classical value, at 0.7071 [0.7071, 0.7071]; theory says 0.7071" in page.read_text()


def test_it_is_labelled_as_no_battle_and_every_picture_is_there(page):
    text = page.read_text()
    assert "StarCraft" not in text
    assert "win rate" not in text
    shown = re.findall(r"\]\((figures/[^)]*)\.png\)", text)
    assert len(shown) == 5  # two games, Bell states, noise, entropy
    for stem in shown:
        assert (page.parent / f"{stem}.png").read_bytes().startswith(b"\x89PNG")
        assert "<svg" in (page.parent / f"{stem}.svg").read_text()[:2000]


def test_the_queue_is_set_beside_its_certified_bounds():
    bounds = references.queue_bounds("queue:2x2")
    assert list(bounds) == list(report.QUEUE_METRICS)
    assert bounds["return"].quantum > bounds["return"].classical
    assert bounds["waiting time"].quantum < bounds["waiting time"].classical
    panels = report._queue_panels(bounds)
    assert [panel.levels["best classical"] for panel in panels] == [
        bounds[name].classical for name in report.QUEUE_DRAWN
    ]


@pytest.mark.parametrize(
    ("game", "classical", "quantum"),
    [
        ("chsh", 3 / 4, BEST),
        ("ghz", 3 / 4, 1),
        ("rendezvous-k3", 5 / 9, 7 / 12),
        ("rendezvous-c5", 9 / 25, (13 + 5**0.5) / 40),
        ("rendezvous-c6", 5 / 18, 7 / 24),
        ("rendezvous-c4", 1 / 2, 1 / 2),
    ],
)
def test_the_values_of_games_are_the_published_ones_and_the_thresholds_lie_between(game, classical, quantum):
    found = references.values_of(f"game:{game}")
    assert found[:2] == pytest.approx((classical, quantum), abs=1e-6)
    assert found.exact == (game != "rendezvous-c4")
    reached = references.threshold(f"game:{game}")
    assert math.isnan(reached) or classical < reached < quantum


def test_a_game_of_unknown_values_is_reported_without_them():
    assert references.values_of("queue:2x2") is None
    assert [panel.levels for panel in report._panels(None)] == [{}, {}]


def test_a_report_of_nothing_is_still_a_report(tmp_path):
    command.report_of(prepared(tmp_path))
    assert "have no result" in (tmp_path / "report" / "entanglement.md").read_text()
