"""What stands in for QC-MAPPO's circuit: each control is what it says, has the parameters it says, and trains."""

import math

import pytest
import torch
from learners import qc_mappo
from tasks import EASY, greedy_return, matrix_game, relay_game

from qcmarl.algos.qc_mappo import QCMAPPO, QCMAPPOConfig, build_policy, resolve
from qcmarl.buffer import Sizes
from qcmarl.laws import Inputs
from qcmarl.mixers import NoCircuit, OrthogonalMixer
from qcmarl.quantum import Circuit, build_mixer, rotations

SIZES = Sizes(agents=3, actions=5, features=12, state=7)
FACTORED = ("quantum", "no-cnot", "frozen", "orthogonal", "linear", "mlp", "wide", "none")
LAWS = ("quantum", "no-cnot", "frozen", "orthogonal", "none")
TRAINED = ("quantum", "no-cnot", "orthogonal", "linear", "mlp")


def mixer(kind, readout="factored", amplitudes=8, layers=2, measured=3):
    torch.manual_seed(4)
    return build_mixer(kind, readout, amplitudes, layers, measured, "adjoint", width=5)


def some_latents(samples=6, amplitudes=8, **options):
    return torch.randn(samples, amplitudes, generator=torch.Generator().manual_seed(3), **options)


def built(sizes=SIZES, **options):
    torch.manual_seed(1)
    return build_policy(resolve(QCMAPPOConfig(**{"latent": 8, "hidden": 16, **options}), "toy:lamps"), sizes)


def count(module):
    return sum(p.numel() for p in module.parameters())


# Each is what it says -------------------------------------------------------------------------------------------------


def test_without_cnots_two_qubits_are_rotated_one_by_one_by_the_sum_of_their_angles():
    circuit = mixer("no-cnot", amplitudes=4, measured=2)
    angles = torch.tensor([0.3, -0.7, 0.5, 0.2])  # of layer 0: qubits 0 and 1; of layer 1: the same
    circuit.layer.weights.data.copy_(angles)
    x = torch.tensor([[0.1, 0.5, -0.4, 0.9]])

    def ry(t):
        return torch.tensor([[math.cos(t / 2), -math.sin(t / 2)], [math.sin(t / 2), math.cos(t / 2)]])

    psi = (x / x.norm()).view(2, 2)  # qubit 0 is the row
    expected = (ry(0.3 + 0.5) @ psi @ ry(-0.7 + 0.2).t()).square()
    assert torch.allclose(circuit(x), expected.view(1, 4), atol=1e-6)


def test_without_cnots_a_product_of_qubits_stays_a_product():
    circuit = mixer("no-cnot", amplitudes=8)
    torch.nn.init.uniform_(circuit.layer.weights, -3, 3)
    a, b, c = (some_latents(5, 2) + k for k in range(3))
    p = circuit(torch.einsum("mi,mj,mk->mijk", a, b, c).flatten(1)).view(5, 2, 2, 2)
    product = torch.einsum("mi,mj,mk->mijk", p.sum((2, 3)), p.sum((1, 3)), p.sum((1, 2)))
    assert torch.allclose(p, product, atol=1e-6)


def test_the_circuit_without_cnots_has_the_angles_and_rotations_of_the_one_with_them():
    assert rotations(3, 2).n_weights == 6
    assert "CNOT" not in str(rotations(3, 2)).upper()


@pytest.mark.parametrize("kind", ["quantum", "no-cnot", "frozen"])
@pytest.mark.parametrize("measured", [2, 3])
def test_no_layers_are_no_circuit(kind, measured):
    x = some_latents(amplitudes=6)
    found = mixer(kind, amplitudes=6, layers=0, measured=measured)(x)
    assert torch.allclose(found, NoCircuit(6, measured)(x), atol=1e-6)


def test_a_learner_without_layers_learns_what_one_without_a_circuit_does():
    weights = []
    for options in ({"layers": 0}, {"circuit": "none"}):
        learner = qc_mappo(**options)
        learner.iterate()
        weights.append(torch.cat([p.detach().flatten() for p in learner.policy.parameters()]))
    assert torch.allclose(*weights, atol=1e-4)


def test_frozen_angles_lie_all_over_the_circle_and_are_no_parameters():
    circuit = mixer("frozen", amplitudes=256, layers=50, measured=8)
    assert count(circuit) == 0
    angles = circuit.layer.weights
    assert angles.shape == (400,)
    assert (angles.abs() <= math.pi).all()
    assert angles.std().item() == pytest.approx(math.pi / 3**0.5, rel=0.1)


def test_frozen_angles_do_not_move_in_an_update_and_are_kept_with_the_weights():
    learner = qc_mappo(circuit="frozen")
    before = learner.policy.mixer.layer.weights.clone()
    learner.iterate()
    assert torch.equal(learner.policy.mixer.layer.weights, before)
    assert torch.equal(learner.policy.state_dict()["mixer.layer.weights"], before)
    assert len(learner.actor_adam.param_groups) == 1


