"""The classical networks: trunks of Linear, ReLU and LayerNorm, the central critic, orthogonal initialisation.

Called by `policies`, `quantum` and `ppo`. LayerNorm has no gain and offset of its own: a linear layer follows each
one and absorbs them, so the class of functions is the same and the backward pass is cheaper.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import Tensor, nn

HEAD_GAIN = 0.01
"""Gain of the last layer of a policy: the first policy is nearly uniform over the available actions."""
NARROWEST = 3
"""Least width of a layer behind which rows are normalised: of one number nothing is left, of two a sign without a
gradient."""
_dropping = threading.local()
"""`now`: (share, generator) of the dropout that this thread's trunks are under, where they are."""


def linear(inputs: int, outputs: int, gain: float = 1.0) -> nn.Linear:
    """A linear layer with an orthogonal weight of the given gain and no offset at the start."""
    layer = nn.Linear(inputs, outputs)
    nn.init.orthogonal_(layer.weight, gain)
    nn.init.zeros_(layer.bias)
    return layer


def normalised(x: Tensor) -> Tensor:
    """Rows of `x` (..., F) with mean 0 and variance 1."""
    return F.layer_norm(x, x.shape[-1:])


@contextmanager
def dropping_out(share: float, generator: torch.Generator) -> Iterator[None]:
    """While open, every trunk that this thread runs leaves out units.

    A scope and not a mode of the modules: threads share the modules, and torch's own dropout draws from the global
    generator.

    Args:
        share: of the units, drawn anew for every row; the others are scaled by 1 / (1 - share).
        generator: the source of the draws.
    """
    _dropping.now = (share, generator) if share > 0 else None
    try:
        yield
    finally:
        _dropping.now = None


def dropped(x: Tensor) -> Tensor:
    """(..., H) hidden units, some of them left out where `dropping_out` is open."""
    now = getattr(_dropping, "now", None)
    if now is None:
        return x
    share, generator = now
    scaled: Tensor = x * (torch.rand(x.shape, generator=generator, device=x.device) >= share) / (1 - share)
    return scaled


class Trunk(nn.Module):
    """Linear, ReLU, LayerNorm, dropout where it is open, for each width; expects features of `rollout.Player`.

    Args:
        inputs: number of features.
        widths: output width of each layer.
    """

    def __init__(self, inputs: int, widths: Sequence[int]) -> None:
        super().__init__()
        sizes = [inputs, *widths]
        gain = nn.init.calculate_gain("relu")
        self.layers = nn.ModuleList(linear(a, b, gain) for a, b in itertools.pairwise(sizes))

    def forward(self, x: Tensor) -> Tensor:
        """(..., inputs) to (..., widths[-1])."""
        for layer in self.layers:
            x = dropped(normalised(F.relu_(layer(x))))
        return x


class Critic(nn.Module):
    """The central value of a state, in the units of the value normaliser.

    Args:
        inputs: number of features of the state.
        hidden: width of the two hidden layers.
    """

    def __init__(self, inputs: int, hidden: int) -> None:
        super().__init__()
        self.trunk = Trunk(inputs, (hidden, hidden))
        self.head = linear(hidden, 1)

    def forward(self, state: Tensor) -> Tensor:
        """(..., S) to (...)."""
        value: Tensor = self.head(self.trunk(state))
        return value.squeeze(-1)


def unrolled(gru: nn.GRUCell, x: Tensor, start: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
    """A GRU over L steps of K sequences; its memory is emptied where an episode begins.

    Args:
        gru: F numbers to H.
        x: (L, K, F).
        start: (L, K) bool, first steps of episodes.
        hidden: (K, H) memory before the first step.

    Returns:
        outputs (L * K, H) and the memory after the last step (K, H).
    """
    keep = (~start).to(hidden.dtype).unsqueeze(-1)
    outputs = []
    for step, kept in zip(x, keep, strict=True):
        hidden = gru(step, hidden * kept)
        outputs.append(hidden)
    return torch.cat(outputs), hidden


def exponential_race(log_weights: Tensor, generator: torch.Generator) -> Tensor:
    """Draws an index along the last axis with probability proportional to exp(log_weights).

    An entry of -inf, or one far below the others, is never drawn.

    Args:
        log_weights: (..., K), unnormalised.
        generator: the source of randomness.

    Returns:
        (...) int64.
    """
    clock = torch.empty_like(log_weights).exponential_(generator=generator).clamp_min_(1e-20)
    return (log_weights - clock.log_()).argmax(-1)
