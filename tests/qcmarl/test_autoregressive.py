"""Autoregressive MAPPO: the law of agents that choose in turn, against enumeration, and what it learns."""

import itertools
import math

import pytest
import torch
from tasks import CLIMBING, EASY, greedy_return, matrix_game, relay_game
from toy import LampGame

from qcmarl.algos import ALGORITHMS
from qcmarl.algos.autoregressive import (
    AutoregressiveMAPPO,
    AutoregressiveMAPPOConfig,
    AutoregressivePolicy,
    resolve,
)
from qcmarl.laws import Inputs, chain
from qcmarl.laws.chain import ChainLaw
from qcmarl.laws.law import entropy
from qcmarl.nets import linear

GENERATOR = torch.Generator().manual_seed(5)


def masks(samples, agents=3, actions=9):
    avail = torch.rand(samples, agents, actions, generator=GENERATOR) < 0.6
    avail[..., 1] = True
    return avail


def parts(samples, agents=3, actions=9, width=8, told=3.0):
    """A chain that listens: what was told is as loud as what is seen."""
    torch.manual_seed(2)
    seen = torch.randn(samples, agents, width)
    return (
        seen,
        torch.randn(agents, actions, width) * told,
        linear(width, actions, 2.0),
        masks(samples, agents, actions),
    )


def expanded(seen, told, head, avail, count):
    return ChainLaw(seen.expand(count, -1, -1), told, head, avail.expand(count, -1, -1))


def every_action(agents=3, actions=9):
    return torch.tensor(list(itertools.product(range(actions), repeat=agents)))


# The law --------------------------------------------------------------------------------------------------------------


def test_log_probs_on_3m_are_products_of_masked_conditionals_and_sum_to_one():
    seen, told, head, avail = parts(1)
    actions = every_action()
    found = expanded(seen, told, head, avail, 729).log_prob(actions).exp()
    assert found.sum().item() == pytest.approx(1, abs=1e-5)
    for code in range(0, 729, 31):
        expected, heard = 1.0, torch.zeros(8)
        for i, a in enumerate(actions[code].tolist()):
            hidden = (seen[0, i] + heard).relu()
            logits = head((hidden - hidden.mean()) / (hidden.var(unbiased=False) + 1e-5).sqrt())
            expected *= torch.softmax(logits.masked_fill(~avail[0, i], -torch.inf), -1)[a].item()
            heard = heard + told[i, a]
        assert found[code].item() == pytest.approx(expected, abs=1e-6)


def test_the_table_holds_the_log_prob_of_every_joint_action():
    seen, told, head, avail = parts(2)
    table = ChainLaw(seen, told, head, avail).table()
    for m in range(2):
        law = expanded(seen[m : m + 1], told, head, avail[m : m + 1], 729)
        assert torch.allclose(table.log_probs[m].exp(), law.log_prob(every_action()).exp(), atol=1e-6)


def test_samples_on_3m_pass_a_chi_square_test():
    seen, told, head, avail = parts(1)
    draws = 40_000
    expected = ChainLaw(seen, told, head, avail).table().log_probs[0].exp() * draws
    actions = expanded(seen, told, head, avail, draws).sample(GENERATOR)
    observed = torch.bincount((actions * torch.tensor([81, 9, 1])).sum(1), minlength=729)
    assert (observed[expected == 0] == 0).all()
    likely = expected >= 20
    terms = (observed[likely] - expected[likely]).square() / expected[likely]
    degrees = int(likely.sum()) - 1
    assert degrees > 50
    assert abs(terms.sum().item() - degrees) < 4 * (2 * degrees) ** 0.5


def test_the_greedy_action_is_each_agents_best_answer_to_those_before_it():
    seen, told, head, avail = parts(30)
    law = ChainLaw(seen, told, head, avail)
    table = law.table().log_probs.view(30, 9, 9, 9).exp()
    for m, (a, b, c) in enumerate(law.mode(GENERATOR).tolist()):
        assert a == table[m].sum((1, 2)).argmax()
        assert b == table[m, a].sum(1).argmax()
        assert c == table[m, a, b].argmax()


