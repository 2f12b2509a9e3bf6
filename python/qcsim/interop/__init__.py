"""Circuits to and from other formats, and Qiskit's primitives on this engine.

:mod:`qcsim.interop.qiskit` needs Qiskit (``pip install qiskit``), and so does reading OpenQASM; writing it
(:mod:`qcsim.interop.qasm`) needs nothing. Qubits keep their numbers in every direction.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qcsim.interop.qasm import from_qasm, to_qasm, to_qasm2, to_qasm3
    from qcsim.interop.qiskit import from_qiskit, to_qiskit

__all__ = ["from_qasm", "from_qiskit", "to_qasm", "to_qasm2", "to_qasm3", "to_qiskit"]


def __getattr__(name: str) -> Any:
    # Qiskit is imported by the first use of what needs it.
    import importlib

    if name in __all__:
        home = "qcsim.interop.qiskit" if name.endswith("qiskit") else "qcsim.interop.qasm"
        return getattr(importlib.import_module(home), name)
    if name in ("qasm", "qiskit"):
        return importlib.import_module(f"qcsim.interop.{name}")
    raise AttributeError(f"module 'qcsim.interop' has no attribute {name!r}")
