"""Ready-made circuits of the literature."""

from __future__ import annotations

from qcsim.circuit import Circuit
from qcsim.integers import integer


def hardware_efficient(n_qubits: int, n_layers: int) -> Circuit:
    """Amplitude embedding, then layers of RY on every qubit and the ring of CNOTs: the reference circuit.

    The weight of layer l, qubit i is number ``l * n_qubits + i``.

    Args:
        n_qubits: number of qubits, 1 to 28.
        n_layers: number of layers, 0 or more.

    Returns:
        A circuit with ``n_qubits * n_layers`` weights.

    Raises:
        ValueError: for a number of qubits or layers outside its range.

    Source: QC-MAPPO (2025), section 3.1 and equation 2: the hardware-efficient ansatz with 4 layers.

    Example:
        >>> import qcsim
        >>> qcsim.hardware_efficient(n_qubits=9, n_layers=4).n_weights
        36
    """
    circuit = Circuit(n_qubits).amplitude_embedding()
    for _ in range(_layers(n_layers)):
        for qubit in range(n_qubits):
            circuit.ry(qubit)
        circuit.ring()
    return circuit


def strongly_entangling(n_qubits: int, n_layers: int) -> Circuit:
    """Layers of Rot on every qubit and a ring of CNOTs whose range grows from layer to layer.

    Layer l applies ``CNOT(i, (i + r) mod n)`` for i = 0 .. n-1 with ``r = l mod (n-1) + 1``; one qubit has no CNOTs.
    The weights of layer l, qubit i are numbers ``3 * (l * n_qubits + i)`` and the next two (phi, theta, omega): the
    weights of PennyLane's ``StronglyEntanglingLayers``, flattened, give the same state.

    Args:
        n_qubits: number of qubits, 1 to 28.
        n_layers: number of layers, 0 or more.

    Returns:
        A circuit with ``3 * n_qubits * n_layers`` weights that starts at |0...0>; for another input state put it after
        a circuit: ``qcsim.Circuit(n).amplitude_embedding() + qcsim.strongly_entangling(n, layers)``.

    Raises:
        ValueError: for a number of qubits or layers outside its range.

    Source: Schuld, Bocharov, Svore, Wiebe, "Circuit-centric quantum classifiers" (2020), section V.

    Example:
        >>> import qcsim
        >>> qcsim.strongly_entangling(n_qubits=4, n_layers=2).gate_counts()
        {'rot': 8, 'cnot': 8}
    """
    circuit = Circuit(n_qubits)
    for layer in range(_layers(n_layers)):
        for qubit in range(n_qubits):
            circuit.rot(qubit)
        if n_qubits > 1:
            reach = layer % (n_qubits - 1) + 1
            for qubit in range(n_qubits):
                circuit.cnot(qubit, (qubit + reach) % n_qubits)
    return circuit


def basic_entangler(n_qubits: int, n_layers: int, rotation: str = "rx") -> Circuit:
    """Layers of one rotation on every qubit and a ring of CNOTs, which two qubits close with one CNOT.

    The weight of layer l, qubit i is number ``l * n_qubits + i``: the weights of PennyLane's ``BasicEntanglerLayers``,
    flattened, give the same state.

    Args:
        n_qubits: number of qubits, 1 to 28.
        n_layers: number of layers, 0 or more.
        rotation: ``"rx"``, ``"ry"`` or ``"rz"``.

    Returns:
        A circuit with ``n_qubits * n_layers`` weights that starts at |0...0>.

    Raises:
        ValueError: for a number of qubits or layers outside its range, or another rotation.

    Example:
        >>> import qcsim
        >>> print(qcsim.basic_entangler(n_qubits=2, n_layers=1, rotation="ry"))
        q0: ─RY(w0)─●─
        q1: ─RY(w1)─X─
    """
    if rotation not in ("rx", "ry", "rz"):
        raise ValueError(f"rotation is {rotation!r}; the options are 'rx', 'ry' and 'rz'")
    circuit = Circuit(n_qubits)
    for _ in range(_layers(n_layers)):
        for qubit in range(n_qubits):
            getattr(circuit, rotation)(qubit)
        if n_qubits == 2:
            circuit.cnot(0, 1)
        else:
            circuit.ring()
    return circuit


def data_reuploading(n_qubits: int, n_layers: int) -> Circuit:
    """Layers that feed the features in again: RX of feature i, RY and RZ of weights on every qubit, the ring of CNOTs.

    The weights of layer l, qubit i are numbers ``2 * (l * n_qubits + i)`` (RY) and the next (RZ).

    Args:
        n_qubits: number of qubits, 1 to 28.
        n_layers: number of layers, 0 or more.

    Returns:
        A circuit with ``n_qubits`` features and ``2 * n_qubits * n_layers`` weights that starts at |0...0>.

    Raises:
        ValueError: for a number of qubits or layers outside its range.

    Source: Perez-Salinas, Cervera-Lierta, Gil-Fuster, Latorre, "Data re-uploading for a universal quantum classifier"
    (2020), the idea; the gates are those of common practice in quantum reinforcement learning.

    Example:
        >>> import qcsim
        >>> circuit = qcsim.data_reuploading(n_qubits=4, n_layers=3)
        >>> circuit.n_features, circuit.n_weights
        (4, 24)
    """
    circuit = Circuit(n_qubits)
    for _ in range(_layers(n_layers)):
        for qubit in range(n_qubits):
            circuit.rx(qubit, feature=qubit).ry(qubit).rz(qubit)
        circuit.ring()
    return circuit


def _layers(n_layers: int) -> int:
    if integer("n_layers", n_layers, "0 or more") < 0:
        raise ValueError(f"n_layers is {n_layers}; it must be 0 or more")
    return n_layers
