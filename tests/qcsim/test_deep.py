"""Deep circuits: where factors are divided out and taken in again many times, in both layouts and precisions."""

from __future__ import annotations

import numpy as np
import pytest

import qcsim

PRECISIONS = [np.float64, np.float32]


def deep(n: int, layers: int, seed: int) -> qcsim.Circuit:
    """Rotations under control and Hadamards on random pairs: passes of mixed operations, thousands of factors."""
    rng = np.random.default_rng(seed)
    circuit = qcsim.Circuit(n)
    for _ in range(layers):
        a, b = (int(q) for q in rng.choice(n, 2, replace=False))
        circuit.crx(a, b, angle=float(rng.uniform(-6, 6))).h(a).cry(b, a).rz(b, angle=float(rng.uniform(-6, 6)))
    return circuit


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize(("n", "layers"), [(4, 60), (4, 600), (9, 200), (11, 100), (13, 60), (14, 60)])
def test_a_circuit_and_its_inverse_are_nothing(n: int, layers: int, dtype: type) -> None:
    circuit = deep(n, layers, seed=n)
    weights = np.random.default_rng(1).uniform(-4, 4, circuit.n_weights).astype(dtype)
    probabilities = qcsim.probabilities(circuit + circuit.inverse(), weights)
    assert abs(probabilities[0] - 1) < (1e-12 if dtype is np.float64 else 2e-5)


@pytest.mark.parametrize(("n", "layers"), [(4, 300), (8, 200), (12, 80), (14, 60)])
def test_single_precision_agrees_with_double(n: int, layers: int) -> None:
    circuit = deep(n, layers, seed=layers)
    weights = np.random.default_rng(2).uniform(-4, 4, circuit.n_weights).astype(np.float32)
    found = {}
    for dtype in PRECISIONS:
        outputs, pullback = qcsim.vjp(circuit, weights.astype(dtype), observables=["Z0", "X1"])
        found[dtype] = np.append(outputs, pullback(np.array([1.0, -2.0])).weights)
    np.testing.assert_allclose(found[np.float32], found[np.float64], rtol=0, atol=5e-5)


@pytest.mark.parametrize(("n", "layers", "bound"), [(9, 4, 3e-8), (6, 500, 1e-6)])
def test_single_precision_is_as_good_as_the_documents_say(n: int, layers: int, bound: float) -> None:
    circuit = qcsim.hardware_efficient(n, layers)
    for seed in range(3):
        rng = np.random.default_rng(seed)
        weights = rng.uniform(-4, 4, circuit.n_weights).astype(np.float32)
        x = rng.normal(size=(64, 2**n)).astype(np.float32)
        single = qcsim.probabilities(circuit, weights, x)
        double = qcsim.probabilities(circuit, weights.astype(np.float64), x.astype(np.float64))
        assert np.abs(single - double).max() < bound


@pytest.mark.parametrize("n", [4, 11, 14])
def test_the_gradient_of_a_deep_circuit_is_that_of_shifts(n: int) -> None:
    circuit = deep(n, 400 if n == 4 else 40, seed=n + 1)
    weights = np.random.default_rng(3).uniform(-4, 4, circuit.n_weights)
    _, pullback = qcsim.vjp(circuit, weights, observables=["Z0"])
    slopes = pullback(np.ones(1)).weights
    for k in (0, circuit.n_weights // 2, circuit.n_weights - 1):
        step = np.zeros_like(weights)
        step[k] = 1e-5
        up, down = (qcsim.expval(circuit, weights + sign * step, ["Z0"])[0] for sign in (1, -1))
        assert abs(slopes[k] - (up - down) / 2e-5) < 1e-8


@pytest.mark.parametrize("count", [100, 10_000])
def test_rounding_of_a_tangent_does_not_stretch_the_state(count: int) -> None:
    circuit = qcsim.Circuit(2)
    for _ in range(count):
        circuit.ry(0, weight=0)
    total = qcsim.probabilities(circuit, np.array([1.2], np.float32)).sum()
    assert abs(total - 1) < 2e-5


@pytest.mark.parametrize("n", [2, 5, 9])
def test_a_row_has_the_same_bits_in_every_batch(n: int) -> None:
    rows = np.random.default_rng(4).normal(size=(64, 2**n)).astype(np.float32)
    circuit = qcsim.hardware_efficient(n, 2)
    weights = np.random.default_rng(5).normal(size=2 * n).astype(np.float32)
    whole = qcsim.probabilities(circuit, weights, rows)
    for size in (1, 3, 4, 5, 8, 9, 16, 40):
        np.testing.assert_array_equal(qcsim.probabilities(circuit, weights, rows[:size]), whole[:size])
