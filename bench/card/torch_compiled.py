"""Hand-written torch through torch.compile: tens of seconds for every shape, so the best forms alone."""

from __future__ import annotations

from collections.abc import Callable

import torch
from rivals import torch_hand
from rivals.torch_hand import Run
from work import Work

from card.entry import Contestant, Entry, Given
from card.on_torch import Torch, of_work
from card.torch_eager import kronecker_turned, whole_unitary


def library(rehearsal: bool) -> Torch:
    return Torch(rehearsal)


def compiled(program: Callable[[Work], Run]) -> Callable[[Given], Entry]:
    """Compiled for one shape; in a rehearsal traced alone, since generating code takes as long as for a GPU."""

    def build(given: Given) -> Entry:
        torch.compiler.reset()
        backend = "inductor" if given.library.on_gpu else "aot_eager"
        return of_work(lambda work: torch.compile(program(work), dynamic=False, backend=backend))(given)

    return build


PROGRAMS = {
    "Kronecker layers": torch_hand.kronecker_layers,
    "whole unitary": whole_unitary,
    "Kronecker layers, turned": kronecker_turned,
}
CONTESTANTS = {
    f"torch.compile, {name}{', TF32' if tf32 else ''}": Contestant(compiled(program), tf32, at_once=True)
    for tf32 in (False, True)
    for name, program in PROGRAMS.items()
}
