"""The register readout: one law over all joint actions, against enumeration."""

import itertools
import math

import pytest
import torch
from learners import qc_mappo
from tasks import CLIMBING, EASY, greedy_return, matrix_game, relay_game
from toy import LampGame

from qcmarl.algos.qc_mappo import QCMAPPO, QCMAPPOConfig, build_policy, resolve
from qcmarl.buffer import Sizes
from qcmarl.laws import Inputs
from qcmarl.laws.register import RegisterLaw, outcomes, qubits_per_agent, register_qubits
from qcmarl.laws.table import drawn

GENERATOR = torch.Generator().manual_seed(5)
THREE = Sizes(agents=3, actions=9, features=42, state=49)  # of skirmish:3m


def masks(samples, agents=3, actions=9):
    avail = torch.rand(samples, agents, actions, generator=GENERATOR) < 0.6
    avail[..., 1] = True
    return avail


def some_law(samples=4):
    """(M, 4096) like squares of random amplitudes, and masks."""
    amplitudes = torch.randn(samples, 4096, generator=GENERATOR)
    return torch.nn.functional.normalize(amplitudes, dim=1).square(), masks(samples)


def every_action(agents=3, actions=9):
    return torch.tensor(list(itertools.product(range(actions), repeat=agents)))


def repeated(p, avail, count):
    return RegisterLaw(p.expand(count, -1), avail.expand(count, -1, -1))


# The law --------------------------------------------------------------------------------------------------------------


def test_an_outcome_is_the_agents_actions_in_binary_one_after_the_other():
    p = torch.full((1, 64), 1e-4)  # 3 agents with 4 actions: 2 qubits each
    p[0, 0b10_01_11] = 0.9
    avail = torch.ones(1, 3, 4, dtype=torch.bool)
    assert RegisterLaw(p, avail).mode(GENERATOR).tolist() == [[2, 1, 3]]


def test_log_probs_on_3m_are_those_of_the_born_rule_renormalised_over_what_is_available():
    p, avail = some_law()
    actions = every_action()
    for m in range(len(p)):
        weights = torch.zeros(729, dtype=torch.float64)
        for k, (a, b, c) in enumerate(actions.tolist()):
            if avail[m, 0, a] and avail[m, 1, b] and avail[m, 2, c]:
                weights[k] = p[m, 256 * a + 16 * b + c] + 1e-6 / 4096
        found = repeated(p[m : m + 1], avail[m : m + 1], 729).log_prob(actions).exp()
        assert found.sum().item() == pytest.approx(1, abs=1e-5)
        assert torch.allclose(found.double(), weights / weights.sum(), atol=1e-6)
        assert (found[weights == 0] == 0).all()


def test_samples_on_3m_pass_a_chi_square_test():
    p, avail = some_law(1)
    draws = 40_000
    law = repeated(p, avail, 1)
    expected = law.log_probs.exp()[0] * draws
    code = (repeated(p, avail, draws).sample(GENERATOR) * torch.tensor([81, 9, 1])).sum(1)
    observed = torch.bincount(code, minlength=729)
    assert (observed[expected == 0] == 0).all()
    likely = expected >= 20
    terms = (observed[likely] - expected[likely]).square() / expected[likely]
    degrees = int(likely.sum()) - 1
    assert degrees > 100
    assert abs(terms.sum().item() - degrees) < 4 * (2 * degrees) ** 0.5


def test_marginals_are_sums_over_the_others():
    p, avail = some_law()
    law = RegisterLaw(p, avail)
    table = law.log_probs.exp().view(4, 9, 9, 9)
    for agent, others in enumerate([(2, 3), (1, 3), (1, 2)]):
        assert torch.allclose(law.marginals()[agent], table.sum(others), atol=1e-6)


def test_what_has_no_probability_is_not_drawn_even_at_the_very_top():
    class Top:
        """Draws the largest number below 1."""

        def __call__(self, *shape, generator, dtype, device):
            return torch.full(shape, 1 - 2**-24, dtype=dtype)

    p = torch.tensor([[0.0, 0.3, 0.0, 0.7 + 3e-7, 0.0], [0.0, 0.0, 1.0, 0.0, 0.0]])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "rand", Top())
        assert drawn(p, GENERATOR).tolist() == [3, 2]
    assert drawn(p.repeat(500, 1), GENERATOR).unique().tolist() == [1, 2, 3]


