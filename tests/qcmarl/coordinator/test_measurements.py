"""Measurements: complete, positive, general enough, with the right gradients."""

import pytest
import torch

from qcmarl.coordinator.coordinates import basis, unit
from qcmarl.coordinator.measurements import POVM, LookUp, Projective

KINDS = {
    "qubit": lambda: Projective(2),
    "real qubit": lambda: Projective(2, "ry"),
    "two qubits": lambda: Projective(4),
    "two real qubits": lambda: Projective(4, "ry"),
    "povm of 2": lambda: POVM(2, 2),
    "povm of 3": lambda: POVM(2, 3),
    "povm of 4 in 3": lambda: POVM(3, 4),
}
EVERY = pytest.mark.parametrize("kind", KINDS)


def matrices(effects, dimension):
    return torch.einsum("...v,vjk->...jk", effects.to(torch.complex64), basis(dimension).to(torch.complex64))


def settings_of(measurement, samples=50, scale=2.0, seed=1):
    return scale * torch.randn(samples, measurement.settings, generator=torch.Generator().manual_seed(seed))


@EVERY
def test_effects_are_positive_and_add_up_to_the_identity(kind):
    measurement = KINDS[kind]()
    effects = measurement(settings_of(measurement))
    dimension = round(effects.shape[-1] ** 0.5)
    assert effects.shape == (50, measurement.outcomes, dimension**2)
    assert (effects.sum(1) - unit(dimension)).abs().max() < 2e-6
    assert torch.linalg.eigvalsh(matrices(effects, dimension)).min() > -1e-6


@pytest.mark.parametrize("scale", [0.0, 1e-4, 1e4])
def test_a_povm_is_complete_whatever_the_network_says(scale):
    measurement = POVM(2, 3)
    effects = measurement(settings_of(measurement, scale=scale))
    assert (effects.sum(1) - unit(2)).abs().max() < 1e-5


@pytest.mark.parametrize("kind", ["qubit", "two qubits"])
def test_projective_effects_are_projectors_of_rank_one(kind):
    measurement = KINDS[kind]()
    found = matrices(measurement(settings_of(measurement)), measurement.outcomes)
    assert torch.allclose(found @ found, found, atol=1e-5)
    assert torch.allclose(found.diagonal(dim1=-2, dim2=-1).sum(-1).real, torch.ones(()), atol=1e-5)


def test_one_qubit_turns_to_the_bloch_vector_of_its_angles():
    """U = RY(b) RZ(a): outcome 0 is read along U^dagger Z U = cos b Z - sin b (cos a X + sin a Y) or its mirror image;
    the sign of a does not matter to what can be reached."""
    a, b = 0.7, 1.1
    effect = Projective(2)(torch.tensor([[a, b]]))[0, 0] * 2**0.5
    rz = torch.diag(torch.exp(torch.tensor([-0.5j * a, 0.5j * a])))
    half = torch.tensor(b / 2)
    ry = torch.stack([torch.stack([half.cos(), -half.sin()]), torch.stack([half.sin(), half.cos()])]).to(rz.dtype)
    u = ry @ rz
    expected = u.mH @ torch.diag(torch.tensor([1, 0], dtype=rz.dtype)) @ u
    bloch = [2 * torch.einsum("jk,kj->", expected, basis(2)[i].to(rz.dtype)).real / 2**0.5 for i in range(4)]
    assert torch.allclose(effect, torch.stack(bloch), atol=1e-6)


@EVERY
def test_gradients_agree_with_differences(kind):
    measurement = KINDS[kind]()
    settings = settings_of(measurement, samples=2, scale=1.0).requires_grad_()
    weights = torch.randn(measurement(settings).shape, generator=torch.Generator().manual_seed(2))
    (slope,) = torch.autograd.grad((measurement(settings) * weights).sum(), settings)
    step = 1e-2
    with torch.no_grad():
        for i in range(measurement.settings):
            shift = torch.zeros_like(settings)
            shift[:, i] = step
            up, down = ((measurement(settings + s * shift) * weights).sum((1, 2)) for s in (1, -1))
            assert torch.allclose((up - down) / (2 * step), slope[:, i], atol=2e-3)


@pytest.mark.parametrize(("gates", "angles"), [("rotations", (2, 12, 60)), ("ry", (1, 6, 30))])
def test_there_is_an_angle_for_each_direction_of_a_measurement(gates, angles):
    """A measurement of D outcomes has D^2 - D directions, a real one half as many; whole layers may hold more."""
    assert tuple(Projective(d, gates).settings for d in (2, 4, 8)) == angles


def test_looking_up_a_number_gives_a_law_at_each_of_its_values():
    effects = LookUp(4, 3)(torch.randn(10, 12))
    assert effects.shape == (10, 3, 4)
    assert torch.allclose(effects.sum(1), torch.ones(10, 4), atol=1e-6)
    assert (effects >= 0).all()


def test_whoever_looks_up_can_decide_a_measured_outcome_cannot_be_decided():
    look = LookUp(4, 3)
    effects = look(torch.randn(10, 12))
    decided = look.decisive(effects)
    assert decided.shape == effects.shape
    assert set(decided.unique().tolist()) == {0.0, 1.0}
    assert torch.equal(decided.argmax(1), effects.argmax(1))
    qubit = Projective(2)
    effects = qubit(torch.randn(5, 2))
    assert qubit.decisive(effects) is effects


def test_projective_measurements_are_of_qubits():
    with pytest.raises(ValueError, match="dimension is 3; projective measurements rotate qubits"):
        Projective(3)
