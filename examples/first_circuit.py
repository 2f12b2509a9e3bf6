"""A Bell pair, a marginal, an expectation, and a batch of inputs through one circuit. Needs NumPy only."""

from __future__ import annotations

import numpy as np

import qcsim


def main() -> None:
    bell = qcsim.Circuit(2).ry(0).cnot(0, 1)  # the angle of RY is weight 0
    weights = np.array([np.pi / 2])
    print(bell)
    print("outcomes 00 01 10 11:", qcsim.probabilities(bell, weights).round(3))
    print("qubit 1 alone:       ", qcsim.probabilities(bell, weights, qubits=[1]).round(3))
    print("<Z0>, <Z0 Z1>:       ", qcsim.expval(bell, weights, observables=["Z0", "Z0 Z1"]).round(3))

    # The reference circuit: amplitude embedding, then layers of RY and a ring of CNOTs. One call, 1000 inputs.
    circuit = qcsim.hardware_efficient(n_qubits=6, n_layers=4)
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(1000, 50))  # padded to 64 amplitudes and normalised
    probabilities = qcsim.probabilities(circuit, rng.normal(size=circuit.n_weights), amplitudes=inputs)
    print("a batch:", probabilities.shape, "each row sums to", probabilities.sum(axis=1).mean().round(12))


if __name__ == "__main__":
    main()
