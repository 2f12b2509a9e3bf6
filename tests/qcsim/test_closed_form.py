"""Global depolarizing in closed form: the same numbers as the density matrix and as the Kraus sum, at no cost."""

from __future__ import annotations

import numpy as np
import pytest

import qcsim
from oracle import dense, noisy
from oracle.check import PRECISIONS, assert_gradients, assert_outputs, forward, gradients, random_cotangent
from oracle.circuits import build as build_gates
from oracle.dense import EMBEDDING, gate, weight
from oracle.noisy import channel
from oracle.noisy_circuits import (
    build,
    largest_depolarizing,
    noisy_batch,
    random_input,
    random_noisy_case,
    without_noise,
)

CLOSED = [(n, seed) for n in range(1, 7) for seed in range(8)]


def global_case(seed: int, n: int, **options):
    """A random circuit with one to six global channels anywhere."""
    return random_noisy_case(1000 * n + seed, n=n, count=1 + seed % 6, names=["global"], **options)


@pytest.mark.parametrize(("n", "seed"), CLOSED)
def test_the_closed_form_the_density_matrix_and_the_kraus_sum_agree(n: int, seed: int) -> None:
    case = global_case(seed, n)
    for measure in [*case.measures, {"variance": case.observables}]:
        assert_outputs(case, measure, method="statevector")
        assert_outputs(case, measure, method="density_matrix")
        np.testing.assert_array_equal(forward(case, measure), forward(case, measure, method="statevector"))


@pytest.mark.parametrize("seed", range(12))
def test_the_closed_form_is_exact_in_single_precision_too(seed: int) -> None:
    case = global_case(seed, 1 + seed % 6).cast(np.float32)
    for measure in [*case.measures, {"variance": case.observables}]:
        assert_outputs(case, measure, method="statevector")


@pytest.mark.parametrize("dtype", PRECISIONS, ids=["float64", "float32"])
@pytest.mark.parametrize(("n", "seed"), CLOSED[::4])
def test_gradients_of_the_closed_form_agree_with_the_oracle(n: int, seed: int, dtype: type) -> None:
    case = global_case(seed, n).cast(dtype)
    for measure in [*case.measures, {"variance": case.observables}]:
        assert_gradients(case, measure, slack=4, method="statevector")


@pytest.mark.parametrize("count", [0, 1, 7])
@pytest.mark.parametrize("rate", [0.0, 1e-3, 0.3, 1.0])
def test_probabilities_shrink_towards_even_and_words_towards_zero(rate: float, count: int) -> None:
    rng, n = np.random.default_rng(0), 4
    program = [*dense.hardware_efficient(n, 2), *[channel("depolarizing", [], rate)] * count]
    weights, amplitudes = rng.normal(size=8), rng.normal(size=(5, 16))
    plain, noisy_circuit, kept = build_gates(n, dense.hardware_efficient(n, 2)), build(n, program), (1 - rate) ** count
    pure = qcsim.probabilities(plain, weights, amplitudes)
    value = qcsim.probabilities(noisy_circuit, weights, amplitudes)
    np.testing.assert_allclose(value, kept * pure + (1 - kept) / 16, atol=1e-15)
    words = ["Z0", "X1 Y3", {"I": 2.0, "Z2": 0.5}]
    pure, value = (qcsim.expval(c, weights, words, amplitudes) for c in (plain, noisy_circuit))
    np.testing.assert_allclose(value, kept * (pure - [0, 0, 2]) + [0, 0, 2], atol=1e-15)


@pytest.mark.parametrize("n", range(1, 7))
def test_the_position_of_a_global_channel_does_not_matter(n: int) -> None:
    case = without_noise(global_case(3, n, embed=True))
    noise, measure = channel("depolarizing", [], 0.2), {"qubits": None}
    values = []
    for at in range(1, len(case.instructions) + 1):
        program = [*case.instructions[:at], noise, *case.instructions[at:]]
        values.append(qcsim.probabilities(build(n, program), case.weights, **case.inputs, **measure))
    np.testing.assert_allclose(values, np.broadcast_to(values[0], np.shape(values)), atol=1e-15)


@pytest.mark.parametrize("n", range(1, 7))
def test_at_the_largest_rate_the_state_is_turned_over(n: int) -> None:
    amplitudes, rho = random_input(np.random.default_rng(n), n)
    circuit = build(n, [EMBEDDING, channel("depolarizing", [], largest_depolarizing(n))])
    value, p = qcsim.probabilities(circuit, np.zeros(0), amplitudes), np.diag(rho).real
    np.testing.assert_allclose(value, (2**n - p) / (4**n - 1), atol=1e-15)
    assert value.min() >= -1e-16


