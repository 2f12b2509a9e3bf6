"""The device that agents share: its statistics are Born's whatever the order, and it takes nothing but measurements."""

import itertools
import math

import pytest
import torch
from teams import ACTIONS, KINDS, OBS, law_of, team

from qcmarl.coordinator import source
from qcmarl.coordinator.actors import Actor, carried_by
from qcmarl.coordinator.coordinates import coordinates, reader
from qcmarl.coordinator.source import MOST_OPEN, OutcomeSource
from qcmarl.coordinator.states import QuantumState, SharedRandomness

ROUNDS = 3_000


def in_plane(angle):
    """(2, 4) effects of a qubit read out along `angle` from Z towards X."""
    axis = torch.tensor([[math.cos(angle), math.sin(angle)], [math.sin(angle), -math.cos(angle)]])
    both = torch.stack([torch.eye(2) + axis, torch.eye(2) - axis]) / 2
    return coordinates(both.to(torch.complex64), reader(2))


def device(resource, seed=0):
    return OutcomeSource(resource().detach(), getattr(resource, "dimension", None), seed)


def asked(found, settings, order):
    """(B, n) outcomes of parties that measure in this order."""
    outcomes = {party: found.outcome(party, settings[party]) for party in order}
    return torch.stack([outcomes[party] for party in range(len(settings))], 1)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("visibility", [1.0, 0.6])
def test_chsh_is_won_as_tsirelson_says_whoever_measures_first(order, visibility):
    """Angles 0, pi/2 and pi/4, -pi/4: every question is won with (1 + v / sqrt 2) / 2."""
    found = device(QuantumState("phi+", 2, 2, visibility))
    expected = (1 + visibility / 2**0.5) / 2
    for x, y in itertools.product((0, 1), repeat=2):
        mine, yours = in_plane((0, math.pi / 2)[x]), in_plane((math.pi / 4, -math.pi / 4)[y])
        a, b = asked(found, [mine.expand(ROUNDS, -1, -1), yours.expand(ROUNDS, -1, -1)], order).T
        won = ((a ^ b) == (x & y)).double().mean().item()
        assert abs(won - expected) < 4 * (expected * (1 - expected) / ROUNDS) ** 0.5


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_ghz_is_won_for_certain_in_every_order(order):
    """X for 0 and Y for 1: the outcomes' parity is x or y or z. Y has the coordinates (1, 0, +-1, 0) / sqrt 2."""
    measure = [in_plane(math.pi / 2), torch.tensor([[1.0, 0, 1, 0], [1, 0, -1, 0]]) / 2**0.5]
    for questions in ((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0)):
        settings = [measure[q].expand(500, -1, -1) for q in questions]
        outcomes = asked(device(QuantumState("ghz", 3, 2)), settings, order)
        assert (outcomes.sum(1) % 2 == int(any(questions))).all()


@pytest.mark.parametrize(
    ("kind", "greedy"),
    [*((kind, False) for kind in KINDS), ("bell", True), ("ghz, povm", True), ("shared number", True)],
)
def test_actors_with_a_source_do_what_the_law_of_the_team_says(kind, greedy):
    """Everybody sees one observation in all rounds; the frequencies of joint actions, asked in two orders."""
    policy, agents = team(kind)
    obs = torch.randn(1, agents, OBS, generator=torch.Generator().manual_seed(4)).expand(ROUNDS, -1, -1)
    avail = torch.ones(ROUNDS, agents, ACTIONS, dtype=torch.bool)
    avail[:, 0, 0] = False
    x = torch.nn.functional.layer_norm(
        torch.cat([obs, torch.zeros(ROUNDS, agents, ACTIONS), torch.eye(agents).expand(ROUNDS, -1, -1)], -1),
        [OBS + ACTIONS + agents],
    )
    law = law_of(policy, x[:1], avail[:1])
    expected = (law.decisive() if greedy else law).table().log_probs[0].exp()
    found, team_of = device(policy.resource, seed=5), [Actor(c, 6, greedy) for c in carried_by(policy, agents, OBS)]
    for order in (range(agents), reversed(range(agents))):
        actions = torch.zeros(ROUNDS, agents, dtype=torch.long)
        for i in order:
            effects = team_of[i].setting(obs[:, i].numpy(), avail[:, i].numpy())
            outcome = found.outcome(i, ROUNDS if team_of[i].looks_up else effects)
            actions[:, i] = team_of[i].act(outcome)
        code = (actions * ACTIONS ** torch.arange(agents - 1, -1, -1)).sum(1)
        rate = torch.bincount(code, minlength=ACTIONS**agents) / ROUNDS
        assert ((rate - expected).abs() <= 4 * (expected * (1 - expected) / ROUNDS).sqrt() + 1e-6).all()


