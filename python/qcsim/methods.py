"""How a circuit is simulated: the methods, and which one ``method="auto"`` picks. Called by simulate."""

from __future__ import annotations

from qcsim import _core
from qcsim.circuit import Circuit

METHODS = ("auto", "statevector", "density_matrix", "trajectories")


def method_for(circuit: Circuit) -> str:
    """The method that ``method="auto"`` picks for a circuit.

    Args:
        circuit: what would be run.

    Returns:
        ``"statevector"`` without noise, or where all of it is depolarizing of all qubits, which has a closed form;
        else ``"density_matrix"``. Readout errors do not matter: every method has them. Nor do channels of rate 0,
        which leave every state as it is.

    Raises:
        ValueError: if the density matrix is too large: at most 13 qubits fit, and 14 where circuit and amplitudes are
            real (complex amplitudes are refused when they are given); ``"trajectories"`` is to be asked for by name.
        TypeError: for something that is no circuit.

    Example:
        >>> import qcsim
        >>> qcsim.method_for(qcsim.Circuit(2).h(0).depolarizing(0.01))
        'statevector'
        >>> qcsim.method_for(qcsim.Circuit(2).h(0).bit_flip(0.01, 0))
        'density_matrix'
    """
    if not isinstance(circuit, Circuit):
        raise TypeError(f"circuit is {circuit!r} of type {type(circuit).__name__}; it must be a qcsim.Circuit")
    return chosen_method(circuit, "auto")


def chosen_method(circuit: Circuit, method: str) -> str:
    """The method of a call, checked against the circuit's noise."""
    if method not in METHODS:
        raise ValueError(f"method is {method!r}; the options are {', '.join(METHODS)}")
    local = circuit.noise_summary.kind == "local"
    if method == "statevector" and local:
        raise ValueError("method is 'statevector', and the circuit has noise that no state vector holds; the options "
                         "are density_matrix and trajectories")  # fmt: skip
    if method == "trajectories":
        return method
    chosen = method if method != "auto" else "density_matrix" if local else "statevector"
    if chosen == "density_matrix" and 2 * circuit.n_qubits >= _core.MAX_QUBITS:
        _core.Compiled(circuit._core, False, chosen)  # the engine knows what fits, and says so
    return chosen