def test_the_orthogonal_mixer_preserves_the_norm():
    dense = OrthogonalMixer(16)
    torch.nn.init.normal_(dense.skew, std=2.0)
    q = dense.matrix()
    assert torch.allclose(q @ q.t(), torch.eye(16), atol=1e-5)
    assert torch.linalg.det(q).item() == pytest.approx(1, abs=1e-4)
    assert torch.allclose(dense(some_latents(amplitudes=16)).sum(-1), torch.ones(6), atol=1e-5)


def test_the_orthogonal_mixer_measures_the_rotated_latents():
    dense = OrthogonalMixer(6, measured=2)
    x = some_latents(amplitudes=6)
    padded = torch.zeros(6, 8)
    padded[:, :6] = x / x.norm(dim=1, keepdim=True)
    p = (padded @ dense.matrix().t()).square()
    assert torch.allclose(dense(x), p.view(6, 4, 2).sum(-1), atol=1e-6)


def test_the_first_orthogonal_matrix_turns_a_state_as_far_as_the_first_angles():
    torch.manual_seed(0)
    for size in (16, 256):
        x = torch.nn.functional.normalize(torch.randn(50, size), dim=1)
        moved = (x @ OrthogonalMixer(size).matrix().t() - x).norm(dim=1)
        assert moved.square().mean().sqrt().item() == pytest.approx(0.15, rel=0.25)


def test_the_orthogonal_matrix_of_play_follows_every_change_of_its_numbers():
    learner = qc_mappo(circuit="orthogonal")
    dense = learner.policy.mixer
    x = some_latents(amplitudes=24)
    for change in (learner.iterate, lambda: dense.load_state_dict({"skew": torch.zeros_like(dense.skew)})):
        change()
        with torch.inference_mode():
            first, again = dense(x), dense(x)
        assert torch.equal(first, again)
        assert torch.allclose(first, dense(x), atol=1e-6)


# Parameters -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "expected"), [("no-cnot", 20), ("frozen", 0), ("orthogonal", 496), ("none", 0)])
def test_the_controls_of_the_circuit_share_everything_but_the_mixer(kind, expected):
    quantum, control = built(), built(circuit=kind)  # 24 latents on 5 qubits
    assert count(control.mixer) == expected  # 4 * 5, 32 * 31 / 2
    assert count(control) - count(control.mixer) == count(quantum) - count(quantum.mixer)


@pytest.mark.parametrize(
    "sizes",
    [SIZES, Sizes(agents=3, actions=9, features=42, state=49), Sizes(agents=8, actions=15, features=108, state=180)],
)
@pytest.mark.parametrize("measured", [4, None, "all"])
@pytest.mark.parametrize("kind", ["mlp", "wide"])
def test_the_classical_actors_have_the_circuits_parameters_to_within_a_unit(sizes, measured, kind):
    quantum, control = (
        built(sizes, latent=64, hidden=64, measured_qubits=measured, circuit=c) for c in ("quantum", kind)
    )
    latents, outputs = control.encoder.layers[1].out_features, sizes.agents * sizes.actions
    unit = sizes.agents * latents + 1 + outputs if kind == "mlp" else sizes.features + 1 + latents
    assert 0 <= count(control) - count(quantum) < unit


EIGHT = Sizes(agents=8, actions=15, features=108, state=180)  # of skirmish:8m_vs_9m


def test_the_parameters_on_8m_vs_9m_by_hand():
    encoder = 108 * 64 + 64 + 64 * 64 + 64
    assert count(built(EIGHT, latent=64, hidden=64)) == encoder + (64 * 120 + 120) + 36  # 6 qubits are measured
    mlp = 108 * 64 + 64 + 64 * 8 + 8  # as many latents as outcomes: 8 for each agent
    hidden = 64 * 62 + 62 + 62 * 120 + 120
    assert count(built(EIGHT, latent=64, hidden=64, circuit="mlp")) == mlp + hidden
    wide = 108 * 96 + 96 + 96 * 8 + 8
    assert count(built(EIGHT, latent=64, hidden=64, circuit="wide")) == wide + (64 * 120 + 120)


def test_with_all_qubits_measured_the_classical_actors_are_larger():
    everything = {"latent": 64, "hidden": 64, "measured_qubits": "all"}
    assert built(EIGHT, circuit="mlp", **everything).mixer.map.out_features == 98
    wide = built(EIGHT, circuit="wide", **everything).encoder
    assert [layer.out_features for layer in wide.layers] == [65, 64]


@pytest.mark.parametrize("kind", ["mlp", "wide"])
def test_a_control_of_a_few_readings_still_sees_more_than_signs(kind):
    actor = built(EIGHT, latent=64, hidden=64, measured_qubits=1, circuit=kind)
    assert actor.encoder.layers[1].out_features == 3  # a quarter of a reading each would be none
    latents = actor.encode(Inputs(torch.randn(320, 108), torch.ones(40, 8, 15, dtype=torch.bool), torch.arange(320)))
    assert len(latents.round(decimals=3).unique()) > 300