def test_a_random_number_is_told_to_all_with_its_learned_odds():
    resource = SharedRandomness(3, 4)
    resource.odds.data = torch.tensor([0.1, 0.2, 0.3, 0.4]).log()
    numbers = asked(device(resource), [ROUNDS] * 3, (1, 2, 0))
    assert (numbers == numbers[:, :1]).all()
    rate = torch.bincount(numbers[:, 0]) / ROUNDS
    assert ((rate - torch.tensor([0.1, 0.2, 0.3, 0.4])).abs() < 4 * (0.25 / ROUNDS) ** 0.5).all()


def test_the_same_questions_in_the_same_order_get_the_same_answers():
    resource, settings = QuantumState("phi+", 2, 2), [in_plane(0.3).expand(100, -1, -1)] * 2
    first, again, other = (asked(device(resource, seed), settings, (1, 0)) for seed in (7, 7, 8))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_a_party_can_measure_before_the_others_but_not_for_ever():
    found = device(QuantumState("phi+", 2, 2))
    setting = in_plane(0.0).expand(10, -1, -1)
    first = [found.outcome(0, setting) for _ in range(MOST_OPEN)]
    with pytest.raises(ValueError, match=f"party 0 is {MOST_OPEN} batches ahead of another"):
        found.outcome(0, setting)
    second = [found.outcome(1, setting) for _ in range(MOST_OPEN)]
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True)), "phi+ along one axis: always equal"


def test_what_is_no_measurement_is_refused():
    found = device(QuantumState("phi+", 2, 2))
    good = in_plane(0.2).expand(10, -1, -1)
    with pytest.raises(ValueError, match=r"effects miss the identity by 0\.14"):
        found.outcome(0, 1.1 * good)
    beyond = torch.stack([good[:, 0] * 2 - good[:, 1], good[:, 1] * 2 - good[:, 0]], 1)
    with pytest.raises(ValueError, match="an effect has the eigenvalue -1"):
        found.outcome(0, beyond)
    with pytest.raises(ValueError, match="effects miss the identity by nan"):
        found.outcome(0, good * torch.nan)
    with pytest.raises(ValueError, match=r"the setting is \(10, 2, 3\); it must be effects \(B, K, 4\)"):
        found.outcome(0, good[..., :3])
    with pytest.raises(ValueError, match=r"party 2 is outside 0\.\.1"):
        found.outcome(2, good)
    found.outcome(0, good)
    with pytest.raises(ValueError, match="party 1 measures 9 rounds; the others of this batch 10"):
        found.outcome(1, good[:9])
    with pytest.raises(ValueError, match="a random number is not measured"):
        device(SharedRandomness(2, 3)).outcome(0, good)


def test_the_file_of_a_source_holds_the_state_with_its_noise_and_nothing_else(tmp_path):
    resource = QuantumState("ghz", 3, 2, visibility=0.5)
    source.save(tmp_path / "source.pt", resource)
    found = source.load(tmp_path / "source.pt")
    assert (found.parties, found.size, found.dimension) == (3, 4, 2)
    assert torch.equal(found._state, resource().double())
