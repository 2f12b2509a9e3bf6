"""The page of the theory, from a smoke run."""

import json

import pytest

from qcmarl.studies import theory

pytestmark = pytest.mark.slow  # a smoke run takes 12 s


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("theory")
    theory.run(out, smoke=True)
    return out


def test_every_figure_of_the_page_lies_beside_it(folder):
    text = (folder / "theory.md").read_text()
    for name in ("noise", "agents", "kl", "gradients"):
        assert f"(theory-{name}.png)" in text
        assert (folder / f"theory-{name}.png").stat().st_size > 1000
        assert (folder / f"theory-{name}.svg").stat().st_size > 1000


def test_the_stored_numbers_are_those_of_the_claims(folder):
    stored = json.loads((folder / "theory.json").read_text())
    for row in stored["proposition"]:
        assert row["simulated"] == pytest.approx(row["exact"], abs=1e-5)
        assert row["exact"] > row["sharp"] - 1e-6 > row["bound"] - 2e-6
    for row in stored["sizes"]:
        assert row["amplitudes"] < row["bound"]
    by_network = {row["network"]: row["total_correlation"] for row in stored["counter_examples"]}
    assert by_network["independent actors"] == 0
    assert by_network["feed-forward, reads a shared bit"] > 4.8
    assert {row["model"] for row in stored["fits"]} == {"circuit", "MLP", "mixture", "autoregressive"}
