"""The ground state of a chain of spins by a variational circuit, compared with exact diagonalisation."""

from __future__ import annotations

import numpy as np
import torch

import qcsim


def chain(n: int) -> qcsim.PauliSum:
    """H = - sum_i Z_i Z_{i+1} - sum_i X_i on a ring of n spins: the Ising model at its critical point."""
    return qcsim.PauliSum({f"Z{i} Z{(i + 1) % n}": -1.0 for i in range(n)} | {f"X{i}": -1.0 for i in range(n)})


def ansatz(n: int, n_layers: int) -> qcsim.Circuit:
    """From the ground state of the field alone, turn by both parts of H in alternation; two weights a layer."""
    circuit = qcsim.Circuit(n)
    for qubit in range(n):
        circuit.h(qubit)
    for layer in range(n_layers):
        for qubit in range(n):
            circuit.rzz(qubit, (qubit + 1) % n, weight=2 * layer)
        for qubit in range(n):
            circuit.rx(qubit, weight=2 * layer + 1)
    return circuit


def exact(energy: qcsim.PauliSum, n: int) -> float:
    """The lowest eigenvalue of the matrix of an observable, made of Kronecker products."""
    letters = {"X": np.array([[0, 1], [1, 0]]), "Z": np.diag([1, -1])}
    matrix = np.zeros((2**n, 2**n))
    for coefficient, word in energy.terms:
        term = np.ones((1, 1))
        for qubit in range(n):
            term = np.kron(term, letters[dict(word)[qubit]] if qubit in dict(word) else np.eye(2))
        matrix += coefficient * term
    return float(np.linalg.eigvalsh(matrix)[0])


def main() -> None:
    n = 8
    energy, circuit = chain(n), ansatz(n, n_layers=n // 2)
    weights = torch.full((circuit.n_weights,), 0.5, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=200, line_search_fn="strong_wolfe", tolerance_change=1e-14)

    def step() -> torch.Tensor:
        optimizer.zero_grad()
        value = qcsim.expval(circuit, weights, [energy])[0]
        value.backward()
        return value

    optimizer.step(step)
    found, spread = qcsim.measure(circuit, weights.detach(), [qcsim.Expval([energy]), qcsim.Variance([energy])])
    print(f"{len(energy)} terms, {circuit.n_gates} gates, {circuit.n_weights} weights")
    print(f"energy   {found.item():.8f}")
    print(f"exact    {exact(energy, n):.8f}")
    print(f"variance {abs(spread.item()):.1e}, which an eigenstate has at 0")


if __name__ == "__main__":
    main()
