"""Entangled MAPPO: its options, what it can learn with each resource, and what it cannot."""

import math
from dataclasses import asdict

import pytest
import torch

from qcmarl.algos.entangled_mappo import EntangledMAPPO, EntangledMAPPOConfig, build_policy, resolve
from qcmarl.buffer import Sizes
from qcmarl.coordinator.policy import named
from qcmarl.envs import make
from qcmarl.evaluate import win_rates

SIZES = Sizes(agents=2, actions=3, features=8, state=4)


def resolved(**options):
    return resolve(EntangledMAPPOConfig(**options), "game:chsh")


QUICK = {"lr": 5e-3, "entropy": 0.1, "entropy_final": 0.0, "anneal": 9_000}
"""Learns CHSH in 12,000 steps with small networks."""


def trained(steps, seed=0, **options):
    torch.manual_seed(seed)
    small = {"n_envs": 128, "rollout_steps": 8, "hidden": 32, "critic_hidden": 32}
    config = resolved(**small, **options)
    learner = EntangledMAPPO(config, make("game:chsh", 128), seed)
    while learner.env_steps < steps:
        learner.iterate()
    return learner


def win_rate(learner):
    return win_rates(learner.policy, make("game:chsh", 4), 4, 0)["eval/win_rate"]


def test_chsh_is_learned_beyond_every_classical_strategy():
    assert 0.845 < win_rate(trained(12_000, **QUICK)) < math.cos(math.pi / 8) ** 2 + 1e-5


@pytest.mark.parametrize("resource", ["shared-randomness", "product"])
def test_without_entanglement_three_quarters_are_learned_and_never_more(resource):
    assert 0.73 < win_rate(trained(12_000, resource=resource, **QUICK)) < 0.75 + 1e-5


def test_an_outcome_names_the_available_actions_in_turn():
    avail = torch.tensor([[False, True, False, True], [True, False, False, False]])
    expected = torch.zeros(2, 3, 4)
    expected[0, [0, 1, 2], [1, 3, 1]] = 1
    expected[1, :, 0] = 1
    assert torch.equal(named(avail, 3), expected)


@pytest.mark.parametrize("options", [{}, {"measurement": "povm", "outcomes": 3}, {"resource": "shared-randomness"}])
def test_unavailable_actions_have_probability_zero(options):
    from qcmarl.laws import Inputs

    policy = build_policy(resolved(**options), SIZES)
    avail = torch.tensor([[[True, False, True], [False, True, False]]]).expand(5, -1, -1)
    law, _ = policy(Inputs(torch.randn(10, 8), avail, torch.arange(10)))
    assert (law.marginals().movedim(0, 1)[~avail] == 0).all()
    assert torch.allclose(law.marginals().sum(-1), torch.ones(2, 5), atol=1e-5)
    drawn = law.sample(torch.Generator().manual_seed(0))
    assert avail.gather(2, drawn.unsqueeze(-1)).all()


def test_identical_agents_measure_alike_where_they_see_alike():
    policy = build_policy(resolved(identical=True), SIZES)
    x = torch.randn(1, 8).repeat(2, 1)
    x[0, -2:], x[1, -2:] = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])
    effects, _ = policy.actor(x, torch.ones(2, 3, dtype=torch.bool))
    assert torch.equal(effects[0], effects[1])
    told = build_policy(resolved(), SIZES).actor(x, torch.ones(2, 3, dtype=torch.bool))[0]
    assert not torch.equal(told[0], told[1])


def test_noise_only_changes_the_state_so_a_run_can_be_played_under_other_noise():
    torch.manual_seed(0)
    clear, noisy = build_policy(resolved(), SIZES), build_policy(resolved(noise="visibility:0.5"), SIZES)
    noisy.load_state_dict(clear.state_dict())
    assert not torch.equal(clear.resource(), noisy.resource())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"noise": "visibility:1.5"}, "noise 'visibility:1.5' cannot be read; write visibility:V or depolarizing:E"),
        ({"noise": "werner"}, "noise 'werner' cannot be read"),
        ({"noise": "visibility:.5", "resource": "shared-randomness"}, "acts on a quantum state"),
        ({"state": "phi+", "resource": "product"}, "state 'phi\\+' is for resource 'entangled'"),
        ({"outcomes": 3}, "measurement 'povm' has any number"),
        ({"outcomes": 1, "measurement": "povm"}, "outcomes is 1; it must be at least 2"),
        ({"dimension": 1}, "dimension is 1; it must be at least 2"),
        ({"latent": 3}, "latent 3 is for resource 'shared-randomness'; resource is 'entangled'"),
        ({"latent": 3, "resource": "product"}, "latent 3 is for .* resource is 'product'"),
        ({"dimension": 8, "resource": "shared-randomness"}, "dimension 8 is of a quantum state; resource 'shared-rand"),
        ({"latent": 0}, "latent is 0; it must be at least 1"),
        ({"measurement": "povm", "gates": "ry"}, "gates 'ry' are of projective measurements; there is none here"),
        ({"resource": "shared-randomness", "gates": "ry"}, "gates 'ry' are of projective measurements"),
        ({"resource": "shared-randomness", "measurement": "povm"}, "measurement 'povm' needs a quantum state"),
    ],
)
def test_contradictions_are_refused_in_words(options, words):
    with pytest.raises(ValueError, match=words):
        resolved(**options)


@pytest.mark.parametrize("resource", ["entangled", "product", "shared-randomness"])
def test_a_configuration_that_has_been_resolved_and_stored_resolves_again(resource):
    """As config.json of a run has it, and the stored results of the study: every field written out."""
    stored = asdict(resolved(resource=resource))
    assert (stored["latent"], stored["dimension"]) == (4, 2)
    assert asdict(resolved(**stored)) == stored


def test_a_state_beyond_memory_is_refused_before_anything_is_made():
    """Measurements of dimension 300 would have 180,000 settings for each outcome, 14 GB of weights."""
    with pytest.raises(ValueError, match="2 agents with dimension 300 share 300\\^4 numbers; the most are 65536"):
        build_policy(resolved(measurement="povm", dimension=300), SIZES)


def test_no_noise_can_be_asked_for():
    assert resolved(noise="none").noise is None
    assert resolved(noise="none", resource="shared-randomness").noise is None


def test_a_resumed_learner_goes_on_bit_for_bit():
    options = {"entropy_final": 0.0, "lr_final": 1e-5, "anneal": 3_072}
    through = trained(3_072, **options)
    stopped = trained(2_048, **options)
    resumed = trained(0, seed=1, **options)
    resumed.load_state_dict(stopped.state_dict())
    resumed.iterate()
    for a, b in zip(through.policy.parameters(), resumed.policy.parameters(), strict=True):
        assert torch.equal(a, b)


def test_an_agent_alone_is_refused() -> None:
    with pytest.raises(ValueError, match="this environment has 1, and 2 are needed"):
        build_policy(resolved(), Sizes(agents=1, actions=2, features=7, state=5))
