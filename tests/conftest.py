"""Settings for the whole suite: what was tested is printed first, and random examples are the same on every run."""

from __future__ import annotations

import hypothesis

hypothesis.settings.register_profile("repeatable", deadline=None, derandomize=True, max_examples=40)
hypothesis.settings.load_profile("repeatable")


def pytest_report_header() -> str:
    """The build under test: version, compiler, instruction set."""
    import qcsim

    return "qcsim: " + ", ".join(f"{name} {value}" for name, value in qcsim.build_info().items())
