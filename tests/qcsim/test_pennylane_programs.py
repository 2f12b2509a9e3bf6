"""Five published programs run with the line of the device changed and give the same training curve."""

from __future__ import annotations

import numpy as np
import pytest
from pennylane_programs import PROGRAMS, qml

from qcsim.pennylane import QcsimQubit

pytestmark = pytest.mark.filterwarnings("ignore:jax.core:DeprecationWarning")


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_gives_the_same_training_curve_on_both_devices(name: str) -> None:
    there = PROGRAMS[name](lambda wires: qml.device("default.qubit", wires=wires))
    here = PROGRAMS[name](lambda wires: QcsimQubit(wires=wires))
    np.testing.assert_allclose(here, there, atol=1e-8, rtol=0)
    if name != "quantum policy":  # whose loss is no measure of its success
        assert np.mean(there[-3:]) < np.mean(there[:3])
