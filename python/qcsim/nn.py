"""Quantum circuits as torch modules."""

from __future__ import annotations

import math
from collections.abc import Sequence

try:
    import torch
except ModuleNotFoundError as error:
    raise ModuleNotFoundError("qcsim.nn needs torch: pip install 'qcsim[torch]'", name="torch") from error

from qcsim.circuit import Circuit
from qcsim.measurements import Expval, Probabilities
from qcsim.simulate import execute, make_plan


class QuantumLayer(torch.nn.Module):
    """A circuit whose weights are a torch parameter.

    Args:
        circuit: what to run; it is frozen.
        measure: ``"probabilities"``, or a list of observables such as ``["Z0", "Z0 Z1"]``.
        qubits: the qubits whose probabilities are returned; None: all.
        gradient: ``"adjoint"`` or ``"parameter-shift"``.
        num_threads: threads to use; None: torch's setting.
        dtype: of the weights; None: torch's default.

    Attributes:
        weights: (P,) angles in radians, uniform in [-pi, pi) at first.

    Raises:
        ValueError: for an unknown measurement, gradient method or qubit.

    Example:
        >>> import qcsim.nn, torch
        >>> layer = qcsim.nn.QuantumLayer(qcsim.hardware_efficient(n_qubits=3, n_layers=2))
        >>> layer(torch.randn(5, 8)).shape
        torch.Size([5, 8])
    """

    def __init__(
        self,
        circuit: Circuit,
        measure: str | Sequence[str] = "probabilities",
        *,
        qubits: Sequence[int] | None = None,
        gradient: str = "adjoint",
        num_threads: int | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        if isinstance(measure, str) and measure != "probabilities":
            raise ValueError(f"measure is {measure!r}; the options are 'probabilities' and a list of observables")
        self.observables = None if isinstance(measure, str) else tuple(measure)
        make_plan(circuit, (_measurement(qubits, self.observables),), gradient, num_threads)
        self.circuit = circuit
        self.qubits = None if qubits is None else tuple(qubits)
        self.gradient = gradient
        self.num_threads = num_threads
        self.weights = torch.nn.Parameter(torch.empty(circuit.n_weights, dtype=dtype).uniform_(-math.pi, math.pi))

    def forward(
        self,
        x: torch.Tensor | None = None,
        *,
        amplitudes: torch.Tensor | None = None,
        features: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Outputs (B, K) for amplitudes (B, D), features (B, F), or both by name.

        A single argument ``x`` is the amplitudes if the circuit embeds them, else the features.
        """
        if x is not None:
            if amplitudes is not None or features is not None:
                raise ValueError("give x alone, or amplitudes and features by name")
            amplitudes, features = (x, None) if self.circuit.embeds_amplitudes else (None, x)
        plan = make_plan(self.circuit, (_measurement(self.qubits, self.observables),), self.gradient, self.num_threads)
        result: torch.Tensor = execute(plan, self.weights, amplitudes, features)[0]
        return result

    def extra_repr(self) -> str:
        """What ``print(layer)`` shows."""
        measured = "probabilities" if self.observables is None else list(self.observables)
        return f"{self.circuit!r}, measure={measured}, gradient={self.gradient!r}"


def _measurement(qubits: Sequence[int] | None, observables: Sequence[str] | None) -> Probabilities | Expval:
    return Probabilities(qubits) if observables is None else Expval(observables)
