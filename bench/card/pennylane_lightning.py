"""PennyLane's lightning.gpu: no batch, and no gradients of probabilities; a few samples stand for all."""

from __future__ import annotations

from typing import Any

import pennylane as qml
from rivals import pennylane_lightning
from work import Inputs

from card import Absent
from card.entry import Contestant, Entry, Given
from card.on_torch import Torch


class Lightning(Torch):
    """Samples as torch tensors, which the library takes as arrays of the host, and its device."""

    def __init__(self, rehearsal: bool) -> None:
        super().__init__(rehearsal)
        self.name = "lightning.qubit" if rehearsal else "lightning.gpu"
        try:
            qml.device(self.name, wires=1)
        except (qml.exceptions.DeviceError, ImportError) as error:
            raise Absent(f"{self.name}: {error}") from error


def library(rehearsal: bool) -> Lightning:
    return Lightning(rehearsal)


def make(given: Given) -> Entry:
    """Forward alone, sample after sample."""
    programs = [
        pennylane_lightning.make(given.work, Inputs(given.weights, given.library.numpy(samples), given.weights),
                                 given.library.name)
        for samples in given.samples
    ]  # fmt: skip

    def forward(which: int) -> Any:
        return given.library.array(programs[which].forward())

    return Entry(given, forward, None)


CONTESTANTS = {"PennyLane lightning.gpu": Contestant(make, takes=pennylane_lightning.TAKEN)}
