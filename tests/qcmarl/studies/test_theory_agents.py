"""Size and cost of the circuit over the number of agents."""

import pytest

from qcmarl.studies.theory.agents import cost, exponent, state_size


def test_the_state_stays_below_twice_the_latents_for_any_team():
    for latent in (1, 7, 64, 100):
        for agents in range(2, 300):
            size = state_size(agents, latent)
            assert agents * latent <= size.amplitudes < size.bound == 2 * agents * latent
            assert size.amplitudes == 2**size.qubits


def test_the_qubits_of_smacs_teams():
    assert {n: state_size(n).qubits for n in (3, 5, 6, 8, 10, 27)} == {3: 8, 5: 9, 6: 9, 8: 9, 10: 10, 27: 11}
    assert state_size(8).angles == 36


def test_doubling_the_team_adds_one_qubit_and_as_many_angles_as_layers():
    for agents in (3, 5, 16):
        one, two = state_size(agents), state_size(2 * agents)
        assert (two.qubits - one.qubits, two.angles - one.angles) == (1, 4)


def test_the_exponent_of_a_power_law_is_its_power():
    assert exponent([3, 9, 27], [2 * 3**1.5, 2 * 9**1.5, 2 * 27**1.5]) == pytest.approx(1.5)


def test_a_cost_is_measured_of_both_mixers():
    found = cost(3, samples=16, rounds=2)
    assert (found.agents, found.qubits, found.samples) == (3, 8, 16)
    assert 0 < found.circuit < 1e5
    assert 0 < found.dense < 1e5
