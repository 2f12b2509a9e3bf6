"""TarMAC's rounds of messages, written out agent by agent."""

import math

import pytest
import torch

from qcmarl.algos.tarmac import TarMACConfig, build_policy, resolve
from qcmarl.buffer import Sizes
from qcmarl.laws import Inputs

SIZES = Sizes(agents=3, actions=4, features=6, state=2)
ALIVE = torch.tensor([[1, 1, 1], [1, 0, 1]], dtype=torch.bool)
ROWS = ALIVE.flatten().nonzero().squeeze(1)


def policy(rounds):
    torch.manual_seed(1)
    config = TarMACConfig(hidden=16, rounds=rounds, signature=5, value=7)
    actor = build_policy(resolve(config, "toy:lamps"), SIZES)
    actor.head.weight.data.mul_(300)
    return actor


def inputs():
    x = torch.randn(len(ROWS), 6, generator=torch.Generator().manual_seed(2))
    return Inputs(x, torch.ones(2, 3, 4, dtype=torch.bool), ROWS)


@pytest.mark.parametrize("rounds", [1, 2])
def test_an_agent_hears_the_values_of_the_living_by_how_their_signatures_fit_its_query(rounds):
    actor, seen = policy(rounds), inputs()
    state = actor.trunk(seen.x)
    for _ in range(rounds):
        said = actor.message(state)
        query, signature, value = said[:, :5], said[:, 5:10], said[:, 10:]
        heard = []
        for row in range(len(ROWS)):
            team = [other for other in range(len(ROWS)) if ROWS[other] // 3 == ROWS[row] // 3]
            scores = torch.stack([query[row] @ signature[other] / math.sqrt(5) for other in team])
            heard.append(torch.softmax(scores, 0) @ value[team])
        state = torch.tanh(actor.update(torch.cat([state, torch.stack(heard)], 1)))
    centred = state - state.mean(1, keepdim=True)
    logits = actor.head(centred / (centred.square().mean(1, keepdim=True) + 1e-5).sqrt())
    torch.testing.assert_close(actor(seen)[0].log_probs, logits.log_softmax(1), atol=1e-5, rtol=1e-4)


def test_attention_to_others_is_what_an_agent_leaves_of_its_own():
    actor, seen = policy(1), inputs()
    actor.message.weight.data.zero_()  # every signature fits every query
    torch.testing.assert_close(actor.attention_to_others(seen), torch.tensor([2 / 3, 2 / 3, 2 / 3, 1 / 2, 1 / 2]))
