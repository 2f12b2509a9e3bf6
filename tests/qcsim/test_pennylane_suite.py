"""PennyLane's own tests of devices pass on both devices, and skip nothing that they run on lightning.qubit."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

qml = pytest.importorskip("pennylane")
pytest.importorskip("pytest_mock", reason="PennyLane's device tests need pytest-mock")
pytest.importorskip("flaky", reason="PennyLane's device tests need flaky")
lightning = pytest.importorskip("pennylane_lightning", reason="what lightning.qubit skips is the measure")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(590)]

ROOT = Path(__file__).parents[2]
# States of these tests are vectors: PennyLane skips them by the word "mixed" in a device's name, default.mixed too.
FOR_VECTORS = "test only works with analytic-mode pure statevector simulators"


@functools.cache
def outcomes(device: str, shots: str, folder: Path) -> dict[str, tuple[str, str]]:
    """Of each test: passed, failed or skipped, and why."""
    import tomllib

    points = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["pennylane.plugins"]
    described = folder / "qcsim-0.dist-info"
    described.mkdir(exist_ok=True)
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: qcsim\nVersion: 0\n")
    lines = "".join(f"{name} = {target}\n" for name, target in points.items())
    (described / "entry_points.txt").write_text("[pennylane.plugins]\n" + lines)
    report = folder / f"{device}-{shots}.xml"
    tests = Path(qml.__path__[0]) / "devices" / "tests"
    command = [sys.executable, "-m", "pytest", str(tests), "--device", device, "--shots", shots, "-q",
               "-p", "no:cacheprovider", "-c", str(tests / "pytest.ini"), f"--junitxml={report}"]  # fmt: skip
    paths = os.pathsep.join([str(folder), *sys.path])
    environment = {**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=280)
    assert report.exists(), done.stdout[-2000:] + done.stderr[-2000:]
    found = {}
    for case in ElementTree.parse(report).iter("testcase"):
        state = next((child for child in case if child.tag in ("failure", "error", "skipped")), None)
        name = f"{case.get('classname')}::{case.get('name')}"
        found[name] = ("passed", "") if state is None else (state.tag, state.get("message") or "")
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("suite")


@pytest.mark.parametrize("shots", ["None", "10000"])
@pytest.mark.parametrize("device", ["qcsim.qubit", "qcsim.mixed"])
def test_no_test_fails_and_none_is_skipped_that_lightning_runs(device: str, shots: str, folder: Path) -> None:
    here, there = outcomes(device, shots, folder), outcomes("lightning.qubit", shots, folder)
    assert len(here) == len(there) > 400
    assert [name for name, (state, _) in here.items() if state not in ("passed", "skipped")] == []
    skipped = {name for name, (state, _) in here.items() if state == "skipped"}
    also = {name for name, (state, _) in there.items() if state == "skipped"}
    only_here = {name for name in skipped - also if not (device == "qcsim.mixed" and FOR_VECTORS in here[name][1])}
    assert only_here == set()
