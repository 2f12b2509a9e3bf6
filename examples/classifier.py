"""A tiny quantum classifier: two rings of points told apart by one circuit between two linear layers."""

from __future__ import annotations

import torch

import qcsim
import qcsim.nn


def rings(count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Points (count, 2) at radius about 1 or 2, and labels (count,)."""
    labels = torch.arange(count) % 2
    angle = 2 * torch.pi * torch.rand(count)
    radius = 1 + labels + 0.15 * torch.randn(count)
    return torch.stack([radius * angle.cos(), radius * angle.sin()], dim=1), labels


def main() -> None:
    torch.manual_seed(0)
    points, labels = rings(400)
    circuit = qcsim.Circuit(3)
    for layer in range(3):  # features enter again in every layer, trainable rotations between
        for qubit in range(3):
            circuit.ry(qubit, feature=3 * layer + qubit).ry(qubit)
        for qubit in range(3):
            circuit.cnot(qubit, (qubit + 1) % 3)
    model = torch.nn.Sequential(
        torch.nn.Linear(2, circuit.n_features),
        qcsim.nn.QuantumLayer(circuit, measure=["Z0", "Z1", "Z2"]),
        torch.nn.Linear(3, 2),
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
    for epoch in range(101):
        loss = torch.nn.functional.cross_entropy(model(points), labels)
        if epoch % 25 == 0:
            print(f"epoch {epoch:3d}  loss {loss.item():.3f}")
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    test_points, test_labels = rings(1000)
    with torch.no_grad():
        accuracy = (model(test_points).argmax(dim=1) == test_labels).double().mean().item()
    print(f"accuracy on new points: {accuracy:.1%}")


if __name__ == "__main__":
    main()
