"""Five published programs, written again from their descriptions in PennyLane's words. Each takes a function that makes
the device, trains for some steps and returns its curve: nothing in it knows which device it runs on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import pytest

qml = pytest.importorskip("pennylane")

Make: TypeAlias = Callable[[int], Any]  # a device with so many wires


def variational_classifier(make: Make, steps: int = 20) -> list[float]:
    """The circuit-centric classifier of Schuld, Bocharov, Svore and Wiebe (arXiv:1804.00633): amplitude embedding,
    layers of rotations and entangling CNOTs, the sign of <Z> plus a bias; autograd, Nesterov momentum, minibatches."""
    pnp = qml.numpy
    rng = np.random.default_rng(0)
    points = rng.normal(size=(60, 8))
    labels = np.sign(points[:, 0] * points[:, 1] + points[:, 2])

    @qml.qnode(make(3))
    def circuit(weights, x):
        qml.AmplitudeEmbedding(x, wires=range(3), normalize=True)
        qml.StronglyEntanglingLayers(weights, wires=range(3))
        return qml.expval(qml.PauliZ(0))

    def loss(weights, bias, x, y):
        return pnp.mean((circuit(weights, x) + bias - y) ** 2)

    weights = pnp.array(rng.normal(scale=0.3, size=(4, 3, 3)), requires_grad=True)
    bias = pnp.array(0.0, requires_grad=True)
    optimizer = qml.NesterovMomentumOptimizer(0.1)
    curve = []
    for _ in range(steps):
        rows = rng.choice(60, 20, replace=False)
        x, y = (pnp.array(each[rows], requires_grad=False) for each in (points, labels))
        (weights, bias, _, _), value = optimizer.step_and_cost(loss, weights, bias, x, y)
        curve.append(float(value))
    return curve


def data_reuploading(make: Make, steps: int = 15) -> list[float]:
    """The universal classifier of one qubit of Perez-Salinas, Cervera-Lierta, Gil-Fuster and Latorre
    (arXiv:1907.02085): points of a square, inside a circle or not, loaded again in every layer; the fidelity with the
    state of the class; autograd, Adam."""
    pnp = qml.numpy
    rng = np.random.default_rng(1)
    points = rng.uniform(-1, 1, size=(40, 2))
    inside = (points**2).sum(1) < 2 / np.pi
    states = [np.diag([1.0, 0.0]), np.diag([0.0, 1.0])]

    @qml.qnode(make(1))
    def fidelity(weights, x, state):
        for layer in weights:
            qml.Rot(*(layer[0] * x + layer[1]), wires=0)
        return qml.expval(qml.Hermitian(state, wires=0))

    def loss(weights):
        total = 0.0
        for kind, state in enumerate(states):
            rows = np.flatnonzero(inside == kind)
            x = pnp.array(np.column_stack([points[rows], np.zeros(len(rows))]), requires_grad=False)
            angles = pnp.transpose(x)
            total = total + pnp.sum((1.0 - batched(weights, angles, state)) ** 2)
        return total / len(points)

    def batched(weights, angles, state):
        return fidelity(weights[:, :, :, None], angles, state)

    weights = pnp.array(rng.normal(size=(4, 2, 3)), requires_grad=True)
    optimizer = qml.AdamOptimizer(0.2)
    curve = []
    for _ in range(steps):
        weights, value = optimizer.step_and_cost(loss, weights)
        curve.append(float(value))
    return curve


def maxcut(make: Make, steps: int = 20) -> list[float]:
    """The approximate optimization algorithm of Farhi, Goldstone and Gutmann (arXiv:1411.4028) on MaxCut of a graph:
    alternating cost and mixing evolutions from the uniform superposition; autograd, gradient ascent on the cut."""
    pnp = qml.numpy
    edges = [(0, 1), (1, 2), (2, 3), (3, 4), (4, 0), (1, 3), (0, 5), (2, 5)]
    cut = qml.Hamiltonian(
        [0.5] * len(edges) + [-0.5] * len(edges),
        [qml.Identity(0)] * len(edges) + [qml.PauliZ(a) @ qml.PauliZ(b) for a, b in edges],
    )

    @qml.qnode(make(6))
    def value(angles):
        for wire in range(6):
            qml.Hadamard(wires=wire)
        for gamma, beta in angles:
            for a, b in edges:
                qml.CNOT(wires=[a, b])
                qml.RZ(-gamma, wires=b)
                qml.CNOT(wires=[a, b])
            for wire in range(6):
                qml.RX(2 * beta, wires=wire)
        return qml.expval(cut)

    angles = pnp.array([[0.3, 0.4], [0.5, 0.2], [0.6, 0.1]], requires_grad=True)
    optimizer = qml.GradientDescentOptimizer(0.02)
    curve = []
    for _ in range(steps):
        angles, loss = optimizer.step_and_cost(lambda angles: -value(angles), angles)
        curve.append(float(loss))
    return curve


def hydrogen(make: Make, steps: int = 15) -> list[float]:
    """The variational eigensolver of Peruzzo and others (arXiv:1304.3061) for H2: the Hamiltonian of two qubits of
    O'Malley and others at 0.75 Angstrom (arXiv:1512.06860, table 1), from the Hartree-Fock state; JAX, gradient
    descent."""
    jax = pytest.importorskip("jax")
    jax.config.update("jax_enable_x64", True)
    energy_of = qml.Hamiltonian(
        [0.2252, 0.3435, -0.4347, 0.5716, 0.0910, 0.0910],
        [
            qml.Identity(0),
            qml.PauliZ(0),
            qml.PauliZ(1),
            qml.PauliZ(0) @ qml.PauliZ(1),
            qml.PauliX(0) @ qml.PauliX(1),
            qml.PauliY(0) @ qml.PauliY(1),
        ],
    )

    @qml.qnode(make(2))
    def energy(angles):
        qml.BasisState(np.array([0, 1]), wires=[0, 1])
        qml.SingleExcitation(angles[0], wires=[0, 1])
        qml.RZ(angles[1], wires=0)
        qml.RY(angles[2], wires=1)
        return qml.expval(energy_of)

    step = jax.jit(jax.value_and_grad(energy))
    angles = jax.numpy.array([0.4, 0.3, 0.5])
    curve = []
    for _ in range(steps):
        value, slope = step(angles)
        angles = angles - 0.4 * slope
        curve.append(float(value))
    return curve


def quantum_policy(make: Make, episodes: int = 12) -> list[float]:
    """The softmax policy of Jerbi, Gyurik, Marshall, Briegel and Dunjko (arXiv:2103.05577) on the cart and pole of
    Barto, Sutton and Anderson (1983): trained input scales, re-uploading layers, a weighted <Z...Z>; REINFORCE in
    torch. The curve is the loss and the length of each episode, which hold every action that was taken."""
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(3)
    layers, wires = 3, 4

    @qml.qnode(make(wires), interface="torch")
    def circuit(states, turns, scales):
        for layer in range(layers):
            for wire in range(wires):
                qml.RZ(turns[layer, wire, 0], wires=wire)
                qml.RY(turns[layer, wire, 1], wires=wire)
            for wire in range(wires):
                qml.CZ(wires=[wire, (wire + 1) % wires])
            for wire in range(wires):
                qml.RX(scales[layer, wire] * states[:, wire], wires=wire)
        return qml.expval(qml.PauliZ(0) @ qml.PauliZ(1) @ qml.PauliZ(2) @ qml.PauliZ(3))

    turns = torch.tensor(rng.normal(size=(layers, wires, 2)), requires_grad=True)
    scales = torch.ones(layers, wires, dtype=torch.float64, requires_grad=True)
    weight = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([turns, scales, weight], lr=0.05)

    def logits(states):
        mean = weight * circuit(torch.as_tensor(states), turns, scales)
        return torch.stack([mean, -mean], dim=-1)

    curve = []
    for _ in range(episodes):
        states, actions, cart = [], [], rng.uniform(-0.05, 0.05, 4)
        while len(states) < 60 and abs(cart[0]) < 2.4 and abs(cart[2]) < 0.21:
            with torch.no_grad():
                law = torch.softmax(logits(cart[None]), -1)[0].numpy()
            states.append(cart)
            actions.append(int(rng.random() < law[1]))
            cart = _cart_and_pole(cart, actions[-1])
        returns = np.array([sum(0.99**k for k in range(len(states) - t)) for t in range(len(states))])
        chosen = torch.log_softmax(logits(np.array(states)), -1)[range(len(actions)), actions]
        loss = -(chosen * torch.as_tensor(returns - returns.mean())).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        curve.extend([loss.item(), float(len(states))])
    return curve


def _cart_and_pole(state: np.ndarray, action: int) -> np.ndarray:
    """A step of 0.02 s: masses 1 and 0.1 kg, half a pole of 0.5 m, a push of 10 N."""
    _, speed, angle, turning = state
    push = 10.0 if action else -10.0
    share = (push + 0.05 * turning**2 * np.sin(angle)) / 1.1
    spin = (9.8 * np.sin(angle) - np.cos(angle) * share) / (0.5 * (4 / 3 - 0.1 * np.cos(angle) ** 2 / 1.1))
    moved = np.array([speed, share - 0.05 * spin * np.cos(angle) / 1.1, turning, spin])
    return state + 0.02 * moved


PROGRAMS = {
    "variational classifier": variational_classifier,
    "data re-uploading": data_reuploading,
    "MaxCut": maxcut,
    "hydrogen": hydrogen,
    "quantum policy": quantum_policy,
}
