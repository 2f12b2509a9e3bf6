"""Settings for the whole suite: what was tested is printed first, and random examples are the same on every run."""

from __future__ import annotations

import os

import hypothesis

if "PYTEST_XDIST_WORKER" in os.environ and hasattr(os, "sched_setaffinity"):
    # Processes of a suite that each use every core spend their time waiting for each other.
    _cores, _which = sorted(os.sched_getaffinity(0)), int(os.environ["PYTEST_XDIST_WORKER"].removeprefix("gw"))
    os.sched_setaffinity(0, _cores[_which :: int(os.environ["PYTEST_XDIST_WORKER_COUNT"])] or _cores)

hypothesis.settings.register_profile("repeatable", deadline=None, derandomize=True, max_examples=40)
hypothesis.settings.load_profile("repeatable")


def pytest_report_header() -> str:
    """The build under test: version, compiler, instruction set."""
    import qcsim

    return "qcsim: " + ", ".join(f"{name} {value}" for name, value in qcsim.build_info().items())
