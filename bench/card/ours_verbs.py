"""Our face on torch tensors: `qcsim.probabilities` with backward, and `QuantumLayer`."""

from __future__ import annotations

import torch
from rivals.torch_hand import Run
from work import Work

import qcsim
from card.entry import Contestant, circuit
from card.on_torch import Torch, maker


def library(rehearsal: bool) -> Torch:
    return Torch(rehearsal)


def verb(work: Work, _: torch.nn.Parameter) -> Run:
    drawn = circuit(work)
    return lambda weights, samples: qcsim.probabilities(drawn, weights, amplitudes=samples)


def layer(work: Work, weights: torch.nn.Parameter) -> Run:
    module = qcsim.nn.QuantumLayer(circuit(work))
    module.weights = weights
    return lambda _, samples: module(samples)


CONTESTANTS = {"ours (verbs)": Contestant(maker(verb)), "ours (QuantumLayer)": Contestant(maker(layer))}
IN_GRAPHS = tuple(CONTESTANTS)