@pytest.mark.parametrize(("agents", "actions"), [(1, 3), (2, 2), (2, 5), (4, 6)])
def test_teams_of_any_size_have_a_law(agents, actions):
    p = torch.softmax(torch.randn(3, 1 << register_qubits(agents, actions), generator=GENERATOR), -1)
    avail = masks(3, agents, actions)
    law = RegisterLaw(p, avail)
    assert torch.allclose(law.log_probs.exp().sum(-1), torch.ones(3), atol=1e-5)
    assert torch.allclose(law.marginals().sum(-1), torch.ones(agents, 3), atol=1e-5)
    assert (law.marginals().transpose(0, 1)[~avail] == 0).all()
    actions_drawn = law.sample(GENERATOR)
    assert avail.gather(2, actions_drawn.unsqueeze(-1)).all()
    assert torch.equal(law.log_prob(law.mode(GENERATOR)), law.log_probs.amax(-1))


def test_the_law_is_even_where_nothing_that_is_measured_is_available():
    p = torch.zeros(1, 4096)
    p[0, 0] = 1.0  # everybody's action 0
    avail = masks(1)
    avail[0, :, 0] = False
    law = RegisterLaw(p, avail)
    allowed = avail.sum(-1).prod()
    found = law.log_probs.exp()
    assert torch.allclose(found[found > 0], 1 / allowed.float(), rtol=1e-5)
    assert (found > 0).sum() == allowed


def test_the_dead_do_their_only_action_and_carry_no_entropy():
    p, avail = some_law()
    avail[:] = False
    avail[..., 0] = True
    law = RegisterLaw(p, avail)
    assert (law.sample(GENERATOR) == 0).all()
    assert (law.log_prob(torch.zeros(4, 3, dtype=torch.int64)) == 0).all()
    assert law.entropy_sum() == 0


# Entropy and correlation ----------------------------------------------------------------------------------------------


def test_a_shared_fair_coin_has_its_entropy_once_and_its_correlation_once_per_further_agent():
    p = torch.zeros(1, 64)
    p[0, 0b00_00_00] = p[0, 0b01_01_01] = 0.5
    law = RegisterLaw(p, torch.ones(1, 3, 4, dtype=torch.bool))
    assert law.entropy_sum().item() == pytest.approx(math.log(2), abs=1e-4)
    assert law.exact_total_correlation().item() == pytest.approx(2 * math.log(2), abs=1e-4)


def test_a_product_has_no_correlation_whatever_is_masked():
    a, b, c = (torch.softmax(torch.randn(5, 16, generator=GENERATOR), -1) for _ in range(3))
    p = torch.einsum("mi,mj,mk->mijk", a, b, c).flatten(1)
    assert RegisterLaw(p, masks(5)).exact_total_correlation().abs().max() < 1e-4


