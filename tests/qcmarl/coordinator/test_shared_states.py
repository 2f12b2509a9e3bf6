"""What is shared, against textbook states and channels."""

import numpy as np
import pytest
import torch

from qcmarl.coordinator.coordinates import basis
from qcmarl.coordinator.states import QuantumState, SharedRandomness, ket_of

PAULI = {
    "I": np.eye(2),
    "X": np.array([[0, 1], [1, 0]]),
    "Y": np.array([[0, -1j], [1j, 0]]),
    "Z": np.diag([1, -1]),
}


def density(state):
    """(D^n, D^n) matrix with the coordinates of a resource."""
    coordinates, agents = state().detach().double(), state.agents
    matrices = basis(state.dimension)
    rho = coordinates.to(matrices.dtype)
    for _ in range(agents):
        rho = torch.tensordot(rho, matrices, ([0], [0]))
    order = [axis for side in (0, 1) for axis in range(side, 2 * agents, 2)]
    return rho.permute(order).reshape(state.dimension**agents, -1).numpy()


@pytest.mark.parametrize(
    ("name", "xx", "yy", "zz"), [("phi+", 1, -1, 1), ("phi-", -1, 1, 1), ("psi+", 1, 1, -1), ("psi-", -1, -1, -1)]
)
def test_bell_states_have_their_correlations(name, xx, yy, zz):
    rho = density(QuantumState(name, 2, 2))
    for pauli, expected in (("X", xx), ("Y", yy), ("Z", zz)):
        assert np.trace(rho @ np.kron(PAULI[pauli], PAULI[pauli])).real == pytest.approx(expected, abs=1e-6)


def test_a_ghz_state_of_three_satisfies_mermins_identities():
    rho = density(QuantumState("ghz", 3, 2))
    for paulis, expected in (("XXX", 1), ("XYY", -1), ("YXY", -1), ("YYX", -1)):
        joint = np.kron(np.kron(PAULI[paulis[0]], PAULI[paulis[1]]), PAULI[paulis[2]])
        assert np.trace(rho @ joint).real == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("visibility", [0.0, 0.3, 1.0])
def test_werner_noise_mixes_with_white_noise(visibility):
    pure, noisy = density(QuantumState("psi-", 2, 2)), density(QuantumState("psi-", 2, 2, visibility=visibility))
    assert np.allclose(noisy, visibility * pure + (1 - visibility) * np.eye(4) / 4, atol=1e-6)


def test_local_noise_replaces_each_part():
    """(1-e)^2 rho + e(1-e) (rho_A x I/2 + I/2 x rho_B) + e^2 I/4, with both parts of a Bell pair mixed already."""
    e = 0.3
    pure, noisy = density(QuantumState("phi+", 2, 2)), density(QuantumState("phi+", 2, 2, depolarizing=e))
    assert np.allclose(noisy, (1 - e) ** 2 * pure + (1 - (1 - e) ** 2) * np.eye(4) / 4, atol=1e-6)
    product = density(QuantumState("product", 2, 2, depolarizing=e))
    part = np.diag([1 - e / 2, e / 2])
    assert np.allclose(product, np.kron(part, part), atol=1e-6)


def test_learned_states_are_pure_states_with_gradients():
    torch.manual_seed(3)
    state = QuantumState("learned", 2, 3)
    rho = density(state)
    assert np.trace(rho).real == pytest.approx(1, abs=1e-5)
    assert np.trace(rho @ rho).real == pytest.approx(1, abs=1e-5)
    assert np.linalg.eigvalsh(rho).min() > -1e-6
    state()[1, 1].backward()
    assert state.amplitudes.grad.abs().sum() > 0


def test_shared_randomness_lies_on_the_diagonal():
    shared = SharedRandomness(3, 4)
    with torch.no_grad():
        shared.odds.copy_(torch.tensor([0.1, 0.2, 0.3, 0.4]).log())
    state = shared().detach()
    assert torch.allclose(torch.einsum("iii->i", state), torch.tensor([0.1, 0.2, 0.3, 0.4]))
    assert float(state.sum()) == pytest.approx(1)
    assert int((state > 0).sum()) == 4


def test_bell_states_are_for_two_qubits():
    with pytest.raises(ValueError, match="state 'psi-' is of two agents with a qubit each, not of 3 with dimension 2"):
        ket_of("psi-", 3, 2)


def test_a_state_too_large_is_refused():
    with pytest.raises(ValueError, match=r"9 agents with dimension 2 share 2\^18 numbers; the most are 65536"):
        QuantumState("ghz", 9, 2)
    with pytest.raises(ValueError, match=r"5 agents with 16 shared values need 16\^5 numbers"):
        SharedRandomness(5, 16)
