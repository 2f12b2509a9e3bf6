"""Every actor whose law is joint, on the sizes of skirmish:3m: its 729 log-probabilities and its draws agree."""

import itertools

import pytest
import torch

from qcmarl.algos import ALGORITHMS
from qcmarl.buffer import Sizes
from qcmarl.laws import Inputs
from qcmarl.rollout import Acted
from qcmarl.watch.players import agent_probabilities

THREE = Sizes(agents=3, actions=9, features=42, state=49)
EVERY = torch.tensor(list(itertools.product(range(9), repeat=3)))
ACTORS = {
    "outcome": ("qc-mappo", {"readout": "outcome", "coupling_scale": 2.0}),
    "outcome, noisy": ("qc-mappo", {"readout": "outcome", "coupling_scale": 2.0, "noise": "global-depolarizing:0.01"}),
    "mixture": ("qc-mappo", {"readout": "outcome", "coupling_scale": 2.0, "circuit": "linear"}),
    "register": ("qc-mappo", {"readout": "register"}),
    "register, without CNOTs": ("qc-mappo", {"readout": "register", "circuit": "no-cnot"}),
    "register, linear": ("qc-mappo", {"readout": "register", "circuit": "linear"}),
    "autoregressive": ("autoregressive-mappo", {}),
}


@pytest.fixture(params=ACTORS)
def laws(request):
    """Makes the same observation's law for as many samples as are asked for, and says what is available there."""
    name, options = ACTORS[request.param]
    algorithm = ALGORITHMS[name]
    torch.manual_seed(3)
    policy = algorithm.build_policy(algorithm.resolve(algorithm.config(**options), "skirmish:3m"), THREE)
    for head in (module for name, module in policy.named_modules() if name == "head"):
        head.weight.data.mul_(20)  # the first law is even; this one has preferences
    avail = torch.rand(3, 9) < 0.6
    avail[:, 1] = True
    x = torch.randn(3, 42)

    def made(samples):
        given = avail.expand(samples, -1, -1)
        with torch.no_grad():
            return policy(Inputs(x.repeat(samples, 1), given, torch.arange(3 * samples)))[0]

    return made, avail


def table(made):
    with torch.no_grad():
        return made(729).log_prob(EVERY).exp()


def test_the_available_joint_actions_share_a_probability_of_one(laws):
    made, avail = laws
    allowed = avail.gather(1, EVERY.t()).all(0)
    p = table(made)
    assert p[allowed].sum().item() == pytest.approx(1, abs=1e-5)
    assert (p[allowed] > 0).all()


def test_draws_pass_a_chi_square_test_and_never_take_what_is_unavailable(laws):
    made, avail = laws
    draws = 20_000
    actions = made(draws).sample(torch.Generator().manual_seed(1))
    assert avail.expand(draws, -1, -1).gather(2, actions.unsqueeze(-1)).all()
    observed = torch.bincount((actions * torch.tensor([81, 9, 1])).sum(1), minlength=729)
    expected = table(made) * draws * avail.gather(1, EVERY.t()).all(0)
    likely = expected >= 10
    rest = torch.tensor([observed[~likely].sum(), expected[~likely].sum()])
    terms = (observed[likely] - expected[likely]).square() / expected[likely]
    degrees = int(likely.sum())
    total = terms.sum().item() + ((rest[0] - rest[1]).square() / rest[1].clamp_min(1e-3)).item()
    assert degrees > 10
    assert abs(total - degrees) < 4 * (2 * degrees) ** 0.5


def test_the_logged_correlation_is_that_of_the_enumerated_law(laws):
    made, avail = laws
    p = (table(made) * avail.gather(1, EVERY.t()).all(0)).view(9, 9, 9).double()
    marginals = [p.sum((1, 2)), p.sum((0, 2)), p.sum((0, 1))]
    product = torch.einsum("a,b,c->abc", *marginals)
    exact = torch.where(p > 0, p * (p / product).log(), 0.0).sum().item()
    with torch.no_grad():
        mean, error = made(2000).correlation(torch.Generator().manual_seed(2), 4)
    assert mean == pytest.approx(exact, abs=4 * error + 1e-4)


@torch.no_grad()
def test_what_a_replay_shows_of_a_joint_law_sums_to_one_for_each_agent(laws):
    made, avail = laws
    law = made(1)
    actions = law.sample(torch.Generator().manual_seed(1))
    shown = torch.from_numpy(
        agent_probabilities(Acted(Inputs(torch.zeros(0), avail[None], torch.arange(3)), law, actions))
    )
    assert torch.allclose(shown.sum(1), torch.ones(3, dtype=torch.float64), atol=1e-5)
    assert (shown[~avail] == 0).all()
