"""One sample of a random case: what a circuit is exported with, and the state that it makes here."""

from __future__ import annotations

from typing import Any

import numpy as np

import qcsim
from oracle.circuits import Case


def first_sample(case: Case) -> dict[str, Any]:
    """Weights, features and amplitudes without a batch axis."""
    given = {"weights": case.weights, "features": case.features, "amplitudes": case.amplitudes}
    return {name: None if array is None else np.atleast_2d(array)[0] for name, array in given.items()}


def sample_state(case: Case) -> np.ndarray:
    """(2^n,) of the first sample, from the simulator."""
    return qcsim.statevector(case.circuit(), **first_sample(case))


def up_to_phase(state: np.ndarray, like: np.ndarray) -> np.ndarray:
    """A state with the global phase of another."""
    overlap = np.vdot(state, like)
    return state * overlap / abs(overlap)
