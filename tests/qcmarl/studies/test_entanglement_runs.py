"""The study of entanglement, run: tiny, by its command."""

import pytest
from study_process import results, run

pytestmark = pytest.mark.slow  # a process for each of a dozen runs


def test_a_smoke_test_runs_every_part_and_agents_who_share_entanglement_leave_the_classical_value(tmp_path):
    code, said = run(tmp_path, words=["entanglement", "--smoke"])
    assert code == 0, said
    assert "left out" not in said
    found = results(tmp_path)
    won = {name: result["final"].get("eval/win_rate") for name, result in found.items()}
    for seed in range(2):
        assert won[f"results/game-chsh/entangled/{seed}.json"] > 0.8
        assert won[f"results/game-chsh/independent/{seed}.json"] <= 0.75 + 1e-6
        played = found[f"results/noise/game-chsh/entangled/{seed}.json"]["final"]
        assert played["visibility:0.5"]["eval/win_rate"] < 0.7
    page = (tmp_path / "report" / "entanglement.md").read_text()
    for title in ("## game:chsh", "## Four Bell states", "## Noise", "## With and without", "## queue:2x2"):
        assert title in page
