"""Qiskit's primitives on this engine, and circuits from and to Qiskit.

``SamplerV2`` and ``EstimatorV2`` take the place of ``qiskit.primitives.StatevectorSampler`` and
``StatevectorEstimator``: all parameter values of a PUB go through the engine in one call. Qubit q of Qiskit is qubit q
here; a basis state is numbered with qubit 0 as the least significant bit there and as the most significant bit here
(:func:`reverse_bits`).
"""

from __future__ import annotations

try:
    import qiskit as _qiskit  # noqa: F401
except ModuleNotFoundError as error:
    raise ModuleNotFoundError("qcsim.interop.qiskit needs Qiskit: pip install qiskit", name="qiskit") from error

from qcsim.interop.circuits import from_qiskit, observable_from_qiskit, reverse_bits, to_qiskit
from qcsim.interop.estimator import EstimatorV2
from qcsim.interop.sampler import SamplerV2

__all__ = ["EstimatorV2", "SamplerV2", "from_qiskit", "observable_from_qiskit", "reverse_bits", "to_qiskit"]
