"""The graph of G2ANet: its recurrent layer is torch's, its edges are 0 or 1 and can be learned."""

import pytest
import torch
from torch import nn

from qcmarl.algos.g2anet import G2ANetConfig, HardAttention, build_policy, resolve, straight_through
from qcmarl.attention import Teams
from qcmarl.buffer import Sizes
from qcmarl.laws import Inputs

SIZES = Sizes(agents=3, actions=4, features=6, state=2)


def inputs(x, alive=None):
    alive = torch.ones(x.shape[:2], dtype=torch.bool) if alive is None else alive
    rows = alive.flatten().nonzero().squeeze(1)
    return Inputs(x.flatten(0, 1)[rows], torch.ones(*x.shape[:2], SIZES.actions, dtype=torch.bool), rows)


def policy():
    torch.manual_seed(1)
    return build_policy(resolve(G2ANetConfig(hidden=16), "toy:lamps"), SIZES)


def x_of(samples=4):
    return torch.randn(samples, 3, 6, generator=torch.Generator().manual_seed(2))


def test_the_recurrent_layer_is_torchs_bidirectional_gru_over_the_pairs():
    torch.manual_seed(0)
    ours = HardAttention(5, 3)
    for parameter in ours.parameters():
        nn.init.normal_(parameter)
    gru = nn.GRU(10, 3, batch_first=True, bidirectional=True)
    for direction, suffix in enumerate(("l0", "l0_reverse")):
        part = slice(9 * direction, 9 * direction + 9)
        of_pair = torch.cat([ours.own.weight[part], ours.partner.weight[part]], 1)
        getattr(gru, f"weight_ih_{suffix}").data.copy_(of_pair)
        getattr(gru, f"bias_ih_{suffix}").data.copy_(ours.own.bias[part] + ours.partner.bias[part])
        getattr(gru, f"weight_hh_{suffix}").data.copy_(ours.recurrent[direction].t())
        getattr(gru, f"bias_hh_{suffix}").data.copy_(ours.recurrent_bias[direction, 0])
    latents = torch.randn(2, 4, 5)
    seen = inputs(latents)
    found = ours(latents.flatten(0, 1), seen, Teams(seen)).view(2, 4, 4)
    for i in range(4):
        others = [(i + step) % 4 for step in (1, 2, 3)]
        pairs = torch.cat([latents[:, [i] * 3], latents[:, others]], -1)
        expected = ours.edge(gru(pairs)[0]).squeeze(-1)
        torch.testing.assert_close(found[:, i, others], expected, atol=1e-5, rtol=1e-4)


def test_an_edge_is_0_or_1_with_the_slope_of_its_probability():
    logits = torch.tensor([-3.0, -0.5, 0.5, 3.0], requires_grad=True)
    edges = straight_through(logits)
    assert edges.tolist() == [0, 0, 1, 1]
    p = logits.detach().sigmoid()
    torch.testing.assert_close(torch.autograd.grad(edges.sum(), logits)[0], p * (1 - p))


def test_with_every_edge_closed_nobody_hears_anybody_and_with_every_edge_open_all_do():
    actor, x = policy(), x_of()
    actor.head.weight.data.mul_(300)
    moved = x.clone()
    moved[:, 0] += 1
    for bias, heard in ((-100.0, False), (100.0, True)):
        nn.init.constant_(actor.hard.edge.bias, bias)
        change = actor(inputs(moved))[0].log_probs - actor(inputs(x))[0].log_probs
        assert bool(change.view(4, 3, -1)[:, 1:].any()) is heard


def test_the_same_observations_give_the_same_edges_so_that_the_ratio_is_exact():
    actor, x = policy(), x_of()
    assert torch.equal(actor(inputs(x))[0].log_probs, actor(inputs(x))[0].log_probs)


def test_open_edges_count_the_pairs_of_the_living_only():
    actor = policy()
    x, alive = x_of(2), torch.tensor([[1, 1, 1], [0, 1, 1]], dtype=torch.bool)  # 6 pairs and 2
    assert float(actor.open_edges(inputs(x, alive))) == 1
    actor.hard.edge.weight.data.mul_(1000)
    nn.init.zeros_(actor.hard.edge.bias)
    state = actor.trunk(inputs(x, alive).x)
    logits = actor.hard(state, inputs(x, alive), Teams(inputs(x, alive)))
    place = [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1), (3, 2), (4, 1)]  # (row, partner)
    share = sum(bool(logits[r, j] > 0) for r, j in place) / 8
    assert float(actor.open_edges(inputs(x, alive))) == pytest.approx(share)
    assert 0 < share < 1


def test_edges_that_pay_open_and_edges_that_cost_close():
    torch.manual_seed(0)
    hard = HardAttention(4, 8)
    adam = torch.optim.Adam(hard.parameters(), 1e-2)
    latents = torch.randn(64, 3, 4)
    seen = inputs(latents)
    worth = torch.where(latents[..., 0] > 0, 1.0, -1.0).unsqueeze(1).expand(-1, 3, -1)  # of hearing j, whoever hears
    others = ~torch.eye(3, dtype=torch.bool)
    for _ in range(150):
        edges = straight_through(hard(latents.flatten(0, 1), seen, Teams(seen))).view(64, 3, 3)
        adam.zero_grad()
        (-(edges * worth)[:, others].mean()).backward()
        adam.step()
    right = (edges > 0) == (worth > 0)
    assert float(right[:, others].float().mean()) > 0.95


def test_an_agent_alone_is_refused_in_words():
    with pytest.raises(ValueError, match="this environment has 1 agent, and 2 or more are needed"):
        build_policy(resolve(G2ANetConfig(), "toy:lamps"), SIZES._replace(agents=1))
