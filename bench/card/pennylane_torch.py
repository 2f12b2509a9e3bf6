"""PennyLane's default.qubit on torch tensors: the batch by broadcasting, gradients by backpropagation."""

from __future__ import annotations

from rivals import pennylane_ml

from card.entry import Contestant
from card.on_torch import Torch, of_work


def library(rehearsal: bool) -> Torch:
    return Torch(rehearsal)


CONTESTANTS = {"PennyLane default.qubit, torch": Contestant(of_work(pennylane_ml.run_of))}
