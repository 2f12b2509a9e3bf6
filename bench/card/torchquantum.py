"""TorchQuantum: batched states in torch, gradients by autograd."""

from __future__ import annotations

from rivals import torchquantum_ng

from card.entry import Contestant
from card.on_torch import Torch, of_work


def library(rehearsal: bool) -> Torch:
    return Torch(rehearsal)


CONTESTANTS = {"TorchQuantum-NG": Contestant(of_work(torchquantum_ng.run_of))}
