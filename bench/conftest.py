"""Workers for the benchmarks, the clock that reads their time, and the option for the full grid."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from contest import Workers, workers


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--full-grid", action="store_true", help="every contestant at every point of the benchmarks: hours"
    )


@pytest.fixture(scope="session")
def stable() -> Iterator[Workers]:
    with workers() as started:
        yield started