def test_the_fidelity_with_the_noiseless_state_is_the_one_of_the_paper() -> None:
    circuit = qcsim.hardware_efficient(3, 2)
    noisy_circuit = circuit.with_noise(after="cnot", channel=qcsim.GlobalDepolarizing(0.01))
    rng = np.random.default_rng(1)
    weights, amplitudes = rng.normal(size=circuit.n_weights), rng.normal(size=(4, 8))
    psi = qcsim.statevector(circuit, weights, amplitudes)
    rho = qcsim.density_matrix(noisy_circuit, weights, amplitudes)
    found, kept = np.einsum("bi,bij,bj->b", psi.conj(), rho, psi).real, 0.99**6
    np.testing.assert_allclose(found, kept + (1 - kept) / 8, atol=1e-14)
    assert np.all(found >= 1 - 6 * 0.01)


def test_gradients_are_those_without_noise_times_what_is_left() -> None:
    case = noisy_batch(4, batch=5, n=5, names=["global"], count=3, length=20)
    rates = [item.rates[0] for item in case.instructions if isinstance(item, noisy.Channel)]
    kept = np.prod([1 - rate for rate in rates])
    assert abs(kept) > 0.01
    for measure in case.measures:
        cotangent = random_cotangent(case, measure)
        value, plain = gradients(case, cotangent, measure), gradients(without_noise(case), cotangent, measure)
        scale = noisy.slope_scale(case.n, case.instructions, cotangent, case.weights, **case.inputs, **measure)
        for a, b in zip(value, plain, strict=True):
            np.testing.assert_allclose(
                0 if a is None else a, 0 if b is None else kept * b, rtol=1e-10, atol=1e-12 * scale
            )


def test_nine_qubits_with_noise_after_every_cnot_take_the_closed_form() -> None:
    circuit = qcsim.hardware_efficient(9, 4)
    noisy_circuit = circuit.with_noise(after="cnot", channel=qcsim.GlobalDepolarizing(1e-3))
    assert qcsim.method_for(noisy_circuit) == "statevector"
    rng = np.random.default_rng(2)
    weights, amplitudes = rng.normal(size=36), rng.normal(size=(20, 512))
    kept = 0.999**36
    pure, value = (qcsim.probabilities(c, weights, amplitudes) for c in (circuit, noisy_circuit))
    np.testing.assert_allclose(value, kept * pure + (1 - kept) / 512, atol=1e-15)


def test_what_auto_picks_depends_on_the_channels_alone() -> None:
    plain = qcsim.Circuit(2).h(0).cnot(0, 1)
    for circuit in (plain, plain.copy().readout_error(0.1), plain.copy().depolarizing(0.1).readout_error(0.1)):
        assert qcsim.method_for(circuit) == "statevector"
    assert qcsim.method_for(plain.copy().depolarizing(0.1, qubits=[1, 0])) == "statevector"  # all there are
    for circuit in (plain.copy().bit_flip(0.1, 0), plain.copy().depolarizing(0.1, qubits=[1])):
        assert qcsim.method_for(circuit) == "density_matrix"


def test_readout_errors_act_on_the_closed_form_alike() -> None:
    program = [gate("ry", 0, weight(0)), channel("depolarizing", [], 0.1), channel("readout_error", [0], 0.02, 0.3)]
    value = qcsim.probabilities(build(1, program), np.array([0.7]))
    one = 0.9 * np.sin(0.35) ** 2 + 0.05
    np.testing.assert_allclose(value, [(1 - one) * 0.98 + one * 0.3, (1 - one) * 0.02 + one * 0.7], atol=1e-15)


def test_a_local_channel_has_no_closed_form_and_a_noisy_state_no_vector() -> None:
    local = qcsim.Circuit(2).h(0).bit_flip(0.1, 0)
    with pytest.raises(ValueError, match="density_matrix") as refusal:
        qcsim.probabilities(local, np.zeros(0), method="statevector")
    assert "statevector" in str(refusal.value)
    for circuit in (local, qcsim.Circuit(2).h(0).depolarizing(0.1)):
        with pytest.raises(ValueError, match="density_matrix"):
            qcsim.statevector(circuit, np.zeros(0))
    with pytest.raises(ValueError, match="trajectories") as refusal:
        qcsim.probabilities(local, np.zeros(0), method="exact")
    assert "exact" in str(refusal.value)
