"""The judge of noise judged: closed forms, the twirl, the judge without noise, finite differences."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from oracle import dense, noisy
from oracle.circuits import random_amplitudes, random_case
from oracle.dense import PAULIS, Array, kron
from oracle.noisy import Channel, channel
from oracle.noisy_circuits import (
    LOCAL,
    NoisyCase,
    after,
    random_channel,
    random_input,
    random_kraus,
    random_noisy_case,
    with_channels,
)

CASES = [random_noisy_case(seed) for seed in range(60)]


def bloch(rho: Array) -> Array:
    """(x, y, z) of one qubit."""
    return np.array([np.trace(PAULIS[letter] @ rho).real for letter in "XYZ"])


@pytest.mark.parametrize("name", LOCAL)
def test_the_kraus_matrices_of_every_channel_add_up_to_one(name: str) -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        item = random_channel(rng, 3, [name])
        total = sum(k.conj().T @ k for k in noisy.kraus(item))
        np.testing.assert_allclose(total, np.eye(2 ** len(item.qubits)), atol=1e-14, err_msg=str(item))


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("level", [0.0, 0.3, 1.0])
def test_global_depolarizing_is_the_twirl_over_all_words(n: int, level: float) -> None:
    _, rho = random_input(np.random.default_rng(n), n)
    rate = level * 4**n / (4**n - 1)
    np.testing.assert_allclose(noisy.twirled(n, rho, rate), noisy.towards_identity(rho, rate), atol=1e-14)


def test_depolarizing_of_some_qubits_replaces_them_by_the_maximally_mixed_state() -> None:
    _, rho = random_input(np.random.default_rng(3), 3)
    kept = noisy.reduced(3, rho, [1])[0]
    value = after(channel("depolarizing", [2, 0], 0.3), rho)
    expected = 0.7 * rho + 0.3 * kron(np.eye(2) / 2, kept, np.eye(2) / 2)
    np.testing.assert_allclose(value, expected, atol=1e-15)


@pytest.mark.parametrize(
    ("item", "factors", "shift"),
    [
        (channel("bit_flip", [0], 0.1), (1, 0.8, 0.8), 0),
        (channel("phase_flip", [0], 0.1), (0.8, 0.8, 1), 0),
        (channel("bit_phase_flip", [0], 0.1), (0.8, 1, 0.8), 0),
        (channel("pauli", [0], 0.1, 0.2, 0.05), (0.5, 0.7, 0.4), 0),
        (channel("depolarizing", [0], 0.2), (0.8, 0.8, 0.8), 0),
        (channel("amplitude_damping", [0], 0.36, 0.0), (0.8, 0.8, 0.64), 0.36),
        (channel("amplitude_damping", [0], 0.36, 1.0), (0.8, 0.8, 0.64), -0.36),
        (channel("amplitude_damping", [0], 0.36, 0.25), (0.8, 0.8, 0.64), 0.18),
        (channel("phase_damping", [0], 0.36), (0.8, 0.8, 1), 0),
        (channel("thermal_relaxation", [0], 1 / np.log(2), 0.5 / np.log(2), 1.0, 0.0), (0.25, 0.25, 0.5), 0.5),
        (channel("thermal_relaxation", [0], 1 / np.log(2), 2 / np.log(2), 2.0, 0.5), (0.5, 0.5, 0.25), 0),
    ],
    ids=lambda value: value.gate if isinstance(value, Channel) else "",
)
def test_every_channel_moves_the_bloch_vector_as_the_textbooks_say(item: Channel, factors, shift: float) -> None:
    for seed in range(3):
        _, rho = random_input(np.random.default_rng(seed), 1)
        np.testing.assert_allclose(bloch(after(item, rho)), bloch(rho) * factors + [0, 0, shift], atol=1e-15)


@pytest.mark.parametrize("seed", range(20))
def test_without_channels_the_judge_of_noise_agrees_with_the_one_without(seed: int) -> None:
    case = random_case(seed, n=1 + seed % 4)
    for measure in [*case.measures, {"variance": case.observables}]:
        truth = dense.outputs(case.n, case.instructions, case.weights, **case.inputs, **measure)
        value = noisy.outputs(case.n, case.instructions, case.weights, **case.inputs, **measure)
        np.testing.assert_allclose(value, truth, atol=1e-12)
        cotangent = np.random.default_rng(seed).normal(size=truth.shape)
        slopes = dense.gradients(case.n, case.instructions, cotangent, case.weights, **case.inputs, **measure)
        found = noisy.gradients(case.n, case.instructions, cotangent, case.weights, **case.inputs, **measure)
        for a, b in zip(found, slopes, strict=True):
            np.testing.assert_allclose(0 if a is None else a, 0 if b is None else b, atol=1e-9)


def test_the_density_matrix_of_a_pure_state_is_its_projector_and_reduces_to_its_parts() -> None:
    case = replace(random_case(5, n=3, embed=True), instructions=[dense.EMBEDDING])
    psi = dense.outputs(3, case.instructions, np.zeros(0), case.amplitudes, statevector=True)
    rho = noisy.outputs(3, case.instructions, np.zeros(0), case.amplitudes, density=None)
    np.testing.assert_allclose(rho, psi[:, :, None] * psi[:, None, :].conj(), atol=1e-15)
    a, b = (random_input(np.random.default_rng(seed), 1)[1] for seed in (1, 2))
    np.testing.assert_allclose(noisy.reduced(2, np.kron(a, b), [1])[0], b, atol=1e-15)
    np.testing.assert_allclose(noisy.reduced(2, np.kron(a, b), [1, 0])[0], np.kron(b, a), atol=1e-15)


@pytest.mark.parametrize("seed", range(5))
def test_a_read_word_is_the_product_of_its_read_letters_and_of_the_read_outcomes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    program = [channel("readout_error", [q], *rng.uniform(0, 1, 2)) for q in (0, 2, 2, 0)]
    tables = noisy.confusions(3, program)
    for letters in product("IXYZ", repeat=3):
        slopes = [(t[0, 0] - t[0, 1], t[0, 0] + t[0, 1] - 1) for t in tables]
        factors = [
            s * PAULIS[letter] + b * np.eye(2) if letter != "I" else np.eye(2)
            for letter, (s, b) in zip(letters, slopes, strict=True)
        ]
        whole = noisy.read(3, program, kron(*(PAULIS[letter] for letter in letters)))
        np.testing.assert_allclose(whole, kron(*factors), atol=1e-14)
    _, rho = random_input(rng, 3)
    outcomes = noisy.readout(3, program, rho[None])
    signs = [(-1) ** (bin(z & 0b101).count("1")) for z in range(8)]
    mean = noisy.readout(3, program, rho[None], observables=["Z0 Z2"])
    np.testing.assert_allclose(outcomes @ signs, mean[:, 0], atol=1e-15)


def test_errors_of_one_read_bit_compose() -> None:
    twice = noisy.confusions(1, [channel("readout_error", [0], 0.1, 0.2), channel("readout_error", [0], 0.3, 0.4)])
    np.testing.assert_allclose(twice[0][1], [0.9 * 0.3 + 0.1 * 0.6, 0.2 * 0.3 + 0.8 * 0.6], atol=1e-15)


@pytest.mark.parametrize("case", CASES, ids=lambda c: str(c.seed))
def test_density_matrices_of_random_noisy_circuits_are_density_matrices(case: NoisyCase) -> None:
    rho = noisy.density_matrices(case.n, case.instructions, case.point)
    np.testing.assert_allclose(np.trace(rho, axis1=1, axis2=2), 1, atol=1e-13)
    np.testing.assert_allclose(rho, noisy.adjoint(rho), atol=1e-14)
    assert np.linalg.eigvalsh(rho).min() > -1e-13


@pytest.mark.parametrize("case", CASES[:40], ids=lambda c: str(c.seed))
def test_gradients_agree_with_central_differences_along_a_random_direction(case: NoisyCase) -> None:
    rng, step = np.random.default_rng(case.seed), 1e-5
    along = [None if a is None else random_amplitudes(rng, a.shape, not np.iscomplexobj(a))
             for a in (case.weights, case.amplitudes, case.features)]  # fmt: skip
    if along[1] is not None:
        along[1] = along[1] * np.linalg.norm(case.amplitudes, axis=-1, keepdims=True)  # amplitudes have any norm
    for measure in case.all_measures:

        def moved(h: float, measure=measure) -> Array:
            given = (case.weights, case.amplitudes, case.features)
            point = [a if d is None else a + h * d for a, d in zip(given, along, strict=True)]
            return noisy.outputs(case.n, case.instructions, *point, **measure)

        slope = (8 * (moved(step) - moved(-step)) - (moved(2 * step) - moved(-2 * step))) / (12 * step)
        cotangent = random_amplitudes(rng, slope.shape, not np.iscomplexobj(slope))
        exact = noisy.gradients(case.n, case.instructions, cotangent, case.weights, **case.inputs, **measure)
        pairs = [np.sum(np.conj(g) * d).real for g, d in zip(exact, along, strict=True) if g is not None]
        scale = noisy.slope_scale(case.n, case.instructions, cotangent, case.weights, **case.inputs, **measure)
        assert sum(pairs) == pytest.approx(np.sum(np.conj(cotangent) * slope).real, rel=1e-7, abs=1e-8 * scale)


def test_random_kraus_matrices_make_a_channel() -> None:
    for real in (False, True):
        found = random_kraus(np.random.default_rng(1), 2, 3, real)
        np.testing.assert_allclose(sum(k.conj().T @ k for k in found), np.eye(4), atol=1e-14)


def test_channels_stand_at_any_position_behind_the_embedding() -> None:
    case = random_case(3, n=3, embed=True)
    places = set()
    for seed in range(40):
        noisy_case = with_channels(case, np.random.default_rng(seed), 1, LOCAL, False)
        assert noisy_case.instructions[0] == dense.EMBEDDING
        places.add(next(k for k, item in enumerate(noisy_case.instructions) if isinstance(item, Channel)))
    assert places == set(range(1, len(case.instructions) + 1))