def test_an_agent_hears_those_before_it_and_nobody_else():
    seen, told, head, avail = parts(1)
    law = ChainLaw(seen, told, head, avail)
    heard = law._heard(torch.tensor([[4, 2, 7]]))[0]
    assert torch.equal(heard[0], torch.zeros(8))
    assert torch.allclose(heard[1], told[0, 4], atol=1e-6)
    assert torch.allclose(heard[2], told[0, 4] + told[1, 2], atol=1e-6)


def test_an_unavailable_action_has_probability_exactly_zero_and_the_dead_do_their_only_one():
    seen, told, head, avail = parts(40)
    avail[:, 1] = False
    avail[:, 1, 0] = True
    law = ChainLaw(seen, told, head, avail)
    assert (law.table().marginals().transpose(0, 1)[~avail] == 0).all()
    for actions in (law.sample(GENERATOR), law.mode(GENERATOR)):
        assert avail.gather(2, actions.unsqueeze(-1)).all()
        assert (actions[:, 1] == 0).all()
    nobody = torch.zeros(40, 3, 9, dtype=torch.bool)
    nobody[..., 0] = True
    dead = ChainLaw(seen, told, head, nobody)
    assert (dead.log_prob(dead.sample(GENERATOR)) == 0).all()
    assert dead.entropy_sum() == 0


# Entropy and correlation ----------------------------------------------------------------------------------------------


def test_the_entropy_along_samples_is_that_of_the_joint_law():
    seen, told, head, avail = parts(1)
    draws = 20_000
    law = expanded(seen, told, head, avail, draws)
    law.log_prob(law.sample(GENERATOR))
    exact = ChainLaw(seen, told, head, avail).table().entropy_sum().item()
    assert law.entropy_sum().item() / draws == pytest.approx(exact, rel=0.01)


def test_the_gradient_of_the_entropy_along_actions_lacks_the_credit_of_earlier_agents():
    seen, told, head, avail = parts(1, actions=4)
    seen.requires_grad_()
    (exact,) = torch.autograd.grad(ChainLaw(seen, told, head, avail).table().entropy_sum(), seen)
    every = every_action(actions=4)
    law = expanded(seen, told, head, avail, len(every))
    weights = law.log_prob(every).exp().detach()  # of all joint actions: sums over them are means over draws
    (along,) = torch.autograd.grad((weights * law._entropies).sum(), seen, retain_graph=True)
    log_probs, p = law.conditionals(every)
    own, entropies = log_probs.gather(2, every.unsqueeze(-1)).squeeze(-1), entropy(p).detach()
    later = entropies.sum(1, keepdim=True) - entropies.cumsum(1)  # of the agents after each
    (missing,) = torch.autograd.grad((weights * (own * later).sum(1)).sum(), seen)
    assert torch.allclose(along + missing, exact, atol=1e-5)
    assert missing.abs().max() > 0.1 * exact.abs().max()


def copying(agents=3, actions=4):
    """The first agent tosses a coin between two actions, the others do what it did, in so many units."""
    told = torch.zeros(agents, actions, 4)
    told[0, 1], told[0, 2] = torch.tensor([100.0, 0, 0, 0]), torch.tensor([0, 100.0, 0, 0])
    head = linear(4, actions)
    head.weight.data.zero_()
    head.weight.data[1, 0] = head.weight.data[2, 1] = 100.0
    avail = torch.zeros(1, agents, actions, dtype=torch.bool)
    avail[..., 1:3] = True
    return ChainLaw(torch.zeros(1, agents, 4), told, head, avail)


def test_agents_that_copy_a_fair_coin_have_its_entropy_as_correlation_once_per_further_agent():
    law = copying()
    assert law.correlation(GENERATOR, 1).mean == pytest.approx(2 * math.log(2), abs=1e-5)
    assert law.estimated_total_correlation(GENERATOR).item() == pytest.approx(2 * math.log(2), rel=0.05)
    actions = law.sample(GENERATOR)
    assert (actions == actions[:, :1]).all()


@pytest.mark.parametrize("told", [0.0, 0.3, 3.0])
def test_the_estimated_correlation_agrees_with_the_exact_one(told):
    law = ChainLaw(*parts(200, told=told))
    exact = law.table().exact_total_correlation()
    found = law.estimated_total_correlation(GENERATOR)
    spread = (found - exact).std().item() / 200**0.5
    assert found.mean().item() == pytest.approx(exact.mean().item(), abs=4 * spread + 1e-4 + 0.01 * exact.mean().item())
    assert (exact.mean().item() > 0.01) == (told > 0)


