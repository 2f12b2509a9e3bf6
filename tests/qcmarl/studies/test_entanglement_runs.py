"""The study of entanglement, run: tiny, by its command."""

import pytest
from study_process import results, run

pytestmark = pytest.mark.slow  # a process for each of a dozen runs


def test_a_smoke_test_runs_every_part(tmp_path):
    code, said = run(tmp_path, words=["entanglement", "--smoke"])
    assert code == 0, said
    assert "left out" not in said
    found = results(tmp_path)
    for seed in range(2):
        assert found[f"results/game-chsh/independent/{seed}.json"]["final"]["eval/win_rate"] <= 0.75 + 1e-6
        played = found[f"results/noise/game-chsh/entangled/{seed}.json"]["final"]
        won = {noise: rates["eval/win_rate"] for noise, rates in played.items()}
        trained = found[f"results/game-chsh/entangled/{seed}.json"]["final"]["eval/win_rate"]
        assert won["none"] == trained > won["visibility:0.9"] > won["visibility:0.5"]
    page = (tmp_path / "report" / "entanglement.md").read_text()
    for title in ("## game:chsh", "## Four Bell states", "## Noise", "## With and without", "## queue:2x2"):
        assert title in page
