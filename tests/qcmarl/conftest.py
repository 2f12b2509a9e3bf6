"""What learning sets for the whole process is put back, so that later tests see numbers as they are."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def denormal_numbers_are_back():
    yield
    import torch

    torch.set_flush_denormal(False)
