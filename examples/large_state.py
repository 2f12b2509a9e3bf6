"""One large state: 22 qubits, or as many as named (`large_state.py 26`), with the gradient of every weight."""

from __future__ import annotations

import sys
import time

import torch

import qcsim


def main(n_qubits: int) -> None:
    torch.manual_seed(0)
    circuit = qcsim.Circuit(n_qubits)
    for _ in range(4):
        for qubit in range(n_qubits):
            circuit.ry(qubit).rz(qubit)
        circuit.ring()
    weights = torch.randn(circuit.n_weights, requires_grad=True)
    magnetisation = qcsim.PauliSum({f"Z{qubit}": 1 / n_qubits for qubit in range(n_qubits)})
    print(f"{n_qubits} qubits, {circuit.n_gates} gates, a state of {2**n_qubits * 8 / 2**20:.0f} MiB")

    start = time.perf_counter()
    value = qcsim.expval(circuit, weights, [magnetisation])[0]
    forward = time.perf_counter()
    value.backward()
    print(f"forward {forward - start:.2f} s, gradient of {len(weights)} weights {time.perf_counter() - forward:.2f} s")

    # The parameter-shift rule for one of them, by hand.
    turn = torch.zeros_like(weights)
    turn[5] = torch.pi / 2
    with torch.no_grad():
        plus, minus = (qcsim.expval(circuit, weights + sign * turn, [magnetisation])[0] for sign in (1, -1))
    print(f"weight 5: adjoint {weights.grad[5]:+.6f}, parameter shift {(plus - minus) / 2:+.6f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 22)
