"""Every test finds torch as a run finds it, and what learning sets for the whole process is put back after it."""

from __future__ import annotations

import sys

import pytest


@pytest.fixture(autouse=True)
def torch_as_a_run_has_it():
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)  # as every run does: the last bits of torch depend on its threads
    yield
    import torch

    torch.set_flush_denormal(False)