def test_gradients_of_probabilities_and_entropy_agree_with_finite_differences():
    avail = masks(2, 2, 3)
    actions = RegisterLaw(torch.full((2, 16), 1 / 16), avail).sample(GENERATOR)

    def scored(logits):
        law = RegisterLaw(torch.softmax(logits, -1), avail)
        return law.log_prob(actions), law.entropy_sum()

    logits = torch.randn(2, 16, generator=GENERATOR, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(scored, (logits,))


def test_a_law_first_made_at_play_can_be_differentiated_afterwards():
    outcomes.cache_clear()
    p, avail = some_law(2)
    with torch.inference_mode():
        RegisterLaw(p, avail)
    p.requires_grad_()
    RegisterLaw(p, avail).entropy_sum().backward()
    assert p.grad.abs().max() > 0


def test_gradients_stay_finite_where_an_outcome_has_no_amplitude():
    x = torch.zeros(1, 16, requires_grad=True)
    law = RegisterLaw((x + torch.eye(16)[:1]).square(), torch.ones(1, 2, 4, dtype=torch.bool))
    (law.log_prob(torch.tensor([[3, 3]])).sum() + law.entropy_sum()).backward()
    assert x.grad.isfinite().all()


# The actor ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("actions", "qubits"), [(2, 1), (3, 2), (4, 2), (5, 3), (9, 4), (16, 4), (17, 5)])
def test_an_agents_qubits_are_the_logarithm_of_its_actions_rounded_up(actions, qubits):
    assert qubits_per_agent(actions) == qubits


def test_on_3m_the_register_is_the_whole_circuit_of_12_qubits():
    policy = build_policy(resolve(QCMAPPOConfig(readout="register", latent=64), "skirmish:3m"), THREE)
    assert policy.mixer.layer.weights.shape == (4 * 12,)
    law, _ = policy(Inputs(torch.randn(6, 42, generator=GENERATOR), masks(2), torch.arange(6)))
    assert law.log_probs.shape == (2, 729)
    assert torch.allclose(law.log_probs.exp().sum(-1), torch.ones(2), atol=1e-5)


def test_latents_that_need_more_qubits_than_the_register_get_them():
    config = resolve(QCMAPPOConfig(readout="register", latent=64), "toy:lamps")
    policy = build_policy(config, Sizes(agents=2, actions=3, features=4, state=5))
    assert policy.mixer.layer.weights.shape == (4 * 7,)
    law, _ = policy(Inputs(torch.randn(4, 4), torch.ones(2, 2, 3, dtype=torch.bool), torch.arange(4)))
    assert law.log_probs.shape == (2, 9)


@pytest.mark.parametrize(
    ("options", "sizes", "message"),
    [
        ({}, Sizes(8, 15, 20, 30), r"needs 32 qubits: 8 agents times ceil\(log2\(15\)\) = 4; at most 16"),
        ({"measured_qubits": 3}, THREE, "measured_qubits is 3; readout 'register' measures"),
        ({"ratio": "agent"}, THREE, "ratio 'agent' needs a law that factorises"),
        ({"circuit": "none"}, THREE, "readout 'register' needs something that turns the amplitudes"),
        ({"layers": 0}, THREE, "readout 'register' needs something that turns the amplitudes"),
        ({"circuit": "mlp"}, THREE, "the classical law for 'register' is circuit 'linear'"),
        ({"circuit": "orthogonal"}, THREE, "would be a dense matrix of 12 qubits"),
    ],
)
def test_what_a_register_cannot_be_is_refused(options, sizes, message):
    with pytest.raises(ValueError, match=message):
        build_policy(resolve(QCMAPPOConfig(readout="register", **options), "skirmish:3m"), sizes)


def learned(env, kind, iterations):
    torch.manual_seed(0)
    sizes = {"n_envs": env.n_envs, "rollout_steps": 2, "hidden": 16, "critic_hidden": 16, "latent": 8}
    config = QCMAPPOConfig(**sizes, minibatches=1, lr=1e-2, circuit=kind, readout="register")
    learner = QCMAPPO(resolve(config, env.name), env, seed=3)
    for _ in range(iterations):
        learner.iterate()
    return greedy_return(learner, env)


KINDS = ["quantum", "no-cnot", "frozen", "orthogonal", "linear"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_register_solves_the_easy_game_and_relays(kind):
    assert learned(matrix_game(EASY, 64), kind, 20) == 1
    assert learned(relay_game(n_envs=64), kind, 25) == 1


def test_a_register_is_not_deceived_by_the_climbing_game():
    assert learned(matrix_game(CLIMBING, 64), "quantum", 30) == 1


@pytest.mark.parametrize("noise", ["global-depolarizing:0.3", "depolarizing:1", "bit-flip:0.3"])
def test_an_unavailable_joint_action_has_probability_exactly_zero_under_noise(noise):
    policy = build_policy(
        resolve(QCMAPPOConfig(readout="register", latent=4, noise=noise), "toy:lamps"), Sizes(3, 4, 12, 7)
    )
    avail = masks(10, 3, 4)
    law, _ = policy(Inputs(torch.randn(30, 12, generator=GENERATOR), avail, torch.arange(30)))
    allowed = torch.stack([avail[:, i].gather(1, every_action(3, 4)[:, i].expand(10, -1)) for i in range(3)]).all(0)
    assert (law.log_probs.exp()[~allowed] == 0).all()
    assert torch.allclose(law.log_probs.exp().sum(-1), torch.ones(10), atol=1e-5)


def test_a_register_continues_bit_for_bit_and_reports_its_exact_correlation():
    one = qc_mappo(LampGame(6, n_agents=2), readout="register")
    for _ in range(2):
        one.iterate()
    two = qc_mappo(LampGame(6, n_agents=2), readout="register")
    two.load_state_dict(one.state_dict())
    assert one.iterate() == two.iterate()
    said = one.diagnostics(torch.Generator())
    law, _ = one.policy(one.rollout.inputs(one.rollout.whole()))
    assert said["policy/total_correlation"] == pytest.approx(law.exact_total_correlation().mean().item(), rel=1e-5)
    assert said["policy/total_correlation"] > 0
    assert said["policy/total_correlation_se"] == 0
