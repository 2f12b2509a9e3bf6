"""No agent's law depends on what another sees or does: from joint tables, from gradients, from the effects."""

import pytest
import torch
from teams import ACTIONS, KINDS, law_of, looks, team

from qcmarl.coordinator.source import check_measurement
from qcmarl.coordinator.states import QuantumState

EVERY = pytest.mark.parametrize("kind", KINDS)


def marginals(table, agents, kept):
    """(M, A, ..) of the kept agents, summed out of a table (M, A^n) in double precision."""
    whole = table.log_probs.double().exp().view(-1, *[ACTIONS] * agents)
    return whole.sum([1 + i for i in range(agents) if i not in kept])


@EVERY
def test_what_one_agent_sees_does_not_move_the_law_of_the_others(kind):
    policy, agents = team(kind)
    (x, avail), (other_x, other_avail) = looks(agents, 32), looks(agents, 32, seed=2)
    with torch.no_grad():
        before = law_of(policy, x, avail).table()
        for changed in range(agents):
            moved, allowed = x.clone(), avail.clone()
            moved[:, changed], allowed[:, changed] = 3 * other_x[:, changed], other_avail[:, changed]
            after = law_of(policy, moved, allowed).table()
            others = [i for i in range(agents) if i != changed]
            assert (marginals(after, agents, others) - marginals(before, agents, others)).abs().max() < 1e-6
            assert (marginals(after, agents, [changed]) - marginals(before, agents, [changed])).abs().max() > 0.1


@EVERY
def test_a_marginal_has_no_gradient_at_all_in_what_the_others_see(kind):
    policy, agents = team(kind)
    x, avail = looks(agents, 8)
    x.requires_grad_()
    law = law_of(policy, x, avail)
    weights = torch.randn(law.marginals().shape, generator=torch.Generator().manual_seed(3))
    for agent in range(agents):
        (slope,) = torch.autograd.grad((law.marginals()[agent] * weights[agent]).sum(), x, retain_graph=True)
        assert (slope[:, [i for i in range(agents) if i != agent]] == 0).all()
        assert slope[:, agent].abs().max() > 1e-4


@EVERY
def test_the_effects_are_a_measurement(kind):
    policy, agents = team(kind)
    x, avail = looks(agents, 64)
    effects, choice = policy.actor(x.flatten(0, 1), avail.flatten(0, 1))
    assert (effects.sum(1) - policy.resource.unit).abs().max() < 1e-6
    assert (choice.sum(-1) - 1).abs().max() < 1e-6
    assert (choice[~avail.flatten(0, 1).unsqueeze(1).expand_as(choice)] == 0).all()
    if isinstance(policy.resource, QuantumState):
        check_measurement(effects.double(), policy.resource.dimension)
    else:
        assert effects.min() >= 0


def test_a_joint_law_does_depend_on_what_both_see():
    """What the tests above would not notice, were the table blind: the correlation moves with a single observation."""
    policy, agents = team("bell")
    (x, avail), (other, _) = looks(agents, 32), looks(agents, 32, seed=2)
    avail[:] = True
    moved = x.clone()
    moved[:, 0] = other[:, 0]
    with torch.no_grad():
        tables = [law_of(policy, given, avail).table().log_probs.exp() for given in (x, moved)]
    conditional = [t.view(-1, ACTIONS, ACTIONS) / t.view(-1, ACTIONS, ACTIONS).sum(2, keepdim=True) for t in tables]
    assert (conditional[0] - conditional[1]).abs().max() > 0.1
