"""The circuit of QC-MAPPO and the controls that stand in for it."""

import pytest
import torch

from oracle import dense
from qcmarl.algos.qc_mappo import QCMAPPOConfig, build_policy, qubits_of, resolve
from qcmarl.buffer import Sizes
from qcmarl.laws import Inputs
from qcmarl.mixers import CentredHead, NoCircuit, qubits_for
from qcmarl.quantum import Circuit, build_mixer

GENERATOR = torch.Generator().manual_seed(2)
SIZES = Sizes(agents=3, actions=5, features=12, state=7)


def built(**options):
    return build_policy(resolve(QCMAPPOConfig(latent=8, hidden=16, **options), "toy:lamps"), SIZES)


def parameter_count(module):
    return sum(p.numel() for p in module.parameters())


def some_inputs(samples=5, dead=()):
    living = torch.tensor([m * 3 + i for m in range(samples) for i in range(3) if (m, i) not in dead])
    x = torch.randn(samples * 3, 12, generator=GENERATOR)[living]
    return Inputs(x, torch.ones(samples, 3, 5, dtype=torch.bool), living)


@pytest.mark.parametrize(("amplitudes", "qubits"), [(1, 1), (2, 1), (3, 2), (192, 8), (320, 9), (512, 9), (513, 10)])
def test_qubits_are_the_logarithm_rounded_up(amplitudes, qubits):
    assert qubits_for(amplitudes) == qubits


def test_the_circuit_is_layers_of_ry_and_a_ring_of_cnots_on_the_padded_amplitudes():
    circuit = Circuit(amplitudes=6, layers=2)
    gates = dense.hardware_efficient(3, 2)
    x = torch.randn(4, 6, generator=GENERATOR)
    expected = dense.outputs(3, gates, circuit.layer.weights.detach().double().numpy(), x.double().numpy())
    assert torch.allclose(circuit(x).double(), torch.from_numpy(expected), atol=1e-6)


def test_measuring_k_qubits_sums_the_others_out():
    torch.manual_seed(0)
    everything = Circuit(12, 2)
    some = Circuit(12, 2, measured=2)
    some.load_state_dict(everything.state_dict())
    x = torch.randn(3, 12, generator=GENERATOR)
    assert torch.allclose(some(x), everything(x).view(3, 4, 4).sum(-1), atol=1e-6)
    none = NoCircuit(12, 2)(x)
    assert torch.allclose(none.sum(-1), torch.ones(3))
    assert torch.allclose(none[:, 3], torch.zeros(3))  # amplitudes 12..15 are padding


def test_the_head_reads_the_centred_law():
    head = CentredHead(8, 4, 3, 0.5)
    head.map.bias.data.normal_()
    p = torch.softmax(torch.randn(4, 8, generator=GENERATOR), -1)
    assert torch.allclose(head(p), head.map(0.7 * 2 * (8 * p - 1)), atol=1e-5)


def test_a_random_states_reading_is_of_unit_scale():
    x = torch.randn(2000, 512, generator=GENERATOR)
    for measured in (9, 7):
        p = build_mixer("none", "factored", 512, 4, measured, "adjoint")(x)
        scale = CentredHead(1 << measured, 1 << (9 - measured), 3, 1.0).scale
        assert (scale * (p * p.shape[1] - 1)).std().item() == pytest.approx(1, abs=0.03)
    assert build_mixer("linear", "factored", 512, 4, 9, "adjoint")(x).std().item() == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("readout", ["factored", "outcome"])
def test_the_linear_control_differs_from_the_circuit_only_in_the_mixer(readout):
    quantum, linear = built(readout=readout), built(readout=readout, circuit="linear")

    def rest(policy):
        return parameter_count(policy) - parameter_count(policy.mixer)

    assert rest(quantum) == rest(linear)
    assert parameter_count(quantum.mixer) == 4 * 5
    x = torch.randn(2, 24, generator=GENERATOR)
    assert quantum.mixer(x).shape == linear.mixer(x).shape
    assert torch.allclose(linear.mixer(x), linear.mixer(7 * x), atol=1e-5)  # it too sees directions only


def test_an_outcome_mixers_reading_is_a_law():
    x = torch.randn(6, 24, generator=GENERATOR)
    for kind in ("quantum", "linear", "none"):
        mixer = build_mixer(kind, "outcome", 24, 4, 3, "adjoint")
        assert mixer.is_law
        assert torch.allclose(mixer(x).sum(-1), torch.ones(6), atol=1e-5)


def test_parameter_shift_and_adjoint_agree():
    gradients = []
    for gradient in ("adjoint", "parameter-shift"):
        torch.manual_seed(3)
        policy = built(gradient=gradient)
        law, _ = policy(some_inputs_fixed)
        (law.log_probs * torch.arange(5)).sum().backward()
        gradients.append(policy.mixer.layer.weights.grad)
    assert gradients[0].abs().max() > 0
    assert torch.allclose(*gradients, atol=1e-5)


some_inputs_fixed = some_inputs()


def test_a_dead_agent_leaves_the_amplitudes_to_the_living():
    policy = built()
    latents = policy.encode(some_inputs(dead={(0, 1), (2, 0), (2, 1), (2, 2)}))
    assert latents[0, 1].abs().max() < 1e-5
    assert latents[0, 0].norm().item() == pytest.approx(8**0.5, rel=1e-3)
    assert policy.read(latents).isfinite().all()  # also where nobody lives
    assert (latents[2] != 0).all()


def test_a_fixed_reading_makes_the_law_independent_of_the_mixer():
    policy = built(readout="outcome")
    inputs = some_inputs()
    policy.fixed_reading = torch.full((16,), 1 / 16)
    law, _ = policy(inputs)
    assert torch.equal(law.p, torch.full((5, 16), 1 / 16))


def test_too_many_measured_qubits_are_refused():
    with pytest.raises(ValueError, match="measured_qubits is 6; 3 agents of 8 numbers make 5 qubits"):
        built(readout="outcome", measured_qubits=6)


@pytest.mark.parametrize(
    ("readout", "latent", "measured"),
    [("factored", 8, 5), ("factored", 64, 6), ("factored", 128, 6), ("factored", 1024, 9), ("outcome", 8, 4)],
)
def test_by_default_few_qubits_are_measured(readout, latent, measured):
    config = resolve(QCMAPPOConfig(readout=readout, latent=latent), "toy:lamps")
    assert qubits_of(config, Sizes(agents=3, actions=4, features=10, state=9)).measured == measured


def test_per_agent_ratios_of_a_joint_law_are_refused():
    with pytest.raises(ValueError, match="ratio 'agent' needs a law that factorises"):
        built(readout="outcome", ratio="agent")


def test_ratio_and_clip_default_to_the_law_and_the_map():
    def chosen(env, **options):
        config = resolve(QCMAPPOConfig(**options), env)
        return config.ratio, config.clip

    assert chosen("skirmish:3m") == ("agent", 0.2)
    assert chosen("skirmish:8m_vs_9m") == ("agent", 0.1)
    assert chosen("skirmish:8m_vs_9m", ratio="joint") == ("joint", 0.2)
    assert chosen("skirmish:8m_vs_9m", readout="outcome") == ("joint", 0.2)
    assert chosen("skirmish:8m_vs_9m", clip=0.07) == ("agent", 0.07)
