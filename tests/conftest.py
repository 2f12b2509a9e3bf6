"""Settings for the whole suite: what was tested is printed first, and random examples are the same on every run."""

from __future__ import annotations

import os

import hypothesis
import pytest

if "PYTEST_XDIST_WORKER" in os.environ and hasattr(os, "sched_setaffinity"):
    # Processes of a suite that each use every core spend their time waiting for each other.
    _cores, _which = sorted(os.sched_getaffinity(0)), int(os.environ["PYTEST_XDIST_WORKER"].removeprefix("gw"))
    os.sched_setaffinity(0, _cores[_which :: int(os.environ["PYTEST_XDIST_WORKER_COUNT"])] or _cores)

hypothesis.settings.register_profile("repeatable", deadline=None, derandomize=True, max_examples=40)
hypothesis.settings.load_profile("repeatable")


@pytest.fixture
def kernels_on_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """For the pretended GPU: the bodies of qcsim's kernels run on the host, and torch's view of the simulator takes its
    tensors for plain ones, although they look like a tracer's."""
    import torch

    from qcsim import autograd, cuda, gpus

    monkeypatch.setattr(gpus.TorchGpu, "engine", lambda self: cuda.Host())
    monkeypatch.setattr(autograd, "_traced", lambda arrays: False)
    monkeypatch.setattr(torch._C, "_len_torch_dispatch_stack", lambda: 0)


def pytest_report_header() -> str:
    """The build under test: version, compiler, instruction set."""
    import qcsim

    return "qcsim: " + ", ".join(f"{name} {value}" for name, value in qcsim.build_info().items())
