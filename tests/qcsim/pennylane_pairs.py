"""The same QNode on a device of this package and on PennyLane's own, for the tests that compare them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

qml = pytest.importorskip("pennylane")

from qcsim.pennylane import QcsimMixed, QcsimQubit  # noqa: E402

DEVICES = {"default.qubit": QcsimQubit, "default.mixed": QcsimMixed}


def pair(
    function: Callable[..., Any], wires: Any = 3, theirs: str = "default.qubit", **options: Any
) -> tuple[Any, Any]:
    """QNodes of a function here and there."""
    here = qml.QNode(function, DEVICES[theirs](wires=wires, seed=1), **options)
    return here, qml.QNode(function, qml.device(theirs, wires=wires, seed=2), **options)


def flat(result: Any) -> np.ndarray:
    """All numbers of a result."""
    if isinstance(result, dict):
        return flat([result[key] for key in sorted(result)])
    if isinstance(result, (tuple, list)):
        return np.concatenate([flat(each) for each in result]) if len(result) else np.empty(0)
    array = result.detach().numpy() if hasattr(result, "detach") else np.asarray(result)
    return array.ravel().astype(complex)


def shapes(result: Any) -> Any:
    """The nesting of a result and the shapes in it."""
    if isinstance(result, (tuple, list)):
        return type(result), [shapes(each) for each in result]
    return tuple(np.shape(result.detach() if hasattr(result, "detach") else result))


def agree(here: Any, there: Any, tolerance: float = 1e-10) -> None:
    """Same nesting, same shapes, same numbers."""
    assert shapes(here) == shapes(there)
    np.testing.assert_allclose(flat(here), flat(there), atol=tolerance, rtol=0)
