"""The transformer encoder of Attention-MAPPO is torch's."""

import pytest
import torch
from torch import nn

from qcmarl.algos.attention_mappo import EncoderLayer
from qcmarl.attention import Teams
from qcmarl.laws import Inputs

ALIVE = torch.tensor([[1, 1, 1, 1], [1, 0, 1, 0], [0, 0, 0, 1]], dtype=torch.bool)


@pytest.mark.parametrize(("heads", "expansion"), [(4, 1), (2, 3)])
def test_a_layer_is_a_pre_norm_transformer_layer_with_the_dead_masked(heads, expansion):
    torch.manual_seed(0)
    ours = EncoderLayer(8, heads, expansion)
    for parameter in ours.parameters():
        nn.init.normal_(parameter, std=0.5)
    torchs = nn.TransformerEncoderLayer(8, heads, 8 * expansion, dropout=0, batch_first=True, norm_first=True)
    pairs = [
        (torchs.self_attn.in_proj_weight, ours.ask.weight),
        (torchs.self_attn.in_proj_bias, ours.ask.bias),
        (torchs.self_attn.out_proj.weight, ours.answer.weight),
        (torchs.self_attn.out_proj.bias, ours.answer.bias),
        (torchs.linear1.weight, ours.widen.weight),
        (torchs.linear1.bias, ours.widen.bias),
        (torchs.linear2.weight, ours.narrow.weight),
        (torchs.linear2.bias, ours.narrow.bias),
    ]
    for theirs, own in pairs:
        theirs.data.copy_(own)
    tokens = torch.randn(3, 4, 8)
    rows = ALIVE.flatten().nonzero().squeeze(1)
    teams = Teams(Inputs(torch.zeros(len(rows), 1), torch.ones(3, 4, 2, dtype=torch.bool), rows))
    found = ours(tokens[ALIVE], teams, teams.answering().repeat(heads, 1, 1))
    expected = torchs(tokens, src_key_padding_mask=~ALIVE)[ALIVE]
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)
