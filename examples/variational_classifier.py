"""A classifier that is nothing but a circuit: points inside or outside of a circle, minibatches, accuracy."""

from __future__ import annotations

import torch

import qcsim
import qcsim.nn


def points(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Points (count, 2) in the square [-1, 1)^2, and whether each lies in the circle of half its area (count,)."""
    where = 2 * torch.rand(count, 2) - 1
    return where, (where.square().sum(dim=1) < 2 / torch.pi).float()


def classifier() -> qcsim.nn.QuantumLayer:
    """Features turn the qubits again in every layer, trainable rotations between; the sign of <Z0> is the answer."""
    circuit = qcsim.Circuit(3)
    for _ in range(4):
        for qubit in range(3):
            circuit.rx(qubit, feature=0, scale=2.0).rz(qubit, feature=1, scale=2.0).rot(qubit)
        circuit.ring()
    return qcsim.nn.QuantumLayer(circuit, measure=["Z0"])


def main() -> None:
    torch.manual_seed(0)
    model = classifier()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    features, labels = points(1000)
    for epoch in range(31):
        for rows in torch.randperm(len(features)).split(100):
            loss = torch.nn.functional.binary_cross_entropy_with_logits(5 * model(features[rows])[:, 0], labels[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        if epoch % 10 == 0:
            print(f"epoch {epoch:2d}  loss {loss.item():.3f}")

    test_features, test_labels = points(2000)
    with torch.no_grad():
        accuracy = ((model(test_features)[:, 0] > 0) == (test_labels > 0)).double().mean().item()
    print(f"weights: {model.weights.numel()}, accuracy on new points: {accuracy:.1%}")


if __name__ == "__main__":
    main()
