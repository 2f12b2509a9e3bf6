"""The parameter-shift rule gives the adjoint's gradients; it is the method a real device can follow."""

from __future__ import annotations

import numpy as np
import pytest

import qcsim
from oracle import dense
from oracle.check import PRECISIONS, TOLERANCE, compare_gradients, gradients, random_cotangent
from oracle.circuits import Case, random_amplitudes, random_case
from oracle.dense import EMBEDDING, PARAMETERS, WIDTHS, Instruction


@pytest.mark.parametrize("dtype", PRECISIONS, ids=["float64", "float32"])
@pytest.mark.parametrize("seed", range(300, 360))
def test_parameter_shift_gives_the_exact_gradients_as_the_adjoint_pass_does(seed: int, dtype: type) -> None:
    case = random_case(seed, n=1 + seed % 6).cast(dtype)
    for measure in case.measures:
        cotangent = random_cotangent(case, measure)
        for gradient in ("adjoint", "parameter-shift"):
            compare_gradients(case, measure, cotangent, gradients(case, cotangent, measure, gradient=gradient), slack=4)


def test_a_weight_shared_by_several_gates_is_shifted_gate_by_gate() -> None:
    circuit = qcsim.Circuit(1).ry(0).ry(0, weight=0).ry(0, weight=0)
    weights = np.array([0.37])
    _, pullback = qcsim.vjp(circuit, weights, observables=["Z0"], gradient="parameter-shift")
    np.testing.assert_allclose(pullback(np.ones(1)).weights, -3 * np.sin(3 * weights), atol=1e-14)


def test_a_feature_shared_by_several_gates_is_shifted_gate_by_gate() -> None:
    circuit = qcsim.Circuit(1).ry(0, feature=0).ry(0, feature=0)
    features = np.linspace(-3, 3, 17)[:, None]
    _, pullback = qcsim.vjp(circuit, np.zeros(0), features=features, observables=["Z0"], gradient="parameter-shift")
    np.testing.assert_allclose(pullback(np.ones((17, 1))).features, -2 * np.sin(2 * features), atol=1e-14)


@pytest.mark.parametrize("dtype", PRECISIONS, ids=["float64", "float32"])
def test_the_outputs_do_not_depend_on_the_gradient_method(dtype: type) -> None:
    rng = np.random.default_rng(0)
    circuit = qcsim.hardware_efficient(5, 2)
    weights, amplitudes = rng.normal(size=10).astype(dtype), rng.normal(size=(17, 32)).astype(dtype)
    pair = [
        qcsim.probabilities(circuit, weights, amplitudes=amplitudes, gradient=g) for g in ("adjoint", "parameter-shift")
    ]
    np.testing.assert_allclose(pair[0], pair[1], atol=TOLERANCE[dtype])


@pytest.mark.parametrize("name", PARAMETERS)
def test_every_rotation_has_its_shift_rule_also_at_the_corners(name: str) -> None:
    rng = np.random.default_rng(0)
    qubits = (2, 0)[: WIDTHS[name]]
    for values in ([0.0, 0.0, 0.0], [np.pi, np.pi / 2, -np.pi], [0.3, -2.0, 5.0]):
        angles = tuple(dense.weight(k, 0.7, 0.1) for k in range(PARAMETERS[name]))
        program = [EMBEDDING, Instruction(name, qubits, angles)]
        amplitudes, weights = random_amplitudes(rng, (3, 8), False), np.array(values[: len(angles)])
        case = Case(0, 3, program, weights, amplitudes, None, None, ("X0", "Y2 X0", "Z2", "Y0 Z1"))
        for measure in case.measures:
            cotangent = random_cotangent(case, measure)
            value = gradients(case, cotangent, measure, gradient="parameter-shift")
            compare_gradients(case, measure, cotangent, value, slack=4)