def test_a_law_too_large_to_write_out_is_estimated(monkeypatch):
    law = ChainLaw(*parts(20))
    assert law.correlation(GENERATOR, 1).error == 0
    monkeypatch.setattr(chain, "MOST_ROWS", 20 * 81 - 1)
    mean, error = law.correlation(GENERATOR, 1)
    assert error > 0
    assert mean == pytest.approx(law.table().exact_total_correlation().mean().item(), rel=0.2)


# The actor ------------------------------------------------------------------------------------------------------------


def test_gradients_of_the_actor_agree_with_finite_differences():
    torch.manual_seed(0)
    policy = AutoregressivePolicy(4, 2, 3, 5).double()
    policy.head.weight.data.mul_(50)
    names = [name for name, _ in policy.named_parameters()]
    x = torch.randn(4, 4, dtype=torch.float64, generator=GENERATOR)
    avail = masks(2, 2, 3)
    actions = policy(Inputs(x, avail, torch.arange(4)))[0].sample(GENERATOR)

    def scored(*weights):
        given = dict(zip(names, weights, strict=True))
        law, _ = torch.func.functional_call(policy, given, (Inputs(x, avail, torch.arange(4)),))
        return law.log_prob(actions), law.entropy_sum()

    weights = [p.detach().clone().requires_grad_() for p in policy.parameters()]
    assert torch.autograd.gradcheck(scored, weights)


def learner(env, **options):
    torch.manual_seed(0)
    small = {"n_envs": env.n_envs, "hidden": 16, "critic_hidden": 16}
    config = AutoregressiveMAPPOConfig(**{**small, "rollout_steps": 2, "minibatches": 1, "lr": 1e-2, **options})
    return AutoregressiveMAPPO(resolve(config, env.name), env, seed=3)


@pytest.mark.parametrize("game", ["easy", "climbing", "relay of two", "relay of three"])
def test_agents_that_choose_in_turn_find_every_optimum(game):
    env = {
        "easy": lambda: matrix_game(EASY, 64),
        "climbing": lambda: matrix_game(CLIMBING, 64),
        "relay of two": lambda: relay_game(n_envs=64),
        "relay of three": lambda: relay_game(n_agents=3, n_envs=64),
    }[game]()
    one = learner(env)
    for _ in range(20):
        one.iterate()
    assert greedy_return(one, env) == 1


def test_before_the_first_step_every_ratio_is_one():
    one = learner(LampGame(6), rollout_steps=20)
    one.collector.collect()
    _, (kl, clipped, *_) = one._policy_loss(one.rollout.whole(), one._targets())
    assert float(kl) == pytest.approx(0, abs=1e-4)
    assert float(clipped) == 0


def test_what_the_dead_see_changes_nothing():
    losses = []
    for noise in (0.0, 100.0):
        one = learner(LampGame(6), rollout_steps=20)
        one.collector.collect()
        one.rollout.x[:-1][~one.rollout.alive] += noise
        losses.append(one._policy_loss(one.rollout.whole(), one._targets())[0].item())
    assert losses[0] == losses[1]


def test_it_continues_bit_for_bit_and_does_not_depend_on_threads():
    one, two = (learner(LampGame(6), rollout_steps=20) for _ in range(2))
    for _ in range(2):
        one.iterate()
    two.load_state_dict(one.state_dict())
    assert one.iterate() == two.iterate()
    torch.manual_seed(0)
    many = AutoregressiveMAPPO(one.config, LampGame(6), seed=3, threads=3)
    many.load_state_dict(one.state_dict())
    assert one.iterate() == many.iterate()
    assert one.diagnostics(torch.Generator().manual_seed(0)).keys() == {
        "policy/total_correlation",
        "policy/total_correlation_se",
    }


def test_its_ratio_is_joint_and_its_execution_central():
    assert resolve(AutoregressiveMAPPOConfig(), "skirmish:8m_vs_9m").ratio == "joint"
    with pytest.raises(ValueError, match="ratio 'agent' needs a law that factorises"):
        resolve(AutoregressiveMAPPOConfig(ratio="agent"), "skirmish:3m")
    assert ALGORITHMS["autoregressive-mappo"].execution == ALGORITHMS["qc-mappo"].execution == "central"
