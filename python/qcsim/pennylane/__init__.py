"""PennyLane on this engine: the devices ``qcsim.qubit`` and ``qcsim.mixed``, and circuits from QNodes and tapes.

The only part of qcsim that imports PennyLane.
"""

from __future__ import annotations

try:
    import pennylane as _pennylane  # noqa: F401
except ModuleNotFoundError as error:
    if error.name != "pennylane":
        raise
    raise ModuleNotFoundError("qcsim.pennylane needs PennyLane: pip install pennylane", name="pennylane") from None

from qcsim.pennylane.compiled import compiled
from qcsim.pennylane.convert import from_pennylane, quantum_layer
from qcsim.pennylane.devices import QcsimMixed, QcsimQubit

__all__ = ["QcsimMixed", "QcsimQubit", "compiled", "from_pennylane", "quantum_layer"]