# They train -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", FACTORED)
def test_gradients_of_latents_and_weights_agree_with_finite_differences(kind):
    module = mixer(kind).double()
    names = [name for name, _ in module.named_parameters()]

    def read(x, *weights):
        return torch.func.functional_call(module, dict(zip(names, weights, strict=True)), (x,))

    weights = [p.detach().clone().requires_grad_() for p in module.parameters()]
    assert torch.autograd.gradcheck(read, (some_latents(3, dtype=torch.float64).requires_grad_(), *weights))


@pytest.mark.parametrize("kind", FACTORED)
def test_one_update_moves_whatever_is_trained(kind):
    learner = qc_mappo(circuit=kind)
    before = [p.detach().clone() for p in learner.policy.parameters()]
    learner.iterate()
    assert all(not torch.equal(a, b) for a, b in zip(before, learner.policy.parameters(), strict=True))
    assert (count(learner.policy.mixer) > 0) == (kind in TRAINED)


def central(env, kind, readout):
    torch.manual_seed(0)
    sizes = {"n_envs": env.n_envs, "rollout_steps": 2, "hidden": 16, "critic_hidden": 16, "latent": 8}
    config = QCMAPPOConfig(**sizes, minibatches=1, lr=1e-2, circuit=kind, readout=readout)
    return QCMAPPO(resolve(config, env.name), env, seed=3)


def learned(env, kind, readout, iterations):
    learner = central(env, kind, readout)
    for _ in range(iterations):
        learner.iterate()
    return greedy_return(learner, env)


EVERY = [("factored", kind) for kind in FACTORED] + [("outcome", kind) for kind in (*LAWS, "linear")]


@pytest.mark.parametrize(("readout", "kind"), EVERY)
def test_every_mixer_solves_the_easy_game(readout, kind):
    assert learned(matrix_game(EASY, 64), kind, readout, 15) == 1


@pytest.mark.parametrize("kind", FACTORED)
def test_every_mixer_relays_what_only_one_agent_sees(kind):
    assert learned(relay_game(n_envs=64), kind, "factored", 20) == 1


@pytest.mark.parametrize(("kind", "most"), [("linear", 0.95), ("quantum", 2 / 3)])
def test_a_shared_outcome_relays_as_sharply_as_its_law_can_be(kind, most):
    assert learned(relay_game(n_envs=64), kind, "outcome", 80) > most  # 1/3 for a team that cannot tell


@pytest.mark.parametrize("kind", LAWS)
@pytest.mark.parametrize("readout", ["factored", "outcome"])
def test_an_unavailable_action_has_probability_exactly_zero_under_every_law(kind, readout):
    avail = torch.rand(20, 3, 5, generator=torch.Generator().manual_seed(2)) < 0.5
    avail[..., 1] = True
    law, _ = built(circuit=kind, readout=readout)(Inputs(some_latents(60, 12), avail, torch.arange(60)))
    if readout == "factored":
        assert (law.log_probs.exp()[~avail.flatten(0, 1)] == 0).all()
    else:
        assert (law.marginals().transpose(0, 1)[~avail] == 0).all()


# What cannot be -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"circuit": "mlp", "readout": "outcome"}, "circuit 'mlp' gives plain numbers, no law; readout must be"),
        ({"circuit": "wide", "readout": "outcome"}, "the classical law for 'outcome' is circuit 'linear'"),
        ({"layers": -1}, "layers is -1; it must be at least 0"),
        ({"lr": math.inf}, "lr is inf; it must be finite"),
        ({"angle_lr": math.inf}, "angle_lr is inf; it must be positive and finite"),
        ({"latent": 2}, "latent is 2; it must be at least 3"),
        ({"hidden": 2}, "hidden is 2; it must be at least 3"),
        ({"circuit": "no-cnot", "noise": "bit-flip:0.1"}, "follows the CNOTs, and circuit 'no-cnot' with 4 layers has"),
        ({"layers": 0, "noise": "bit-flip:0.1"}, "circuit 'quantum' with 0 layers has none"),
        ({"circuit": "mlp", "noise": "bit-flip:0.1"}, "which 'mlp' leaves out; circuit must be 'quantum' or 'frozen'"),
    ],
)
def test_what_cannot_be_combined_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        built(**options)


def test_an_orthogonal_matrix_beyond_11_qubits_is_refused():
    with pytest.raises(ValueError, match="would be a dense matrix of 12 qubits; it must be at most 11"):
        built(circuit="orthogonal", latent=1024)


def test_a_frozen_circuit_can_be_noisy():
    assert isinstance(built(circuit="frozen", noise="global-depolarizing:0.1").mixer, Circuit)
