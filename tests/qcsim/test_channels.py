"""Every channel against its textbook action, at all rates up to the extreme ones, and the identities it obeys."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import qcsim
from oracle import noisy
from oracle.circuits import random_unitary
from oracle.dense import EMBEDDING, PAULIS, Array, gate, unitary
from oracle.noisy import Channel, Item, channel, kraus_channel
from oracle.noisy_circuits import LOCAL, after, build, only, random_channel, random_input, random_kraus

NOTHING = np.zeros(0)
TIME = 1 / np.log(2)  # so that exp(-1 / TIME) = 1/2


def evolved(program: list[Item], n: int, amplitudes: Array, qubits: Any = None) -> Array:
    """The density matrix that qcsim makes of amplitudes."""
    circuit = build(n, [EMBEDDING, *program])
    return qcsim.density_matrix(circuit, NOTHING, amplitudes, qubits=qubits, method="density_matrix")


def bloch(rho: Array) -> Array:
    """(x, y, z) of one qubit."""
    return np.array([np.trace(PAULIS[letter] @ rho).real for letter in "XYZ"])


def assert_same_channel(one: list[Item], other: list[Item], n: int) -> None:
    """Two programs do the same to three random states."""
    for seed in range(3):
        amplitudes, _ = random_input(np.random.default_rng(seed), n)
        np.testing.assert_allclose(evolved(one, n, amplitudes), evolved(other, n, amplitudes), atol=1e-14)


# The textbook ---------------------------------------------------------------------------------------------------------

BLOCH = [  # what the components of the Bloch vector are multiplied by, and what is added to z
    (channel("bit_flip", [0], 0.1), (1, 0.8, 0.8), 0),
    (channel("bit_flip", [0], 0.5), (1, 0, 0), 0),
    (channel("bit_flip", [0], 1.0), (1, -1, -1), 0),
    (channel("phase_flip", [0], 0.1), (0.8, 0.8, 1), 0),
    (channel("phase_flip", [0], 1.0), (-1, -1, 1), 0),
    (channel("bit_phase_flip", [0], 0.1), (0.8, 1, 0.8), 0),
    (channel("bit_phase_flip", [0], 1.0), (-1, 1, -1), 0),
    (channel("pauli", [0], 0.1, 0.2, 0.05), (0.5, 0.7, 0.4), 0),
    (channel("pauli", [0], 0.5, 0.0, 0.5), (0, -1, 0), 0),
    (channel("pauli", [0], 1 / 3, 1 / 3, 1 / 3), (-1 / 3, -1 / 3, -1 / 3), 0),
    (channel("depolarizing", [0], 0.2), (0.8, 0.8, 0.8), 0),
    (channel("depolarizing", [0], 1.0), (0, 0, 0), 0),
    (channel("depolarizing", [0], 4 / 3), (-1 / 3, -1 / 3, -1 / 3), 0),
    (channel("depolarizing", [], 4 / 3), (-1 / 3, -1 / 3, -1 / 3), 0),
    (channel("amplitude_damping", [0], 0.36, 0.0), (0.8, 0.8, 0.64), 0.36),
    (channel("amplitude_damping", [0], 0.36, 1.0), (0.8, 0.8, 0.64), -0.36),
    (channel("amplitude_damping", [0], 0.36, 0.25), (0.8, 0.8, 0.64), 0.18),
    (channel("amplitude_damping", [0], 1.0, 0.0), (0, 0, 0), 1),
    (channel("amplitude_damping", [0], 1.0, 0.3), (0, 0, 0), 0.4),
    (channel("phase_damping", [0], 0.36), (0.8, 0.8, 1), 0),
    (channel("phase_damping", [0], 1.0), (0, 0, 1), 0),
    (channel("thermal_relaxation", [0], TIME, TIME / 2, 1.0, 0.0), (0.25, 0.25, 0.5), 0.5),
    (channel("thermal_relaxation", [0], TIME, 2 * TIME, 2.0, 0.5), (0.5, 0.5, 0.25), 0),
    (channel("thermal_relaxation", [0], TIME, 2 * TIME, 1.0, 1.0), (0.5**0.5, 0.5**0.5, 0.5), -0.5),
    (channel("thermal_relaxation", [0], 1.0, 1.0, 1e6, 0.25), (0, 0, 0), 0.5),
]


@pytest.mark.parametrize(("item", "factors", "shift"), BLOCH, ids=[f"{i.gate}{i.rates}" for i, _, _ in BLOCH])
def test_a_channel_moves_the_bloch_vector_as_the_textbooks_say(item: Channel, factors, shift: float) -> None:
    for seed in range(3):
        amplitudes, rho = random_input(np.random.default_rng(seed), 1)
        expected = bloch(rho) * factors + [0, 0, shift]
        np.testing.assert_allclose(bloch(evolved([item], 1, amplitudes)), expected, atol=1e-14)


@pytest.mark.parametrize(
    "item",
    [
        *(channel(name, [0], 0.0) for name in ("depolarizing", "bit_flip", "phase_flip", "bit_phase_flip")),
        channel("depolarizing", [], 0.0),
        channel("depolarizing", [1, 0], 0.0),
        channel("pauli", [1], 0.0, 0.0, 0.0),
        channel("amplitude_damping", [1], 0.0, 0.7),
        channel("phase_damping", [1], 0.0),
        channel("thermal_relaxation", [1], 1.0, 1.0, 0.0, 0.5),
        kraus_channel(np.eye(4)[None], 1, 0),
    ],
    ids=lambda item: f"{item.gate}{item.qubits}",
)
def test_a_channel_at_rate_zero_does_nothing(item: Channel) -> None:
    amplitudes, rho = random_input(np.random.default_rng(1), 2)
    np.testing.assert_allclose(evolved([item], 2, amplitudes), rho, atol=1e-15)


@pytest.mark.parametrize("qubits", [[], [0, 1], [1, 0]])
def test_depolarizing_at_rate_one_forgets_the_state_and_at_its_largest_all_words_but_the_identity_act(qubits) -> None:
    amplitudes, rho = random_input(np.random.default_rng(2), 2)
    forgotten = evolved([channel("depolarizing", qubits, 1.0)], 2, amplitudes)
    np.testing.assert_allclose(forgotten, np.eye(4) / 4, atol=1e-15)
    largest = evolved([channel("depolarizing", qubits, 16 / 15)], 2, amplitudes)
    np.testing.assert_allclose(largest, (np.eye(4) / 4 * 16 - rho) / 15, atol=1e-15)


# Physics --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*LOCAL, "global"])
def test_a_channel_agrees_with_its_kraus_sum_on_any_qubits_of_an_entangled_state(name: str) -> None:
    for seed in range(12):
        rng = np.random.default_rng(seed)
        amplitudes, rho = random_input(rng, 3)
        item = random_channel(rng, 3, [name])
        np.testing.assert_allclose(evolved([item], 3, amplitudes), after(item, rho), atol=1e-14, err_msg=str(item))


def choi(item: Channel, k: int) -> Array:
    """The Choi matrix of a channel on qubits 0..k-1: it acts on one half of k Bell pairs."""
    pairs = [each for q in range(k) for each in (gate("h", q), gate("cnot", q, q + k))]
    return qcsim.density_matrix(build(2 * k, [*pairs, item]), NOTHING, method="density_matrix")


@pytest.mark.parametrize("name", LOCAL)
def test_every_channel_is_completely_positive_and_keeps_the_trace(name: str) -> None:
    for seed in range(8):
        k = 1 + seed % 2 if name in ("depolarizing", "kraus") else 1
        item = random_channel(np.random.default_rng(seed), k, [name])
        matrix = choi(item, k)
        np.testing.assert_allclose(matrix, matrix.conj().T, atol=1e-15)
        assert np.linalg.eigvalsh(matrix).min() > -1e-14, item
        kept = noisy.reduced(2 * k, matrix, range(k, 2 * k))[0]
        np.testing.assert_allclose(kept, np.eye(2**k) / 2**k, atol=1e-14, err_msg=str(item))


def test_the_choi_matrix_at_the_largest_rates_is_on_the_edge_of_positivity() -> None:
    for item in (channel("depolarizing", [0], 4 / 3), channel("thermal_relaxation", [0], 1.0, 2.0, 0.7, 0.0)):
        assert abs(np.linalg.eigvalsh(choi(item, 1)).min()) < 1e-15


# Identities between channels ------------------------------------------------------------------------------------------


def test_depolarizing_is_the_pauli_channel_of_equal_rates() -> None:
    for p in (0.05, 0.3, 1.0):
        pauli = channel("pauli", [1], p / 3, p / 3, p / 3)
        assert_same_channel([channel("depolarizing", [1], 4 * p / 3)], [pauli], 2)


def test_global_depolarizing_of_one_or_two_qubits_is_the_local_one() -> None:
    for n, rate in ((1, 0.3), (1, 4 / 3), (2, 0.3), (2, 16 / 15)):
        assert_same_channel([channel("depolarizing", [], rate)], [channel("depolarizing", range(n), rate)], n)


def test_flips_are_pauli_channels() -> None:
    for name, rates in (("bit_flip", (0.2, 0, 0)), ("bit_phase_flip", (0, 0.2, 0)), ("phase_flip", (0, 0, 0.2))):
        assert_same_channel([channel(name, [0], 0.2)], [channel("pauli", [0], *rates)], 2)


def test_phase_damping_is_a_phase_flip_of_half_the_lost_coherence() -> None:
    for rate in (0.1, 0.36, 1.0):
        flip = channel("phase_flip", [0], (1 - np.sqrt(1 - rate)) / 2)
        assert_same_channel([channel("phase_damping", [0], rate)], [flip], 2)


def test_two_amplitude_dampings_of_one_equilibrium_make_one() -> None:
    for excited in (0.0, 0.3):
        twice = [channel("amplitude_damping", [0], gamma, excited) for gamma in (0.2, 0.5)]
        assert_same_channel(twice, [channel("amplitude_damping", [0], 1 - 0.8 * 0.5, excited)], 2)


def test_thermal_relaxation_is_amplitude_damping_and_phase_damping() -> None:
    t1, t2, time, excited = 50.0, 70.0, 20.0, 0.1
    gamma, dephased = 1 - np.exp(-time / t1), 1 - np.exp(time / t1 - 2 * time / t2)
    parts = [channel("amplitude_damping", [1], gamma, excited), channel("phase_damping", [1], dephased)]
    assert_same_channel([channel("thermal_relaxation", [1], t1, t2, time, excited)], parts, 2)


def test_a_channel_given_by_its_kraus_matrices_is_that_channel() -> None:
    rng = np.random.default_rng(0)
    for name in LOCAL:
        item = random_channel(rng, 2, [name])
        assert_same_channel([item], [kraus_channel(noisy.kraus(item), *item.qubits)], 2)


def test_one_kraus_matrix_is_a_unitary_gate() -> None:
    matrix = random_unitary(np.random.default_rng(1), 2, real=False)
    assert_same_channel([kraus_channel(matrix[None], 2, 0)], [unitary(matrix, 2, 0)], 3)


def test_a_twirl_over_the_paulis_forgets_a_state_and_makes_damping_a_pauli_channel() -> None:
    assert_same_channel([channel("pauli", [1], 0.25, 0.25, 0.25)], [channel("depolarizing", [1], 1.0)], 2)
    gamma = 0.36
    damping = noisy.kraus(channel("amplitude_damping", [0], gamma, 0.0))
    twirled = [pauli @ k @ pauli / 2 for pauli in PAULIS.values() for k in damping]
    rates = gamma / 4, gamma / 4, (2 - gamma - 2 * np.sqrt(1 - gamma)) / 4
    assert_same_channel([kraus_channel(twirled, 0)], [channel("pauli", [0], *rates)], 2)


@pytest.mark.parametrize("qubits", [[1], [2, 0], []])
def test_depolarizing_commutes_with_unitaries_on_its_qubits(qubits: list[int]) -> None:
    acted = qubits or [0, 1, 2]
    matrix = random_unitary(np.random.default_rng(4), len(acted), real=False)
    noise, turn = channel("depolarizing", qubits, 0.3), unitary(matrix, *acted)
    assert_same_channel([noise, turn], [turn, noise], 3)


def test_channels_on_different_qubits_commute() -> None:
    a, b = channel("amplitude_damping", [0], 0.3, 0.1), channel("bit_flip", [2], 0.2)
    assert_same_channel([a, b], [b, a], 3)


def test_a_bit_flip_commutes_through_a_cnot_as_the_flips_it_becomes() -> None:
    flip_both = kraus_channel([np.sqrt(0.8) * np.eye(4), np.sqrt(0.2) * np.kron(PAULIS["X"], PAULIS["X"])], 0, 1)
    assert_same_channel([channel("bit_flip", [0], 0.2), gate("cnot", 0, 1)], [gate("cnot", 0, 1), flip_both], 2)


def test_sixty_four_kraus_matrices_are_a_channel() -> None:
    matrices = random_kraus(np.random.default_rng(6), 1, 64, real=False)
    amplitudes, rho = random_input(np.random.default_rng(6), 2)
    item = kraus_channel(matrices, 1)
    np.testing.assert_allclose(evolved([item], 2, amplitudes), after(item, rho), atol=1e-14)


# The builder ----------------------------------------------------------------------------------------------------------


def test_a_channel_value_is_what_its_builder_method_adds() -> None:
    matrices = random_kraus(np.random.default_rng(2), 2, 3, real=True)
    pairs = [
        (qcsim.Circuit(2).depolarizing(0.1, qubits=[1]), qcsim.Depolarizing(0.1), [1]),
        (qcsim.Circuit(2).depolarizing(0.1, qubits=[1, 0]), qcsim.Depolarizing(0.1, n_qubits=2), [1, 0]),
        (qcsim.Circuit(2).depolarizing(0.1), qcsim.GlobalDepolarizing(0.1), None),
        (qcsim.Circuit(2).bit_flip(0.1, 0), qcsim.BitFlip(0.1), [0]),
        (qcsim.Circuit(2).phase_flip(0.1, 0), qcsim.PhaseFlip(0.1), [0]),
        (qcsim.Circuit(2).bit_phase_flip(0.1, 0), qcsim.BitPhaseFlip(0.1), [0]),
        (qcsim.Circuit(2).pauli_channel(0.1, 0.2, 0.3, 1), qcsim.PauliChannel(0.1, 0.2, 0.3), [1]),
        (qcsim.Circuit(2).amplitude_damping(0.1, 1), qcsim.AmplitudeDamping(0.1), [1]),
        (qcsim.Circuit(2).amplitude_damping(0.1, 1, excited=0.2), qcsim.AmplitudeDamping(0.1, excited=0.2), [1]),
        (qcsim.Circuit(2).phase_damping(0.1, 1), qcsim.PhaseDamping(0.1), [1]),
        (
            qcsim.Circuit(2).thermal_relaxation(1, t1=50.0, t2=70.0, time=1.0, excited=0.1),
            qcsim.ThermalRelaxation(50.0, 70.0, 1.0, excited=0.1),
            [1],
        ),
        (qcsim.Circuit(2).kraus(matrices, 1, 0), qcsim.Kraus(matrices), [1, 0]),
        (qcsim.Circuit(2).readout_error(0.1, qubits=[1]), qcsim.ReadoutError(0.1, 0.1), [1]),
    ]
    for built, value, qubits in pairs:
        assert qcsim.Circuit(2).channel(value, qubits) == built, value


def test_noise_follows_the_gates_it_is_asked_to_follow() -> None:
    plain = qcsim.Circuit(3).h(0).cnot(0, 1).toffoli(0, 1, 2).ry(2)
    flips = plain.with_noise(after=["h", "toffoli"], channel=qcsim.BitFlip(0.1))
    assert flips == (qcsim.Circuit(3).h(0).bit_flip(0.1, 0).cnot(0, 1).toffoli(0, 1, 2)
                     .bit_flip(0.1, 0).bit_flip(0.1, 1).bit_flip(0.1, 2).ry(2))  # fmt: skip
    pairs = plain.with_noise(after="two-qubit", channel=qcsim.Depolarizing(0.2))
    assert pairs == qcsim.Circuit(3).h(0).cnot(0, 1).depolarizing(0.2, qubits=[0, 1]).toffoli(0, 1, 2).ry(2)
    singles = plain.with_noise(after="one-qubit", channel=qcsim.Depolarizing(0.2))
    assert singles == (qcsim.Circuit(3).h(0).depolarizing(0.2, qubits=[0]).cnot(0, 1).toffoli(0, 1, 2)
                       .ry(2).depolarizing(0.2, qubits=[2]))  # fmt: skip
    once = plain.with_noise(after="cnot", channel=qcsim.GlobalDepolarizing(0.2))
    assert once == qcsim.Circuit(3).h(0).cnot(0, 1).depolarizing(0.2).toffoli(0, 1, 2).ry(2)
    assert len(plain) == 4


REFUSED = [
    (lambda c: c.depolarizing(1.5, qubits=[0]), "1.5", "1.333"),
    (lambda c: c.depolarizing(1.1, qubits=[0, 1]), "1.1", "1.066"),
    (lambda c: c.depolarizing(1.02), "1.02", "1.015"),
    (lambda c: c.depolarizing(-0.1), "-0.1", "0"),
    (lambda c: c.bit_flip(1.1, 0), "1.1", "0 .. 1"),
    (lambda c: c.phase_flip(-0.1, 0), "-0.1", "0 .. 1"),
    (lambda c: c.bit_phase_flip(float("nan"), 0), "nan", "finite"),
    (lambda c: c.pauli_channel(0.5, 0.4, 0.2, 0), "1.1", "0 .. 1"),
    (lambda c: c.pauli_channel(-0.1, 0.4, 0.2, 0), "-0.1", "0"),
    (lambda c: c.amplitude_damping(1.1, 0), "1.1", "0 .. 1"),
    (lambda c: c.amplitude_damping(0.1, 0, excited=-0.5), "-0.5", "0 .. 1"),
    (lambda c: c.phase_damping(1.1, 0), "1.1", "0 .. 1"),
    (lambda c: c.thermal_relaxation(0, t1=1.0, t2=2.5, time=1.0), "2.5", "t1"),
    (lambda c: c.thermal_relaxation(0, t1=0.0, t2=1.0, time=1.0), "t1", "0"),
    (lambda c: c.thermal_relaxation(0, t1=1.0, t2=1.0, time=-1.0), "-1", "time"),
    (lambda c: c.kraus([np.eye(2), np.eye(2)], 0), "1", "sum"),
    (lambda c: c.kraus([np.eye(8)], 0, 1, 2), "(1, 8, 8)", "(m, 4, 4)"),
    (lambda c: c.readout_error(1.2), "1.2", "0 .. 1"),
    (lambda c: c.bit_flip(0.1, 3), "3", "0..2"),
    (lambda c: c.depolarizing(0.1, qubits=[1, 1]), "1", "different"),
    (lambda c: c.depolarizing(0.1, qubits=[0, 1, 2]), "3", "2"),
    (lambda c: c.cnot(0, 1).with_noise(after="cnott", channel=qcsim.BitFlip(0.1)), "cnott", "cnot"),
    (lambda c: c.h(0).with_noise(after="h", channel=qcsim.Depolarizing(0.1, n_qubits=2)), "h", "2"),
]


@pytest.mark.parametrize("at", range(len(REFUSED)))
def test_a_channel_that_is_none_is_refused_with_its_value_and_the_rule(at: int) -> None:
    call, value, rule = REFUSED[at]
    with pytest.raises(ValueError, match=re.escape(rule)) as refusal:
        call(qcsim.Circuit(3))
    assert value in str(refusal.value), refusal.value


def test_a_circuit_of_one_channel_alone_can_be_drawn_copied_and_written() -> None:
    rng = np.random.default_rng(3)
    for name in [*LOCAL, "global", "readout_error"]:
        circuit = only(random_channel(rng, 2, [name]), 2)
        assert circuit.copy() == circuit
        assert qcsim.Circuit.from_json(circuit.to_json()) == circuit
        assert str(circuit).count("\n") >= 1
